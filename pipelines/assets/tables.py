"""Core tables and marts as assets, generated from their contracts, and the checks that stop a bad night."""

from collections.abc import Callable, Mapping
from datetime import date

import dagster as dg

from contracts import Contract, Layer, all_contracts, contract
from pipelines.assets.partitions import DAILY, days_of
from pipelines.assets.resources import house_of
from pipelines.assets.staged import fed_facts
from pipelines.house import House
from pipelines.night.build import Built, build
from pipelines.night.commitments import HOURS, build_commitment_hours
from pipelines.night.ledger import POSTINGS, build_postings
from pipelines.night.list_readings import LISTED, SKU_PRICES
from pipelines.night.references import REFUSED, REFUSED_OF_CLOUDS, write_model_identity, write_references
from pipelines.night.stale import stored_inputs

REFERENCES = ("teams", "owners", "host_identity", LISTED, "prices", "fx_rates", "reporting")
# tables that a model computes; all others have SQL
COMPUTED: Mapping[str, Callable[[House, date, date], Built]] = {
    POSTINGS: build_postings,
    HOURS: build_commitment_hours,
}


def reference_assets() -> list[dg.AssetsDefinition]:
    """The reference tables: those of the configuration together, and the model identities."""
    specs = [
        dg.AssetSpec(
            name,
            group_name="reference",
            description=contract(name).description,
            owners=[f"team:{contract(name).owner}"],
            partitions_def=DAILY,
            kinds={"delta"},
            deps=[dg.AssetKey([fact]) for fact in fed_facts() if fact == SKU_PRICES and name in (LISTED, "prices")],
        )
        for name in REFERENCES
    ]

    @dg.multi_asset(
        specs=specs,
        name="references",
        required_resource_keys={"house"},
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def references(context: dg.AssetExecutionContext):  # noqa: ANN202  # dagster infers from the yields
        house = house_of(context)
        house.progress.start("references")
        counts = write_references(house)
        house.progress.finish("references", f"{counts['prices']:,} prices, {counts['owners']} owner rules")
        for name in REFERENCES:
            metadata = {"rows": counts[name]}
            if name == "prices":
                metadata |= {refused: counts[refused] for refused in (REFUSED, REFUSED_OF_CLOUDS)}
            yield dg.MaterializeResult(asset_key=name, metadata=metadata)

    @dg.asset(
        name="model_identity",
        group_name="reference",
        deps=["models_in_use", "charges"],
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        owners=[f"team:{contract('model_identity').owner}"],
        description=contract("model_identity").description,
        kinds={"delta"},
    )
    def model_identity(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        return dg.MaterializeResult(metadata={"rows": write_model_identity(house, *days_of(context))})

    return [references, model_identity]


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
        kinds={"python"} if table.table in COMPUTED else {"sql"},
    )
    def rebuild(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        house.progress.start(table.table)
        first, last = days_of(context)
        compute = COMPUTED.get(table.table)
        built = compute(house, first, last) if compute else build(house, table, first, last)
        house.progress.finish(table.table, _summary(built))
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
    money = f", {built.effective_cost:,.2f}" if built.effective_cost is not None else ""
    note = f"; {built.note}" if built.note else ""
    return f"{len(built.slices)} slices, {built.row_count:,} rows{money}{note}"


def _metadata(built: Built) -> dict[str, int | str]:
    found: dict[str, int | str] = {"slices_rebuilt": len(built.slices), "rows": built.row_count}
    if built.effective_cost is not None:
        found["effective_cost"] = str(built.effective_cost)
    return found
