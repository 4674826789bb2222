"""What a month is built from that lies further back than a night rebuilds, and stands as older rules built it: told.

Within its reach a night builds anew whatever rules or inputs have changed. What reads months before that reach would
mix slices of two sets of rules, and nobody would know.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from contracts import contract
from pipelines.calendar import months_before
from pipelines.house import House
from pipelines.night.build import stale_targets
from pipelines.night.stale import HORIZON_DAYS, Target, reach


def older_inputs(
    house: House, output: str, targets: Sequence[Target], inputs: Mapping[str, int], first: date, last: date
) -> tuple[str, ...]:
    """One sentence where months that a run of the days first..last builds read slices that it leaves as they were.

    Args:
        house: whose lake it is.
        output: table of billing periods that is built.
        targets: the periods to build.
        inputs: by table how many months before its own a period reads.
        first: first day of the run.
        last: its last day.
    """
    earliest = reach(first)
    if not targets:
        return ()
    oldest = min(target.slice_date for target in targets)
    starts = {name: months_before(oldest, back) for name, back in inputs.items()}
    left = {name: found for name, start in starts.items() if (found := _left(house, name, start, earliest, last))}
    if not left:
        return ()
    since, until = min(day for found in left.values() for day in found), earliest - timedelta(days=1)
    told = (
        f"{output}: months from {earliest:%Y-%m} on are built from {', '.join(sorted(left))} of months before, too, "
        f"which from {since} on stand as they were built before rules or their own inputs changed, because a night "
        f"rebuilds none before {earliest}: `farthing run {since}..{until}` builds them anew"
    )
    return (told,)


def _left(house: House, name: str, start: date, end: date, last: date) -> list[date]:
    """The slices in `[start, end)` that are there, and would be built anew if a run reached them."""
    built = {piece.slice_date for piece in house.lake.slices(name) if start <= piece.slice_date < end}
    if not built:
        return []
    reaching = start + timedelta(days=HORIZON_DAYS)
    targets = stale_targets(house, contract(name), reaching, last, everything=False)
    return [target.slice_date for target in targets if target.slice_date in built]
