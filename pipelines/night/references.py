"""Reference tables from the configuration and price books: who owns what, what is which, who bills, what it costs."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa

from connectors.registry import source
from contracts import conform, contract
from models.outcome_kinds import CUSTOMER, OPERATION, TRACE_ID, USER
from models.pricing import identity_rows
from pipelines.calendar import midnight, next_month
from pipelines.config.gpus import GpuWork, WarmStandby
from pipelines.config.schema import Config
from pipelines.gpu_faults import gpu_faults
from pipelines.gpu_types import gpu_types
from pipelines.house import House
from pipelines.night.budget_table import budget_table
from pipelines.night.exchange_rates import TABLE as FX_RATES
from pipelines.night.exchange_rates import learned_rates
from pipelines.night.hierarchy import hierarchy_tables
from pipelines.night.list_readings import LISTED
from pipelines.night.metrics import METRICS, metric_table
from pipelines.night.price_lists import PRICES, identity_overrides, learned_prices
from pipelines.night.register import register
from pipelines.night.stale import content_fingerprint, reach

REFERENCE_DATE = date(1970, 1, 1)
REFUSED = "refused_list_prices"
REFUSED_OF_CLOUDS = "refused_cloud_prices"
REFERENCE_SOURCE = "configuration"
BILL_SOURCES = "bill_sources"


def write_references(house: House) -> dict[str, int]:
    """Writes the reference tables that follow from the configuration and from price lists. Returns rows by table.

    Under `REFUSED` stands how many list prices a dated book cannot express (by time of day, or finer than a
    millionth of a dollar), under `REFUSED_OF_CLOUDS` how many of clouds' lists (in other currencies, too), of those
    that were looked at: models of which a list says what it said before are not. A table whose content has not changed
    is left as it is: nothing downstream is rebuilt.
    """
    config = house.config
    learned = learned_prices(house)
    tables = {
        "teams": _teams(config),
        **hierarchy_tables(config),
        METRICS: metric_table(house),
        "owners": _owners(config),
        "host_identity": host_table(config),
        "gpu_faults": _table(
            "gpu_faults", ({"xid_code": code, "meaning": told} for code, told in gpu_faults().items())
        ),
        "gpu_rules": _gpu_rules(config),
        "gpu_types": _gpu_types(),
        "gpu_workload_rules": _gpu_workload_rules(config),
        "reporting": _table("reporting", [{"reporting_currency": config.currency}]),
        "invoices": _invoices(config),
        "outcome_kinds": outcome_kind_table(config),
        "budgets": budget_table(config),
    }
    counts = {name: _replace(house, name, rows) for name, rows in tables.items()}
    counts[PRICES] = _replace(house, PRICES, learned.rows, learned.fingerprint)
    counts[LISTED] = sum(piece.row_count for piece in house.lake.slices(LISTED))
    return counts | {REFUSED: learned.refused_list_prices, REFUSED_OF_CLOUDS: learned.refused_cloud_prices}


def write_exchange_rates(house: House) -> int:
    """Writes the exchange rates that are known. Returns rows. Raises RateLockedError as `learned_rates`."""
    return _replace(house, FX_RATES, learned_rates(house))


def write_model_identity(house: House, first: date, last: date) -> int:
    """Resolves every model name that logs, bills, usage APIs and engines of those days use, beside those resolved."""
    pairs = _names_in_use(house, first, last)
    known = house.lake.read("model_identity").to_pylist()
    pairs |= {(row["source_provider"], row["source_model"]) for row in known}
    rows = identity_rows(sorted(pairs), identity_overrides(house.config)).to_arrow()
    return _replace(house, "model_identity", conform(contract("model_identity"), rows))


def write_bill_sources(house: House, first: date, last: date) -> int:
    """Writes which configured source bills whom: the providers on bills of those days beside those already seen."""
    configured = {settings.name for settings in house.config.sources if source(settings.kind).fact == "charges"}
    with house.engine() as engine:
        register(house, engine, "charges", reach(first), next_month(last))
        billed = engine.query("select distinct x_source, provider_name from charges").to_pylist()
    known = house.lake.read(BILL_SOURCES).to_pylist()
    pairs = {(row["x_source"], row["provider_name"]) for row in (*billed, *known)}
    seen = {(name, provider) for name, provider in pairs if name in configured and provider}
    seen |= {(name, "") for name in configured - {name for name, _ in seen}}
    rows = ({"x_source": name, "provider_name": provider} for name, provider in sorted(seen))
    return _replace(house, BILL_SOURCES, _table(BILL_SOURCES, rows))


def _names_in_use(house: House, first: date, last: date) -> set[tuple[str, str]]:
    start, end = reach(first), last + timedelta(days=1)
    logged = house.lake.read("models_in_use", start, end).to_pylist()
    with house.engine() as engine:
        register(house, engine, "charges", start, next_month(last))
        billed = engine.query(
            "select distinct provider_name as provider, x_model_id as model from charges where x_model_id is not null"
        ).to_pylist()
        register(house, engine, "provider_usage", start, end)
        counted = engine.query(
            "select distinct provider_name as provider, model from provider_usage where model is not null"
        ).to_pylist()
        register(house, engine, "serving_counters", start, end)
        served = engine.query(
            "select distinct engine_name as provider, model_name as model from serving_counters where model_name <> ''"
        ).to_pylist()
    return {(row["source_provider"], row["source_model"]) for row in logged} | {
        (row["provider"], row["model"]) for row in (*billed, *counted, *served)
    }


def _replace(house: House, table: str, rows: pa.Table, fingerprint: str | None = None) -> int:
    """Replaces a table unless it has that fingerprint, that of its content if none is given. Returns its rows."""
    fingerprint = fingerprint or content_fingerprint(rows)
    if [piece.fingerprint for piece in house.lake.slices(table)] != [fingerprint]:
        house.lake.replace_slice(table, REFERENCE_DATE, REFERENCE_SOURCE, rows, fingerprint)
    return rows.num_rows


def _table(name: str, rows: Iterable[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=contract(name).arrow_schema())


def _teams(config: Config) -> pa.Table:
    return _table(
        "teams",
        (
            {"team_id": t.id, "team_name": t.name, "business_unit": t.business_unit, "cost_centre": t.cost_centre}
            for t in config.teams
        ),
    )


def _owners(config: Config) -> pa.Table:
    rows = []
    for priority, owner in enumerate(config.owners):
        match_key, match_value = owner.match
        rows.append(
            {
                "rule_id": owner.id,
                "priority": priority,
                "match_kind": owner.match_kind,
                "match_key": match_key,
                "match_value": match_value,
                "cluster": owner.cluster,
                "team_id": owner.team,
                "pool_id": owner.pool,
                "valid_from": owner.valid_from,
                "valid_to": owner.valid_to,
            }
        )
    return _table("owners", rows)


def _invoices(config: Config) -> pa.Table:
    return _table(
        "invoices",
        (
            {
                "billing_period": invoice.first_day,
                "provider_name": invoice.provider,
                "invoice_id": invoice.id or "",
                "billing_currency": invoice.currency,
                "stated_total": invoice.total,
            }
            for invoice in config.invoices
        ),
    )


def host_table(config: Config) -> pa.Table:
    """The register of machines, as `host_identity`."""
    return _table(
        "host_identity",
        (
            {
                "resource_id": host.resource_id,
                "hostname": host.hostname,
                "cluster": host.cluster,
                "gpu_count": host.gpus,
                "gpu_model_name": host.gpu_model,
                "vcpu_count": None if host.vcpus is None else Decimal(host.vcpus),
                "memory_gib": host.memory_gib,
                "valid_from": midnight(host.valid_from),
                "valid_to": midnight(host.valid_to),
            }
            for host in config.hosts
        ),
    )


def outcome_kind_table(config: Config) -> pa.Table:
    """The declared kinds of outcomes, as `outcome_kinds`."""
    traces = {TRACE_ID: (TRACE_ID, ""), OPERATION: (OPERATION, "")}
    keys = {None: ("none", ""), CUSTOMER: (CUSTOMER, ""), USER: (USER, "")}
    rows: list[dict[str, object]] = []
    for kind in config.outcome_kinds:
        trace_by, trace_name = traces.get(kind.trace, ("metadata", kind.trace))
        key_by, key_name = keys.get(kind.key, ("metadata", kind.key))
        met: dict[str, object] = {
            "trace_by": trace_by,
            "trace_name": trace_name,
            "key_by": key_by,
            "key_name": key_name,
        }
        rows += [{"outcome_kind": kind.name, "feature": name, **met} for name in kind.features or ("",)]
    return _table("outcome_kinds", rows)


def _gpu_rules(config: Config) -> pa.Table:
    rules = config.gpu_idleness
    row: dict[str, object] = {
        "idle_activity_ratio": rules.activity_below,
        "idle_utilisation_ratio": rules.utilisation_up_to,
        "full_activity_ratio": rules.full_activity,
        "interactive_idle_seconds": rules.interactive_minutes * 60,
        "training_idle_seconds": rules.training_minutes * 60,
        "batch_idle_seconds": rules.batch_minutes * 60,
    }
    return _table("gpu_rules", [row])


def _gpu_types() -> pa.Table:
    return _table("gpu_types", ({"name_key": key, "gpu_type": name} for key, name in gpu_types().items()))


def _gpu_workload_rules(config: Config) -> pa.Table:
    return _table(
        "gpu_workload_rules",
        (
            {
                "priority": priority,
                "cluster": rule.cluster,
                "namespace": rule.namespace,
                "workload_name": rule.workload,
                "pod_prefix": rule.pod_prefix,
                "work_kind": rule.kind if isinstance(rule, GpuWork) else None,
                "standby_replicas": rule.replicas if isinstance(rule, WarmStandby) else None,
            }
            for priority, rule in enumerate((*config.gpu_work, *config.warm_standby))
        ),
    )
