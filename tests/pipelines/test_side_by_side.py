"""Days that are built side by side are what they are one after the other, and an error leaves nothing open."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contracts import Contract, contract
from pipelines.engines import Engine
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.house import House, open_house, shared_memory
from pipelines.night import build as building
from pipelines.night.ahead import AT_ONCE, computed
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

FIRST, DAYS = date(2026, 10, 1), 5


def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_at_once: int) -> pa.Table:
    """The last seconds of five days of two attempts each, one of them in it."""
    monkeypatch.setattr(building, "ROWS_AT_ONCE", rows_at_once)
    write_company(tmp_path)
    last = FIRST + timedelta(days=DAYS - 1)
    with open_house(tmp_path / "farthing.yml", "run-1") as house:
        for number in range(DAYS):
            day = FIRST + timedelta(days=number)
            given = {"usage_date": day, "x_slice_date": day, "x_source": "log", "input_total_tokens": 10 + number}
            given |= {"output_total_tokens": 1, "is_cache_hit": False}
            starts = (datetime(day.year, day.month, day.day, 12), datetime(day.year, day.month, day.day, 23, 59, 59))
            rows = [given | {"x_row": row, "started_at": at, "request_id": f"{row}"} for row, at in enumerate(starts)]
            house.lake.replace_slice("gateway_requests", day, "log", filled("gateway_requests", rows), f"{day!s:0<32}")
        assert building.build(house, contract("day_ends"), FIRST, last).row_count == DAYS
        return house.lake.read("day_ends").sort_by("usage_date")


def test_days_side_by_side_are_the_days_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together, apart = tmp_path / "together", tmp_path / "apart"
    together.mkdir()
    apart.mkdir()
    found = built(apart, monkeypatch, 1)
    assert found["input_total_tokens"].to_pylist() == [10, 11, 12, 13, 14]
    assert found.equals(built(together, monkeypatch, 1000))


def test_a_batch_that_fails_fails_the_build_and_closes_every_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    closed: list[str] = []
    make, rows, close = DuckDBEngine.__init__, DuckDBEngine.rows, DuckDBEngine.close

    def opening(engine: DuckDBEngine, memory_limit: str, temp_directory: str) -> None:
        opened.append(temp_directory)
        make(engine, memory_limit, temp_directory)
        engine.__dict__["folder"] = temp_directory

    def failing(engine: DuckDBEngine, table: Contract) -> pa.Table:
        if table.table == "day_ends" and opened.index(engine.__dict__["folder"]) == 1:
            raise RuntimeError("the second batch")
        return rows(engine, table)

    def closing(engine: DuckDBEngine) -> None:
        closed.append(engine.__dict__["folder"])
        close(engine)

    monkeypatch.setattr(DuckDBEngine, "__init__", opening)
    monkeypatch.setattr(DuckDBEngine, "rows", failing)
    monkeypatch.setattr(DuckDBEngine, "close", closing)
    with pytest.raises(RuntimeError, match="the second batch"):
        built(tmp_path, monkeypatch, 1)
    assert sorted(closed) == sorted(opened)
    assert not [folder for folder in opened if Path(folder).exists()]


def attempts(day: date) -> list[dict[str, Any]]:
    """A call that is logged twice with the same id, and one more."""
    given = {"usage_date": day, "x_slice_date": day, "x_source": "log", "is_cache_hit": False, "dedup_key": "a"}
    given |= {"input_total_tokens": 10, "output_total_tokens": 1, "started_at": datetime(day.year, day.month, day.day)}
    return [given | {"x_row": row, "request_id": name} for row, name in enumerate(("a", "a", "b"))]


def samples(day: date) -> list[dict[str, Any]]:
    """Three minutes of one GPU that is half full."""
    given = {"sample_date": day, "x_slice_date": day, "cluster": "prod", "hostname": "node-1", "gpu_uuid": "GPU-a"}
    given |= {"namespace": "search", "pod": "pod-1", "container": "c", "sm_active_ratio": 0.4, "gpu_instance_id": ""}
    return [given | {"sampled_at": datetime(day.year, day.month, day.day, 1, minute)} for minute in range(3)]


@pytest.mark.parametrize(
    ("output", "log", "rows_of", "temporaries"),
    [
        ("request_defects", "gateway_requests", attempts, {"suspect_requests", "repeated_requests"}),
        ("gpu_runs", "gpu_samples", samples, {"gpu_numbers", "gpu_holder_numbers", "gpu_doubles"}),
    ],
)
def test_what_a_batch_stands_on_is_computed_by_the_batch_and_nothing_by_who_reads_the_lake(
    output: str,
    log: str,
    rows_of: Callable[[date], list[dict[str, Any]]],
    temporaries: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computing: dict[str, set[threading.Thread]] = defaultdict(set)
    reading: set[threading.Thread] = set()
    build, rows, read = DuckDBEngine.build, DuckDBEngine.rows, building.register

    def watched_build(engine: DuckDBEngine, table: Contract) -> None:
        computing[table.table].add(threading.current_thread())
        build(engine, table)

    def watched_rows(engine: DuckDBEngine, table: Contract) -> pa.Table:
        computing[table.table].add(threading.current_thread())
        return rows(engine, table)

    def watched_read(house: House, engine: Engine, table: str, start: date, end: date) -> None:
        reading.add(threading.current_thread())
        read(house, engine, table, start, end)

    monkeypatch.setattr(building, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(DuckDBEngine, "build", watched_build)
    monkeypatch.setattr(DuckDBEngine, "rows", watched_rows)
    monkeypatch.setattr(building, "register", watched_read)
    write_company(tmp_path)
    days = [FIRST + timedelta(days=number) for number in range(3)]
    with open_house(tmp_path / "farthing.yml", "run-1") as house:
        for day in days:
            house.lake.replace_slice(log, day, "log", filled(log, rows_of(day)), f"{day!s:0<32}")
        building.build(house, contract(output), days[0], days[-1])
        found = house.lake.read(output)
        assert set(found["usage_date"].to_pylist()) == set(days)
    assert temporaries | {output} <= set(computing)
    assert reading == {threading.main_thread()}
    assert not [table for table, threads in computing.items() if threading.main_thread() in threads]


def test_what_was_computed_before_a_day_whose_inputs_cannot_be_read_is_in_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = building.register

    def failing(house: House, engine: Engine, table: str, start: date, end: date) -> None:
        if start == FIRST + timedelta(days=2):
            raise OSError("the third day")
        read(house, engine, table, start, end)

    monkeypatch.setattr(building, "register", failing)
    with pytest.raises(OSError, match="the third day"):
        built(tmp_path, monkeypatch, 1)
    with open_house(tmp_path / "farthing.yml", "run-2", writing=False) as house:
        assert sorted(house.lake.read("day_ends")["input_total_tokens"].to_pylist()) == [10, 11]


def test_jobs_that_were_computed_are_given_before_what_asking_for_the_next_one_raised() -> None:
    def jobs() -> Iterator[Callable[[], int]]:
        yield partial(int, 1)
        yield partial(int, 2)
        raise OSError("the third")

    found = computed(jobs())
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(OSError, match="the third"):
        next(found)


def test_jobs_give_what_they_give_in_their_order_and_no_more_are_begun_than_run_at_once() -> None:
    begun: list[int] = []
    first_may_end = threading.Event()

    def job(number: int) -> int:
        if number == 0:
            assert first_may_end.wait(10)
        return number

    def jobs() -> Iterator[Callable[[], int]]:
        for number in range(5):
            begun.append(number)
            if number == AT_ONCE:  # the first is not done, and its turn comes before this one is begun
                first_may_end.set()
            yield partial(job, number)

    found = computed(jobs())
    assert next(found) == 0
    assert begun == [0, 1, 2]
    assert list(found) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("limit", "half"), [("4GB", "2GB"), ("512MB", "256MB"), ("2.5 GiB", "1.25GiB"), ("1GB", "0.5GB")]
)
def test_engines_side_by_side_share_the_memory_of_one(limit: str, half: str) -> None:
    assert shared_memory(limit, 2) == half
    assert shared_memory(limit, 1).replace(" ", "") == limit.replace(" ", "")


def test_a_temporary_table_is_kept_while_a_view_that_reads_it_is_read() -> None:
    output = contract("gpu_stretches")
    tables = [*building.views_below(output), output]
    free = {name: {table.table for table in dropped} for name, dropped in building.no_longer_read(tables).items()}
    # who is observed when is read by the cut pieces, themselves and through a view (gpu_unseen)
    assert "gpu_observed" in free["gpu_pieces"]
    # labels are read by the table of pods, and through a view (gpu_piece_holders) by the output
    assert {"gpu_pieces", "gpu_label_holders", "gpu_pods"} <= free["gpu_stretches"]
    kept = [name for names in free.values() for name in names]
    assert sorted(kept) == sorted({table.table for table in tables if table.materialized == "temporary"})
