"""What Azure says of reservations, savings plans and provisioned deployments, and what stays unknown."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from connectors.azure.commitments import SOURCE, AzureCommitmentsSource
from connectors.azure.commitments_settings import AzureCommitmentsSettings
from connectors.base import AuthenticationError, Bytes, IncompleteDeliveryError, Page, Parsed, SourceError, Window
from connectors.http import Pace
from connectors.windows import day_window
from contracts import contract
from tests.connectors.azure.tokens import TOKEN, token_credential
from tests.connectors.azure.written import landed
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer

DAY = day_window(date(2026, 9, 3))
SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000001"
ORDERS = "/providers/Microsoft.Capacity/reservationOrders"
RESERVATIONS = "/providers/Microsoft.Capacity/reservations"
PLANS = "/providers/Microsoft.BillingBenefits/savingsPlans"
ACCOUNTS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/accounts"
ACCOUNT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG-ai/providers/Microsoft.CognitiveServices/accounts/acme"


def reservation(name: str, order: str = "o1", **over: Any) -> dict[str, Any]:
    properties = {
        "appliedScopeType": "Shared",
        "benefitStartTime": "2026-01-01T00:00:00Z",
        "expiryDateTime": "2027-01-01T00:00:00Z",
        "billingScopeId": f"/subscriptions/{SUBSCRIPTION.upper()}",
        "displayName": "two nodes",
        "provisioningState": "Succeeded",
        "quantity": 2,
        "reservedResourceType": "VirtualMachines",
        "term": "P1Y",
        "utilization": {"trend": "UP"},
        **over,
    }
    return {
        "id": f"{ORDERS}/{order}/reservations/{name.upper()}",
        "type": "Microsoft.Capacity/reservationOrders/reservations",
        "location": "East US 2",
        "sku": {"name": "Standard_ND96isr_H100_v5"},
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def order(name: str = "o1", amount: object = 8760, plan: str = "Upfront", **over: Any) -> dict[str, Any]:
    schedule = {"pricingCurrencyTotal": {"currencyCode": "EUR", "amount": amount}}
    properties = {"term": "P1Y", "billingPlan": plan, "originalQuantity": 4, "planInformation": schedule, **over}
    return {
        "id": f"{ORDERS}/{name}",
        "type": "Microsoft.Capacity/reservationOrders",
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def plan(**over: Any) -> dict[str, Any]:
    return {
        "id": "/providers/Microsoft.BillingBenefits/savingsPlanOrders/p1/savingsPlans/S1",
        "type": "Microsoft.BillingBenefits/savingsPlanOrders/savingsPlans",
        "sku": {"name": "Compute_Savings_Plan"},
        "properties": {
            "displayName": "compute",
            "provisioningState": "Succeeded",
            "billingScopeId": f"/subscriptions/{SUBSCRIPTION}",
            "billingPlan": "P1M",
            "term": "P3Y",
            "benefitStartTime": "2024-02-29T10:30:00Z",
            "appliedScopeType": "Single",
            "appliedScopeProperties": {"subscriptionId": f"/subscriptions/{SUBSCRIPTION}"},
            "commitment": {"grain": "Hourly", "currencyCode": "USD", "amount": 1.25},
            **over,
        },
    }


def deployment(name: str, sku: str = "GlobalProvisionedManaged", units: int = 15) -> dict[str, Any]:
    return {
        "id": f"{ACCOUNT}/deployments/{name}",
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "name": name,
        "sku": {"name": sku, "capacity": units},
        "systemData": {"createdAt": "2026-08-20T09:15:00Z"},
        "properties": {
            "model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"},
            "provisioningState": "Succeeded",
        },
    }


def account() -> dict[str, Any]:
    return {"id": ACCOUNT, "type": "Microsoft.CognitiveServices/accounts", "location": "eastus2", "kind": "OpenAI"}


def listed(*items: Any, link: str | None = None) -> bytes:
    return json.dumps({"value": items, "nextLink": link}).encode()


def settings(**over: Any) -> AzureCommitmentsSettings:
    given = {"name": "azure-terms", "credentials": "ambient", "subscriptions": [SUBSCRIPTION], **over}
    return AzureCommitmentsSettings.model_validate({key: value for key, value in given.items() if value is not None})


def parsed(*pages: bytes) -> Parsed:
    given = [Page(f"2026-09-03/any/page-{number}.json", Bytes(content)) for number, content in enumerate(pages, 1)]
    (chunk,) = SOURCE.parse(settings(), DAY, landed(given))
    return chunk


def row(*items: Any) -> dict[str, Any]:
    (found,) = parsed(listed(*items)).rows.to_pylist()
    return found


class TestCommitments(ConnectorConformance):
    source = AzureCommitmentsSource(token_credential, Pace(sleep=Clock().sleep))
    secrets = (TOKEN,)
    inapplicable: ClassVar[Mapping[str, str]] = {}

    def settings(self, **over: Any) -> AzureCommitmentsSettings:
        return settings(**over)

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        return list(self._served().values())

    def page_names(self) -> list[str]:
        return list(self._served())

    def _served(self, server: str = "https://elsewhere") -> dict[str, bytes]:
        more = f"{server}{RESERVATIONS}?api-version=2022-11-01&$skiptoken=2"
        return {
            "2026-09-03/reservations/page-1.json": listed(reservation("r1"), reservation("r2"), link=more),
            "2026-09-03/reservations/page-2.json": listed(reservation("r3", "o2")),
            "2026-09-03/reservationOrders/page-1.json": listed(order(planInformation=None), order("o2")),
            "2026-09-03/orderDetails/page-1.json": json.dumps(order()).encode(),
            "2026-09-03/orderDetails/page-2.json": json.dumps(order("o2", plan="Monthly")).encode(),
            "2026-09-03/savingsPlans/page-1.json": listed(plan()),
            "2026-09-03/accounts/page-1.json": listed(account()),
            "2026-09-03/deployments/page-1.json": listed(deployment("prod"), deployment("dev", "Standard")),
        }

    def count_source_rows(self, pages: list[bytes]) -> int:
        committing = ("/reservations/", "/savingsPlans/", "/deployments/prod")
        items = [item for page in pages for item in json.loads(page).get("value", ())]
        return sum(any(words in item["id"] for words in committing) for item in items)

    def add_unknown_column(self, page: bytes) -> bytes:
        found = json.loads(page)
        found["value"][0]["properties"][self.unknown_name] = "tomorrow"
        return json.dumps(found).encode()

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"2026-01-01T00:00:00Z"', b'"sometime"', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [listed()]

    def served(self, server: FaultyServer) -> AzureCommitmentsSettings:
        pages = iter(self._served().values())
        for path in (RESERVATIONS, ORDERS, f"{ORDERS}/o1", f"{ORDERS}/o2", PLANS, ACCOUNTS, f"{ACCOUNT}/deployments"):
            answers = [next(pages)]
            answers += [next(pages)] if path == RESERVATIONS else []
            server.route(path, self._answers(answers))
        return self.settings(endpoint=server.url)

    def _answers(self, pages: list[bytes]) -> Any:
        def respond(request: Request) -> Answer:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            assert request.query["api-version"] == ["2024-10-01" if "Cognitive" in request.path else "2022-11-01"]
            assert (request.query.get("$expand") == ["schedule"]) == (f"{ORDERS}/o" in request.path)
            return json_answer(pages[1 if request.query.get("$skiptoken") == ["2"] else 0])

        return respond

    def served_loop(self, server: FaultyServer) -> AzureCommitmentsSettings:
        server.route(RESERVATIONS, json_answer(self.pages()[0]))
        return self.settings(endpoint=server.url)


def test_a_reservation_has_its_part_of_its_orders_price() -> None:
    found = row(order(), reservation("r1", appliedScopeType="Single", appliedScopes=["/subscriptions/S2"]))
    assert {name: value for name, value in found.items() if value is not None and not name.startswith("x_")} == {
        "provider_name": "Microsoft",
        "sub_account_id": SUBSCRIPTION,
        "commitment_discount_id": "r1",
        "commitment_discount_name": "two nodes",
        "commitment_discount_type": "Reservation",
        "commitment_discount_category": "Usage",
        "scope": "Single /subscriptions/s2",
        "region_id": "eastus2",
        "instance_type": "Standard_ND96isr_H100_v5",
        "quantity": Decimal(2),
        "quantity_unit": "instances",
        "term_start": datetime(2026, 1, 1),
        "term_end": datetime(2027, 1, 1),
        "payment_option": "all_upfront",
        "hourly_cost": Decimal(0),
        "upfront_cost": Decimal(4380),  # two of the order's four, of 8,760 in all
        "currency": "EUR",
        "state": "Succeeded",
    }
    assert json.loads(found["x_extra"]) == {"order": "o1", "reservedResourceType": "VirtualMachines"}


def test_a_monthly_payment_is_a_price_for_each_hour_of_the_term() -> None:
    found = row(order(plan="Monthly", amount=17520), reservation("r1"))
    assert (found["payment_option"], found["hourly_cost"], found["upfront_cost"]) == ("no_upfront", 1, 0)


def test_a_total_that_is_one_months_payment_is_no_price() -> None:
    paid = {"pricingCurrencyTotal": {"currencyCode": "USD", "amount": 466}}
    whole = {**paid, "transactions": [paid, paid]}
    chunk = parsed(listed(order(plan="Monthly", planInformation=whole), reservation("r1")))
    (found,) = chunk.rows.to_pylist()
    assert (found["hourly_cost"], found["upfront_cost"], found["currency"]) == (None, None, None)
    assert "single month's payment" in chunk.notices[0]


@pytest.mark.parametrize(
    "given",
    [(), (order(planInformation=None),), (order(originalQuantity=None),), (order(originalQuantity=1),)],
)
def test_a_price_that_nobody_tells_stays_unknown(given: tuple[Any, ...]) -> None:
    found = row(*given, reservation("r1", billingPlan="Upfront"))
    assert (found["payment_option"], found["hourly_cost"], found["upfront_cost"]) == ("all_upfront", None, None)


def test_a_savings_plan_is_an_amount_for_each_hour_and_ends_after_its_term() -> None:
    found = row(plan())
    assert (found["commitment_discount_id"], found["commitment_discount_category"]) == ("s1", "Spend")
    assert (found["quantity"], found["quantity_unit"], found["hourly_cost"]) == (
        Decimal("1.25"),
        "USD/Hour",
        Decimal("1.25"),
    )
    assert (found["term_start"], found["term_end"]) == (
        datetime(2024, 2, 29, 10, 30),
        datetime(2027, 2, 28, 10, 30),
    )
    assert found["scope"] == f"Single /subscriptions/{SUBSCRIPTION}"


def test_a_savings_plan_that_is_paid_in_unknown_words_has_no_price() -> None:
    chunk = parsed(listed(plan(billingPlan="P3M")))
    (found,) = chunk.rows.to_pylist()
    assert (found["payment_option"], found["hourly_cost"], found["upfront_cost"]) == (None, None, None)
    assert "savings plans without a price: their plan of payments is 'P3M'" in chunk.notices[0]


def test_a_savings_plan_without_monthly_payments_was_paid_at_once() -> None:
    found = row(plan(billingPlan=None))
    assert (found["payment_option"], found["hourly_cost"], found["upfront_cost"]) == ("all_upfront", Decimal(0), None)


def test_a_provisioned_deployment_has_units_and_no_end_and_promises_nothing() -> None:
    found = row(account(), deployment("prod"), deployment("dev", "Standard"))
    seen = {name: value for name, value in found.items() if value is not None and not name.startswith("x_")}
    assert seen == {
        "provider_name": "Microsoft",
        "sub_account_id": SUBSCRIPTION,
        "resource_id": ACCOUNT.lower(),
        "commitment_discount_id": f"{ACCOUNT}/deployments/prod".lower(),
        "commitment_discount_name": "prod",
        "commitment_discount_type": "Provisioned Deployment",
        "commitment_discount_category": "Usage",
        "scope": "Global",
        "region_id": "eastus2",
        "instance_type": "gpt-4.1",
        "quantity": Decimal(15),
        "quantity_unit": "PTU",
        "term_start": datetime(2026, 8, 20, 9, 15),
        "payment_option": "hourly",
        "state": "Succeeded",
    }


def test_deployments_by_the_token_are_no_commitments() -> None:
    chunk = parsed(listed(deployment("dev", "GlobalStandard"), deployment("bulk", "GlobalBatch")))
    assert chunk.rows.num_rows == 0
    assert chunk.notices == ("2 deployments are paid by the token, and are no commitments",)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (reservation("r1", expiryDateTime="2025-01-01T00:00:00Z"), "term_not_forward"),
        (reservation("r1", benefitStartTime="soon"), "unreadable_time"),
        (reservation("r1", provisioningState=None), "missing_value"),
        (reservation("r1", quantity="many"), "unreadable_number"),
        (plan(commitment={"grain": "Daily", "amount": 1}), "unknown_commitment"),
    ],
)
def test_what_cannot_be_read_is_refused(item: Mapping[str, Any], reason: str) -> None:
    chunk = parsed(listed(item, deployment("prod")))
    assert [reject.reason for reject in chunk.rejects] == [reason]
    assert chunk.rows.num_rows == 1


def test_a_last_page_that_announces_another_is_an_incomplete_delivery() -> None:
    with pytest.raises(IncompleteDeliveryError, match="announces another"):
        parsed(listed(reservation("r1"), link="https://elsewhere/next"))


@pytest.mark.parametrize("page", [b"[]", b'{"error": {}}', b'{"value": [1]}'])
def test_what_is_no_list_is_no_delivery(page: bytes) -> None:
    with pytest.raises(IncompleteDeliveryError, match="no answer of Azure's"):
        parsed(page)


def test_a_list_that_takes_too_long_is_left(server: FaultyServer) -> None:
    clock = Clock()
    server.route(RESERVATIONS, _ever_on(clock))
    source = AzureCommitmentsSource(token_credential, Pace(sleep=clock.sleep, monotonic=clock.monotonic))
    with pytest.raises(SourceError, match="longer than 120 minutes"):
        list(source.fetch(settings(endpoint=server.url), DAY))


def _ever_on(clock: Clock) -> Any:
    """Pages that take 100 s each and always announce another."""

    def respond(_: Request) -> Answer:
        clock.sleep(100)
        link = f"https://elsewhere/list?api-version=2022-11-01&after={len(clock.slept)}"
        return json_answer(listed(reservation("r1"), link=link))

    return respond


def test_a_missing_right_is_told_at_once(server: FaultyServer) -> None:
    server.route(RESERVATIONS, json_answer(b'{"error": {"code": "AuthorizationFailed"}}', 403))
    with pytest.raises(AuthenticationError):
        list(TestCommitments.source.fetch(settings(endpoint=server.url), DAY))
    assert len(server.requests) == 1


def test_saved_answers_are_read_like_asked_ones(tmp_path: Path) -> None:
    for name, content in zip(TestCommitments().page_names(), TestCommitments().pages(), strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    given = settings(credentials=None, location=str(tmp_path))
    pages = landed(list(SOURCE.fetch(given, DAY)))
    (chunk,) = SOURCE.parse(given, DAY, pages)
    names = chunk.rows["commitment_discount_id"].to_pylist()
    assert sorted(names) == [f"{ACCOUNT}/deployments/prod".lower(), "r1", "r2", "r3", "s1"]
    assert "1 days" in SOURCE.probe(given)


@pytest.mark.parametrize(
    "over",
    [
        {"credentials": None},
        {"location": "somewhere"},
        {"subscriptions": ["one"]},
        {"subscriptions": [SUBSCRIPTION, SUBSCRIPTION.upper()]},
        {"subscriptions": [], "reservations": False, "savings_plans": False},
    ],
)
def test_settings_that_ask_nobody_or_nothing_are_refused(over: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**over)


def test_the_same_answer_on_two_days_is_a_row_of_each() -> None:
    pages = landed([Page("page", Bytes(listed(reservation("r1"))))])
    days = [DAY, day_window(date(2026, 9, 4))]
    rows = [row for day in days for chunk in SOURCE.parse(settings(), day, pages) for row in chunk.rows.to_pylist()]
    key = contract("commitment_terms").key
    assert len({tuple(row[name] for name in key) for row in rows}) == len(rows) == 2
