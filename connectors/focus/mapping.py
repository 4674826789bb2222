"""A bill in its own columns becomes the contract's: by the mapping, by constants, and by what follows from either."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from connectors.base import IncompleteDeliveryError
from connectors.focus.amounts import pointed, scaled
from connectors.focus.batch import Batch
from connectors.focus.columns import Columns, bill_columns
from connectors.focus.extras import first_value
from connectors.focus.findings import Finding
from connectors.focus.mapped_settings import MappedBillSettings
from connectors.focus.mapped_times import read_instants, written_as
from connectors.focus.rate_card import Priced, price_lines
from connectors.focus.read import FileShape
from connectors.focus.reading import Prepared, Reading
from connectors.names import key_of, nearest

COST_SOURCE = "cost_source"
DERIVED = "derived"
_STEPS = {"hour": "1h", "day": "1d", "month": "1mo"}
_UNIT_PRICES = ("list_unit_price", "contracted_unit_price")


def mapped_reading(settings: MappedBillSettings) -> Reading:
    """Columns by the mapping of the settings, values with what stands in for those that the file lacks."""
    return Reading(
        resolve=lambda batch, where: _resolve(settings, batch, where),
        prepare=lambda batch, columns: _Preparation(settings, batch, columns).prepared(),
        shape=FileShape(settings.delimiter, settings.records, settings.file_columns),
        unknown_words="columns that the mapping leaves out",
        is_derived=bool(settings.unit_prices),
    )


def _resolve(settings: MappedBillSettings, batch: Batch, where: str) -> Columns:
    """Raises IncompleteDeliveryError for a column that the mapping names and the file lacks, with the nearest one.

    A file whose records name their own fields may lack one that no charge needs: it is empty then, and told.
    """
    names = batch.frame.columns
    sources = dict[str, tuple[str, ...]]()
    absent = list[str]()
    for column, wanted in settings.columns.items():
        if (found := find(wanted, names, where)) is not None:
            sources[column] = (found,)
        elif batch.is_sparse and bill_columns()[column].nullable:
            absent.append(wanted)
        else:
            raise _lacking(wanted, f"`columns` takes {column} from it", names, where)
    for wanted in _priced_columns(settings):
        if find(wanted, names, where) is None:
            if not batch.is_sparse:
                raise _lacking(wanted, "`unit_prices` look at it", names, where)
            absent.append(wanted)
    used = {name for found in sources.values() for name in found}
    extras = tuple(sorted(name for name in names if name not in used))
    return Columns(_named(settings, sources, names, where), extras, extras, tuple(absent))


def find(wanted: str, names: Iterable[str], where: str) -> str | None:
    """The column of that name, else the one that differs in case and underscores only.

    Raises IncompleteDeliveryError where two do, and nobody can tell which is meant.
    """
    alike = [name for name in names if key_of(name) == key_of(wanted)]
    if wanted in alike or len(alike) < 2:
        return wanted if wanted in alike else next(iter(alike), None)
    raise IncompleteDeliveryError(
        f"{where}: {wanted!r} may be {' or '.join(map(repr, alike))}; write it as the file does"
    )


def _lacking(wanted: str, use: str, names: Iterable[str], where: str) -> IncompleteDeliveryError:
    held = ", ".join(names)
    held = held if len(held) <= 300 else f"{held[:300]} ..."
    found = nearest(wanted, names)
    meant = f"did you mean {found!r}? " if found else ""
    return IncompleteDeliveryError(f"{where}: it has no column {wanted!r}, and {use}; {meant}It has {held}")


def _priced_columns(settings: MappedBillSettings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for price in settings.unit_prices for name in (price.per, *price.match)))


def _named(
    settings: MappedBillSettings, sources: Mapping[str, tuple[str, ...]], names: Iterable[str], where: str
) -> dict[str, tuple[str, ...]]:
    """What messages name for each column of the contract: for a derived one the column that it follows from."""
    start = sources.get("charge_period_start", ())
    quantity = tuple(find(price.per, names, where) or price.per for price in settings.unit_prices[:1])
    cost = sources.get("billed_cost", quantity)
    derived = dict.fromkeys(("charge_period_end", "billing_period_start", "billing_period_end"), start)
    derived |= {"billed_cost": cost, "effective_cost": cost}
    return {
        name: sources.get(name, () if name in settings.constants else derived.get(name, ())) for name in bill_columns()
    }


@dataclass(frozen=True)
class _Preparation:
    """One batch on its way."""

    settings: MappedBillSettings
    batch: Batch
    columns: Columns

    def prepared(self) -> Prepared:
        """The batch in the contract's columns."""
        values = {name: self._delivered(name) for name in bill_columns()}
        findings = self._read_instants(values)
        self._derive_periods(values)
        priced = self._priced(values)
        if priced is not None:
            values["billed_cost"] = priced.costs
        self._fill_in(values)
        if priced is None:
            return Prepared(values, tuple(findings))
        marks = pl.repeat(DERIVED, self.batch.frame.height, dtype=pl.String, eager=True)
        return Prepared(values, (*findings, *priced.findings), {COST_SOURCE: marks}, priced.rounded)

    def _delivered(self, name: str) -> pl.Series:
        """What the file or a constant says: text with a decimal point, money in whole units of the currency."""
        height, column = self.batch.frame.height, bill_columns()[name]
        if name not in self.settings.columns:
            return pl.repeat(self.settings.constants.get(name), height, dtype=pl.String, eager=True)
        found = first_value(self.batch.frame, self.columns.sources[name])
        if column.type == "timestamp":
            return found
        found = found.cast(pl.String)
        if words := self.settings.words.get(name):
            found = found.replace(words)
        if column.type.startswith("decimal"):
            found = self._pointed(found)
            if column.unit == "billing_currency" or name in _UNIT_PRICES:
                found = scaled(found, self.settings.cost_unit)
        return found

    def _pointed(self, texts: pl.Series) -> pl.Series:
        return pointed(texts, self.settings.decimal_mark, grouped=self.settings.grouped)

    def _read_instants(self, values: dict[str, pl.Series]) -> list[Finding]:
        findings = list[Finding]()
        for name, column in bill_columns().items():
            if column.type != "timestamp":
                continue
            found = values[name]
            pattern = self.settings.date_format if name in self.settings.columns else None
            values[name] = read_instants(found, pattern)
            if (odd := values[name].is_null() & found.is_not_null()).any():
                source = next(iter(self.columns.sources[name]), name)
                expected = f"{written_as(pattern)} of 2000 to 2099"
                findings.append(Finding(odd, "unreadable_time", source, expected, refuses=not column.nullable))
        return findings

    def _derive_periods(self, values: dict[str, pl.Series]) -> None:
        start, end = values["charge_period_start"], values["charge_period_end"]
        if self.settings.period is not None:
            lasting = start.dt.offset_by(_STEPS[self.settings.period])
            lacking = end.is_null() | (end == start)
            values["charge_period_end"] = pl.select(pl.when(lacking).then(lasting).otherwise(end)).to_series()
        if "billing_period_start" not in {*self.settings.columns, *self.settings.constants}:
            month = start.dt.truncate("1mo")
            values["billing_period_start"] = month
            values["billing_period_end"] = month.dt.offset_by("1mo")

    def _priced(self, values: Mapping[str, pl.Series]) -> Priced | None:
        if not self.settings.unit_prices:
            return None
        quantities = {price.per for price in self.settings.unit_prices}
        texts = {name: self._text(name, is_number=name in quantities) for name in _priced_columns(self.settings)}
        return price_lines(self.settings.unit_prices, texts, values["charge_period_start"])

    def _text(self, wanted: str, *, is_number: bool) -> pl.Series:
        found = find(wanted, self.batch.frame.columns, "")
        text = first_value(self.batch.frame, () if found is None else (found,)).cast(pl.String)
        return self._pointed(text) if is_number else text

    def _fill_in(self, values: dict[str, pl.Series]) -> None:
        """What a bill outside the standard leaves unsaid, because it goes without saying there."""
        known = {*self.settings.columns, *self.settings.constants}
        unsaid = {
            "billing_account_id": self.settings.account,
            "billing_currency": self.settings.currency,
            "charge_category": "Usage",
        }
        for name, text in unsaid.items():
            if name not in known:
                values[name] = pl.repeat(text, self.batch.frame.height, dtype=pl.String, eager=True)
        if "effective_cost" not in known:
            values["effective_cost"] = values["billed_cost"]
