"""`farthing what-if self-host`: what it reads of the log, and what it says of a plan."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from rich.console import Console

from contracts import contract
from models.break_even import Plan
from pipelines.cli import what_if
from pipelines.cli.what_if import Assumptions, read_log, traffic_of

MONDAY = datetime(2026, 10, 5)
TABLE = contract("usage_hourly")
GIVEN = Assumptions("gpt-5", 1, 2.5, 1_000.0, 100.0, 1, 0.05, 0.0)


def half_hour(start: datetime, **changed: Any) -> dict[str, Any]:
    """A row of the log: counts are 0, texts empty, prices unknown unless given."""
    blank = {column.name: 0 if column.type in ("int64", "int32") else None for column in TABLE.columns}
    named = {"provider_id": "openai", "model_id": "gpt-5", "service_tier": "default", "price_region_id": ""}
    return {**blank, **named, "usage_hour": start, "usage_date": start.date(), **changed}


def log_of(rows: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register("usage_hourly", pa.Table.from_pylist(rows, schema=TABLE.arrow_schema()))
    return connection


def weeks(*, input_uncached: int, output_text: int, **changed: Any) -> list[dict[str, Any]]:
    """Four Mondays: the first half of the hour from 10:00 has tokens, and the last day is a Sunday without any."""
    prices = {
        "input_uncached_usd_per_token": Decimal("0.000001"),
        "output_text_usd_per_token": Decimal("0.00001"),
    }
    used = {"input_uncached_tokens": input_uncached, "output_text_tokens": output_text}
    mondays = [MONDAY + timedelta(weeks=week, hours=10) for week in range(4)]
    rows = [half_hour(start, **used, **prices, **changed) for start in mondays]
    return [*rows, half_hour(MONDAY + timedelta(days=27), model_id="other")]


def test_four_weeks_are_one_week_four_times_and_copies_are_not_traffic() -> None:
    rows = weeks(input_uncached=3_000_000, output_text=200_000, duplicate_input_uncached_tokens=1_000_000)
    too_old = half_hour(MONDAY - timedelta(minutes=30), output_text_tokens=9_999_999)
    log = read_log(log_of([*rows, too_old]), "gpt-5")
    assert (log.last_day, len(log.rows), log.unpriced_tokens) == ("2026-11-01", 4, 0)
    # 2 million in at 1 and 200,000 out at 10 a million are 4 a week: 4 x 730 / 168 a month
    assert log.monthly_cost == pytest.approx(Decimal(4) * 730 / 168)
    traffic = traffic_of(log, Plan(1, 2.5, 1_000, 100))
    assert (traffic.input_tokens[10], traffic.output_tokens[10]) == (2_000_000, 200_000)
    assert traffic.input_tokens.sum() == 2_000_000
    assert traffic.peak[10] == 2.0  # all of the hour's work came in half of it
    assert traffic.peak[11] == 1.0


def test_the_busiest_of_four_weeks_is_what_replicas_stand_ready_for() -> None:
    rows = weeks(input_uncached=0, output_text=100)
    rows[2]["output_text_tokens"] = 500
    traffic = traffic_of(read_log(log_of(rows), "gpt-5"), Plan(1, 2.5, 1_000, 100))
    assert traffic.output_tokens[10] == 200  # 800 in four weeks
    assert traffic.peak[10] == pytest.approx(2 * 500 / 200)


def test_tokens_without_a_price_are_told_and_cached_ones_are_paid_but_not_computed() -> None:
    rows = weeks(input_uncached=10, output_text=0, cache_read_tokens=1_000, output_reasoning_tokens=7)
    log = read_log(log_of(rows), "gpt-5")
    assert log.unpriced_tokens == 4 * 1_007
    assert [row[1:3] for row in log.rows] == [(10, 7)] * 4


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million tokens out in each of four weeks, at 10 a million, stand in the published file."""

    class Lake:
        @staticmethod
        def open(*_: object) -> "Lake":
            return Lake()

        def published(self) -> "Lake":
            return self

        def database(self) -> duckdb.DuckDBPyConnection:
            return log_of(weeks(input_uncached=0, output_text=10_000_000))

    monkeypatch.setattr("pipelines.lake.Lake", Lake)
    monkeypatch.setattr("pipelines.config.place.lake_place", lambda _: ())


@pytest.mark.usefixtures("published")
def test_a_plan_is_held_against_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(width=120)
    assert what_if.what_if_self_host(console, Path("farthing.yml"), GIVEN, "json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["api_monthly_cost"] == "434.52"  # 100 a week
    # 10 million out at 100 a second in half an hour are 55.6 replicas' work, twice the mean of the hour: 70 replicas in
    # that hour (by Erlang's series 4.1 % of requests wait, with 69 5.4 %), one in all others
    assert said["serving"]["replica_hours"] * 168 / 730 == pytest.approx(70 + 167)
    assert said["monthly_saving"] == pytest.approx(434.52 - said["serving"]["cost"], abs=0.01)
    assert what_if.what_if_self_host(console, Path("farthing.yml"), GIVEN, "table") == 0
    shown = capsys.readouterr().out
    assert "cheaper with a probability of 0%" in shown
    assert "$435" in shown


@pytest.mark.usefixtures("published")
def test_a_model_that_nobody_used_is_named_with_those_that_were(capsys: pytest.CaptureFixture[str]) -> None:
    unknown = Assumptions("gpt-6", *list(vars(GIVEN).values())[1:])
    assert what_if.what_if_self_host(Console(width=200), Path("farthing.yml"), unknown, "table") == 2
    assert "no tokens of 'gpt-6'. It has: gpt-5, other." in capsys.readouterr().out
