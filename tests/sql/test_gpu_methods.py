"""What samples say of a GPU's time, worked out by hand or simulated second by second: idle, under-used, unknown."""

import math
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import (
    MIDNIGHT,
    Row,
    allocation,
    at,
    billed_day,
    built,
    sample,
    samples,
    seconds,
    states,
)

DAY = 86400


def test_a_run_that_is_cut_into_pieces_leaves_as_many_seconds_unfilled(duckdb_engine: DuckDBEngine) -> None:
    # all but a second below full activity, cut wherever holders of another GPU of the node come and go
    beside = [allocation(n / 60, (n + 1) / 60, pod=f"p-{n}") for n in range(0, 60, 7)]
    run = {
        "usage_date": at(0).date(),
        "cluster": "prod",
        "hostname": "node-1",
        "gpu_uuid": "GPU-a",
        "gpu_instance_id": "",
        "mig_profile": "",
        "gpu_index": None,
        "gpu_model_name": None,
        "tells_holders": True,
        "holders": "search/pod-1",
        "activity_state": "busy",
        "metric_used": "m",
        "started_at": at(0),
        "ended_at": at(1),
        "unfilled_seconds": 3599,
        "unfilled_ppm_seconds": 3599 * 999_983,
    }
    rows = built(duckdb_engine, "gpu_pieces", gpu_runs=[run], gpu_allocations=beside)
    own = [row for row in rows if row["gpu_uuid"] == "GPU-a"]
    assert len(own) > 15
    assert sum(row["unfilled_seconds"] for row in own) == 3599
    assert sum(row["unfilled_ppm_seconds"] for row in own) == 3599 * 999_983
    assert all(row["unfilled_seconds"] <= row["end_second"] - row["start_second"] for row in own)


def test_a_square_wave_of_half_its_time_is_idle_for_exactly_half(duckdb_engine: DuckDBEngine) -> None:
    wave = [row for n in range(0, 24, 2) for row in (*samples(n, n + 1, sm_active_ratio=0.9), *samples(n + 1, n + 2))]
    rows = states(
        duckdb_engine, [row | {"sm_active_ratio": row.get("sm_active_ratio", 0.0)} for row in wave], billed_day()
    )
    # the last sample of the day holds for three minutes, of which two fall into the next day
    assert seconds(rows, "state") == {"effective": DAY // 2, "allocated_idle": DAY // 2}


def test_a_gap_of_two_hours_is_7200_unknown_seconds_but_for_what_the_last_sample_holds(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        [*samples(0, 10, sm_active_ratio=0.9), *samples(12, 24, sm_active_ratio=0.9)],
        billed_day(),
    )
    # the sample before the gap holds for three times its minute, one of which it had anyhow
    assert seconds(rows, "state") == {"unknown": 7200 - 120, "effective": DAY - 7200 + 120}
    assert sum(row["observed_seconds"] for row in rows) == DAY - 7080


def test_ten_silent_hours_are_unknown_and_name_their_holder_where_the_scheduler_does(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        [*samples(0, 4, sm_active_ratio=0.9), *samples(14, 24, sm_active_ratio=0.9)],
        billed_day(),
        gpu_allocations=[allocation(0, 24)],
    )
    assert seconds(rows, "state", "pod", "holder_source") == {
        ("effective", "pod-1", "exporter_label"): DAY - 36000 + 120,
        ("unknown", "pod-1", "exporter_label"): 36000 - 120,
    }


def test_full_utilisation_with_one_busy_sm_is_under_used_by_99_percent_and_not_idle(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(duckdb_engine, samples(0, 24, sm_active_ratio=0.0076, gpu_util_ratio=1.0), billed_day())
    assert seconds(rows, "state") == {"under_used": DAY}
    # 1 - 0.0076 / 0.8 = 0.9905: 3565.8 seconds of each hour
    assert sum(row["under_used_seconds"] for row in rows) == 24 * 3566


def test_repeated_and_disordered_samples_count_once(duckdb_engine: DuckDBEngine) -> None:
    day = samples(0, 24.01, sm_active_ratio=0.9)
    shuffled = [*day, *day[100:700], *(row | {"x_row": 2} for row in day[300:400])]
    random.Random(5).shuffle(shuffled)
    assert seconds(states(duckdb_engine, shuffled, billed_day()), "state") == {"effective": DAY}


def test_blank_metrics_are_unknown_and_neither_idle_nor_busy(duckdb_engine: DuckDBEngine) -> None:
    # what a connector makes of a sentinel or of 127 percent is NULL
    assert seconds(states(duckdb_engine, samples(0, 24.01), billed_day()), "state", "metric_used") == {
        ("unknown", None): DAY
    }


def test_a_video_engine_at_work_is_activity(duckdb_engine: DuckDBEngine) -> None:
    rows = states(duckdb_engine, samples(0, 24.01, sm_active_ratio=0.0, encoder_active_ratio=0.4), billed_day())
    assert seconds(rows, "state") == {"under_used": DAY}
    assert sum(row["under_used_seconds"] for row in rows) == DAY // 2


DEFAULT_COUNTERS = ["gr_engine_active_ratio", "dram_active_ratio", "tensor_active_ratio", "gpu_util_ratio"]
ENGINE = "gr_engine_dram_tensor_active_ratio"


@pytest.mark.parametrize(
    ("told", "state", "metric", "under_used"),
    [
        # SMs did not work for more than 0.40 of the time: 1 - 0.4 / 0.8 is the least that was left
        ((0.40, 0.02, 0.0, 0.45), "under_used", ENGINE, DAY // 2),
        # the engine never rested, were it for one SM: neither effective nor under-used, and not idle
        ((1.0, 0.04, 0.0, 1.0), "unknown", ENGINE, 0),
        ((0.80, 0.30, 0.20, 0.95), "unknown", ENGINE, 0),
        # memory at its practical peak is work that fills the GPU, whatever the SMs did
        ((1.0, 0.80, 0.0, 1.0), "effective", ENGINE, 0),
        # an engine at rest proves that the SMs rest
        ((0.04, 0.02, 0.0, 0.05), "allocated_idle", ENGINE, 0),
        # memory alone proves nothing of SMs, however still it is
        ((None, 0.0, None, 0.30), "unknown", None, 0),
        ((None, 0.0, None, 0.0), "allocated_idle", "gpu_util_ratio", 0),
        ((None, 0.30, None, None), "unknown", "dram_active_ratio", 0),
        ((0.40, None, None, None), "under_used", "gr_engine_active_ratio", DAY // 2),
        ((None, None, None, 0.60), "unknown", "gpu_util_ratio", 0),
        ((None, None, None, 0.30), "unknown", None, 0),
    ],
)
def test_an_exporter_that_measures_no_sms_proves_only_what_bounds_them(
    told: tuple[float | None, ...], state: str, metric: str | None, under_used: int, duckdb_engine: DuckDBEngine
) -> None:
    given = samples(0, 24.01, every=120, **dict(zip(DEFAULT_COUNTERS, told, strict=True)))
    rows = states(duckdb_engine, given, billed_day())
    assert seconds(rows, "state", "metric_used", "pod") == {(state, metric, "pod-1"): DAY}
    assert sum(row["under_used_seconds"] for row in rows) == under_used


def test_a_weak_metric_hides_behind_no_better_one_of_its_hour(duckdb_engine: DuckDBEngine) -> None:
    hour = [*samples(0, 0.9, gpu_util_ratio=0.0), *samples(0.9, 1, sm_active_ratio=0.0)]
    rows = states(duckdb_engine, hour, billed_day()[:1])
    assert seconds(rows, "state", "metric_used") == {
        ("allocated_idle", "gpu_util_ratio"): 54 * 60,
        ("allocated_idle", "sm_active_ratio"): 6 * 60,
    }


def square(second: int) -> bool:
    return (second // 1800) % 2 == 0


def bursts(second: int) -> bool:
    drawn = random.Random(second // 1200)
    return drawn.random() < 0.4


@pytest.mark.parametrize("is_busy", [square, bursts])
def test_idle_fractions_at_a_minute_are_within_a_hundredth_of_the_truth(
    duckdb_engine: DuckDBEngine, is_busy: Callable[[int], bool]
) -> None:
    # twelve GPUs whose minutes begin at other seconds, with two silent hours that nobody is asked about
    errors: list[float] = []
    rows: list[Row] = []
    for gpu in range(12):
        for second in range(5 * gpu, DAY, 60):
            if not 36000 <= second < 43200:
                ratio = 0.9 if is_busy(second + 977 * gpu) else 0.0
                rows.append(
                    sample(MIDNIGHT + timedelta(seconds=second), gpu_uuid=f"GPU-{gpu:02}", sm_active_ratio=ratio)
                )
    found = seconds(states(duckdb_engine, rows, billed_day(gpu_count=12)), "gpu_uuid", "state")
    for gpu in range(12):
        truth = idle_truth([is_busy(second + 977 * gpu) for second in range(DAY)])
        asked = [idle for second, idle in enumerate(truth) if not 36000 <= second < 43200]
        uuid = f"GPU-{gpu:02}"
        known = DAY - found[uuid, "unknown"]
        errors.append(found[uuid, "allocated_idle"] / known - sum(asked) / len(asked))
    assert math.sqrt(sum(error**2 for error in errors) / len(errors)) < 0.01


@pytest.mark.parametrize(("burst", "rest"), [(30, 1200), (120, 300), (600, 2400)])
def test_time_below_the_threshold_is_within_a_hundredth_however_short_the_bursts(
    duckdb_engine: DuckDBEngine, burst: int, rest: int
) -> None:
    # bursts and rests of exponential length, also far shorter than a sample's minute; two hours are silent
    rows: list[Row] = []
    truths: list[float] = []
    for gpu in range(12):
        drawn = random.Random(gpu)
        busy: list[bool] = []
        while len(busy) < DAY:
            busy += [False] * math.ceil(drawn.expovariate(1 / rest)) + [True] * math.ceil(drawn.expovariate(1 / burst))
        known = [second for second in range(DAY) if not 36000 <= second < 43200]
        truths.append(sum(not busy[second] for second in known) / len(known))
        rows += [
            sample(
                MIDNIGHT + timedelta(seconds=second),
                gpu_uuid=f"GPU-{gpu:02}",
                sm_active_ratio=0.9 if busy[second] else 0.0,
            )
            for second in known
            if second % 60 == 5 * gpu
        ]
    seen: Counter[tuple[str, str]] = Counter()
    for run in built(duckdb_engine, "gpu_runs", gpu_samples=rows):
        length = int((run["ended_at"] - run["started_at"]).total_seconds())
        seen[run["gpu_uuid"], run["activity_state"]] += length
    errors: list[float] = []
    for gpu, truth in enumerate(truths):
        lull, work = (seen[f"GPU-{gpu:02}", state] for state in ("lull", "busy"))
        errors.append(lull / (lull + work) - truth)
    assert math.sqrt(sum(error**2 for error in errors) / len(errors)) < 0.01


def idle_truth(busy: list[bool]) -> list[bool]:
    """Which seconds lie in a lull of at least 15 minutes."""
    idle = [False] * len(busy)
    start = 0
    for second in range(1, len(busy) + 1):
        if second == len(busy) or busy[second] != busy[start]:
            if not busy[start] and second - start >= 900:
                idle[start:second] = [True] * (second - start)
            start = second
    return idle


def test_training_may_rest_for_half_an_hour_and_a_service_for_a_quarter(duckdb_engine: DuckDBEngine) -> None:
    lull = [
        *samples(0, 2, sm_active_ratio=0.9),
        *samples(2, 2.4, sm_active_ratio=0.0),
        *samples(2.4, 24.01, sm_active_ratio=0.9),
    ]
    service = states(duckdb_engine, lull, billed_day())
    job = [allocation(0, 24, workload_kind="PyTorchJob", workload_name="train")]
    training = states(duckdb_engine, lull, billed_day(), gpu_allocations=job)
    assert seconds(service, "state") == {"effective": DAY - 1440, "allocated_idle": 1440}
    assert seconds(training, "state") == {"effective": DAY - 1440, "under_used": 1440}
