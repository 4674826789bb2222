"""The report's own total against its lines: the ungrouped report is asked for, too, and says what all lines make up.

Here belongs: which page is the total, exact sums, how far apart they may be. Here does not belong: rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal

from connectors.anthropic.answers import Answer
from connectors.anthropic.cost_rows import DIMENSIONS, Money, charged
from connectors.exact import at_scale
from connectors.fields import RowError

_EXACT = Context(prec=200)  # beyond anything that amounts of 26 digits before and 100 after the point add up to


@dataclass
class Totals:
    """Running sums in USD. `stated` is None as long as no total came."""

    lines: Decimal = Decimal(0)
    staged: Decimal = Decimal(0)
    stated: Decimal | None = None

    def add_line(self, money: Money) -> None:
        """Counts a line of the grouped report."""
        self.lines = _EXACT.add(self.lines, money.exact)
        self.staged = _EXACT.add(self.staged, money.staged)

    def add_stated(self, money: Money) -> None:
        """Counts a bucket of the ungrouped report."""
        self.stated = _EXACT.add(self.stated or Decimal(0), money.exact)

    def difference(self) -> Decimal | None:
        """The total less the lines, exactly; None without a total."""
        return None if self.stated is None else _EXACT.subtract(self.stated, self.lines)

    def control(self, tolerance: Decimal) -> tuple[Decimal | None, list[str]]:
        """What the staged costs must add up to, and what is to be told of it.

        The lines were rounded to twelve places one by one, the total was not: only their true difference counts.
        """
        difference = self.difference()
        if difference is None:
            return None, ["the ungrouped report was not saved: the lines were held against no total"]
        if difference and abs(difference) <= tolerance:
            told = f"the report's total is {difference:f} USD off its lines, within total_tolerance_usd"
            return self.staged, [told]
        return _EXACT.add(self.staged, at_scale(difference)), []


def is_total(answer: Answer) -> bool:
    """Whether the page is one of the ungrouped report: it has results, and none of them says what it is about."""
    return bool(answer.entries) and all(
        entry.fields is not None and all(entry.fields.get(name) is None for name in DIMENSIONS)
        for entry in answer.entries
    )


def disagreement(lines: Iterable[Answer], totals: Iterable[Answer]) -> Decimal | None:
    """How far the total is from the lines, in USD, exactly.

    None when an amount cannot be read: parsing refuses it, with its reason.
    """
    sums = Totals(stated=Decimal(0))
    try:
        for answer in lines:
            for entry in answer.entries:
                sums.add_line(charged(entry))
        for answer in totals:
            for entry in answer.entries:
                sums.add_stated(charged(entry))
    except RowError:
        return None
    return sums.difference()
