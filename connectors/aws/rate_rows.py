"""One rate of a savings plan as a row of `sku_prices`: what an hour of a machine takes from the commitment."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from connectors.aws.answers import AnswerPage
from connectors.aws.delivery import Record
from connectors.aws.price_rows import UNITS
from connectors.aws.values import needed_amount, needed_text, payment_option
from connectors.fields import RowError, count, shown, text
from connectors.gathered import StagedRow, extra_json

_SECONDS_OF_YEAR = 31_536_000
_KNOWN = frozenset({"savingsPlanOffering", "rate", "unit", "serviceCode", "usageType", "operation", "properties"})


def rate_records(page: AnswerPage) -> Iterator[Record]:
    """Every rate of a page."""
    for found in page.records:
        yield found, partial(_staged_rate, found)


def _staged_rate(found: Any) -> StagedRow:
    """The rate as a row. Raises RowError where it cannot be read."""
    offering = found.get("savingsPlanOffering") if isinstance(found, dict) else None
    if not isinstance(offering, dict):
        raise RowError("not_an_object", f"a rate is {shown(found)}; an object with its offering was expected")
    years, rest = divmod(count(offering, "durationSeconds") or 0, _SECONDS_OF_YEAR)
    if not years or rest:
        raise RowError("unknown_term", f"durationSeconds is {shown(offering.get('durationSeconds'))}; expected years")
    told = {one["name"]: one.get("value") for one in found.get("properties") or () if isinstance(one, dict)}
    unit = needed_text(found, "unit")
    price = needed_amount(found, "rate")
    if price < 0:
        raise RowError("bad_price", f"the rate is {price}; a list price is never negative", "rate")
    row = {
        "provider_name": "AWS",
        "service_name": needed_text(found, "serviceCode"),
        "sku_id": needed_text(found, "usageType"),
        "sku_price_id": needed_text(offering, "offeringId"),
        "sku_description": text(offering, "planDescription"),
        "region_id": text(told, "region"),
        "instance_type": text(told, "instanceType"),
        "purchase_option": "savings_plan",
        "term_months": 12 * years,
        "payment_option": payment_option(offering, "paymentOption"),
        "quantity_from": 0,
        "pricing_unit": UNITS.get(unit, unit),
        "unit_price": price,
        "currency": needed_text(offering, "currency"),
        "x_extra": extra_json(
            {
                "planType": text(offering, "planType"),
                "operation": text(found, "operation"),
                **{name: value for name, value in told.items() if name not in ("region", "instanceType")},
                **{name: value for name, value in found.items() if name not in _KNOWN},
            }
        ),
    }
    return StagedRow(row, [offering["offeringId"], found["usageType"], text(found, "operation"), told])
