"""Which slices a day is built from: what lies before it, and what comes after it and belongs to it."""

from datetime import date

import pytest

from contracts import contract
from pipelines.night.stale import input_range

DAY = date(2026, 10, 5)


@pytest.mark.parametrize(
    ("output", "table", "first", "end"),
    [
        ("outcome_cohorts", "outcome_traces", DAY, date(2026, 10, 6)),
        ("outcome_cohorts", "outcome_shares", date(2026, 10, 4), date(2026, 11, 10)),  # 35 days later, included
        ("outcome_shares", "outcome_traces", date(2026, 8, 31), date(2026, 10, 7)),
        ("outcome_events", "outcomes", date(2026, 8, 31), date(2026, 11, 10)),
        ("request_defects", "day_ends", date(2026, 10, 4), date(2026, 10, 6)),
    ],
)
def test_a_day_reads_as_far_before_and_after_it_as_its_contract_says(
    output: str, table: str, first: date, end: date
) -> None:
    assert input_range(contract(output), contract(table), DAY) == (first, end)
