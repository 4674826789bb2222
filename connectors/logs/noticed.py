"""What a delivery of a log has that people should know of, though its rows are taken in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.logs.attempt import Record

_FEW_RECORDS = 8  # of so few, none may have been answered from a prompt cache, say


@dataclass
class Noticed:
    """What was noticed so far. `expected` are landed fields that some record should have, and where each is from.

    `reused` are ids that another attempt had before, `unknown` fields of no allow-list; `sum_count` rows are sums of
    several requests, `assumed_count` rows leave open where parts of their tokens are counted; `repeated` is the least
    id of the rows that repeat another one.
    """

    expected: Mapping[str, str]
    reused: list[str] = field(default_factory=list[str])
    unknown: set[str] = field(default_factory=set[str])
    sum_count: int = 0
    assumed_count: int = 0
    record_count: int = 0
    repeated: str | None = None
    lacking: set[str] = field(init=False)

    def __post_init__(self) -> None:
        """No record was seen yet that has what is expected."""
        self.lacking = set(self.expected)

    def look_at(self, record: Record) -> None:
        """Takes a record in, whatever becomes of it."""
        self.record_count += 1
        if self.lacking:
            self.lacking -= record.keys()

    def repeat(self, request_id: str) -> None:
        """Takes note of a row that is not counted, because the same attempt was read before."""
        self.repeated = min(self.repeated or request_id, request_id)

    def told(self) -> tuple[str, ...]:
        """All of it in words."""
        found = [f"field {name} is not known; it is kept in x_extra" for name in sorted(self.unknown)]
        if self.lacking and self.record_count >= _FEW_RECORDS:
            paths = ", ".join(f"{name} ({self.expected[name]!r})" for name in sorted(self.lacking))
            found.append(
                f"none of {self.record_count:,} records has anything at the path of {paths}: correct `fields`, as "
                "farthing check says, or leave the line out where the log rightly has none"
            )
        if self.repeated is not None:
            found.append(f"attempts that came again were counted once, such as {self.repeated}")
        if self.reused:
            count = "1 attempt carries" if len(self.reused) == 1 else f"{len(self.reused)} attempts carry"
            found.append(
                f"{count} an id that another attempt of the day has too, such as "
                f"{min(self.reused)}; all of them are counted"
            )
        if self.sum_count:
            count = "1 row is the sum" if self.sum_count == 1 else f"{self.sum_count} rows are sums"
            found.append(
                f"{count} of a batch's requests: their context bands are unknown, and the smallest one's price is taken"
            )
        if self.assumed_count:
            count = "1 row does" if self.assumed_count == 1 else f"{self.assumed_count} rows do"
            found.append(
                f"{count} not say whether cached input, audio or reasoning is counted inside of input and output, and "
                "state no total that would tell: taken as inside (is_convention_assumed)"
            )
        return tuple(found)
