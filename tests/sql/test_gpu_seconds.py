"""GPU seconds under any samples whatever: they sum to the bill, and a day is the same however many are built."""

from collections import Counter
from datetime import date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import contract
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import MIDNIGHT, Row, allocation, billed, sample, sighting, states

TABLE = contract("gpu_states_hourly")
RATIO = st.none() | st.sampled_from([0.0, 0.01, 0.049, 0.05, 0.5, 0.8, 1.0])

samples_of_a_node = st.lists(
    st.builds(
        lambda offset, gpu, instance, namespace, pod, ratio, util, xid: sample(
            MIDNIGHT + timedelta(milliseconds=offset),
            gpu_uuid=gpu,
            gpu_instance_id=instance[0],
            mig_profile=instance[1],
            namespace=namespace,
            pod=pod if namespace else "",
            sm_active_ratio=ratio,
            gpu_util_ratio=util,
            xid_code=xid,
        ),
        st.integers(0, 3 * 3600 * 1000),
        st.sampled_from(["GPU-a", "GPU-b", "GPU-c"]),
        st.sampled_from([("", None), ("", None), ("1", "1g.10gb"), ("2", "3g.40gb"), ("3", None)]),
        st.sampled_from(["", "search", "chat"]),
        st.sampled_from(["pod-1", "pod-2", "pod-3"]),
        RATIO,
        RATIO,
        st.none() | st.sampled_from([13, 79]),
    ),
    max_size=60,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples_of_a_node, st.integers(1, 4), st.lists(st.integers(1, 3600), min_size=4, max_size=4))
def test_every_billed_gpu_second_is_in_exactly_one_state(
    duckdb_engine: DuckDBEngine, samples: list[Row], gpu_count: int, seconds: list[int]
) -> None:
    hours = [billed(MIDNIGHT + timedelta(hours=n), gpu_count, length) for n, length in enumerate(seconds)]
    sums: Counter[datetime] = Counter()
    finer_sums: Counter[datetime] = Counter()
    rows = states(duckdb_engine, samples, hours)
    for row in rows:
        sums[row["hour_start"]] += row["state_seconds"]
        finer_sums[row["hour_start"]] += row["state_microseconds"]
        assert row["state_microseconds"] > 0
        assert 0 <= row["under_used_seconds"] <= row["state_seconds"]
        assert 0 <= row["under_used_microseconds"] <= row["state_microseconds"]
        assert abs(row["state_microseconds"] - row["state_seconds"] * 10**6) < 10**6
    assert finer_sums == {hour: length * 10**6 for hour, length in sums.items()}
    assert sums == {hour["hour_start"]: hour["billed_seconds"] * gpu_count for hour in hours}
    keys = [tuple(row[name] for name in TABLE.key) for row in rows]
    assert len(set(keys)) == len(keys)


allocations_of_a_node = st.lists(
    st.builds(
        lambda span, pod, gpus, profile, shared: allocation(
            min(span),
            max(span) + 0.01,
            pod=pod,
            allocated_gpus=gpus,
            mig_profile=profile,
            is_shared=shared,
        ),
        st.tuples(st.floats(0, 4), st.floats(0, 4)),
        st.sampled_from(["pod-1", "pod-2", "pod-9"]),
        st.sampled_from(["1", "2", "0.5", "7"]),
        st.sampled_from([None, None, "1g.10gb", "3g.40gb"]),
        st.booleans(),
    ),
    max_size=8,
)
sightings_of_a_node = st.lists(
    st.builds(
        lambda span, cordoned, replicas: sighting(
            min(span), max(span) + 0.01, is_cordoned=cordoned, gpu_replicas=replicas
        ),
        st.tuples(st.floats(0, 4), st.floats(0, 4)),
        st.booleans(),
        st.sampled_from([None, 4]),
    ),
    max_size=3,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples_of_a_node, allocations_of_a_node, sightings_of_a_node, st.integers(1, 3))
def test_whatever_the_scheduler_says_no_second_is_lost_or_told_twice(
    duckdb_engine: DuckDBEngine, samples: list[Row], held: list[Row], seen: list[Row], gpu_count: int
) -> None:
    hours = [billed(MIDNIGHT + timedelta(hours=n), gpu_count) for n in range(4)]
    rows = states(duckdb_engine, samples, hours, gpu_allocations=held, node_sightings=seen)
    sums: Counter[datetime] = Counter()
    for row in rows:
        sums[row["hour_start"]] += row["state_seconds"]
        assert 0 <= row["under_used_seconds"] <= row["state_seconds"]
        assert 0 <= row["observed_seconds"] <= row["state_seconds"]
    assert sums == {hour["hour_start"]: 3600 * gpu_count for hour in hours}
    for name in ("gpu_states_hourly", "gpu_stretches", "gpu_runs", "gpu_held", "gpu_shares", "gpu_targets"):
        found = duckdb_engine.read(name).to_pylist()
        keys = [tuple(row[column] for column in contract(name).key) for row in found]
        assert len(set(keys)) == len(keys), name


def test_a_day_is_the_same_whether_it_is_built_alone_or_in_a_month(duckdb_engine: DuckDBEngine) -> None:
    days = [date(2026, 2, 1) + timedelta(days=n) for n in range(6)]
    samples = [
        # an irregular log: its rate changes by day, it has gaps over midnight, and a GPU comes late
        sample(
            datetime.combine(day, datetime.min.time()) + timedelta(seconds=step * (47 + 13 * number)),
            gpu_uuid=gpu,
            sm_active_ratio=0.01 if (step // 20) % 2 else 0.6,
        )
        for number, day in enumerate(days)
        for gpu in (["GPU-a"] if number < 3 else ["GPU-a", "GPU-b"])
        for step in range(86400 // (47 + 13 * number) - number * 7)
    ]
    hours = [
        billed(datetime.combine(day, datetime.min.time()) + timedelta(hours=hour), 2, 3600)
        for day in days
        for hour in range(24)
    ]
    together = states(duckdb_engine, samples, hours)
    for day in days:
        near = [row for row in samples if abs((row["sample_date"] - day).days) <= contract("gpu_stretches").neighbours]
        alone = states(duckdb_engine, near, [hour for hour in hours if hour["usage_date"] == day])
        assert sorted(map(repr, alone)) == sorted(repr(row) for row in together if row["usage_date"] == day)
