"""The bill lines behind charge groups, as they were when these were posted, and what part of each is asked about."""

from collections.abc import Iterator, Sequence
from datetime import date
from tempfile import TemporaryDirectory

import polars as pl

from contracts import contract
from models.frames import frame_of
from models.money import money_of, units_of
from models.parts import parts_of
from pipelines.calendar import next_month
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.explain.evidence import Evidence
from pipelines.explain.journal import AMOUNTS, LOCKED, POSTED

MEMORY = "4GB"
_FEW = 5_000  # ids that a query names one by one
_SUMS = {"charge_group_id", "consumed_quantity", "line_count", *AMOUNTS}
_DIMENSIONS = [column.name for column in contract("charge_groups").columns if column.name not in _SUMS]
_CAME_LATER = ("unused_commitment_id",)
"""Dimensions by which earlier versions of Farthing did not tell groups apart."""
_TOLD = (
    *("x_source", "x_page", "x_row", "charge_description", "sku_id", "invoice_id", "resource_id", "charge_category"),
    *("charge_period_start", "consumed_quantity", "consumed_unit", "pricing_quantity", "pricing_unit"),
    *("list_unit_price", "contracted_unit_price", "list_cost"),
)
GROUP = ("origin", "period", "charge_group_id")


def bill_lines(evidence: Evidence, groups: pl.DataFrame) -> pl.DataFrame:
    """The lines of charge groups whose sums are what was booked, with the share of each that the groups' part is.

    Args:
        evidence: the open snapshot.
        groups: columns of `GROUP`, effective_cost and billed_cost (booked), part_effective_cost, part_billed_cost.

    Returns:
        Columns of `GROUP` and `_TOLD`, provider_name, service_name, model_id, token_class, sub_account_id,
        billing_currency, version (of the table of charges), line_effective_cost, line_billed_cost (of the whole line),
        effective_cost and billed_cost (the part). Not of a group whose lines no kept version of the bill has.
    """
    found = [
        _shared(evidence, str(origin), period, wanted)
        for (origin, period), wanted in groups.group_by("origin", "period", maintain_order=True)
        if isinstance(period, date)
    ]
    return pl.concat(found) if found else pl.DataFrame()


def _shared(evidence: Evidence, origin: str, period: date, wanted: pl.DataFrame) -> pl.DataFrame:
    sign = -1 if origin == LOCKED else 1
    is_locked = origin == LOCKED or (origin == POSTED and period in evidence.locked)
    versions = list(_versions(evidence, period, is_locked=is_locked))
    found = [_found(evidence, period, versions, wanted, sign, None)]
    rest = wanted.join(found[0], on="charge_group_id", how="anti")
    if not rest.is_empty():  # their ids are of an earlier version of Farthing: what they were of tells the lines
        found.append(_found(evidence, period, versions, rest, sign, _kept_groups(evidence, period, rest)))
    about = [pl.lit(origin).alias("origin"), pl.lit(period).alias("period")]
    return _parts(pl.concat(found), wanted).with_columns(about)


def _found(
    evidence: Evidence,
    period: date,
    versions: Sequence[int],
    wanted: pl.DataFrame,
    sign: int,
    groups: pl.DataFrame | None,
) -> pl.DataFrame:
    """The lines of groups in the first version of the bill in which they sum to what was booked."""
    pieces: list[pl.DataFrame] = []
    rest = wanted
    for version in versions:
        lines = _lines_at(evidence, period, version, rest["charge_group_id"].to_list(), groups)
        signed = lines.with_columns(
            (pl.col(f"line_{name}") * sign).cast(pl.Decimal(38, 12)).alias(f"line_{name}") for name in AMOUNTS
        )
        agreed = _agreeing(signed, rest)
        pieces.append(signed.join(agreed, on="charge_group_id", how="semi"))
        rest = rest.join(agreed, on="charge_group_id", how="anti")
        if rest.is_empty():
            break
    return pl.concat(pieces)


def _kept_groups(evidence: Evidence, period: date, wanted: pl.DataFrame) -> pl.DataFrame:
    """What charge groups are of, as it is published, or as it was kept before."""
    ids = wanted.select("charge_group_id")
    found = evidence.published("charge_groups", "t.charge_group_id in (select charge_group_id from ids)", ids=ids)
    for version in evidence.lake.versions_of("charge_groups", period):
        missing = ids.join(found, on="charge_group_id", how="anti")
        if missing.is_empty():
            break
        before = frame_of(evidence.lake.read_at("charge_groups", version, period, next_month(period)))
        found = pl.concat([found, before.join(missing, on="charge_group_id", how="semi")])
    return found


def _versions(evidence: Evidence, period: date, *, is_locked: bool) -> Iterator[int]:
    """The snapshot's own; for a locked month also those before it in which its bills were others, newest first."""
    newest = evidence.versions["charges"]
    yield newest
    if is_locked:
        yield from (v for v in evidence.lake.versions_of("charges", period) if v < newest)


def _lines_at(
    evidence: Evidence, period: date, version: int, ids: Sequence[str], groups: pl.DataFrame | None
) -> pl.DataFrame:
    """The month's lines in one version of the bill, each with its charge group; of those groups alone.

    By the ids that lines have today; where `groups` are given, by all that these are known to be of.
    """
    own = "(select charge_group_id from charge_lines group by 1) g on l.charge_group_id = g.charge_group_id"
    lacking = [] if groups is None else [name for name in _CAME_LATER if groups[name].null_count() == groups.height]
    known = [name for name in _DIMENSIONS if name not in lacking]
    alike = f"charge_groups g on {' and '.join(f'l.{name} is not distinct from g.{name}' for name in known)}"
    named = f"where g.charge_group_id in ({', '.join(map(_quoted, ids))})" if len(ids) <= _FEW else ""
    with TemporaryDirectory(prefix="farthing-explain-") as folder:
        engine = DuckDBEngine(MEMORY, folder)
        try:
            engine.register("charges", evidence.lake.read_at("charges", version, period, next_month(period)))
            engine.register("model_identity", evidence.stored("model_identity").to_arrow())
            engine.build(contract("charge_lines"))
            if groups is not None:
                engine.register("charge_groups", groups.to_arrow())
            found = engine.query(
                f"""
                select
                    g.charge_group_id, l.provider_name, l.service_name, l.model_id, l.token_class, l.sub_account_id,
                    l.billing_currency,
                    {", ".join(f"c.{name}" for name in _TOLD)},
                    l.effective_cost as line_effective_cost, l.billed_cost as line_billed_cost
                from charge_lines l
                join {own if groups is None else alike}
                join charges c on l.x_source = c.x_source and l.x_page = c.x_page and l.x_row = c.x_row
                {named}
                order by g.charge_group_id, c.x_source, c.x_page, c.x_row
                """
            )
        finally:
            engine.close()
    return frame_of(found).with_columns(version=pl.lit(version, pl.Int64))


def _agreeing(lines: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """The ids of the groups whose lines sum to what was booked."""
    sums = lines.group_by("charge_group_id").agg(pl.col(f"line_{name}").sum() for name in AMOUNTS)
    found = wanted.join(sums, on="charge_group_id")
    return found.filter(pl.col(f"line_{name}") == pl.col(name) for name in AMOUNTS).select("charge_group_id")


def _parts(lines: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """The same share of every line of a group, to the last unit."""
    units = wanted.select("charge_group_id", *(units_of(f"part_{name}") for name in AMOUNTS))
    part_of = {row[0]: row[1:] for row in units.rows()}
    pieces: dict[str, list[int]] = {name: [] for name in AMOUNTS}
    ordered = lines.sort("charge_group_id", maintain_order=True)
    for (group,), own in ordered.group_by("charge_group_id", maintain_order=True):
        for name, part in zip(AMOUNTS, part_of[str(group)], strict=True):
            pieces[name] += parts_of(own[f"line_{name}"].to_physical().to_list(), part)
    shared = ordered.with_columns(pl.Series(name, pieces[name], pl.Int128) for name in AMOUNTS)
    return shared.with_columns(money_of(name) for name in AMOUNTS)


def _quoted(text: str) -> str:
    return f"'{text}'"
