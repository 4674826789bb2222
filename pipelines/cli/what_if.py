"""`farthing what-if self-host`: a model's own traffic of four weeks on GPUs of one's own, against its API's price."""

import json
import math
import sys
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.mean_month import MONTH_HOURS
from pipelines.model_log import FEWEST_DAYS, WEEKS, Log, read_log, traffic_of

if TYPE_CHECKING:
    import duckdb

    from models.break_even import BreakEven
    from models.break_even_risk import Risk


@dataclass(frozen=True)
class Assumptions:
    """What the caller says of the plan; currency is that of price lists, US dollars."""

    model: str
    gpus: int
    gpu_hour_cost: float
    prefill_rate: float
    decode_rate: float
    min_replicas: int
    most_waiting: float
    fixed_monthly_cost: float


def what_if_self_host(console: Console, file: Path, given: Assumptions, output: str) -> int:
    """Prints the comparison, as a table or as JSON. Returns the exit code."""
    import duckdb

    from models.break_even import Plan, break_even
    from models.break_even_risk import risk
    from models.money import nearest_double
    from pipelines.cli.commands import OK, WRONG, refused, stopped
    from pipelines.clock import utc_now
    from pipelines.config import ConfigError
    from pipelines.config.place import lake_place
    from pipelines.lake import Lake, LakeError

    if output not in ("table", "json"):
        return stopped(console, f"--format is table or json, not '{output}'", WRONG)
    try:
        with Lake.open(*lake_place(file), utc_now).published().database() as database:
            log = read_log(database, given.model)
            others = _models(database)
    except (ConfigError, LakeError, duckdb.Error) as error:
        return refused(console, error)
    if told := _lacking(log, given.model, others):
        return stopped(console, told, WRONG)
    try:
        plan = Plan(
            *(given.gpus, given.gpu_hour_cost, given.prefill_rate, given.decode_rate, given.min_replicas),
            most_waiting=given.most_waiting,
            fixed_monthly_cost=given.fixed_monthly_cost,
        )
        traffic, api_cost = traffic_of(log, plan), nearest_double(log.monthly_cost)
        found, chance = break_even(traffic, plan, api_cost), risk(traffic, plan, api_cost)
    except ValueError as error:
        return stopped(console, str(error), WRONG)
    if output == "json":
        sys.stdout.write(json.dumps(_record(given, log, found, chance), ensure_ascii=False) + "\n")
    else:
        _print(console, given, log, found, chance)
    return OK


def _lacking(log: Log, model: str, others: list[str]) -> str:
    """What is missing to plan by, or nothing."""
    if not any(row[1] or row[2] for row in log.rows):
        known = f" It has: {', '.join(others)}." if others else ""
        return f"The log of the last {WEEKS} weeks has no tokens of '{model}'.{known}"
    if len(log.days) < FEWEST_DAYS:
        return f"The log has {len(log.days)} days: traffic of a whole week is the least that can be planned by."
    return ""


def _models(database: "duckdb.DuckDBPyConnection") -> list[str]:
    rows = database.execute("select distinct model_id from usage_hourly order by model_id limit 30").fetchall()
    return [row[0] for row in rows]


def _record(given: Assumptions, log: Log, found: "BreakEven", chance: "Risk") -> dict[str, object]:
    record: dict[str, object] = {
        **asdict(given),
        "last_day": str(log.days[-1]),
        "days": len(log.days),
        "api_monthly_cost": str(log.monthly_cost.quantize(Decimal("0.01"))),
        "unpriced_tokens": log.unpriced_tokens,
        "serving": {**asdict(found.serving), "cost": found.serving.cost},
        "monthly_saving": found.monthly_saving,
        "needed_utilisation_ratio": found.needed_utilisation_ratio,
        "volume_multiple": found.volume_multiple,
        "risk": asdict(chance),
    }
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in record.items()}


def _print(console: Console, given: Assumptions, log: Log, found: "BreakEven", chance: "Risk") -> None:
    serving, saving = found.serving, found.monthly_saving
    title = f"{given.model}: its traffic of {len(log.days)} days to {log.days[-1]}, a month of {MONTH_HOURS} hours"
    console.print(escape(title))
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("API at the price book's prices", _usd(found.api_cost))
    table.add_row("Own GPUs", _usd(serving.cost))
    table.add_row(
        f"  GPUs: {serving.replica_hours * given.gpus / MONTH_HOURS:,.1f} at ${given.gpu_hour_cost:,.2f} an hour",
        _usd(serving.gpu_cost),
    )
    table.add_row("  storage, network, monitoring", _usd(serving.overhead_cost))
    table.add_row("  people and platform", _usd(serving.fixed_cost))
    table.add_row("Replicas are busy", f"{serving.utilisation_ratio:.1%}")
    table.add_row("Busy enough to pay", _or_never(found.needed_utilisation_ratio, "{:.1%}"))
    table.add_row("Pays from this multiple of the traffic", _or_never(found.volume_multiple, "{:,.2f}"))
    console.print(table)
    word = f"saves {_usd(saving)}" if saving > 0 else f"costs {_usd(-saving)} more"
    console.print(f"Own GPUs: {word} a month. They are cheaper with a probability of {chance.probability:.0%}.")
    console.print(
        f"Saving, P10 / P50 / P90: {_usd(chance.p10)} / {_usd(chance.p50)} / {_usd(chance.p90)}. It hangs on:"
    )
    for swing in chance.swings:
        console.print(f"  {swing.assumption.replace('_', ' '):<12} {_usd(swing.low)} to {_usd(swing.high)}")
    if log.unpriced_tokens:
        console.print(f"{log.unpriced_tokens:,} tokens have no price: the API's cost is higher than is shown.")
    console.print("Prompt tokens that the API served from its cache are taken to be cached by own engines too.")


def _usd(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 0 else f"-${-amount:,.0f}"


def _or_never(value: float, form: str) -> str:
    return "never" if math.isnan(value) else form.format(value)
