"""The board as bytes: packed rows, the page's styles and scripts, and the head that forbids it to load anything.

Here belongs: putting the file together, the same bytes for the same rows. Here does not belong: figures, looks.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.minor_units import minor_unit
from reports.board import facts
from reports.board.given import BoardMonth, BoardRows
from reports.board.pack import PLACES, Packed, Words, as_text, json_bytes
from reports.board.parts import gpu_part, hours_part, lines_part, why_part
from reports.given import SharedFacts, StatementError
from reports.glossary import DEFINITIONS
from reports.money import format_money
from reports.wording import GPU_STATE_LABELS, KIND_LABELS, RULE_LABELS, UNUSED_LABELS, clean, residual_label

BRIDGE, TEAM = "variance_bridge", "team:"
_AT_ONCE = 2
"""Months that the page needs before it can be drawn: the newest, and the one that it is held against."""
_TEMPLATES = Path(__file__).parents[1] / "templates" / "board"
_SCRIPTS = (
    *("numbers", "data", "page", "state", "table", "columns", "months", "spend", "lines", "why"),
    *("ledgers", "gpus", "commitments", "advice", "throughput", "savings", "own", "outlook", "requests"),
    *("anomalies", "changes", "main"),
)
"""In the order in which they build on one another; together they are one function without a name outside."""


def render_board(rows: BoardRows) -> bytes:
    """The board as one HTML file that loads nothing; the same rows give the same bytes.

    Raises StatementError without a month, where months differ in currency or snapshot, where two are one, and where
    a month's lines are not its total.
    """
    _require_one_house(rows.months)
    words = Words()
    parts = {name: part for month in rows.months for name, part in _parts(month, rows.tables, words)}
    texts = {name: as_text(bytes(part.content)) for name, part in parts.items()} | _month_tables(rows)
    newest = tuple(_name(month) for month in rows.months[-_AT_ONCE:])
    style, script = _text("board.css"), _script()
    return (
        _page()
        .render(
            company=clean(rows.months[-1].shared.company),
            month=rows.months[-1].period.label,
            total=format_money(rows.months[-1].shared.bill_total, rows.months[-1].shared.currency),
            snapshot=clean(rows.months[-1].shared.snapshot_id),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own files
            policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; "
            "form-action 'none'",
            core=as_text(json_bytes(_core(rows, words, parts))),
            first={name: text for name, text in texts.items() if name.endswith(newest)},
            rest={name: text for name, text in texts.items() if not name.endswith(newest)},
        )
        .encode()
    )


def _parts(month: BoardMonth, tables: Mapping[str, pl.DataFrame], words: Words) -> list[tuple[str, Packed]]:
    name = _name(month)
    bridge = tables.get(BRIDGE)
    return [
        (f"lines-{name}", lines_part(month, words)),
        (f"gpu-{name}", gpu_part(month, words)),
        (f"hours-{name}", hours_part(month, words)),
        *([] if bridge is None else [(f"why-{name}", why_part(month, bridge, words))]),
    ]


def _month_tables(rows: BoardRows) -> dict[str, str]:
    """Every month's rows of the tables that the page opens by month."""
    return {
        f"{table}-{_name(month)}": as_text(json_bytes(told))
        for month in rows.months
        for table, told in facts.month_tables(month, rows.tables).items()
    }


def _name(month: BoardMonth) -> str:
    return f"{month.period.start:%Y-%m}"


def _require_one_house(months: tuple[BoardMonth, ...]) -> None:
    if not months:
        raise StatementError("the board has no month to show; run a night first: farthing run")
    starts = [month.period.start for month in months]
    if starts != sorted(set(starts)):
        raise StatementError(f"the board's months are {', '.join(map(str, starts))}; hand in each once, oldest first")
    houses = {(month.shared.currency, month.shared.snapshot_id) for month in months}
    if len(houses) != 1:
        told = "; ".join(f"{currency} of snapshot {snapshot}" for currency, snapshot in sorted(houses))
        raise StatementError(f"the board's months are of {told}; hand in months of one currency and one snapshot")


def _core(rows: BoardRows, words: Words, parts: Mapping[str, Packed]) -> dict[str, Any]:
    """All but the large parts: what every section needs at once."""
    shared: SharedFacts = rows.months[-1].shared
    return {
        "company": clean(shared.company),
        "currency": shared.currency,
        "decimals": _decimals(rows, words),
        "places": PLACES,
        "snapshot": clean(shared.snapshot_id),
        "configuration": clean(shared.config_hash)[:12],
        "contact": clean(shared.contact),
        "months": [facts.month_facts(month) for month in rows.months],
        "words": _words(rows, words),
        "parts": {name: part.described() for name, part in parts.items()},
        "tables": facts.tables(rows.tables),
        "causes": facts.causes(rows.tables),
        "by_month": facts.by_month(rows.tables),
        "told": facts.words_for(),
        "definitions": list(DEFINITIONS.items()),
    }


def _decimals(rows: BoardRows, words: Words) -> dict[str, int]:
    """How many places each currency is shown with, of all that a row may name."""
    tables = (frame for frame in rows.tables.values() if "billing_currency" in frame.columns)
    named = {value for frame in tables for value in frame["billing_currency"].drop_nulls().unique().to_list()}
    currencies = {rows.months[-1].shared.currency, *words.known.get("currency", {}), *named}
    return {currency: -int(minor_unit(currency).adjusted()) for currency in sorted(currencies)}


def _words(rows: BoardRows, words: Words) -> dict[str, list[list[str]]]:
    """Every dictionary: the value as it is stored, and the words for it."""
    labels: dict[str, Mapping[str, str]] = {
        "account": _account_labels(rows),
        "kind": KIND_LABELS | UNUSED_LABELS,
        "rule": RULE_LABELS,
        "state": GPU_STATE_LABELS,
    }
    return {name: facts.named(known, labels.get(name, {})) for name, known in words.known.items()}


def _account_labels(rows: BoardRows) -> dict[str, str]:
    """The newest name of every team, the words for every residual."""
    columns = [month.chargeback.select("account", "team_id", "team_name") for month in rows.months]
    named = pl.concat(columns).unique(maintain_order=True)
    told = {account: team_name or team_id for account, team_id, team_name in named.iter_rows() if team_id}
    moved = rows.tables[BRIDGE]["account"].to_list() if BRIDGE in rows.tables else []  # may have gone before the months
    accounts = dict.fromkeys((*named["account"].to_list(), *moved))
    return {account: told.get(account) or _unnamed(account) for account in accounts}


def _unnamed(account: str) -> str:
    """A residual in words; a team without a name by its id."""
    return account.removeprefix(TEAM) if account.startswith(TEAM) else residual_label(account)


@cache
def _script() -> str:
    body = "\n".join(_text(f"{name}.js") for name in _SCRIPTS)
    return f'(function () {{\n"use strict";\n{body}\n}})();\n'


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _hash(text: str) -> str:
    """The one text that the page may run or be styled by, as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _page() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("board.html.j2")
