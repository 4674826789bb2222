"""Refused lines: each is told, however many there are; a wrong setting is one error and not a million of lines."""

import tracemalloc
from datetime import datetime
from decimal import Decimal

import pytest

from connectors.base import Bytes, LandedPage, Parsed, SourceError, SourceSettings, Window
from connectors.bills import Bill, Names, Shape, parse_bill
from connectors.bills.rules import has_number, in_currency

OCTOBER = Window(datetime(2026, 10, 1), datetime(2026, 11, 1))
HEADER, DOLLARS, EUROS = b"account,cost,currency\n", b"acc-1,1.5,USD\n", b"acc-1,1.5,EUR\n"
UNREADABLE, SHORT = b"acc-1,many,USD\n", b"acc-1\n"


def shape(names: Names) -> Shape:
    cost = names.decimal("cost")
    return Shape(
        values={
            "billing_account_id": names.text("account"),
            "billing_currency": names.text("currency"),
            "billing_period_start": "timestamp '2026-10-01'",
            "billing_period_end": "timestamp '2026-11-01'",
            "charge_period_start": "timestamp '2026-10-03'",
            "charge_period_end": "timestamp '2026-10-04'",
            "charge_category": "'Usage'",
            "billed_cost": cost,
            "effective_cost": cost,
            "provider_name": "'Cloud'",
            "service_name": "'Service'",
        },
        cost=cost,
        rules=(*has_number(names, "cost"), *in_currency(names, "USD", "currency")),
    )


def chunks(*contents: bytes) -> list[Parsed]:
    pages = [LandedPage(f"part-{n}", f"{n:064x}", Bytes(content)) for n, content in enumerate(contents)]
    return list(parse_bill(Bill(SourceSettings(name="cloud", kind="cloud"), OCTOBER, pages, shape)))


def test_refused_lines_come_in_bounded_chunks_and_each_comes_once() -> None:
    parsed = chunks(HEADER + DOLLARS + UNREADABLE * 25_000, HEADER + SHORT * 25_000 + DOLLARS)
    assert max(len(chunk.rejects) for chunk in parsed) == 10_000
    rejects = [reject for chunk in parsed for reject in chunk.rejects]
    for reason in ("unreadable_number", "malformed_record"):  # the two files come in turn
        assert [reject.row for reject in rejects if reject.reason == reason] == list(range(2, 25_002))
    assert len(rejects) == 50_000
    assert {reject.reason for reject in rejects} == {"unreadable_number", "malformed_record"}
    assert sum(chunk.rows.num_rows for chunk in parsed) == 2
    assert not parsed[-1].is_final


def test_the_memory_that_refused_lines_take_does_not_grow_with_their_number() -> None:
    def peak(count: int) -> int:
        page = LandedPage("part", f"{1:064x}", Bytes(HEADER + DOLLARS + UNREADABLE * count))
        tracemalloc.start()
        for _ in parse_bill(Bill(SourceSettings(name="cloud", kind="cloud"), OCTOBER, [page], shape)):
            pass
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    assert peak(80_000) < 1.5 * peak(40_000)


def test_a_bill_that_is_all_in_another_currency_is_an_error_of_the_settings() -> None:
    with pytest.raises(
        SourceError, match=r"part-0: all of its first 20,000 lines are in 'EUR' \(column currency\)"
    ) as told:
        chunks(HEADER + EUROS * 20_000, HEADER + DOLLARS)
    assert "the setting `currency` of this source is 'USD'" in str(told.value)


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        (
            [HEADER + EUROS * 4_000] * 3,
            r"part-0 and 2 more of the delivery's files: all of their first 12,000 lines are in 'EUR'",
        ),
        ([HEADER, HEADER + EUROS * 12_000], r"part-1: all of its first 12,000 lines are in 'EUR' \(column currency\)"),
        (
            [HEADER + EUROS, HEADER + EUROS * 12_000],
            r"part-0 and 1 more of the delivery's files: all of their first 12,001 lines",
        ),
    ],
)
def test_a_delivery_of_small_files_that_all_are_in_another_currency_is_one_too(
    contents: list[bytes], told: str
) -> None:
    with pytest.raises(SourceError, match=told):
        chunks(*contents)


@pytest.mark.parametrize(
    "contents",
    [
        [HEADER + EUROS * 100],
        [HEADER + DOLLARS, HEADER + EUROS * 12_000],
        [HEADER + EUROS * 12_000 + DOLLARS],
        [HEADER + EUROS * 6_000, HEADER + DOLLARS, HEADER + EUROS * 6_000],
        [HEADER + EUROS * 4_000, HEADER + EUROS * 5_999],
    ],
)
def test_lines_in_another_currency_among_others_are_refused_one_by_one(contents: list[bytes]) -> None:
    rejects = [reject for chunk in chunks(*contents) for reject in chunk.rejects]
    assert len(rejects) == sum(content.count(EUROS) for content in contents)
    assert {(reject.reason, reject.cost, reject.currency) for reject in rejects} == {
        ("wrong_currency", Decimal("1.5"), "EUR")
    }


def test_lines_that_break_another_rule_are_no_matter_of_the_currency() -> None:
    rejects = [reject for chunk in chunks(HEADER + UNREADABLE * 12_000) for reject in chunk.rejects]
    assert {(reject.reason, reject.cost) for reject in rejects} == {("unreadable_number", None)}
    assert len(rejects) == 12_000
