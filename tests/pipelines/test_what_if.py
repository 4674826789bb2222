"""`farthing what-if`: what it reads of the log and of price lists, and what it says of a plan."""

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
from models.checkpointing import Interruptions
from pipelines.cli import what_if, what_if_fit, what_if_spot
from pipelines.cli.what_if import Assumptions
from pipelines.model_log import read_log, traffic_of

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
    assert (log.days[0], log.days[-1], len(log.rows), log.unpriced_tokens) == (
        MONDAY.date(),
        datetime(2026, 11, 1).date(),
        4,
        0,
    )
    # 2 million in at 1 and 200,000 out at 10 a million are 4 a week: 4 x 730 / 168 a month
    assert log.monthly_cost == pytest.approx(Decimal(4) * 730 / 168)
    traffic = traffic_of(log, Plan(1, 2.5, 1_000, 100))
    assert (traffic.input_tokens[10], traffic.output_tokens[10]) == (2_000_000, 200_000)
    assert traffic.input_tokens.sum() == 2_000_000
    assert traffic.peak[10] == 2.0  # all of the hour's work came in half of it
    assert traffic.peak[11] == 1.0


def test_even_traffic_has_no_peak_and_a_shorter_log_is_no_smaller_one() -> None:
    """A hundred tokens in every half hour, for one week and for four."""
    for days in (7, 28):
        halves = [MONDAY + timedelta(minutes=30 * number) for number in range(48 * days)]
        rows = [
            half_hour(start.replace(minute=0), price_from=start, output_text_tokens=100, output_text_usd_per_token=1)
            for start in halves
        ]
        log = read_log(log_of(rows), "gpt-5")
        assert (len(log.rows), len(log.days)) == (48 * days, days)
        assert log.monthly_cost == 200 * 730
        traffic = traffic_of(log, Plan(1, 2.5, 1_000, 100))
        assert set(traffic.output_tokens) == {200.0}
        assert set(traffic.peak) == {1.0}


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


def price(day: int, option: str, each: str, **changed: object) -> dict[str, Any]:
    """A price of one day of October."""
    prices = contract("machine_prices")
    blank = {c.name: None if c.nullable else ("" if c.type == "string" else 0) for c in prices.columns}
    named = {"instance_type": "p5", "region_id": "us-east-1", "product": "Linux", "currency": "USD"}
    amount = {"usage_date": datetime(2026, 10, day).date(), "price_per_hour": Decimal(each)}
    return {**blank, **named, **amount, "purchase_option": option, **changed}


def prices_of(rows: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    schema = contract("machine_prices").arrow_schema()
    connection.register("machine_prices", pa.Table.from_pylist(rows, schema=schema))
    return connection


def test_spot_is_what_it_cost_in_the_month_and_on_demand_what_is_listed_last() -> None:
    rows = [
        price(1, "spot", "99", availability_zone="a"),  # more than thirty days old
        price(30, "spot", "20", availability_zone="a"),
        price(31, "spot", "30", availability_zone="a"),
        price(31, "spot", "24", availability_zone="b", product="Windows"),
        price(30, "on_demand", "60"),
        price(31, "on_demand", "50"),
        price(31, "on_demand", "70", region_id="us-west-2"),
        price(31, "spot", "1", instance_type="p4"),
    ]
    windows, linux = what_if_spot.read_offers(prices_of(rows), "p5")
    assert (windows.zone, windows.mean, windows.on_demand) == ("b", Decimal(24), None)
    assert (linux.zone, linux.mean, linux.dearest, linux.on_demand) == ("a", Decimal(25), Decimal(30), Decimal(50))


def test_linux_on_demand_is_the_cheapest_of_a_list_that_names_products_in_its_own_words() -> None:
    rows = [
        price(31, "spot", "25", product="Linux/UNIX", availability_zone="a"),
        price(31, "spot", "40", product="Windows", availability_zone="a"),
        price(31, "on_demand", "98", product="$98 per On Demand Linux p5 Instance Hour", sku_id="S1"),
        price(31, "on_demand", "106", product="$106 per On Demand Windows p5 Instance Hour", sku_id="S2"),
        price(31, "on_demand", "0", product="$0 per Unused Reservation Linux p5", sku_id="S3"),
    ]
    linux, windows = what_if_spot.read_offers(prices_of(rows), "p5")
    assert (linux.product, linux.on_demand) == ("Linux/UNIX", Decimal(98))
    assert (windows.product, windows.on_demand) == ("Windows", None)


def test_a_job_on_spot_is_told_with_its_interval_and_saving(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [price(31, "spot", "25", availability_zone="a"), price(31, "on_demand", "50")]
    database = type("Lake", (), {"published": lambda self: self, "database": lambda _: prices_of(rows)})
    monkeypatch.setattr("pipelines.lake.Lake", type("Opened", (), {"open": staticmethod(lambda *_: database())}))
    monkeypatch.setattr("pipelines.config.place.lake_place", lambda _: ())
    job = what_if_spot.Job("p5", 200.0, 2, Interruptions(8, 5 / 60, 16 / 60))
    assert what_if_spot.what_if_spot(Console(width=160), Path("farthing.yml"), job) == 0
    shown = capsys.readouterr().out
    # one in eight hours: 19.9 % more hours (as published), 239.9 at 25 on two machines, against 200 at 50
    assert "(19.9% more than without" in shown
    assert "USD 20,000.00" in shown
    assert "40.1%" in shown
    unknown = what_if_spot.Job("p6", 200.0, 2, job.interruptions)
    assert what_if_spot.what_if_spot(Console(width=160), Path("farthing.yml"), unknown) == 2
    assert "No spot price of 'p6'" in capsys.readouterr().out


def test_a_model_s_gpus_are_told_by_type_and_quantisation(capsys: pytest.CaptureFixture[str]) -> None:
    assert what_if_fit.what_if_fit(Console(width=120), "llama-3.3-70b", 10_000) == 0
    told = capsys.readouterr().out
    (h100,) = [line for line in told.splitlines() if "H100 80GB" in line]
    # weights and a fifth: 169.4, 84.7 and 42.4 GB, in 77 GB of each GPU
    assert [cell.split()[0] for cell in h100.split("│")[2:5]] == ["4", "2", "1"]
    assert what_if_fit.what_if_fit(Console(width=120), "gpt-5", 10_000) == 2
    assert "no open model of the list" in capsys.readouterr().out
