"""One asset a connector, generated from the registry, and one a staged fact, generated from the contracts."""

from collections.abc import Sequence
from decimal import Decimal

import dagster as dg

from connectors.registry import SOURCES, source
from contracts import Contract, contract
from pipelines.assets.columns import column_metadata
from pipelines.assets.partitions import DAILY, days_of
from pipelines.assets.resources import house_of
from pipelines.lake import Delivery
from pipelines.night.last_words import missed
from pipelines.night.late_files import late_files
from pipelines.night.stage import notices, problems, stage
from pipelines.night.strays import strays

DELIVERED, CONFIGURED = "delivered", "configured"


def connector_asset(kind: str) -> dg.AssetsDefinition:
    """The asset that pulls every configured source of one kind."""
    fact = source(kind).fact
    key = dg.AssetKey(["sources", kind])

    @dg.asset(
        key=key,
        group_name="sources",
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        retry_policy=dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL),
        check_specs=[
            dg.AssetCheckSpec(
                name=DELIVERED, asset=key, description="Every source of this kind delivered what it was asked for."
            )
        ],
        owners=[f"team:{contract(fact).owner}"],
        description=f"Pulls every configured `{kind}` source into the staged fact `{fact}`.",
        kinds={kind},
    )
    def pull(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        if not house.sources(kind):  # nothing to pull, nothing to tell
            passed = dg.AssetCheckResult(passed=True, check_name=DELIVERED, severity=dg.AssetCheckSeverity.WARN)
            return dg.MaterializeResult(metadata={"deliveries": 0}, check_results=[passed])
        house.progress.start(kind)
        first, last = days_of(context)
        deliveries = stage(house, kind, first, last)
        overdue = (*missed(house, kind, first, last, deliveries), *late_files(house, kind, last, deliveries))
        found = (*problems(deliveries), *overdue)
        house.progress.finish(kind, _summary(deliveries), found, notices(deliveries))
        check = dg.AssetCheckResult(
            passed=not found,
            check_name=DELIVERED,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"problems": _listed(found)},
        )
        return dg.MaterializeResult(metadata=_metadata(deliveries), check_results=[check])

    return pull


def fact_asset(table: Contract) -> dg.AssetsDefinition:
    """The staged fact as one asset, fed by every connector that says so."""
    feeders = [kind for kind in SOURCES if source(kind).fact == table.table]

    @dg.asset(
        name=table.table,
        group_name="staged",
        deps=[dg.AssetKey(["sources", kind]) for kind in feeders],
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        check_specs=[
            dg.AssetCheckSpec(
                name=CONFIGURED, asset=table.table, description="Every source with rows in it is configured."
            )
        ],
        owners=[f"team:{table.owner}"],
        description=f"{table.description}\n\nGrain: {table.grain}.",
        metadata=column_metadata(table),
        kinds={"delta"},
    )
    def fact(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        pieces = house.lake.slices(table.table)
        rows = sum(piece.row_count for piece in pieces)
        unknown = tuple(stray.warning() for stray in strays(house, table.table))
        if unknown:
            house.progress.finish(table.table, "holds sources that are not configured", unknown)
        check = dg.AssetCheckResult(
            passed=not unknown,
            check_name=CONFIGURED,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"problems": _listed(unknown)},
        )
        return dg.MaterializeResult(metadata={"slices": len(pieces), "rows": rows}, check_results=[check])

    return fact


def staged_assets() -> list[dg.AssetsDefinition]:
    """Every connector's asset, and every fact that has a connector."""
    return [connector_asset(kind) for kind in SOURCES] + [fact_asset(contract(name)) for name in fed_facts()]


def fed_facts() -> list[str]:
    """The staged facts that a connector feeds, by name. All of them write the journal of deliveries."""
    return sorted({source(kind).fact for kind in SOURCES})


def _listed(lines: Sequence[str]) -> dg.MetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "none")


def _summary(deliveries: Sequence[Delivery]) -> str:
    rows = sum(delivery.row_count for delivery in deliveries)
    unchanged = sum(delivery.status == "unchanged" for delivery in deliveries)
    note = f", {unchanged} unchanged" if unchanged else ""
    return f"{len(deliveries)} deliveries{note}, {rows:,} rows"


def _metadata(deliveries: Sequence[Delivery]) -> dict[str, dg.MetadataValue | int | str]:
    money = [d.total_cost for d in deliveries if d.total_cost is not None]
    return {
        "deliveries": len(deliveries),
        "rows": sum(d.row_count for d in deliveries),
        "rejects": sum(d.reject_count for d in deliveries),
        "duplicates": sum(d.duplicate_count for d in deliveries),
        "money": str(sum(money, Decimal(0))) if money else "none",
        "by_source": dg.MetadataValue.md(_table(deliveries)),
    }


def _table(deliveries: Sequence[Delivery]) -> str:
    lines = ["| source | slice | status | rows | rejects | money |", "|---|---|---|---:|---:|---:|"]
    lines += [
        f"| {d.x_source} | {d.slice_date} | {d.status} | {d.row_count:,} | {d.reject_count} | {d.total_cost or ''} |"
        for d in deliveries
    ]
    return "\n".join(lines)
