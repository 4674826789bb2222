"""The calls that the engines of the company's own model answered: all that the gateways sent them, and a few more.

On one day somebody measured the model's speed and called the engines past the gateway: no log knows of these calls.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sample.company import SELF_HOSTED
from sample.pods import PODS, Pod
from sample.traffic import Request

DIRECT_DAY, DIRECT_CALLS = date(2026, 10, 22), 48
MS_PER_TOKEN = 12
COUNTED = ("prompt_tokens", "cached_tokens", "generated_tokens", "finished_requests", "prefill_ms", "decode_ms")


class Call(NamedTuple):
    """One request as the engine saw it. Prompt tokens include the cached ones."""

    call_id: str
    started_at: datetime
    ended_at: datetime
    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int
    is_logged: bool

    @property
    def counts(self) -> tuple[int, ...]:
        """What it adds to each counter, in the order of `COUNTED`."""
        decode = MS_PER_TOKEN * self.generated_tokens
        prefill = (self.ended_at - self.started_at) // timedelta(milliseconds=1) - decode
        return self.prompt_tokens, self.cached_tokens, self.generated_tokens, 1, prefill, decode


Served = Mapping[Pod, Sequence[Call]]


def serve(traffic: Mapping[date, Sequence[Request]], seed: int) -> Served:
    """The calls that each pod's engine answered, in the order in which they ended."""
    served: dict[Pod, list[Call]] = {pod: [] for pod in PODS}
    for day, requests in traffic.items():
        logged = [_logged(request) for request in requests if request.model.name == SELF_HOSTED and request.is_billed]
        for call in sorted([*logged, *_direct(day, seed)], key=lambda call: (call.started_at, call.call_id)):
            served[_pod_for(call, served)].append(call)
    return {pod: sorted(calls, key=lambda call: (call.ended_at, call.call_id)) for pod, calls in served.items()}


def _logged(request: Request) -> Call:
    return Call(
        request.request_id,
        request.started_at,
        request.started_at + timedelta(milliseconds=request.latency_ms),
        request.input_tokens,
        request.tokens["cache_read"],
        request.output_tokens,
        is_logged=True,
    )


def _direct(day: date, seed: int) -> Iterator[Call]:
    chance = random.Random(f"{seed}:direct:{day}")  # noqa: S311  (a seeded story, not a secret)
    begun = datetime.combine(day, time(14))
    for _ in range(DIRECT_CALLS if day == DIRECT_DAY else 0):
        begun += timedelta(seconds=chance.randrange(20, 80))
        generated = chance.randrange(400, 600)
        taken = timedelta(milliseconds=200 + MS_PER_TOKEN * generated + chance.randrange(600))
        call_id = f"{chance.getrandbits(96):024x}"
        yield Call(call_id, begun, begun + taken, chance.randrange(3_000, 5_000), 0, generated, is_logged=False)


def _pod_for(call: Call, served: Mapping[Pod, Sequence[Call]]) -> Pod:
    """A pod that is ready: the one that has not been called yet, else by the call's id."""
    ready = [pod for pod in PODS if pod.is_ready(call.started_at, call.ended_at)]
    first = [pod for pod in ready if not served[pod] and pod.held_from.date() == call.started_at.date()]
    return (first or ready)[int(call.call_id[-8:], 16) % len(first or ready)]
