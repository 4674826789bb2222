"""The ledger: every bill line is posted, exactly, to the team that caused it or to a residual with a name.

Each posting moves money of one charge group from one account to another, so every step sums to zero:

1. `book`: bill:<provider> to pool:charges.
2. Out of pool:charges: `direct` by the first owner rule that matches tag, sub-account, resource or commitment;
   `gpu_seconds` by the states of the billed GPUs; `priced_tokens` by what the token log says was used; `unused` by the
   policy for what nobody used.
3. `pool`: the account of a shared pool to those who carry it, a step for each depth at which pools feed pools.
4. `residual`: what nobody could be charged with, to residual:unallocated.
5. `correction`: known errors on the bill, from those who carry them to residual:errata; only where there are any.

Billed and effective cost are split at 1e-12 by largest remainder, equal remainders in the order of account, then
feature, split from above. Here belongs: the steps. Here does not belong: step 2 (`models.spread`), the split
(`models.allocation_frame`), the weights (`models.usage_weights`, `models.gpu_weights`), the pools
(`models.pool_moves`), errors on bills (`models.errata`), the proof (`models.conservation`).
"""

import hashlib
from collections.abc import Sequence

import polars as pl

from models.accounts import CHARGES, UNALLOCATED, charge_owners, is_final
from models.allocation_frame import part_of
from models.conservation import check_conservation
from models.errata import correction_moves
from models.frames import conform, require
from models.gpu_weights import SHARE, gpu_shares, owned_states
from models.money import check_range, money_of, units_of
from models.moves import IDENTITY, TOTALS, split_moves, typed
from models.policy import AS_INCURRED, Policy
from models.pool_moves import FIRST_STEP, pool_moves
from models.pools import Pool
from models.spread import spread
from models.unused import COMMITMENT_KIND, utilisation
from models.usage_weights import PROVISIONED, logged_once

__all__ = ["RULES", "check_conservation", "post"]

RULES = "9"
"""Version of the rules below and of the weights: another version may post the same bill differently."""

DAYS_TOUCHED = {
    "first_day": pl.col("charge_start").dt.date(),
    "last_day": pl.max_horizontal("charge_start", pl.col("charge_end") - pl.duration(microseconds=1)).dt.date(),
}
"""The days that a charge group's period touches, both included, out of charge_start and charge_end."""


def post(
    *,
    charge_groups: pl.DataFrame,
    usage: pl.DataFrame,
    gpu_states: pl.DataFrame,
    pod_models: pl.DataFrame,
    gpu_labels: pl.DataFrame,
    owners: pl.DataFrame,
    pools: Sequence[Pool],
    policy: Policy = AS_INCURRED,
) -> pl.DataFrame:
    """Posts every charge group, in the shape of `postings`, ordered by charge group, step, accounts and feature.

    Args:
        charge_groups: what was billed. All of it is posted.
        usage: frame in the shape of `usage_by_team_daily`. For a charge, the days that its period touches count.
        gpu_states: frame in the shape of `gpu_states_hourly`. For a charge, the hours that its period touches count.
        pod_models: frame in the shape of `pod_models`: which model a pod served.
        gpu_labels: frame in the shape of `gpu_labels`: what rules by labels of pods and nodes match.
        owners: frame in the shape of `owners`.
        pools: the shared pools that owner rules, rules for what is unused and other pools name.
        policy: who carries unused capacity and prompt caches, the metrics of pools, the known errors on bills.

    Raises:
        ValueError: a frame does not keep its contract, a charge group comes twice, an owner rule names a pool that is
            not among `pools`, or as `models.usage_weights.pool_shares`.
        OverflowError: the amounts sum to more than DECIMAL(38,12) holds.
    """
    usage, owners = logged_once(require(usage, "usage_by_team_daily")), require(owners, "owners")
    gpu_states, pod_models = require(gpu_states, "gpu_states_hourly"), require(pod_models, "pod_models")
    charges = owned_charges(require(charge_groups, "charge_groups"), gpu_states, owners)
    charges = _measured(charges, policy.deployments)
    booked = _moves(charges, step=1, rule_kind="book", rule_id="book", to_account=CHARGES)
    gpu = gpu_moves(charges, owned_states(gpu_states, pod_models, require(gpu_labels, "gpu_labels"), owners))
    given = spread(charges, usage, gpu, policy)
    pooled = pool_moves(given, charges, usage, pools, require(policy.metrics, "pool_metrics"))
    left = charges.join(given.select("charge_group_id").unique(), on="charge_group_id", how="anti")
    last = FIRST_STEP + len(pooled)
    unallocated = _moves(left, step=last, rule_kind="residual", rule_id="unallocated", to_account=UNALLOCATED)
    posted = pl.concat([booked, given, *pooled, unallocated])
    corrected = correction_moves(posted, charges, policy.errata, step=last + 1)
    return _postings(pl.concat([posted, corrected]), charges)


def owned_charges(charge_groups: pl.DataFrame, gpu_states: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Charge groups with their amounts in pico-units, the days they touch, what was bought and whose it is.

    Raises ValueError when a charge group comes twice; OverflowError as `post`.
    """
    if repeated := charge_groups["charge_group_id"].is_duplicated().sum():
        raise ValueError(f"charge_groups: {repeated} rows share their charge_group_id: expected one row for each")
    is_gpu = pl.col("resource_id").is_in(gpu_states["resource_id"].unique().implode()).fill_null(value=False)
    # throughput is bought by the hour, and its line may name no model: what a model's API costs it is all the same
    is_throughput = pl.any_horizontal(pl.col("purchase_option", "service_tier") == PROVISIONED)
    charges = charge_groups.with_columns(
        billed_units=units_of("billed_cost"),
        effective_units=units_of("effective_cost"),
        **DAYS_TOUCHED,
        is_throughput=is_throughput.fill_null(value=False),
        cost_kind=pl.when(pl.col("unused_commitment_id").is_not_null())
        .then(pl.lit(COMMITMENT_KIND))
        .when(is_gpu)
        .then(pl.lit("gpu"))
        .when(pl.col("model_id").is_not_null() | is_throughput)
        .then(pl.lit("api"))
        .otherwise(pl.lit("other")),
    )
    for name in TOTALS:
        check_range(charges, name)
    names = {"rule_id": "owner_rule_id", "to_account": "owner_account", "team_id": "owner_team_id"}
    return charges.join(charge_owners(charges, owners).rename(names), on="charge_group_id", how="left")


def _measured(charges: pl.DataFrame, deployments: pl.DataFrame | None) -> pl.DataFrame:
    """Charges with how much of the throughput that they pay for was used: used_parts, NULL where nobody knows."""
    if deployments is None:
        return charges.with_columns(used_parts=pl.lit(None, pl.Int128))
    known = utilisation(require(deployments, "provisioned_deployments"))
    on = ["billing_period", "provider_name", "resource_id"]
    parts = charges.select("charge_group_id", *on).with_columns(pl.col("resource_id").str.to_lowercase())
    used = parts.join(known, on=on).select("charge_group_id", "used_parts")
    is_used = pl.col("is_throughput") & (pl.col("charge_category") == "Usage") & (pl.col("cost_kind") == "api")
    return charges.join(used, on="charge_group_id", how="left").with_columns(
        used_parts=pl.when(is_used).then("used_parts")
    )


def gpu_moves(charges: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """Step 2 of what GPUs cost: by holder and state. `charges` as of `owned_charges`, `states` of `owned_states`."""
    by_seconds = gpu_shares(charges.filter(pl.col("cost_kind") == "gpu"), states)
    gpu_owned = charges.filter(pl.col("owner_account").is_not_null()).select(
        "charge_group_id", rule_kind=pl.lit("direct")
    )
    shares = by_seconds.join(gpu_owned, on="charge_group_id", how="left").with_columns(
        pl.col("rule_kind").fill_null("gpu_seconds"), step=2, from_account=pl.lit(CHARGES)
    )
    split = split_moves(shares.join(charges.select("charge_group_id", *TOTALS), on="charge_group_id"), TOTALS)
    unfilled = by_seconds.select(*SHARE, "under_used_weight", "weight")
    return typed(
        split.join(unfilled, on=SHARE, how="left", nulls_equal=True).with_columns(
            under_used_units=part_of("effective_units", "under_used_weight", "weight")
        )
    )


def _moves(charges: pl.DataFrame, *, step: int, rule_kind: str, rule_id: str, to_account: str) -> pl.DataFrame:
    """Whole charges in one move: from the bill in step 1, else out of pool:charges."""
    from_bill = "bill:" + pl.col("provider_name")
    return typed(
        charges.with_columns(
            step=step,
            rule_kind=pl.lit(rule_kind),
            rule_id=pl.lit(rule_id),
            from_account=from_bill if step == 1 else pl.lit(CHARGES),
            to_account=pl.lit(to_account),
            team_id=pl.lit(None, pl.String),
            cost_kind=pl.lit(None, pl.String),
        )
    )


def _postings(moves: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    about = charges.select(
        *("charge_group_id", "billing_period", "charge_date", "billing_currency"),
        *("provider_name", "service_name"),
        *("charge_category", "charge_class", "purchase_option"),
        bought="cost_kind",
    )
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in IDENTITY], separator="\x1f")
    # most moves are of their charge's kind, and keep the id that they had before a move could have its own
    own = pl.when(pl.col("cost_kind").is_not_null()).then("\x1f" + pl.col("cost_kind")).otherwise(pl.lit(""))
    named = moves.sort(*IDENTITY, "cost_kind").join(about, on="charge_group_id", how="left", maintain_order="left")
    ids = [
        hashlib.md5(line.encode(), usedforsecurity=False).hexdigest() for line in named.select(text + own).to_series()
    ]
    complete = named.with_columns(
        pl.Series("posting_id", ids, dtype=pl.String),
        money_of("billed_units").alias("billed_cost"),
        money_of("effective_units").alias("effective_cost"),
        money_of("under_used_units").alias("under_used_cost"),
        is_final(pl.col("to_account")).alias("is_final_account"),
        cost_kind=pl.coalesce("cost_kind", "bought"),
    )
    return conform(complete, "postings")
