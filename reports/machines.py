"""GPU machines that bill, cluster and register do not tell alike: what nobody is charged for, or nothing is known of.

Here belongs: naming them. Here does not belong: why, which the night and `farthing check` say with the remedy.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from models.minor_units import minor_unit
from reports.currencies import Amounts, amounts_text
from reports.given import SharedFacts, UnknownMachine, UnmatchedEntry
from reports.money import EXACT, format_money, round_to
from reports.tables import Row, Table
from reports.wording import clean

MOST_ROWS = 20
_UNKNOWN = (
    "was billed for GPUs of machines that neither the register (hosts) nor a cluster knows: who held them and what "
    "they did is in no figure."
)
_UNMATCHED = "What the register (hosts) says of these machines, no bill or no cluster says."


def machine_tables(shared: SharedFacts) -> list[Table]:
    """GPUs that are billed and not known, and entries that are known and not billed or not seen; empty without."""
    tables: list[Table] = []
    if shared.unknown_machines:
        tables.append(_unknown(shared.unknown_machines))
    if shared.unmatched_entries:
        tables.append(_unmatched(shared.unmatched_entries))
    return tables


def _unknown(machines: Sequence[UnknownMachine]) -> Table:
    ranked = sorted(machines, key=lambda machine: (-machine.cost, machine.provider, machine.machine))
    return Table(
        "unknown-machines",
        "GPU machines that nobody knows",
        ("Machine", "Cost"),
        tuple(Row(_called(machine), (_money(machine.cost, machine.currency),)) for machine in ranked[:MOST_ROWS]),
        lead=f"{amounts_text(_sums(machines))} {_UNKNOWN}",
        remark=_more(ranked),
    )


def _unmatched(entries: Sequence[UnmatchedEntry]) -> Table:
    ranked = sorted(entries, key=lambda entry: (entry.cluster, entry.hostname, entry.resource))
    return Table(
        "unmatched-machines",
        "Registered machines not found",
        ("Machine", "Not found"),
        tuple(
            Row(clean(f"{entry.hostname} in {entry.cluster}"), (_lacking(entry),), clean(entry.resource))
            for entry in ranked[:MOST_ROWS]
        ),
        lead=_UNMATCHED,
        remark=_more(ranked),
    )


def _called(machine: UnknownMachine) -> str:
    return clean(f"{machine.provider}: {machine.machine}" if machine.machine else machine.provider)


def _lacking(entry: UnmatchedEntry) -> str:
    places = (("on a bill", entry.is_billed), ("in its cluster", entry.is_seen))
    return " or ".join(place for place, is_found in places if not is_found)


def _more(ranked: Sequence[object]) -> str:
    return f"And {len(ranked) - MOST_ROWS} more." if len(ranked) > MOST_ROWS else ""


def _sums(machines: Sequence[UnknownMachine]) -> Amounts:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for machine in machines:
        sums[machine.currency] = EXACT.add(sums[machine.currency], machine.cost)
    return tuple((currency, round_to(cost, minor_unit(currency))) for currency, cost in sorted(sums.items()))


def _money(cost: Decimal, currency: str) -> str:
    return format_money(round_to(cost, minor_unit(currency)), currency)
