"""How many seconds of a machine a bill bills, and where in the line's period they lie."""

from typing import Any

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import Row, allocation, at, built, samples, seconds, sighting


def line(start: float, end: float, hours: str | None, **given: Any) -> Row:
    """A line of the bill that states so many hours of the machine."""
    row = {"charge_category": "Usage", "charge_period_start": at(start), "charge_period_end": at(end)}
    stated = {"consumed_quantity": hours, "consumed_unit": "Hours" if hours else None}
    return row | stated | {"resource_id": "i-1", "sku_id": "machine", "charge_class": None} | given


def hours_of(engine: DuckDBEngine, *lines: Row, **given: list[Row]) -> dict[int, int]:
    """Billed seconds by hour of the day."""
    register = {"resource_id": "i-1", "hostname": "node-1", "cluster": "prod", "gpu_count": 1}
    valid = {"valid_from": at(-10000), "valid_to": at(10000)}
    rows = built(engine, "gpu_billed_hours", charges=list(lines), host_identity=[register | valid], **given)
    return {round((row["hour_start"] - at(0)).total_seconds() / 3600): row["billed_seconds"] for row in rows}


@pytest.mark.parametrize("unit", ["Hours", "Hrs", "Hour", "h"])
def test_a_day_s_line_of_three_hours_bills_those_in_which_the_machine_was_seen(
    unit: str, duckdb_engine: DuckDBEngine
) -> None:
    given = {
        "gpu_samples": samples(9, 12, sm_active_ratio=0.9),
        "node_sightings": [sighting(9, 12, gpu_count=1)],
        "gpu_allocations": [allocation(9, 12)],
    }
    rows = built(duckdb_engine, "gpu_states_hourly", charges=[line(0, 24, "3", consumed_unit=unit)], **given)
    assert seconds(rows, "state", "namespace") == {("effective", "search"): 3 * 3600}


def test_twenty_minutes_of_an_hour_are_1200_seconds(duckdb_engine: DuckDBEngine) -> None:
    rows = built(
        duckdb_engine,
        "gpu_states_hourly",
        charges=[line(9, 10, "0.3333")],
        gpu_samples=samples(9, 9.3333, sm_active_ratio=0.9),
        node_sightings=[sighting(9, 9.3333, gpu_count=1)],
    )
    assert seconds(rows, "hour_start", "state") == {(at(9), "effective"): 1200}


def test_what_is_stated_beyond_what_was_seen_lies_evenly_in_the_rest(duckdb_engine: DuckDBEngine) -> None:
    found = hours_of(duckdb_engine, line(0, 24, "7"), node_sightings=[sighting(9, 9.5), sighting(10, 11)])
    assert (found[10], found[9]) == (3600, 1800 + 1800 * 19800 // 81000)
    assert {found[hour] for hour in range(24) if hour not in (9, 10)} == {880}
    assert sum(found.values()) == 7 * 3600


def test_a_machine_that_nobody_saw_is_billed_evenly_over_the_period(duckdb_engine: DuckDBEngine) -> None:
    found = hours_of(duckdb_engine, line(0, 24, "3.001"))
    assert set(found.values()) == {450, 451}
    assert sum(found.values()) == 10804  # 10803.6


def test_a_machine_that_was_seen_for_longer_has_its_hours_in_proportion(duckdb_engine: DuckDBEngine) -> None:
    found = hours_of(duckdb_engine, line(0, 24, "3"), node_sightings=[sighting(8, 14)])
    assert found == dict.fromkeys(range(8, 14), 1800)


@pytest.mark.parametrize(
    ("stated", "billed_hours"),
    [
        ([("24", {}), (None, {"consumed_quantity": "3", "consumed_unit": "GB"})], 24),
        ([("2", {"sku_price_id": "reserved"}), ("1", {"sku_price_id": "on demand"})], 3),
        ([("3", {}), ("3", {"sku_id": "licence"})], 3),
        ([("5", {}), ("-2", {"charge_class": "Correction"})], 5),
        ([("24", {}), ("24", {})], 24),
        ([("0", {})], 24),
        ([(None, {})], 24),
    ],
    ids=["another unit", "parts", "two units", "a correction", "GPU-hours", "nothing", "not stated"],
)
def test_hours_are_those_that_the_lines_of_a_period_state(
    stated: list[tuple[str | None, Row]], billed_hours: int, duckdb_engine: DuckDBEngine
) -> None:
    found = hours_of(duckdb_engine, *(line(0, 24, hours, **given) for hours, given in stated))
    assert sum(found.values()) == billed_hours * 3600


def test_lines_within_one_another_state_no_hour_twice(duckdb_engine: DuckDBEngine) -> None:
    hourly = [line(hour, hour + 1, "1") for hour in (9, 10, 11)]
    found = hours_of(duckdb_engine, *hourly, line(0, 24, "3", sku_id="licence"), node_sightings=[sighting(9, 12)])
    assert found == dict.fromkeys((9, 10, 11), 3600)


def test_a_fee_of_a_day_makes_no_hour_beside_those_that_lines_of_hours_state(duckdb_engine: DuckDBEngine) -> None:
    fee = line(0, 24, None, sku_id="address", consumed_unit="Months", consumed_quantity="0.03")
    found = hours_of(duckdb_engine, *(line(hour, hour + 1, "1") for hour in range(3)), fee)
    assert found == dict.fromkeys(range(3), 3600)


def test_a_licence_of_a_day_states_the_hours_that_lie_apart_within_it(duckdb_engine: DuckDBEngine) -> None:
    hourly = [line(hour, hour + 1, "1") for hour in (0, 9, 10, 11)]
    found = hours_of(duckdb_engine, *hourly, line(0, 24, "4", sku_id="licence"))
    assert found == dict.fromkeys((0, 9, 10, 11), 3600)


def gpus_of(engine: DuckDBEngine, *register: Row, **given: list[Row]) -> dict[int, int]:
    """GPUs of the node by hour, of two days that one line bills."""
    bill = [line(0, 48, None)]
    rows = built(engine, "gpu_billed_hours", charges=bill, host_identity=list(register), **given)
    return {round((row["hour_start"] - at(0)).total_seconds() / 3600): row["gpu_count"] for row in rows}


def test_a_machine_that_grows_has_its_gpus_from_when_it_has_them(duckdb_engine: DuckDBEngine) -> None:
    found = gpus_of(duckdb_engine, node_sightings=[sighting(0, 24, gpu_count=1), sighting(24, 48, gpu_count=4)])
    assert found == dict.fromkeys(range(24), 1) | dict.fromkeys(range(24, 48), 4)


def test_a_machine_that_offers_fewer_for_a_while_has_not_shrunk(duckdb_engine: DuckDBEngine) -> None:
    offered = [sighting(0, 8, gpu_capacity="8"), sighting(8, 16, gpu_capacity="7"), sighting(16, 24, gpu_capacity="8")]
    assert gpus_of(duckdb_engine, node_sightings=offered) == dict.fromkeys(range(48), 8)


def test_sightings_speak_of_a_machine_whose_register_has_ended(duckdb_engine: DuckDBEngine) -> None:
    ended = {"resource_id": "i-1", "hostname": "node-1", "cluster": "prod", "gpu_count": 2}
    found = gpus_of(
        duckdb_engine,
        ended | {"valid_from": at(-1000), "valid_to": at(24)},
        node_sightings=[sighting(0, 24, gpu_count=8), sighting(24, 48, gpu_count=8)],
    )
    assert found == dict.fromkeys(range(24), 2) | dict.fromkeys(range(24, 48), 8)
