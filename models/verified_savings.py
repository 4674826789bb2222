"""Whether registered changes saved what was claimed: the rows of the mart `verified_savings`.

    realised saving = -effect / matched days after x 365 / 12, a month's worth at the requests that there were

The verdict compares its interval with nothing and with the claim; where days do not suffice to tell, it says so:

    confirmed   the interval lies above nothing and holds the claim
    more, less  it lies above nothing, and all above or all below the claim
    dearer      it lies below nothing: the same requests cost more
    not_found   it holds nothing and lies below the claim: whether anything was saved is open, the claim was not
    undecided   anything else, and whenever `reason` says why nothing can be said

Here belongs: from a change and its days to a row. Here does not belong: the comparison's arithmetic (`matched_days`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isfinite

from models.matched_days import Comparison, Effect, Line, compare, effect
from models.registered_changes import DIFFERENCE, Change, Told
from models.waterfall import in_money, money

TABLE = "verified_savings"
LEAST_DAYS_BEFORE, LEAST_DAYS_AFTER = 21, 14
"""Three of each weekday, whose halves show what moved before the change; and two of each."""
MOST_UNPRICED = Fraction(1, 100)
"""Of the attempts: more of unknown cost, and their share alone could pass for a saving."""
LEAST_ALIKE = Fraction(1, 2)
"""Of the cost after: where less was held against anything before, what is left says nothing of the change."""
MONTH_DAYS = Fraction(365, 12)

REASONS: Mapping[str, str] = {
    "too_few_days_before": "fewer than 21 days before with requests of the change and its control, or too few to halve",
    "too_few_days_after": "fewer than 14 settled days after with requests of the change and its control",
    "no_requests": "nothing was asked before or after, of the change or of its control",
    "unpriced": "the cost of more than one in a hundred attempts is unknown",
    "another_change": "another registered change falls into the days and may touch the same requests",
    "nothing_alike": "most of the cost after, of the change or of its control, is of requests as none were before",
    "moved_before": "the two halves of the days before differ as much as a change would, or in what was asked",
    "too_noisy": "the interval holds both nothing and the claim",
}
"""Why it is undecided."""


def verified_row(
    change: Change, told: Told, lines: Sequence[Line], control: Sequence[Line], attempts: tuple[int, int]
) -> dict[str, object]:
    """A change's row.

    Args:
        change: what was registered.
        told: what is known of the days, and of other changes.
        lines: its requests by day and kind, days on either side; money in USD, copies taken out.
        control: the same of its control; none where it has none.
        attempts: those of change and control within the days looked at, and those of them whose cost is unknown.
    """
    before, after = _days(change, told)
    found = _Found(change, lines, control)
    asked = found.asked(before), found.asked(after)
    reason = _reason(change, told, (before, after), attempts) or _too_few(asked)
    both = None if reason in ("too_few_days_before", "too_few_days_after") else found.between(before, after)
    if both is None:
        return _row(change, told, asked, attempts, None, None, reason or "no_requests")
    if both[1].alike < LEAST_ALIKE or not isfinite(both[1].low):
        reason = reason or "nothing_alike"
    reason = reason or _moved(found, asked[0])
    return _row(change, told, (before, after), attempts, *both, reason)


class _Found:
    """The lines of a change and of its control, to be held against one another on any days."""

    def __init__(self, change: Change, lines: Sequence[Line], control: Sequence[Line]) -> None:
        self.has_control = change.method == DIFFERENCE
        self.lines, self.control = lines, control

    def asked(self, days: Sequence[date]) -> list[date]:
        """The days on which there were requests, of the control too: others cannot tell how much days differ."""
        sides = (self.lines, self.control) if self.has_control else (self.lines,)
        seen = [{line.day for line in side if line.requests} for side in sides]
        return [day for day in days if all(day in of_side for of_side in seen)]

    def between(self, before: Sequence[date], after: Sequence[date]) -> tuple[Comparison, Effect] | None:
        """What differs; None where one of the sides has no requests."""
        own = compare(self.lines, before, after)
        other = compare(self.control, before, after) if self.has_control else None
        if own is None or (self.has_control and other is None):
            return None
        credited = effect(own, other)
        return None if credited is None else (own, credited)


def _days(change: Change, told: Told) -> tuple[list[date], list[date]]:
    """The settled days of the windows of which anything was told."""
    sides: list[list[date]] = []
    for first, last in (change.before, change.after):
        end = min(last, told.settled) if told.settled else first - timedelta(days=1)
        days = (first + timedelta(days=number) for number in range((end - first).days + 1))
        sides.append([day for day in days if day in told.days])
    return sides[0], sides[1]


def _reason(
    change: Change, told: Told, days: tuple[Sequence[date], Sequence[date]], attempts: tuple[int, int]
) -> str | None:
    """Why nothing can be said, whatever the days tell; None where they may decide."""
    if len(days[0]) < LEAST_DAYS_BEFORE:
        return "too_few_days_before"
    if len(days[1]) < LEAST_DAYS_AFTER:
        return "too_few_days_after"
    if any(change.disturbed_by(other) for other in told.changes):
        return "another_change"
    count, unpriced = attempts
    return "unpriced" if count and Fraction(unpriced, count) > MOST_UNPRICED else None


def _too_few(asked: tuple[Sequence[date], Sequence[date]]) -> str | None:
    """Whether the change was asked for on too few days; without any there is no comparison, which is told as such."""
    if not all(asked):
        return None
    if len(asked[0]) < LEAST_DAYS_BEFORE:
        return "too_few_days_before"
    return "too_few_days_after" if len(asked[1]) < LEAST_DAYS_AFTER else None


def _moved(found: _Found, before: Sequence[date]) -> str | None:
    """Whether the days before differ among themselves: what moves by itself is no proof, and neither is no answer."""
    half = len(before) // 2
    placebo = found.between(before[:half], before[half:])
    if placebo is None:
        return "too_few_days_before"
    if placebo[1].alike < LEAST_ALIKE:
        return "moved_before"
    if not isfinite(placebo[1].low):  # an interval without end holds nothing too, and tells nothing
        return "too_few_days_before"
    return None if placebo[1].low <= 0 <= placebo[1].high else "moved_before"


def _row(
    change: Change,
    told: Told,
    days: tuple[Sequence[date], Sequence[date]],
    attempts: tuple[int, int],
    compared: Comparison | None,
    credited: Effect | None,
    reason: str | None,
) -> dict[str, object]:
    realised = _realised(compared, credited)
    verdict, why = _verdict(change.claimed_usd, realised, reason)
    of = change.touched
    return {
        "change_id": change.change_id,
        "what": change.what,
        "switched_on_date": change.switched_on,
        **{name: getattr(of, name) for name in ("team_id", "provider_id", "model_id", "feature", "environment")},
        "gateway_key": of.key,
        "method": change.method,
        "control": ", ".join(f"{k} {v}" for k, v in change.control.named.items()) if change.control else "",
        "moves_models": change.moves_models,
        "settled_date": told.settled,
        "before_day_count": len(compared.days_before if compared else days[0]),
        "after_day_count": len(compared.days_after if compared else days[1]),
        "request_count": compared.requests_after if compared else None,
        "unpriced_count": attempts[1],
        **_parts(compared, credited),
        "claimed_saving_usd": change.claimed_usd,
        **dict(zip(("realised_saving_usd", "realised_low_usd", "realised_high_usd"), realised, strict=True)),
        "verdict": verdict,
        "reason": why,
        "evidence": change.evidence,
        "reviewed_by": change.reviewed_by,
    }


def _parts(compared: Comparison | None, credited: Effect | None) -> dict[str, Decimal | None]:
    """What it cost before and after, and the parts of the change, which are all of it to the pico-dollar."""
    names = ("volume", "mix", "price", "drift", "effect")
    if compared is None or credited is None:
        return dict.fromkeys(("before_cost_usd", "after_cost_usd", *(f"{name}_change_usd" for name in names)))
    before, after = money(compared.before), money(compared.after)
    parts = {
        "volume": compared.volume,
        "mix": compared.mix,
        "price": compared.price,
        "drift": credited.drift,
        "effect": credited.effect,
    }
    rounded = in_money(parts)
    # ends that are rounded by themselves may differ from the rounded sum by a pico-dollar, which mix takes
    rounded["mix"] += after - before - sum(rounded.values(), Decimal(0))
    return {
        "before_cost_usd": before,
        "after_cost_usd": after,
        **{f"{name}_change_usd": rounded[name] for name in names},
    }


def _realised(compared: Comparison | None, credited: Effect | None) -> tuple[Decimal | None, ...]:
    """A month's saving and its interval, in USD; None of days too few to have one."""
    if compared is None or credited is None or not isfinite(credited.low):
        return None, None, None
    months = MONTH_DAYS / len(compared.days_after)
    bounds = (Fraction(-bound) * months for bound in (credited.high, credited.low))
    return money(-credited.effect * months), *(money(bound) for bound in bounds)


def _verdict(claimed: Decimal, realised: tuple[Decimal | None, ...], reason: str | None) -> tuple[str, str | None]:
    _, low, high = realised
    if reason is not None or low is None or high is None:
        return "undecided", reason
    if high < 0:
        return "dearer", None
    if low <= 0:
        return ("not_found", None) if high < claimed else ("undecided", "too_noisy")
    return ("less" if high < claimed else "more" if low > claimed else "confirmed"), None
