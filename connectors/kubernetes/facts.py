"""What was said of each pod, request or node, gathered over all series and pages; and rows' common columns.

Here belongs: what pods and nodes have in common once they are read. Here does not belong: what is said of either.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from connectors.base import SourceSettings, Window
from connectors.intervals import cut_at_midnights
from connectors.kubernetes.marks import Marks, Seen
from connectors.kubernetes.stretches import Fact, Held, Segment, stretches

Subject = TypeVar("Subject")


@dataclass
class Facts(Generic[Subject]):
    """Marks of facts by what they are about."""

    marks: dict[Subject, dict[Fact, Marks]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, subject: Subject, fact: Fact, marks: Marks) -> None:
        """Takes more marks of a fact: of another page, or of another exporter that says the same."""
        kept = self.marks[subject].setdefault(fact, Marks())
        kept.instants.extend(marks.instants)
        kept.places.extend(marks.places)

    def held(self, seen: Seen) -> dict[Subject, list[Held]]:
        """When each fact held, by subject."""
        return {
            subject: [
                (one, fact) for fact, marks in facts.items() for one in stretches(marks, seen.beat, seen.instants)
            ]
            for subject, facts in self.marks.items()
        }


def count(value: float) -> Decimal:
    """How many of a resource: whole, or a fraction to six places."""
    return Decimal(int(value)) if value.is_integer() else round(Decimal(value), 6)


def new_labels(extras: Iterable[Mapping[str, str]]) -> list[str]:
    """A notice of the labels that are new to us, if there are any."""
    names = sorted({name for extra in extras for name in extra})
    return [f"labels that are new, kept in x_extra: {', '.join(names)}"] if names else []


def pieces(segment: Segment, window: Window) -> Iterator[tuple[datetime, datetime]]:
    """The segment's instants within the window, cut at midnights."""
    return cut_at_midnights(_instant(segment.start), min(_instant(segment.end), window.end))


def provenance(settings: SourceSettings, window: Window, seen: Seen, segment: Segment) -> Mapping[str, Any]:
    """The columns that say where a row is from."""
    page_id, row = seen.page_and_row(segment.place)
    return {
        "cluster": settings.account,
        "x_source": settings.name,
        "x_slice_date": window.slice_date,
        "x_page": page_id,
        "x_row": row,
    }


def _instant(millisecond: int) -> datetime:
    return datetime.fromtimestamp(millisecond / 1000, UTC).replace(tzinfo=None)
