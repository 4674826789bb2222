"""The reader of native bills: what it takes, what it refuses, and that no money is lost between the two."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Bytes, IncompleteDeliveryError, LandedPage, Parsed, Reject, SourceSettings, Window
from connectors.bills import Bill, Lookup, Names, Rule, Shape, json_object, parse_bill

SETTINGS = SourceSettings(name="cloud", kind="cloud")
OCTOBER = Window(datetime(2026, 10, 1), datetime(2026, 11, 1))
HEADER = ["line/Account", "line/Cost", "line/Start", "line/Product", "line/InvoiceId"]
LINE = ["acc-1", "1.5", "2026-10-03T00:00:00Z", "Machines", "INV-1"]


def shape(names: Names) -> Shape:
    names.require("line_cost")
    cost = names.decimal("line_cost")
    return Shape(
        values={
            "billing_account_id": names.text("line_account"),
            "billing_currency": "'USD'",
            "billing_period_start": "timestamp '2026-10-01'",
            "billing_period_end": "timestamp '2026-11-01'",
            "charge_period_start": names.instant("line_start"),
            "charge_period_end": f"{names.instant('line_start')} + interval 1 hour",
            "charge_category": "'Usage'",
            "billed_cost": cost,
            "effective_cost": cost,
            "provider_name": "'Cloud'",
            "service_name": "'Service'",
            "invoice_id": names.text("line_invoice_id"),
            "x_extra": json_object({"product": names.text("line_product"), "nothing": "null"}),
            "_product": names.text("line_product"),
        },
        cost=cost,
        rules=(
            Rule("missing_value", "line/Cost", f"{names.text('line_cost')} is null", "a cost"),
            Rule("unreadable_number", "line/Cost", names.unreadable("line_cost"), "a decimal number"),
            Rule("unreadable_time", "line/Start", f"{names.instant('line_start')} is null", "an instant"),
        ),
        lookups=(Lookup("_product", ("x_model_id", "x_token_class"), lambda text: (text.lower(), None)),),
        notices={"costs were rounded": names.too_precise("line_cost")},
        elsewhere=f"coalesce({names.text('line_product')}, '') = 'Elsewhere'",
    )


def landed(content: bytes, name: str = "bill") -> LandedPage:
    return LandedPage(name, hashlib.sha256(content).hexdigest(), Bytes(content))


def csv_of(lines: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *lines])
    return text.getvalue().encode()


def parse(*contents: bytes) -> list[Parsed]:
    pages = [landed(content) for content in contents]
    return list(parse_bill(Bill(SETTINGS, OCTOBER, pages, shape)))


def rows_of(parsed: Sequence[Parsed]) -> list[dict]:
    return [row for chunk in parsed for row in chunk.rows.to_pylist()]


def rejects_of(parsed: Sequence[Parsed]) -> list[Reject]:
    return [reject for chunk in parsed for reject in chunk.rejects]


def changed(**values: str) -> list[str]:
    return [values.get(name.partition("/")[2], value) for name, value in zip(HEADER, LINE, strict=True)]


def test_a_line_becomes_a_charge_that_says_where_it_stood() -> None:
    content = csv_of([LINE, changed(Cost="-2e-3", InvoiceId="")])
    first, second = rows_of(parse(content))
    assert first["billed_cost"] == Decimal("1.5")
    assert first["charge_period_start"] == datetime(2026, 10, 3)
    assert (first["x_source"], first["x_slice_date"], first["x_row"]) == ("cloud", OCTOBER.slice_date, 1)
    assert first["x_page"] == hashlib.sha256(content).hexdigest()[:16]
    assert (first["x_model_id"], first["x_token_class"]) == ("machines", None)
    assert json.loads(first["x_extra"]) == {"product": "Machines"}
    assert (second["billed_cost"], second["invoice_id"], second["x_row"]) == (Decimal("-0.002"), None, 2)


@pytest.mark.parametrize(
    "header", [["LINE_ACCOUNT", "line_cost", "Line Start", "lineProduct", "line.invoice.id"], HEADER]
)
def test_columns_are_found_in_any_spelling_and_order(header: list[str]) -> None:
    reordered = csv_of([LINE[::-1]], header[::-1])
    assert rows_of(parse(reordered))[0]["billed_cost"] == Decimal("1.5")
    assert rows_of(parse(reordered))[0]["billing_account_id"] == "acc-1"


def test_an_instant_with_an_offset_is_taken_to_utc() -> None:
    assert rows_of(parse(csv_of([changed(Start="2026-10-03T02:00:00+02:00")])))[0]["charge_period_start"] == datetime(
        2026, 10, 3
    )


def test_a_bill_is_final_when_every_line_has_its_invoice() -> None:
    assert parse(csv_of([LINE, LINE]))[-1].is_final
    assert not parse(csv_of([LINE, changed(InvoiceId="")]))[-1].is_final
    assert not parse(csv_of([LINE]), csv_of([changed(InvoiceId="")]))[-1].is_final
    assert not parse(csv_of([LINE, changed(Cost="many")]))[-1].is_final
    assert not parse(csv_of([]))[-1].is_final


def test_a_line_that_breaks_rules_is_refused_with_its_payload_its_cost_and_everything_that_is_wrong() -> None:
    parsed = parse(csv_of([LINE, changed(Start="yesterday"), changed(Cost="1,5", Start=""), changed(Cost="")]))
    assert [row["x_row"] for row in rows_of(parsed)] == [1]
    late, odd, free = rejects_of(parsed)
    assert (late.row, late.reason, late.cost) == (2, "unreadable_time", Decimal("1.5"))
    assert late.detail == "line/Start: found 'yesterday', expected an instant"
    assert json.loads(late.payload)["line/Account"] == "acc-1"
    assert (odd.row, odd.reason, odd.cost) == (3, "unreadable_number", None)
    assert "found '1,5', expected a decimal number; line/Start: found nothing" in odd.detail
    assert (free.row, free.reason, free.cost) == (4, "missing_value", None)


def test_records_of_another_width_are_refused_and_the_others_kept() -> None:
    content = (
        csv_of([LINE])
        + b"too,few\n"
        + csv_of([LINE])[len(csv_of([])) :]
        + b"a,1,b,c,d,too many\n"
        + csv_of([LINE])[len(csv_of([])) :]
    )
    parsed = parse(content)
    assert len(rows_of(parsed)) == 3
    assert [(reject.reason, reject.row, reject.payload) for reject in rejects_of(parsed)] == [
        ("malformed_record", 3, "too,few"),
        ("malformed_record", 5, "a,1,b,c,d,too many"),
    ]


def test_text_that_is_no_utf8_is_refused_not_guessed() -> None:
    parsed = parse(csv_of([LINE]) + b"acc-\xff,1,2026-10-03,x,y\n" + csv_of([LINE])[len(csv_of([])) :])
    assert len(rows_of(parsed)) == 2
    assert rejects_of(parsed)[0].reason == "malformed_record"


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("cut", [12, 30])
def test_a_file_that_ends_within_a_record_is_no_delivery(compress: Callable[[bytes], bytes], cut: int) -> None:
    with pytest.raises(IncompleteDeliveryError, match="ends in the middle of a record"):
        parse(compress(csv_of([LINE, LINE])[:-cut]))


def test_a_damaged_archive_is_no_delivery() -> None:
    packed = gzip.compress(csv_of([LINE] * 20_000))
    with pytest.raises(IncompleteDeliveryError, match="damaged or still being written"):
        parse(packed[: len(packed) // 2])


def test_an_archive_that_no_bill_can_be_is_refused() -> None:
    with pytest.raises(IncompleteDeliveryError, match="unpacks into more than 200 times"):
        parse(gzip.compress(b"a," * 30_000_000))


def test_damaged_parquet_is_no_delivery(tmp_path: Path) -> None:
    whole = parquet_of(pa.table({"line_cost": ["1"] * 1000}))
    with pytest.raises(IncompleteDeliveryError, match="damaged or still being written"):
        parse(whole[:-20])
    with pytest.raises(IncompleteDeliveryError, match="damaged or still being written"):
        parse(b"PAR1" + whole[200:])


def test_an_empty_file_is_no_delivery_and_one_without_lines_is_an_empty_one() -> None:
    with pytest.raises(IncompleteDeliveryError, match="it is empty"):
        parse(b"")
    assert rows_of(parse(csv_of([]))) == []


def test_without_the_cost_nothing_is_staged() -> None:
    with pytest.raises(IncompleteDeliveryError, match="has no column line_cost; it has line/Account, line/Start"):
        parse(csv_of([["a", "2026-10-01"]], ["line/Account", "line/Start"]))


def test_a_column_named_twice_is_nobodys_to_choose() -> None:
    with pytest.raises(IncompleteDeliveryError, match="'line/Cost' and 'line_cost' are the same one"):
        parse(csv_of([["1", "2"]], ["line/Cost", "line_cost"]))


def test_lines_of_another_window_are_left_to_it() -> None:
    assert [row["x_row"] for row in rows_of(parse(csv_of([changed(Product="Elsewhere"), LINE])))] == [1]


def test_many_files_are_one_delivery_and_every_line_keeps_its_own_place() -> None:
    parsed = parse(csv_of([LINE]), csv_of([changed(Cost="7")]))
    assert len({row["x_page"] for row in rows_of(parsed)}) == 2
    assert sum(row["billed_cost"] for row in rows_of(parsed)) == Decimal("8.5")


def test_lines_beyond_one_batch_are_numbered_on() -> None:
    parsed = parse(gzip.compress(csv_of([[*changed(Cost=str(n))] for n in range(150_000)])))
    rows = [row for chunk in parsed for row in chunk.rows.select(["x_row", "billed_cost"]).to_pylist()]
    assert len(parsed) > 2
    assert all(row["billed_cost"] == row["x_row"] - 1 for row in rows)
    assert len(rows) == 150_000


def parquet_of(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("cost", "read"),
    [
        (pa.array([0.1, 12345.678, -1e-7], pa.float64()), ["0.1", "12345.678", "-0.0000001"]),
        (pa.array([Decimal("0.100000001")] * 3, pa.decimal128(38, 9)), ["0.100000001"] * 3),
        (pa.array([7, 8, 9], pa.int64()), ["7", "8", "9"]),
        (pa.array(["1.000000000001", "2", "3"], pa.string()).dictionary_encode(), ["1.000000000001", "2", "3"]),
    ],
)
def test_numbers_of_parquet_are_those_that_the_exporter_wrote(cost: pa.Array, read: list[str]) -> None:
    table = pa.table(
        {
            "line_account": ["a"] * 3,
            "line_cost": cost,
            "line_start": pa.array([datetime(2026, 10, 3)] * 3, pa.timestamp("ms", tz="UTC")),
        }
    )
    rows = rows_of(parse(parquet_of(table)))
    assert [row["billed_cost"] for row in rows] == [Decimal(text) for text in read]
    assert rows[0]["charge_period_start"] == datetime(2026, 10, 3)


def test_a_structure_s_fields_are_found_by_their_path() -> None:
    line_type = pa.struct([("cost", pa.string()), ("account", pa.string()), ("start", pa.timestamp("us"))])
    table = pa.table({"line": pa.array([{"cost": "4", "account": "a", "start": datetime(2026, 10, 3)}], line_type)})
    row = rows_of(parse(parquet_of(table)))[0]
    assert (row["billed_cost"], row["billing_account_id"]) == (Decimal(4), "a")


plain = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=12).map(str)
odd = st.sampled_from(["", "NaN", "1e400", "1_000", "-", "1,5", "12 USD", "0x10", "1.2E-7", "+3", ".5", "inf"])


@settings(max_examples=60, deadline=None)
@given(st.lists(plain | odd, max_size=30))
def test_what_is_staged_and_what_is_refused_are_all_lines_and_all_money(costs: list[str]) -> None:
    parsed = parse(csv_of([changed(Cost=cost) for cost in costs]))
    staged, refused = rows_of(parsed), rejects_of(parsed)
    assert len(staged) + len(refused) == len(costs)
    readable = [Decimal(cost) for cost in costs if _is_number(cost)]
    assert sum((row["billed_cost"] for row in staged), Decimal(0)) == sum(readable, Decimal(0))


def _is_number(text: str) -> bool:
    return text not in {"", "NaN", "1e400", "1_000", "-", "1,5", "12 USD", "0x10", "inf"}


@settings(max_examples=60, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=18))
def test_more_than_twelve_places_are_rounded_and_told(cost: Decimal) -> None:
    parsed = parse(csv_of([changed(Cost=f"{cost:f}")]))
    rounded = cost.quantize(Decimal("1e-12"), ROUND_HALF_UP)
    assert rows_of(parsed)[0]["billed_cost"] == rounded
    assert parsed[-1].notices == (("1 costs were rounded",) if cost != rounded else ())


def test_the_same_files_give_the_same_rows() -> None:
    content = gzip.compress(csv_of([changed(Cost=str(n)) for n in range(5000)]))
    assert rows_of(parse(content)) == rows_of(parse(content))


def test_the_lines_of_large_files_come_in_their_order() -> None:
    count = 300_000
    given = dict(zip(HEADER, ([text] * count for text in LINE), strict=True))
    table = pa.table({**given, "line/Cost": pa.array(range(count), pa.int64())})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=40_000)
    padded = csv_of([changed(Cost=str(n), Product="x" * 200_000) for n in range(700)])
    for content, costs in ((sink.getvalue(), range(count)), (padded, range(700))):
        rows = pa.concat_tables([chunk.rows for chunk in parse(content)])
        assert rows["billed_cost"].cast(pa.int64()).to_pylist() == list(costs)
        assert rows["x_row"].to_pylist() == list(range(1, len(costs) + 1))


def test_a_line_in_doubt_is_read_as_the_settled_shape_says_and_those_before_it_stay() -> None:
    asked: list[str] = []

    def settled(names: Names) -> Shape:
        asked.append("once")
        found = shape(names)
        return replace(found, values={**found.values, "x_charge_type": "'settled'"})

    def doubtful(names: Names) -> Shape:
        doubt = f"coalesce({names.text('line_product')} = 'Doubt', false)"
        return replace(shape(names), doubt=doubt, settled=lambda: settled(names))

    lines = [changed(Cost=str(n), Product="Doubt" if n in (100_000, 150_000) else "Sure") for n in range(160_000)]
    parsed = list(parse_bill(Bill(SETTINGS, OCTOBER, [landed(csv_of(lines))], doubtful)))
    rows = pa.concat_tables([chunk.rows for chunk in parsed])
    assert asked == ["once"]
    assert rows["billed_cost"].cast(pa.int64()).to_pylist() == list(range(160_000))
    assert rows["x_row"].to_pylist() == list(range(1, 160_001))
    kinds = rows["x_charge_type"].to_pylist()
    first = kinds.index("settled")
    assert kinds == [None] * first + ["settled"] * (160_000 - first)
    assert 0 < first <= 100_000


def test_a_refused_lines_payload_keeps_every_digit() -> None:
    amount = Decimal("12345678.901234567891")  # more digits than a binary number holds
    given = {name: [text] for name, text in zip(HEADER, LINE, strict=True)}
    table = pa.table(
        {**given, "line/Start": ["never"], "line/Cost": pa.array([amount], pa.decimal128(38, 12)), "n": [10**17 + 1]}
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    (reject,) = rejects_of(parse(sink.getvalue()))
    payload = json.loads(reject.payload)
    assert (reject.cost, payload["line/Cost"], payload["n"]) == (amount, "12345678.901234567891", 10**17 + 1)
