"""What made a story: the parts of its difference in money, and the name of the cause where the parts show one.

The days of a story are compared with the same weekdays of the four weeks before it. Thresholds are starting points
without a published source: a cause is named only where one part carries most of the difference.

Here belongs: names, evidence and runbook lines. Here does not belong: the decompositions themselves (`root_cause`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from models.anomaly_billed import GPU_COST, MOST_OF_IT, NOT_LOGGED, billed_cause, billed_change
from models.anomaly_comparison import MEASURES, Names, compared, contributors_of, lines_of, sums_of
from models.anomaly_series import LEVELS
from models.anomaly_stories import Told
from models.root_cause import PriceVolumeMix, price_volume_mix

ONE_KEY = Decimal("0.67")
LOOP_TIMES = 3
CACHE_FALL = Decimal("0.2")
SAME_MIX = Decimal("0.05")

RUNBOOK: Mapping[str, str] = {
    "key_leak": "Rotate the key, then ask its owner whether the new feature or environment is theirs.",
    "new_model": "Ask the team whether the model was meant to go live, and what a budget for it is.",
    "cache_collapse": "Look for a change at the start of the prompt: what is cached must come first and stay the same.",
    "price_change": "Compare the price with the provider's list and the contract; correct the price book or the route.",
    "runaway_loop": "Stop the job or cap the key's budget, then look for a retry or an agent without a step limit.",
    "longer_requests": "Look at what was added to the prompt or the context, and cap the length of answers.",
    "burn_without_outcomes": "Ask who serves the outcome whether it is broken, and whether its events still arrive; "
    "stop what runs for nothing.",
    "more_requests": "Ask whether the traffic is wanted: a launch is a new forecast, a crawler is a limit to set.",
    GPU_COST: "Ask who holds the GPUs and whether they work (idle_gpu_holders), then whether their price changed.",
    NOT_LOGGED: "Look on the bill for capacity, a fee or a service that is new, and for traffic past the gateway.",
}
"""What to do first, by cause."""

_BILL_DIMENSIONS = ("provider_name", "service_name", "model_id", "feature", "cost_kind")
_LOG_DIMENSIONS = ("provider_id", "model_id", "key_id", "feature", "environment")
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Cause:
    """`parts` are volume, mix and price of what was logged; None where nothing was. `contributors` is JSON text."""

    name: str | None
    evidence: str | None
    runbook: str | None
    contributors: str
    parts: tuple[Decimal | None, Decimal | None, Decimal | None]


def cause_of(told: Told, billed: pl.DataFrame, logged: pl.DataFrame) -> Cause:
    """Why a story cost what it did.

    What the log shows is the cause of what was billed only where it carries most of that: a little more traffic beside
    a month's purchase is not why the month was dear.

    Args:
        told: the event that heads the story.
        billed: settled days of what was billed, as `anomalies` takes it.
        logged: likewise of what was logged.
    """
    traffic = compared(told, logged, MEASURES)
    lines = traffic if told.metric != "cost" else compared(told, billed, ("cost_units",))
    dimensions = _LOG_DIMENSIONS if told.metric != "cost" else _BILL_DIMENSIONS
    if "account" not in LEVELS[told.level]:
        dimensions = ("account", *dimensions)
    contributors = contributors_of(lines, dimensions)
    parts = _parts(traffic)
    change = None if parts is None else parts.volume_cost + parts.mix_cost + parts.price_cost
    named: tuple[str, str] | None = None
    if told.metric == "cost" and (change is None or change < MOST_OF_IT * billed_change(lines)):
        named = billed_cause(lines, change)
    elif parts is not None:
        story = _Story(traffic, parts)
        named = next(((name, text) for name, test in _TESTS.items() if (text := test(story))), None)
    name, evidence = named or (None, None)
    split = (None, None, None) if parts is None else (parts.volume_cost, parts.mix_cost, parts.price_cost)
    return Cause(name, evidence, RUNBOOK[name] if name else None, contributors, split)


def _parts(traffic: pl.DataFrame) -> PriceVolumeMix | None:
    """Of what was logged; None where nothing was on the story's days, or nothing is known to compare it with."""
    if traffic.is_empty() or not traffic["tokens_after"].sum():
        return None
    return price_volume_mix(lines_of(traffic, "before"), lines_of(traffic, "after"))


@dataclass(frozen=True)
class _Story:
    rows: pl.DataFrame
    parts: PriceVolumeMix

    @property
    def change(self) -> Decimal:
        return self.parts.volume_cost + self.parts.mix_cost + self.parts.price_cost

    def totals(self, measure: str) -> tuple[Decimal, Decimal]:
        """Before and after, of all rows."""
        pairs = self.sums([], measure)
        return pairs[("",)] if pairs else (_ZERO, _ZERO)

    def sums(self, by: Sequence[str], measure: str) -> dict[Names, tuple[Decimal, Decimal]]:
        """Before and after by names."""
        return sums_of(self.rows.with_columns(everything=pl.lit("")), by or ["everything"], measure)


def _key_leak(story: _Story) -> str | None:
    """One known key carries most of it, under a feature or an environment that it never had."""
    (key,), before, after = _largest(story.sums(["key_id"], "cost_units"))
    if story.change <= 0 or after - before < ONE_KEY * story.change or not key or not before:
        return None
    own = _Story(story.rows.filter(pl.col("key_id") == key), story.parts)
    places = own.sums(["feature", "environment"], "cost_units")
    requests = own.sums(["feature", "environment"], "request_count")
    strange = sum((costs[1] for place, costs in places.items() if not requests[place][0]), _ZERO)
    if strange < MOST_OF_IT * (after - before):
        return None
    return f"Key {key} cost {after - before:,.2f} more, {strange:,.2f} of it where it was never used before."


def _new_model(story: _Story) -> str | None:
    """A model that was not used before carries most of it."""
    tokens = story.sums(["provider_id", "model_id"], "tokens")
    costs = story.sums(["provider_id", "model_id"], "cost_units")
    fresh = {model: cost for model, cost in costs.items() if not tokens[model][0]}
    if not fresh or story.change <= 0:
        return None
    model, _, after = _largest(fresh)
    if after < MOST_OF_IT * story.change:
        return None
    return f"{' '.join(filter(None, model))} was not seen in the four weeks before, and cost {after:,.2f}."


def _cache_collapse(story: _Story) -> str | None:
    """Tokens became dearer, and fewer of them came from the cache."""
    old, new = _shares(story, "cache_read_tokens")
    if not _is_dearer(story) or old - new < CACHE_FALL:
        return None
    dearer = f"dearer tokens cost {story.parts.price_cost:,.2f}"
    return f"{new:.0%} of tokens came from the cache instead of {old:.0%}; {dearer}."


def _price_change(story: _Story) -> str | None:
    """Tokens became dearer, and neither the cache nor the length of answers says why."""
    moved = [abs(new - old) for old, new in (_shares(story, "cache_read_tokens"), _shares(story, "output_tokens"))]
    if not _is_dearer(story) or max(moved) > SAME_MIX:
        return None
    return f"The same tokens of the same models cost {story.parts.price_cost:,.2f} more."


def _runaway_loop(story: _Story) -> str | None:
    """One key carries most of it, with several times its requests or its tokens for each of them."""
    (key,), before, after = _largest(story.sums(["key_id"], "cost_units"))
    if story.change <= 0 or after - before < ONE_KEY * story.change or not key:
        return None
    own = _Story(story.rows.filter(pl.col("key_id") == key), story.parts)
    requests, tokens = own.totals("request_count"), own.totals("tokens")
    if not requests[0] or not tokens[0] or not requests[1]:
        return None
    times, longer = requests[1] / requests[0], (tokens[1] / requests[1]) / (tokens[0] / requests[0])
    if max(times, longer) < LOOP_TIMES:
        return None
    return f"Key {key} made {times:.1f} times its requests, with {longer:.1f} times the tokens in each."


def _longer_requests(story: _Story) -> str | None:
    """Most of it is what requests grew by."""
    requests, tokens, costs = (story.totals(name) for name in ("request_count", "tokens", "cost_units"))
    if story.change <= 0 or not (requests[0] and requests[1] and tokens[0]):
        return None
    old, new = tokens[0] / requests[0], tokens[1] / requests[1]
    grown = (new - old) * requests[1] * costs[0] / tokens[0]
    return f"{new:,.0f} tokens a request instead of {old:,.0f}." if grown >= MOST_OF_IT * story.change else None


def _more_requests(story: _Story) -> str | None:
    """Most of it is volume."""
    requests = story.totals("request_count")
    if story.change <= 0 or story.parts.volume_cost < MOST_OF_IT * story.change:
        return None
    return f"{requests[1]:,.0f} requests instead of {requests[0]:,.0f}."


_TESTS: Mapping[str, Callable[[_Story], str | None]] = {
    "key_leak": _key_leak,
    "new_model": _new_model,
    "cache_collapse": _cache_collapse,
    "price_change": _price_change,
    "runaway_loop": _runaway_loop,
    "longer_requests": _longer_requests,
    "more_requests": _more_requests,
}
"""In the order in which they are asked: the first that holds is the cause."""


def _largest(pairs: Mapping[Names, tuple[Decimal, Decimal]]) -> tuple[Names, Decimal, Decimal]:
    """The names with the largest rise, and what it was before and after."""
    names, (before, after) = max(pairs.items(), key=lambda pair: (pair[1][1] - pair[1][0], pair[0]))
    return names, before, after


def _is_dearer(story: _Story) -> bool:
    return story.change > 0 and story.parts.price_cost >= MOST_OF_IT * story.change


def _shares(story: _Story, measure: str) -> tuple[Decimal, Decimal]:
    """A measure's share of tokens, before and after."""
    parts, tokens = story.totals(measure), story.totals("tokens")
    before, after = (part / whole if whole else _ZERO for part, whole in zip(parts, tokens, strict=True))
    return before, after
