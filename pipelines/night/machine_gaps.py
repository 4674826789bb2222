"""What bills, clusters and the register of machines do not say alike, for the overview of a period."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pyarrow as pa

from pipelines.night.host_matches import by_entry, is_missing
from pipelines.night.notes import EXACT
from reports.given import UnknownMachine, UnmatchedEntry


def unknown_machines(rows: pa.Table) -> tuple[UnknownMachine, ...]:
    """The machines of `gpu_unjoined`, each with its cost of all days: by name, else resource, else machine type."""
    costs: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in rows.to_pylist():
        machine = row["resource_name"] or row["resource_id"] or row["instance_type"]
        key = (row["provider_name"], machine, row["billing_currency"])
        costs[key] = EXACT.add(costs[key], row["effective_cost"])
    return tuple(
        UnknownMachine(provider, machine, cost, currency) for (provider, machine, currency), cost in costs.items()
    )


def unmatched_entries(rows: pa.Table, period: date) -> tuple[UnmatchedEntry, ...]:
    """The entries that hold in the period and that it and the month before do not name; `rows` as `host_matches`."""
    told = (
        UnmatchedEntry(
            found[0]["resource_id"],
            found[0]["hostname"],
            found[0]["cluster"],
            is_billed=not is_missing(found, "is_on_bill"),
            is_seen=not is_missing(found, "is_seen"),
        )
        for found in by_entry(rows).values()
        if any(row["billing_period"] == period for row in found)
    )
    return tuple(entry for entry in told if not (entry.is_billed and entry.is_seen))
