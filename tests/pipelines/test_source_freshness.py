"""What a report says of a source follows from all its days."""

from datetime import date, timedelta

import polars as pl
import pytest

from models.frames import frame_of
from pipelines.night.snapshot import PeriodView, source_freshness
from reports.given import SourceFreshness
from tests.sql.golden import filled

MONTH = date(2026, 10, 1)


def told(*statuses: str, fact: str = "gateway_requests", delivery_id: str | None = "d") -> SourceFreshness:
    rows = [
        {"x_source": "gateway", "x_account": "default", "fact": fact, "status": status}
        | {"slice_date": str(MONTH + timedelta(days=number)), "delivery_id": delivery_id}
        for number, status in enumerate(statuses)
    ]

    def frame(name: str, *rows: dict[str, str | None]) -> pl.DataFrame:
        return frame_of(filled(name, list(rows)))

    view = PeriodView(
        period=MONTH,
        number=1,
        chargeback=frame("chargeback"),
        previous=frame("chargeback"),
        gpu=frame("gpu_waste"),
        reconciliation=frame("reconciliation_summary"),
        causes=frame("reconciliation_by_cause"),
        freshness=frame("freshness", *rows),
        restatements=frame("restatements"),
    )
    (line,) = source_freshness(view, MONTH + timedelta(days=len(statuses) - 1))
    return line


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("empty", "committed", "unchanged"), "committed"),
        (("empty", "unchanged"), "unchanged"),
        (("empty", "empty"), "empty"),
        (("committed", "failed", "empty"), "failed"),
        (("committed", "suspicious_growth"), "suspicious_growth"),
    ],
)
def test_a_source_had_nothing_to_deliver_only_if_no_day_brought_any(statuses: tuple[str, ...], expected: str) -> None:
    assert told(*statuses).status == expected


@pytest.mark.parametrize(
    ("fact", "delivery_id", "is_awaited"),
    [
        ("charges", None, True),
        ("charges", "d", False),  # what arrived once counts, whatever became of the last attempt
        ("gateway_requests", None, True),
        ("sku_prices", None, False),  # no cost is made from a list of prices
    ],
)
def test_a_source_is_awaited_while_costs_wait_for_its_first_delivery(
    fact: str, delivery_id: str | None, is_awaited: bool
) -> None:
    assert told("failed", fact=fact, delivery_id=delivery_id).is_awaited == is_awaited
