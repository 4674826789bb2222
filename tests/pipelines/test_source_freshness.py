"""What a report says of a source follows from all its days."""

from datetime import date, timedelta

import polars as pl
import pytest

from models.frames import frame_of
from pipelines.night.snapshot import PeriodView, source_freshness
from tests.sql.golden import filled

MONTH = date(2026, 10, 1)


def told(*statuses: str) -> str:
    rows = [
        {"x_source": "gateway", "x_account": "default", "fact": "gateway_requests", "status": status}
        | {"slice_date": str(MONTH + timedelta(days=number)), "delivery_id": "d"}
        for number, status in enumerate(statuses)
    ]

    def frame(name: str, *rows: dict[str, str]) -> pl.DataFrame:
        return frame_of(filled(name, list(rows)))

    view = PeriodView(
        period=MONTH,
        number=1,
        chargeback=frame("chargeback"),
        previous=frame("chargeback"),
        gpu=frame("gpu_waste"),
        reconciliation=frame("reconciliation_summary"),
        freshness=frame("freshness", *rows),
        restatements=frame("restatements"),
    )
    (line,) = source_freshness(view, MONTH + timedelta(days=len(statuses) - 1))
    return line.status


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
    assert told(*statuses) == expected
