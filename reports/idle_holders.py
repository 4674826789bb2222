"""The GPUs that a team held idle when the month, or what is known of it, ended.

Here belongs: rows of `idle_gpu_holders` as a table. Here does not belong: what makes a GPU idle.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from reports.money import exact_sum, format_money, format_number, round_to
from reports.tables import Row, Table
from reports.wording import clean, day_label, instant_label

_MOST = 8
_Key = tuple[str, str, str, str]


def idle_table(rows: Iterable[Mapping[str, Any]]) -> Table | None:
    """One line for each pod or job that held idle GPUs, the dearest first, and one for those beyond eight; or None.

    `rows` are the team's rows of `idle_gpu_holders` of one day. Costs are in the bill's currency, as they stand.
    """
    by_holder: dict[_Key, list[Mapping[str, Any]]] = {}
    for row in rows:
        key = (row["cluster"], row["namespace"], row["pod"], row["billing_currency"])
        by_holder.setdefault(key, []).append(row)
    if not by_holder:
        return None
    day = max(row["usage_date"] for held in by_holder.values() for row in held)
    ranked = sorted(by_holder.items(), key=lambda one: (-_cost(one[1]), one[0]))
    beyond = ranked[_MOST:] if len(ranked) > _MOST + 1 else []
    shown = tuple(_row(key, held) for key, held in ranked[: len(ranked) - len(beyond)])
    others = tuple(_others(currency, beyond) for currency in sorted({key[3] for key, _ in beyond}))
    lead = f"Held and idle when {day_label(day)} ended, with what that has cost since it began."
    remark = (
        "Hours are counted from the second day of the month before at the earliest; what nobody saw is in no figure "
        "here."
    )
    return Table(
        "idle-gpus", "Idle GPUs you hold", ("Held by", "Idle", "Cost"), shown + others, lead=lead, remark=remark
    )


def _row(key: _Key, held: list[Mapping[str, Any]]) -> Row:
    cluster, namespace, pod, currency = key
    gpus = len({(row["resource_id"], row["gpu_uuid"], row["gpu_instance_id"]) for row in held})
    models = sorted({clean(row["gpu_model_name"]) for row in held if row["gpu_model_name"]})
    since: datetime = min(row["idle_since"] for row in held)
    named = f" ({', '.join(models)})" if models else ""
    said = [f"{gpus} GPU{'' if gpus == 1 else 's'}{named}"]
    said.append(f"{clean(cluster)}, namespace {clean(namespace)}")
    is_longer = any(row["is_idle_longer"] for row in held)
    said.append(f"since {instant_label(since)}{' or longer' if is_longer else ''}")
    said += ["within its warm standby"] if all(row["is_warm_standby"] for row in held) else []
    said += ["its holder is assumed"] if any(row["is_holder_assumed"] for row in held) else []
    return Row(clean(pod) or "Unnamed", (_hours(held), format_money(_cost(held), currency)), "; ".join(said))


def _others(currency: str, beyond: list[tuple[_Key, list[Mapping[str, Any]]]]) -> Row:
    of_currency = [held for key, held in beyond if key[3] == currency]
    rows = [row for held in of_currency for row in held]
    return Row(f"{len(of_currency):,} others", (_hours(rows), format_money(_cost(rows), currency)))


def _cost(rows: Iterable[Mapping[str, Any]]) -> Decimal:
    return exact_sum(row["idle_cost"] for row in rows)


def _hours(rows: Iterable[Mapping[str, Any]]) -> str:
    seconds = Decimal(sum(row["idle_seconds"] for row in rows))
    return f"{format_number(round_to(seconds / 3600, Decimal('0.1')))} h"
