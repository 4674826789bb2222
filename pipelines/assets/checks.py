"""Blocking checks: every contract held against its rows, and the journal that must balance to the last unit."""

from collections.abc import Callable, Sequence
from datetime import date

import dagster as dg

from connectors.registry import SOURCES, source
from contracts import Contract, Layer, Severity, all_contracts
from contracts.focus import FOCUS
from pipelines.assets.partitions import DAILY, days_of
from pipelines.assets.resources import house_of
from pipelines.checks import Outcome
from pipelines.house import House
from pipelines.night.adjustments import ADJUSTMENTS, adjustment_breaks
from pipelines.night.checked import check
from pipelines.night.customers import BY_CUSTOMER, customer_breaks
from pipelines.night.focus import focus_breaks
from pipelines.night.ledger import POSTINGS, breaks


def checked_tables() -> list[Contract]:
    """Every table that an asset of the same name writes."""
    facts = {source(kind).fact for kind in SOURCES}
    written = (Layer.REFERENCE, Layer.CORE, Layer.MART)
    tables = [t for t in all_contracts().values() if t.layer in written or t.table in facts]
    return [table for table in tables if table.materialized == "table"]


def contract_check(table: Contract) -> dg.AssetChecksDefinition:
    """The check that holds one table against its contract."""

    @dg.asset_check(
        asset=dg.AssetKey([table.table]),
        name="contract",
        blocking=True,
        required_resource_keys={"house"},
        partitions_def=DAILY,
        description=f"What sql/{table.layer}/{table.table}.yml promises.",
    )
    def holds(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        house = house_of(context)
        return _result(house, table.table, check(house, table))

    return holds


def conservation_check() -> dg.AssetChecksDefinition:
    """The check that every unit of every bill came to rest somewhere."""

    @dg.asset_check(
        asset=dg.AssetKey([POSTINGS]),
        name="conservation",
        blocking=True,
        required_resource_keys={"house"},
        partitions_def=DAILY,
        description="What was allocated is what was billed, to the last unit; every account in between is empty.",
    )
    def balances(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        house = house_of(context)
        found = breaks(house, *days_of(context))
        lines = tuple(f"does not balance: {row}" for row in found.head(5).to_dicts())
        house.progress.finish("conservation", "every unit of the bill is posted" if not lines else "BROKEN", lines)
        return _blocking(lines, breaks=found.height)

    return balances


def adjustment_check() -> dg.AssetChecksDefinition:
    """The check that nothing which locked months cost since is left out."""
    return _breaks_check(
        table=ADJUSTMENTS,
        name="locked_months",
        description="A locked month and all its adjustments are what its bills say today, to the last unit.",
        shown="locked months",
        sentence="does not come to its bills",
        find=lambda house, _first, _last: adjustment_breaks(house),
    )


def focus_check() -> dg.AssetChecksDefinition:
    """The check that FOCUS's rows are the bills."""
    return _breaks_check(
        table=FOCUS,
        name="conservation",
        description="Rows, with the corrections of their month, sum to the bills by account, invoice and currency.",
        shown="FOCUS",
        sentence="is not what was billed",
        find=lambda house, first, _last: focus_breaks(house, first),
    )


def customer_check() -> dg.AssetChecksDefinition:
    """The check that the last level of the hierarchy foots into the one above."""
    return _breaks_check(
        table=BY_CUSTOMER,
        name="conservation",
        description="Every team's customers, and what no call names, sum to its chargeback, to the last unit.",
        shown="customers",
        sentence="does not foot",
        find=customer_breaks,
    )


def _breaks_check(
    *,
    table: str,
    name: str,
    description: str,
    shown: str,
    sentence: str,
    find: Callable[[House, date, date], Sequence[str]],
) -> dg.AssetChecksDefinition:
    """A blocking check that fails where `find` finds something, and shows the first five of it."""

    @dg.asset_check(
        asset=dg.AssetKey([table]),
        name=name,
        blocking=True,
        required_resource_keys={"house"},
        partitions_def=DAILY,
        description=description,
    )
    def holds(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        house = house_of(context)
        lines = tuple(f"{sentence}: {row}" for row in find(house, *days_of(context))[:5])
        if lines:
            house.progress.finish(shown, "BROKEN", lines)
        return _blocking(lines)

    return holds


def all_checks() -> list[dg.AssetChecksDefinition]:
    """Every check of the graph that is not part of an asset."""
    return [contract_check(table) for table in checked_tables()] + [
        conservation_check(),
        adjustment_check(),
        focus_check(),
        customer_check(),
    ]


def _blocking(lines: tuple[str, ...], **counts: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not lines,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={**counts, "examples": dg.MetadataValue.md("\n".join(lines) or "none")},
    )


def _result(house: House, table: str, outcomes: list[Outcome]) -> dg.AssetCheckResult:
    broken = [outcome for outcome in outcomes if not outcome.passed]
    blocks = any(outcome.blocks for outcome in broken)
    lines = tuple(outcome.text() for outcome in broken)
    if lines:
        house.progress.finish(f"check of {table}", "stops the run" if blocks else "warns", lines)
    return dg.AssetCheckResult(
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        metadata={
            "expectations": len(outcomes),
            "broken": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "none"),
            "severity": (Severity.FAIL if blocks else Severity.WARN).value if broken else "none",
        },
    )
