"""The requests of one day: who called which model when, and the tokens that it took. Seeded per day.

Lengths are log-normal, arrivals follow office hours, weekdays differ from weekends, use grows through the month.
Contexts stay below 150,000 tokens, so that no price tier is reached and the truth needs none.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sample.company import (
    INPUT_CLASSES,
    MAINTENANCE_DAY,
    MARGINS,
    MODELS,
    MONTH,
    OUTPUT_CLASSES,
    RUNAWAY,
    RUNAWAY_DAYS,
    WORKLOADS,
    Model,
    Workload,
)
from sample.list_prices import USD_PER_TOKEN

HOURS = tuple(range(24))
OFFICE = (1, 1, 1, 1, 1, 2, 4, 9, 14, 16, 15, 13, 11, 14, 15, 14, 12, 9, 6, 4, 3, 2, 2, 1)
GROWTH_PER_DAY = 0.008
LONGEST_CONTEXT = 150_000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (every time in the sample is UTC and naive)


@dataclass(frozen=True, slots=True)
class Request:
    """One attempt: what was asked, how it ended, and its tokens in exclusive classes (empty when it failed).

    `call_id` is the gateway's id of the user's call where a failure has told it: all attempts of the call share it.
    """

    request_id: str
    group_id: str
    workload: Workload
    started_at: datetime
    latency_ms: int
    status: str
    is_cache_hit: bool
    is_stream: bool
    tokens: dict[str, int]
    call_id: str = ""

    @property
    def model(self) -> Model:
        """The model that it went to."""
        return MODELS[self.workload.model]

    @property
    def is_billed(self) -> bool:
        """Whether a provider or a GPU did the work: neither failures nor answers from the gateway's cache count."""
        return self.status == "success" and not self.is_cache_hit

    @property
    def input_tokens(self) -> int:
        """All input, cached or not."""
        return sum(self.tokens.get(name, 0) for name in INPUT_CLASSES)

    @property
    def output_tokens(self) -> int:
        """All output, reasoning included."""
        return sum(self.tokens.get(name, 0) for name in OUTPUT_CLASSES)

    def margin(self) -> Decimal:
        """USD that the gateway's log has on top of the list price, exact."""
        costs = self.list_costs() if self.is_billed else None
        return sum((costs or {}).values(), Decimal(0)) * MARGINS.get(self.workload.key_alias, Decimal(0))

    def list_costs(self) -> dict[str, Decimal] | None:
        """USD of its tokens at list price by class, exact; None when the model has no list price."""
        prices = USD_PER_TOKEN.get(self.model.name)
        if prices is None:
            return None
        return {token_class: count * prices[token_class] for token_class, count in self.tokens.items() if count}


def epoch_text(moment: datetime) -> str:
    """Seconds since 1970 of a naive UTC moment, with microseconds, as gateways write them."""
    microseconds = (moment - EPOCH) // timedelta(microseconds=1)
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def requests_of(day: date, seed: int) -> list[Request]:
    """Every attempt of `day` on both gateways, in the order in which they started."""
    chance = random.Random(f"{seed}:traffic:{day}")  # noqa: S311  (a seeded story, not a secret)
    workloads = [*WORKLOADS, RUNAWAY] if day in RUNAWAY_DAYS else list(WORKLOADS)
    attempts = [attempt for workload in workloads for attempt in _attempts(chance, workload, day)]
    return sorted(attempts, key=lambda attempt: (attempt.started_at, attempt.request_id))


def _attempts(chance: random.Random, workload: Workload, day: date) -> Iterator[Request]:
    if workload.model == "llama" and day == MAINTENANCE_DAY:
        return
    expected = workload.requests_per_weekday * (1 + GROWTH_PER_DAY * (day - MONTH).days)
    if day.weekday() >= 5:
        expected *= workload.weekend_factor
    count = max(1, round(chance.gauss(expected, expected**0.5)))
    for _ in range(count):
        yield from _operation(chance, workload, day)


def _operation(chance: random.Random, workload: Workload, day: date) -> Iterator[Request]:
    """One call of a user: mostly one attempt, at times a failure and its retry, or an answer from the cache."""
    request = _request(chance, workload, day)
    fate = chance.random()
    if fate < 0.012:
        failure = _failure(chance, request)
        yield failure
        later = request.started_at + timedelta(milliseconds=chance.randrange(400, 4000))
        yield replace(request, started_at=later, call_id=failure.call_id)
    elif fate < 0.018:
        yield _failure(chance, request)
    elif fate < 0.04 and workload.gateway == "us" and request.model.provider != "hosted_vllm":
        yield request
        yield _cache_hit(chance, request)
    else:
        yield request


def _failure(chance: random.Random, request: Request) -> Request:
    call_id = f"{chance.getrandbits(128):032x}"
    name = f"{call_id[:8]}-{call_id[8:12]}-4{call_id[13:16]}-a{call_id[17:20]}-{call_id[20:]}"
    return replace(
        request,
        request_id=name,
        call_id=name,
        status="failure",
        tokens={},
        latency_ms=chance.randrange(3, 900),
        is_stream=False,
    )


def _cache_hit(chance: random.Random, request: Request) -> Request:
    later = request.started_at + timedelta(milliseconds=chance.randrange(2_000, 40_000))
    return replace(
        request,
        request_id=f"{request.request_id}_cache_hit{epoch_text(later)}",
        group_id=f"{chance.getrandbits(64):016x}",
        started_at=later,
        latency_ms=chance.randrange(1, 9),
        is_cache_hit=True,
        is_stream=False,
    )


def _request(chance: random.Random, workload: Workload, day: date) -> Request:
    hour = chance.choices(HOURS, OFFICE)[0]
    # The last minute of a day stays free, so that retries and cache hits remain on their day.
    seconds = min(hour * 3600 + chance.randrange(3600), 24 * 3600 - 60)
    prefix = "msg_" if MODELS[workload.model].provider == "anthropic" else "chatcmpl-"
    tokens = _tokens(chance, workload)
    return Request(
        request_id=f"{prefix}{chance.getrandbits(96):024x}",
        group_id=f"{chance.getrandbits(64):016x}",
        workload=workload,
        started_at=datetime.combine(day, time()) + timedelta(seconds=seconds, milliseconds=chance.randrange(1000)),
        latency_ms=200 + 12 * (tokens["output_text"] + tokens["output_reasoning"]) + chance.randrange(600),
        status="success",
        is_cache_hit=False,
        is_stream=chance.random() < 0.4,
        tokens=tokens,
    )


def _tokens(chance: random.Random, workload: Workload) -> dict[str, int]:
    context = min(LONGEST_CONTEXT, max(16, int(workload.input_tokens * chance.lognormvariate(0, 0.7))))
    read = written = 0
    if workload.cached_share and chance.random() < 0.8:
        read = int(context * workload.cached_share)
    elif workload.cached_share and MODELS[workload.model].provider == "anthropic":
        written = int(context * workload.cached_share)
    reasoning = int(workload.reasoning_tokens * chance.lognormvariate(0, 0.6))
    return {
        "input_uncached": context - read - written,
        "cache_read": read,
        "cache_write_5m": written,
        "cache_write_1h": 0,
        "output_text": max(1, int(workload.output_tokens * chance.lognormvariate(0, 0.5))),
        "output_reasoning": reasoning,
    }
