"""Rows about GPUs, what a test does not care about being the same everywhere, and the tables that follow from them."""

from collections import Counter
from collections.abc import Container, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from contracts import contract, sql_root
from models.gpu_costs import gpu_costs
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.gpu_faults import gpu_faults
from tests.sql.golden import filled

DAY = date(2026, 2, 1)
MIDNIGHT = datetime(2026, 2, 1)
Row = dict[str, Any]


def at(hours: float) -> datetime:
    """An instant, in hours after midnight."""
    return MIDNIGHT + timedelta(hours=hours)


def sample(moment: datetime, **given_values: Any) -> Row:
    """One sample of one GPU, held by a pod, unless told otherwise."""
    row = {
        "cluster": "prod",
        "hostname": "node-1",
        "gpu_uuid": "GPU-a",
        "gpu_instance_id": "",
        "namespace": "search",
        "pod": "pod-1",
        "container": "c",
        "tells_holders": True,
        "x_source": "dcgm",
    }
    return {"sampled_at": moment, "sample_date": moment.date(), **row, **given_values}


def samples(start: float, end: float, every: int = 60, **given_values: Any) -> list[Row]:
    """Samples from one hour of the day until before another."""
    count = round((end - start) * 3600 / every)
    return [sample(at(start) + timedelta(seconds=every * n), **given_values) for n in range(count)]


def holder(is_held: bool) -> Row:
    """What names the holder of a sample."""
    return {"namespace": "search", "pod": "pod-1"} if is_held else {"namespace": "", "pod": "", "container": ""}


def billed(hour: datetime, gpu_count: int = 1, seconds: int = 3600, **given_values: Any) -> Row:
    """One billed hour of the node."""
    row = {"resource_id": "i-1", "hostname": "node-1", "cluster": "prod", "gpu_count": gpu_count}
    return {"hour_start": hour, "usage_date": hour.date(), "billed_seconds": seconds, **row, **given_values}


def billed_day(gpu_count: int = 1, day: date = DAY, **given_values: Any) -> list[Row]:
    """All hours of a day."""
    midnight = datetime.combine(day, datetime.min.time())
    return [billed(midnight + timedelta(hours=n), gpu_count, **given_values) for n in range(24)]


def allocation(start: float, end: float, **given_values: Any) -> Row:
    """A pod that holds one GPU of the node from one hour of the day until another."""
    row = {
        "cluster": "prod",
        "hostname": "node-1",
        "holder_kind": "pod",
        "namespace": "search",
        "pod": "pod-1",
        "allocated_gpus": "1",
        "gpu_uuid": "",
        "gpu_index": -1,
        "gpu_instance_id": "",
        "is_shared": False,
    }
    return {"allocation_date": at(start).date(), "started_at": at(start), "ended_at": at(end), **row, **given_values}


def sighting(start: float, end: float, **given_values: Any) -> Row:
    """What the cluster said of the node from one hour of the day until another."""
    row = {"cluster": "prod", "hostname": "node-1", "provider_id": "aws:///us-east-1a/i-1", "instance_id": "i-1"}
    return {"sighting_date": at(start).date(), "seen_from": at(start), "seen_to": at(end), **row, **given_values}


def built(engine: DuckDBEngine, table: str, **given_rows: list[Row]) -> list[Row]:
    """The rows of a table, made from the given ones by all the SQL between; tables not given have none.

    Who holds GPUs was delivered of every cluster and day of which its nodes tell, unless told otherwise.
    """
    seen = {(row["sighting_date"], row["cluster"]) for row in given_rows.get("node_sightings", [])}
    delivered = [{"usage_date": day, "cluster": cluster, "x_source": "pods"} for day, cluster in sorted(seen)]
    given_rows.setdefault("holder_days", delivered)
    given_rows.setdefault("gpu_faults", [{"xid_code": code, "meaning": told} for code, told in gpu_faults().items()])
    for name in _order(table, given_rows):
        if name in given_rows or not (sql_root() / contract(name).layer / f"{name}.sql").exists():
            engine.register(name, filled(name, given_rows.get(name, [])))
        else:
            engine.build(contract(name))
    return engine.read(table).to_pylist()


def _order(table: str, given_rows: Container[str]) -> list[str]:
    """The table and all that it is made of down to the given rows, what is needed first."""
    order: dict[str, None] = {}

    def add(name: str) -> None:
        for below in () if name in given_rows else contract(name).depends_on:
            add(below)
        order.setdefault(name)

    add(table)
    return list(order)


def states(engine: DuckDBEngine, gpu_samples: list[Row], gpu_billed_hours: list[Row], **others: list[Row]) -> list[Row]:
    """The hourly states that follow."""
    return built(engine, "gpu_states_hourly", gpu_samples=gpu_samples, gpu_billed_hours=gpu_billed_hours, **others)


def seconds(rows: Iterable[Row], *names: str) -> dict[Any, int]:
    """Seconds by the columns' values."""
    sums: Counter[Any] = Counter()
    for row in rows:
        key = tuple(row[name] for name in names)
        sums[key[0] if len(names) == 1 else key] += row["state_seconds"]
    return dict(sums)


def paid_by_namespace(rows: list[Row], cost_of_a_day: str) -> dict[str, Decimal]:
    """What bill lines of the node, one a day, come to by who held its GPUs."""
    lines = [
        {
            "charge_group_id": f"c-{day}",
            "charge_date": day,
            "charge_start": datetime.combine(day, datetime.min.time()),
            "charge_end": datetime.combine(day, datetime.min.time()) + timedelta(days=1),
            "resource_id": resource_id,
            "billed_cost": cost_of_a_day,
            "effective_cost": cost_of_a_day,
            "tags": None,
        }
        for day, resource_id in sorted({(row["usage_date"], row["resource_id"]) for row in rows})
    ]
    costs = gpu_costs(
        charge_groups=pl.DataFrame(filled("charge_groups", lines)),
        gpu_states=pl.DataFrame(filled("gpu_states_hourly", rows)),
        pod_models=pl.DataFrame(filled("pod_models", [])),
        gpu_labels=pl.DataFrame(filled("gpu_labels", [])),
        owners=pl.DataFrame(filled("owners", [])),
    )
    return dict(costs.group_by("namespace").agg(pl.col("effective_cost").sum()).rows())
