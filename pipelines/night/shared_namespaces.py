"""Namespaces of one name in several clusters that one owner rule takes for one: a hint of `farthing check`.

It is no error: many companies give a name to one team everywhere. Where they do not, a team pays for another's
GPUs, and nothing in the figures shows it.
"""

from collections import defaultdict
from datetime import date, timedelta

from connectors.wording import first_of
from models.frames import frame_of
from pipelines.calendar import month_start, next_month
from pipelines.config.schema import Owner
from pipelines.house import House
from pipelines.night.register import register

STATES = "gpu_states_hourly"


def shared_namespaces(house: House) -> list[str]:
    """One line for each rule by namespace that names no cluster and took GPUs of several in the latest two months.

    A cluster for which another rule names the namespace does not count.
    """
    rules = [rule for rule in house.config.owners if rule.namespace is not None]
    days = [piece.slice_date for piece in house.lake.slices(STATES) if piece.row_count]
    if not days or not rules:
        return []
    held = _held(house, max(days))
    return [
        f"owner rule '{rule.id}' takes namespace '{rule.namespace}' of clusters {first_of(clusters)} for one. If it is "
        "not the same team's in each, give each cluster a rule with 'cluster'."
        for rule in rules
        if rule.cluster is None and len(clusters := _left_to(rule, rules, held)) > 1
    ]


def _held(house: House, last: date) -> dict[str, set[str]]:
    """The clusters in which a namespace held GPUs."""
    start = month_start(month_start(last) - timedelta(days=1))
    found: dict[str, set[str]] = defaultdict(set)
    with house.engine() as engine:
        register(house, engine, STATES, start, next_month(last))
        pairs = frame_of(engine.query(f"select distinct namespace, cluster from {STATES}"))
    for namespace, cluster in pairs.iter_rows():
        found[namespace].add(cluster)
    return found


def _left_to(rule: Owner, rules: list[Owner], held: dict[str, set[str]]) -> list[str]:
    named = {other.cluster for other in rules if other.namespace == rule.namespace}
    return sorted(held.get(rule.namespace or "", set()) - named)
