"""What is refused of one page: kept with its words, bounded in number.

Here belongs: counting. Here does not belong: why anything is refused.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.base import Reject
from connectors.prometheus.readings import Reading

MOST_REJECTS = 1_000  # of one page; the rest is counted, and stands in the landed page


@dataclass
class Refusals:
    """The refusals of one page while it is read."""

    page_id: str
    rejects: list[Reject] = field(default_factory=list)
    count: int = 0

    def refuse(self, row: int, reason: str, detail: str, payload: str, column: str | None = None) -> None:
        """Refuses a line, a value or (row 0) the page, with what it says. Of very many, the rest is counted."""
        self.count += 1
        if self.count <= MOST_REJECTS:
            self.rejects.append(Reject(self.page_id, row, reason, detail, payload, column))

    def refuse_instant(self, reading: Reading[Any]) -> None:
        """Refuses a reading that lies outside of the window."""
        try:
            instant = datetime.fromtimestamp(reading.millisecond / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (OverflowError, ValueError, OSError):
            instant = f"{reading.millisecond} ms"
        detail = f"sampled at {instant}, outside of the day that was asked for. Cut files at midnight UTC."
        self.refuse(reading.row, "outside_window", detail, reading.payload)

    def finish(self) -> None:
        """Ends the page: says how many refusals were counted only."""
        if (more := self.count - MOST_REJECTS) > 0:
            detail = f"{more} further lines were refused; they stand in the landed page. Is this the right exporter?"
            self.rejects.append(Reject(self.page_id, 0, "too_many_rejects", detail, self.rejects[-1].payload))
