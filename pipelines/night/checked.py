"""Which slices still have to pass their contract: a slice that failed once is checked again until it passes.

A night may write slices of any age, and a run after a failed one finds them "up to date". So passing is remembered,
slice by slice, instead of guessing which slices a run has written.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa

from contracts import Contract, contract
from pipelines.checks import Outcome, validate
from pipelines.checks.validate import Rows
from pipelines.house import House
from pipelines.lake import Slice
from pipelines.night.references import REFERENCE_DATE

CHECKED = "checked"


def check(house: House, table: Contract) -> list[Outcome]:
    """Holds what has not passed yet of a table against its contract, and remembers what does."""
    slices = unchecked(house, table)
    # rules select what breaks them, and of no rows none does
    filled = any(piece.row_count for piece in slices)
    outcomes = validate(table, rows_of(house, table, slices)) if filled else []
    if slices and not any(outcome.blocks for outcome in outcomes):
        remember(house, table)
    return outcomes


def unchecked(house: House, table: Contract) -> list[Slice]:
    """The slices whose rows, or whose contract, are not those that passed. Oldest first."""
    version = _version(table)
    passed = {
        (row["slice_date"], row["slice_source"], row["fingerprint"])
        for row in _passed(house, table)
        if row["contract_version"] == version
    }
    slices = house.lake.slices(table.table)
    return [piece for piece in slices if (piece.slice_date, piece.slice_source, piece.fingerprint) not in passed]


def rows_of(house: House, table: Contract, slices: Sequence[Slice]) -> Rows:
    """The rows of the days that those slices, of which there is one, are of.

    Parquet files on a local lake; elsewhere a dataset, which may hold the days between as well.
    """
    days = sorted({piece.slice_date for piece in slices})
    if house.is_local:
        return [file for start, end in _stretches(days) for file in house.lake.files(table.table, start, end)]
    return house.lake.dataset(table.table, days[0], days[-1] + timedelta(days=1))


def remember(house: House, table: Contract) -> None:
    """Notes that every slice of the table has passed."""
    version = _version(table)
    rows = [
        {
            "table_name": table.table,
            "slice_date": piece.slice_date,
            "slice_source": piece.slice_source,
            "fingerprint": piece.fingerprint,
            "contract_version": version,
        }
        for piece in house.lake.slices(table.table)
    ]
    content = pa.Table.from_pylist(rows, schema=contract(CHECKED).arrow_schema())
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    house.lake.replace_slice(CHECKED, REFERENCE_DATE, table.table, content, digest)


def _passed(house: House, table: Contract) -> list[dict[str, object]]:
    return house.lake.read_slice(CHECKED, REFERENCE_DATE, table.table).to_pylist()


def _version(table: Contract) -> str:
    return hashlib.sha256(table.model_dump_json().encode()).hexdigest()


def _stretches(days: Sequence[date]) -> list[tuple[date, date]]:
    """Runs of consecutive days as half-open ranges."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and runs[-1][1] == day:
            runs[-1] = (runs[-1][0], day + timedelta(days=1))
        else:
            runs.append((day, day + timedelta(days=1)))
    return runs
