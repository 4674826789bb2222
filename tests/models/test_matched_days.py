"""Before and after a change: parts worked out by hand, an interval that holds the truth, and no success out of noise."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from models.matched_days import Comparison, Line, compare, effect
from models.old_prices import Priced, price_changes
from models.registered_changes import DIFFERENCE, Change, Told, Touched
from models.verified_savings import verified_row

ON = date(2026, 9, 29)  # a Tuesday
BEFORE = [ON - timedelta(days=number) for number in range(28, 0, -1)]
AFTER = [ON + timedelta(days=number) for number in range(1, 29)]
CHANGE = Change("cache", "Caching on", ON, Touched(feature="chat"), Decimal(100))
F = Fraction
WORLDS = 100  # a few seconds; the same figures came of 400


def line(day: date, requests: int, cost: str, cell: str = "chat", old: str | None = None) -> Line:
    return Line(day, cell, requests, F(cost), F(old or cost))


def compared(lines: Sequence[Line]) -> Comparison:
    found = compare(lines, BEFORE, AFTER)
    assert found is not None
    return found


def test_volume_mix_price_and_effect_are_the_whole_difference() -> None:
    """28 days of 10 chats at 1 and 10 mails at 3, then of 30 at 0.80 and 10 at 3.30, of which 0.30 is a new price."""
    before = [line(day, 10, cost, cell) for day in BEFORE for cell, cost in (("chat", "10"), ("mail", "30"))]
    after = [row for day in AFTER for row in (line(day, 30, "24", "chat"), line(day, 10, "33", "mail", old="30"))]
    found = compared([*before, *after])
    assert (found.before, found.after) == (28 * 40, 28 * 57)
    assert (found.requests_before, found.requests_after) == (28 * 20, 28 * 40)
    assert found.volume == 28 * 40  # twice the requests at a mean of 2
    assert found.mix == 28 * (30 + 30 - 80)  # at their own costs these are 60 a day, not 80
    assert found.price == 28 * 3
    credited = effect(found)
    assert credited is not None
    assert (credited.effect, credited.drift) == (28 * -6, 0)
    assert found.volume + found.mix + found.price + credited.effect == found.after - found.before
    assert (credited.low, credited.high) == (28 * -6, 28 * -6)  # each day is like the other


def test_a_monday_is_held_against_mondays() -> None:
    """Mondays cost 5 a request and other days 1: more Mondays after are no dearer requests."""

    def week(days: Sequence[date]) -> Iterator[Line]:
        return (line(day, 10, "50" if day.weekday() == 0 else "10") for day in days)

    sixteen = AFTER[:16]
    found = compare([*week(BEFORE), *week(sixteen)], BEFORE, sixteen)
    assert found is not None
    assert found.before == found.after
    assert (found.volume, found.mix, found.price, found.expected - found.actual) == (0, 0, 0, 0)


def test_what_the_control_did_as_well_is_drift() -> None:
    """The control became a tenth dearer; at 8 for expected 11 the change saved 3 a day, not 2."""
    own = compared([*(line(day, 10, "10") for day in BEFORE), *(line(day, 10, "8") for day in AFTER)])
    other = compared([*(line(day, 5, "20") for day in BEFORE), *(line(day, 10, "44") for day in AFTER)])
    credited = effect(own, other)
    assert credited is not None
    assert (credited.effect, credited.drift) == (28 * -3, 28)


def test_a_kind_of_requests_that_is_new_is_mix() -> None:
    lines = [*(line(day, 10, "10") for day in BEFORE), *(line(day, 10, "90", "new") for day in AFTER)]
    found = compared(lines)
    assert (found.mix, found.actual - found.expected) == (28 * 80, 0)


def test_nothing_asked_on_one_side_is_no_comparison() -> None:
    assert compare([line(day, 10, "10") for day in BEFORE], BEFORE, AFTER) is None


def test_a_tokens_price_is_held_against_the_last_before_the_change() -> None:
    """Of 30 tokens a day later 10 became dearer by 2; a band without an old price has none to be held against."""

    def priced(day: date, price: str, tokens: int, band: int = 0) -> Priced:
        return Priced(f"{day} 12", day, ("p", "m", "default", ""), band, "output_text", Decimal(price), tokens)

    early, late = ON - timedelta(days=9), ON - timedelta(days=1)
    later = ON + timedelta(days=1)
    lines = [priced(early, "4", 5), priced(late, "3", 5), priced(later, "5", 10), priced(later, "9", 20, band=200_000)]
    assert price_changes(lines, ON) == {
        (early, ("p", "m", "default", ""), "output_text"): 1,
        (later, ("p", "m", "default", ""), "output_text"): F(20, 30),
    }


def drawn(seed: int, saved: float, alike: float = 0.0, noise: float = 0.1, shock: float = 0.0) -> list[list[Line]]:
    """A change and a control with a known answer: two kinds, dear weekends, noise alike from day to day.

    `shock` is noise that both have on a day.
    """
    draws = np.random.default_rng(seed)
    days = [*BEFORE, *AFTER]

    def noisy(size: float) -> list[float]:
        steps = draws.normal(size=len(days)) * size
        found = [steps[0]]
        for step in steps[1:]:
            found.append(alike * found[-1] + step * np.sqrt(1 - alike**2))
        return found

    both = noisy(shock)
    found: list[list[Line]] = []
    for part in (1 - saved, 1.0):
        lines: list[Line] = []
        for cell, each in (("chat", 0.01), ("mail", 0.03)):
            for day, own, common, count in zip(days, noisy(noise), both, draws.poisson(500, len(days)), strict=True):
                cost = (
                    count * each * (1.3 if day.weekday() > 4 else 1) * np.exp(own + common) * (part if day > ON else 1)
                )
                lines.append(line(day, int(count), f"{cost:.9f}", cell))
        found.append(lines)
    return found


@pytest.mark.parametrize(
    ("kind", "least"),
    [({}, 0.93), ({"alike": 0.5}, 0.90), ({"noise": 0.4}, 0.92), ({"shock": 0.3, "control": True}, 0.92)],
)
def test_the_interval_holds_the_truth_and_noise_is_no_success(kind: dict[str, float], least: float) -> None:
    """Worlds in which nothing was changed: the truth is nothing."""
    settings = {name: value for name, value in kind.items() if name != "control"}
    held = passed = 0
    for seed in range(WORLDS):
        own, other = (compared(lines) for lines in drawn(seed, 0.0, **settings))
        credited = effect(own, other if "control" in kind else None)
        assert credited is not None
        held += credited.low <= 0 <= credited.high
        passed += credited.high < 0
    assert held / WORLDS >= least
    assert passed / WORLDS <= 0.05


def test_a_saving_that_is_there_is_found_and_measured() -> None:
    """A fifth less: about 28 days x 500 requests x (0.01 + 0.03) x 1.0857 (weekends) x exp(0.005) x 0.2."""
    truth = -28 * 500 * 0.04 * (1 + 0.3 * 2 / 7) * np.exp(0.1**2 / 2) * 0.2
    held = 0
    for seed in range(40):
        credited = effect(compared(drawn(seed, 0.2)[0]))
        assert credited is not None
        assert credited.high < 0
        held += credited.low <= truth <= credited.high
    assert held >= 36


def told(*others: Change, settled: date = AFTER[-1]) -> Told:
    days = frozenset(ON + timedelta(days=number) for number in range(-40, 41))
    return Told(settled, days, (CHANGE, *others))


def judged(saved: float, claimed: int, known: Told | None = None, unpriced: int = 0) -> tuple[object, object]:
    change = replace(CHANGE, claimed_usd=Decimal(claimed))
    row = verified_row(change, known or told(), drawn(1, saved)[0], [], (1000, unpriced))
    return row["verdict"], row["reason"]


def test_what_came_is_held_against_what_was_claimed() -> None:
    """A fifth of about 660 a month is 132."""
    assert judged(0.2, 130) == ("confirmed", None)
    assert judged(0.2, 400) == ("less", None)
    assert judged(0.2, 20) == ("more", None)
    assert judged(-0.3, 100) == ("dearer", None)
    assert judged(0.0, 400) == ("not_found", None)
    assert judged(0.0, 5) == ("undecided", "too_noisy")


def test_where_days_do_not_suffice_it_says_so() -> None:
    assert judged(0.2, 130, told(settled=ON + timedelta(days=13))) == ("undecided", "too_few_days_after")
    assert judged(0.2, 130, told(settled=ON + timedelta(days=14)))[1] is None
    few = replace(told(), days=frozenset([*BEFORE[8:], *AFTER]))
    assert judged(0.2, 130, few) == ("undecided", "too_few_days_before")
    assert judged(0.2, 130, replace(few, days=frozenset([*BEFORE[7:], *AFTER])))[1] is None
    assert judged(0.2, 130, unpriced=11) == ("undecided", "unpriced")
    assert judged(0.2, 130, unpriced=10)[1] is None
    assert verified_row(CHANGE, told(), [], [], (0, 0))["reason"] == "no_requests"
    assert verified_row(CHANGE, Told(None, frozenset()), [], [], (0, 0))["reason"] == "too_few_days_before"


def test_days_on_which_nothing_was_asked_are_no_days() -> None:
    """The house was told of every day, the change of 20 before and 28 after; then of 28 and of 13."""
    full = drawn(1, 0.2)[0]
    few = [one for one in full if one.day not in BEFORE[:8]]
    assert verified_row(CHANGE, told(), few, [], (1000, 0))["reason"] == "too_few_days_before"
    short = [one for one in full if one.day not in AFTER[13:]]
    row = verified_row(CHANGE, told(), short, [], (1000, 0))
    assert (row["reason"], row["after_day_count"]) == ("too_few_days_after", 13)
    with_control = replace(CHANGE, method=DIFFERENCE, control=Touched(feature="mail"))
    assert verified_row(with_control, told(), full, few, (1000, 0))["reason"] == "too_few_days_before"


def test_silent_days_make_nothing_surer() -> None:
    """Asked on Mondays to Fridays alone: the weekends' nothing is no residual of nothing."""
    full = [one for one in drawn(1, 0.2)[0] if one.day.weekday() < 5]
    working = [[day for day in days if day.weekday() < 5] for days in (BEFORE, AFTER)]
    all_days, days_asked = compare(full, BEFORE, AFTER), compare(full, *working)
    assert all_days is not None
    assert days_asked is not None
    assert effect(all_days) == effect(days_asked)


def test_a_control_that_was_to_cost_nothing_before_decides_nothing() -> None:
    """Free in the first half of the days before: what moved then cannot be told."""
    change = replace(CHANGE, method=DIFFERENCE, control=Touched(feature="mail"))
    own, control = drawn(1, 0.2)
    free = [replace(one, cost=F(0), cost_at_old_prices=F(0)) if one.day < BEFORE[14] else one for one in control]
    row = verified_row(change, told(), own, free, (1000, 0))
    assert (row["verdict"], row["reason"]) == ("undecided", "too_few_days_before")


def test_what_was_held_against_nothing_decides_nothing() -> None:
    """A new kind of requests at 9 each, beside the old: at 40 of 100 of the cost it is mix, at 60 all is open."""

    def asked(old: int, new: int) -> list[Line]:
        before = [line(day, 100, f"{100 + number * 7 % 5}") for number, day in enumerate(BEFORE)]
        after = [line(day, old, f"{old * 7 // 10 + number * 7 % 5}") for number, day in enumerate(AFTER) if old]
        return [*before, *after, *(line(day, new, str(new), "new") for day in AFTER)]

    assert verified_row(CHANGE, told(), asked(100, 50), [], (1000, 0))["reason"] is None
    row = verified_row(CHANGE, told(), asked(100, 110), [], (1000, 0))
    assert (row["verdict"], row["reason"]) == ("undecided", "nothing_alike")
    row = verified_row(CHANGE, told(), asked(0, 110), [], (1000, 0))
    assert (row["verdict"], row["reason"], row["realised_saving_usd"]) == ("undecided", "nothing_alike", None)
    # of a control of new kinds as well
    change = replace(CHANGE, method=DIFFERENCE, control=Touched(feature="mail"))
    row = verified_row(change, told(), asked(100, 50), asked(100, 110), (1000, 0))
    assert (row["verdict"], row["reason"]) == ("undecided", "nothing_alike")


def test_another_change_to_the_same_requests_leaves_it_open() -> None:
    other = replace(CHANGE, change_id="routing", switched_on=AFTER[3])
    assert judged(0.2, 130, told(other)) == ("undecided", "another_change")
    assert judged(0.2, 130, told(replace(other, touched=Touched(feature="mail"))))[1] is None
    assert judged(0.2, 130, told(replace(other, switched_on=AFTER[-1] + timedelta(days=1))))[1] is None
    # what another team does to whatever feature may touch it
    assert judged(0.2, 130, told(replace(other, touched=Touched(team_id="a")))) == ("undecided", "another_change")
    # an alias and a hash may be of one key
    assert Touched(feature="chat", key="search").may_meet(Touched(key="88dc28"))
    assert not Touched(feature="chat", key="search").may_meet(Touched(feature="mail", key="search"))


def test_what_was_moving_before_is_no_proof() -> None:
    """What became a fifth cheaper two weeks before the change saves nothing by it, however sure the days are."""
    known = told(settled=AFTER[17])
    days = [*BEFORE, ON, *AFTER[:18]]
    lines = [line(day, 100, f"{100 if day < BEFORE[14] else 80}.{number * 7 % 10}") for number, day in enumerate(days)]
    credited = effect(compared(lines))
    assert credited is not None
    assert credited.high < 0
    row = verified_row(CHANGE, known, lines, [], (1000, 0))
    assert (row["verdict"], row["reason"]) == ("undecided", "moved_before")
    # a control that did the same tells that it was not the change
    control = replace(CHANGE, method=DIFFERENCE, control=Touched(feature="mail"))
    near = [line(one.day, 50, f"{one.cost / 2 + F(number * 3 % 10, 20)}", "k") for number, one in enumerate(lines)]
    row = verified_row(control, known, lines, near, (1000, 0))
    assert (row["verdict"], row["reason"]) == ("not_found", None)


def test_a_trend_that_goes_on_widens_the_interval() -> None:
    lines = [line(day, 100, f"{100 - 2 * number}") for number, day in enumerate([*BEFORE, ON, *AFTER[:18]])]
    row = verified_row(CHANGE, told(settled=AFTER[17]), lines, [], (1000, 0))
    assert (row["verdict"], row["reason"]) == ("undecided", "too_noisy")


def test_halves_before_that_cannot_be_told_apart_prove_nothing() -> None:
    """A third less, beyond any doubt; but of the days before one half says nothing of the other.

    An interval without end holds nothing as well, and is no sign that nothing moved.
    """

    def after(*cells: str) -> list[Line]:
        return [line(day, 100, f"{70 + number * 7 % 5}", cell) for cell in cells for number, day in enumerate(AFTER)]

    replaced = [line(day, 100, f"{100 + number * 7 % 5}", "ab"[number // 14]) for number, day in enumerate(BEFORE)]
    credited = effect(compared([*replaced, *after("b")]))
    assert credited is not None
    assert credited.high < 0
    row = verified_row(CHANGE, told(), [*replaced, *after("b")], [], (1000, 0))
    assert (row["verdict"], row["reason"]) == ("undecided", "moved_before")
    # a week of the second half is like the first, and cheap new requests follow: each weekday once has no residual
    ending = [
        line(day, 100, str((10 if number > 20 else 100) + number * 7 % 5), "b" if number > 20 else "a")
        for number, day in enumerate(BEFORE)
    ]
    row = verified_row(CHANGE, told(), [*ending, *after("a")], [], (1000, 0))
    assert (row["verdict"], row["reason"]) == ("undecided", "too_few_days_before")
    # and as long as both halves have both, it is proven
    mixed = [line(day, 100, f"{100 + number * 7 % 5}", cell) for cell in "ab" for number, day in enumerate(BEFORE)]
    row = verified_row(CHANGE, told(), [*mixed, *after("a", "b")], [], (1000, 0))
    assert row["reason"] is None
    assert row["verdict"] == "more"
