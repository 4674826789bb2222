"""What the decisions are measured on: a log with owners, a year of daily costs and usage, a quarter of machine hours.

Here belongs: making the rows that a night has before it decides. Here does not belong: measuring.
"""

import tempfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.anomaly_truth import clean_series
from benchmarks.heavy_path import GIVEN, batches_of, build, open_engine, write_price_book
from benchmarks.token_log import FIRST_DAY, KEYS, write_log
from contracts import contract
from models.frames import schema_of

SEED = 20260301
BEFORE = ("usage_by_team_daily", "usage_hourly", "request_defects", "second_sightings")
"""Tables of the log that a night has built before it decides."""
MACHINE_DAYS = 90
_MACHINE = {"provider_name": "aws", "billing_account_id": "1", "billing_currency": "USD", "region_id": "us-east-1"}


def write_all(folder: Path, row_count: int, *, teams: int, models: int, days: int, machines: int) -> None:
    """Writes the log and what a night has made of it, costs and usage by day, hours and prices of machines."""
    write_log(folder, row_count)
    write_price_book(folder)
    _write_before(folder)
    _write_daily(folder, teams, models, days)
    _write_machines(folder, machines)


def batches(folder: Path) -> list[list[Path]]:
    """The days of the log that a night builds together."""
    return list(batches_of(sorted((folder / "gateway_requests").iterdir())))


def _write_before(folder: Path) -> None:
    for number, files in enumerate(batches(folder)):
        with tempfile.TemporaryDirectory() as spill:
            engine = open_engine(folder, files, spill)
            engine.register("owners", _owners())
            engine.register("day_ends", contract("day_ends").arrow_schema().empty_table())
            build(engine, BEFORE, [*GIVEN, "owners", "day_ends"])
            for name in BEFORE:
                pq.write_table(engine.read(name), folder / f"{name}-{number}.parquet")
            engine.close()


def _owners() -> pa.Table:
    """A team for every key."""
    always = {"pool_id": None, "valid_from": date(1970, 1, 1), "valid_to": date(9999, 12, 31)}
    rows = [
        {"rule_id": f"key-{key}", "priority": key, "match_kind": "gateway_key", "match_key": ""}
        | {"match_value": f"key-{key}", "team_id": f"team-{key}"}
        | always
        for key in range(KEYS)
    ]
    return pa.Table.from_pylist(rows, schema=contract("owners").arrow_schema())


def _write_daily(folder: Path, teams: int, models: int, days: int) -> None:
    """`costs.parquet` and `usage.parquet`, a series for every team and model, as `models.anomalies` takes them."""
    values = clean_series(teams * models, days, 0.1, np.random.default_rng(SEED)).ravel()
    series, place = np.repeat(np.arange(teams * models), days), np.tile(np.arange(days), teams * models)
    first = np.datetime64(FIRST_DAY - timedelta(days=days), "D")
    rows = pl.DataFrame(
        {
            "day": first + place.astype("timedelta64[D]"),
            "team": series // models,
            "model": series % models,
            "cost_units": (values * 10**4).round().astype(np.int64) * 10**8,
            "request_count": np.maximum(1, values * 10).astype(np.int64),
        }
    ).with_columns(
        account=pl.format("team:{}", "team"),
        model_id=pl.format("model-{}", "model"),
        provider=pl.format("provider-{}", pl.col("model") % 4),
        feature=pl.lit("chat"),
    )
    rows.select(
        "day",
        *("account", "model_id", "feature", "cost_units"),
        provider_name="provider",
        service_name=pl.lit("api"),
        cost_kind=pl.lit("api"),
    ).write_parquet(folder / "costs.parquet")
    rows.select(
        "day",
        *("account", "model_id", "feature", "cost_units", "request_count"),
        x_source=pl.lit("gateway"),
        provider_id="provider",
        key_id=pl.format("key-{}", "team"),
        environment=pl.lit("production"),
        priced_request_count="request_count",
        failure_count=pl.lit(0, pl.Int64),
        tokens=pl.col("request_count") * 1000,
        cache_read_tokens=pl.col("request_count") * 100,
        output_tokens=pl.col("request_count") * 200,
    ).write_parquet(folder / "usage.parquet")


def _write_machines(folder: Path, machines: int) -> None:
    """`machine_use.parquet`, an hour a line, and `machine_prices.parquet`, with three terms for each machine type."""
    start = datetime.combine(FIRST_DAY, datetime.min.time()) - timedelta(days=MACHINE_DAYS)
    counts = np.random.default_rng(SEED).poisson(20, (machines, MACHINE_DAYS * 24)).tolist()
    use = [
        {
            **_of(machine),
            "billing_period": date(2025, 12, 1),
            "charge_period_start": start + timedelta(hours=hour),
            "charge_period_end": start + timedelta(hours=hour + 1),
            "list_unit_price": Decimal(5),
            "machine_hours": Decimal(count),
            "effective_cost": Decimal(5 * count),
            "list_cost": Decimal(5 * count),
        }
        for machine in range(machines)
        for hour, count in enumerate(counts[machine])
    ]
    pl.DataFrame(use, schema=schema_of("machine_use")).write_parquet(folder / "machine_use.parquet")
    blank = dict.fromkeys(schema_of("machine_prices")) | {
        "usage_date": FIRST_DAY,
        "product": "Linux",
        "currency": "USD",
    }
    texts = ("availability_zone", "availability_zone_id", "sku_price_id", "payment_option")
    prices = [
        blank
        | dict.fromkeys(texts, "")
        | _of(machine)
        | {"purchase_option": option, "term_months": months, "unit_price": price, "price_per_hour": price}
        for machine in range(machines)
        for option, months, price in (
            ("on_demand", 0, Decimal(5)),
            ("reserved", 12, Decimal(3)),
            ("reserved", 36, Decimal(2)),
            ("savings_plan", 12, Decimal("3.5")),
        )
    ]
    names = schema_of("machine_prices")
    pl.DataFrame([{name: row[name] for name in names} for row in prices], schema=names).write_parquet(
        folder / "machine_prices.parquet"
    )


def _of(machine: int) -> dict[str, object]:
    return {**_MACHINE, "instance_type": f"type-{machine}", "sku_id": f"SKU-{machine}"}
