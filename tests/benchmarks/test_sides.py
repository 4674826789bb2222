"""The sides of every benchmark do the same work over the same files: what is compared is not another question.

Nothing is timed here.
"""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import (
    decision_lake,
    decision_rows,
    decisions,
    gateway_payloads,
    gpu_log,
    gpu_states,
    heavy_path,
    ledger,
    litellm_payloads,
    native_bills,
    report_rows,
)
from benchmarks.token_log import write_log


def test_a_priced_log_is_the_same_by_hand_through_the_engine_and_in_the_whole_night(tmp_path: Path) -> None:
    log, spill = tmp_path / "log", str(tmp_path / "spill")
    write_log(log, 6_000)
    heavy_path.write_price_book(log)
    for side in heavy_path.SIDES.values():
        side(log, spill)
    assert [heavy_path.differing_rows(log, side) for side in ("engine", "reconciled")] == [0, 0]


def test_states_of_gpus_sum_to_the_billed_seconds(tmp_path: Path) -> None:
    gpu_log.write_samples(tmp_path, 16, 2)
    pq.write_table(gpu_log.billed_hours(16, 2), tmp_path / "gpu_billed_hours.parquet")
    for side in gpu_states.SIDES.values():
        side(tmp_path, str(tmp_path))
    assert gpu_states.unexplained_seconds(tmp_path) == 0
    assert pq.read_metadata(tmp_path / "hand.parquet").num_rows == 16 * 48


@pytest.mark.parametrize(
    ("kind", "write"), [("parquet", report_rows.write_parquet), ("csv", report_rows.write_csv)], ids=["parquet", "csv"]
)
def test_a_report_is_read_whole_by_every_side(
    tmp_path: Path, kind: str, write: Callable[[Path, int, int], None]
) -> None:
    write(tmp_path / kind, 400, 2)
    for name, (of_kind, _, run) in native_bills.SIDES.items():
        if of_kind == kind:
            (tmp_path / name).mkdir()
            run(tmp_path / kind, tmp_path / name)


def test_payloads_are_counted_alike_by_every_side(tmp_path: Path) -> None:
    gateway_payloads.write(tmp_path, 300)
    assert {name: run(tmp_path) for name, (_, run) in litellm_payloads.SIDES.items()} == dict.fromkeys(
        litellm_payloads.SIDES, 300
    )


def test_a_month_of_the_ledger_comes_to_the_bill_exactly_and_by_hand_nearly(tmp_path: Path) -> None:
    billed = ledger.write_month(tmp_path, days=2, teams=30, models=2, users=10)
    for side in ledger.SIDES.values():
        side(tmp_path, str(tmp_path))
    assert ledger.resting_units(tmp_path, "ledger") == billed
    assert abs(ledger.resting_units(tmp_path, "by_hand") - billed) < 1000


@pytest.mark.parametrize(
    ("row_count", "seconds", "cpu_seconds", "said"),
    [
        (10_000_000, 10.0, 30.0, "300 processor seconds at full use of 2 cores and 135 on one:\n285 s at least"),
        (10_000_000, 10.0, 30.0, "the bar of 300 s is\nundecided"),
        (10_000_000, 10.0, 32.0, "the bar of 300 s is\nmissed"),  # 160 and 144 are 304
        (100_000_000, 30.0, 30.0, "the bar of 300 s is\nkept"),
        (100_000_000, 30.1, 30.0, "the bar of 300 s is\nundecided"),  # ten sides
    ],
)
def test_seconds_that_nobody_measured_keep_no_bar(
    row_count: int, seconds: float, cpu_seconds: float, said: str
) -> None:
    side = {"seconds": seconds, "cpu_seconds": cpu_seconds, "gib": 2.0}
    least = {"seconds": seconds, "cpu_seconds": cpu_seconds / 2, "gib": 2.0}
    text, is_none_missed = decisions.report(
        row_count, {name: side if name in ("hand", "requests") else least for name in decisions.SIDES}
    )
    assert said in text.replace(", extrapolated from 10,000,000 requests by their number", "")
    assert is_none_missed == ("missed" not in said)


def test_every_decision_finds_something_in_the_rows_it_is_measured_on(tmp_path: Path) -> None:
    decision_rows.write_all(tmp_path / "rows", 900, teams=2, models=2, days=120, machines=2)
    decision_lake.write_lake(tmp_path / "rows", teams=2, models=2)
    for side in decisions.SIDES.values():
        side(tmp_path / "rows", str(tmp_path))
    found = ("request_shapes-0", "avoidable_requests-0", "found-savings", "found-anomalies", "found-forecasts")
    assert all(pq.read_metadata(tmp_path / "rows" / f"{name}.parquet").num_rows for name in found)
    advised = pq.read_table(tmp_path / "rows" / "found-commitments.parquet")["advised_machines"].to_pylist()
    assert len(advised) == 6  # three terms for each of two machine types
    assert all(advised)
    counts = decision_lake.row_counts(tmp_path / "rows")
    assert all(counts.values()), counts
    assert (counts["verified_savings"], counts["budget_status"] % 2) == (2, 0)  # a change and a budget of each team
