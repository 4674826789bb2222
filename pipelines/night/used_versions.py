"""Versions of identities and prices by day: of those names and models only that the day's log uses.

A new release of a price list changes a thousand models, and a company uses a dozen: a day is rebuilt when a price or a
meaning changed of what was used on it, over a stretch of time that holds it, and for no other reason.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import polars as pl
import pyarrow.dataset as ds

from contracts import Contract
from models.frames import frame_of
from models.price_lines import EVERYWHERE
from pipelines.calendar import days_between, midnight
from pipelines.house import House

LOG = "gateway_requests"
NAMES = "models_in_use"
IDENTITY = "model_identity"
PRICES = ("price_book", "prices")

Model = tuple[str, str]
Lines = Mapping[Model, Sequence[tuple[datetime, datetime, str]]]


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
    prices = {table: _lines(house, table) for table in PRICES if table in tables}
    versions: dict[str, dict[date, str]] = defaultdict(dict)
    for day in days_between(first, last):
        found = [meanings[name] for name in used[day] if name in meanings]
        versions[IDENTITY][day] = _digest(repr(sorted(row.items())) for row in found)
        models = sorted({(row["provider_id"], row["model_id"]) for row in found})
        for table, lines in prices.items():
            versions[table][day] = _digest(text for model in models for text in _holding(lines, model, day))
    return versions


def _used(house: House, first: date, last: date) -> dict[date, list[Model]]:
    """The names of each day, in order."""
    names: dict[date, list[Model]] = defaultdict(list)
    for row in house.lake.read(NAMES, first, last + timedelta(days=1)).to_pylist():
        names[row["usage_date"]].append((row["source_provider"], row["source_model"]))
    return defaultdict(list, {day: sorted(of_day) for day, of_day in names.items()})


def _lines(house: House, table: str) -> Lines:
    """Every line that holds everywhere, by model: its validity, and all that it says."""
    everywhere = ds.field("region_id") == EVERYWHERE
    rows = frame_of(house.lake.dataset(table).to_table(filter=everywhere))
    ordered = rows.sort(rows.columns)
    said = ordered.select(pl.concat_str(pl.all().cast(pl.String).fill_null("?"), separator="|")).to_series()
    found: dict[Model, list[tuple[datetime, datetime, str]]] = defaultdict(list)
    columns = ordered.select("provider_id", "model_id", "valid_from", "valid_to").iter_rows()
    for (provider_id, model_id, valid_from, valid_to), text in zip(columns, said, strict=True):
        found[provider_id, model_id].append((valid_from, valid_to, text))
    return found


def _holding(lines: Lines, model: Model, day: date) -> list[str]:
    start, end = midnight(day), midnight(day + timedelta(days=1))
    return [text for valid_from, valid_to, text in lines.get(model, ()) if valid_from < end and start < valid_to]


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
