"""What leaves the house: the snapshot that finance opens, the statements, and the mail."""

from collections.abc import Callable

import dagster as dg

from contracts import Layer, all_contracts
from pipelines.assets.partitions import DAILY, days_of
from pipelines.assets.resources import house_of
from pipelines.night.board import write_board
from pipelines.night.idle_rules import idle_rules
from pipelines.night.mailing import mail_all
from pipelines.night.publish import publish
from pipelines.night.statements import render_run

OWNER = "team:finops"
PUBLISHED, STATEMENTS, MAILED, BOARD = "published", "statements", "mailed", "board"


def publishing_assets() -> list[dg.AssetsDefinition]:
    """The last assets of a night: what is published, and what people are handed of it."""
    marts = [table.table for table in all_contracts().values() if table.layer is Layer.MART]
    return [
        _asset(
            PUBLISHED,
            _publish,
            deps=marts,
            description="`published/farthing.duckdb` and Parquet beside it, swapped in by one rename.",
            kinds={"duckdb", "parquet"},
        ),
        _asset(
            STATEMENTS,
            _render,
            deps=[PUBLISHED],
            description="One statement a team, rendered from that team's rows only, and the overview page.",
            kinds={"html"},
        ),
        _asset(
            MAILED,
            _mail,
            deps=[STATEMENTS],
            description="Statements of ended periods by mail, budgets and notices by mail and chats: each once.",
            kinds={"smtp"},
        ),
        _asset(
            BOARD,
            _draw,
            deps=[PUBLISHED],
            description="The organisation's board: a year of the snapshot as one page, beside the newest statements.",
            kinds={"html"},
        ),
    ]


def _asset(
    name: str,
    compute: Callable[[dg.AssetExecutionContext], dg.MaterializeResult],
    *,
    deps: list[str],
    description: str,
    kinds: set[str],
) -> dg.AssetsDefinition:
    return dg.asset(
        name=name,
        group_name="published",
        deps=deps,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"house"},
        owners=[OWNER],
        description=description,
        kinds=kinds,
    )(compute)


def _publish(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    house = house_of(context)
    house.progress.start("publish")
    publication = publish(house)
    house.progress.finish("publish", publication.location)
    return dg.MaterializeResult(metadata={"location": publication.location, "number": publication.number})


def _render(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    house = house_of(context)
    house.progress.start("statements")
    idle = idle_rules(house)
    rendered = render_run(house, *days_of(context), idle)
    count = sum(period.count for period in rendered)
    pages = [period.index for period in rendered]
    summary = f"{count} statements: {', '.join(pages) or 'no costs yet'}"
    lost = tuple(problem for period in rendered for problem in period.problems)
    house.progress.finish("statements", summary, lost, tuple(rule.text() for rule in idle))
    links = dg.MetadataValue.md("\n".join(f"- {page}" for page in pages) or "none")
    return dg.MaterializeResult(metadata={"statements": count, "pages": links})


def _draw(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Apart from the statements: what is wrong with one must not keep the other from anybody."""
    house = house_of(context)
    house.progress.start("board")
    board = write_board(house) or "no costs yet"
    house.progress.finish("board", board)
    return dg.MaterializeResult(metadata={"page": board})


def _mail(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    house = house_of(context)
    house.progress.start("mail")
    outcome, alerted, noticed = mail_all(house, days_of(context)[1])
    told = f"; {alerted.sent} of {len(alerted.due)} budget thresholds told" if alerted.due else ""
    told += f"; {noticed.sent} of {len(noticed.due)} notices told" if noticed.due else ""
    notices = tuple(note for note in (alerted.note, noticed.note) if note)
    problems = (*outcome.problems, *alerted.problems, *noticed.problems)
    house.progress.finish("mail", outcome.text() + told, problems, notices)
    counts = {"sent": outcome.sent, "already_sent": outcome.already_sent, "budget_alerts": alerted.sent}
    counts["notices"] = noticed.sent
    return dg.MaterializeResult(metadata=counts)
