"""What serving pods cost before their first and after their last request, and where requests waited.

For how long a pod held GPUs, its life tells (`models.pod_lives`). The money of a stretch of it is that of the pod's
GPU-hours, each hour by the seconds that were told of it. Source: methods of idle-GPU waste (states are of the pod's
GPUs already; this tells why they idled).

Here belongs: starts, releases and queues of serving pods. Here does not belong: whether a GPU was idle.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from models.frames import conform, require, schema_of
from models.money import money_of, units_of
from models.pod_lives import Life, Pod, Row, Sight, Stretch, lives, pod_of

SCALING_RULES = "6"
"""Changes when the same intervals and money would give other events."""

_TABLE = "scaling_costs"
_MONEY = ("effective_cost", "replica_cost")
_HOUR = timedelta(hours=1)

Spent = Mapping[datetime, Mapping[str, int]]


def scaling_costs(
    *,
    allocations: pl.DataFrame,
    sightings: pl.DataFrame,
    serving: pl.DataFrame,
    gpu_costs: pl.DataFrame,
    days: Sequence[date],
) -> pl.DataFrame:
    """The events of those days, in the shape of `scaling_costs`.

    Args:
        allocations: frame in the shape of `gpu_allocations`, of those days and the days beside each.
        sightings: frame in the shape of `node_sightings`, of the same days.
        serving: frame in the shape of `serving_hourly`, of the same days.
        gpu_costs: frame in the shape of `gpu_costs_hourly`.
        days: what to find events of, at least one.

    A day knows the one before it and the one after it and no more, so that it is the same built alone or in a month. A
    life whose beginning or end its cluster did not see has none there: no event.

    Raises ValueError when a frame does not keep its contract.
    """
    served = _by_pod(require(serving, "serving_hourly").to_dicts())
    allocated = require(allocations, "gpu_allocations")
    sight = Sight(allocated, require(sightings, "node_sightings"))
    held = lives(allocated)
    spent = _spent(require(gpu_costs, "gpu_costs_hourly"), set(served))
    rows: list[dict[str, Any]] = []
    for day in days:
        for pod, hours in sorted(served.items()):
            rows += _waits(pod, hours, held.get(pod, ()), spent.get(pod, {}), day)
        for pod in sorted(served.keys() & held.keys()):
            for life in held[pod]:
                for event in _events(served[pod], life.held, sight, pod.cluster, day):
                    if event["usage_date"] == day:
                        rows += _costed(pod, event, life, held[pod], spent.get(pod, {}))
    frame = pl.DataFrame(rows, schema={**schema_of(_TABLE), **dict.fromkeys(_MONEY, pl.Int128())}, orient="row")
    return conform(frame.with_columns(money_of(name).alias(name) for name in _MONEY), _TABLE)


def _events(hours: Sequence[Row], held: Stretch, sight: Sight, cluster: str, day: date) -> Iterator[Row]:
    """The start and the release of one life, as far as they were seen around that day and requests came between."""
    seen = sight.around(cluster, day)
    known = Stretch(max(held.start, seen.start), min(held.end, seen.end))
    busy = [
        row for row in hours if row["first_busy_at"] and row["first_busy_at"] < known.end
        and row["last_busy_at"] > known.start
    ]  # fmt: skip
    if not busy:
        return
    models = {row["model_id"] for row in busy}
    about = {"model_id": models.pop() if len(models) == 1 else None, "engine_started_at": None}
    first, last = min(row["first_busy_at"] for row in busy), max(row["last_busy_at"] for row in busy)
    if held.start < first and sight.begins(cluster, held, day):
        engines = [at for row in hours if (at := row["first_engine_started_at"]) and held.start <= at <= first]
        begun = {"event_kind": "cold_start", "began_at": held.start, "ended_at": first}
        yield {**about, **begun, "engine_started_at": min(engines, default=None), "usage_date": held.start.date()}
    if last < held.end and sight.ends(cluster, held, day):
        freed = {"event_kind": "late_release", "began_at": last, "ended_at": held.end}
        yield {**about, **freed, "usage_date": (held.end - timedelta(microseconds=1)).date()}


def _costed(pod: Pod, event: Row, life: Life, lives: Sequence[Life], spent: Spent) -> Iterator[dict[str, Any]]:
    """One row for each currency of the event's hours; none where nobody billed them.

    The money of an hour is that of the pod's name: where a pod came again under it, all of its lives share it.
    """
    units: dict[str, int] = defaultdict(int)
    begun = Stretch(event["began_at"], event["ended_at"])
    hour = event["began_at"].replace(minute=0, second=0, microsecond=0)
    while hour < event["ended_at"]:
        told = [_common(one, Stretch(hour, hour + _HOUR)) for one in life.told]
        whole = _told(lives, Stretch(hour, hour + _HOUR))
        inside = sum(_length(_common(one, begun)) for one in told)
        for currency, amount in spent.get(hour, {}).items():
            units[currency] += _share(amount, inside, whole)
        hour += _HOUR
    seconds = round((event["ended_at"] - event["began_at"]).total_seconds())
    observed = round(sum(_length(_common(one, begun)) for one in life.told) / 1_000_000)
    for currency, amount in sorted(units.items()):
        yield {
            **pod._asdict(), **event, "event_seconds": seconds, "observed_seconds": observed,
            "effective_cost": amount, "replica_cost": None, "billing_currency": currency,
        }  # fmt: skip


def _waits(pod: Pod, hours: Iterable[Row], held: Sequence[Life], spent: Spent, day: date) -> Iterator[dict[str, Any]]:
    """The hours of a day in which requests queued for the pod, with what one more of it would have cost meanwhile.

    That is the pod's own GPU money of the hour, by the seconds in which requests waited, of those for which the
    cluster said that it held its GPUs, however many they are and however few of them the counters cover: the money is
    for what was held. One row for each currency, and one without money where nobody billed the pod's GPUs.
    """
    by_hour: dict[datetime, list[Row]] = defaultdict(list)
    for row in hours:
        if row["waiting_seconds"] and row["usage_date"] == day:
            by_hour[row["hour_start"]].append(row)
    for hour, rows in sorted(by_hour.items()):
        waited, covered = (max(row[name] for row in rows) for name in ("waiting_seconds", "covered_seconds"))
        whole = _told(held, Stretch(hour, hour + _HOUR))
        units: Mapping[str, int | None] = spent.get(hour, {}) or {"": None}
        for currency, amount in sorted(units.items()):
            yield {
                **pod._asdict(),
                "usage_date": day,
                "model_id": rows[0]["model_id"] if len(rows) == 1 else None,
                "event_kind": "waiting",
                "began_at": hour,
                "ended_at": hour + _HOUR,
                "engine_started_at": None,
                "event_seconds": waited,
                "observed_seconds": covered,
                "effective_cost": None,
                "replica_cost": _of_another(amount, waited, whole),
                "billing_currency": currency,
            }


def _of_another(units: int | None, waited: int, held: int) -> int | None:
    """What those seconds cost of what was held for those microseconds; none where more is asked than was told."""
    part = waited * 1_000_000
    return None if units is None or part > held else _share(units, part, held)


def _told(held: Iterable[Life], within: Stretch) -> int:
    """For how many microseconds of it somebody said that the pod held GPUs."""
    return sum(_length(_common(one, within)) for life in held for one in life.told)


def _by_pod(rows: Iterable[Row]) -> dict[Pod, list[Row]]:
    found: dict[Pod, list[Row]] = defaultdict(list)
    for row in rows:
        found[pod_of(row)].append(row)
    return found


def _spent(costs: pl.DataFrame, pods: set[Pod]) -> dict[Pod, dict[datetime, dict[str, int]]]:
    """Pico-units by pod, hour and currency."""
    key = ["cluster", "namespace", "pod", "hour_start", "billing_currency"]
    sums = costs.group_by(key).agg(units=units_of("effective_cost").sum())
    found: dict[Pod, dict[datetime, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for cluster, namespace, name, hour, currency, units in sums.iter_rows():
        if (pod := Pod(cluster, namespace, name)) in pods:
            found[pod][hour][currency] = units
    return found


def _common(one: Stretch, other: Stretch) -> Stretch:
    """What both share; its end lies before its start where they share nothing."""
    return Stretch(max(one.start, other.start), min(one.end, other.end))


def _length(stretch: Stretch) -> int:
    """Its microseconds."""
    return max((stretch.end - stretch.start) // timedelta(microseconds=1), 0)


def _share(units: int, part: int, whole: int) -> int:
    """`units * part / whole`, rounded half away from zero; nothing of nothing."""
    if not whole:
        return 0
    size = (abs(units) * part * 2 + whole) // (whole * 2)
    return -size if units < 0 else size
