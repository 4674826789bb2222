"""Core tables and marts as assets, generated from their contracts, and the checks that stop a bad night."""

from collections.abc import Callable, Mapping
from datetime import date

import dagster as dg

from contracts import Contract, Layer, all_contracts, contract
from contracts.focus import FOCUS
from models.reconciliation import CAUSES, LINES
from pipelines.assets.columns import column_metadata
from pipelines.assets.partitions import DAILY, days_of
from pipelines.assets.resources import house_of
from pipelines.assets.staged import fed_facts
from pipelines.house import House
from pipelines.night.adjustments import ADJUSTMENTS, RESTATED, build_adjustments, build_restated_postings
from pipelines.night.anomalies import ANOMALIES, build_anomalies
from pipelines.night.break_even import BREAK_EVEN, build_break_even
from pipelines.night.budgets import BUDGET_STATUS, build_budget_status
from pipelines.night.build import Built, build
from pipelines.night.commitment_advice import ADVICE, build_commitment_advice
from pipelines.night.commitments import HOURS, build_commitment_hours
from pipelines.night.contract_prices import useless_prices
from pipelines.night.customers import BY_CUSTOMER, build_chargeback_by_customer
from pipelines.night.errata import ERRATA, build_bill_errata
from pipelines.night.focus import build_focus
from pipelines.night.forecasts import FORECASTS, build_forecasts
from pipelines.night.gpu_costs import GPU_COSTS, NODE_COSTS, build_gpu_costs, build_node_costs
from pipelines.night.holder_days import HOLDER_DAYS, build_holder_days
from pipelines.night.host_matches import MATCHES, build_host_matches
from pipelines.night.late_prices import out_of_reach
from pipelines.night.ledger import POSTINGS, build_postings
from pipelines.night.list_readings import LISTED, SKU_PRICES
from pipelines.night.metrics import METRICS, metric_problems
from pipelines.night.outcomes import EVENTS, UNIT_COSTS, build_outcome_events, build_unit_costs
from pipelines.night.provisioned import MINUTES, PROVISIONED, build_provisioned_advice, build_provisioned_minutes
from pipelines.night.reconciliation import build_causes, build_lines
from pipelines.night.references import (
    REFUSED,
    REFUSED_OF_CLOUDS,
    write_bill_sources,
    write_exchange_rates,
    write_model_identity,
    write_references,
)
from pipelines.night.savings import SAVINGS, build_savings
from pipelines.night.sealing import CHARGED, build_chargeback
from pipelines.night.self_hosting import SCALING, SELF_HOSTED, build_scaling_costs, build_self_hosted_costs
from pipelines.night.spot_means import MEANS, build_spot_means
from pipelines.night.stale import stored_inputs
from pipelines.night.variance_bridge import BRIDGE, build_variance_bridge
from pipelines.night.verified_savings import VERIFIED, build_verified_savings

REFERENCES = (
    *("teams", "team_hierarchy", "feature_products", "ledger_accounts", METRICS),
    *("owners", "host_identity", "gpu_faults", "gpu_rules", "gpu_types", "gpu_workload_rules"),
    *(LISTED, "prices", "reporting", "invoices", "outcome_kinds", "budgets"),
)
NAMED_IN = ["models_in_use", "charges", "provider_usage", "serving_counters", "prices"]  # where models have names
# tables that a model computes, or of which more is told; all others have SQL alone
COMPUTED: Mapping[str, Callable[[House, date, date], Built]] = {
    POSTINGS: build_postings,
    RESTATED: build_restated_postings,
    ADJUSTMENTS: build_adjustments,
    CHARGED: build_chargeback,
    BY_CUSTOMER: build_chargeback_by_customer,
    GPU_COSTS: build_gpu_costs,
    NODE_COSTS: build_node_costs,
    SELF_HOSTED: build_self_hosted_costs,
    SCALING: build_scaling_costs,
    HOURS: build_commitment_hours,
    MEANS: build_spot_means,
    LINES: build_lines,
    CAUSES: build_causes,
    MATCHES: build_host_matches,
    HOLDER_DAYS: build_holder_days,
    ANOMALIES: build_anomalies,
    ADVICE: build_commitment_advice,
    MINUTES: build_provisioned_minutes,
    PROVISIONED: build_provisioned_advice,
    BREAK_EVEN: build_break_even,
    BRIDGE: build_variance_bridge,
    SAVINGS: build_savings,
    VERIFIED: build_verified_savings,
    ERRATA: build_bill_errata,
    EVENTS: build_outcome_events,
    UNIT_COSTS: build_unit_costs,
    FOCUS: build_focus,
    FORECASTS: build_forecasts,
    BUDGET_STATUS: build_budget_status,
}


def reference_assets() -> list[dg.AssetsDefinition]:
    """The reference tables: those of the configuration together, and the model identities."""

    @dg.multi_asset(
        specs=[_reference_spec(name) for name in REFERENCES],
        name="references",
        required_resource_keys={"house"},
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def references(context: dg.AssetExecutionContext):  # noqa: ANN202  # dagster infers from the yields
        house = house_of(context)
        house.progress.start("references")
        counts = write_references(house)
        told = f"{counts['prices']:,} prices, {counts['owners']} owner rules"
        house.progress.finish("references", told, tuple(metric_problems(house)))
        for name in REFERENCES:
            refused = (REFUSED, REFUSED_OF_CLOUDS) if name == "prices" else ()
            metadata = {"rows": counts[name]} | {kind: counts[kind] for kind in refused}
            yield dg.MaterializeResult(asset_key=name, metadata=metadata)

    @_reference_asset("fx_rates", deps=[])
    def fx_rates(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": write_exchange_rates(house_of(context))})

    @_reference_asset("model_identity", deps=NAMED_IN)
    def model_identity(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        house.progress.start("model_identity")
        count = write_model_identity(house, *days_of(context))
        told = (*useless_prices(house), *out_of_reach(house, days_of(context)[0]))
        house.progress.finish("model_identity", f"{count:,} names", told)
        return dg.MaterializeResult(metadata={"rows": count})

    @_reference_asset("bill_sources", deps=["charges"])
    def bill_sources(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": write_bill_sources(house_of(context), *days_of(context))})

    return [references, fx_rates, model_identity, bill_sources]


def _reference_spec(name: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        group_name="reference",
        description=contract(name).description,
        metadata=column_metadata(contract(name)),
        owners=[f"team:{contract(name).owner}"],
        partitions_def=DAILY,
        kinds={"delta"},
        deps=[dg.AssetKey([fact]) for fact in fed_facts() if fact == SKU_PRICES and name in (LISTED, "prices")],
    )


def _reference_asset(name: str, *, deps: list[str]) -> Callable[..., dg.AssetsDefinition]:
    return dg.asset(
        name=name,
        group_name="reference",
        deps=deps,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        owners=[f"team:{contract(name).owner}"],
        description=contract(name).description,
        metadata=column_metadata(contract(name)),
        kinds={"delta"},
    )


def table_asset(table: Contract) -> dg.AssetsDefinition:
    """One core table or mart."""

    @dg.asset(
        name=table.table,
        group_name="core" if table.layer is Layer.CORE else "marts",
        deps=_upstream(table),
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        owners=[f"team:{table.owner}"],
        description=f"{table.description}\n\nGrain: {table.grain}.",
        metadata=column_metadata(table),
        kinds={"python"} if table.table in COMPUTED else {"sql"},
    )
    def rebuild(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        house.progress.start(table.table)
        first, last = days_of(context)
        compute = COMPUTED.get(table.table)
        built = compute(house, first, last) if compute else build(house, table, first, last)
        house.progress.finish(table.table, _summary(built), built.problems)
        return dg.MaterializeResult(metadata=_metadata(built))

    return rebuild


def table_assets() -> list[dg.AssetsDefinition]:
    """Every stored core table and mart."""
    layers = (Layer.CORE, Layer.MART)
    return [table_asset(t) for t in all_contracts().values() if t.layer in layers and t.materialized == "table"]


def _upstream(table: Contract) -> list[dg.AssetKey]:
    keys: list[dg.AssetKey] = []
    for stored in stored_inputs(table):
        written_by = fed_facts() if stored.layer is Layer.LAKE else [stored.table]
        keys += [dg.AssetKey([name]) for name in written_by]
    return keys


def _summary(built: Built) -> str:
    if not built.slices:
        return "up to date"
    money = "".join(f", {currency} {cost:,.2f}" for currency, cost in sorted(built.effective_cost.items()))
    note = f"; {built.note}" if built.note else ""
    return f"{len(built.slices)} slices, {built.row_count:,} rows{money}{note}"


def _metadata(built: Built) -> dict[str, int | str]:
    found: dict[str, int | str] = {"slices_rebuilt": len(built.slices), "rows": built.row_count}
    for currency, cost in built.effective_cost.items():
        found[f"effective_cost_{currency}"] = str(cost)
    return found
