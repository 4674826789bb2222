"""Why each account's month differs from the one before, for every billing period that is stale."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pyarrow as pa

from contracts import contract
from models.accounts import UNOWNED_USAGE, team_account
from models.frames import frame_of
from models.tokens import TOKEN_CLASSES
from models.variance_bridge import Gpus, Month, Parts, gpu_parts, metered_parts, rounded
from pipelines.calendar import months_before, next_month
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets
from pipelines.night.older_inputs import older_inputs

BRIDGE = "variance_bridge"
_ACCOUNT = ("account", "billing_currency")
_BEFORE: Mapping[str, int] = dict.fromkeys(("chargeback", "gpu_waste", "usage_by_team_daily", "usage_hourly"), 1)
_ZERO = Fraction(0)
Account = tuple[str, str]
Use = dict[tuple[str, str], tuple[int, dict[str, int]]]
Sums = dict[Account, dict[tuple[str, str], Decimal]]


def build_variance_bridge(house: House, first: date, last: date) -> Built:
    """Holds the billing periods that a run of the days first..last must rebuild against the months before them."""
    output = contract(BRIDGE)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        rows = list(bridge_rows(house, target.slice_date))
        table = pa.Table.from_pylist(rows, schema=output.arrow_schema())
        pieces += replace_slices(house, output, table, [target])
    dates, row_count = tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces)
    return Built(BRIDGE, dates, row_count, problems=older_inputs(house, BRIDGE, targets, _BEFORE, first, last))


def bridge_rows(house: House, period: date) -> Iterator[dict[str, object]]:
    """The rows of a period; none where nothing was billed in it yet, or in the month before."""
    months = (months_before(period, 1), period)
    costs = [_costs(house, month) for month in months]
    if not costs[0] or not costs[1]:
        return
    uses = [_use(house, month) for month in months]
    prices = [_prices(house, month) for month in months]
    gpus = [_gpus(house, month) for month in months]
    for account in sorted({*costs[0], *costs[1]}):
        was, now = (cost.get(account, {}) for cost in costs)
        parts = _metered(account, (was, now), uses, prices)
        change = _kind(now, "gpu") - _kind(was, "gpu")
        parts |= gpu_parts(gpus[0].get(account, {}), gpus[1].get(account, {}), change)
        for factor in ("shared", "adjustment", "other"):
            for model in sorted({model for kind, model in (*was, *now) if kind == factor}):
                moved = Fraction(now.get((factor, model), 0)) - Fraction(was.get((factor, model), 0))
                parts[factor, model] = parts.get((factor, model), _ZERO) + moved
        before, after = (sum(cost.values(), Decimal(0)) for cost in (was, now))
        for (factor, model), cost in rounded(parts, after - before).items():
            yield {
                "billing_period": period,
                "previous_period": months[0],
                "account": account[0],
                "team_id": account[0].removeprefix("team:") if account[0].startswith("team:") else None,
                "billing_currency": account[1],
                "factor": factor,
                "model_id": model,
                "change_cost": cost,
                "previous_account_cost": before,
                "account_cost": after,
            }


def _kind(costs: dict[tuple[str, str], Decimal], kind: str) -> Fraction:
    return sum((Fraction(cost) for (found, _), cost in costs.items() if found == kind), _ZERO)


def _metered(
    account: Account,
    costs: tuple[dict[tuple[str, str], Decimal], ...],
    uses: list[Use],
    prices: list[dict[str, dict[str, Fraction]]],
) -> Parts:
    """The parts of what the log meters; API money of models that it does not know for the account is other."""
    metered: list[dict[str, Month]] = [{}, {}]
    other: Parts = {}
    for model in sorted({model for cost in costs for kind, model in cost if kind == "api"}):
        used = [use.get((account[0], model), (0, {})) for use in uses]
        paid = [Fraction(cost.get(("api", model), 0)) for cost in costs]
        if any(requests for requests, _ in used):
            for number, (requests, tokens) in enumerate(used):
                metered[number][model] = Month(paid[number], requests, tokens, prices[number].get(model, {}))
        else:
            other["other", model] = paid[1] - paid[0]
    return metered_parts(*metered) | other


def _costs(house: House, month: date) -> Sums:
    """What each account carries in a month, by kind and model."""
    rows = frame_of(house.lake.read("chargeback", month, next_month(month)))
    kind = (
        pl.when(pl.col("cause").is_not_null() | (pl.col("rule_kind") == "correction"))
        .then(pl.lit("adjustment"))
        .when(pl.col("cost_kind") == "gpu")  # of shared pools, too: their seconds come along
        .then(pl.lit("gpu"))
        .when(pl.col("rule_kind") == "pool")
        .then(pl.lit("shared"))
        .when((pl.col("cost_kind") == "api") & (pl.col("model_id") != ""))
        .then(pl.lit("api"))
        .otherwise(pl.lit("other"))
    )
    model = pl.when(kind.is_in(["api", "other"])).then("model_id").otherwise(pl.lit(""))
    sums = rows.group_by(*_ACCOUNT, kind=kind, model=model).agg(pl.col("effective_cost").sum())
    found: Sums = defaultdict(dict)
    for account, currency, name, model_id, cost in sums.sort(pl.all()).iter_rows():
        found[account, currency][name, model_id] = cost
    return dict(found)


def _use(house: House, month: date) -> Use:
    """Requests and tokens of each account and API model in a month, copies taken out."""
    rows = frame_of(house.lake.read("usage_by_team_daily", month, next_month(month)))
    paid = rows.filter(~pl.col("is_self_hosted")).with_columns(account=team_account(pl.col("team_id"), UNOWNED_USAGE))
    sums = paid.group_by("account", "model_id").agg(
        (pl.col("request_count") - pl.col("duplicate_count").fill_null(0)).sum().alias("requests"),
        *(
            (pl.col(f"{name}_tokens") - pl.col(f"duplicate_{name}_tokens").fill_null(0)).sum().alias(name)
            for name in TOKEN_CLASSES
        ),
    )
    return {
        (row["account"], row["model_id"]): (row["requests"], {name: row[name] for name in TOKEN_CLASSES})
        for row in sums.iter_rows(named=True)
    }


def _prices(house: House, month: date) -> dict[str, dict[str, Fraction]]:
    """The mean price of a token of each class of each model in a month, by the tokens that were used at it."""
    rows = frame_of(house.lake.read("usage_hourly", month, next_month(month)))
    found: dict[str, dict[str, Fraction]] = defaultdict(dict)
    for name in TOKEN_CLASSES:
        price = f"{name}_usd_per_token"
        sums = (
            rows.filter(pl.col(price).is_not_null() & (pl.col(f"{name}_tokens") > 0))
            .group_by("model_id", price)
            .agg(pl.col(f"{name}_tokens").sum().alias("tokens"))
            .sort("model_id", price)
        )
        weighed: dict[str, list[Fraction]] = defaultdict(lambda: [_ZERO, _ZERO])
        for model, each, tokens in sums.iter_rows():
            weighed[model][0] += Fraction(each) * tokens
            weighed[model][1] += tokens
        for model, (cost, tokens) in weighed.items():
            found[model][name] = cost / tokens
    return dict(found)


def _gpus(house: House, month: date) -> dict[Account, dict[str, Gpus]]:
    """GPU seconds and cost of each account and type in a month."""
    rows = frame_of(house.lake.read("gpu_waste", month, next_month(month)))
    sums = rows.group_by(*_ACCOUNT, "gpu_model_name").agg(pl.col("gpu_seconds", "effective_cost").sum())
    found: dict[Account, dict[str, Gpus]] = defaultdict(dict)
    for account, currency, name, seconds, cost in sums.iter_rows():
        found[account, currency][name] = Gpus(seconds, Fraction(cost))
    return dict(found)
