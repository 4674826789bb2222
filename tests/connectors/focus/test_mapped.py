"""A bill of no standard becomes charges by its mapping: what it lacks is derived, what is hostile is refused in words."""

import csv
import datetime as dt
import json
from collections import Counter
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.base import IncompleteDeliveryError
from connectors.focus.mapped import SOURCE
from connectors.registry import source
from connectors.windows import month_window
from tests.connectors.focus.bills import only, parquet_bill
from tests.connectors.focus.mapped import mapped, read_mapped, used, with_columns, written

SHARED = Path(__file__).resolve().parents[3] / "../shared/data/cloud_bills"


def test_the_registry_knows_the_source() -> None:
    assert source("mapped_bill") is SOURCE


def test_a_line_becomes_a_charge_with_what_the_mapping_and_the_settings_say() -> None:
    row = only(read_mapped(written(used()), account="acme", currency="EUR"))
    assert {name: row[name] for name in row if row[name] is not None and not name.startswith("x_")} == {
        "billing_account_id": "acme",
        "billing_currency": "EUR",
        "billing_period_start": dt.datetime(2026, 9, 1),
        "billing_period_end": dt.datetime(2026, 10, 1),
        "charge_period_start": dt.datetime(2026, 9, 3),
        "charge_period_end": dt.datetime(2026, 9, 4),
        "charge_category": "Usage",
        "billed_cost": Decimal("57.36"),
        "effective_cost": Decimal("57.36"),
        "consumed_quantity": Decimal(24),
        "provider_name": "Nimbus",
        "service_name": "H100 SXM",
        "resource_id": "node-7",
    }
    assert row["x_extra"] == '{"Project":"search"}'


def test_columns_that_the_mapping_leaves_out_are_told_and_kept() -> None:
    bill = read_mapped(written(used()))
    assert bill.notices == ["1 columns that the mapping leaves out are kept in x_extra: Project"]


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2026-09-03T05:00:00Z", "hour", dt.datetime(2026, 9, 3, 6)),
        ("2026-09-03", "day", dt.datetime(2026, 9, 4)),
        ("2026-09-30", "day", dt.datetime(2026, 10, 1)),
        ("2026-09-01", "month", dt.datetime(2026, 10, 1)),
    ],
)
def test_the_end_of_a_charge_follows_from_its_start(start: str, period: str, end: dt.datetime) -> None:
    row = only(read_mapped(written(used(Day=start)), period=period))
    assert (row["charge_period_end"], row["billing_period_end"]) == (end, dt.datetime(2026, 10, 1))


def test_an_end_that_is_the_very_start_or_missing_lasts_the_period_and_any_other_stands() -> None:
    ends = ["2026-09-03T00:00:00Z", "", "2026-09-03T00:05:00Z", "2026-09-02T00:00:00Z"]
    bill = read_mapped(
        written(*(used(End=end) for end in ends)), **with_columns(charge_period_end="End"), period="hour"
    )
    found = [row["charge_period_end"] for row in bill.rows]
    assert found == [dt.datetime(2026, 9, 3, 1), dt.datetime(2026, 9, 3, 1), dt.datetime(2026, 9, 3, 0, 5)]
    assert [(reject.row, reject.reason) for reject in bill.rejects] == [(4, "period_not_forward")]


def test_a_charge_of_another_month_than_its_path_is_refused_with_its_cost() -> None:
    (reject,) = read_mapped(written(used(Day="2026-08-31"))).rejects
    assert (reject.reason, reject.column_name, reject.cost) == ("wrong_period", "Day", Decimal("57.36"))


def test_with_any_layout_each_month_takes_its_own_charges() -> None:
    content = written(used(Day="2026-08-31"), used(Day="2026-09-01"), used(Day="not a day"))
    both = [read_mapped(content, layout="any", window=month_window(dt.date(2026, m, 1))) for m in (8, 9)]
    assert [[row["x_row"] for row in bill.rows] for bill in both] == [[1], [2]]
    assert [[r.row for r in bill.rejects] for bill in both] == [[3], [3]]


@pytest.mark.parametrize(
    ("written_as", "date_format", "instant"),
    [
        ("3/9/2026 14:30", "%d/%m/%Y %H:%M", dt.datetime(2026, 9, 3, 14, 30)),
        ("09/03/26", "%m/%d/%y", dt.datetime(2026, 9, 3)),
        ("2026-09", "%Y-%m", dt.datetime(2026, 9, 1)),
        ("2026-09-03 01:00 +0200", "%Y-%m-%d %H:%M %z", dt.datetime(2026, 9, 2, 23)),
        ("1788393600", "unix", dt.datetime(2026, 9, 3)),
        ("2026-09-03 17:16:48 UTC", None, dt.datetime(2026, 9, 3, 17, 16, 48)),
    ],
)
def test_instants_are_read_as_the_file_writes_them(
    written_as: str, date_format: str | None, instant: dt.datetime
) -> None:
    assert only(read_mapped(written(used(Day=written_as)), date_format=date_format))["charge_period_start"] == instant


@pytest.mark.parametrize(
    ("text", "date_format"), [("31/02/2026", "%d/%m/%Y"), ("2026-09-03", "%d/%m/%Y"), ("1e99", "unix"), ("x", "unix")]
)
def test_an_instant_that_is_not_written_so_is_refused_in_words(text: str, date_format: str) -> None:
    (reject,) = read_mapped(written(used(Day=text)), date_format=date_format).rejects
    assert (reject.reason, reject.column_name, reject.cost) == ("unreadable_time", "Day", Decimal("57.36"))
    assert reject.detail.count("Day: found") == 1


@pytest.mark.parametrize(
    ("text", "over", "cost"),
    [
        ("4810", {"cost_unit": "0.01"}, "48.10"),
        ("1.5E-3", {"cost_unit": "0.01"}, "0.000015"),
        ("-0.0000000001", {"cost_unit": "0.01"}, "-0.000000000001"),
        ("1234567890123456789012345.6", {"cost_unit": "0.001"}, "1234567890123456789012.3456"),
        ("3", {"cost_unit": "1000"}, "3000"),
        ("57,36", {"decimal_mark": ","}, "57.36"),
        ("1.234,50", {"decimal_mark": ",", "grouped": True}, "1234.5"),
        ("-1,234,567.5", {"grouped": True}, "-1234567.5"),
        ("1.234", {"decimal_mark": ",", "grouped": True}, "1234"),
        ("12,5", {"decimal_mark": ",", "grouped": True}, "12.5"),
        ("1.234,5", {"decimal_mark": ",", "grouped": True, "cost_unit": "0.01"}, "12.345"),
    ],
)
def test_costs_are_exact_however_they_are_written(text: str, over: dict[str, object], cost: str) -> None:
    assert only(read_mapped(written(used(Amount=text)), **over))["billed_cost"] == Decimal(cost)


@pytest.mark.parametrize(
    ("text", "over", "reason"),
    [
        ("1.234", {"decimal_mark": ","}, "unreadable_number"),
        ("1.234,50", {"decimal_mark": ","}, "unreadable_number"),
        ("12,34,567", {"grouped": True}, "unreadable_number"),
        ("1,234", {}, "unreadable_number"),
        ("$5", {"cost_unit": "0.01"}, "unreadable_number"),
        ("0.00000000001", {"cost_unit": "0.01", "excess_precision": "reject"}, "too_precise"),
        ("1.00000000001", {"cost_unit": "0.01", "excess_precision": "reject"}, "too_precise"),
        ("", {}, "missing_value"),
    ],
)
def test_a_cost_that_cannot_be_told_is_refused_and_never_guessed(
    text: str, over: dict[str, object], reason: str
) -> None:
    bill = read_mapped(written(used(Amount="57"), used(Amount=text)), **over)
    (reject,) = bill.rejects
    assert (len(bill.rows), reject.row, reject.reason, reject.column_name) == (1, 2, reason, "Amount")
    assert json.loads(reject.payload)["Amount"] == text


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({}, "(`decimal_mark` puts '.' before its decimal places; `grouped: true` lets ',' stand between thousands)"),
        ({"decimal_mark": ","}, "puts ',' before its decimal places; `grouped: true` lets '.' stand between thousands"),
        ({"grouped": True}, "expected a decimal number (`decimal_mark` puts '.' before its decimal places)"),
    ],
)
def test_a_number_that_was_not_read_is_told_with_the_settings_that_say_how(over: dict[str, object], words: str) -> None:
    (reject,) = read_mapped(written(used(Amount="1.234,50")), **over).rejects
    assert "found '1.234,50'" in reject.detail
    assert words in reject.detail


def test_the_cost_of_a_refused_line_is_in_the_currency_not_in_cents() -> None:
    (reject,) = read_mapped(written(used(Amount="4810", Product="")), cost_unit="0.01").rejects
    assert (reject.reason, reject.cost) == ("missing_value", Decimal("48.10"))


def test_unit_prices_of_the_file_are_in_its_cost_unit_and_quantities_are_not() -> None:
    row = only(read_mapped(written(used(Rate="239")), **with_columns(list_unit_price="Rate"), cost_unit="0.01"))
    assert (row["list_unit_price"], row["consumed_quantity"]) == (Decimal("2.39"), Decimal(24))


def test_lines_in_another_currency_are_refused() -> None:
    columns = with_columns(billing_currency="Cur")
    bill = read_mapped(written(used(Cur="USD"), used(Cur="EUR")), **columns)
    assert [(r.row, r.reason, r.cost, r.currency) for r in bill.rejects] == [
        (2, "wrong_currency", bill.rows[0]["billed_cost"], "EUR")
    ]


def test_the_files_words_become_the_contracts() -> None:
    words = {"charge_category": {"promo": "Credit", "usage": "Usage"}}
    content = written(used(Kind="promo", Amount="-5"), used(Kind="Tax"), used(Kind="fee"))
    bill = read_mapped(content, **with_columns(charge_category="Kind"), words=words)
    assert [row["charge_category"] for row in bill.rows] == ["Credit", "Tax"]
    assert [(r.row, r.reason) for r in bill.rejects] == [(3, "unknown_value")]
    assert "(the setting `words` says what the file's words mean)" in bill.rejects[0].detail


def test_a_column_is_found_by_its_own_name_before_any_other_spelling() -> None:
    both = written(used(amount="1"))
    assert only(read_mapped(both))["billed_cost"] == Decimal("57.36")
    loose = with_columns(billed_cost="AMOUNT")
    assert only(read_mapped(written(used()), **loose))["billed_cost"] == Decimal("57.36")
    with pytest.raises(IncompleteDeliveryError, match=r"'AMOUNT' may be 'Amount' or 'amount'"):
        read_mapped(both, **loose)


def test_a_file_that_names_a_column_twice_is_incomplete() -> None:
    with pytest.raises(IncompleteDeliveryError, match=r"names the columns 'Amount' more than once"):
        read_mapped(written(used()).replace(b"Machine", b"Amount"))


@pytest.mark.parametrize(
    ("over", "words"),
    [
        (with_columns(billed_cost="Amuont"), r"no column 'Amuont', and `columns` takes billed_cost.*mean 'Amount'"),
        (with_columns(x_model_id="model"), r"no column 'model'.*It has Day, Product"),
        (
            {**with_columns(billed_cost=None), "unit_prices": [{"per": "hour", "unit_price": "1"}]},
            r"no column 'hour', and `unit_prices` look at it; did you mean 'Hours'",
        ),
    ],
)
def test_a_mapping_that_names_a_column_the_file_lacks_says_so_with_the_nearest(
    over: dict[str, object], words: str
) -> None:
    with pytest.raises(IncompleteDeliveryError, match=words):
        read_mapped(written(used()), **over)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        (
            with_columns(biled_cost="Amount"),
            "'biled_cost' is no column of charges that a bill fills; did you mean 'bil",
        ),
        (with_columns(BilledCost="Amount"), "did you mean 'billed_cost'"),
        (with_columns(x_page="Amount"), "'x_page' is no column of charges that a bill fills"),
        (with_columns(billed_cost=" "), "billed_cost: the name of the file's column is empty"),
        (with_columns(billed_cost=None), "billed_cost: name its column, or give unit_prices"),
        (with_columns(charge_period_start=None, service_name=None), "service_name, charge_period_start: no column"),
        ({"period": None}, "charge_period_end: name its column, or say how long"),
        (with_columns(billing_period_start="Day"), "billing_period_start and billing_period_end come together"),
        ({"constants": {"provider_name": "N", "service_name": "S"}}, "service_name: both a column and a constant"),
        ({"constants": {"provider_name": "N", "billing_currency": "EUR"}}, "set currency: EUR"),
        ({"constants": {"provider_name": "N", "charge_category": "Fee"}}, "charge_category cannot be 'Fee'"),
        ({"constants": {"provider_name": "N", "list_cost": "much"}}, "list_cost is 'much', which is no decimal number"),
        ({"constants": {"provider_name": "N", "tags": "{"}}, "tags is '{', which is no JSON object"),
        ({"constants": {"provider_name": "N", "x_commitment_end": "soon"}}, "no ISO 8601 instant"),
        ({"constants": {"provider_name": ""}}, "provider_name is empty"),
        ({"date_format": "%d.%m."}, "must tell year and month"),
        ({"words": {"list_cost": {"a": "b"}}}, "words: 'list_cost' is no column of text"),
        ({**with_columns(charge_category="Project"), "words": {"charge_category": {"a": "Fee"}}}, "cannot be Fee"),
        ({"cost_unit": "0"}, "greater than 0"),
        ({"unit_prices": [{"per": "Hours", "unit_price": "1"}]}, "billed_cost has a source of its own, and unit_pr"),
        (
            {
                **with_columns(billed_cost=None),
                "unit_prices": [
                    {"per": "Hours", "unit_price": "1", "to": "2026-09-11"},
                    {"per": "Hours", "unit_price": "2", "from": "2026-09-10"},
                ],
            },
            "hold on the same days: end the first with 'to'",
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_in_words(over: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        mapped(**over)
    assert words in str(refused.value)


def test_an_account_number_may_stand_without_quotes() -> None:
    constants = {"provider_name": "Nimbus", "billing_account_id": 111122223333}
    assert only(read_mapped(written(used()), constants=constants))["billing_account_id"] == "111122223333"


def test_one_column_of_the_file_may_feed_several_of_the_contract() -> None:
    row = only(read_mapped(written(used()), **with_columns(charge_description="Product", list_cost="Amount")))
    assert (row["charge_description"], row["service_name"], row["list_cost"]) == (
        "H100 SXM",
        "H100 SXM",
        Decimal("57.36"),
    )


def test_another_sign_may_stand_between_the_columns() -> None:
    content = written(used(Amount="57,36"), delimiter=";")
    assert only(read_mapped(content, delimiter=";", decimal_mark=","))["billed_cost"] == Decimal("57.36")


def test_parquet_gives_the_same_charge_as_csv() -> None:
    table = pa.table(
        {
            "Day": pa.array([dt.date(2026, 9, 3)]),
            "Product": ["H100 SXM"],
            "Machine": ["node-7"],
            "Hours": pa.array([24]),
            "Amount": pa.array([Decimal("57.360")]),
            "Project": ["search"],
        }
    )
    native, text = only(read_mapped(parquet_bill(table))), only(read_mapped(written(used())))
    assert native | {"x_page": ""} == text | {"x_page": ""}


def test_floating_point_of_parquet_is_its_shortest_decimal_in_cents_as_well() -> None:
    table = pa.table({**{k: [v] for k, v in USED_TEXT.items()}, "Amount": pa.array([4810.1])})
    assert only(read_mapped(parquet_bill(table), cost_unit="0.01"))["billed_cost"] == Decimal("48.101")


USED_TEXT = {name: value for name, value in used().items() if name != "Amount"}


def test_a_manifest_beside_the_file_states_totals_and_a_cut_file_is_incomplete() -> None:
    manifest = json.dumps({"files": ["a.csv"], "rows": 1, "total_billed_cost": 57.36}).encode()
    bill = read_mapped(manifest, written(used()))
    assert (bill.closing.stated_rows, bill.closing.stated_cost) == (1, Decimal("57.36"))
    with pytest.raises(IncompleteDeliveryError, match="ends in the middle of a record"):
        read_mapped(written(used())[:-12])


def test_a_bill_is_final_when_every_line_bears_an_invoice() -> None:
    columns = with_columns(invoice_id="Invoice")
    assert read_mapped(written(used(Invoice="1")), **columns).closing.is_final
    assert not read_mapped(written(used(Invoice="1"), used(Invoice="")), **columns).closing.is_final


AMOUNTS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**13), max_value=10**13).map(str),
    st.decimals(places=9, allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9).map(str),
    st.from_regex(r"\A[+-]?[0-9]{1,9}(\.[0-9]{0,12})?\Z"),
    st.sampled_from(["", "n/a", "1,5", "0", "-0", "1e-12", "1e-13"]),
)


@settings(max_examples=60, deadline=None)
@given(amounts=st.lists(AMOUNTS, min_size=1, max_size=12), unit=st.sampled_from(["1", "0.01", "0.000001"]))
def test_what_is_staged_and_what_is_refused_add_up_to_the_file(amounts: list[str], unit: str) -> None:
    bill = read_mapped(written(*(used(Amount=amount) for amount in amounts)), cost_unit=unit)
    assert len(bill.rows) + len(bill.rejects) == len(amounts)
    refused = sum((reject.cost or Decimal(0) for reject in bill.rejects), Decimal(0))
    expected = dict[int, Decimal]()
    for number, amount in enumerate(amounts, 1):
        with suppress(ArithmeticError):  # what is no number is on neither side
            expected[number] = (Decimal(amount) * Decimal(unit)).quantize(Decimal("1e-12"), ROUND_HALF_UP)
    assert bill.total("billed_cost") + refused == sum(expected.values(), Decimal(0))
    assert all(row["billed_cost"] == expected[row["x_row"]] for row in bill.rows)


def existing(name: str) -> bytes:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not beside the repository")
    return (SHARED / name).read_bytes()


def records(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode("utf-8-sig").splitlines(keepends=True)))


def test_a_published_cost_report_is_read_whole_by_a_mapping() -> None:
    content = existing("aws_cur_legacy_first_300.csv")
    bill = read_mapped(
        content,
        window=month_window(dt.date(2023, 11, 1)),
        columns={
            "billing_account_id": "bill/PayerAccountId",
            "billing_period_start": "bill/BillingPeriodStartDate",
            "billing_period_end": "bill/BillingPeriodEndDate",
            "billing_currency": "lineItem/CurrencyCode",
            "charge_period_start": "lineItem/UsageStartDate",
            "charge_period_end": "lineItem/UsageEndDate",
            "charge_category": "lineItem/LineItemType",
            "billed_cost": "lineItem/UnblendedCost",
            "service_name": "product/ProductName",
            "sku_meter": "lineItem/UsageType",
        },
        constants={"provider_name": "AWS"},
        cost_classes=[{"class": "egress", "column": "product/servicename", "pattern": "^AWS Data Transfer$"}],
    )
    given_lines = records(content)
    assert bill.rejects == []
    assert [row["billed_cost"] for row in bill.rows] == [Decimal(r["lineItem/UnblendedCost"]) for r in given_lines]
    assert Counter(row["charge_category"] for row in bill.rows) == Counter(
        r["lineItem/LineItemType"] for r in given_lines
    )
    egress = sum(
        Decimal(r["lineItem/UnblendedCost"]) for r in given_lines if r["product/servicename"] == "AWS Data Transfer"
    )
    assert sum(row["billed_cost"] for row in bill.rows if row["x_cost_class"] == "egress") == egress
    assert sum(row["x_cost_class"] is None for row in bill.rows) == 202


def test_a_published_enterprise_export_with_american_dates_is_read_whole_by_a_mapping() -> None:
    content = existing("azure_ea_export.csv")
    bill = read_mapped(
        content,
        window=month_window(dt.date(2023, 9, 1)),
        currency="CAD",
        date_format="%m/%d/%Y",
        columns={
            "billing_account_id": "BillingAccountId",
            "billing_currency": "BillingCurrencyCode",
            "charge_period_start": "Date",
            "charge_category": "ChargeType",
            "billed_cost": "CostInBillingCurrency",
            "service_name": "MeterCategory",
            "list_unit_price": "PayGPrice",
            "tags": "Tags",
        },
        constants={"provider_name": "Microsoft"},
    )
    given_lines = records(content)
    assert bill.rejects == []
    places = Decimal("1e-12")
    assert bill.total("billed_cost") == sum(Decimal(r["CostInBillingCurrency"]).quantize(places) for r in given_lines)
    assert "4 numbers with more than 12 decimal places were rounded half away from zero" in bill.notices[-1], (
        "two costs, each billed and effective"
    )
    assert {row["tags"] for row in bill.rows} == {'{"tagA":"valueA","tagB":"valueB","tagC":"valueC"}'}
    assert {row["charge_period_end"] for row in bill.rows} == {dt.datetime(2023, 9, 3)}
