"""Versions of identities and prices by day: of those names and models only that the day's log uses.

A new release of a price list changes a thousand models, and a company uses a dozen: a day is rebuilt when a price or a
meaning changed of what was used on it, in a stretch of time that overlaps it, and for no other reason. A price that
now begins or ends elsewhere is, to a day that it covers as before, what it was.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from contracts import Contract
from models.price_history import LINE
from pipelines.calendar import days_between, midnight
from pipelines.house import House

LOG = "gateway_requests"
NAMES = "models_in_use"
IDENTITY = "model_identity"
Model = tuple[str, str]
Row = dict[str, Any]
Said = Callable[[Sequence[Row], date], str]


def used_versions(
    house: House, output: Contract, inputs: Iterable[Contract], first: date, last: date
) -> dict[str, dict[date, str]]:
    """By table and day, for the days first..last: a text that changes when what the day uses of the table does.

    Only for what is built by day from the log; nothing for any other table.
    """
    tables = {table.table for table in inputs}
    if output.slice != "day" or LOG not in tables or IDENTITY not in tables:
        return {}
    meanings = {(row["source_provider"], row["source_model"]): row for row in house.lake.read(IDENTITY).to_pylist()}
    used = _used(house, first, last)
    said = {table: (says, _lines(house, table)) for table, says in PRICES.items() if table in tables}
    versions: dict[str, dict[date, str]] = defaultdict(dict)
    for day in days_between(first, last):
        found = [meanings[name] for name in used[day] if name in meanings]
        versions[IDENTITY][day] = _digest(repr(sorted(row.items())) for row in found)
        models = sorted({(row["provider_id"], row["model_id"]) for row in found})
        for table, (says, lines) in said.items():
            versions[table][day] = _digest(says(lines.get(model, ()), day) for model in models)
    return versions


def _used(house: House, first: date, last: date) -> dict[date, list[Model]]:
    """The names of each day, in order."""
    names: dict[date, list[Model]] = defaultdict(list)
    for row in house.lake.read(NAMES, first, last + timedelta(days=1)).to_pylist():
        names[row["usage_date"]].append((row["source_provider"], row["source_model"]))
    return defaultdict(list, {day: sorted(of_day) for day, of_day in names.items()})


def _lines(house: House, table: str) -> dict[Model, list[Row]]:
    """Every line by model, of all regions: a request may have been in any of them."""
    found: dict[Model, list[Row]] = defaultdict(list)
    for row in house.lake.read(table).to_pylist():
        found[row["provider_id"], row["model_id"]].append(row)
    return found


def _held(rows: Sequence[Row], day: date) -> str:
    """What the lines say of a day, whenever they began."""
    return repr(sorted(text for row in rows if (text := _on(row, day))))


def _learned(rows: Sequence[Row], day: date) -> str:
    """What was known of a day's prices, and since when, wherever that changed."""
    known: dict[tuple[object, ...], str] = {}
    told: list[tuple[datetime, list[str]]] = []
    in_order = sorted(rows, key=lambda row: row["known_from"])
    for known_from, learned in groupby(in_order, key=lambda row: row["known_from"]):
        known |= {tuple(row[name] for name in LINE): _on(row, day) for row in learned}
        now = sorted(text for text in known.values() if text)
        if not told or told[-1][1] != now:
            told.append((known_from, now))
    return repr(told)


def _on(row: Row, day: date) -> str:
    """What a line says of a day: empty when it does not hold on it, or says that it is stated no longer."""
    start, end = midnight(day), midnight(day + timedelta(days=1))
    if row["valid_from"] >= end or row["valid_to"] <= start or row.get("usd_per_mtok", 0) is None:
        return ""
    clipped = {"valid_from": max(row["valid_from"], start), "valid_to": min(row["valid_to"], end), "known_from": None}
    return repr(row | clipped)


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


PRICES: Mapping[str, Said] = {"price_book": _held, "prices": _learned}
"""What a day reads of each table of prices."""
