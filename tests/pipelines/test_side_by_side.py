"""Days that are built side by side are what they are one after the other, and an error leaves nothing open."""

import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from contracts import Contract, contract
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.house import open_house, shared_memory
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
    make, build, close = DuckDBEngine.__init__, DuckDBEngine.build, DuckDBEngine.close

    def opening(engine: DuckDBEngine, memory_limit: str, temp_directory: str) -> None:
        opened.append(temp_directory)
        make(engine, memory_limit, temp_directory)
        engine.__dict__["folder"] = temp_directory

    def failing(engine: DuckDBEngine, table: Contract) -> None:
        if table.table == "day_ends" and opened.index(engine.__dict__["folder"]) == 1:
            raise RuntimeError("the second batch")
        build(engine, table)

    def closing(engine: DuckDBEngine) -> None:
        closed.append(engine.__dict__["folder"])
        close(engine)

    monkeypatch.setattr(DuckDBEngine, "__init__", opening)
    monkeypatch.setattr(DuckDBEngine, "build", failing)
    monkeypatch.setattr(DuckDBEngine, "close", closing)
    with pytest.raises(RuntimeError, match="the second batch"):
        built(tmp_path, monkeypatch, 1)
    assert sorted(closed) == sorted(opened)
    assert not [folder for folder in opened if Path(folder).exists()]


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
