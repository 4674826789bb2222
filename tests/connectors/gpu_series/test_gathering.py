"""What series of many pages mean together, whichever cloud told them."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.base import CHUNK_ROWS, SourceSettings
from connectors.gpu_series import Gpu, Metric, Place, Samples, Series, index_of, percent, ratio
from connectors.gpu_series.series import BYTES_IN_MIB, mebibytes, watts
from connectors.windows import day_window

DAY = day_window(date(2026, 9, 3))
SETTINGS = SourceSettings(name="gpus", kind="any", account="prod")
UTIL, ACTIVE, TOLD = percent("gpu_util_ratio"), ratio("sm_active_ratio"), Metric("fan_percent", 100.0)


def series(metric: Metric, values: Mapping[Any, Any], gpu: str = "GPU-1", **over: Any) -> Series:
    given: dict[str, Any] = {
        "place": Place(),
        "extra": {},
        "new_labels": (),
        "found": {"metric": metric.name},
        **over,
    }
    points = [(f"2026-09-03T{at}:00Z" if isinstance(at, str) and len(at) == 5 else at, v) for at, v in values.items()]
    return Series(Gpu(gpu), metric=metric, points=points, **given)


def gathered(*pages: list[Series], shift: timedelta | None = None) -> Samples:
    samples = Samples(SETTINGS, DAY, (UTIL, ACTIVE, TOLD), shift)
    for number, page in enumerate(pages):
        samples.add_page(f"page-{number}", page)
    return samples


def rows(*pages: list[Series]) -> list[dict[str, Any]]:
    (chunk,) = gathered(*pages).chunks()
    return chunk.rows.to_pylist()


def test_metrics_of_an_instant_in_several_pages_are_one_row_where_the_first_begins() -> None:
    (row,) = rows([series(UTIL, {"00:01": 50})], [series(TOLD, {"00:01": 30.5}), series(ACTIVE, {"00:01": 0.25})])
    assert (row["gpu_util_ratio"], row["sm_active_ratio"], json.loads(row["x_extra"])) == (
        0.5,
        0.25,
        {"fan_percent": 30.5},
    )
    assert (row["x_page"], row["x_row"]) == ("page-0", 1)


def test_what_one_series_does_not_know_of_a_place_another_may() -> None:
    first = series(UTIL, {"00:01": 1}, place=Place(hostname="node", gpu_index=0), extra={"a": "1", "b": "1"})
    second = series(ACTIVE, {"00:01": 1}, place=Place("other", "i-1", None, None, "L4"), extra={"b": "2", "c": "2"})
    (row,) = rows([first], [second])
    assert [row[name] for name in Place._fields] == ["node", "i-1", 0, None, "L4", None]
    assert json.loads(row["x_extra"]) == {"a": "1", "b": "1", "c": "2"}


def test_a_reading_that_is_told_twice_alike_is_one_and_unlike_is_told() -> None:
    (chunk,) = gathered([series(UTIL, {"00:01": 1, "00:02": 1})], [series(UTIL, {"00:01": 1, "00:02": 3})]).chunks()
    assert chunk.rows["gpu_util_ratio"].to_pylist() == [0.01, 0.03]
    assert [notice.split(" ")[0] for notice in chunk.notices] == ["1"]


@pytest.mark.parametrize("at", [None, 7, ["2026"], "2026-13-01T00:00:00Z", ""])
def test_an_instant_that_is_none_is_refused_with_its_reading(at: Any) -> None:
    one = Series(Gpu("GPU-1"), Place(), UTIL, [(at, 5), ("2026-09-03T00:01:00Z", 6)], {}, (), {})
    (chunk,) = gathered([one]).chunks()
    assert [(reject.reason, reject.row) for reject in chunk.rejects] == [("unreadable_time", 1)]
    assert chunk.rows["x_row"].to_pylist() == [2]


@pytest.mark.parametrize("told", [None, "much", "", True, [1]])
def test_a_value_that_is_none_is_refused(told: Any) -> None:
    (chunk,) = gathered([series(UTIL, {"00:01": told})]).chunks()
    assert ([reject.reason for reject in chunk.rejects], chunk.rows.num_rows) == (["unreadable_number"], 0)


def test_a_stretch_that_is_named_by_its_end_is_sampled_at_its_beginning() -> None:
    page = [series(UTIL, {"00:00": 1, "00:01": 2, "2026-09-04T00:00:00Z": 3})]
    (chunk,) = gathered(page, shift=timedelta(minutes=-1)).chunks()
    assert [f"{at:%H:%M}" for at in chunk.rows["sampled_at"].to_pylist()] == ["00:00", "23:59"]
    assert [reject.reason for reject in chunk.rejects] == ["outside_window"]


def test_many_rows_come_in_bounded_chunks_and_the_last_tells() -> None:
    minutes = {f"{minute // 60:02d}:{minute % 60:02d}": 1 for minute in range(1440)}
    page = [series(UTIL, minutes, gpu=f"GPU-{n}", new_labels=("rack",)) for n in range(CHUNK_ROWS // 1440 + 1)]
    chunks = list(gathered(page).chunks())
    assert [chunk.rows.num_rows for chunk in chunks] == [CHUNK_ROWS, len(page) * 1440 - CHUNK_ROWS]
    assert [chunk.notices for chunk in chunks] == [(), ("labels that are new, kept in x_extra: rack",)]


def test_refusals_beyond_a_thousand_are_counted() -> None:
    minutes = {f"{minute // 60:02d}:{minute % 60:02d}": 127 for minute in range(1440)}
    (chunk,) = gathered([series(UTIL, minutes)]).chunks()
    assert (chunk.rows.num_rows, len(chunk.rejects)) == (1440, 1001)
    assert "440 further" in chunk.rejects[-1].detail


@pytest.mark.parametrize(("name", "index"), [("3", 3), ("nvidia12", 12), ("", None), (None, None), ("GPU", None)])
def test_a_devices_number_is_what_its_name_ends_with(name: str | None, index: int | None) -> None:
    assert index_of(name) == index


@pytest.mark.parametrize(
    ("metric", "told", "expected"),
    [
        (mebibytes("m", 1.0), 3 * BYTES_IN_MIB, 3.0),
        (mebibytes("m", BYTES_IN_MIB), 3.0, 3.0),
        (watts(60.0), 4200.0, 70.0),
    ],
)
def test_units_become_those_of_the_contract(metric: Metric, told: float, expected: float) -> None:
    assert told <= metric.highest
    assert told / metric.divisor == expected
