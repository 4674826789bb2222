"""The versions of everything that is not rows (SQL, prices, identities, rules): part of a slice's fingerprint."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version

from contracts import Contract, Layer, contract, sql_root
from contracts.focus import FOCUS
from models.budgets import BUDGET_RULES
from models.budgets import TABLE as BUDGET_STATUS
from models.commitment_advice import ADVICE_RULES
from models.commitment_hours import HOURS_RULES
from models.errata import ERRATA_RULES
from models.focus import FOCUS_RULES
from models.gpu_weights import GPU_SECOND_RULES
from models.ledger import RULES
from models.node_prices import NODE_PRICE_RULES
from models.outcome_events import OUTCOME_RULES
from models.outcome_events import TABLE as OUTCOME_EVENTS
from models.provisioned_advice import PROVISIONED_RULES
from models.reconciliation import CAUSES, LINES, RECONCILIATION_RULES
from models.savings import SAVINGS_RULES
from models.savings import TABLE as SAVINGS
from models.scaling import SCALING_RULES
from models.self_hosting import SELF_HOSTING_RULES
from models.spot import SPOT_RULES
from models.variance_bridge import BRIDGE_RULES
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.lake import DELIVERED, WITHDRAWN
from pipelines.night.closings import CLOSINGS
from pipelines.night.known_errors import known_errors
from pipelines.night.stale import HALF, Versions, reach, stored_inputs
from pipelines.night.used_versions import used_versions
from pipelines.provisioned_units import terms_by_scope

PERIOD_STATES = "period_states"
_SAID = ["x_source", "fact", "slice_date", "attempted_at", "status", "is_final", "reject_count"]


def rule_versions(house: House, output: Contract, first: date, last: date) -> Versions:
    """For `output` its SQL and those of the views below; for reference tables what decides their content.

    What a day of the log is built from is versioned by what that day uses. Elsewhere model identities are versioned by
    the rules that resolve names, not by the names seen so far: a new name must not rebuild what it does not occur in.
    """
    inputs = stored_inputs(output)
    by_day = used_versions(house, output, inputs, reach(first), last)
    versions: dict[str, str | Mapping[date, str]] = {output.table: _digest([*_texts(output), *_models(house, output)])}
    for table in inputs:
        if table.table in by_day:
            versions[table.table] = by_day[table.table]
        elif table.table == "model_identity":
            rules = [entry.model_dump(mode="json") for entry in house.config.models]
            versions["model_identity"] = _digest([json.dumps(rules), version("genai-prices")])
        elif table.layer is Layer.LAKE:
            versions[table.table] = _lake_version(house, output, table)
        elif table.slice == "none":
            pieces = sorted(piece.fingerprint[-HALF:] for piece in house.lake.slices(table.table))
            versions[table.table] = _digest(pieces)
    return versions


def _lake_version(house: House, output: Contract, table: Contract) -> str | Mapping[date, str]:
    """What each attempt said is no reason to rebuild, but where its words are what is told.

    A period asks only whether its month is over; a day only for its first delivery, which stays what it was. How
    settled a period is follows from what its sources last said of it, and from whether it was locked.
    """
    if table.table == CLOSINGS:
        return {row["billing_period"]: "locked" for row in house.lake.read(CLOSINGS).to_pylist()}
    if output.table == PERIOD_STATES:
        return _last_words(house)
    return "" if output.slice == "day" else f"{house.clock():%Y-%m}"


def _last_words(house: House) -> Mapping[date, str]:
    """By month: what every source of bills says of it, and which of them were asked after its end."""
    asked: dict[str, date] = {}
    words: dict[date, dict[str, str]] = {}
    attempts = house.lake.read("deliveries").select(_SAID).sort_by([("attempted_at", "ascending")])
    for row in attempts.to_pylist():
        asked[row["x_source"]] = row["attempted_at"].date()
        if row["fact"] == "charges":
            said = words.setdefault(row["slice_date"], {})
            in_place = row["status"] in (*DELIVERED, WITHDRAWN)
            found = f"{row['status'] == WITHDRAWN} {row['is_final']} {row['reject_count'] > 0}"
            said[row["x_source"]] = found if in_place else said.get(row["x_source"], "")
    return {
        month: _digest([f"{name} {asked[name] >= next_month(month)} {said[name]}" for name in sorted(said)])
        for month, said in words.items()
    }


_RULES: Mapping[str, str] = {
    "commitment_advice": ADVICE_RULES,
    "provisioned_minutes": PROVISIONED_RULES,
    "provisioned_advice": PROVISIONED_RULES,
    "variance_bridge": BRIDGE_RULES,
    "commitment_hours": HOURS_RULES,
    SAVINGS: SAVINGS_RULES,
    "spot_price_means": SPOT_RULES,
    LINES: RECONCILIATION_RULES,
    CAUSES: RECONCILIATION_RULES,
    "postings": RULES,
    "restated_postings": RULES,
    "gpu_costs_hourly": f"{RULES}, seconds {GPU_SECOND_RULES}",
    "gpu_node_costs": NODE_PRICE_RULES,
    "self_hosted_costs": SELF_HOSTING_RULES,
    "scaling_costs": SCALING_RULES,
    OUTCOME_EVENTS: OUTCOME_RULES,
    FOCUS: FOCUS_RULES,
    BUDGET_STATUS: BUDGET_RULES,
}
"""The version of the code of every table that `models` computes."""

_BY_POLICY = ("postings", "restated_postings")
_BY_POOLS = ("postings", "restated_postings", "self_hosted_costs")
_BY_ERRATA = ("postings", "restated_postings")
_BY_UNITS = ("provisioned_minutes", "provisioned_advice")


def _models(house: House, output: Contract) -> list[str]:
    """The rules of a table that `models` computes: the version of the code, and what configuration adds to it."""
    rules = [_RULES[output.table]] if output.table in _RULES else []
    if output.table in _BY_ERRATA and (errata := known_errors(house)):
        rules += [ERRATA_RULES, *map(repr, errata)]
    if output.table == OUTCOME_EVENTS:
        rules += map(repr, house.config.outcome_kinds)
    if output.table == BUDGET_STATUS:
        rules.append(repr(house.config.budget_alerts))
    rules += [repr(terms_by_scope())] if output.table in _BY_UNITS else []
    rules += list(map(repr, house.config.shared_pools)) if output.table in _BY_POOLS else []
    if output.table in _BY_POLICY:
        rules += [*map(repr, house.config.unused), repr(house.config.prompt_cache), repr(house.config.token_log)]
    return rules


def _texts(output: Contract) -> list[str]:
    texts = [output.model_dump_json(exclude={"description", "grain", "owner"})]
    file = sql_root() / output.layer / f"{output.table}.sql"
    if file.exists():
        texts.append(file.read_text(encoding="utf-8"))
    for name in output.depends_on:
        if contract(name).materialized != "table":
            texts += _texts(contract(name))
    return texts


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
