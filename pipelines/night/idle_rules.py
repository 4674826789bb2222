"""Owner rules of the configuration that match nothing: what the night, the overview and `check` say of them.

A rule without a match is no error of the file: a project may be billed for the first time tomorrow. But a slip in it
leaves its team's costs to everybody, and nobody should find that out from a statement. Compared is what a rule names
with what bills, logs and clusters name; that an earlier rule takes what it would match is no slip.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from models.accounts import tag_pairs
from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.config.positions import read
from pipelines.config.problems import nearest
from pipelines.config.schema import Owner
from pipelines.engines import Engine
from pipelines.house import House
from pipelines.night.register import register
from pipelines.night.stale import reach
from reports.given import IdleRule

BILLS, USAGE, GPUS, LABELS = TABLES = ("charge_groups", "usage_by_team_daily", "gpu_states_hourly", "gpu_labels")


@dataclass(frozen=True)
class Named:
    """What rules of one kind are compared with: the table, its columns, and the words for that nothing is equal."""

    table: str
    columns: tuple[str, ...]
    words: str
    where: str = "true"
    within: tuple[str, ...] = ()


CLUSTER = ("cluster",)
NAMED: Mapping[str, Named] = {
    "gateway_key": Named(USAGE, ("key_alias", "key_id"), "no logged request has the key"),
    "gateway_team": Named(USAGE, ("gateway_team_id",), "no logged request has the gateway's team"),
    "feature": Named(USAGE, ("feature",), "no logged request names the feature"),
    "namespace": Named(GPUS, ("namespace",), "no GPU was held by the namespace", within=CLUSTER),
    "sub_account": Named(BILLS, ("sub_account_id",), "no bill line is of the sub-account"),
    "resource": Named(BILLS, ("resource_id",), "no bill line is of the resource"),
    "commitment": Named(BILLS, ("unused_commitment_id",), "no bill line is of the commitment's unused part"),
    "tag": Named(BILLS, ("tags",), "no bill line has a tag"),
    "pod_label": Named(LABELS, ("labels",), "no pod or job has a label", where="pod <> ''", within=CLUSTER),
    "node_label": Named(LABELS, ("labels",), "no node has a label", where="pod = ''", within=CLUSTER),
}
PAIRS = (
    "tag",
    "pod_label",
    "node_label",
)  # these name a key and a value, and their column holds both as JSON


def idle_rules(house: House) -> list[IdleRule]:
    """The rules that match nothing of the last months that the lake holds anything of, in the file's order.

    Of a kind of which nothing was delivered (no bill, no log, no GPU), no rule is told: nothing can match yet.
    """
    days = [piece.slice_date for table in TABLES for piece in house.lake.slices(table) if piece.row_count]
    if not days or not house.config.owners:
        return []
    start, end = reach(max(days)), next_month(max(days))
    current = [
        (index, rule)
        for index, rule in enumerate(house.config.owners)
        if rule.valid_from < end and rule.valid_to > start
    ]
    with house.engine() as engine:
        seen = _seen(house, engine, {(rule.match_kind, rule.cluster) for _, rule in current}, start, end)
    idle = [(index, rule, said) for index, rule in current if (said := _said(rule, seen))]
    return list(_told(house, idle, start)) if idle else []


Asked = tuple[str, str | None]  # a kind of rule, and the one cluster that it names
Values = Mapping[Asked, list[tuple[str, ...]]]


def _seen(house: House, engine: Engine, asked: set[Asked], start: date, end: date) -> Values:
    """By kind of rule and cluster: what is there, one row for each way to be named.

    Nothing of kinds whose table has no rows.
    """
    found: dict[Asked, list[tuple[str, ...]]] = {}
    for table in TABLES:
        if any(piece.row_count and start <= piece.slice_date < end for piece in house.lake.slices(table)):
            register(house, engine, table, start, end)
            for kind, cluster in asked:
                if NAMED[kind].table == table:
                    rows = _distinct(engine, NAMED[kind], cluster)
                    found[kind, cluster] = (_pairs(rows) if kind in PAIRS else rows).rows()
    return found


def _distinct(engine: Engine, named: Named, cluster: str | None) -> pl.DataFrame:
    columns = ", ".join(f"coalesce({column}, '') as {column}" for column in (*named.columns, *named.within))
    found = frame_of(engine.query(f"select distinct {columns} from {named.table} where {named.where}"))
    if cluster is not None:
        found = found.filter(pl.col("cluster") == cluster)
    found = found.select(named.columns).unique(maintain_order=True)
    return found.filter(pl.any_horizontal(pl.col(column) != "" for column in named.columns))


def _pairs(rows: pl.DataFrame) -> pl.DataFrame:
    (column,) = rows.columns
    return tag_pairs(rows[column]).select("match_key", "match_value").unique()


def _said(rule: Owner, seen: Values) -> tuple[str, str] | None:
    """What a rule names that nothing else does, and the nearest that there is; None where something matches."""
    if (rule.match_kind, rule.cluster) not in seen:
        return None
    named, rows = NAMED[rule.match_kind], seen[rule.match_kind, rule.cluster]
    wanted = getattr(rule, rule.match_kind)
    if rule.match_kind in PAIRS:
        said = _said_of_pair(named, wanted.key, wanted.value, rows)
    else:
        said = _said_of_name(named, wanted, rows)
    if said is None or rule.cluster is None:
        return said
    missing, instead = said
    return f"{missing} in cluster '{rule.cluster}'", instead


def _said_of_name(named: Named, wanted: str, rows: list[tuple[str, ...]]) -> tuple[str, str] | None:
    if any(wanted in row for row in rows):
        return None
    readable = [next(filter(None, row)) for row in rows]
    return f"{named.words} '{wanted}'", nearest(wanted, readable)


def _said_of_pair(named: Named, key: str, value: str, rows: list[tuple[str, ...]]) -> tuple[str, str] | None:
    values = [found for name, found in rows if name == key]
    if value in values:
        return None
    if not values:
        return f"{named.words} '{key}'", nearest(key, (name for name, _ in rows))
    return f"{named.words} '{key}' that is '{value}'", nearest(value, values)


def _told(house: House, idle: list[tuple[int, Owner, tuple[str, str]]], since: date) -> Iterator[IdleRule]:
    """With the line on which each rule stands in the file as it is now."""
    position: Callable[[tuple[str | int, ...]], tuple[int, int]] = read(house.file).position
    for index, rule, (missing, instead) in idle:
        line, _ = position(("owners", index, rule.match_kind))
        message = f"{missing} since {since}"
        yield IdleRule(rule.id, house.file.name, line, message, instead or "Nothing of that kind has a name.")
