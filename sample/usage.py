"""The true use of every model: who used how many tokens on which day, by the company's own owner rules.

Here belongs: owners of requests, tokens and list costs, added up. Here does not belong: what a bill asks for them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sample.company import OUTPUT_CLASSES, OWNERS, POOL_WEIGHTS, SELF_HOSTED, Match, Workload
from sample.traffic import Request

UNOWNED_USAGE = "residual:unowned_usage"
PICO = 12


class Holder(NamedTuple):
    """Who is charged: an account, and the feature within it."""

    account: str
    feature: str


class Used(NamedTuple):
    """A model on a day."""

    day: date
    provider: str
    model: str


@dataclass
class Tally:
    """Counts of one account over the month. Tokens of cache hits are not counted: nobody was paid for them."""

    request_count: int = 0
    failure_count: int = 0
    cache_hit_count: int = 0
    tokens: Counter[str] = field(default_factory=Counter[str])
    list_cost_usd: Decimal = Decimal(0)


@dataclass(frozen=True)
class Usage:
    """All use: tokens and list cost (in 1e-12 USD) of each holder by model and day, and a tally by account."""

    tokens: Mapping[Used, Mapping[Holder, Counter[str]]]
    cost_units: Mapping[Used, Counter[Holder]]
    tallies: Mapping[str, Tally]

    def class_weights(self, used: Used, token_class: str) -> Counter[Holder]:
        """Tokens of a class by holder. A bill's output includes reasoning."""
        classes = OUTPUT_CLASSES if token_class == "output_text" else [token_class]  # noqa: S105
        return self._weights(used, dict.fromkeys(classes, 1))

    def model_cost_weights(self, used: Used) -> Counter[Holder]:
        """List cost of a model by holder."""
        return self.cost_units.get(used, Counter())

    def provider_cost_weights(self, used: Used) -> Counter[Holder]:
        """List cost of everything from the provider that day by holder."""
        found: Counter[Holder] = Counter()
        for other, costs in self.cost_units.items():
            if (other.day, other.provider) == (used.day, used.provider):
                found.update(costs)
        return found

    def pool_weights(self, day: date) -> Counter[Holder]:
        """Weighted tokens of the self-hosted model by holder."""
        return self._weights(Used(day, "hosted_vllm", SELF_HOSTED), POOL_WEIGHTS)

    def _weights(self, used: Used, token_weights: Mapping[str, int]) -> Counter[Holder]:
        return Counter(
            {
                holder: sum(tokens[token_class] * weight for token_class, weight in token_weights.items())
                for holder, tokens in self.tokens.get(used, {}).items()
            }
        )


def owner_of(matches: Iterable[Match], day: date) -> str | None:
    """The account of the first rule that holds on `day` and compares equal to one of `matches`."""
    wanted = set(matches)
    return next((rule.account for rule in OWNERS if rule.match in wanted and rule.holds(day)), None)


def _matches(workload: Workload) -> Iterator[Match]:
    yield Match("gateway_key", workload.key_alias)
    yield Match("feature", workload.feature)
    if workload.team_id:
        yield Match("gateway_team", f"team-{workload.team_id}")


def tally_usage(traffic: Mapping[date, Sequence[Request]]) -> Usage:
    """Adds up the month."""
    tokens: dict[Used, dict[Holder, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    cost_units: dict[Used, Counter[Holder]] = defaultdict(Counter)
    tallies: dict[str, Tally] = defaultdict(Tally)
    for day, requests in traffic.items():
        for request in requests:
            workload = request.workload
            holder = Holder(owner_of(_matches(workload), day) or UNOWNED_USAGE, workload.feature)
            tally = tallies[holder.account]
            tally.request_count += 1
            tally.failure_count += request.status == "failure"
            tally.cache_hit_count += request.is_cache_hit
            if not request.is_billed:
                continue
            used = Used(day, request.model.provider, request.model.name)
            tokens[used][holder].update(request.tokens)
            tally.tokens.update(request.tokens)
            costs = request.list_costs()
            if costs is not None:
                cost = sum(costs.values(), Decimal(0))
                cost_units[used][holder] += int(cost.scaleb(PICO))
                tally.list_cost_usd += cost
    return Usage(tokens, cost_units, tallies)
