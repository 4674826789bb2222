"""The walk: a figure, its rows, the moves behind them, the charges that these are of, the bill's lines, the deliveries.

Each level has, row by row, the part of the figure that it accounts for. What a level sums to is held against the figure
to the last decimal, and every row against those below it; whatever does not come out is a break, and said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

import polars as pl

from pipelines.explain.bill import GROUP, bill_lines
from pipelines.explain.delivered import deliveries, log_files
from pipelines.explain.evidence import Evidence
from pipelines.explain.gpu_time import gpu_time
from pipelines.explain.journal import AMOUNTS, BEFORE, booked, entries, journals, totals
from pipelines.explain.marts import Mart
from pipelines.explain.pool_uses import beside
from pipelines.explain.pool_weights import receivers, receivers_that_differ
from pipelines.explain.requests import requests, requests_that_differ
from pipelines.explain.routes import routes
from pipelines.explain.rules import Rules
from pipelines.explain.weights import weights, weights_that_differ

DEPTHS = ("lines", "postings", "charges", "weights", "bill", "deliveries", "requests")
RULES_CHANGED = (
    "The configuration is another now than when this snapshot was made: what is said of rules, and where they stand, "
    "is of today's file."
)
USUAL = "deliveries"
"""As deep as nobody has to wait for: the log may be long."""
_WEIGHTS = DEPTHS.index("weights")
CURRENCY = "billing_currency"
_BILLED = (
    *("x_source", "billing_account_id", "sub_account_id", "invoice_id", "charge_category", "resource_id", "tags"),
    *("model_id", "token_class", "service_tier", "purchase_option", "consumed_quantity", "consumed_unit"),
)


@dataclass(frozen=True)
class Level:
    """One level of an explanation: `rows` have effective_cost and billed_cost, the parts of the figure.

    Of rows of a `table` that others are declared to be made of, `amounts` are the columns that have the parts of
    their figures; rows that `are_inputs` of a model are parts of nothing, and may be those of several rows.
    """

    name: str
    title: str
    rows: pl.DataFrame
    amounts: tuple[str, ...] = AMOUNTS
    table: str = ""
    are_inputs: bool = False


@dataclass(frozen=True)
class Explanation:
    """A figure and its levels. `figure` has a row a currency; `breaks` say what does not sum, none where all does.

    `notes` say of figures that are no sums what they are.
    """

    mart: Mart
    figure: pl.DataFrame
    levels: tuple[Level, ...]
    breaks: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())


def explain(evidence: Evidence, mart: Mart, cells: pl.DataFrame, rules: Rules, depth: str = USUAL) -> Explanation:
    """Walks down from rows of a mart as deep as asked.

    Args:
        evidence: the open snapshot.
        mart: what the rows are of.
        cells: the rows, with a number `line`.
        rules: what the rules of the journal say.
        depth: one of `DEPTHS`.
    """
    # with the last depth comes everything that is left
    count = None if depth == DEPTHS[-1] else DEPTHS.index(depth) + 1
    levels = tuple(islice(_levels(evidence, mart, cells, rules), count))
    notes = (RULES_CHANGED,) if evidence.configuration and rules.differ_from(evidence.configuration) else ()
    return Explanation(mart, totals(cells), levels, tuple(_breaks(evidence, mart, cells, levels)), notes)


def _levels(evidence: Evidence, mart: Mart, cells: pl.DataFrame, rules: Rules) -> Iterator[Level]:
    """The levels from the top; what is not asked for is not read."""
    yield Level("lines", f"Lines of {mart.table}", cells)
    moves = entries(evidence, mart, cells)
    journal = journals(evidence, moves)
    yield Level("postings", "Moves that came to rest there", _ruled(moves, rules).with_columns(routes(journal, moves)))
    charges = _charges(evidence, moves, journal)
    yield Level("charges", "Charges that they are of", charges)
    shared = receivers(evidence, moves, journal, rules)
    used = weights(evidence, moves, journal, shared)
    yield Level("weights", "What these were split by", beside(used, shared))
    before = moves.filter(origin=BEFORE).select(
        "origin", "period", "provider_name", "service_name", CURRENCY, pl.col("rule_id").alias("x_source"), *AMOUNTS
    )
    lines = _bill(evidence, charges)
    yield Level("bill", "Lines of the bill", _beside(lines, before))
    found = pl.DataFrame() if lines.is_empty() else deliveries(evidence, lines)
    yield Level("deliveries", "Deliveries that brought them", _beside(found, before.drop("origin", "period")))
    weighed = gpu_time(evidence, requests(evidence, used))
    yield Level("requests", "Requests and GPU time that were weighed", weighed)
    yield Level("log_files", "Files that these stand in", log_files(evidence, weighed))


def _beside(found: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """With what adjustments posted before: it has no lines of its own."""
    return before if found.is_empty() else pl.concat([found, before], how="diagonal_relaxed")


def _ruled(moves: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """The moves with what their rules say, and where these stand."""
    named = moves.select("rule_id", "rule_kind").unique(maintain_order=True)
    found = [rules.rule(rule_id, kind) for rule_id, kind in named.rows()]
    told = named.with_columns(
        pl.Series("rule", [rule.text for rule in found], pl.String),
        pl.Series("rule_place", [rule.place for rule in found], pl.String),
    )
    return moves.join(told, on=["rule_id", "rule_kind"], how="left", maintain_order="left")


def _charges(evidence: Evidence, moves: pl.DataFrame, journal: pl.DataFrame) -> pl.DataFrame:
    """Every charge group of the moves: the part that is asked about, what was booked, and what rests elsewhere.

    Adjustments that were made before are of no one charge group: they are a row for each month of theirs.
    """
    parts = moves.group_by(*GROUP, "charge_date", "provider_name", "service_name", CURRENCY, maintain_order=True).agg(
        *(pl.col(name).sum() for name in AMOUNTS), rule_ids=pl.col("rule_id").unique().sort().str.join(", ")
    )
    about = evidence.rows(
        f"select charge_group_id, {', '.join(_BILLED)} from charge_groups "
        "where charge_group_id in (select charge_group_id from parts)",
        parts=parts.select("charge_group_id"),
    )
    joined = parts.join(booked(journal), on=list(GROUP), how="left", maintain_order="left").join(
        about, on="charge_group_id", how="left", maintain_order="left"
    )
    return joined.with_columns((pl.col(f"booked_{name}") - pl.col(name)).alias(f"elsewhere_{name}") for name in AMOUNTS)


def _bill(evidence: Evidence, charges: pl.DataFrame) -> pl.DataFrame:
    wanted = charges.filter(pl.col("origin") != BEFORE).select(
        *GROUP,
        *(pl.col(f"booked_{name}").alias(name) for name in AMOUNTS),
        *(pl.col(name).alias(f"part_{name}") for name in AMOUNTS),
    )
    return bill_lines(evidence, wanted)


def _breaks(evidence: Evidence, mart: Mart, cells: pl.DataFrame, levels: Sequence[Level]) -> Iterator[str]:
    figure = totals(cells)
    for level in levels:
        yield from _sums_that_differ(mart, figure, level)
        if level.name == "postings":
            yield from _lines_that_differ(mart, cells, level.rows)
        if level.name == "charges":
            yield from _charges_that_differ(level.rows)
        if level.name == "weights":
            yield from weights_that_differ(evidence, level.rows)
            yield from receivers_that_differ(level.rows)
        if level.name == "requests":
            yield from requests_that_differ(levels[_WEIGHTS].rows, level.rows)


def _lines_that_differ(mart: Mart, cells: pl.DataFrame, moves: pl.DataFrame) -> Iterator[str]:
    """Rows of the mart that are not the sum of their moves."""
    sums = moves.group_by("line").agg(pl.col(name).sum().alias(f"moved_{name}") for name in AMOUNTS)
    both = cells.join(sums, on="line", how="left")
    for name in mart.amounts:
        differs = both.filter(pl.col(name).fill_null(0) != pl.col(f"moved_{name}").fill_null(0))
        for row in differs.head(5).iter_rows(named=True):
            found = row[f"moved_{name}"] or Decimal(0)
            yield f"line {row['line']} of {mart.table}: {name} is {row[name]}, its moves come to {found}"
        if differs.height > 5:
            yield f"{differs.height - 5} more lines of {mart.table} whose {name} is not that of their moves"


def _charges_that_differ(charges: pl.DataFrame) -> Iterator[str]:
    """Charge groups that did not come to rest as they were booked."""
    for name in AMOUNTS:
        differs = charges.filter(pl.col(f"booked_{name}") != pl.col(f"resting_{name}"))
        for row in differs.head(5).iter_rows(named=True):
            booked, resting = row[f"booked_{name}"], row[f"resting_{name}"]
            yield f"charge group {row['charge_group_id']}: {name} {booked} was booked, {resting} came to rest"


def _sums_that_differ(mart: Mart, figure: pl.DataFrame, level: Level) -> Iterator[str]:
    """A level that does not come to the figure."""
    found = totals(level.rows)
    for name in mart.amounts:
        sums: dict[str, Decimal] = dict(found.select(CURRENCY, name).iter_rows()) if name in found.columns else {}
        for currency, expected in figure.select(CURRENCY, name).iter_rows():
            difference = (expected or Decimal(0)) - sums.get(currency, Decimal(0))
            if difference:
                yield (
                    f"{level.title}: {name} comes to {sums.get(currency, 0)} {currency}, the figure is {expected}; "
                    f"{difference} is not accounted for"
                )
