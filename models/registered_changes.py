"""Changes that were made to spend less, as they were registered: what they touch, and what they were to save.

Here belongs: the shape of a registered change. Here does not belong: whether it did.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

MATCHED_DAYS, DIFFERENCE = "matched_days", "difference_in_differences"
METHODS = (MATCHED_DAYS, DIFFERENCE)
DIMENSIONS = ("team_id", "provider_id", "model_id", "feature", "environment", "key")


@dataclass(frozen=True)
class Touched:
    """Requests that have all these values, in the words of `usage_by_team_daily`; an empty one lets all through.

    `key` is a gateway's key, by its alias or its hash.
    """

    team_id: str = ""
    provider_id: str = ""
    model_id: str = ""
    feature: str = ""
    environment: str = ""
    key: str = ""

    @property
    def named(self) -> dict[str, str]:
        """The values that it names."""
        return {name: value for name in DIMENSIONS if (value := getattr(self, name))}

    def may_meet(self, other: "Touched") -> bool:
        """Whether a request could be of both: they name nothing that differs; keys may, which have two names each."""
        return all(name == "key" or other.named.get(name, value) == value for name, value in self.named.items())


@dataclass(frozen=True)
class Change:
    """A registered change.

    Attributes:
        switched_on: the day on which it was; being mixed, that day counts on neither side.
        touched: the requests that it touches.
        control: requests like them that it does not touch; None with the method of matched days.
        moves_models: whether it sends the same requests to another model or provider: those are one kind then.
        claimed_usd: what it was to save in a month.
        window_days: days that are looked at, on either side.
    """

    change_id: str
    what: str
    switched_on: date
    touched: Touched
    claimed_usd: Decimal
    method: str = MATCHED_DAYS
    control: Touched | None = None
    moves_models: bool = False
    window_days: int = 28
    evidence: str = ""
    reviewed_by: str = ""

    @property
    def before(self) -> tuple[date, date]:
        """First and last day before."""
        return self.switched_on - timedelta(days=self.window_days), self.switched_on - timedelta(days=1)

    @property
    def after(self) -> tuple[date, date]:
        """First and last day after."""
        return self.switched_on + timedelta(days=1), self.switched_on + timedelta(days=self.window_days)

    def disturbed_by(self, other: "Change") -> bool:
        """Whether another change was switched on within the days looked at, and may touch what is compared."""
        if other.change_id == self.change_id or not self.before[0] <= other.switched_on <= self.after[1]:
            return False
        return any(part.may_meet(other.touched) for part in (self.touched, self.control) if part is not None)


@dataclass(frozen=True)
class Told:
    """What is known when a change is judged: the last settled day, the days that were told of, the other changes."""

    settled: date | None
    days: frozenset[date]
    changes: tuple[Change, ...] = field(default=())
