"""What one line of an Azure bill says, in the words of the contract."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError, Parsed
from tests.connectors.azure.written import GROUP, PURCHASE, frame, line, night, run_of, settings
from tests.connectors.azure.written import csv_of as written_csv


def bill(folder: Path, *lines: dict[str, str], **over: Any) -> list[Parsed]:
    run_of(folder, "actual", "ActualCost", {"p.csv": written_csv(*lines)})
    return night(settings(location=str(folder), amortized=None, **over))


def one(folder: Path, **over: str) -> dict[str, Any]:
    chunks = bill(folder, line(**over))
    assert [chunk.rejects for chunk in chunks if chunk.rejects] == []
    return frame(chunks).row(0, named=True)


def many(folder: Path, *overs: dict[str, str]) -> list[dict[str, Any]]:
    """Lines of one file, in its order."""
    chunks = bill(folder, *(line(**over) for over in overs))
    assert [chunk.rejects for chunk in chunks if chunk.rejects] == []
    return frame(chunks).rows(named=True)


def test_a_line_of_a_gpu_machine_says_all_that_it_says(tmp_path: Path) -> None:
    found = one(tmp_path)
    # two hours: 98.32 list and 90 agreed for one hour, by hand 196.64 and 180
    assert {name: value for name, value in found.items() if value is not None and not name.startswith("x_")} == {
        "billing_account_id": "11112222",
        "billing_account_name": "Acme",
        "sub_account_id": "aaaaaaaa-0000-4000-8000-000000000001",
        "sub_account_name": "ml-prod",
        "billing_currency": "USD",
        "billing_period_start": datetime.fromisoformat("2026-09-01"),
        "billing_period_end": datetime.fromisoformat("2026-10-01"),
        "charge_period_start": datetime.fromisoformat("2026-09-03"),
        "charge_period_end": datetime.fromisoformat("2026-09-04"),
        "charge_category": "Usage",
        "charge_description": "Virtual Machines NDsrH100v5 Series - ND96isr H100 v5 - US East 2",
        "charge_frequency": "Usage-Based",
        "billed_cost": Decimal(180),
        "effective_cost": Decimal(180),
        "list_cost": Decimal("196.64"),
        "contracted_cost": Decimal(180),
        "consumed_quantity": Decimal(2),
        "consumed_unit": "Hours",
        "pricing_quantity": Decimal(2),
        "pricing_unit": "Hours",
        "pricing_category": "Standard",
        "list_unit_price": Decimal("98.32"),
        "contracted_unit_price": Decimal(90),
        "provider_name": "Microsoft",
        "invoice_issuer_name": "Microsoft",
        "service_category": "Compute",
        "service_name": "Virtual Machines",
        "sku_id": "bbbbbbbb-0000-4000-8000-000000000009",
        "sku_meter": "ND96isr H100 v5",
        "region_id": "eastus2",
        "resource_id": f"{GROUP}/Microsoft.Compute/virtualMachines/Trainer-1".lower(),
        "resource_name": "Trainer-1",
        "resource_type": "microsoft.compute/virtualmachines",
        "tags": '{"env":"prod","team":"search"}',
    }
    assert (found["x_instance_type"], found["x_purchase_option"], found["x_charge_type"]) == (
        "Standard_ND96isr_H100_v5",
        "on_demand",
        "Usage",
    )
    assert json.loads(found["x_extra"])["EffectivePrice"] == "90"


@pytest.mark.parametrize(
    "written", ["09/03/2026", "9/3/2026", "2026-09-03", "2026-09-03T00:00:00Z", "2026-09-03T00:00:00.0000000Z"]
)
def test_days_are_read_however_azure_writes_them(tmp_path: Path, written: str) -> None:
    assert one(tmp_path, Date=written)["charge_period_start"] == datetime.fromisoformat("2026-09-03")


def test_a_file_with_days_written_in_two_ways_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(IncompleteDeliveryError, match="some days are written like"):
        bill(tmp_path, line(), line(Date="2026-09-04"))


MEASURES = [
    ("1 Hour", "1.5", "1.5", "Hours", "Hours"),
    ("100 Hours", "0.02", "2", "Hours", "100 Hours"),
    ("10K", "0.0129", "129", "Units", "10000 Units"),
    ("1M", "0.000001", "1", "Units", "1000000 Units"),
    ("1 GB/Month", "24.80634996", "24.80634996", "GB-Months", "GB-Months"),
    ("1/Month", "0.033336", "0.033336", "Unit-Months", "Unit-Months"),
    ("1 GB Hour", "3", "3", "GB-Hours", "GB-Hours"),
]


def test_quantities_are_counted_in_single_units(tmp_path: Path) -> None:
    names = ("consumed_quantity", "consumed_unit", "pricing_quantity", "pricing_unit")
    found = many(tmp_path, *({"UnitOfMeasure": measure, "Quantity": quantity} for measure, quantity, *_ in MEASURES))
    assert [tuple(row[name] for name in names) for row in found] == [
        (Decimal(consumed), unit, Decimal(quantity), priced) for _, quantity, consumed, unit, priced in MEASURES
    ]


KINDS = {
    "Usage": ("Usage", None),
    "Purchase": ("Purchase", None),
    "Refund": ("Purchase", "Correction"),
    "Tax": ("Tax", None),
    "Adjustment": ("Adjustment", None),
    "RoundingAdjustment": ("Adjustment", None),
    "UnusedReservation": ("Usage", None),
    "UnusedSavingsPlan": ("Usage", None),
}


def test_kinds_of_lines_have_their_category(tmp_path: Path) -> None:
    found = many(tmp_path, *({"ChargeType": kind} for kind in KINDS))
    assert [(row["charge_category"], row["charge_class"]) for row in found] == list(KINDS.values())
    assert [row["x_charge_type"] for row in found if row["consumed_quantity"] is not None] == ["Usage"]


TERMS = {
    "12": "2027-09-03",
    "1 Year": "2027-09-03",
    "3 Years": "2029-09-03",
    "P3Y": "2029-09-03",
    "1": "2026-10-03",
    "for ever": None,
}


def test_a_purchase_that_is_paid_at_once_states_its_term(tmp_path: Path) -> None:
    found = many(tmp_path, *({**PURCHASE, "Term": term} for term in TERMS))
    ends = [end and datetime.fromisoformat(end) for end in TERMS.values()]
    assert [row["x_commitment_end"] for row in found] == ends
    assert {row["x_commitment_start"] for row in found} == {datetime(2026, 9, 3)}
    assert {(row["x_commitment_payment"], row["commitment_discount_status"]) for row in found} == {
        ("all_upfront", None)
    }


def test_a_spot_machine_is_bought_as_spot(tmp_path: Path) -> None:
    found = one(tmp_path, PricingModel="Spot")
    assert (found["x_purchase_option"], found["pricing_category"]) == ("spot", "Dynamic")


def test_the_commitment_is_known_by_its_own_id_whichever_columns_a_bill_has(tmp_path: Path) -> None:
    short = one(tmp_path / "a", ReservationId="DDDD-1", benefitId="-", benefitName="-")
    path = one(tmp_path / "b", ReservationId="DDDD-1", benefitId="/providers/x/reservationOrders/o/reservations/DDDD-1")
    order = one(tmp_path / "c", ReservationId="oooo-1", benefitId="/providers/x/reservationOrders/oooo-1/reservations/")
    assert [found["commitment_discount_id"] for found in (short, path, order)] == ["dddd-1", "dddd-1", "oooo-1"]


MACHINES = [
    ("virtualMachineScaleSets/gpu", "gpu_7", "virtualmachinescalesets/gpu/virtualmachines/7"),
    ("virtualMachineScaleSets/gpu", "other_7", "virtualmachinescalesets/gpu"),
    ("virtualMachineScaleSets/gpu/virtualMachines/7", "gpu_7", "virtualmachinescalesets/gpu/virtualmachines/7"),
    ("virtualMachines/One", "One", "virtualmachines/one"),
]


def test_a_scale_sets_lines_are_of_its_machines(tmp_path: Path) -> None:
    found = many(
        tmp_path,
        *(
            {
                "ResourceId": f"{GROUP}/Microsoft.Compute/{resource}",
                "AdditionalInfo": json.dumps({"ServiceType": "Standard_ND96isr_H100_v5", "VMName": machine}),
            }
            for resource, machine, _ in MACHINES
        ),
    )
    assert [(row["resource_id"], row["resource_name"]) for row in found] == [
        (f"{GROUP}/Microsoft.Compute/".lower() + expected, machine) for _, machine, expected in MACHINES
    ]


def test_details_that_say_nothing_of_a_machine_leave_its_type_unknown(tmp_path: Path) -> None:
    written = ["", "not json", "{}", '"ServiceType":"Standard_ND96isr_H100_v5"', '{"ServiceType":"SQLThreatDetection"}']
    found = many(tmp_path, *({"AdditionalInfo": details} for details in written))
    assert [row["x_instance_type"] for row in found] == [None, None, None, "Standard_ND96isr_H100_v5", None]


def test_tags_are_read_with_and_without_braces(tmp_path: Path) -> None:
    found = many(tmp_path, *({"Tags": tags} for tags in ('"team": "search"', '{"team":"search"}', "")))
    assert [row["tags"] for row in found] == ['{"team":"search"}', '{"team":"search"}', None]


def test_a_customer_agreements_bill_is_in_the_billing_currency_with_its_prices_exchanged(tmp_path: Path) -> None:
    over = {"Cost": "-", "BillingCurrency": "-", "UnitPrice": "90", "PayGPrice": "100"}
    found = {
        **line(**over),
        "costInBillingCurrency": "162",
        "costInPricingCurrency": "180",
        "costInUsd": "180",
        "billingCurrency": "EUR",
        "pricingCurrency": "USD",
        "exchangeRatePricingToBilling": "0.9",
        "invoiceId": "G001",
    }
    chunks = bill(tmp_path, found, currency="EUR")
    row = frame(chunks).row(0, named=True)
    assert (row["billed_cost"], row["billing_currency"], row["invoice_id"]) == (Decimal(162), "EUR", "G001")
    # 90 x 0.9 x 2 hours, and 100 x 0.9 x 2 hours
    assert (row["contracted_unit_price"], row["contracted_cost"], row["list_cost"]) == (81, 162, 180)
    extra = json.loads(row["x_extra"])
    assert (extra["costInUsd"], extra["costInPricingCurrency"], extra["pricingCurrency"]) == ("180", "180", "USD")
    assert all(chunk.is_final for chunk in chunks)


def test_a_bill_without_invoices_is_never_final(tmp_path: Path) -> None:
    assert not all(chunk.is_final for chunk in bill(tmp_path, line()))


def test_an_older_pay_as_you_go_bill_is_read(tmp_path: Path) -> None:
    kept = ("Quantity", "MeterCategory", "MeterName", "MeterId", "UnitOfMeasure", "Tags", "AdditionalInfo")
    found = {name: line()[name] for name in kept}
    found |= {
        "SubscriptionGuid": "S-1",
        "UsageDateTime": "2026-09-03",
        "PreTaxCost": "180",
        "Currency": "USD",
        "InstanceId": "/x/Y",
    }
    row = frame(bill(tmp_path, found)).row(0, named=True)
    assert (row["billed_cost"], row["charge_category"], row["billing_account_id"]) == (Decimal(180), "Usage", "S-1")
    assert (row["sub_account_id"], row["resource_id"]) == ("s-1", "/x/y")


def test_prices_of_zero_are_unknown(tmp_path: Path) -> None:
    found = one(tmp_path, PayGPrice="0", UnitPrice="0")
    assert (found["list_unit_price"], found["list_cost"], found["contracted_cost"]) == (None, None, None)


@pytest.mark.parametrize(
    ("quantity", "price", "cost"),
    [
        ("10000000", "0.00000000012345", "0.0012345"),
        ("100000000", "1", "100000000"),
        ("123456789012.5", "1.2345E-10", "15.240740603593"),  # and 0.125 of the last place
        ("-100000000", "0.00000000012345", "-0.012345"),
        ("999999999999.999999999999", "9.99", "9989999999999.99999999999"),
        ("0.000000000001", "0.5", "0.000000000001"),  # half a place is rounded up
        ("0.000000000001", "0.49999999999999999999", "0"),
    ],
)
def test_a_price_times_a_quantity_is_exact_to_the_twelfth_place_however_small_or_large(
    quantity: str, price: str, cost: str, tmp_path: Path
) -> None:
    found = one(tmp_path, Quantity=quantity, PayGPrice=price, UnitPrice=price)
    assert (found["list_cost"], found["contracted_cost"]) == (Decimal(cost), Decimal(cost))


def test_an_exchanged_price_keeps_its_places(tmp_path: Path) -> None:
    over = {"pricingCurrency": "EUR", "exchangeRatePricingToBilling": "0.9", "Quantity": "10000000"}
    found = one(tmp_path, **over, PayGPrice="0.00000000012345", UnitPrice="20000000000")
    # 0.00000000012345 x 0.9 = 0.000000000111105, of which the unit price holds twelve places
    assert (found["list_unit_price"], found["list_cost"]) == (Decimal("0.000000000111"), Decimal("0.00111105"))
    assert found["contracted_cost"] == Decimal(180_000_000_000_000_000)


def test_a_free_line_is_a_line(tmp_path: Path) -> None:
    assert one(tmp_path, Cost="0")["billed_cost"] == 0


REFUSED: list[tuple[dict[str, str], str, str]] = [
    ({"Cost": "many"}, "unreadable_number", "Cost"),
    ({"Cost": ""}, "missing_value", "Cost"),
    ({"Quantity": "many"}, "unreadable_number", "Quantity"),
    ({"BillingCurrency": "EUR"}, "wrong_currency", "BillingCurrency"),
    ({"Date": "30/09/2026"}, "unreadable_time", "Date"),
    ({"Date": "yesterday"}, "unreadable_time", "Date"),
    (
        {"BillingPeriodStartDate": "08/01/2026", "BillingPeriodEndDate": "08/31/2026"},
        "wrong_period",
        "BillingPeriodStartDate",
    ),
    ({"ChargeType": "Gift"}, "unknown_charge_type", "ChargeType"),
    ({"MeterCategory": "", "Product": ""}, "missing_value", "service_name"),
]


def test_a_line_that_cannot_be_staged_is_kept_with_its_reason(tmp_path: Path) -> None:
    chunks = bill(tmp_path, line(), *(line(**over) for over, _, _ in REFUSED))
    assert frame(chunks).height == 1
    rejects = sorted((reject for chunk in chunks for reject in chunk.rejects), key=lambda reject: reject.row)
    assert [(reject.reason, reject.column_name) for reject in rejects] == [found[1:] for found in REFUSED]
    assert all(json.loads(reject.payload)["MeterName"] == "ND96isr H100 v5" for reject in rejects)
    known = [None if "Cost" in over else Decimal(180) for over, _, _ in REFUSED]
    assert [reject.cost for reject in rejects] == known


@pytest.mark.parametrize("column", ["Cost", "BillingCurrency", "Date"])
def test_a_file_without_a_column_that_money_hangs_on_is_refused_whole(tmp_path: Path, column: str) -> None:
    with pytest.raises(IncompleteDeliveryError, match=column):
        bill(tmp_path, line(**{column: "-"}))


def test_costs_are_rounded_to_twelve_places_and_told(tmp_path: Path) -> None:
    chunks = bill(tmp_path, line(Cost="0.4838709677419368"), line(Cost="5.64902E-13"))
    assert frame(chunks)["billed_cost"].to_list() == [Decimal("0.483870967742"), Decimal("0.000000000001")]
    assert "2 costs with more than 12 decimal places, rounded" in chunks[-1].notices


def test_lines_of_model_services_whose_meter_nobody_reads_are_told(tmp_path: Path) -> None:
    service = {"MeterCategory": "Foundry Models", "MeterSubCategory": "Azure OpenAI", "UnitOfMeasure": "1K"}
    known = line(**service, MeterName="gpt 4.1 cached Inp Data Zone Tokens", Quantity="2.5")
    chunks = bill(
        tmp_path, known, line(**service, MeterName="o4-mini FT Training glbl"), line(**service, MeterName="Tokens")
    )
    rows = frame(chunks)
    assert rows.select("x_model_id", "x_token_class", "x_service_tier").rows()[0] == (
        "gpt-4.1",
        "cache_read",
        "default",
    )
    assert rows.select("consumed_quantity", "consumed_unit", "pricing_unit").row(0) == (2500, "Tokens", "1000 Tokens")
    assert json.loads(rows["x_extra"][0])["x_deployment_scope"] == "Data Zone"
    (told,) = (notice for chunk in chunks for notice in chunk.notices if "model services" in notice)
    assert told.startswith("2 lines of model services whose meter names no model: ")
