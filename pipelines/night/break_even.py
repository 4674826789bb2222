"""The table of break-evens, made anew when traffic, prices or plans are new and only then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

import duckdb
import polars as pl
import pyarrow as pa

from contracts import contract
from models.api_offers import ApiOffer, Residency, api_offers
from models.break_even_risk import DERATED
from models.checkpointing import Interruptions
from models.dollar_rates import UsdRates
from models.frames import frame_of
from models.gpu_offers import SPOT_DAYS, GpuOffer, gpu_offers
from models.memory_fit import fit, room_tokens
from models.money import nearest_double
from models.self_host_verdicts import (
    SAME_WEIGHTS,
    TODAYS,
    VERDICT_RULES,
    Row,
    Workload,
    rates_of_reference,
    verdict_rows,
)
from models.self_host_verdicts import TABLE as BREAK_EVEN
from pipelines.config.self_hosting import SelfHosting
from pipelines.gpu_types import gpu_memory, gpu_types, name_key
from pipelines.house import House
from pipelines.model_log import FEWEST_DAYS, WEEKS, Log, read_log, traffic_of
from pipelines.night.build import SLICE_SOURCE, Built
from pipelines.night.exchange_rates import usd_rates
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.stale import HALF, content_fingerprint
from pipelines.open_models import ReferenceThroughput, open_models, reference_of, reference_throughputs, weights_key

LOG, BOOK, MACHINES = "usage_hourly", "price_book", "machine_prices"


def build_break_even(house: House, _first: date, _last: date) -> Built:
    """Holds every declared plan against APIs and machines. It follows from what the lake holds, not from the days."""
    plans = house.config.self_hosting
    days = [piece.slice_date for piece in house.lake.slices(LOG) if piece.row_count]
    newest = max(days, default=REFERENCE_DATE)
    made_from = _fingerprint(house, plans, newest)
    stored = [piece.fingerprint[:HALF] for piece in house.lake.slices(BREAK_EVEN)]
    if stored == [made_from] and not house.options.full_refresh:
        return Built(BREAK_EVEN, (), 0)
    rows = list(_rows(house, plans, newest)) if plans else []
    table = pa.Table.from_pylist(rows, schema=contract(BREAK_EVEN).arrow_schema())
    fingerprint = made_from + content_fingerprint(table)
    house.lake.replace_slice(BREAK_EVEN, REFERENCE_DATE, SLICE_SOURCE, table, fingerprint)
    paying = {row["plan_id"] for row in rows if row["verdict"] == "self_host"}
    note = f"{len(paying)} of {len(plans)} plans would pay" if plans else ""
    return Built(BREAK_EVEN, (REFERENCE_DATE,), table.num_rows, note=note)


def _fingerprint(house: House, plans: tuple[SelfHosting, ...], newest: date) -> str:
    """Of the plans, of what is shipped, and of the stored rows that they are made from."""
    parts = [VERDICT_RULES, str(contract(BREAK_EVEN).arrow_schema()), *map(repr, plans)]
    if plans:
        parts += [
            repr(sorted(usd_rates(house).items())),
            repr(open_models()),
            repr(reference_throughputs()),
            repr(gpu_memory()),
        ]
        since = {LOG: newest - timedelta(days=WEEKS * 7), MACHINES: newest - timedelta(days=SPOT_DAYS + 31)}
        for name in (LOG, BOOK, MACHINES):
            pieces = house.lake.slices(name)
            kept = [piece for piece in pieces if name == BOOK or piece.slice_date > since[name]]
            parts += sorted(f"{name} {piece.slice_date} {piece.fingerprint[-HALF:]}" for piece in kept)
    return content_fingerprint(pa.table({"part": parts}))


def _rows(house: House, plans: tuple[SelfHosting, ...], newest: date) -> Iterator[Row]:
    read = house.lake.read
    book = frame_of(read(BOOK))
    machines = frame_of(read(MACHINES, newest - timedelta(days=SPOT_DAYS + 30), date.max))
    rates = usd_rates(house)
    at = datetime.combine(newest, datetime.max.time())
    with duckdb.connect() as database:
        database.register(LOG, read(LOG, newest - timedelta(days=WEEKS * 7), newest + timedelta(days=1)))
        logs = {model: read_log(database, model) for model in sorted({plan.model for plan in plans})}
    blank = dict.fromkeys(contract(BREAK_EVEN).arrow_schema().names)
    for plan in plans:
        log, sized = logs[plan.model], _sized(plan)
        offers = _offers(plan, machines, rates)
        about = blank | _about(plan, log, sized)
        if reason := _reason(log, sized, has_offers=bool(offers)):
            names = dict.fromkeys(_NAMES, "")
            yield about | names | {"reason": reason}
            continue
        residency = Residency(frozenset(plan.regions), frozenset(plan.api_providers))
        names = open_models()[plan.weights].names
        same = api_offers(
            book, lambda name, names=names: weights_key(name) in names, log.tokens, log.months, at, residency
        )
        today = ApiOffer("", plan.model, "", Fraction(log.monthly_cost))
        apis = [(TODAYS, today), *((SAME_WEIGHTS, offer) for offer in same[:1])]
        workload = _workload(plan, sized)
        month_tokens = round(sum(log.tokens.values()) / log.months)
        for row in verdict_rows(workload, traffic_of(log, workload.plan()), month_tokens, apis, offers):
            yield about | row | _unsure(log, row)


def _offers(plan: SelfHosting, machines: pl.DataFrame, rates: UsdRates) -> list[GpuOffer]:
    """What the plan itself states of a machine, else what lists have of it; only where data may go.

    A price on demand of its own takes the place of the list's for the same machine, so that it stands there once.
    """
    listed = {one.instance_type: one.gpus for one in plan.machines if one.hour_cost is None}
    own = [
        GpuOffer(one.provider, one.region or "", one.instance_type, "on_demand", 0, one.gpus, Fraction(one.hour_cost))
        for one in plan.machines
        if one.hour_cost is not None and one.gpus is not None and (not plan.regions or one.region in plan.regions)
    ]
    stated = {_sold(one) for one in own}
    return [*(one for one in gpu_offers(machines, listed, plan.regions, rates) if _sold(one) not in stated), *own]


def _sold(offer: GpuOffer) -> tuple[str, str, str, str]:
    return offer.provider_name, offer.region_id, offer.instance_type, offer.way


def _unsure(log: Log, row: Row) -> Row:
    """Tokens without a price make today's API cheaper than it is: what beats even that is sound, the rest unknown."""
    if row["against"] != TODAYS or not log.unpriced_tokens or row["verdict"] == "self_host":
        return {}
    return {"verdict": None, "reason": "unpriced_tokens"}


_NAMES = (
    "against",
    "api_provider_id",
    "api_model_id",
    "purchase_option",
    "provider_name",
    "region_id",
    "instance_type",
)


@dataclass(frozen=True)
class _Sized:
    """GPUs of a replica, None where it does not fit; its rates, None where nobody knows any; where they are from."""

    gpus: int | None
    rates: tuple[float, float] | None
    reference: ReferenceThroughput | None


def _sized(plan: SelfHosting) -> _Sized:
    gpu = gpu_types()[name_key(plan.gpu)]
    gpus = _gpus(plan, gpu)
    if plan.prefill_rate is not None and plan.decode_rate is not None:
        return _Sized(gpus, (nearest_double(plan.prefill_rate), nearest_double(plan.decode_rate)), None)
    found = reference_of(plan.weights, gpu, plan.quantisation)
    if found is None or gpus is None:
        return _Sized(gpus, None, found)
    rate = found.output_tokens_per_second * gpus / found.gpus * DERATED
    return _Sized(gpus, rates_of_reference(rate, found.input_tokens, found.output_tokens), found)


def _gpus(plan: SelfHosting, gpu: str) -> int | None:
    """As declared, if that has the memory, else the fewest that have; a memory nobody knows refuses nothing."""
    shape, memory = open_models()[plan.weights].memory_shape, gpu_memory().get(gpu)
    if memory is None:
        return plan.gpus
    if plan.gpus is None:
        return fit(shape, plan.quantisation, memory, plan.tokens_in_flight).gpus
    is_enough = room_tokens(shape, plan.quantisation, memory, plan.gpus) >= plan.tokens_in_flight
    return plan.gpus if is_enough else None


def _reason(log: Log, sized: _Sized, *, has_offers: bool) -> str | None:
    if not any(row[1] or row[2] for row in log.rows):
        return "no_traffic"
    if len(log.days) < FEWEST_DAYS:
        return "short_log"
    if sized.gpus is None:
        return "does_not_fit"
    if sized.rates is None:
        return "no_throughput"
    return None if has_offers else "no_gpu_price"


def _about(plan: SelfHosting, log: Log, sized: _Sized) -> Row:
    source = sized.reference
    basis = "reference" if source else "measured"
    return {
        "plan_id": plan.id,
        "model_id": plan.model,
        "weights": plan.weights,
        "quantisation": plan.quantisation,
        "first_day": log.days[0] if log.days else None,
        "last_day": log.days[-1] if log.days else None,
        "unpriced_tokens": log.unpriced_tokens,
        "replica_gpus": sized.gpus,
        "throughput_basis": basis if sized.rates else None,
        "throughput_source": _named(source) if source else None,
    }


def _named(of: ReferenceThroughput) -> str:
    return f"{of.source} ({of.precision}, {of.scenario}, {of.as_of}, {of.certainty})"


def _workload(plan: SelfHosting, sized: _Sized) -> Workload:
    assert sized.gpus is not None  # noqa: S101 - what has no GPUs or no rates has a reason, and no workload
    assert sized.rates is not None  # noqa: S101
    return Workload(
        *(plan.id, sized.gpus, *sized.rates, sized.reference is None, plan.min_replicas),
        *map(nearest_double, (plan.most_waiting, plan.overhead_ratio, plan.people_monthly_cost, plan.setup_cost)),
        interruptions=_interruptions(plan),
    )


def _interruptions(plan: SelfHosting) -> Interruptions | None:
    of = plan.spot
    minutes = (of.every_hours * 60, of.checkpoint_minutes, of.restart_minutes) if of else None
    return Interruptions(*(nearest_double(one) / 60 for one in minutes)) if minutes else None
