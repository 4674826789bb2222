"""One commitment as AWS describes it, as a row of `commitment_terms`.

A savings plan commits to spend `commitment` in every hour of its term, whatever was paid at its start: what remains for
the hours is the commitment less the upfront payment's share. A reserved instance has a fixed price, paid at its start,
and an hourly charge, each for one instance.

Here belongs: what a commitment costs and covers. Here does not belong: whether it was used (bills say).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from functools import partial
from typing import Any

from connectors.aws.answers import AnswerPage
from connectors.aws.delivery import Record
from connectors.aws.values import float_amount, instant, needed_amount, needed_text, payment_option
from connectors.exact import at_scale
from connectors.fields import RowError, count, shown, text
from connectors.gathered import StagedRow, extra_json

Json = dict[str, Any]

_PLAN_KINDS = {
    "Compute": ("Compute Savings Plan", "any machine in any region"),
    "EC2Instance": ("EC2 Instance Savings Plan", "one machine family in one region"),
    "SageMaker": ("SageMaker Savings Plan", "SageMaker in any region"),
    "Database": ("Database Savings Plan", "databases in any region"),
}
_PLAN = frozenset(
    {
        "savingsPlanId", "savingsPlanArn", "description", "start", "end", "state", "region", "ec2InstanceFamily",
        "savingsPlanType", "paymentOption", "currency", "commitment", "upfrontPaymentAmount", "termDurationInSeconds",
    }
)  # fmt: skip
_PLAN_KEPT = frozenset({"offeringId", "productTypes", "recurringPaymentAmount", "tags", "returnableUntil"})
_RESERVED = frozenset(
    {
        "ReservedInstancesId", "InstanceType", "AvailabilityZone", "Start", "End", "FixedPrice", "InstanceCount",
        "State", "CurrencyCode", "OfferingType", "RecurringCharges", "Scope", "Duration",
    }
)  # fmt: skip
_RESERVED_KEPT = frozenset(
    {"AvailabilityZoneId", "UsagePrice", "ProductDescription", "InstanceTenancy", "OfferingClass", "Tags"}
)
_CAPACITY = frozenset(
    {
        "CapacityReservationArn", "OwnerId", "InstanceType", "AvailabilityZone", "TotalInstanceCount", "State",
        "StartDate", "EndDate", "InstanceMatchCriteria",
    }
)  # fmt: skip


@dataclass
class CommitmentReading:
    """Reads commitments. `account` is who asked: reserved instances do not say whose they are."""

    account: str | None
    endless_count: int = 0

    def records(self, page: AnswerPage) -> Iterator[Record]:
        """Every commitment of a page; capacity reservations without an end are none, and counted."""
        stage: Callable[[Json], StagedRow] | None = {
            "savingsplans.describe_savings_plans": _staged_plan,
            "ec2.describe_reserved_instances": partial(_staged_reserved, self.account, page.region),
            "ec2.describe_capacity_reservations": partial(_staged_capacity, page.region),
        }.get(page.api)
        if stage is None:
            return
        is_capacity = page.api == "ec2.describe_capacity_reservations"
        for found in page.records:
            if is_capacity and isinstance(found, dict) and not found.get("EndDate"):
                self.endless_count += 1
            else:
                yield found, partial(_checked, stage, found)

    def remarks(self) -> Iterator[str]:
        """How many capacity reservations commit to nothing."""
        if self.endless_count:
            yield (
                f"{self.endless_count:,} capacity reservations without an end were left out: they can be given up at "
                "any time"
            )


def _checked(stage: Callable[[Json], StagedRow], found: object) -> StagedRow:
    if not isinstance(found, dict):
        raise RowError("not_an_object", f"a commitment is {shown(found)}; an object was expected")
    return stage(found)


def _staged_plan(found: Json) -> StagedRow:
    arn = needed_text(found, "savingsPlanArn")
    kind = needed_text(found, "savingsPlanType")
    named, scope = _PLAN_KINDS.get(kind, (f"{kind} Savings Plan", None))
    currency = needed_text(found, "currency")
    commitment = needed_amount(found, "commitment")
    payment = payment_option(found, "paymentOption")
    upfront = Decimal(0) if payment == "no_upfront" else needed_amount(found, "upfrontPaymentAmount")
    new = _new(found, _PLAN, _PLAN_KEPT)
    row = {
        "provider_name": "AWS",
        "sub_account_id": arn.split(":")[4] or None if arn.count(":") >= 5 else None,
        "commitment_discount_id": arn,
        "commitment_discount_name": text(found, "description"),
        "commitment_discount_type": named,
        "commitment_discount_category": "Spend",
        "scope": scope,
        "region_id": text(found, "region"),
        "instance_type": text(found, "ec2InstanceFamily"),
        "quantity": commitment,
        "quantity_unit": f"{currency}/Hour",
        **_term(found, "start", "end"),
        "payment_option": payment,
        "hourly_cost": _hourly(payment, commitment, upfront, count(found, "termDurationInSeconds")),
        "upfront_cost": upfront,
        "currency": currency,
        "state": needed_text(found, "state"),
        "x_extra": _extra(found, _PLAN_KEPT, new),
    }
    return StagedRow(row, arn, new)


def _hourly(payment: str, commitment: Decimal, upfront: Decimal, seconds: int | None) -> Decimal:
    """What every hour costs besides the upfront payment."""
    if payment == "all_upfront":
        return Decimal(0)
    if payment == "no_upfront":
        return commitment
    if not seconds:
        raise RowError("unknown_term", "termDurationInSeconds is missing: the hourly part is unknown")
    with localcontext(prec=60):
        return at_scale(commitment - upfront * 3600 / seconds)


def _staged_reserved(account: str | None, region: str, found: Json) -> StagedRow:
    if account is None:
        raise RowError("unknown_account", "the page that says whose reservations these are is missing")
    number = count(found, "InstanceCount")
    if not number:
        raise RowError("bad_count", f"InstanceCount is {shown(found.get('InstanceCount'))}; 1 or more", "InstanceCount")
    zone = text(found, "AvailabilityZone")
    new = _new(found, _RESERVED, _RESERVED_KEPT)
    name = needed_text(found, "ReservedInstancesId")
    arn = f"arn:{_partition(region)}:ec2:{region}:{account}:reserved-instances/{name}"
    payment, hourly = payment_option(found, "OfferingType"), _recurring(found)
    row = {
        "provider_name": "AWS",
        "sub_account_id": account,
        "commitment_discount_id": arn,
        "commitment_discount_type": "Reserved Instance",
        "commitment_discount_category": "Usage",
        "scope": f"zone {zone}" if zone else f"region {region}",
        "region_id": region,
        "instance_type": needed_text(found, "InstanceType"),
        "quantity": Decimal(number),
        "quantity_unit": "instances",
        **_term(found, "Start", "End"),
        "payment_option": payment,
        "hourly_cost": Decimal(0) if hourly is None and payment == "all_upfront" else hourly and hourly * number,
        "upfront_cost": float_amount(found, "FixedPrice") * number,
        "currency": needed_text(found, "CurrencyCode"),
        "state": needed_text(found, "State"),
        "x_extra": _extra(found, _RESERVED_KEPT, new),
    }
    return StagedRow(row, arn, new)


def _recurring(found: Json) -> Decimal | None:
    """The hourly charge of one instance; None where none is told."""
    charges = found.get("RecurringCharges") or []
    if any(charge.get("Frequency") != "Hourly" for charge in charges):
        raise RowError("unknown_frequency", f"RecurringCharges is {shown(charges)}; hourly ones were expected")
    return sum((float_amount(charge, "Amount") for charge in charges), Decimal(0)) if charges else None


def _staged_capacity(region: str, found: Json) -> StagedRow:
    arn = needed_text(found, "CapacityReservationArn")
    kept = frozenset(found) - _CAPACITY
    row = {
        "provider_name": "AWS",
        "sub_account_id": text(found, "OwnerId"),
        "commitment_discount_id": arn,
        "commitment_discount_type": "Capacity Reservation",
        "commitment_discount_category": "Usage",
        "scope": f"zone {needed_text(found, 'AvailabilityZone')}",
        "region_id": region,
        "instance_type": needed_text(found, "InstanceType"),
        "quantity": Decimal(count(found, "TotalInstanceCount") or 0),
        "quantity_unit": "instances",
        **_term(found, "StartDate", "EndDate"),
        "currency": "USD",
        "state": needed_text(found, "State"),
        "x_extra": _extra(found, kept, {}),
    }
    return StagedRow(row, arn)


def _term(found: Json, start: str, end: str) -> dict[str, datetime]:
    """The term, its end being the first instant after it. AWS names its last second, or the instant itself."""
    first, last = instant(found, start), instant(found, end)
    is_after = last.replace(microsecond=0).time() == first.replace(microsecond=0).time()
    return {"term_start": first, "term_end": last if is_after else last + timedelta(seconds=1)}


def _partition(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _new(found: Json, known: frozenset[str], kept: frozenset[str]) -> Json:
    return {name: value for name, value in found.items() if name not in known and name not in kept}


def _extra(found: Json, kept: frozenset[str], new: Mapping[str, Any]) -> str | None:
    return extra_json({**{name: found[name] for name in sorted(kept) if found.get(name) not in (None, [], {})}, **new})
