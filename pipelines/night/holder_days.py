"""On which days somebody told who holds the GPUs of a cluster, read from the journal of deliveries.

A day on which a source named nobody and one on which it failed have no rows alike; only the journal tells them apart.
"""

from collections import defaultdict
from datetime import date

import pyarrow as pa

from contracts import contract
from pipelines.calendar import days_between
from pipelines.house import House
from pipelines.lake import DELIVERED, WITHDRAWN
from pipelines.night.build import SLICE_SOURCE, Built, summary
from pipelines.night.stale import content_fingerprint, reach

HOLDER_DAYS, FACT = "holder_days", "gpu_allocations"


def build_holder_days(house: House, first: date, last: date) -> Built:
    """Replaces the days up to `last` of which something else is told now; the others are left alone."""
    output = contract(HOLDER_DAYS)
    earliest = reach(first)
    known = {piece.slice_date: piece.fingerprint for piece in house.lake.slices(HOLDER_DAYS)}
    told = _told(house.lake.read("deliveries"), earliest, last)
    done: dict[date, pa.Table] = {}
    for day in days_between(earliest, last):
        if not told[day] and day not in known:
            continue
        named = [{"usage_date": day, "cluster": cluster, "x_source": source} for source, cluster in sorted(told[day])]
        rows = pa.Table.from_pylist(named, schema=output.arrow_schema())
        fingerprint = content_fingerprint(rows)
        if known.get(day) != fingerprint:
            house.lake.replace_slice(HOLDER_DAYS, day, SLICE_SOURCE, rows, fingerprint)
            done[day] = rows
    return summary(output, list(done), list(done.values()))


def _told(deliveries: pa.Table, earliest: date, last: date) -> dict[date, set[tuple[str, str]]]:
    """By day: sources and accounts whose delivery is in place. A failed attempt takes nothing from an earlier one."""
    found: dict[date, set[tuple[str, str]]] = defaultdict(set)
    wanted = ["fact", "x_source", "x_account", "slice_date", "status", "attempted_at", "attempt_id"]
    attempts = deliveries.select(wanted).to_pylist()
    for row in sorted(attempts, key=lambda row: (row["attempted_at"], row["attempt_id"])):
        if row["fact"] != FACT or not earliest <= row["slice_date"] <= last:
            continue
        if row["status"] in DELIVERED:
            found[row["slice_date"]].add((row["x_source"], row["x_account"]))
        elif row["status"] == WITHDRAWN:
            found[row["slice_date"]].discard((row["x_source"], row["x_account"]))
    return found
