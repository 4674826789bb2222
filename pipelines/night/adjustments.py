"""Locked months posted anew, and what that differs by, posted in the first open month after each."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import date

import polars as pl
import pyarrow as pa

from contracts import contract
from models.adjustments import ADJUSTMENT_RULES, adjust, unadjusted
from models.conservation import check_conservation
from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets
from pipelines.night.closings import locked_months, posted_in
from pipelines.night.ledger import POSTINGS, post_period
from pipelines.night.stale import HALF, Target

RESTATED, ADJUSTMENTS = "restated_postings", "adjustments"


def build_restated_postings(house: House, first: date, last: date) -> Built:
    """Posts locked months as they would be posted today, where a run of the days first..last must."""
    output = contract(RESTATED)
    locked = locked_months(house)
    targets = [target for target in stale_targets(house, output, first, last) if target.slice_date in locked]
    pieces: list[pa.Table] = []
    for target in targets:
        pieces += replace_slices(house, output, post_period(house, output, target.slice_date), [target])
    return Built(RESTATED, tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces))


def build_adjustments(house: House, _first: date, last: date) -> Built:
    """Posts what locked months differ by, in the open months that carry it, wherever either has changed.

    A run of the days of a locked month builds no table of the open one: it says which night does.
    """
    output = contract(ADJUSTMENTS)
    built = {piece.slice_date: piece.fingerprint[:HALF] for piece in house.lake.slices(ADJUSTMENTS)}
    done: list[date] = []
    count = 0
    for posted, corrected in carried(house).items():
        between = [month for month in locked_months(house) if corrected[0] < month < posted]
        fingerprint = _fingerprint(house, corrected, between)
        if built.get(posted) == fingerprint:
            continue
        before = _read(house, ADJUSTMENTS, between).filter(pl.col("corrected_period").is_in(corrected))
        rows = adjust(
            posted_in=posted,
            locked=_read(house, POSTINGS, corrected),
            restated=_read(house, RESTATED, corrected),
            posted=before,
        )
        replace_slices(house, output, rows.to_arrow(), [Target(posted, fingerprint)])
        done.append(posted)
        count += rows.height
    later = [month for month in done if month > last]
    note = f"told in {_months(later)}: a night of that month shows them, farthing run" if later else ""
    return Built(ADJUSTMENTS, tuple(done), count, note=note)


def _months(months: Sequence[date]) -> str:
    return " and ".join(f"{month:%Y-%m}" for month in months)


def adjustment_breaks(house: House) -> list[str]:
    """Where a locked month with all its adjustments is not, to the last unit, what its bills say today."""
    found: list[str] = []
    everything = frame_of(house.lake.read(ADJUSTMENTS))
    for month in sorted(month for corrected in carried(house).values() for month in corrected):
        restated = _read(house, RESTATED, [month])
        of_month = everything.filter(pl.col("corrected_period") == month)
        found += map(str, unadjusted(_read(house, POSTINGS, [month]), restated, of_month).to_dicts())
        charges = frame_of(house.lake.read("charge_groups", month, next_month(month)))
        found += map(str, check_conservation(charges, restated).to_dicts())
    return found


def carried(house: House) -> dict[date, list[date]]:
    """By open month: the locked months that it carries adjustments of, where they were posted anew. Oldest first."""
    locked = locked_months(house)
    restated = {piece.slice_date for piece in house.lake.slices(RESTATED)}
    found: dict[date, list[date]] = defaultdict(list)
    for month in sorted(locked & restated):
        found[posted_in(month, locked)].append(month)
    return found


def _fingerprint(house: House, corrected: Sequence[date], between: Sequence[date]) -> str:
    digest = hashlib.sha256(f"{ADJUSTMENT_RULES} {contract(ADJUSTMENTS).arrow_schema()}".encode())
    for table, months in ((POSTINGS, corrected), (RESTATED, corrected), (ADJUSTMENTS, between)):
        for piece in house.lake.slices(table):
            if piece.slice_date in months:
                digest.update(f"\n{table} {piece.slice_date} {piece.fingerprint[-HALF:]}".encode())
    return digest.hexdigest()[:HALF]


def _read(house: House, table: str, months: Sequence[date]) -> pl.DataFrame:
    empty = contract(table).arrow_schema().empty_table()
    return frame_of(pa.concat_tables([empty, *(house.lake.read(table, month, next_month(month)) for month in months)]))
