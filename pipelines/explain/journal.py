"""The moves behind rows of a mart: of the month's own journal, and for adjustments those that they differ by.

An adjustment is what a locked month would be posted as today, less what it was locked with, less what was posted for it
before. So its entries are the moves of `restated_postings`, those of the locked `postings` with the opposite sign, and
earlier adjustments likewise; moves that are the same in both journals cancel and are left out.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from models.adjustments import CORRECTION
from models.frames import schema_of
from pipelines.calendar import next_month
from pipelines.explain.evidence import Evidence
from pipelines.explain.marts import Mart, Part

POSTED, LOCKED, RESTATED, BEFORE = "posted", "locked", "restated", "adjusted_before"
"""Where an entry stands: in the month's journal; with the opposite sign in a locked one, or among the adjustments that
were made before; in the journal of the locked month as it would be posted today."""
AMOUNTS = ("effective_cost", "billed_cost")
ABOUT = (
    *("charge_date", "provider_name", "service_name", "cost_kind", "billing_currency"),
    *("to_account", "team_id", "model_id", "feature"),
)
_MOVE = (
    *("posting_id", "charge_group_id", "step", "rule_id", "rule_kind", "from_account"),
    *("cluster", "gpu_model_name", "gpu_state", "is_warm_standby", "gpu_seconds"),
)
ENTRY = ("line", "origin", "period", *_MOVE, *ABOUT, *AMOUNTS)
"""Columns of an entry: `line` is the mart's row that it belongs to, `period` the billing period of its bill."""
_DUE = ("corrected_period", "cause", *ABOUT)


def entries(evidence: Evidence, mart: Mart, cells: pl.DataFrame) -> pl.DataFrame:
    """The moves that rows of a mart are the sum of, each with its sign, ordered by line and step.

    Args:
        evidence: the open snapshot.
        mart: what the rows are of.
        cells: the rows, with a number `line`.

    Returns:
        The columns of `ENTRY`.
    """
    found = [_none()]
    for part in mart.parts:
        moves = _moves(evidence, part, cells)
        found += [moves] if part.journal == "postings" else _behind_adjustments(evidence, moves)
    return pl.concat([frame.select(ENTRY) for frame in found]).sort("line", "origin", "step", "posting_id")


def _none() -> pl.DataFrame:
    schema = schema_of("postings")
    own = {"line": pl.Int64(), "origin": pl.String(), "period": pl.Date()}
    return pl.DataFrame(schema={name: own.get(name) or schema[name] for name in ENTRY})


def _moves(evidence: Evidence, part: Part, cells: pl.DataFrame) -> pl.DataFrame:
    on = " and ".join(f"m.{name} is not distinct from ({expression})" for name, expression in part.keys.items())
    groups = ""
    if any("g." in text for text in (*part.keys.values(), part.moves)):
        groups = (
            "left join charge_groups g on p.billing_period = g.billing_period and p.charge_group_id = g.charge_group_id"
        )
    found = evidence.rows(
        f"select m.line, p.* from {part.journal} p {groups} join cells m on {on} where {part.moves} and {part.cells}",
        cells=cells,
    )
    if part.journal == "adjustments":
        return found
    return found.with_columns(origin=pl.lit(POSTED), period="billing_period")


def _behind_adjustments(evidence: Evidence, adjusted: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Month by month; the whole of what the adjustments are differences of."""
    for month in adjusted["corrected_period"].unique().sort():
        due = adjusted.filter(corrected_period=month)
        kept = evidence.rows("select * from postings where billing_period = ? and is_final_account", [month])
        today = evidence.stored("restated_postings", month, next_month(month)).filter("is_final_account")
        journals = pl.concat([_signed(kept, LOCKED, -1), _signed(today, RESTATED, 1)])
        wanted = due.select("line", "billing_period", *_DUE).rename({"billing_period": "posted_in"})
        moved = _differing(_caused(journals.with_columns(corrected_period="period")))
        yield moved.join(wanted, on=list(_DUE), nulls_equal=True)
        yield _made_before(evidence, month, wanted)


def _signed(journal: pl.DataFrame, origin: str, sign: int) -> pl.DataFrame:
    amounts = [(pl.col(name) * sign).cast(pl.Decimal(38, 12)) for name in AMOUNTS]
    return journal.with_columns(*amounts, origin=pl.lit(origin), period="billing_period")


def _caused(journals: pl.DataFrame) -> pl.DataFrame:
    """With the cause of each move's difference, as `models.adjustments` tells it."""
    group = journals.group_by("charge_group_id").agg(pl.col(name).sum().alias(f"group_{name}") for name in AMOUNTS)
    is_restated = pl.any_horizontal(pl.col(f"group_{name}") != 0 for name in AMOUNTS)
    return journals.join(group, on="charge_group_id").with_columns(
        cause=pl.when(pl.col("rule_kind") == CORRECTION)
        .then(pl.lit(CORRECTION))
        .when(is_restated)
        .then(pl.lit("bill_restated"))
        .otherwise(pl.lit("reallocated"))
    )


def _differing(moves: pl.DataFrame) -> pl.DataFrame:
    """Without what is the same in both journals."""
    key = ["charge_group_id", *_DUE]
    sums = moves.group_by(key).agg(pl.col(name).sum().alias(f"sum_{name}") for name in AMOUNTS)
    differs = sums.filter(pl.any_horizontal(pl.col(f"sum_{name}") != 0 for name in AMOUNTS))
    return moves.join(differs.select(key), on=key, how="semi", nulls_equal=True)


def _made_before(evidence: Evidence, month: date, wanted: pl.DataFrame) -> pl.DataFrame:
    """What adjustments that stand in earlier months posted of it already."""
    posted = evidence.rows("select * from adjustments where corrected_period = ? and is_final_account", [month])
    earlier = posted.join(wanted, on=list(_DUE), nulls_equal=True).filter(
        pl.col("billing_period") < pl.col("posted_in")
    )
    missing = [pl.lit(None, schema_of("postings")[name]).alias(name) for name in _MOVE if name not in earlier.columns]
    return _signed(earlier.with_columns(missing), BEFORE, -1).with_columns(
        period=pl.lit(month),
        posting_id="adjustment_id",
        rule_id=pl.concat_str(pl.lit("adjusted:"), pl.col("billing_period").dt.strftime("%Y-%m")),
        rule_kind=pl.lit("adjustment"),
    )


def journals(evidence: Evidence, found: pl.DataFrame) -> pl.DataFrame:
    """Every move of the charge groups that entries are of, in the journals where these stand, with origin and period.

    Moves of a locked journal have the sign of its entries: the opposite.
    """
    asked = found.filter(pl.col("charge_group_id").is_not_null()).select("origin", "period", "charge_group_id").unique()
    parts = [_signed(evidence.rows("select * from postings limit 0"), POSTED, 1)]
    for (origin, period), groups in asked.group_by("origin", "period", maintain_order=True):
        assert isinstance(period, date)  # noqa: S101 - the group's own type
        journal = _journal(evidence, str(origin), period, groups.select("charge_group_id"))
        parts.append(_signed(journal, str(origin), -1 if origin == LOCKED else 1))
    return pl.concat(part.select(parts[0].columns) for part in parts)


def _journal(evidence: Evidence, origin: str, period: date, groups: pl.DataFrame) -> pl.DataFrame:
    if origin == RESTATED:
        restated = evidence.stored("restated_postings", period, next_month(period))
        return restated.join(groups, on="charge_group_id", how="semi")
    return evidence.rows(
        "select * from postings where billing_period = ? and charge_group_id in (select charge_group_id from groups)",
        [period],
        groups=groups,
    )


def booked(journal: pl.DataFrame) -> pl.DataFrame:
    """What was booked of every charge group.

    Returns:
        origin, period, charge_group_id, booked_effective_cost, booked_billed_cost, and resting_effective_cost and
        resting_billed_cost: what of it came to rest in all accounts together.
    """
    is_booked, rests = pl.col("step") == 1, pl.col("is_final_account")
    return journal.group_by("origin", "period", "charge_group_id").agg(
        *(pl.col(name).filter(is_booked).sum().alias(f"booked_{name}") for name in AMOUNTS),
        *(pl.col(name).filter(rests).sum().alias(f"resting_{name}") for name in AMOUNTS),
    )


def totals(rows: pl.DataFrame, keys: Sequence[str] = ("billing_currency",)) -> pl.DataFrame:
    """Effective and billed cost by currency, or by other keys."""
    names = [name for name in AMOUNTS if name in rows.columns]
    return rows.group_by(list(keys)).agg(pl.col(name).sum() for name in names).sort(list(keys))
