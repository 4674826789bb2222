"""A run that dies at any step leaves what was there, and the next run ends as if nothing had happened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base import SourceSettings
from pipelines.lake import Lake
from pipelines.lake.root import Root
from pipelines.lake.stored import StoredTable
from tests.lake.fakes import FakeSource, Place, day_window
from tests.lake.test_publish import ALWAYS, META, publish_teams
from tests.lake.test_tables import PRINT, charges, teams

DAY = date(2026, 10, 1)
OLD = FakeSource([("a", [{"cost": "1"}, {"cost": "2"}])])
NEW = FakeSource([("a", [{"cost": "5"}, {"cost": "0.5", "refuse": "bad"}]), ("b", [{"cost": "7"}])])
SEAMS: tuple[tuple[type, str], ...] = ((Root, "adopt"), (StoredTable, "commit"), (Path, "rename"), (Path, "replace"))


class Killed(BaseException):
    """Stands for the process's end: no handler of the code under test may catch it."""


@contextmanager
def dying_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every seam counts twice, before and after it worked; at number `step` the process ends. Yields what was passed."""
    passed: list[str] = []

    def mark(name: str) -> None:
        passed.append(name)
        if len(passed) - 1 == step:
            raise Killed(name)

    def wrapped(original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            mark(f"before {name}")
            result = original(*args, **kwargs)
            mark(f"after {name}")
            return result

        return run

    with monkeypatch.context() as patch:
        for owner, name in SEAMS:
            patch.setattr(owner, name, wrapped(getattr(owner, name), name))
        yield passed


def state(lake: Lake) -> tuple[Any, ...]:
    return (
        lake.read("charges").to_pylist(),
        lake.read("rejects").to_pylist(),
        lake.slices("charges"),
        lake.slices("rejects"),
    )


def test_ingestion_killed_at_any_step_converges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SourceSettings(name="aws-main", kind="fake")

    def fresh(name: str) -> Place:
        from tests.lake.fakes import Clock

        place = Place(str(tmp_path / name), {}, Clock())
        place.open().ingest(OLD, settings, day_window(DAY), "night-1")
        return place

    clean = fresh("clean")
    with dying_at(-1, monkeypatch) as steps:
        clean.open().ingest(NEW, settings, day_window(DAY), "night-2")
    expected = state(clean.open())
    assert [cost for row in expected[0] for cost in [row["billed_cost"]]] == [Decimal(5), Decimal(7)]
    assert len(steps) >= 16  # four adoptions and three commits at the least, before and after
    for step in range(len(steps)):
        place = fresh(f"step-{step}")
        before = state(place.open())[0]
        with dying_at(step, monkeypatch), pytest.raises(Killed):
            place.open().ingest(NEW, settings, day_window(DAY), "night-2")
        left = state(place.open())[0]
        assert left in (before, expected[0]), f"a mix after {steps[step]}"
        place.open().ingest(NEW, settings, day_window(DAY), "night-2")
        assert state(place.open()) == expected, f"killed {steps[step]}"
        journal = place.open().read("deliveries").to_pylist()
        served = [row for row in journal if row["status"] == "committed"]
        assert [(row["total_cost"], row["previous_total_cost"]) for row in served] == [
            (Decimal(3), None),
            (Decimal(12), Decimal(3)),
        ]


def test_replacing_killed_at_any_step_leaves_the_old_slice_or_the_new(
    local_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = charges("aws", DAY, "1"), charges("aws", DAY, "2")
    lake = local_place.open()
    lake.replace_slice("charges", DAY, "aws", old, PRINT)
    with dying_at(-1, monkeypatch) as steps:
        lake.replace_slice("charges", DAY, "aws", new, PRINT)
    for step in range(len(steps)):
        lake.replace_slice("charges", DAY, "aws", old, PRINT)
        with dying_at(step, monkeypatch), pytest.raises(Killed):
            local_place.open().replace_slice("charges", DAY, "aws", new, PRINT)
        committed = steps[step] == "after commit"
        expected = Decimal(2) if committed else Decimal(1)
        assert local_place.open().read("charges")["billed_cost"].to_pylist() == [expected], steps[step]


def test_publishing_killed_at_any_step_shows_the_old_snapshot_or_the_new(
    local_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = local_place.open()
    publish_teams(lake, "old")
    with dying_at(-1, monkeypatch) as steps:
        lake.publish(["teams"], META)
    for step in range(len(steps)):
        publish_teams(lake, "old")
        lake.replace_slice("teams", ALWAYS, "given", teams("new"), "new")
        with dying_at(step, monkeypatch), pytest.raises(Killed):
            local_place.open().publish(["teams"], META)
        seen = local_place.open().published().read("teams")["team_id"].to_pylist()
        swapped = step == len(steps) - 1
        assert seen == (["new"] if swapped else ["old"]), steps[step]


def test_a_full_disk_stops_the_run_and_leaves_the_slice(
    local_lake: Lake, monkeypatch: pytest.MonkeyPatch, settings: SourceSettings
) -> None:
    local_lake.ingest(OLD, settings, day_window(DAY), "night-1")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Root, "adopt", full)
        with pytest.raises(OSError, match="No space left"):
            local_lake.ingest(NEW, settings, day_window(DAY), "night-2")
    assert local_lake.read("charges").num_rows == 2
    assert list(local_lake.root.path("spool").iterdir()) == []
    assert local_lake.ingest(NEW, settings, day_window(DAY), "night-2").status == "committed"
