"""A month of the ledger: 10,000 teams and a million postings, exact to the unit, beside a plain split in SQL.

`python -m benchmarks.ledger` writes `ledger.md` beside this file. Each side runs in a process of its own, in turn. The
reference is what people write by hand: one query in DuckDB that splits by `weight / sum(weight)` in double precision.
It books nothing, names no rule, keeps no remainder and proves nothing; it is told how far its sums are from the bill.
"""

import argparse
import json
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from benchmarks.sides import in_fresh_processes, measured
from models.conservation import check_conservation
from models.frames import schema_of
from models.ledger import post
from models.pools import Pool, Split

HERE = Path(__file__).parent
FIRST = date(2026, 10, 1)
DAYS, TEAMS, MODELS, USERS = 31, 10_000, 20, 1_120
"""USERS: teams that use a model on a day. 31 days of 20 models and a pool of all teams are over a million postings."""
MOST_SECONDS = 30
PLATFORM = '{"team":"platform"}'


def write_month(folder: Path, *, days: int = DAYS, teams: int = TEAMS, models: int = MODELS, users: int = USERS) -> int:
    """Writes the bill, the usage and the owner rules of a month. Returns the bill in pico-units."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(7)
    charges = [_charge(day, model, dice) for day in range(days) for model in range(models)]
    charges += [_charge(day, None, dice) for day in range(days)]
    usage = [
        _usage(day, model, team, dice)
        for day in range(days)
        for model in range(models)
        for team in dice.sample(range(teams), users)
    ]
    _frame("charge_groups", charges).write_parquet(folder / "charges.parquet")
    _frame("usage_by_team_daily", usage).write_parquet(folder / "usage.parquet")
    return int(sum(Decimal(str(charge["effective_cost"])) for charge in charges) * 10**12)


def post_month(folder: Path, _spill: str) -> None:
    """The house's own side: posts, and proves that every unit arrived."""
    charges = pl.read_parquet(folder / "charges.parquet")
    postings = post(
        charge_groups=charges,
        usage=pl.read_parquet(folder / "usage.parquet"),
        gpu_states=_frame("gpu_states_hourly", []),
        pod_models=_frame("pod_models", []),
        gpu_labels=_frame("gpu_labels", []),
        owners=_frame("owners", [_owner()]),
        pools=[Pool("platform", split=Split.DIRECT_COST)],
    )
    if not check_conservation(charges, postings).is_empty():
        raise ValueError("the ledger does not balance")
    postings.write_parquet(folder / "ledger.parquet")


def split_by_hand(folder: Path, _spill: str) -> None:
    """The reference: proportions in double precision, in one query."""
    query = (HERE / "ledger_by_hand.sql").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        for name in ("charges", "usage"):
            connection.read_parquet(str(folder / f"{name}.parquet")).create_view(name)
        connection.sql(query).write_parquet(str(folder / "by_hand.parquet"))


SIDES = {"ledger": post_month, "by_hand": split_by_hand}


def resting_units(folder: Path, side: str) -> int:
    """What rests anywhere, by that side, in pico-units."""
    rows = pl.read_parquet(folder / f"{side}.parquet")
    if side == "ledger":
        rows = rows.filter("is_final_account")
    return int(sum(Decimal(cost) for cost in rows["effective_cost"].to_list()) * 10**12)


def main() -> None:
    """Measures both sides and writes the page; or runs one side, as a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=list(SIDES))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(measured(SIDES[arguments.side], arguments.folder)))
        return
    with TemporaryDirectory() as folder:
        billed = write_month(Path(folder))
        found = in_fresh_processes("benchmarks.ledger", SIDES, Path(folder), arguments.repeats)
        lost = {side: resting_units(Path(folder), side) - billed for side in SIDES}
        counts = {side: pl.read_parquet(Path(folder) / f"{side}.parquet").height for side in SIDES}
    (HERE / "ledger.md").write_text(_page(found, lost, counts), encoding="utf-8")


def _page(found: dict[str, dict[str, float]], lost: dict[str, int], counts: dict[str, int]) -> str:
    names = {"ledger": "the ledger, with its proof", "by_hand": "reference: one query in DuckDB, in doubles"}
    rows = [
        f"| {names[side]} | {counts[side]:,} | {took['seconds']:.1f} | {took['cpu_seconds']:.1f} | {took['gib']:.1f} "
        f"| {lost[side]:,} |"
        for side, took in found.items()
    ]
    ratio = found["ledger"]["cpu_seconds"] / found["by_hand"]["cpu_seconds"]
    return "\n".join(
        [
            "# The ledger: a month of 10,000 teams",
            "",
            f"{DAYS} days, {MODELS} models, {USERS:,} teams on each model and day, a pool by direct cost over all",
            "teams. Each side reads and writes Parquet in a process of its own; medians of the seconds, highest",
            "peak of memory. Lost is what rests in the end less the bill, in millionths of a millionth of a dollar.",
            "",
            "| side | rows | seconds | CPU seconds | GiB | lost |",
            "|---|---:|---:|---:|---:|---:|",
            *rows,
            "",
            f"The ledger takes {ratio:.1f} times the reference's CPU. Bar: {MOST_SECONDS} seconds on cores that do",
            "nothing else, of which the CPU seconds are the most that it can take; seconds tell what else ran.",
            "",
        ]
    )


def _charge(day: int, model: int | None, dice: random.Random) -> dict[str, object]:
    start = datetime.combine(FIRST + timedelta(days=day), datetime.min.time())
    cost = Decimal(dice.randrange(10**13, 10**16)).scaleb(-12)
    row: dict[str, object] = {}
    row.update(dict.fromkeys(schema_of("charge_groups")))
    return row | {
        "charge_group_id": f"{day}-{model}",
        "billing_period": FIRST,
        "charge_start": start,
        "charge_end": start + timedelta(days=1),
        "charge_date": start.date(),
        "x_source": "bill",
        "billing_account_id": "account",
        "provider_name": "Provider",
        "billing_currency": "USD",
        "charge_category": "Usage",
        "service_name": "API",
        "tags": PLATFORM if model is None else None,
        "provider_id": None if model is None else "provider",
        "model_id": None if model is None else f"model-{model}",
        "token_class": None if model is None else "output_text",
        "billed_cost": cost,
        "effective_cost": cost,
        "line_count": 1,
    }


def _usage(day: int, model: int, team: int, dice: random.Random) -> dict[str, object]:
    unknown = ("owner_rule_id", "priced_cost_usd", "source_reported_cost_usd", "avoided_cost_usd")
    row: dict[str, object] = {}
    row.update(dict.fromkeys(schema_of("usage_by_team_daily"), ""))
    row.update(dict.fromkeys((name for name in row if name.endswith(("_tokens", "_count"))), 0))
    row.update(dict.fromkeys(unknown))
    return row | {
        "usage_date": FIRST + timedelta(days=day),
        "provider_id": "provider",
        "model_id": f"model-{model}",
        "is_self_hosted": False,
        "team_id": f"team-{team}",
        "feature": dice.choice(["", "chat", "search"]),
        "output_text_tokens": dice.randrange(1, 10**8),
        "duplicate_cost_usd": None,
    }


def _owner() -> dict[str, object]:
    return {
        "rule_id": "platform",
        "priority": 0,
        "match_kind": "tag",
        "match_key": "team",
        "match_value": "platform",
        "cluster": None,
        "team_id": None,
        "pool_id": "platform",
        "valid_from": date(1970, 1, 1),
        "valid_to": date(9999, 12, 31),
    }


def _frame(table: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema_of(table), orient="row")


if __name__ == "__main__":
    main()
