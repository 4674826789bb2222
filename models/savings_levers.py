"""The levers of `savings`: what each does, in which order, how sure its figure is, and where its evidence lies.

Shares of success are assumptions of this house, not findings: from the part that is sure to be had by whoever acts on
the evidence to all of it. Between the bounds any share counts as likely.

Confidence: A, arithmetic on observed rows; B, observed rows and an assumption about what else would have happened; C,
nothing is known without a test of quality.

Here belongs: the list. Here does not belong: figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from models.waterfall import Lever

STEPS = ("eliminate", "shrink", "reroute", "cache", "batch", "commit")
"""The order in which levers act: what need not be is neither made smaller nor bought for less."""

_REQUESTS = "select * from avoidable_requests where {sign} and {month} and {team}"
_SHAPES = "select * from request_shapes where {month} and {team}"
_USAGE = "select * from usage_by_team_daily where not is_self_hosted and {month} and {team}"
_GPUS = "select * from gpu_waste where waste_layer = '{layer}' and {period} and account = '{account}'"


@dataclass(frozen=True)
class LeverKind:
    """A lever: its place in the waterfall, how sure it is, the share of success, and what was assumed."""

    name: str
    step: str
    confidence: str
    low: Fraction
    high: Fraction
    assumption: str
    evidence: str

    @property
    def lever(self) -> Lever:
        """As the waterfall takes it."""
        return Lever(self.name, self.low, self.high)


_NONE, _HALF, _ALL = Fraction(0), Fraction(1, 2), Fraction(1)

LEVERS = (
    LeverKind(
        "failed_attempts",
        "eliminate",
        "A",
        _HALF,
        _ALL,
        "Half to all of what was paid for failed attempts can be avoided: by limits, validation and fewer retries.",
        _REQUESTS.replace("{sign}", "is_failure"),
    ),
    LeverKind(
        "night_tests",
        "eliminate",
        "A",
        _NONE,
        _ALL,
        "None to all of the tests from 20:00 to 06:00 UTC can stop: some may be meant to run at night.",
        _REQUESTS.replace("{sign}", "is_night_test"),
    ),
    LeverKind(
        "zombie_keys",
        "eliminate",
        "A",
        _NONE,
        _ALL,
        "None to all of the calls with keys that no owner rule names can stop: somebody may need them and be unknown.",
        _USAGE + " and key_id <> ''",
    ),
    LeverKind(
        "unallocated_gpus",
        "eliminate",
        "A",
        _HALF,
        _ALL,
        "Half to all of the time on demand or spot that nobody held can be given back: some of it is room to scale.",
        _GPUS.replace("{layer}", "unallocated"),
    ),
    LeverKind(
        "idle_gpus",
        "eliminate",
        "A",
        _HALF,
        _ALL,
        "Half to all of the time on demand or spot that was held and idle can be given back.",
        _GPUS.replace("{layer}", "allocated_idle"),
    ),
    LeverKind(
        "output_cap",
        "shrink",
        "B",
        _NONE,
        _ALL,
        "None to all of the text beyond the length that 95 of 100 answers of the feature stay within can be cut off.",
        _SHAPES,
    ),
    LeverKind(
        "prompt_bloat",
        "shrink",
        "C",
        _NONE,
        _HALF,
        "None to half of the fresh input beyond the length that 95 of 100 prompts of the feature stay within can be "
        "left out: only a test of quality tells which.",
        _SHAPES,
    ),
    LeverKind(
        "long_context",
        "shrink",
        "C",
        _NONE,
        _HALF,
        "None to half of what the same tokens cost more in long contexts can be had at the price of short ones, by "
        "shorter or divided prompts: only a test of quality tells which.",
        _SHAPES,
    ),
    LeverKind(
        "quantisation",
        "shrink",
        "C",
        _NONE,
        _HALF,
        "None to half of the GPU time of own models can be had with half the GPUs, at 8 bits for 16: where memory "
        "holds them to so many, they are not at 8 bits yet, and a test of quality allows it.",
        "select * from gpu_waste where model_id <> '' and waste_layer in ('none', 'under_used') and {period} "
        "and account = '{account}'",
    ),
    LeverKind(
        "cheaper_place",
        "reroute",
        "B",
        _NONE,
        _ALL,
        "None to all of it can be asked of the provider or region where the company already pays less for the same "
        "model: not where data must stay, or where limits or speed forbid it.",
        _USAGE,
    ),
    LeverKind(
        "cheaper_model",
        "reroute",
        "C",
        _NONE,
        _HALF,
        "None to half of it can be answered by the cheapest other model that the team already uses for the feature, "
        "with as many tokens: only a test of quality tells which half.",
        _USAGE,
    ),
    LeverKind(
        "model_review",
        "reroute",
        "C",
        _NONE,
        _NONE,
        "Nothing: where one model alone answers a feature, what another would save is not known before a review, "
        "which is due once a quarter.",
        _USAGE,
    ),
    LeverKind(
        "exact_repeats",
        "cache",
        "B",
        _HALF,
        _ALL,
        "Half to all of the same prompts within the hour may be answered from a cache: not where answers should vary.",
        _REQUESTS.replace("{sign}", "is_repeat"),
    ),
    LeverKind(
        "prompt_cache",
        "cache",
        "B",
        _NONE,
        Fraction(9, 10),
        "None to nine tenths of what the replay saves: prompts of a feature may have less in common than the shortest "
        "of them, and providers forget sooner under load.",
        _SHAPES,
    ),
    LeverKind(
        "batch",
        "batch",
        "B",
        _HALF,
        _ALL,
        "Half to all of the calls of bunched jobs can wait a day for their answers.",
        _REQUESTS.replace("{sign}", "is_job"),
    ),
    LeverKind(
        "unused_commitments",
        "commit",
        "A",
        _NONE,
        _ALL,
        "None to all of it can be filled, exchanged or sold: it is paid until its term ends.",
        "select * from chargeback where cost_kind = 'unused_commitment' and cause is null and {period} "
        "and account = '{account}'",
    ),
    LeverKind(
        "commitments",
        "commit",
        "B",
        Fraction(1, 4),
        _ALL,
        "A quarter (the first step of the advice) to all of the advised level is bought; what is left on demand after "
        "the levers before it saves at the mean rate of the advice in its currency.",
        "select * from gpu_waste where purchase_option = 'on_demand' and {period} and account = '{account}'",
    ),
)
"""In the order of the waterfall."""

REASONS: Mapping[str, str] = {
    "spread_over_the_day": "jobs whose calls do not bunch: somebody may wait for them",
    "no_batch_price": "the price book has no price at the batch tier",
    "few_samples": "less than nine tenths of the time rests on samples",
    "assumed_holder": "who held the GPUs is assumed",
    "bound_by_commitment": "paid by a commitment, whether used or not",
    "unknown_purchase": "the bill does not say how the GPUs were bought",
    "no_advice": "commitment_advice has no saving in this currency",
    "never_compared": "one model alone answers the feature, and no other was held against it",
    "no_cache_price": "the price book has no price for reading from the cache",
    "cached_by_itself": "the provider caches by itself and sells no writing: what was not read there missed",
}
"""Why nothing is said of a cost that a lever concerns."""


def evidence_of(kind: LeverKind, period: date, account: str) -> str:
    """A query on the published tables: the rows that a lever's figure of one account and month rests on."""
    team = account.removeprefix("team:").replace("'", "''")
    return kind.evidence.format(
        period=f"billing_period = date '{period}'",
        month=f"date_trunc('month', usage_date) = date '{period}'",
        team=f"team_id = '{team}'" if account.startswith("team:") else "team_id is null",
        account=account.replace("'", "''"),
    )
