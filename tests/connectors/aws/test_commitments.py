"""Commitments: what was promised, for how long, and what it costs by the hour and at its start."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.aws.api_settings import AwsCommitmentsSettings
from connectors.aws.commitments import AwsCommitments
from connectors.base import AuthenticationError, Window
from connectors.windows import day_window
from tests.connectors.aws.exchange import KEYS, SECRETS, ec2_error, serve_ec2, serve_json
from tests.connectors.conformance import ConnectorConformance, land
from tests.connectors.faulty_server import FaultyServer

EXAMPLE = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_providers/aws/savingsplans_describe.json"
DAY = day_window(date(2026, 9, 3))
PLAN: dict[str, Any] = {
    "savingsPlanArn": "arn:aws:savingsplans::111122223333:savingsplan/1",
    "savingsPlanId": "1",
    "start": "2026-01-10T11:12:13.000Z",
    "end": "2027-01-10T11:12:12.000Z",
    "state": "active",
    "savingsPlanType": "EC2Instance",
    "region": "us-east-1",
    "ec2InstanceFamily": "p5",
    "paymentOption": "Partial Upfront",
    "currency": "USD",
    "commitment": "20.00000000",
    "upfrontPaymentAmount": "87600.0",
    "recurringPaymentAmount": "10.0",
    "termDurationInSeconds": 31536000,
}
RESERVED: dict[str, Any] = {
    "ReservedInstancesId": "0f1e2d3c",
    "InstanceType": "p5.48xlarge",
    "Start": "2026-01-10T11:12:13.953Z",
    "End": "2029-01-09T11:12:13Z",
    "Duration": 94608000,
    "FixedPrice": "390000.0",
    "UsagePrice": "0.0",
    "InstanceCount": 3,
    "ProductDescription": "Linux/UNIX",
    "State": "active",
    "CurrencyCode": "USD",
    "OfferingType": "Partial Upfront",
    "OfferingClass": "standard",
    "RecurringCharges": [{"Amount": "14.84", "Frequency": "Hourly"}],
    "Scope": "Region",
}
LANDED = {**RESERVED, "Start": "2026-01-10T11:12:13.953000Z", "FixedPrice": "390000.0", "UsagePrice": "0.0"}


def page(api: str, answer: Mapping[str, Any], **query: int) -> bytes:
    """A page as it is landed, written down by hand."""
    envelope = {"answer": answer, "api": api, "page": 1, "query": query, "region": "us-east-1"}
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


CALLER = page("sts.get_caller_identity", {"Account": ["111122223333"]})


def plans(*found: Any) -> bytes:
    return page("savingsplans.describe_savings_plans", {"savingsPlans": list(found)}, maxResults=1000)


def reserved(*found: Any) -> bytes:
    return page("ec2.describe_reserved_instances", {"ReservedInstances": list(found)})


def capacity(*found: Any) -> bytes:
    return page("ec2.describe_capacity_reservations", {"CapacityReservations": list(found)}, MaxResults=1000)


def settings(**over: Any) -> AwsCommitmentsSettings:
    given = {"name": "commitments", "regions": ["us-east-1"], **KEYS, **over}
    return AwsCommitmentsSettings.model_validate(given)


def serve(server: FaultyServer, *, found_plans: Any, found_reserved: Any) -> None:
    serve_ec2(server, {"DescribeReservedInstances": [found_reserved]})
    path = "/DescribeSavingsPlans"
    serve_json(server, path, {"DescribeSavingsPlans": [{"savingsPlans": found_plans}]}, "nextToken")


@pytest.mark.usefixtures("naps")
class TestAwsCommitments(ConnectorConformance):
    source = AwsCommitments()
    secrets = SECRETS
    inapplicable: ClassVar[Mapping[str, str]] = {
        "rate_limit": "these APIs say by codes of their own that they are asked too often: see test_spot, test_prices",
    }

    def settings(self, **over: Any) -> AwsCommitmentsSettings:
        return settings(**over)

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        return [CALLER, plans(PLAN), reserved(LANDED)]

    def _with_first(self, change: Any) -> list[bytes]:
        caller, first, *rest = self.pages()  # the first page with a commitment in it
        return [caller, change(first), *rest]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(one.count(b'"savingsPlanArn":') + one.count(b'"ReservedInstancesId":') for one in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"savingsPlanType":', b'"x_from_the_future":"7","savingsPlanType":')

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"20.00000000"', b'"twenty"')

    def truncate(self, page: bytes) -> bytes:
        return page[:-20]

    def empty_pages(self) -> list[bytes]:
        return [CALLER, plans(), reserved()]

    def served(self, server: FaultyServer) -> AwsCommitmentsSettings:
        serve(server, found_plans=[PLAN], found_reserved=[RESERVED])
        return settings(endpoint_url=server.url)

    def served_loop(self, server: FaultyServer) -> AwsCommitmentsSettings:
        serve_ec2(server, {})
        again = {"DescribeSavingsPlans": [{"savingsPlans": [], "nextToken": "page-0"}]}
        serve_json(server, "/DescribeSavingsPlans", again, "nextToken")
        return settings(endpoint_url=server.url)


def parsed(*pages: bytes) -> Any:
    chunks = list(AwsCommitments().parse(settings(), DAY, land([CALLER, *pages])))
    assert len(chunks) == 1
    return chunks[0]


def only(*pages: bytes) -> dict[str, Any]:
    result = parsed(*pages)
    assert (result.rejects, result.rows.num_rows) == ((), 1)
    return result.rows.to_pylist()[0]


def test_a_savings_plan_paid_in_part_leaves_the_rest_of_its_commitment_for_the_hours() -> None:
    row = only(plans(PLAN))
    assert (row["quantity"], row["quantity_unit"], row["upfront_cost"]) == (Decimal(20), "USD/Hour", Decimal(87600))
    assert row["hourly_cost"] == Decimal(10)  # 20 less 87,600 over 8,760 hours
    assert (row["commitment_discount_category"], row["commitment_discount_type"]) == (
        "Spend",
        "EC2 Instance Savings Plan",
    )
    assert (row["instance_type"], row["region_id"], row["sub_account_id"]) == ("p5", "us-east-1", "111122223333")


@pytest.mark.parametrize(
    ("option", "upfront", "hourly", "start"),
    [("No Upfront", "0.0", "20", "0"), ("All Upfront", "175200.0", "0", "175200")],
)
def test_a_savings_plan_costs_its_commitment_by_the_hour_or_all_at_its_start(
    option: str, upfront: str, hourly: str, start: str
) -> None:
    row = only(plans({**PLAN, "paymentOption": option, "upfrontPaymentAmount": upfront}))
    assert (row["hourly_cost"], row["upfront_cost"]) == (Decimal(hourly), Decimal(start))


def test_an_hourly_part_that_does_not_end_is_kept_to_twelve_places() -> None:
    row = only(plans({**PLAN, "upfrontPaymentAmount": "1.0"}))
    assert row["hourly_cost"] == Decimal("19.999885844749")  # 20 - 1/8760


def test_a_term_ends_with_the_instant_after_its_last_second() -> None:
    row = only(plans(PLAN))
    assert (row["term_start"], row["term_end"]) == (
        datetime(2026, 1, 10, 11, 12, 13),
        datetime(2027, 1, 10, 11, 12, 13),
    )
    row = only(plans({**PLAN, "end": "2027-01-10T11:12:13.000Z"}))
    assert row["term_end"] == datetime(2027, 1, 10, 11, 12, 13)


def test_reserved_instances_cost_as_many_times_as_there_are_and_are_named_as_bills_name_them() -> None:
    row = only(reserved(LANDED))
    assert row["commitment_discount_id"] == "arn:aws:ec2:us-east-1:111122223333:reserved-instances/0f1e2d3c"
    assert (row["quantity"], row["quantity_unit"]) == (Decimal(3), "instances")
    assert (row["hourly_cost"], row["upfront_cost"]) == (Decimal("44.52"), Decimal(1170000))
    assert (row["commitment_discount_category"], row["scope"], row["payment_option"]) == (
        "Usage",
        "region us-east-1",
        "partial_upfront",
    )
    assert json.loads(row["x_extra"]) == {
        "OfferingClass": "standard",
        "ProductDescription": "Linux/UNIX",
        "UsagePrice": "0.0",
    }


def test_a_reservation_of_a_zone_says_so() -> None:
    assert only(reserved({**LANDED, "AvailabilityZone": "us-east-1b"}))["scope"] == "zone us-east-1b"


@pytest.mark.parametrize(("option", "hourly"), [("All Upfront", Decimal(0)), ("No Upfront", None)])
def test_an_hourly_charge_that_is_not_told_is_unknown_unless_all_was_paid(option: str, hourly: Decimal | None) -> None:
    row = only(reserved({**LANDED, "OfferingType": option, "RecurringCharges": []}))
    assert row["hourly_cost"] == hourly


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"FixedPrice": "0.30000000000000004"}, "inexact_number"),
        ({"InstanceCount": 0}, "bad_count"),
        ({"RecurringCharges": [{"Amount": "1", "Frequency": "Monthly"}]}, "unknown_frequency"),
        ({"End": "later"}, "unreadable_time"),
        ({"OfferingType": "Heavy Utilization"}, "unknown_payment"),
        ({"State": None}, "missing_value"),
    ],
)
def test_what_cannot_be_read_is_refused_and_the_rest_is_kept(wrong: dict[str, Any], reason: str) -> None:
    result = parsed(reserved({**LANDED, **wrong}), plans(PLAN))
    assert [reject.reason for reject in result.rejects] == [reason]
    assert result.rows.num_rows == 1


def test_reservations_of_nobody_are_refused() -> None:
    (chunk,) = AwsCommitments().parse(settings(), DAY, land([reserved(LANDED)]))
    assert [reject.reason for reject in chunk.rejects] == ["unknown_account"]


def test_capacity_reservations_without_an_end_commit_to_nothing() -> None:
    found = {
        "CapacityReservationArn": "arn:aws:ec2:us-east-1:111122223333:capacity-reservation/cr-1",
        "OwnerId": "111122223333",
        "InstanceType": "p5.48xlarge",
        "AvailabilityZone": "us-east-1b",
        "TotalInstanceCount": 2,
        "State": "active",
        "StartDate": "2026-09-01T00:00:00Z",
        "EndDate": "2026-09-15T00:00:00Z",
        "ReservationType": "capacity-block",
    }
    endless = {name: value for name, value in found.items() if name != "EndDate"}
    result = parsed(capacity(found, endless))
    (row,) = result.rows.to_pylist()
    assert (row["quantity"], row["term_end"]) == (Decimal(2), datetime(2026, 9, 15))
    assert (row["hourly_cost"], row["upfront_cost"], row["payment_option"]) == (None, None, None)
    assert result.notices[0].startswith("1 capacity reservations without an end were left out")


def test_the_documented_savings_plan_is_read(server: FaultyServer) -> None:
    if not EXAMPLE.exists():
        pytest.skip("the example payloads are not here")
    serve(server, found_plans=json.loads(EXAMPLE.read_bytes())["savingsPlans"], found_reserved=[])
    pages = list[bytes]()
    for one in AwsCommitments().fetch(settings(endpoint_url=server.url), DAY):
        with one.body.open() as stream:
            pages.append(stream.read())
    (chunk,) = AwsCommitments().parse(settings(), DAY, land(pages))
    (row,) = chunk.rows.to_pylist()
    assert (row["hourly_cost"], row["upfront_cost"]) == (Decimal("31.464"), Decimal(0))
    assert (row["term_start"], row["term_end"]) == (datetime(2026, 1, 10), datetime(2029, 1, 10))
    assert (row["commitment_discount_type"], row["state"]) == ("Compute Savings Plan", "active")
    assert row["commitment_discount_id"].endswith("0f1e2d3c-aaaa-bbbb-cccc-1234567890ab")


def test_capacity_reservations_are_asked_for_where_the_settings_say_so(server: FaultyServer) -> None:
    asked = serve_ec2(server, {"DescribeReservedInstances": [[]], "DescribeCapacityReservations": [[], []]})
    serve_json(server, "/DescribeSavingsPlans", {"DescribeSavingsPlans": [{"savingsPlans": []}]}, "nextToken")
    chosen = settings(endpoint_url=server.url, capacity_reservations=True, regions=["us-east-1", "eu-west-1"])
    assert len(list(AwsCommitments().fetch(chosen, DAY))) == 8
    assert [one["Action"] for one in asked] == [
        "GetCallerIdentity",
        *["DescribeReservedInstances", "DescribeCapacityReservations", "DescribeCapacityReservations"] * 2,
    ]


def test_a_missing_permission_is_named(server: FaultyServer) -> None:
    serve(server, found_plans=[], found_reserved=[])
    settled = settings(endpoint_url=server.url)
    pages = AwsCommitments().fetch(settled, DAY)
    next(pages)
    next(pages)
    server.inject(ec2_error("UnauthorizedOperation", "You are not authorized", 403))
    with pytest.raises(AuthenticationError, match="ec2:DescribeReservedInstances"):
        next(pages)


def test_the_account_that_asks_is_told_by_motos_server(moto_url: str) -> None:
    pages = AwsCommitments().fetch(settings(endpoint_url=moto_url), DAY)
    with next(pages).body.open() as stream:
        assert json.loads(stream.read())["answer"] == {"Account": ["123456789012"]}
