"""Whether serving a workload oneself pays, against each API that could serve it, on each machine that could be rented.

The arithmetic is `break_even`'s; here a declared plan meets the offers of machines. A replica takes some GPUs of a
machine, machines are rented whole, or a replica takes several of them. What is committed for a term is paid in every
hour: of it the level is taken at which the week costs least, and what goes beyond is rented on demand
(`commitment_level`). What is rented on spot is taken away at times: an hour of work takes more hours of machines then
(`checkpointing`), and where nobody says how often, no saving on spot is told as one. A plan is sound where four chances
in five say that it saves, lost where one in five does.

Figures of what would be, in doubles: nothing of it is posted.

Here belongs: the rows of `break_even`. Here does not belong: what traffic and offers are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import inf, isinf, isnan

from models.api_offers import ApiOffer
from models.break_even import Plan, Traffic, break_even, staffed
from models.break_even_risk import risk
from models.checkpointing import Interruptions
from models.commitment_level import USE_SCALE, best_level, level_cost, use_of
from models.gpu_offers import GpuOffer
from models.mean_month import MONTH_HOURS
from models.money import money, nearest_double

TABLE = "break_even"
VERDICT_RULES = "5"
"""Changes when the same plans, traffic and prices would give other rows."""

TODAYS, SAME_WEIGHTS = "todays_api", "same_weights_api"
SPOT = "spot"
_SURE, _UNLIKELY = 0.8, 0.2  # 1 - 0.8 is a little less than 0.2
_MOST_HOURS_RATIO = 1000.0
"""Machine-hours of an hour of work on spot: with more of them next to nothing is done, and no figure is of use."""
_PREFILL_OVER_DECODE = 10
"""Tokens of a prompt that are computed in the time of a generated one, where a published rate tells only these."""

Row = dict[str, object]


@dataclass(frozen=True)
class Workload:
    """A plan as declared, with its GPUs and rates found.

    Attributes:
        plan_id: its name.
        gpus: GPUs of a replica.
        prefill_rate: input tokens that a replica computes a second.
        decode_rate: output tokens that it generates a second.
        is_measured: whether these are the company's own, or a published peak's better half.
        min_replicas: replicas that run at any hour.
        most_waiting: share of requests that may wait.
        overhead_ratio: what goes with GPUs, of their cost.
        people_monthly_cost: people and platform, in dollars.
        setup_cost: what beginning costs, once.
        interruptions: how often spot machines are taken away; None where nobody says.
    """

    plan_id: str
    gpus: int
    prefill_rate: float
    decode_rate: float
    is_measured: bool
    min_replicas: int
    most_waiting: float
    overhead_ratio: float
    people_monthly_cost: float
    setup_cost: float
    interruptions: Interruptions | None = None

    def plan(self, gpu_hour_cost: float = 0.0, replicas_per_machine: int = 1) -> Plan:
        """The plan at a price of a GPU-hour."""
        return Plan(
            *(self.gpus, gpu_hour_cost, self.prefill_rate, self.decode_rate, self.min_replicas, self.most_waiting),
            *(self.overhead_ratio, self.people_monthly_cost, replicas_per_machine),
        )


def rates_of_reference(output_rate: float, input_tokens: int, output_tokens: int) -> tuple[float, float]:
    """Prefill and decode rate that give a published output rate at its own lengths, in tokens a second.

    A published run tells how many tokens came out while prompts of a known length went in. That a prompt's token takes
    a tenth of the time of a generated one is an assumption, which matters the more the lengths differ.
    """
    decode = output_rate * (1 + input_tokens / output_tokens / _PREFILL_OVER_DECODE)
    return decode * _PREFILL_OVER_DECODE, decode


def verdict_rows(
    workload: Workload,
    traffic: Traffic,
    month_tokens: int,
    apis: Sequence[tuple[str, ApiOffer]],
    offers: list[GpuOffer],
) -> Iterator[Row]:
    """A row for each offer of machines and each API that it is held against.

    Args:
        workload: the plan.
        traffic: its week.
        month_tokens: tokens of a month, to say a break-even volume in.
        apis: what it is held against: `TODAYS` or `SAME_WEIGHTS`, and what the month costs there.
        offers: machines, each with its price in dollars an hour.
    """
    on_demand = {_machine(offer): offer.price for offer in offers if offer.way == "on_demand"}
    for offer in offers:
        ratio = _hours_ratio(workload, offer)
        priced = _priced(workload, traffic, offer, on_demand.get(_machine(offer)), ratio)
        for against, api in apis:
            row = _names(workload, offer, priced, against, api)
            if ratio is not None and isinf(ratio):
                yield row | {"spot_hours_ratio": None, "reason": "interrupted_too_often"}
                continue
            row |= _figures(workload, priced, traffic, month_tokens, nearest_double(api.monthly_cost))
            yield row | {"spot_hours_ratio": ratio} | _unsure(workload, offer, row)


def _hours_ratio(workload: Workload, offer: GpuOffer) -> float | None:
    """Machine-hours that an hour of work takes on spot, infinite where too many; None elsewhere, or untold."""
    if offer.way != SPOT or workload.interruptions is None:
        return None
    ratio = workload.interruptions.expected_hours(MONTH_HOURS) / MONTH_HOURS
    return ratio if ratio <= _MOST_HOURS_RATIO else inf


def _unsure(workload: Workload, offer: GpuOffer, row: Row) -> Row:
    """Without what interruptions cost, spot is cheaper than it is: what loses even so is lost, the rest unknown."""
    if offer.way != SPOT or workload.interruptions is not None or row["verdict"] == "api":
        return {}
    return {"verdict": None, "reason": "unknown_interruptions"}


def _machine(offer: GpuOffer) -> tuple[str, str, str]:
    return offer.provider_name, offer.region_id, offer.instance_type


@dataclass(frozen=True)
class _Priced:
    """A plan on an offer's machines; what a machine-hour that is used costs; machines that are committed to."""

    plan: Plan
    machine_price: Fraction
    committed: int


def _priced(
    workload: Workload, traffic: Traffic, offer: GpuOffer, on_demand: Fraction | None, hours_ratio: float | None
) -> _Priced:
    """Replicas share a machine or span several; a commitment is bought for what the week makes cheapest."""
    per_machine, spanned = max(offer.gpus // workload.gpus, 1), -(-workload.gpus // offer.gpus)
    replicas = staffed(traffic, workload.plan(0.0, per_machine))
    machines = [int(count) * spanned // per_machine for count in replicas.tolist()]
    price, committed = offer.price, 0
    if hours_ratio is not None and not isinf(hours_ratio):
        price *= Fraction(hours_ratio)
    if offer.way == "reserved" and any(machines):
        use = use_of([count * USE_SCALE for count in machines])
        committed = best_level(use, offer.price, on_demand) if on_demand else max(machines)
        price = level_cost(use, committed, offer.price, on_demand or Fraction(0)) / sum(machines)
    gpu_hour = nearest_double(price * spanned / (per_machine * workload.gpus))
    return _Priced(workload.plan(gpu_hour, per_machine), price, committed)


def _names(workload: Workload, offer: GpuOffer, priced: _Priced, against: str, api: ApiOffer) -> Row:
    return {
        "plan_id": workload.plan_id,
        "against": against,
        "api_provider_id": api.provider_id,
        "api_model_id": api.model_id,
        "api_monthly_cost": money(api.monthly_cost),
        "purchase_option": offer.way,
        "term_months": offer.term_months,
        "provider_name": offer.provider_name,
        "region_id": offer.region_id,
        "instance_type": offer.instance_type,
        "machine_gpus": offer.gpus,
        "machine_hour_cost": money(priced.machine_price),
        "committed_machines": priced.committed,
    }


def _figures(workload: Workload, priced: _Priced, traffic: Traffic, month_tokens: int, api_cost: float) -> Row:
    plan = priced.plan
    found = break_even(traffic, plan, api_cost)
    chance = risk(traffic, plan, api_cost, is_measured=workload.is_measured)
    multiple = _known(found.volume_multiple)
    return {
        "own_monthly_cost": _estimate(found.serving.cost),
        "monthly_saving": _estimate(found.monthly_saving),
        "saving_p10": _estimate(chance.p10),
        "saving_p50": _estimate(chance.p50),
        "saving_p90": _estimate(chance.p90),
        "probability": chance.probability,
        "hangs_most_on": chance.swings[0].assumption,
        "utilisation_ratio": _known(found.serving.utilisation_ratio),
        "needed_utilisation_ratio": _known(found.needed_utilisation_ratio),
        "break_even_multiple": multiple,
        "break_even_monthly_tokens": None if multiple is None else round(multiple * month_tokens),
        "payback_months": workload.setup_cost / chance.p50 if chance.p50 > 0 else None,
        "verdict": verdict_of(chance.probability),
    }


def verdict_of(probability: float) -> str:
    """What a chance of paying says: surely, surely not, or open between 0.2 and 0.8."""
    if probability >= _SURE:
        return "self_host"
    return "api" if probability <= _UNLIKELY else "open"


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def _estimate(amount: float) -> Decimal:
    """An estimate to the millionth: more digits would say more than is known."""
    return Decimal(f"{amount:.6f}")
