"""Files that are read wrongly by a lenient reader: each is refused with the place, or read whole."""

import re
from datetime import datetime
from decimal import Decimal

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
