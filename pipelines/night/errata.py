"""What became of each known error on a bill, and whom it touches: the table `bill_errata`, and what is told."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pyarrow as pa

from contracts import contract
from models.adjustments import CORRECTION
from models.errata import AWAITED, Judgement, Standing, judge
from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.config.errata import Erratum as Entry
from pipelines.config.positions import read
from pipelines.house import House
from pipelines.night.adjustments import RESTATED, carried
from pipelines.night.build import SLICE_SOURCE, Built
from pipelines.night.known_errors import is_expired
from pipelines.night.ledger import POSTINGS
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.removed_errata import ERRATA, removed_rows, removed_told
from pipelines.night.stale import content_fingerprint, is_out_of_reach

_CHANGES = ["billed_cost", "effective_cost"]
_Share = tuple[date | None, str | None, str | None, Decimal | None, Decimal | None]
"""Month that it stands in, account, team, change of the billed and of the effective cost."""


def build_bill_errata(house: House, first: date, _last: date) -> Built:
    """What became of every erratum of the file, and what it changed for whom. Told are those that change nothing."""
    told = tuple(errata_told(house, first))
    rows = [row for entry, found in _judged(house) for row in _rows(house, entry, found)] + removed_rows(house)
    table = pa.Table.from_pylist(rows, schema=contract(ERRATA).arrow_schema())
    fingerprint = content_fingerprint(table)
    if [piece.fingerprint for piece in house.lake.slices(ERRATA)] == [fingerprint]:
        return Built(ERRATA, (), table.num_rows, problems=told)
    house.lake.replace_slice(ERRATA, REFERENCE_DATE, SLICE_SOURCE, table, fingerprint)
    return Built(ERRATA, (REFERENCE_DATE,), table.num_rows, problems=told)


def errata_told(house: House, first: date | None = None) -> list[str]:
    """What stands against errata: those not applied, and those that the journal does not follow, with the remedy.

    `first` is the first day of the run; without it, that of the next night.
    """
    first = first or house.clock().date() - timedelta(days=1)
    against = [
        (index, found.erratum.erratum_id, why)
        for index, (entry, found) in enumerate(_judged(house))
        if (why := " ".join(filter(None, (_why(entry, found), _left_as_it_is(house, entry, found, first)))))
        and not _is_early(house, entry)
    ]
    position = read(house.file).position if against else None
    told = [
        f"{house.file.name}:{position(('errata', index))[0]}: erratum '{erratum_id}' is not applied: {why}"
        for index, erratum_id, why in against
        if position
    ]
    return [*told, *removed_told(house, first)]


def _is_early(house: House, entry: Entry) -> bool:
    """Whether no bill of the erratum's month was taken in yet: nobody can say whether its match is right."""
    month = entry.first_day
    return not house.lake.read("charge_groups", month, next_month(month)).num_rows


def _left_as_it_is(house: House, entry: Entry, found: Judgement, first: date) -> str:
    """What is posted of an erratum where it should be something else, of a month that no night builds again."""
    month = entry.first_day
    if not is_out_of_reach(month, first):
        return ""
    journal = RESTATED if month in _carried_in(house) else POSTINGS
    waiting = _of(_journal(house, journal, month), entry).filter(pl.col("to_account") == AWAITED)
    posted = sum((-amount for amount in waiting["billed_cost"]), Decimal(0))
    due = found.erratum.change if found.standing is Standing.APPLIED else Decimal(0)
    if posted == due:
        return ""
    return (
        f"{entry.currency} {posted:,.2f} of it is posted where {due:,.2f} is due, and {entry.month} is further back "
        f"than a night rebuilds. Put it right: farthing run {next_month(month) - timedelta(days=1)}"
    )


def _why(entry: Entry, found: Judgement) -> str:
    if found.standing is Standing.APPLIED:
        return ""
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
    """Who was corrected, by what, in which month: the month itself, or the open one that adjusts it once locked.

    What a month that is locked by now took of a correction stays there; the open month carries what it differs by.
    """
    month = entry.first_day
    posted = _of(_journal(house, POSTINGS, month), entry)
    yield from ((month, *share) for share in _sums(posted))
    if carrying := _carried_in(house).get(month):
        kept = _taken_before(house, entry, carrying)
        yield from ((told_in, *share) for told_in in sorted(kept) for share in _sums(kept[told_in]))
        before = [rows.with_columns(-pl.col(name) for name in _CHANGES) for rows in (posted, *kept.values())]
        later = _sums(pl.concat([_of(_journal(house, RESTATED, month), entry), *before]))
        yield from ((carrying, *share) for share in later)


def _carried_in(house: House) -> dict[date, date]:
    """By locked month: the open one that carries its adjustments."""
    return {month: posted for posted, corrected in carried(house).items() for month in corrected}


def _taken_before(house: House, entry: Entry, carrying: date) -> dict[date, pl.DataFrame]:
    """By month that was locked since: what it took of a correction when it was open, as this table has it.

    The adjustments themselves do not tell the errata of a month apart.
    """
    told = frame_of(house.lake.read(ERRATA)).filter(
        pl.col("erratum_id") == entry.id,
        pl.col("billing_period") == entry.first_day,
        pl.col("posted_in").is_between(entry.first_day, carrying, closed="none"),
    )
    names = {"account": "to_account", "billed_change": "billed_cost", "effective_change": "effective_cost"}
    rows = told.rename(names).select("posted_in", "to_account", "team_id", *_CHANGES)
    return {rows["posted_in"][0]: rows.drop("posted_in") for rows in rows.partition_by("posted_in")}


def _journal(house: House, name: str, month: date) -> pl.DataFrame:
    return frame_of(house.lake.read(name, month, next_month(month)))


def _of(postings: pl.DataFrame, entry: Entry) -> pl.DataFrame:
    mine = postings.filter(pl.col("rule_kind") == CORRECTION, pl.col("rule_id") == entry.id, "is_final_account")
    return mine.select("to_account", "team_id", *_CHANGES)


def _sums(rows: pl.DataFrame) -> list[tuple[str, str | None, Decimal, Decimal]]:
    sums = rows.group_by("to_account", "team_id").agg(pl.col(name).sum() for name in _CHANGES).sort("to_account")
    return [row for row in sums.rows() if any(row[2:])]
