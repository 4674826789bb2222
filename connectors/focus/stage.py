"""One batch of a bill becomes rows of `charges`, rejects and notices. Pure, and whole columns at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa

from connectors.base import Reject, Window
from connectors.focus.batch import Batch
from connectors.focus.columns import Columns
from connectors.focus.extras import extra_json, find_classes, find_models, first_value
from connectors.focus.findings import WRONG_CURRENCY, Finding, refused_rows, rejects
from connectors.focus.purchases import hourly_purchases
from connectors.focus.reading import Prepared
from connectors.focus.settings import ANY_LAYOUT, BillSettings
from connectors.focus.values import read_decimals, read_tags, read_times
from connectors.names import key_of
from contracts import contract
from contracts.contract import Column

_COSTS = ("billed_cost", "effective_cost")
_PERIODS = ("billing_period", "charge_period")


@dataclass(frozen=True)
class Staged:
    """`rows` in the contract's schema; `elsewhere` counts rows of other billing periods that another window takes.

    `rounded` counts numbers that lost decimal places; `left_out`, by column and what was expected there, the values
    that the contract cannot take and `x_extra` holds instead.
    """

    rows: pa.Table
    rejects: tuple[Reject, ...]
    elsewhere: int
    rounded: int
    left_out: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class _Given:
    """What the reading of one batch needs to know, and what it finds on the way."""

    frame: pl.DataFrame
    columns: Columns
    settings: BillSettings
    findings: list[Finding]
    approximate: frozenset[str]

    def name(self, column: str) -> str:
        """How messages call the column: as the file does."""
        return next(iter(self.columns.sources[column]), column)

    def add(self, mask: pl.Series, reason: str, column: str, expected: str, *, refuses: bool) -> None:
        """Notes a finding, unless there is none."""
        if mask.any():
            if remedy := self.settings.remedies.get(reason):
                expected = f"{expected} ({remedy})"
            self.findings.append(Finding(mask.fill_null(value=False), reason, self.name(column), expected, refuses))

    def add_missing(self, mask: pl.Series, column: str, expected: str) -> None:
        """Notes that a value is missing where nothing was said yet about the column that it comes from."""
        said = [finding.mask for finding in self.findings if finding.column == self.name(column)]
        for earlier in said:
            mask = mask & ~earlier
        self.add(mask, "missing_value", column, expected, refuses=True)

    def text(self, column: str, values: Mapping[str, pl.Series]) -> pl.Series | None:
        """The text that a rule looks into: a column of the file, else one of the contract; None where it is neither."""
        if (delivered := self.columns.delivered(column)) is not None:
            return first_value(self.frame, (delivered,)).cast(pl.String)
        return next((found for name, found in values.items() if key_of(name) == key_of(column)), None)


def stage(
    batch: Batch, columns: Columns, prepared: Prepared, settings: BillSettings, window: Window, page_id: str
) -> Staged:
    """Reads the prepared batch under the contract. Units: costs in the line's currency, instants in naive UTC."""
    given = _Given(batch.frame, columns, settings, [], batch.approximate)
    for column in batch.garbled.drop_nulls().unique(maintain_order=True):
        given.findings.append(Finding(batch.garbled == column, "not_utf8", column, "text in UTF-8"))
    given.findings.extend(finding for finding in prepared.findings if finding.mask.any())
    costs = prepared.values["billed_cost"]
    values = {
        c.name: _read(c, prepared.values, given) for c in contract("charges").columns if c.name in prepared.values
    }
    rounded = prepared.rounded + _fill_numbers(given, values)
    values["x_commitment_cost"] = hourly_purchases(values)
    _apply_rules(given, values)
    _check_rows(given, values, window)
    here = _belongs_here(values, settings, window)
    findings = [
        Finding(f.mask.fill_null(value=False) & here, f.reason, f.column, f.expected, f.refuses) for f in given.findings
    ]
    kept = here & ~refused_rows(findings, batch.frame.height)
    frame = pl.DataFrame([values[name].alias(name) for name in values]).with_columns(
        _extras(given, findings, prepared.extras).alias("x_extra"),
        pl.lit(settings.name).alias("x_source"),
        pl.lit(window.slice_date).alias("x_slice_date"),
        pl.lit(page_id).alias("x_page"),
        batch.rows.alias("x_row"),
    )
    return Staged(
        _as_contract(frame.filter(kept)),
        tuple(rejects(batch, findings, page_id, costs)),
        elsewhere=int((~here).sum()),
        rounded=rounded,
        left_out={(f.column, f.expected): int((f.mask & kept).sum()) for f in findings if not f.refuses},
    )


def _read(column: Column, prepared: Mapping[str, pl.Series], given: _Given) -> pl.Series:
    """One column of the contract; numbers are still text."""
    found = prepared[column.name]
    if column.type == "timestamp":
        found = _checked(
            read_times(found), found, "unreadable_time", column, "an ISO 8601 instant of 2000 to 2099", given
        )
    elif column.type == "json":
        found = _checked(read_tags(found), found, "unreadable_tags", column, "a JSON object of tags", given)
    if column.values:
        allowed = pl.select(pl.when(found.is_in(column.values)).then(found)).to_series()
        found = _checked(allowed, found, "unknown_value", column, f"one of {', '.join(column.values)}", given)
    if not column.nullable and not column.type.startswith("decimal"):
        given.add_missing(found.is_null(), column.name, "a value")
    return found


def _checked(read: pl.Series, found: pl.Series, reason: str, column: Column, expected: str, given: _Given) -> pl.Series:
    """What was read, after a finding for every value that was there and could not be read."""
    given.add(read.is_null() & found.is_not_null(), reason, column.name, expected, refuses=not column.nullable)
    return read


def _fill_numbers(given: _Given, values: dict[str, pl.Series]) -> int:
    """Replaces the text of numbers by the numbers; returns how many were rounded to twelve decimal places."""
    count = 0
    for column in contract("charges").columns:
        if not column.type.startswith("decimal"):
            continue
        texts, refuses = values[column.name], not column.nullable
        numbers = read_decimals(texts)
        values[column.name] = numbers.values
        if refuses:
            given.add_missing(texts.is_null(), column.name, "a number")
        given.add(numbers.unreadable, "unreadable_number", column.name, "a decimal number", refuses=refuses)
        exact = column.name in _COSTS and given.settings.excess_precision == "reject"
        if exact and given.name(column.name) not in given.approximate:
            expected = "at most 12 decimal places (the setting `excess_precision: round` rounds such costs)"
            given.add(numbers.rounded, "too_precise", column.name, expected, refuses=True)
        else:
            count += int(numbers.rounded.sum())
    return count


def _check_rows(given: _Given, values: dict[str, pl.Series], window: Window) -> None:
    """The rules that a whole row must keep: its currency, its periods, its month."""
    currency = given.settings.currency
    given.add(values["billing_currency"] != currency, WRONG_CURRENCY, "billing_currency", currency, refuses=True)
    for period in _PERIODS:
        backward = values[f"{period}_end"] <= values[f"{period}_start"]
        given.add(backward, "period_not_forward", f"{period}_end", "an instant after the period's start", refuses=True)
    if given.settings.layout != ANY_LAYOUT:
        expected = f"a billing period of {window.slice_date:%Y-%m}, as the path says"
        given.add(~_in_window(values, window), "wrong_period", "billing_period_start", expected, refuses=True)


def _belongs_here(values: dict[str, pl.Series], settings: BillSettings, window: Window) -> pl.Series:
    """Rows that this window answers for. Where all files are read, a row without a readable period concerns each."""
    if settings.layout != ANY_LAYOUT:
        return pl.repeat(value=True, n=len(values["billed_cost"]), eager=True)
    return _in_window(values, window).fill_null(value=True)


def _in_window(values: dict[str, pl.Series], window: Window) -> pl.Series:
    """Whether the middle of the billing period lies in the window: so do months of other time zones."""
    start, end = values["billing_period_start"], values["billing_period_end"]
    middle = start + (end - start) / 2
    return _between(middle, window.start, window.end)


def _between(instants: pl.Series, first: datetime, end: datetime) -> pl.Series:
    return (instants >= first) & (instants < end)


def _apply_rules(given: _Given, values: dict[str, pl.Series]) -> None:
    """Model, token class and cost class, where the settings' rules find them and no column of the bill says them."""
    settings = given.settings
    looked_into = {rule.column for rule in (*settings.models, *settings.cost_classes)}
    found = {name: given.text(name, values) for name in looked_into}
    texts = {name: text for name, text in found.items() if text is not None}
    model, token_class = find_models(settings.models, texts, values["x_model_id"], values["x_token_class"])
    values.update(x_model_id=model, x_token_class=token_class)
    values["x_cost_class"] = find_classes(settings.cost_classes, texts, values["x_cost_class"])


def _extras(given: _Given, findings: Sequence[Finding], further: Mapping[str, pl.Series]) -> pl.Series:
    """The columns that the contract does not take, the values that it cannot take, and what the reading adds."""
    members = {name: first_value(given.frame, (name,)) for name in given.columns.extras} | dict(further)
    for finding in findings:
        if not finding.refuses:
            found = first_value(given.frame, (finding.column,)).cast(pl.String)
            members[finding.column] = pl.select(pl.when(finding.mask).then(found)).to_series()
    return extra_json(members, given.frame.height)


def _as_contract(frame: pl.DataFrame) -> pa.Table:
    schema = contract("charges").arrow_schema()
    return frame.select(schema.names).to_arrow().cast(schema)
