"""One engine's counters over a day, put together by interval: what each counted, what was seen, what was covered.

Here belongs: arithmetic of one subject. Here does not belong: how readings came, and the fact's columns.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from connectors.serving.rises import History, Rise, rises, shares
from connectors.serving.series import Chain

_GAUGES = ("running_requests", "waiting_requests", "kv_cache_ratio")
_MOST_FIRST_TOKENS, _MOST_FIRST = 1_000_000, 10_000  # of a counter that comes into sight with its first events
_FASTER = 3
_CACHED_SOURCES = frozenset({"local_cache_hit", "external_kv_transfer"})


@dataclass
class Interval:
    """What is known of one interval. A counter that is absent from `counts` was not there."""

    counts: dict[str, float] = field(default_factory=dict[str, float])
    highest: dict[str, float] = field(default_factory=dict[str, float])
    restarts: set[int] = field(default_factory=set[int])
    covered_ms: int = 0
    sample_count: int = 0
    is_shared: bool = False

    @property
    def says_something(self) -> bool:
        """Whether it rests on more than one sample that begins it: such a one ends the interval before."""
        return self.covered_ms > 0 or bool(self.restarts) or any(self.counts.values())


@dataclass(frozen=True)
class Span:
    """The day and the length of its intervals, in milliseconds."""

    start: int
    end: int
    length: int
    gap: int

    def holds(self, beginning: int) -> bool:
        """Whether an interval that begins then is the day's."""
        return self.start <= beginning < self.end


@dataclass(frozen=True)
class Known:
    """A counter's rises, and for which time it is known; `since` is 0 where it is known to have been zero before.

    `is_old`: it came into sight late, and had counted before.
    """

    rises: list[Rise]
    since: int
    until: int
    is_old: bool


def intervals_of(found: Mapping[str, Sequence[Chain]], history: History, span: Span) -> tuple[dict[int, Interval], int]:
    """The intervals in which anything is known of the engine, by their first millisecond.

    Beside them how many counters came into sight late and had counted before.
    """
    gathered = dict[int, Interval]()
    instants = sorted({instant for chains in found.values() for chain in chains for instant in chain.points})
    _cover(gathered, _with_starts(instants, history, span), span)
    for instant in instants:
        if span.holds(beginning := instant // span.length * span.length):
            gathered.setdefault(beginning, Interval()).sample_count += 1
    begun = {chain.variant for chains in found.values() for chain in chains if chain.first == instants[0]}
    counted = dict[str, list[Known]]()
    for counts, chains in found.items():
        for chain in chains:
            for name in _names(counts, chain):
                counted.setdefault(name, []).append(_known(name, chain, history, begun))
    for name, known in counted.items():
        _count(gathered, name, known, span)
    for name, known in counted.items():
        _stand_still(gathered, name, known, span)
    for name in _GAUGES:
        _see(gathered, name, found.get(name, ()), span)
    old_count = sum(one.is_old for known in counted.values() for one in known)
    return {beginning: interval for beginning, interval in gathered.items() if interval.says_something}, old_count


def _names(counts: str, chain: Chain) -> Iterable[str]:
    """The columns that a counter counts for: its own, and that of its kind of request or source of tokens."""
    labels = dict(chain.counted)
    if counts == "finished_requests":
        yield counts
        if "finished_reason" in labels or "reason" in labels:
            yield "told_aborted_requests"
            if labels.get("finished_reason") == "abort" or labels.get("reason") == "CANCELED":
                yield "aborted_requests"
    elif counts == "tokens_by_source":
        yield "all_tokens_by_source"
        if labels.get("source") in _CACHED_SOURCES:
            yield "cached_tokens_by_source"
    elif counts == "realtime_tokens":
        yield f"realtime_{labels.get('mode', '')}_tokens"
    elif counts not in _GAUGES:
        yield counts


def _known(name: str, chain: Chain, history: History, begun: set[tuple[tuple[str, str], ...]]) -> Known:
    """A counter that comes later than its process began at zero, unless only its labels are new, or it is too high."""
    before = None
    if chain.variant in begun and (earlier := bisect_left(history.instants, chain.first)):
        before = history.instants[earlier - 1]
    is_old = before is not None and not _may_be_young(name, chain, chain.first - before)
    found = rises(chain.points, history, None if is_old else before)
    since = min(found[0].start, chain.first) if found else chain.first
    return Known(found, since if before is None or is_old else 0, chain.last, is_old)


def _may_be_young(name: str, chain: Chain, milliseconds: int) -> bool:
    """Whether a first value can have been counted in that time: little, or no faster than later on.

    A counter that a scraper had left out until now stands at what an engine counted in its life.
    """
    value = chain.points[chain.first]
    if value <= (_MOST_FIRST_TOKENS if name.endswith("_tokens") else _MOST_FIRST):
        return True
    rates = ((high - low) / (end - start) for (start, low), (end, high) in pairwise(chain.points.items()))
    return value <= _FASTER * max(rates, default=0.0) * milliseconds


def _count(gathered: dict[int, Interval], name: str, known: Sequence[Known], span: Span) -> None:
    for one in known:
        for rise in one.rises:
            pieces = list(shares(rise, span.length))
            for beginning, amount in pieces:
                if not span.holds(beginning) or (not amount and beginning not in gathered):
                    continue
                interval = gathered.setdefault(beginning, Interval())
                interval.counts[name] = interval.counts.get(name, 0.0) + amount
                interval.is_shared |= len(pieces) > 1 and rise.amount > 0
            if rise.restart is not None:
                beginning = max(rise.restart - 1, 0) // span.length * span.length
                if span.holds(beginning):
                    gathered.setdefault(beginning, Interval()).restarts.add(rise.restart)


def _stand_still(gathered: Mapping[int, Interval], name: str, known: Sequence[Known], span: Span) -> None:
    """A counter that was there and did not rise counted nothing, which is not unknown."""
    for beginning, interval in gathered.items():
        if any(one.since < beginning + span.length and one.until > beginning for one in known):
            interval.counts.setdefault(name, 0.0)


def _see(gathered: dict[int, Interval], name: str, chains: Iterable[Chain], span: Span) -> None:
    """The highest value of a gauge at one instant; what stands apart by labels is summed."""
    at = dict[int, float]()
    for chain in chains:
        for instant, value in chain.points.items():
            at[instant] = at.get(instant, 0.0) + value
    for instant, value in at.items():
        if span.holds(beginning := instant // span.length * span.length):
            highest = gathered.setdefault(beginning, Interval()).highest
            highest[name] = max(highest.get(name, value), value)


def _with_starts(instants: list[int], history: History, span: Span) -> list[int]:
    """The instants, and the process's start before the first: it had counted nothing then."""
    started = history.starts.get(instants[0])
    if started is not None and started >= history.since and 0 < instants[0] - started <= span.gap:
        return [started, *instants]
    return instants


def _cover(gathered: dict[int, Interval], instants: Sequence[int], span: Span) -> None:
    for start, end in pairwise(instants):
        if end - start > span.gap:
            continue
        for beginning in range(start // span.length * span.length, end, span.length):
            if span.holds(beginning):
                inside = min(end, beginning + span.length) - max(start, beginning)
                gathered.setdefault(beginning, Interval()).covered_ms += inside
