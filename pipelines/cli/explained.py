"""An explanation on paper: a page to read, JSON for programs, CSV for spreadsheets. Each level adds up as shown."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from models.minor_units import minor_unit
from pipelines.cli.explained_amounts import plain
from pipelines.cli.explained_pools import pool_tables, without_receivers
from pipelines.cli.explained_prices import bought, summed
from pipelines.explain.made_of_rows import NOTE
from pipelines.explain.question import Question
from pipelines.explain.walk import CURRENCY, RULES_CHANGED, Explanation, Level
from pipelines.explain.weights import WHOLE
from reports.money import exact_sum, format_money, round_to

ROWS_SHOWN = 12
OF_LINE = "of_line"
_COST = {True: "effective_cost", False: "billed_cost"}
_LABELS: dict[str, tuple[str, ...]] = {
    "lines": (
        *("billing_period", "account", "provider_name", "service_name", "model_id", "feature", "invoice_id"),
        *("cluster", "gpu_model_name", "waste_layer", "charge_category", "corrected_period", "cause", "rule_kind"),
    ),
    "postings": ("origin", "step", "rule_id", "rule", "rule_place", "route", "to_account"),
    "charges": (
        *("origin", "period", "provider_name", "service_name", "model_id", "token_class"),
        *("resource_id", "sub_account_id", "charge_category"),
    ),
    "weights": (
        "origin",
        "rule_id",
        "from_account",
        "basis",
        "model_id",
        "key_alias",
        "feature",
        "owner_rule_id",
        "namespace",
        "gpu_state",
    ),
    "bill": ("origin", "x_source", "provider_name", "charge_description", "sku_id", "resource_id"),
    "deliveries": ("x_source", "x_account", "slice_date", "received_at", "landing_file"),
    "requests": (
        *("rule_id", "basis", "usage_date", "model_id", "key_alias", "pricing_status", "price_from"),
        *("hostname", "gpu_uuid", "namespace", "pod", "gpu_state", "note"),
    ),
    "log_files": ("x_source", "x_account", "slice_date", "received_at", "landing_file", "note"),
}
"""The columns by which a page sums the rows of a level."""
_ALWAYS = {
    "lines": {"provider_name", "service_name", "model_id"},
    "postings": {"step", "rule_id", "rule", "rule_place", "route", "to_account"},
    "charges": {"provider_name", "service_name", "model_id", "token_class"},
    "weights": {"rule_id", "from_account", "basis", "model_id", "key_alias", "namespace", "gpu_state"},
    "bill": {"x_source", "charge_description"},
    "deliveries": {"x_source", "x_account", "received_at", "landing_file"},
    "requests": {"usage_date", "model_id", "key_alias", "price_from", "note"},
    "log_files": {"x_source", "x_account", "received_at", "landing_file", "note"},
}
"""Of these, the ones that are told though all rows agree in them."""
_OF_ONE = {"bill": ("x_page", "x_row"), "requests": ("started_at", "request_id")}
"""What is told of a group that is one row."""
_EVER = datetime(1970, 1, 1)  # noqa: DTZ001 - the lake's instants are UTC and bear no zone
"""Since when a price holds of which nobody says since when: no date to tell."""
LEVELS = frozenset(_LABELS)
"""Levels of the ledger, which are shown in groups."""


def as_text(asked: Question, number: int, explanation: Explanation, *, everything: bool) -> str:
    """A page: the figure, and every level in groups, the largest first; all of them where `everything` is asked for."""
    cost = _COST["effective_cost" in explanation.mart.amounts]
    lines = [headline(asked, explanation), *_figures(explanation, cost), f"Snapshot {number}"]
    lines += [f"  {note}" for note in explanation.notes if note == RULES_CHANGED]
    for level in explanation.levels:
        if level.name in _LABELS:
            lines += ["", titled(level), *in_groups(level, cost, everything=everything)]
    if not explanation.breaks:
        lines += ["", "Every level comes to the figure, to the last decimal."]
    return "\n".join(lines) + "\n"


def titled(level: Level) -> str:
    """What a level is, and how many rows it has."""
    count = without_receivers(level.rows).height
    return f"{level.title}: {'1 row' if count == 1 else f'{count:,} rows'}"


def in_groups(level: Level, cost: str, *, everything: bool) -> Iterator[str]:
    """A level of the ledger, in groups, by currency; of the weights also who else carries the pools."""
    for (currency,), rows in without_receivers(level.rows).group_by(CURRENCY, maintain_order=True):
        yield from _groups(level, rows, cost, str(currency), everything=everything)
    if level.name == "weights":
        yield from pool_tables(level.rows, cost, everything=everything)


def headline(asked: Question, explanation: Explanation) -> str:
    """What was asked, in a line."""
    given = [f"{name} {value or chr(39) * 2}" for name, value in asked.where.items()]
    named = ", ".join(text for text in (asked.who, asked.line, *given) if text)
    return f"{explanation.mart.table}: {named or 'all of it'}"


def _figures(explanation: Explanation, cost: str) -> Iterator[str]:
    rows = explanation.levels[0].rows
    for currency, amount in explanation.figure.select(CURRENCY, cost).iter_rows():
        yield f"{currency} {plain(amount)}"
    reported = f"reporting_{cost}"
    if reported in rows.columns and rows[reported].null_count() == 0:
        (currency,) = rows["reporting_currency"].unique()
        exact = exact_sum(rows[reported])
        yield f"reported as {format_money(round_to(exact, minor_unit(currency)), currency)}, exactly {plain(exact)}"


def _groups(level: Level, rows: pl.DataFrame, cost: str, currency: str, *, everything: bool) -> Iterator[str]:
    names = [
        name
        for name in _LABELS[level.name]
        if name in rows.columns and (name in _ALWAYS[level.name] or rows[name].n_unique() > 1)
    ]
    whole = _whole(level, cost)
    of_one = [name for name in _OF_ONE.get(level.name, ()) if name in rows.columns]
    if level.name == "requests" and everything:
        names += of_one  # each by itself
    first = [pl.col(name).first() for name in of_one if name not in names]
    weight = [pl.col("weight").sum()] if "weight" in rows.columns else []
    sums = [pl.col(cost).sum(), pl.len().alias("row_count"), *(pl.col(name).sum() for name in whole), *first, *weight]
    sums += summed(rows) if level.name == "requests" and names else []
    grouped = rows.group_by(names, maintain_order=True).agg(sums) if names else rows.select(sums)
    ordered = grouped.sort(pl.col(cost).abs(), descending=True, maintain_order=True)
    shown = ordered if everything else ordered.head(ROWS_SHOWN)
    width = max(len(plain(amount)) for amount in [*shown[cost].to_list(), exact_sum(rows[cost])])
    for row in shown.iter_rows(named=True):
        of = "".join(f"of {plain(row[name])}: " for name in whole if row[name] not in (None, row[cost]))
        yield f"  {plain(row[cost]):>{width}}  {of}{_label(level, row, names)}"
    if ordered.height > shown.height:
        others = ordered.slice(shown.height)
        rows_left = others["row_count"].sum()
        count = counted(rows_left) if rows_left > others.height else ""
        yield f"  {plain(exact_sum(others[cost])):>{width}}  {others.height:,} more{count} (--all, or --format csv)"
    yield f"= {plain(exact_sum(rows[cost])):>{width}}  {currency}"


def _whole(level: Level, cost: str) -> Sequence[str]:
    """The column, if there is one, that says of what the rows are a part."""
    found = {"charges": f"booked_{cost}", "bill": f"line_{cost}"}.get(level.name)
    return [found] if found in level.rows.columns and found else []


def _label(level: Level, row: dict[str, object], names: Sequence[str]) -> str:
    origin = f"{row['origin']} " if "origin" in names else ""
    if level.name == "postings":
        place = f" ({row['rule_place']})" if row["rule_place"] else ""
        route = f"{row['route']} > " if row["route"] else ""
        moved = f"{row['rule']}; {route}{row['to_account']}"
        return f"{origin}step {row['step']} {row['rule_id']}{place}: {moved}{counted(row['row_count'])}"
    told = [shown(row[name]) for name in names if row[name] not in (None, "", _EVER) and name != "basis"]
    count = row["row_count"]
    if level.name == "weights":
        if row.get("from_account"):
            return f"{origin}{row['from_account']}, {row['basis']} (who carries it: below){counted(count)}"
        weight = row.get("weight")
        amount = f"{plain(weight)} " if isinstance(weight, Decimal) and row["basis"] != WHOLE else ""
        return f"{amount}{row['basis']}: {', '.join(told)}{counted(count)}"
    if level.name == "bill" and count == 1 and row.get("x_row") is not None:
        told.append(f"row {row['x_row']} of file {row['x_page']}")
    if level.name == "requests" and count == 1 and row.get("request_id") and "request_id" not in names:
        told.append(f"{shown(row['started_at'])}, {row['request_id']}")
    told += filter(None, [bought(row)] if level.name == "requests" else [])
    return ", ".join(told) + counted(count)


def counted(rows: object) -> str:
    """How many rows a line of a page stands for; nothing for one."""
    return f" ({rows:,} rows)" if isinstance(rows, int) and rows > 1 else ""


def shown(value: object) -> str:
    """A value, for a reader."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return str(value)


def as_json(asked: Question, number: int, explanation: Explanation) -> str:
    """Everything, as one object; amounts are texts with all their decimals."""
    content = {
        "table": explanation.mart.table,
        "question": {**asked.where, "who": asked.who, "line": asked.line},
        "snapshot": number,
        "figure": explanation.figure.to_dicts(),
        "levels": [
            {"name": level.name, "title": level.title, "rows": level.rows.to_dicts()} for level in explanation.levels
        ],
        "notes": list(explanation.notes),
        "breaks": list(explanation.breaks),
    }
    return json.dumps(content, default=_text, ensure_ascii=False, indent=1) + "\n"


def as_csv(explanation: Explanation) -> str:
    """Every row of every level under one header; the column `level` tells them apart, and each level sums alike."""
    names = ["level", CURRENCY, *_COST.values()]
    names += [name for level in explanation.levels for name in level.rows.columns]
    header = list(dict.fromkeys(names))
    sink = io.StringIO()
    writer = csv.DictWriter(sink, header, restval="", lineterminator="\n")
    writer.writeheader()
    for level in explanation.levels:
        for row in _each_once(level).iter_rows(named=True):
            texts = {name: "" if value is None else _text(value) for name, value in row.items()}
            writer.writerow({"level": level.name, **texts})
    return sink.getvalue()


def _each_once(level: Level) -> pl.DataFrame:
    """Inputs that several lines share once, with the numbers of all these lines in `of_line`; other rows as they are.

    What was summed is of one line each, though the sums be alike.
    """
    rest = [name for name in level.rows.columns if name != OF_LINE]
    if not level.are_inputs or OF_LINE not in level.rows.columns:
        return level.rows
    numbers = pl.col(OF_LINE).unique().sort().cast(pl.String).str.join(", ")
    summed = pl.when(pl.col(NOTE).is_not_null()).then(OF_LINE) if NOTE in rest else pl.lit(None)
    return (
        level.rows.group_by(*rest, summed.alias("_summed"), maintain_order=True).agg(numbers).select(level.rows.columns)
    )


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)
