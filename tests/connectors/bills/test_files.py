"""Files that are read wrongly by a lenient reader: each is refused with the place, or read whole."""

import gzip
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.base import Bytes, IncompleteDeliveryError, LandedPage, Parsed, Reject, SourceSettings, Window
from connectors.bills import Bill, Names, Rule, Shape, parse_bill

OCTOBER = Window(datetime(2026, 10, 1), datetime(2026, 11, 1))
HEADER, LINE = b"account,cost,product\n", b"acc-1,1.5,Machines\n"


def shape(names: Names) -> Shape:
    cost = names.decimal("cost")
    return Shape(
        values={
            "billing_account_id": names.text("account"),
            "billing_currency": "'USD'",
            "billing_period_start": "timestamp '2026-10-01'",
            "billing_period_end": "timestamp '2026-11-01'",
            "charge_period_start": "timestamp '2026-10-03'",
            "charge_period_end": "timestamp '2026-10-04'",
            "charge_category": "'Usage'",
            "billed_cost": "_billed_cost",
            "effective_cost": "_billed_cost",
            "provider_name": "'Cloud'",
            "service_name": "'Service'",
        },
        cost=cost,
        rules=(Rule("unreadable_number", "cost", f"{cost} is null", "a decimal number"),),
        steps=({"_billed_cost": cost},),
    )


def parse(*contents: bytes) -> list[Parsed]:
    pages = [LandedPage(f"part-{n}", f"{n:064x}", Bytes(content)) for n, content in enumerate(contents)]
    return list(parse_bill(Bill(SourceSettings(name="cloud", kind="cloud"), OCTOBER, pages, shape)))


def costs_of(parsed: list[Parsed]) -> list[Decimal]:
    return [cost for chunk in parsed for cost in chunk.rows["billed_cost"].to_pylist()]


def rejects_of(parsed: list[Parsed]) -> list[Reject]:
    return [reject for chunk in parsed for reject in chunk.rejects]


def test_a_line_break_in_a_column_s_name_is_told_not_read_as_no_lines() -> None:
    broken = b'account,cost,"pro\nduct"\n' + LINE * 3
    with pytest.raises(IncompleteDeliveryError, match=re.escape(r"part-1: the name of its column 'pro\nduct' holds")):
        parse(HEADER + LINE, broken)


@pytest.mark.parametrize("below", [LINE * 50_000, LINE * 2 + b'acc-1,"1.5",Machines\n' + LINE * 20, LINE])
def test_a_quote_without_a_partner_refuses_the_delivery_not_the_lines_below_as_one(below: bytes) -> None:
    with pytest.raises(IncompleteDeliveryError, match=r"part-1: the record at line 4 runs over several lines"):
        parse(HEADER + LINE, HEADER + LINE * 2 + b'acc-1,"1.5,Machines\n' + below)


def test_a_bad_quote_within_one_line_refuses_that_line_alone() -> None:
    parsed = parse(HEADER + LINE + b'acc-1,"1"5,Machines\n' + LINE * 2, HEADER + LINE)
    assert [(reject.row, reject.reason, reject.payload) for reject in rejects_of(parsed)] == [
        (3, "malformed_record", 'acc-1,"1"5,Machines')
    ]
    assert costs_of(parsed) == [Decimal("1.5")] * 4


@dataclass(frozen=True)
class OnDisk:
    """A body that is a file of this machine."""

    file: Path

    def open(self) -> BinaryIO:
        return self.file.open("rb")


SHADOWS = {"account": "acc-1", "cost": "5", "_billed_cost": "999", "_broken": "", "billed_cost": "998", "lines": "997"}


def as_parquet(**columns: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({name: pa.array([value]) for name, value in columns.items()}), sink)
    return sink.getvalue()


def as_json(**columns: object) -> bytes:
    return json.dumps(columns).encode() + b"\n"


@pytest.mark.parametrize("write", [as_parquet, as_json])
def test_a_delivered_column_never_stands_for_a_step_of_the_reader(write: Callable[..., bytes]) -> None:
    parsed = parse(write(**SHADOWS), write(account="acc-2", cost="1.25"))
    assert costs_of(parsed) == [Decimal(5), Decimal("1.25")]


@pytest.mark.parametrize("write", [as_parquet, as_json])
def test_names_that_sql_takes_for_one_keep_their_own_values(write: Callable[..., bytes]) -> None:
    odd = {"Team": "A", "team": "B", "": "nameless", "at": {"Zone": "C", "zone": "D", "~/": "E"}}
    whole, refused = write(account="acc-1", cost="5", **odd), write(account="acc-1", cost="many", **odd)
    parsed = parse(whole, refused)
    assert costs_of(parsed) == [Decimal(5)]
    (reject,) = rejects_of(parsed)
    told = {"Team": "A", "team": "B", "": "nameless", "at.Zone": "C", "at.zone": "D", "at.~/": "E"}
    assert json.loads(reject.payload) == {"account": "acc-1", "cost": "many", **told}


def test_a_folder_s_name_adds_no_column(tmp_path: Path) -> None:
    file = tmp_path / "cost=7" / "account=8" / "bill.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(as_parquet(account="acc-1", cost="5"))
    page = LandedPage("bill", f"{1:064x}", OnDisk(file))
    parsed = list(parse_bill(Bill(SourceSettings(name="cloud", kind="cloud"), OCTOBER, [page], shape)))
    assert costs_of(parsed) == [Decimal(5)]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (HEADER.replace(b"\n", b"\r\n") + LINE * 3, 2),
        (HEADER + LINE * 3 + LINE.replace(b"\n", b"\r\n") + LINE, 5),
        (HEADER + b'acc-1,1.5,"two\r\nlines"\n' + LINE.replace(b"\n", b"\r\n") + LINE, 4),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_lines_that_end_in_two_ways_are_told_with_the_place(
    content: bytes, line: int, compress: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(IncompleteDeliveryError, match=rf"part-1: its lines end in two ways, and line {line} is"):
        parse(HEADER + LINE, compress(content))


def test_a_blank_line_before_the_header_is_told_as_one() -> None:
    with pytest.raises(IncompleteDeliveryError, match=r"part-1: its first line is blank"):
        parse(HEADER + LINE, b"\n" + HEADER + LINE)


@pytest.mark.parametrize("sql", ["no_such_column", "no_such_function(1)", "1 +"])
def test_our_own_defect_is_no_damage_of_the_file(sql: str) -> None:
    page = LandedPage("bill", f"{1:064x}", Bytes(HEADER + LINE))
    broken = Bill(
        SourceSettings(name="cloud", kind="cloud"),
        OCTOBER,
        [page],
        lambda names: replace(shape(names), values={**shape(names).values, "billed_cost": sql}),
    )
    with pytest.raises((duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        list(parse_bill(broken))
