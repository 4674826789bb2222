"""A locked month and its adjustments are the month as it would be posted today, whatever happened in between."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from models.adjustments import adjust, unadjusted
from models.frames import schema_of

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
ACCOUNTS = ["team:search", "team:support", "residual:unallocated"]


def journal(*rows):
    """Postings at rest: (charge group, account, effective cost) with whatever else a test cares about."""
    frame = []
    for number, (group, account, cost, *rest) in enumerate(rows):
        row = dict.fromkeys(schema_of("postings")) | {
            "posting_id": str(number),
            "billing_period": OCTOBER,
            "charge_date": date(2026, 10, 5),
            "charge_group_id": group,
            "step": 2,
            "rule_id": "r",
            "rule_kind": "direct",
            "from_account": "pool:charges",
            "to_account": account,
            "effective_cost": Decimal(cost),
            "billed_cost": Decimal(cost),
            "billing_currency": "USD",
            "team_id": account.removeprefix("team:") if account.startswith("team:") else None,
            "provider_name": "AWS",
            "service_name": "EC2",
            "cost_kind": "other",
            "is_final_account": not account.startswith("pool:"),
        }
        frame.append(row | (rest[0] if rest else {}))
    return pl.DataFrame(frame, schema=schema_of("postings"), orient="row")


def none():
    return pl.DataFrame(schema=schema_of("adjustments"))


def told(frame):
    resting = frame.filter(pl.col("is_final_account")).sort("to_account", "charge_date")
    return list(resting.select("billing_period", "to_account", "cause", "effective_cost").iter_rows())


def test_usage_that_arrives_after_its_month_is_locked_keeps_its_day_and_stands_in_the_open_month():
    late = {"charge_date": date(2026, 10, 31)}
    locked = journal(("a", "team:search", "10"))
    restated = journal(("a", "team:search", "10"), ("late", "team:search", "412", late))
    found = adjust(posted_in=NOVEMBER, locked=locked, restated=restated, posted=none())
    rows = found.select("step", "billing_period", "corrected_period", "charge_date", "effective_cost", "cause").rows()
    expected = (NOVEMBER, OCTOBER, date(2026, 10, 31), Decimal(412), "bill_restated")
    assert sorted(rows) == [(1, *expected), (2, *expected)]
    assert found.sort("step")["from_account"].to_list() == ["bill:AWS", "pool:adjustments"]


def test_the_cause_is_the_allocation_where_the_bill_is_what_it_was():
    locked = journal(("a", "team:search", "10"), ("b", "team:search", "5"))
    restated = journal(("a", "team:support", "10"), ("b", "team:search", "7"))
    found = adjust(posted_in=NOVEMBER, locked=locked, restated=restated, posted=none())
    assert sorted(told(found)) == [
        (NOVEMBER, "team:search", "bill_restated", Decimal(2)),
        (NOVEMBER, "team:search", "reallocated", Decimal(-10)),
        (NOVEMBER, "team:support", "reallocated", Decimal(10)),
    ]


def test_a_bill_whose_lines_only_got_their_invoice_is_no_adjustment():
    locked, restated = journal(("before", "team:search", "10")), journal(("after", "team:search", "10"))
    assert adjust(posted_in=NOVEMBER, locked=locked, restated=restated, posted=none()).is_empty()


amounts = st.integers(-(10**24), 10**24).map(lambda units: Decimal(units).scaleb(-12))
journals = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(ACCOUNTS), amounts), max_size=8).map(
    lambda rows: journal(*rows)
)


def sums(*frames):
    """By account, in plain decimals of as many digits as it takes."""
    found = defaultdict(int)
    for frame in frames:
        for account, cost in (
            frame.filter(pl.col("is_final_account")).select("to_account", "effective_cost").iter_rows()
        ):
            found[account] += int(cost.scaleb(12))
    return {account: units for account, units in found.items() if units}


@settings(max_examples=60, deadline=None)
@given(journals, st.lists(journals, min_size=1, max_size=4))
def test_after_any_restatements_and_locks_the_locked_month_and_its_adjustments_are_what_is_known_now(locked, versions):
    posted = [none()]
    months = [date(2026 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(len(versions))]
    for month, version in zip(months, versions, strict=True):  # each month is locked before the next is learned of
        found = adjust(posted_in=month, locked=locked, restated=version, posted=pl.concat(posted))
        again = adjust(posted_in=month, locked=locked, restated=version.reverse(), posted=pl.concat(posted).reverse())
        assert found.equals(again)  # the order of rows, and doing it twice, change nothing
        posted.append(found)
        everything = pl.concat(posted)
        assert sums(locked, everything) == sums(version)
        assert unadjusted(locked, version, everything).is_empty()
        assert sum(int(row.scaleb(12)) for row in found.filter(pl.col("step") == 1)["effective_cost"]) == sum(
            int(row.scaleb(12)) for row in found.filter(pl.col("step") == 2)["effective_cost"]
        )
    # the months between, left open, come to one adjustment of the same sum: incremental is full
    whole = adjust(posted_in=DECEMBER, locked=locked, restated=versions[-1], posted=none())
    assert sums(whole) == sums(*posted)


def test_a_lost_adjustment_is_found():
    locked, restated = journal(("a", "team:search", "10")), journal(("a", "team:search", "9.5"))
    (row,) = unadjusted(locked, restated, none()).to_dicts()
    assert (row["to_account"], row["effective_difference"]) == ("team:search", Decimal("0.5"))
