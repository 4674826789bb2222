"""The graph that Dagster shows: assets from registry and contracts, blocking checks, one run per backfill, a schedule."""

import dagster as dg
import pytest

from connectors.registry import SOURCES, source
from contracts import Layer, all_contracts
from pipelines.assets.checks import checked_tables
from pipelines.definitions import NIGHTLY, build_defs

GROUPS = {"sources", "staged", "reference", "core", "marts", "published"}


@pytest.fixture(scope="module")
def graph() -> dg.Definitions:
    return build_defs()


def asset_keys(graph: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in graph.resolve_all_asset_keys()}


def test_every_connector_has_an_asset(graph: dg.Definitions) -> None:
    assert {f"sources/{kind}" for kind in SOURCES} <= asset_keys(graph)


def test_every_stored_table_has_an_asset_of_its_name(graph: dg.Definitions) -> None:
    fed = {source(kind).fact for kind in SOURCES}
    wanted = {
        t.table
        for t in all_contracts().values()
        if t.materialized == "table" and (t.layer in (Layer.REFERENCE, Layer.CORE, Layer.MART) or t.table in fed)
    }
    assert wanted <= asset_keys(graph)


def test_a_table_stands_downstream_of_what_its_contract_reads(graph: dg.Definitions) -> None:
    nodes = graph.resolve_asset_graph()
    parents = {key.to_user_string() for key in nodes.get(dg.AssetKey("postings")).parent_keys}
    assert {"charge_groups", "usage_by_team_daily", "gpu_states_hourly", "owners"} <= parents
    # priced_requests is a view: usage_sums stands on what is below it
    assert "gateway_requests" in {k.to_user_string() for k in nodes.get(dg.AssetKey("usage_sums")).parent_keys}


def test_every_stored_table_has_a_blocking_contract_check(graph: dg.Definitions) -> None:
    nodes = graph.resolve_asset_graph()
    blocking = {(k.asset_key.to_user_string(), k.name) for k in nodes.asset_check_keys if nodes.get(k).blocking}
    assert {table for table, name in blocking if name == "contract"} == {table.table for table in checked_tables()}
    others = blocking - {(table.table, "contract") for table in checked_tables()}
    assert others == {
        ("postings", "conservation"),
        ("adjustments", "locked_months"),
        ("focus_cost_and_usage", "conservation"),
        ("chargeback_by_customer", "conservation"),
    }


def test_the_checked_tables_are_all_that_a_night_writes() -> None:
    assert {table.table for table in checked_tables()} == {
        *("charges", "gateway_requests", "gpu_samples", "gpu_allocations", "node_sightings", "serving_counters"),
        *("provider_usage", "sku_prices", "spot_prices", "commitment_terms", "outcome_scores", "outcomes"),
        *("teams", "owners", "host_identity", "model_identity", "prices", "listed_prices", "fx_rates", "reporting"),
        *("team_hierarchy", "feature_products", "ledger_accounts", "pool_metrics"),
        *("bill_sources", "invoices", "invoice_tie_out", "period_states"),
        *("restated_postings", "adjustments", "period_adjustments"),
        *("models_in_use", "price_book", "usage_daily", "usage_by_team_daily", "charge_groups", "gpu_billed_hours"),
        "usage_sums",
        *(
            "gpu_faults",
            "gpu_fault_spells",
            "gpu_rules",
            "gpu_types",
            "gpu_workload_rules",
            "gpu_runs",
            "gpu_holdings",
            "gpu_held",
            "holder_days",
            "gpu_labels",
            "gpu_stretches",
            "gpu_shares",
            "gpu_targets",
            "gpu_energy",
            "gpu_pod_splits",
        ),
        *("gpu_unbilled", "gpu_identity"),
        *("gpu_states_hourly", "postings", "commitment_lines", "commitment_hours", "commitment_statements"),
        *("day_ends", "request_defects", "usage_hourly", "reconciliation_lines", "reconciliation_causes"),
        *("second_sightings", "log_cross_check", "midnight_calls", "midnight_repeats", "tag_overlaps", "log_defects"),
        *("commitment_balance", "provisioned_deployments", "provisioned_minutes", "provisioned_prices"),
        "provisioned_advice",
        *("spot_price_means", "machine_prices", "machine_use", "commitment_advice", "commitment_coverage"),
        *("variance_bridge", "break_even"),
        *("prompts_asked_again", "avoidable_requests", "request_shapes", "savings", "verified_savings"),
        *(
            "serving_hourly",
            "pod_models",
            "self_hosted_usage",
            "gpu_costs_hourly",
            "self_hosted_costs",
            "scaling_costs",
        ),
        *("gpu_node_lines", "gpu_node_sizes", "gpu_node_costs", "gpu_unjoined", "host_matches"),
        *("gpu_coverage", "idle_gpu_holders", "stranded_mig_slices"),
        *("commitments", "restatements", "provider_usage_daily"),
        *("chargeback", "gpu_waste", "freshness", "reconciliation_summary", "reconciliation_by_cause"),
        *("price_corrections", "token_prices", "unpriced_usage", "costs_by_category", "anomalies", "bill_errata"),
        *("outcome_kinds", "outcome_traces", "outcome_events", "outcome_shares", "outcome_cohorts", "unit_costs"),
        *("agent_costs", "usage_by_user_daily", "request_costs", "chargeback_by_customer"),
        *("focus_cost_and_usage", "rate_variance"),
        *("budgets", "forecasts", "budget_status"),
    }


def test_assets_are_partitioned_by_utc_day_and_backfilled_in_one_run(graph: dg.Definitions) -> None:
    nodes = graph.resolve_asset_graph()
    for key in nodes.materializable_asset_keys:
        node = nodes.get(key)
        assert isinstance(node.partitions_def, dg.DailyPartitionsDefinition), key
        assert node.partitions_def.timezone == "UTC", key
        assert node.backfill_policy == dg.BackfillPolicy.single_run(), key


def test_every_asset_has_a_group_an_owner_and_a_description(graph: dg.Definitions) -> None:
    nodes = graph.resolve_asset_graph()
    bare = [
        key.to_user_string()
        for key in nodes.materializable_asset_keys
        if not (node := nodes.get(key)).owners or not node.description or node.group_name not in GROUPS
    ]
    assert bare == []


def test_every_table_shows_its_columns_with_their_units(graph: dg.Definitions) -> None:
    nodes = graph.resolve_asset_graph()
    for name in ("charges", "teams", "fx_rates", "postings", "chargeback"):
        schema = nodes.get(dg.AssetKey(name)).metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == [column.name for column in all_contracts()[name].columns]
    schema = nodes.get(dg.AssetKey("chargeback")).metadata["dagster/column_schema"]
    (cost,) = [column for column in schema.columns if column.name == "effective_cost"]
    assert (cost.type, cost.constraints.nullable) == ("decimal(38,12)", False)
    assert cost.description.endswith("[billing_currency]")


def test_the_night_runs_by_a_schedule_in_utc(graph: dg.Definitions) -> None:
    schedule = graph.resolve_schedule_def("nightly_at_0530_utc")
    assert schedule.cron_schedule == "30 5 * * *"
    assert schedule.execution_timezone in (None, "UTC")
    assert schedule.job_name == NIGHTLY


def test_sources_are_tried_again(graph: dg.Definitions) -> None:
    for kind in SOURCES:
        asset = graph.resolve_assets_def(dg.AssetKey(["sources", kind]))
        policy = asset.op.retry_policy
        assert policy is not None
        assert policy.max_retries == 2
