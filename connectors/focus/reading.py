"""How one kind of bill is read: which delivered columns feed the contract, and what their values are before staging.

Here belongs: the seam between a kind's own words and the staging that all kinds share. Here does not belong: files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from connectors.focus.batch import Batch
from connectors.focus.columns import Columns, resolve
from connectors.focus.extras import first_value
from connectors.focus.findings import Finding
from connectors.focus.read import FileShape
from connectors.focus.settings import FocusSettings
from contracts import contract


@dataclass(frozen=True)
class Prepared:
    """One batch in the contract's columns: text, or instants already read; numbers are still text.

    `findings` are what was found on the way, `extras` what `x_extra` holds besides the file's own columns; `rounded`
    counts numbers that lost decimal places.
    """

    values: dict[str, pl.Series]
    findings: tuple[Finding, ...] = ()
    extras: Mapping[str, pl.Series] = field(default_factory=dict[str, pl.Series])
    rounded: int = 0


@dataclass(frozen=True)
class Reading:
    """What differs between kinds. `resolve` takes a batch without records as well as any other of its file.

    `unknown_words` names, in the notice, the columns that only `x_extra` keeps; `is_derived`: no cost is from the file.
    """

    resolve: Callable[[Batch, str], Columns]
    prepare: Callable[[Batch, Columns], Prepared]
    shape: FileShape
    unknown_words: str
    is_derived: bool = False


def focus_reading(settings: FocusSettings) -> Reading:
    """Columns by the names of the standard, values as they stand."""

    def resolved(batch: Batch, where: str) -> Columns:
        return resolve(batch.frame.columns, where, provider_is_given=settings.provider is not None)

    def prepared(batch: Batch, columns: Columns) -> Prepared:
        values = values_of(batch.frame, columns.sources)
        if settings.provider:
            values["provider_name"] = values["provider_name"].fill_null(settings.provider)
        return Prepared(values)

    return Reading(resolved, prepared, FileShape(), "columns that FOCUS does not have")


def values_of(frame: pl.DataFrame, sources: Mapping[str, Sequence[str]]) -> dict[str, pl.Series]:
    """The contract's columns in its order, each from the delivered columns that feed it; what is no instant as text."""
    values = dict[str, pl.Series]()
    for column in contract("charges").columns:
        if column.name in sources:
            found = first_value(frame, sources[column.name])
            is_text = found.dtype == pl.String or column.type == "timestamp"
            values[column.name] = found if is_text else found.cast(pl.String)
    return values
