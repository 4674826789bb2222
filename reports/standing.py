"""How firm the figures are and where they come from: the banner at the top, the small print at the bottom.

Here belongs: period states and origins in words. Here does not belong: any amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reports.given import Period, SharedFacts, SourceFreshness
from reports.wording import clean, instant_label

_ROUNDING = "Each table is rounded so that it adds up, so one cost can differ by a cent between two tables."


@dataclass(frozen=True)
class Banner:
    """How firm the figures are: `tone` is the period's state, the rest is read."""

    tone: str
    headline: str
    text: str


def banner_for(period: Period) -> Banner:
    """The banner of a period's state."""
    if period.state == "open":
        return Banner("open", "Month in progress", f"{period.elapsed_days} of {period.day_count} days are counted.")
    if period.state == "provisional":
        return Banner("provisional", "Provisional", "The month has ended, but its bills can still change.")
    if period.state == "final":
        return Banner("final", "Final", "Its bills are final.")
    text = "The month is closed. A later correction appears in the month in which it is made."
    return Banner("final", "Final and locked", text)


def footnotes_for(period: Period, shared: SharedFacts) -> tuple[str, ...]:
    """When the figures were taken and from what, so that anyone can ask the same question again."""
    notes = [f"Figures as of {instant_label(period.as_of)}. Days are UTC days.", _ROUNDING]
    if shared.snapshot_id:
        notes.append(f"Snapshot {clean(shared.snapshot_id)}")
    if shared.config_hash:
        notes.append(f"Configuration {clean(shared.config_hash)[:12]}")
    return tuple(notes)


def missing_days(sources: Sequence[SourceFreshness]) -> frozenset[date]:
    """The days that at least one source has not delivered."""
    return frozenset(day for source in sources for day in source.missing_days)
