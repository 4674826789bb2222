"""What has arrived: every source, from when on it was asked, the days that it lacks, what it cannot tell.

Here belongs: the table about sources. Here does not belong: any amount but that of rows that were refused.
"""

from collections.abc import Sequence
from decimal import Decimal

from reports.given import SourceFreshness
from reports.money import format_number, round_to
from reports.tables import Row, Table
from reports.wording import clean, day_label, days_label

NOT_ASKED = "not_asked"
_STATUS = {
    "committed": "Complete",
    "unchanged": "Complete",
    "empty": "Nothing to deliver",
    "suspicious_empty": "Empty, not confirmed",
    "suspicious_shrink": "Much less than before, not confirmed",
    "suspicious_growth": "Much more than before, not confirmed",
    "incomplete": "Incomplete",
    "failed": "Failed",
    NOT_ASKED: "Not asked",
}
_COMPLETE = frozenset({"committed", "unchanged", "empty"})


def coverage_table(sources: Sequence[SourceFreshness]) -> Table | None:
    """Every source with its status and the days that it has not delivered, or was not asked for; None without sources.

    A source that came later than the month is not incomplete: it is named, and what it cannot know.
    """
    if not sources:
        return None
    gaps = [s for s in sources if _is_incomplete(s)]
    partial = [s for s in sources if s.not_covered]
    told = [s for s in sources if s in gaps or s in partial or s.asked_from or s.repeated]
    rows = tuple(
        Row(clean(s.name), (_standing(s),), _gap_note(s))
        for s in sorted(sources, key=lambda s: (s not in gaps, s not in told, s.name))
    )
    lead = " ".join((_arrived(len(gaps), sources), *_unknown(sources)))
    return Table("coverage", "What has arrived", ("Source", "Status"), rows, lead=lead)


def awaited(sources: Sequence[SourceFreshness]) -> str:
    """Of which sources nothing of the month has arrived, though its costs are made from them; empty without one."""
    return ", ".join(sorted(clean(s.name) for s in sources if s.is_awaited))


def _is_incomplete(source: SourceFreshness) -> bool:
    came_later = source.status == NOT_ASKED and source.asked_from is not None
    lacks = source.missing_days or source.refused_rows or source.status not in _COMPLETE
    return bool(lacks) and not came_later


def _arrived(gap_count: int, sources: Sequence[SourceFreshness]) -> str:
    if gap_count:
        return (
            f"{gap_count} of {len(sources)} sources are incomplete: what they have not delivered is not in these "
            "figures."
        )
    asked = " that it was asked for" if any(s.asked_from for s in sources) else ""
    return f"Every source has delivered every day{asked}."


def _unknown(sources: Sequence[SourceFreshness]) -> list[str]:
    """What of the month nobody asked for, and what sources cannot tell."""
    told: list[str] = []
    if unasked := sorted(clean(s.name) for s in sources if s.status == NOT_ASKED):
        told.append(f"Not asked for this month: {', '.join(unasked)}.")
    if late := sorted(clean(s.name) for s in sources if s.status != NOT_ASKED and s.asked_from):
        told.append(f"Asked for a part of this month only: {', '.join(late)}.")
    if partial := [s for s in sources if s.not_covered]:
        told.append(f"What {len(partial)} of them cannot tell is in no figure: it is named below.")
    if again := sorted(clean(s.name) for s in sources if s.repeated):
        told.append(f"Files or lines that came more than once, named below: {', '.join(again)}.")
    return told


def _gap_note(source: SourceFreshness) -> str:
    days = f"Missing: {days_label(source.missing_days)}." if source.missing_days else ""
    lacks = f"Not in it: {clean(source.not_covered, 300)}." if source.not_covered else ""
    again = f"Came more than once: {clean(source.repeated, 300)}." if source.repeated else ""
    parts = (days, _asked_note(source), _refused(source), lacks, again, clean(source.message or "", 300))
    return " ".join(part for part in parts if part)


def _asked_note(source: SourceFreshness) -> str:
    """From when on it was asked, and what is not known for that; empty where it was asked for the whole month."""
    first = source.asked_from
    if first is None:
        return ""
    if source.status == NOT_ASKED:
        return f"First asked for {day_label(first)} {first.year}: of this month nothing is known."
    before = [first.replace(day=number) for number in range(1, first.day)]
    return f"First asked for {day_label(first)}: of {days_label(before)} nothing is known."


def _standing(source: SourceFreshness) -> str:
    if source.status in _COMPLETE and source.refused_rows:
        return "Rows refused"
    if source.status in _COMPLETE and source.not_covered:
        return "All that it tells"
    if source.status in _COMPLETE and source.repeated:
        return "Repeated files"
    if source.status in _COMPLETE and source.missing_days:
        return "Days missing"
    if source.status in _COMPLETE and source.asked_from:
        return f"From {day_label(source.asked_from)} on"
    return _STATUS.get(source.status, clean(source.status))


def _refused(source: SourceFreshness) -> str:
    if not source.refused_rows:
        return ""
    rows = f"{source.refused_rows:,} row{'s' if source.refused_rows != 1 else ''} could not be read"
    if not source.refused_cost:
        return f"{rows}."
    cost = format_number(round_to(source.refused_cost, Decimal("0.01")))
    return f"{rows}, carrying {cost} of cost."
