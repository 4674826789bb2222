"""Why rows of a delivery were refused, in words: once a reason, with the number of rows and where the first stands."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from connectors.base import Reject

_MOST_TOLD = 5  # all of them are in the table `rejects`
_UNREADABLE = '{"unreadable":'  # what landing keeps of a row that it could not read: its words name the place
_Key = tuple[str, str | None]


@dataclass
class Refused:
    """The refused rows so far: by reason and column the first of each, and how many there are.

    `places` says where such a row stands in its source's files, by its payload, where that is known; else the name of
    its page does (`pages`, by the page's id).
    """

    first: dict[_Key, Reject] = field(default_factory=dict[_Key, Reject])
    counts: dict[_Key, int] = field(default_factory=dict[_Key, int])
    places: Mapping[str, str] = field(default_factory=dict[str, str])
    pages: Mapping[str, str] = field(default_factory=dict[str, str])

    def add(self, rejects: Iterable[Reject]) -> None:
        """Counts refused rows."""
        for reject in rejects:
            key = (reject.reason, reject.column_name)
            self.first.setdefault(key, reject)
            self.counts[key] = self.counts.get(key, 0) + 1

    def payloads(self) -> Collection[str]:
        """Rows that words are about, and whose place nobody has told yet."""
        told = [self.first[key].payload for key in self._commonest()]
        return [payload for payload in told if not payload.startswith(_UNREADABLE)]

    def told(self) -> str | None:
        """The reasons, the commonest first; None where nothing was refused."""
        if not self.first:
            return None
        if len(self.first) == 1:
            (key,) = self.first
            return f"the first refused row: {self._why(key)}"
        told = [f"{self.counts[key]:,} x {self._why(key)}" for key in self._commonest()]
        if (more := len(self.first) - _MOST_TOLD) > 0:
            told.append(f"{more} more reasons in the table rejects")
        return f"the first refused row of each reason: {'; '.join(told)}"

    def _commonest(self) -> list[_Key]:
        return sorted(self.counts, key=lambda key: -self.counts[key])[:_MOST_TOLD]

    def _why(self, key: _Key) -> str:
        first = self.first[key]
        place = self.places.get(first.payload) or self.pages.get(first.page_id)
        return f"{first.reason}: {first.detail}{f' [{place}]' if place else ''}"
