"""What leaves the house: the snapshot that finance opens, the statements, and the mail."""

import dagster as dg

from contracts import Layer, all_contracts
from pipelines.assets.partitions import DAILY, days_of
from pipelines.assets.resources import house_of
from pipelines.night.publish import publish
from pipelines.night.statements import deliver, render_run


def publishing_assets() -> list[dg.AssetsDefinition]:
    """The last three assets of a night, in order."""
    sources = [table.table for table in all_contracts().values() if table.layer is Layer.MART]

    @dg.asset(
        name="published",
        group_name="published",
        deps=sources,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        description="`published/farthing.duckdb` and Parquet beside it, swapped in by one rename.",
        kinds={"duckdb", "parquet"},
    )
    def published(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        house.progress.start("publish")
        publication = publish(house)
        house.progress.finish("publish", publication.location)
        return dg.MaterializeResult(metadata={"location": publication.location, "number": publication.number})

    @dg.asset(
        name="statements",
        group_name="published",
        deps=[published],
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        description="One statement a team, rendered from that team's rows only, and the overview page.",
        kinds={"html"},
    )
    def statements(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        house.progress.start("statements")
        rendered = render_run(house, *days_of(context))
        count = sum(period.count for period in rendered)
        pages = [period.index for period in rendered]
        house.progress.finish("statements", f"{count} statements: {', '.join(pages) or 'no costs yet'}")
        links = dg.MetadataValue.md("\n".join(f"- {page}" for page in pages) or "none")
        return dg.MaterializeResult(metadata={"statements": count, "pages": links})

    @dg.asset(
        name="mailed",
        group_name="published",
        deps=[statements],
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        description="Statements of periods that have ended, each mailed once, from the outbox.",
        kinds={"smtp"},
    )
    def mailed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        house = house_of(context)
        house.progress.start("mail")
        outcome = deliver(house, days_of(context)[1])
        house.progress.finish("mail", outcome.text(), outcome.problems)
        return dg.MaterializeResult(metadata={"sent": outcome.sent, "already_sent": outcome.already_sent})

    return [published, statements, mailed]
