"""What became of each known error on a bill, and whom it touches: the table `bill_errata`, and what is told."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import polars as pl
import pyarrow as pa

from contracts import contract
from models.adjustments import CORRECTION
from models.errata import Judgement, Standing, judge
from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.config.errata import Erratum as Entry
from pipelines.config.positions import read
from pipelines.house import House
from pipelines.night.build import SLICE_SOURCE, Built
from pipelines.night.closings import locked_months
from pipelines.night.known_errors import is_expired
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.stale import content_fingerprint

ERRATA = "bill_errata"
_TABLES = ("postings", "restated_postings", "adjustments")
_CHANGES = ["billed_cost", "effective_cost"]
_Share = tuple[date | None, str | None, str | None, Decimal | None, Decimal | None]
"""Month that it stands in, account, team, change of the billed and of the effective cost."""


def build_bill_errata(house: House, _first: date, _last: date) -> Built:
    """What became of every erratum of the file, and what it changed for whom. Told are those that change nothing."""
    rows = [row for entry, found in _judged(house) for row in _rows(house, entry, found)]
    table = pa.Table.from_pylist(rows, schema=contract(ERRATA).arrow_schema())
    fingerprint = content_fingerprint(table)
    if [piece.fingerprint for piece in house.lake.slices(ERRATA)] == [fingerprint]:
        return Built(ERRATA, (), table.num_rows, problems=tuple(errata_told(house)))
    house.lake.replace_slice(ERRATA, REFERENCE_DATE, SLICE_SOURCE, table, fingerprint)
    return Built(ERRATA, (REFERENCE_DATE,), table.num_rows, problems=tuple(errata_told(house)))


def errata_told(house: House) -> list[str]:
    """What stands against errata that are not applied: where they stand in the file, why, and what to do."""
    judged = enumerate(found for _, found in _judged(house))
    against = [(index, found) for index, found in judged if found.standing is not Standing.APPLIED]
    position = read(house.file).position if against else None
    return [
        f"{house.file.name}:{position(('errata', index))[0]}: erratum '{found.erratum.erratum_id}' is not applied: "
        f"{_why(house.config.errata[index], found)}"
        for index, found in against
        if position
    ]


def _why(entry: Entry, found: Judgement) -> str:
    if found.standing is Standing.EXPIRED:
        return f"it expired on {entry.expires}. Have it reviewed and give it another day, or take it out."
    if found.standing is Standing.UNMATCHED:
        named = ", ".join(f"{name} '{value}'" for name, value in entry.match.model_dump(exclude_none=True).items())
        return (
            f"no line of {entry.provider}'s bill of {entry.month} in {entry.currency} has {named}. Correct its match."
        )
    if found.standing is Standing.OVERLAPS:
        return (
            f"erratum '{found.overlapped_id}' corrects some of its lines already, and a line is corrected once. "
            "Write one erratum for both, or let each match lines of its own."
        )
    return (
        f"its {found.line_count} lines come to {entry.currency} {found.billed_cost:,.2f}, reviewed was "
        f"{entry.billed:,.2f}: the bill has changed. Review it again, or take it out."
    )


def _judged(house: House) -> list[tuple[Entry, Judgement]]:
    """Every entry and what became of it, in the order of the file: as in the ledger, an earlier one goes first."""
    found: dict[str, Judgement] = {}
    for month in sorted({entry.first_day for entry in house.config.errata}):
        entries = [entry for entry in house.config.errata if entry.first_day == month]
        bill = frame_of(house.lake.read("charge_groups", month, next_month(month)))
        held = judge(bill, [entry.known_error for entry in entries if not is_expired(house, entry)])
        over = judge(bill, [entry.known_error for entry in entries if is_expired(house, entry)])
        found |= {one.erratum.erratum_id: one for one in held}
        found |= {one.erratum.erratum_id: replace(one, standing=Standing.EXPIRED) for one in over}
    return [(entry, found[entry.id]) for entry in house.config.errata]


def _rows(house: House, entry: Entry, found: Judgement) -> Iterator[dict[str, object]]:
    about: dict[str, object] = {
        "erratum_id": entry.id,
        "billing_period": entry.first_day,
        "provider_name": entry.provider,
        "standing": found.standing.value,
        "line_count": found.line_count,
        "found_cost": found.billed_cost,
        "reviewed_cost": entry.billed,
        "correct_cost": entry.should_be,
        "billing_currency": entry.currency,
        **entry.model_dump(include={"reason", "evidence", "reviewed_by"}),
        "expires_on": entry.expires,
    }
    names = ("posted_in", "account", "team_id", "billed_change", "effective_change")
    shares: Iterable[_Share] = list(_shares(house, entry)) or [(None, None, None, None, None)]
    for share in shares:
        yield about | dict(zip(names, share, strict=True))


def _shares(house: House, entry: Entry) -> Iterator[_Share]:
    """Who was corrected, by what, in which month: the month itself, or the open one that adjusts it once locked."""
    month = entry.first_day
    frames = {name: frame_of(house.lake.read(name, month, next_month(month))) for name in _TABLES[:2]}
    posted = _of(frames["postings"], entry)
    yield from ((month, *share) for share in _sums(posted))
    if month in locked_months(house):
        opposite = posted.with_columns(-pl.col(name) for name in _CHANGES)
        later = _sums(pl.concat([_of(frames["restated_postings"], entry), opposite]))
        yield from ((_adjusted_in(house, month), *share) for share in later)


def _of(postings: pl.DataFrame, entry: Entry) -> pl.DataFrame:
    mine = postings.filter(pl.col("rule_kind") == CORRECTION, pl.col("rule_id") == entry.id, "is_final_account")
    return mine.select("to_account", "team_id", *_CHANGES)


def _sums(rows: pl.DataFrame) -> list[tuple[str, str | None, Decimal, Decimal]]:
    sums = rows.group_by("to_account", "team_id").agg(pl.col(name).sum() for name in _CHANGES).sort("to_account")
    return [row for row in sums.rows() if any(row[2:])]


def _adjusted_in(house: House, month: date) -> date | None:
    """The month whose adjustments hold the corrections of a locked one; None while there is none."""
    adjustments: Mapping[str, list[object]] = house.lake.read("adjustments").to_pydict()
    found = [
        posted
        for posted, corrected, cause in zip(
            adjustments["billing_period"], adjustments["corrected_period"], adjustments["cause"], strict=True
        )
        if corrected == month and cause == CORRECTION and isinstance(posted, date)
    ]
    return min(found, default=None)
