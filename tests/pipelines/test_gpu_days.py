"""A day of GPUs says the same whichever days are built with it, and a line's hours lie where all of its time is known."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from contracts import contract
from pipelines.house import House, Options, open_house
from pipelines.night.build import build
from pipelines.night.references import write_references
from tests.pipelines.small_company import write_company
from tests.pipelines.test_gpu_notes import write
from tests.sql.gpu_rows import sample

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)
UID = "0f6d6a3e-8f1c-4b2a-9c3d-1e2f3a4b5c6d"
HOSTS = """\
hosts:
  - {resource_id: i-1, hostname: node-1, cluster: prod, gpus: 1, gpu_model: H100}
"""


def held_by_uid(day: date) -> list[dict[str, Any]]:
    """A sampler of processes knows the pod by its uid alone."""
    noon = datetime(day.year, day.month, day.day, 12)
    return [sample(noon + timedelta(minutes=n), namespace="", pod=UID, x_slice_date=day) for n in range(30)]


def holders(house: House, day: date) -> set[str]:
    return {row["holders"] for row in house.lake.read("gpu_runs", day, day + timedelta(days=1)).to_pylist()}


def test_a_name_that_the_scheduler_tells_a_day_later_changes_no_day_before(tmp_path: Path) -> None:
    """On the first nobody tells whose the uid is; on the second the scheduler does."""
    with open_house(write_company(tmp_path), "run") as house:
        write_references(house)
        write(house, "gpu_samples", FIRST, *held_by_uid(FIRST))
        build(house, contract("gpu_runs"), FIRST, FIRST)
        alone = holders(house, FIRST)
        write(house, "gpu_samples", SECOND, *held_by_uid(SECOND))
        told = {"allocation_date": SECOND, "allocation_id": UID, "namespace": "ml", "pod": "p1", "holder_kind": "pod"}
        told |= {"cluster": "prod", "hostname": "node-1", "x_slice_date": SECOND, "allocated_gpus": "1"}
        told |= {"started_at": "2026-11-02 00:00:00", "ended_at": "2026-11-03 00:00:00"}
        write(house, "gpu_allocations", SECOND, told)
        build(house, contract("gpu_runs"), FIRST, SECOND)
        assert holders(house, SECOND) == {"ml/p1"}
    with open_house(tmp_path / "farthing.yml", "again", options=Options(full_refresh=True)) as house:
        assert len(build(house, contract("gpu_runs"), FIRST, SECOND).slices) == 2
        assert holders(house, FIRST) == alone
        assert alone != {"ml/p1"}


def test_the_hours_that_a_month_s_line_states_lie_in_all_of_its_time_however_few_days_are_built(tmp_path: Path) -> None:
    """The bill says 100 hours of November; the cluster saw the machine ten hours a day up to the tenth."""
    write_company(tmp_path)
    file = tmp_path / "farthing.yml"
    file.write_text(file.read_text(encoding="utf-8") + HOSTS, encoding="utf-8")
    days = [date(2026, 11, day) for day in range(1, 31)]
    with open_house(file, "run") as house:
        write_references(house)
        line = {"charge_category": "Usage", "resource_id": "i-1", "consumed_unit": "Hours", "consumed_quantity": "100"}
        line |= {"charge_period_start": "2026-11-01 00:00:00", "charge_period_end": "2026-12-01 00:00:00"}
        write(house, "charges", FIRST, {**line, "x_slice_date": FIRST, "charge_class": None})
        for day in days[:10]:
            seen = {"sighting_date": day, "cluster": "prod", "hostname": "node-1", "x_slice_date": day}
            seen |= {"seen_from": f"{day} 08:00:00", "seen_to": f"{day} 18:00:00"}
            write(house, "node_sightings", day, seen)
        hours = 0
        for day in days:
            build(house, contract("gpu_billed_hours"), day, day)
            rows = house.lake.read("gpu_billed_hours", day, day + timedelta(days=1)).to_pylist()
            billed = sum(row["billed_seconds"] for row in rows)
            assert billed == (36_000 if day <= days[9] else 0)
            hours += billed // 3600
        assert hours == 100
