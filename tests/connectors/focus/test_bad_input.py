"""Bad input never turns into money that is not there, nor into money that is gone: it is refused, told, and kept."""

import datetime as dt
import gzip
import json
import random
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import IncompleteDeliveryError
from connectors.exact import read_time
from connectors.focus import SOURCE, read_csv, read_parquet
from connectors.focus.values import read_decimals
from connectors.windows import month_window
from tests.connectors.focus.bills import csv_bill, gz_bill, line, only, page, parquet_bill, read, september, settings

GOOD = line()


@pytest.mark.parametrize(
    ("over", "reason", "column", "cost"),
    [
        ({"BillingCurrency": "EUR"}, "wrong_currency", "BillingCurrency", "55.04"),
        ({"BilledCost": "NaN"}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": "-Infinity"}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": "1e400"}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": "1,234.50"}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": "1.234,50"}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": "$5"}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": "1_000"}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": "١"}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": "9" * 27}, "unreadable_number", "BilledCost", None),
        ({"BilledCost": ""}, "missing_value", "BilledCost", None),
        ({"EffectiveCost": "NULL"}, "missing_value", "EffectiveCost", "55.04"),
        ({"BilledCost": "0.1234567890125"}, "too_precise", "BilledCost", "0.123456789013"),
        ({"EffectiveCost": "1.5E-12"}, "too_precise", "EffectiveCost", "55.04"),
        ({"ChargeCategory": "Fee"}, "unknown_value", "ChargeCategory", "55.04"),
        ({"BillingAccountId": ""}, "missing_value", "BillingAccountId", "55.04"),
        ({"ProviderName": "null"}, "missing_value", "ProviderName", "55.04"),
        ({"ChargePeriodEnd": "2026-09-03T00:00:00Z"}, "period_not_forward", "ChargePeriodEnd", "55.04"),
        ({"ChargePeriodStart": "09/03/2026"}, "unreadable_time", "ChargePeriodStart", "55.04"),
        ({"ChargePeriodStart": "1970-01-01T00:00:00Z"}, "unreadable_time", "ChargePeriodStart", "55.04"),
        (
            {"BillingPeriodStart": "2026-08-01T00:00:00Z", "BillingPeriodEnd": "2026-09-01"},
            "wrong_period",
            "BillingPeriodStart",
            "55.04",
        ),
    ],
)
def test_a_row_that_cannot_be_billed_is_refused_with_reason_payload_and_cost(
    over: dict[str, str], reason: str, column: str, cost: str | None
) -> None:
    bill = read(csv_bill(GOOD, line(**over), GOOD), excess_precision="reject")
    assert [row["x_row"] for row in bill.rows] == [1, 3]
    (reject,) = bill.rejects
    assert (reject.row, reject.reason) == (2, reason)
    assert column in str(reject.column_name)
    assert column in reject.detail
    assert reject.cost == (None if cost is None else Decimal(cost))
    assert json.loads(reject.payload)["ResourceId"] == "i-0aaaaaaaaaaaaaaa1"
    assert json.loads(reject.payload)[column] == over[column]


@pytest.mark.parametrize(
    ("over", "column", "contract_column"),
    [
        ({"Tags": '{"team":'}, "Tags", "tags"),
        ({"Tags": '["a"]'}, "Tags", "tags"),
        ({"ListCost": "n/a"}, "ListCost", "list_cost"),
        ({"PricingQuantity": "1_0"}, "PricingQuantity", "pricing_quantity"),
        ({"ChargeClass": "Refund"}, "ChargeClass", "charge_class"),
    ],
)
def test_a_value_that_is_not_needed_for_the_bill_moves_to_the_extras_and_is_told(
    over: dict[str, str], column: str, contract_column: str
) -> None:
    bill = read(csv_bill(line(**over), line(x_Zone="1", **over), line(), columns=list({**GOOD, **over, "x_Zone": ""})))
    assert bill.rejects == []
    assert bill.total("billed_cost") == 3 * Decimal("55.04")
    assert [row[contract_column] for row in bill.rows[:2]] == [None, None]
    assert [json.loads(row["x_extra"] or "{}") for row in bill.rows] == [over, {**over, "x_Zone": "1"}, {}]
    assert any(f"2 values of {column} are kept in x_extra only" in notice for notice in bill.notices)


def test_several_faults_of_a_row_are_one_reject_that_names_them_all() -> None:
    (reject,) = read(csv_bill(line(BilledCost="x", ServiceName="", Tags="{"))).rejects
    assert all(name in reject.detail for name in ("BilledCost", "ServiceName", "Tags"))


def test_too_precise_costs_are_rounded_half_away_from_zero_and_that_is_told() -> None:
    rounded = read(csv_bill(line(BilledCost="0.1234567890125", EffectiveCost="4.1666666666666669E-05")))
    row = only(rounded)
    assert (row["billed_cost"], row["effective_cost"]) == (Decimal("0.123456789013"), Decimal("0.000041666667"))
    assert rounded.notices == ["2 numbers with more than 12 decimal places were rounded half away from zero"]
    least = read(csv_bill(line(BilledCost="0.0000000000004", EffectiveCost="-1e-13")))
    assert (only(least)["billed_cost"], only(least)["effective_cost"]) == (Decimal(0), Decimal(0))
    assert least.notices == ["2 numbers with more than 12 decimal places were rounded half away from zero"]


@pytest.mark.parametrize(
    ("written", "cost"),
    [
        ("1.2E-7", "0.00000012"),
        ("-0.0", "0"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        (" 7 ", "7"),
        ("1E+3", "1000"),
        ("0.000000000001000000", "0.000000000001"),
        ("-99999999999999999999999999.999999999999", "-99999999999999999999999999.999999999999"),
    ],
)
def test_a_cost_is_read_to_the_last_digit(written: str, cost: str) -> None:
    assert only(read(csv_bill(line(BilledCost=written))))["billed_cost"] == Decimal(cost)


@given(st.lists(st.decimals(min_value=-(10**20), max_value=10**20, places=12), min_size=1))
def test_numbers_are_what_python_reads_from_the_same_text(numbers: list[Decimal]) -> None:
    texts = [str(number) for number in numbers] + [f"{number:E}" for number in numbers]
    found = read_decimals(pl.Series(texts))
    assert found.values.to_list() == [Decimal(text) for text in texts]
    assert not found.unreadable.any()
    assert not found.rounded.any()


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-09-03T00:00:00Z", dt.datetime(2026, 9, 3)),
        ("2026-09-03 07:00:00 UTC", dt.datetime(2026, 9, 3, 7)),
        ("2026-09-03T01:30:00+02:00", dt.datetime(2026, 9, 2, 23, 30)),
        ("2026-09-03 00:00:00", dt.datetime(2026, 9, 3)),
        ("2026-09-03T00:00:00.1234567Z", dt.datetime(2026, 9, 3, 0, 0, 0, 123456)),
        ("2026-09-03", dt.datetime(2026, 9, 3)),
        ("2026-09-03T23:59:60Z", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("1756857600", None),
    ],
)
def test_instants_are_utc_with_an_offset_or_without(written: str, utc: dt.datetime | None) -> None:
    assert read_time(written) == utc


def test_a_month_of_another_time_zone_is_the_month_that_it_mostly_is() -> None:
    pacific = line(BillingPeriodStart="2026-09-01 07:00:00 UTC", BillingPeriodEnd="2026-10-01 07:00:00 UTC")
    eastern = line(BillingPeriodStart="2026-09-01T00:00:00+08:00", BillingPeriodEnd="2026-10-01T00:00:00+08:00")
    bill = read(csv_bill(pacific, eastern))
    assert bill.rejects == []
    assert bill.rows[1]["billing_period_start"] == dt.datetime(2026, 8, 31, 16)
    assert {row["x_slice_date"] for row in bill.rows} == {dt.date(2026, 9, 1)}


def test_records_of_the_wrong_width_are_refused_and_the_others_keep_their_numbers() -> None:
    header, good = csv_bill(GOOD).splitlines()
    content = b"\n".join([header, good, b"too,short", b"", good, good + b",too,long", b'"two\nlines",short', good, b""])
    bill = read(content)
    assert [row["x_row"] for row in bill.rows] == [1, 3, 6]
    assert [(r.row, r.reason) for r in bill.rejects] == [(n, "malformed_record") for n in (2, 4, 5)]
    assert bill.rejects[0].payload == "too,short"


def test_text_that_is_no_utf8_is_refused_with_its_bytes_shown() -> None:
    bill = read(csv_bill(GOOD, line(ResourceId="M\u00fcnchen")).replace("\u00fc".encode(), b"\xfc"))
    assert len(bill.rows) == 1
    (reject,) = bill.rejects
    assert (reject.reason, reject.column_name, reject.cost) == ("not_utf8", "ResourceId", Decimal("55.04"))
    assert json.loads(reject.payload)["ResourceId"] == "M\\xfcnchen"


def test_a_formula_in_a_tag_or_a_name_is_data() -> None:
    row = only(read(csv_bill(line(ServiceName="=1+1", Tags='{"team":"=cmd()"}'))))
    assert (row["service_name"], row["tags"]) == ("=1+1", '{"team":"=cmd()"}')


def test_values_may_hold_line_breaks_commas_and_quotes() -> None:
    text = 'first, "second"\nthird'
    row = only(read(csv_bill(line(ChargeDescription=text))))
    assert row["charge_description"] == text


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n\n", id="no header"),
        pytest.param(b"<!DOCTYPE html><html><body>Sign in</body></html>", id="a web page"),
        pytest.param(bytes(range(256)) * 40, id="noise"),
        pytest.param(csv_bill(GOOD, GOOD)[:-30], id="csv cut in a quoted value"),
        pytest.param(csv_bill(GOOD, GOOD).rpartition(b",")[0].rpartition(b",")[0], id="csv cut in a record"),
        pytest.param(gz_bill(GOOD)[:-9], id="gzip without its end"),
        pytest.param(gz_bill(GOOD)[:12], id="gzip head"),
        pytest.param(gz_bill(GOOD)[:-6] + b"\0" + gz_bill(GOOD)[-5:], id="gzip with a wrong check sum"),
        pytest.param(gzip.compress(csv_bill(GOOD) + b"\0" * 30_000_000), id="gzip bomb"),
        pytest.param(parquet_bill(pa.table({k: [v] for k, v in GOOD.items()}))[:-20], id="parquet without its footer"),
        pytest.param(b"PAR1" + bytes(100) + b"PAR1", id="parquet of zeros"),
        pytest.param(csv_bill({**GOOD, "billed_cost": "7"}), id="a column in two spellings"),
        pytest.param(csv_bill(GOOD).replace(b"ListCost", b"BilledCost"), id="a column twice"),
        pytest.param(csv_bill(line(BilledCost="-")), id="no billed cost"),
        pytest.param(csv_bill(line(BilledCost="-", Billed_Costs="1")), id="billed cost renamed"),
        pytest.param(csv_bill(GOOD).replace(b",", b";"), id="semicolons"),
        pytest.param(b'{"files": ["a.csv"', id="a cut manifest"),
        pytest.param(b'{"rows": "many"}', id="a manifest of words"),
    ],
)
def test_a_file_that_is_not_whole_stops_the_delivery_and_is_named_with_a_remedy(content: bytes) -> None:
    with pytest.raises(IncompleteDeliveryError) as failure:
        read(csv_bill(GOOD), content)
    assert "2026-09/1.csv" in str(failure.value)
    assert any(word in str(failure.value) for word in ("run the day again", "export the bill"))


def test_a_missing_column_is_named_together_with_what_was_found() -> None:
    with pytest.raises(
        IncompleteDeliveryError, match=r"BilledCost, EffectiveCost are missing; it has BillingAccountId"
    ):
        read(csv_bill(line(BilledCost="-", EffectiveCost="-")))


def test_a_file_without_a_line_break_at_its_end_is_whole() -> None:
    assert only(read(csv_bill(GOOD).rstrip(b"\n")))["x_row"] == 1


def test_the_same_file_twice_counts_once() -> None:
    content = csv_bill(GOOD, line(ResourceId="i-2"), line(BilledCost="?"))
    bill = read(content, content)
    assert (len(bill.rows), len(bill.rejects), bill.duplicate_count) == (2, 1, 3)


def test_a_bill_of_nothing_but_purchases_is_not_final_though_every_row_bears_an_invoice() -> None:
    bought = line(InvoiceId="INV-1", ChargeCategory="Purchase", ChargeFrequency="One-Time")
    only_bought = read(csv_bill(bought, {**bought, "ChargeCategory": "Tax", "ChargeFrequency": ""}))
    assert (only_bought.closing.is_final, only_bought.closing.is_final_once_settled) == (False, True)
    assert "the month's own invoice is not among them" in only_bought.closing.notices[-1]
    for own in ({"ChargeFrequency": "Recurring"}, {"ChargeCategory": "Usage", "ChargeFrequency": ""}):
        assert read(csv_bill(bought, {**bought, **own})).closing.is_final


def test_a_bill_that_bears_an_invoice_on_every_row_is_final() -> None:
    invoiced = line(InvoiceId="INV-1")
    assert read(csv_bill(invoiced, invoiced)).closing.is_final
    assert not read(csv_bill(invoiced, line(InvoiceId=""))).closing.is_final
    assert not read(csv_bill(invoiced), csv_bill(GOOD)).closing.is_final
    assert not read(csv_bill(invoiced, line(InvoiceId="INV-1", BilledCost="?"))).closing.is_final
    assert not read(csv_bill(GOOD).splitlines(keepends=True)[0]).closing.is_final


@pytest.mark.parametrize(("cost", "is_final"), [("0", True), ("0.01", False)])
def test_what_nobody_used_of_a_commitment_and_nobody_is_billed_needs_no_invoice(cost: str, is_final: bool) -> None:
    status = {"CommitmentDiscountId": "r-1", "CommitmentDiscountStatus": "Used"}
    used = {**line(InvoiceId="INV-1", ChargeCategory="Usage"), **status}
    unused = {**used, "InvoiceId": "", "CommitmentDiscountStatus": "Unused", "BilledCost": cost}
    assert read(csv_bill(used, unused)).closing.is_final is is_final
    assert not read(csv_bill(unused)).closing.is_final  # and makes no month final by itself


def test_totals_that_a_manifest_states_flow_out_even_where_the_rows_do_not_add_up() -> None:
    stated = b'{"files": ["0.csv"], "rows": 3, "total_billed_cost": 100.10}'
    bill = read(csv_bill(GOOD), stated)
    assert (bill.closing.stated_cost, bill.closing.stated_rows) == (Decimal("100.10"), 3)
    assert bill.total("billed_cost") == Decimal("55.04")
    halves = read(stated, b'{"files": ["1.csv"], "rows": 4, "total_billed_cost": "-0.05"}', csv_bill(GOOD))
    assert (halves.closing.stated_cost, halves.closing.stated_rows) == (Decimal("100.05"), 7)
    silent = read(stated, b'{"files": []}', csv_bill(GOOD))
    assert (silent.closing.stated_cost, silent.closing.stated_rows) == (None, None)


def test_where_all_files_are_read_rows_of_other_months_are_left_to_their_windows() -> None:
    august = {
        "BillingPeriodStart": "2026-08-01",
        "BillingPeriodEnd": "2026-09-01",
        "ChargePeriodStart": "2026-08-01",
        "ChargePeriodEnd": "2026-08-02",
    }
    content = csv_bill(GOOD, line(**august), line(**august, BilledCost="?"), line(BillingPeriodStart="?"))
    both = [read(content, window=month_window(dt.date(2026, month, 1)), layout="any") for month in (8, 9)]
    assert [[row["x_row"] for row in bill.rows] for bill in both] == [[2], [1]]
    assert [[reject.row for reject in bill.rejects] for bill in both] == [[3, 4], [4]]


def test_chunks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (read_csv, read_parquet):
        monkeypatch.setattr(module, "BATCH_ROWS", 7)
    head, one = csv_bill(GOOD).splitlines(keepends=True)
    table = pa.table({name: pa.repeat(value, 40) for name, value in GOOD.items()})
    for content in (head + one * 40, parquet_bill(table)):
        chunks = list(SOURCE.parse(settings(), september(), [page(content)]))
        assert max(chunk.rows.num_rows for chunk in chunks) <= 7
        numbers = [n for chunk in chunks for n in chunk.rows["x_row"].to_pylist()]
        assert numbers == list(range(1, 41))


@pytest.mark.parametrize(
    "content",
    [
        csv_bill(GOOD, line(ResourceId='ü "x"\n')),
        gz_bill(GOOD, GOOD),
        parquet_bill(pa.table({name: [value] * 2 for name, value in GOOD.items()})),
    ],
    ids=["csv", "csv.gz", "parquet"],
)
def test_damaged_bytes_end_in_rows_rejects_or_an_incomplete_delivery_and_in_nothing_else(content: bytes) -> None:
    chance = random.Random(1847)
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 2, 5])):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.choice([0, 1, 1, 20])] = chance.randbytes(chance.choice([0, 1, 3]))
        try:
            bill = read(bytes(damaged))
        except IncompleteDeliveryError:
            continue
        assert all(row["billed_cost"] is not None and row["billing_currency"] == "USD" for row in bill.rows)
        assert all(reject.payload and reject.reason for reject in bill.rejects)


def test_parquet_text_that_is_no_utf8_is_a_damaged_file() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"M\xfcnchen"]).buffers())
    table = pa.table({**{name: pa.array([value]) for name, value in GOOD.items()}, "ResourceId": broken})
    with pytest.raises(IncompleteDeliveryError, match="cannot be read as Parquet"):
        read(parquet_bill(table))
