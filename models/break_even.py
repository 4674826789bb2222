"""Whether serving a model oneself is cheaper than paying for its tokens: how busy replicas get is a result, no guess.

A week of the company's own traffic, hour by hour, says how much work arrives and when. Each hour needs as many replicas
as let few requests wait (`staffing`), and a small or uneven load cannot keep them busy: rent is paid for every replica
and hour, used or not. So

- work      = input tokens to compute / prefill rate + output tokens / decode rate, in replica-seconds
- cost      = replica-hours x GPUs x price + what goes with it (storage, network, monitoring) + people and platform
- busy      = work / replica-hours: the utilisation that comes out
- needed    = the utilisation at which the same work would cost what the API asks: above 1 it never pays
- break-even volume: the multiple of today's traffic from which on it is cheaper, people and platform shared by more

Rates are those of one replica at the latency that is asked for, with the company's own lengths, as measured. Source:
the time-share model of OpenCost's inference costs, and Erlang's C formula.

Its figures are estimates of what would be, in doubles: nothing of it is posted, no bill and no statement carries it,
and no exact amount is made of it.

Here belongs: the arithmetic of one plan. Here does not belong: what traffic and API cost are, how sure the plan is
(`break_even_risk`).
"""

from dataclasses import dataclass
from math import isfinite
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.mean_month import MONTH_HOURS
from models.staffing import servers_for

WEEK_HOURS = 168
_MULTIPLES = np.geomspace(1 / 64, 4096, 1201)  # one and a quarter per cent apart

Hours = NDArray[np.float64]


@dataclass(frozen=True)
class Traffic:
    """A week of one model's traffic: of each hour of the week the mean, and how much busier its busiest one was.

    Attributes:
        input_tokens: tokens of prompts an hour that have to be computed, 168 hours from Monday 00:00 UTC.
        output_tokens: tokens generated an hour.
        peak: busiest over mean of each hour of the week, 1 or more: replicas are there for the busiest.
    """

    input_tokens: Hours
    output_tokens: Hours
    peak: Hours

    def __post_init__(self) -> None:
        for name in ("input_tokens", "output_tokens", "peak"):
            hours: Hours = getattr(self, name)
            if hours.shape != (WEEK_HOURS,) or not np.isfinite(hours).all() or hours.min() < 0:
                raise ValueError(f"{name}: expected {WEEK_HOURS} hours of a week, none of them negative")
        if self.peak.min() < 1:
            raise ValueError(f"peak: the busiest hour is {self.peak.min()} of the mean one: expected 1 or more")


@dataclass(frozen=True)
class Plan:
    """How it would be served.

    Attributes:
        gpus: GPUs of a replica.
        gpu_hour_cost: price of a GPU-hour, in the currency of the API's cost.
        prefill_rate: input tokens that a replica computes a second, at the latency asked for.
        decode_rate: output tokens that it generates a second, likewise.
        min_replicas: replicas that run at any hour, for availability.
        most_waiting: share of requests that may wait for a replica.
        overhead_ratio: storage, network and monitoring, as a share of the GPUs' cost.
        fixed_monthly_cost: people and platform, whatever the traffic.
        replicas_per_machine: machines are rented whole: what one of them holds is paid for.
    """

    gpus: int
    gpu_hour_cost: float
    prefill_rate: float
    decode_rate: float
    min_replicas: int = 1
    most_waiting: float = 0.05
    overhead_ratio: float = 0.05
    fixed_monthly_cost: float = 0.0
    replicas_per_machine: int = 1

    def __post_init__(self) -> None:
        costs = (self.gpu_hour_cost, self.overhead_ratio, self.fixed_monthly_cost)
        if not all(map(isfinite, (*costs, self.prefill_rate, self.decode_rate))):
            raise ValueError(f"{self}: a cost or a rate is no number")
        if self.replicas_per_machine < 1:
            raise ValueError(f"{self.replicas_per_machine} replicas on a machine: expected one at least")
        if self.gpus < 1 or self.min_replicas < 0:
            raise ValueError(f"{self.gpus} GPUs, {self.min_replicas} replicas: expected one GPU at least")
        if min(self.prefill_rate, self.decode_rate) <= 0:
            raise ValueError(f"rates {self.prefill_rate} and {self.decode_rate} tokens a second: expected above zero")
        if min(costs) < 0:
            raise ValueError("a cost is negative")


@dataclass(frozen=True)
class Serving:
    """What a month of a plan comes to. Costs in the plan's currency; utilisation is NaN where nothing is served."""

    replica_hours: float
    utilisation_ratio: float
    gpu_cost: float
    overhead_cost: float
    fixed_cost: float

    @property
    def cost(self) -> float:
        """All of it."""
        return self.gpu_cost + self.overhead_cost + self.fixed_cost

    @classmethod
    def of(cls, traffic: Traffic, plan: Plan, multiple: float = 1.0) -> Self:
        """A month of `multiple` times the traffic."""
        work = multiple * _work(traffic, plan)
        replicas = staffed(traffic, plan, multiple)
        months = MONTH_HOURS / WEEK_HOURS
        replica_hours = months * int(replicas.sum())
        gpu_cost = replica_hours * plan.gpus * plan.gpu_hour_cost
        busy = months * work.sum() / replica_hours if replica_hours else np.nan
        return cls(replica_hours, busy, gpu_cost, gpu_cost * plan.overhead_ratio, plan.fixed_monthly_cost)


def staffed(traffic: Traffic, plan: Plan, multiple: float = 1.0) -> NDArray[np.int64]:
    """Replicas that are paid for in each hour of the week, at `multiple` times the traffic: whole machines of them."""
    work = multiple * _work(traffic, plan)
    needed = servers_for(work * traffic.peak, most_waiting=plan.most_waiting)
    each = plan.replicas_per_machine
    return -(-np.maximum(needed, plan.min_replicas) // each) * each


def _work(traffic: Traffic, plan: Plan) -> Hours:
    """Replicas' worth of work in the mean hour of each hour of the week, in erlangs."""
    return (traffic.input_tokens / plan.prefill_rate + traffic.output_tokens / plan.decode_rate) / 3600


@dataclass(frozen=True)
class BreakEven:
    """A plan against an API's cost of the same traffic.

    Attributes:
        serving: the plan at today's traffic.
        api_cost: what the API asks for a month of it.
        needed_utilisation_ratio: how busy replicas would have to be; NaN where people and platform alone cost more.
        volume_multiple: the multiple of today's traffic from which on, as far as was looked (4,096 times), the plan is
            cheaper; NaN where it never is.
    """

    serving: Serving
    api_cost: float
    needed_utilisation_ratio: float
    volume_multiple: float

    @property
    def monthly_saving(self) -> float:
        """What the plan saves; negative where it costs more."""
        return self.api_cost - self.serving.cost


def break_even(traffic: Traffic, plan: Plan, api_cost: float) -> BreakEven:
    """Holds a plan against what an API asks for a month of the same traffic, in the plan's currency.

    Raises:
        ValueError: the API's cost is negative, or there is no traffic: nothing can be said of either.
    """
    if api_cost < 0 or not (traffic.input_tokens.sum() + traffic.output_tokens.sum()):
        raise ValueError("no traffic, or an API's cost below zero: there is nothing to compare")
    serving = Serving.of(traffic, plan)
    left = api_cost - plan.fixed_monthly_cost
    work_cost = _work(traffic, plan).sum() * MONTH_HOURS / WEEK_HOURS * plan.gpus * plan.gpu_hour_cost
    needed = work_cost * (1 + plan.overhead_ratio) / left if left > 0 else np.nan
    return BreakEven(serving, api_cost, needed, _volume(traffic, plan, api_cost))


def _volume(traffic: Traffic, plan: Plan, api_cost: float) -> float:
    """The smallest multiple from which on no larger one that was looked at is dearer."""
    found = np.nan
    for multiple in reversed(_MULTIPLES.tolist()):
        if Serving.of(traffic, plan, multiple).cost > multiple * api_cost:
            break
        found = multiple
    return found
