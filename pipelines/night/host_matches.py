"""Entries of the register (`hosts`) that no bill or no cluster names: what the night, the overview and `check` say.

Such an entry is no error of the file: a machine may be billed for the first time tomorrow. But a slip in it makes the
charging of its GPUs vanish, and nobody should find that out from a zero.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from connectors.wording import first_of
from contracts import contract
from pipelines.calendar import midnight, month_start, next_month
from pipelines.config.problems import meant, nearest
from pipelines.config.schema import Host
from pipelines.house import House
from pipelines.night.build import Built, build
from pipelines.night.references import host_table
from pipelines.night.register import register

MATCHES, UNJOINED, REGISTER = "host_matches", "gpu_unjoined", "host_identity"
HEARD_IN = ("gpu_identity", "node_sightings", "gpu_allocations")


@dataclass(frozen=True)
class Unmatched:
    """What an entry says that nothing else says: its place in `hosts`, the setting, what was found, the remedy."""

    index: int
    setting: str
    message: str
    remedy: str

    def text(self) -> str:
        """One line for people."""
        return f"hosts[{self.index}].{self.setting}: {self.message}. {self.remedy}"


def build_host_matches(house: House, first: date, last: date) -> Built:
    """Builds the table, and tells what is wrong in the month of `last` and the one before, whatever was rebuilt."""
    built = build(house, contract(MATCHES), first, last)
    start, end = _months(last)
    found = unmatched(house, house.lake.read(MATCHES, start, end), last)
    return replace(built, problems=tuple(entry.text() for entry in found))


def checked_hosts(house: House) -> list[Unmatched]:
    """The same of the configuration as it stands now, in the latest two months of which the lake holds anything."""
    inputs = [name for name in contract(MATCHES).depends_on if name != REGISTER]
    days = [piece.slice_date for name in inputs for piece in house.lake.slices(name)]
    if not days or not house.config.hosts:
        return []
    with house.engine() as engine:
        for name in inputs:
            register(house, engine, name, *_months(max(days)))
        engine.register(REGISTER, host_table(house.config))
        engine.build(contract(MATCHES))
        rows = engine.read(MATCHES)
    return unmatched(house, rows, max(days))


def unmatched(house: House, matches: pa.Table, last: date) -> list[Unmatched]:
    """What the entries of the configuration say that nothing of those months says; `matches` as `host_matches`.

    A month in which a bill, or a cluster, was silent altogether tells nothing. One in which the machine was named is
    enough: a bill may come with the end of its month.
    """
    rows = by_entry(matches)
    told = [(index, host, rows[_key(host)]) for index, host in enumerate(house.config.hosts) if _key(host) in rows]
    unbilled = [(index, host) for index, host, found in told if is_missing(found, "is_on_bill")]
    unseen = [(index, host, found) for index, host, found in told if is_missing(found, "is_seen")]
    return sorted(
        [*_not_billed(house, unbilled, last), *_not_seen(house, unseen, last)],
        key=lambda entry: (entry.index, entry.setting),
    )


def by_entry(matches: pa.Table) -> Mapping[tuple[object, ...], Sequence[Mapping[str, Any]]]:
    """The rows of each entry of the register, one for each billing period in which it holds."""
    rows: dict[tuple[object, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in matches.to_pylist():
        rows[row["resource_id"], row["cluster"], row["hostname"], row["valid_from"]].append(row)
    return rows


def _key(host: Host) -> tuple[object, ...]:
    return host.resource_id, host.cluster, host.hostname, midnight(host.valid_from)


def is_missing(rows: Sequence[Mapping[str, Any]], what: str) -> bool:
    """Whether an entry's rows of several months answer `what` with no, and never with yes."""
    answers = {row[what] for row in rows}
    return False in answers and True not in answers


def _months(last: date) -> tuple[date, date]:
    """From the first day of the month before to the first day of the month after."""
    return month_start(month_start(last) - timedelta(days=1)), next_month(last)


def _not_billed(house: House, entries: Sequence[tuple[int, Host]], last: date) -> Iterator[Unmatched]:
    if not entries:
        return
    rows = house.lake.read(UNJOINED, *_months(last)).select(["resource_id"])
    billed = sorted({row["resource_id"] for row in rows.to_pylist() if row["resource_id"]})
    unknown = f"Billed, and in no entry: {_listed(billed)}" if billed else ""
    for index, host in entries:
        message = (
            f"'{host.resource_id}' ({host.hostname} in {host.cluster}) is on no bill line of {last:%Y-%m} or the month "
            "before: nobody is charged for its GPUs"
        )
        found = meant(host.resource_id, billed) or unknown
        remedy = "Write it as the bill's resource_id does, or say with 'to' from when on the machine is yours no more."
        yield Unmatched(index, "resource_id", message, f"{found} {remedy}".strip())


def _not_seen(
    house: House, entries: Sequence[tuple[int, Host, Sequence[Mapping[str, Any]]]], last: date
) -> Iterator[Unmatched]:
    heard = _heard(house, last) if entries else {}
    for index, host, rows in entries:
        unknown = f"in {last:%Y-%m} or the month before: what its GPUs did is unknown"
        other = next((row["other_cluster"] for row in rows if row["other_cluster"]), None)
        if other is not None:
            message = f"'{host.hostname}' reports from cluster '{other}', and never from '{host.cluster}', {unknown}"
            yield Unmatched(index, "cluster", message, f"Write '{other}', or the source's 'account' as it is here.")
        elif host.cluster not in heard:
            message = f"nothing reports from cluster '{host.cluster}' ({host.hostname}) {unknown}"
            yield Unmatched(index, "cluster", message, nearest(host.cluster, heard))
        else:
            message = f"no sample, node or job of cluster '{host.cluster}' names '{host.hostname}' {unknown}"
            yield Unmatched(index, "hostname", message, nearest(host.hostname, heard[host.cluster]))


def _heard(house: House, last: date) -> dict[str, set[str]]:
    """The nodes that samples, clusters and schedulers name, by cluster."""
    nodes: dict[str, set[str]] = defaultdict(set)
    with house.engine() as engine:
        for table in HEARD_IN:
            register(house, engine, table, *_months(last))
        either = " union ".join(f"select cluster, hostname from {table}" for table in HEARD_IN)
        for row in engine.query(either).to_pylist():
            if row["hostname"]:  # a pod's own metrics may name no machine
                nodes[row["cluster"]].add(row["hostname"])
    return dict(nodes)


def _listed(names: Sequence[str]) -> str:
    return first_of([f"'{name}'" for name in names]) + "."
