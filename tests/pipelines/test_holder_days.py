"""Days on which somebody told who holds GPUs: read from the journal, and kept where nothing changed."""

from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines.house import open_house
from pipelines.lake import Lake
from pipelines.night.holder_days import build_holder_days
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

FIRST, SECOND, THIRD = (date(2026, 10, day) for day in (1, 2, 3))


def attempt(day: date, status: str, hour: int, **more: str) -> dict[str, object]:
    """One attempt at the pods of cluster `a`, unless told otherwise."""
    row = {"fact": "gpu_allocations", "x_source": "pods", "x_account": "a", "status": status, "slice_date": day}
    return {**row, "attempt_id": f"{day} {hour} {more}", "attempted_at": datetime(2026, 10, 4, hour), **more}


def test_a_day_counts_while_a_delivery_of_it_is_in_place_also_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = [
        attempt(FIRST, "empty", 1),
        attempt(FIRST, "failed", 2),
        attempt(FIRST, "failed", 1, x_account="b"),
        attempt(SECOND, "incomplete", 1),
        attempt(SECOND, "committed", 1, fact="node_sightings", x_source="nodes"),
        attempt(THIRD, "committed", 1),
        attempt(THIRD, "unchanged", 2, x_source="slurm", x_account="hpc"),
    ]
    read = Lake.read

    def told(lake: Lake, table: str, *bounds: date | None) -> object:
        return filled("deliveries", journal) if table == "deliveries" else read(lake, table, *bounds)

    monkeypatch.setattr(Lake, "read", told)
    with open_house(write_company(tmp_path), "filling", clock=lambda: datetime(2026, 10, 4)) as house:

        def days() -> list[tuple[date, str, str]]:
            rows = house.lake.read("holder_days").to_pylist()
            return sorted((row["usage_date"], row["cluster"], row["x_source"]) for row in rows)

        assert build_holder_days(house, THIRD, THIRD).slices == (FIRST, THIRD)
        assert days() == [(FIRST, "a", "pods"), (THIRD, "a", "pods"), (THIRD, "hpc", "slurm")]
        journal += [attempt(SECOND, "committed", 3), attempt(THIRD, "withdrawn", 3)]
        assert build_holder_days(house, THIRD, THIRD).slices == (SECOND, THIRD)
        assert days() == [(FIRST, "a", "pods"), (SECOND, "a", "pods"), (THIRD, "hpc", "slurm")]
        assert build_holder_days(house, THIRD, THIRD).slices == ()
