"""Weights of teams out of a CSV or Parquet file: every row is used, or the file is refused with all that is wrong."""

import csv
import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.calendar import next_month
from pipelines.config.problems import nearest

TEAM, MONTH, DATE, WEIGHT = "team", "month", "date", "weight"
PLACES = 9
MOST = Decimal(10) ** 12
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


class MetricFileError(Exception):
    """A file that cannot be used: every complaint names the file and the line, or row."""

    def __init__(self, complaints: list[str]) -> None:
        self.complaints = complaints
        super().__init__("\n".join(complaints))


class Weight(NamedTuple):
    """One row: a team's weight on the days from `valid_from` to before `valid_to`."""

    team_id: str
    valid_from: date
    valid_to: date
    weight: Decimal
    place: str


def metric_weights(file: Path, teams: Collection[str]) -> list[Weight]:
    """The rows of a file, in its order. Raises MetricFileError with everything that is wrong with it."""
    try:
        columns, rows = _parquet(file) if file.suffix == ".parquet" else _csv(file)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowInvalid) as error:
        raise MetricFileError([f"{file}: cannot be read: {error}"]) from error
    if {TEAM, WEIGHT} - set(columns) or len({MONTH, DATE} & set(columns)) != 1:
        found = ", ".join(columns) or "none"
        expected = f"expected '{TEAM}', '{WEIGHT}' and one of '{MONTH}' and '{DATE}'"
        raise MetricFileError([f"{file}:1: its columns are {found}; {expected}"])
    weights: list[Weight] = []
    complaints: list[str] = []
    first: dict[tuple[str, date], str] = {}
    for place, row in rows:
        try:
            weight = _weight(row, teams, place)
        except ValueError as error:
            complaints.append(f"{place}: {error}")
            continue
        if (earlier := first.setdefault((weight.team_id, weight.valid_from), place)) != place:
            complaints.append(f"{place}: {weight.team_id} has a weight for these days already, at {earlier}")
        weights.append(weight)
    if complaints:
        raise MetricFileError(complaints)
    return weights


def _csv(file: Path) -> tuple[list[str], Iterator[tuple[str, dict[str, str]]]]:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream, strict=True)
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        rows = [(f"{file}:{reader.line_num}", {k: v or "" for k, v in row.items() if k}) for row in reader]
    return columns, iter(rows)


def _parquet(file: Path) -> tuple[list[str], Iterator[tuple[str, dict[str, str]]]]:
    table = pq.read_table(file)
    rows = enumerate(table.to_pylist(), start=1)
    texts = ((f"{file}: row {n}", {k: "" if v is None else str(v) for k, v in row.items()}) for n, row in rows)
    return table.column_names, texts


def _weight(row: dict[str, str], teams: Collection[str], place: str) -> Weight:
    team, said = row[TEAM].strip(), row[WEIGHT].strip()
    if team not in teams:
        raise ValueError(f"there is no team '{team}'. {nearest(team, teams)}")
    try:
        weight = Decimal(said)
    except InvalidOperation:
        raise ValueError(f"weight '{said}' is no number; write it with a point, such as 12.5") from None
    if not weight.is_finite() or not 0 <= weight <= MOST or weight != round(weight, PLACES):
        raise ValueError(f"weight {said}: expected 0 to {MOST:f}, with at most {PLACES} decimal places")
    return Weight(team, *_days(row), weight, place)


def _days(row: dict[str, str]) -> tuple[date, date]:
    if DATE in row:
        try:
            day = date.fromisoformat(row[DATE].strip())
        except ValueError:
            raise ValueError(f"date '{row[DATE]}' is none; write it such as 2026-10-05") from None
        return day, day + timedelta(days=1)
    found = _MONTH.fullmatch(row[MONTH].strip())
    if not found:
        raise ValueError(f"month '{row[MONTH]}' is none; write it such as 2026-10")
    start = date(int(found[1]), int(found[2]), 1)
    return start, next_month(start)
