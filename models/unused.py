"""What was paid for and nobody used, and who carries it: a line of its own, never hidden in what was used.

Three things can lie unused: a commitment (the bill says of which one), GPUs that nobody held (their states say so) and
provisioned throughput (its measured utilisation says how much). Whatever an owner rule names has its owner; of the rest
the first rule that fits says who carries it, and without one it stays central, in a residual of its own.

Here belongs: what is unused, and which rule takes it. Here does not belong: how a pool is split among its teams.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import polars as pl

from models.accounts import RESIDUAL_OF_STATE
from models.validity import EVER, FOREVER

UNUSED = "unused"
"""The kind of rule that moves it, and before a rule's id that no rule of the house took it."""

COMMITMENT_KIND, THROUGHPUT_KIND = "unused_commitment", "unused_throughput"
"""Kinds of cost of what was not used."""

UNUSED_COMMITMENT, UNUSED_THROUGHPUT = "residual:unused_commitment", "residual:unused_throughput"

PARTS = 10**6
"""Utilisation is counted in millionths: finer than it is measured."""


class Unused(StrEnum):
    """What can lie unused."""

    COMMITMENT = "commitment"
    THROUGHPUT = "throughput"
    IDLE_GPU = "idle_gpu"
    UNKNOWN_GPU = "unknown_gpu"
    UNHEALTHY_GPU = "unhealthy_gpu"


@dataclass(frozen=True)
class UnusedRule:
    """Who carries what of one kind was not used, on days from `valid_from` to before `valid_to`.

    `scope` is the commitment, the resource of the throughput or the cluster of the GPUs; empty, all of them. `account`
    is that of a team or a pool (`team:...`, `pool:...`); empty, it stays central.
    """

    rule_id: str
    what: Unused
    scope: str = ""
    account: str = ""
    valid_from: date = EVER
    valid_to: date = FOREVER

    @property
    def team_id(self) -> str | None:
        """The team that carries it; None where a pool does, or nobody."""
        return self.account.removeprefix("team:") if self.account.startswith("team:") else None


def unused_commitments(charges: pl.DataFrame, rules: Sequence[UnusedRule]) -> pl.DataFrame:
    """Charges for unused commitments that nobody owns, with who carries them.

    Args:
        charges: columns charge_group_id, charge_date, unused_commitment_id (NULL for all other charges), owner_account.
        rules: in their order.

    Returns:
        charge_group_id, rule_id, to_account, team_id.
    """
    found = charges.filter(pl.col("unused_commitment_id").is_not_null(), pl.col("owner_account").is_null())
    return _carried(found, "unused_commitment_id", Unused.COMMITMENT, UNUSED_COMMITMENT, rules)


def unused_throughput(charges: pl.DataFrame, rules: Sequence[UnusedRule]) -> pl.DataFrame:
    """Who carries what was not used of throughput that nobody owns: as `unused_commitments`, by resource_id."""
    return _carried(charges, "resource_id", Unused.THROUGHPUT, UNUSED_THROUGHPUT, rules)


def without_idle_gpus(moves: pl.DataFrame, charges: pl.DataFrame, rules: Sequence[UnusedRule]) -> pl.DataFrame:
    """Moves of GPU money with what a rule takes of GPUs that nobody held sent where it says.

    Args:
        moves: step 2 of what GPUs cost, in the shape of a move.
        charges: columns charge_group_id, charge_date.
        rules: in their order.
    """
    states = {
        "residual:idle": Unused.IDLE_GPU,
        RESIDUAL_OF_STATE["unknown"]: Unused.UNKNOWN_GPU,
        RESIDUAL_OF_STATE["unhealthy"]: Unused.UNHEALTHY_GPU,
    }
    given = [moves.filter(~pl.col("to_account").is_in(list(states)))]
    for account, what in states.items():
        resting = moves.filter(pl.col("to_account") == account)
        dates = charges.select("charge_group_id", "charge_date")
        # the rules found below are put beside `resting` row by row
        dated = resting.join(dates, on="charge_group_id", how="left", maintain_order="left")
        rule = _rule_of(dated, "cluster", what, rules)
        is_taken = rule.is_not_null()
        given.append(
            resting.with_columns(
                rule_id=pl.when(is_taken).then(rule).otherwise("rule_id"),
                rule_kind=pl.when(is_taken).then(pl.lit(UNUSED)).otherwise("rule_kind"),
                to_account=pl.coalesce(_named(rule, {r.rule_id: r.account or None for r in rules}), "to_account"),
                team_id=pl.coalesce(_named(rule, {r.rule_id: r.team_id for r in rules}), "team_id"),
            )
        )
    return pl.concat(given)


def utilisation(deployments: pl.DataFrame) -> pl.DataFrame:
    """How far the throughput of each resource was used in its month.

    Several deployments of one resource count by their units. Where the use of one of them, or its units, are unknown,
    so is that of the resource. More than all of it is all: what went beyond was billed by the token.

    Args:
        deployments: columns billing_period, provider_name, resource_id, deployment_id, provisioned_units,
            utilisation_ratio.

    Returns:
        billing_period, provider_name, resource_id (in small letters), used_parts (Int128, of `PARTS`).
    """
    key = ["billing_period", "provider_name", "resource_id"]
    # a deployment that several accounts are billed for is there several times
    each = deployments.filter(pl.col("resource_id").is_not_null()).unique([*key, "deployment_id"], keep="any")
    ratio = pl.col("utilisation_ratio").clip(0, 1)
    units = pl.when(pl.len().over(key) > 1).then("provisioned_units").otherwise(1).cast(pl.Float64)
    weighed = each.with_columns(pl.col("resource_id").str.to_lowercase(), used=ratio * units, units=units)
    known = weighed.group_by(key).agg(
        pl.col("used", "units").sum(), is_known=pl.all_horizontal(pl.col("used", "units").is_not_null()).all()
    )
    share = (pl.col("used") / pl.col("units") * PARTS).round()
    return known.filter("is_known", pl.col("units") > 0).select(*key, used_parts=share.cast(pl.Int64).cast(pl.Int128))


def _carried(
    charges: pl.DataFrame, scope: str, what: Unused, central: str, rules: Sequence[UnusedRule]
) -> pl.DataFrame:
    rule = _rule_of(charges, scope, what, rules)
    return charges.select(
        "charge_group_id",
        rule_id=rule.fill_null(f"{UNUSED}:{what}"),
        to_account=_named(rule, {r.rule_id: r.account or None for r in rules}).fill_null(central),
        team_id=_named(rule, {r.rule_id: r.team_id for r in rules}),
    )


def _rule_of(rows: pl.DataFrame, scope: str, what: Unused, rules: Sequence[UnusedRule]) -> pl.Series:
    """The first rule that fits each row: its id, NULL where none does."""
    found = pl.lit(None, pl.String)
    for rule in reversed([rule for rule in rules if rule.what is what]):
        fits = (pl.col("charge_date") >= rule.valid_from) & (pl.col("charge_date") < rule.valid_to)
        if rule.scope:
            fits &= pl.col(scope).fill_null("") == rule.scope
        found = pl.when(fits).then(pl.lit(rule.rule_id)).otherwise(found)
    # a literal alone would be one row, whatever the frame's height
    return rows.with_columns(_rule=found.cast(pl.String))["_rule"]


def _named(rule: pl.Series, names: dict[str, str | None]) -> pl.Series:
    return rule.replace_strict(names, default=None, return_dtype=pl.String) if names else rule.clear(len(rule))
