"""A day (UTC) is the unit of work."""

from datetime import date

import dagster as dg

FIRST_DAY = "2023-01-01"
DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC")
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def days_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> tuple[date, date]:
    """The first and last day that this run is about, from its partition or partition range, never from a clock."""
    run = context.run
    tags = run.tags
    first = tags.get(RANGE_START) or tags.get("dagster/partition")
    last = tags.get(RANGE_END) or tags.get("dagster/partition")
    if first is None or last is None:
        raise dg.Failure("This job works on days: launch it with a partition or a range of partitions.")
    return date.fromisoformat(first), date.fromisoformat(last)


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags that make one run of a range of days."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
