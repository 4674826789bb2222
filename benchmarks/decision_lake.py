"""A lake with a year of what the decisions by month read, and these decisions as a night makes them of it.

Twelve months of every team and model: chargeback by day, usage by day, prices by the hour; every team's cohorts of one
kind of outcome; a budget for every team; five registered changes; three declared plans of own GPUs.

Here belongs: making that lake, and running a night's own builds on it. Here does not belong: measuring.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl

from benchmarks.token_log import FIRST_DAY, FOREVER
from contracts import Contract, contract
from contracts import conform as in_contract
from models.frames import conform, schema_of
from models.tokens import TOKEN_CLASSES
from pipelines.house import House, open_house
from pipelines.night.break_even import build_break_even
from pipelines.night.budgets import build_budget_status
from pipelines.night.build import SLICE_SOURCE
from pipelines.night.outcomes import build_unit_costs
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.variance_bridge import build_variance_bridge
from pipelines.night.verified_savings import build_verified_savings

LAST = FIRST_DAY - timedelta(days=1)
_CHANGES, _PLANS, _REGIONS = 5, 3, 4
_KIND = "ticket-resolved"
_FILE = "farthing.yml"
_DOLLARS = (pl.col("cost_units") / 10**12).round(4).cast(pl.Decimal(38, 12))  # made with four places


def write_lake(folder: Path, teams: int, models: int) -> None:
    """Writes lake and configuration into `folder / "house"`, of the year in `costs.parquet` and `usage.parquet`."""
    place = folder / "house"
    place.mkdir()
    (place / _FILE).write_text(_config(teams, models), encoding="utf-8")
    usage = pl.read_parquet(folder / "usage.parquet").with_columns(team_id=pl.col("account").str.strip_prefix("team:"))
    with _house(folder) as house:
        _store(house, "usage_by_team_daily", _usage(usage))
        _store(house, "usage_hourly", _hours(usage))
        _store(house, "chargeback", _charged(pl.read_parquet(folder / "costs.parquet")))
        _store(house, "outcome_cohorts", _cohorts(usage))
        _store(house, "outcome_shares", _shares())
        _store(house, "machine_prices", _machines())
        _store(house, "budgets", _budgets(teams))


def of_bridges(folder: Path, _spill: str) -> None:
    """Every account's month against the month before, of all months that a night may build."""
    with _house(folder) as house:
        build_variance_bridge(house, LAST, LAST)


def of_changes(folder: Path, _spill: str) -> None:
    """What registered changes saved."""
    with _house(folder) as house:
        build_verified_savings(house, LAST, LAST)


def of_plans(folder: Path, _spill: str) -> None:
    """Declared plans of own GPUs on every machine, region and way of buying."""
    with _house(folder) as house:
        build_break_even(house, LAST, LAST)


def of_outcomes(folder: Path, _spill: str) -> None:
    """What outcomes cost, by month and day, team and model."""
    with _house(folder) as house:
        build_unit_costs(house, LAST, LAST)


def of_budgets(folder: Path, _spill: str) -> None:
    """How months stand against every team's budget."""
    with _house(folder) as house:
        build_budget_status(house, LAST, LAST)


def row_counts(folder: Path) -> dict[str, int]:
    """How many rows each of these decisions has, by table."""
    made = ("variance_bridge", "verified_savings", "break_even", "unit_costs", "budget_status")
    with _house(folder) as house:
        return {name: house.lake.read(name).num_rows for name in made}


def _house(folder: Path) -> AbstractContextManager[House]:
    now = datetime.combine(FIRST_DAY, datetime.min.time())
    return open_house(folder / "house" / _FILE, "benchmark", clock=lambda: now)


def _config(teams: int, models: int) -> str:
    bill = "  - {name: bill, kind: focus, account: a, location: bills}"
    lines = ["company: Benchmark", "lake: lake", "sources:", bill, "teams:"]
    lines += [f"  - {{id: '{team}', name: Team {team}}}" for team in range(teams)]
    lines += ["outcomes:", f"  - {{name: {_KIND}, features: [chat], trace: trace_id, successes: [resolved]}}"]
    lines.append("changes:")
    on = LAST - timedelta(days=40)
    lines += [
        f"  - {{id: change-{number}, what: Caching on, switched_on: {on}, claimed_usd: 300.00, reviewed_by: ada, "
        f"touches: {{team: '{number}', feature: chat}}}}"
        for number in range(min(_CHANGES, teams))
    ]
    lines.append("self_hosting:")
    lines += [
        f"  - {{id: plan-{number}, model: model-{number % models}, weights: llama-3.3-70b, gpu: H100 SXM, "
        "prefill_rate: 20000, decode_rate: 1000, people_monthly_cost: 1000, machines: [{instance_type: p5.48xlarge}]}"
        for number in range(min(_PLANS, models))
    ]
    return "\n".join(lines) + "\n"


def _usage(usage: pl.DataFrame) -> pl.DataFrame:
    """Rows of `usage_by_team_daily`."""
    return usage.select(
        *("team_id", "model_id", "feature", "environment", "request_count", "key_id", "x_source", "provider_id"),
        usage_date="day",
        service_tier=pl.lit("default"),
        price_region_id=pl.lit(""),
        priced_cost_usd=_DOLLARS,
        input_uncached_tokens=pl.col("request_count") * 700,
        cache_read_tokens=pl.col("request_count") * 100,
        output_text_tokens=pl.col("request_count") * 200,
    )


def _hours(usage: pl.DataFrame) -> pl.DataFrame:
    """Rows of `usage_hourly`: a model's day spread over its hours, at prices that never change."""
    daily = usage.group_by("day", "provider_id", "model_id").agg(pl.col("request_count").sum()).sort("day", "model_id")
    hours = pl.DataFrame({"hour": range(24)})
    prices = {f"{name}_usd_per_token": pl.lit(Decimal("0.000002")) for name in TOKEN_CLASSES}
    hourly = daily.join(hours, how="cross").with_columns(pl.col("request_count") // 24)
    return hourly.select(
        *("provider_id", "model_id", "request_count"),
        usage_date="day",
        usage_hour=pl.col("day").cast(pl.Datetime("us")) + pl.duration(hours="hour"),
        service_tier=pl.lit("default"),
        input_uncached_tokens=pl.col("request_count") * 700,
        cache_read_tokens=pl.col("request_count") * 100,
        output_text_tokens=pl.col("request_count") * 200,
        **prices,
    )


def _charged(costs: pl.DataFrame) -> pl.DataFrame:
    """Rows of `chargeback`."""
    return costs.select(
        *("account", "provider_name", "service_name", "model_id", "feature", "cost_kind"),
        billing_period=pl.col("day").dt.month_start(),
        charge_date="day",
        team_id=pl.col("account").str.strip_prefix("team:"),
        rule_kind=pl.lit("direct"),
        billing_currency=pl.lit("USD"),
        reporting_currency=pl.lit("USD"),
        effective_cost=_DOLLARS,
        billed_cost=_DOLLARS,
        reporting_effective_cost=_DOLLARS,
        period_state=pl.lit("final"),
    )


def _cohorts(usage: pl.DataFrame) -> pl.DataFrame:
    """Rows of `outcome_cohorts`: a trace for every ten requests, half of them with an outcome."""
    daily = usage.group_by("day", "team_id", "model_id", "feature").agg(pl.col("request_count", "cost_units").sum())
    traces, outcomes = pl.col("request_count") // 10 + 1, (pl.col("request_count") // 20).cast(pl.Decimal(38, 12))
    return daily.sort("day", "team_id", "model_id").select(
        *("team_id", "model_id", "feature", "request_count"),
        usage_date="day",
        outcome_kind=pl.lit(_KIND),
        route=pl.lit("api"),
        trace_count=traces,
        kind_trace_count=traces,
        team_trace_count=traces,
        feature_trace_count=traces,
        priced_cost_usd=_DOLLARS,
        attributed_cost_usd=_DOLLARS,
        outcome_count=outcomes,
        success_count=outcomes,
    )


def _shares() -> pl.DataFrame:
    """Rows of `outcome_shares`: a thousand outcomes a day for sixty days, up to a week after their requests."""
    numbers = pl.DataFrame({"number": range(60_000)})
    return numbers.select(
        usage_date=pl.lit(LAST) - pl.duration(days=pl.col("number") % 60),
        cohort_date=pl.lit(LAST) - pl.duration(days=pl.col("number") % 60 + pl.col("number") % 7),
        age_days=pl.col("number") % 7,
        outcome_kind=pl.lit(_KIND),
        outcome_id=pl.format("outcome-{}", "number"),
        trace_key=pl.format("trace-{}", "number"),
        method=pl.lit("trace"),
        share=pl.lit(Decimal(1)),
        is_success=pl.lit(value=True),
    )


def _machines() -> pl.DataFrame:
    """Rows of `machine_prices`: a machine in several regions, bought in each way."""
    ways = (("on_demand", 0, "40"), ("reserved", 12, "26"), ("savings_plan", 36, "22"), ("spot", 0, "18"))
    rows = [
        {
            "purchase_option": way,
            "term_months": months,
            "price_per_hour": Decimal(price),
            "region_id": f"region-{region}",
        }
        for region in range(_REGIONS)
        for way, months, price in ways
    ]
    named = {"provider_name": "AWS", "instance_type": "p5.48xlarge", "currency": "USD", "product": "Linux"}
    return pl.DataFrame(rows).with_columns(
        **{name: pl.lit(value) for name, value in named.items()}, usage_date=pl.lit(LAST), gpu_count=pl.lit(8)
    )


def _budgets(teams: int) -> pl.DataFrame:
    """Rows of `budgets`: one of every team."""
    rows = [{"budget_id": f"team-{team}", "account": f"team:{team}", "team_id": f"{team}"} for team in range(teams)]
    return pl.DataFrame(rows).with_columns(
        metric=pl.lit("cost"),
        unit=pl.lit("USD"),
        budget_amount=pl.lit(Decimal(100_000)),
        valid_from=pl.lit(date(2025, 1, 1)),
        valid_to=pl.lit(FOREVER.date()),
    )


def _store(house: House, table: str, rows: pl.DataFrame) -> None:
    """Puts the rows in place, a slice for each date; columns that are left out say nothing."""
    output = contract(table)
    absent = [name for name in output.arrow_schema().names if name not in rows.columns]
    filled = rows.with_columns(_nothing(output, name) for name in absent).select(output.arrow_schema().names)
    kept = conform(filled, table)  # widths alone: no figure here has a digit that does not fit
    pieces = [(day, in_contract(output, piece.to_arrow()), f"{table} {day}") for day, piece in _slices(output, kept)]
    for start in range(0, len(pieces), 31):
        house.lake.replace_slices(table, SLICE_SOURCE, pieces[start : start + 31])


def _slices(output: Contract, rows: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    column = output.slice_column
    if output.slice == "none" or column is None:
        yield REFERENCE_DATE, rows
        return
    for (day,), piece in rows.sort(column).group_by(column, maintain_order=True):
        assert isinstance(day, date)  # a slice's column is one: this is for the type checker
        yield day, piece


def _nothing(output: Contract, name: str) -> pl.Expr:
    column = next(column for column in output.columns if column.name == name)
    kind = schema_of(output.table)[name]
    empty = None if column.nullable else "" if kind == pl.String else False if kind == pl.Boolean else 0
    return pl.lit(empty).cast(kind).alias(name)
