"""What others publish of the levers of `savings`.

Here belongs: reading the list, `savings_ranges.yml`. Here does not belong: the ranges themselves.
"""

from decimal import Decimal
from functools import cache
from pathlib import Path

from contracts.once import read_once
from models.published_ranges import PublishedRange

_FILE = Path(__file__).with_name("savings_ranges.yml")


@cache
def published_ranges() -> dict[str, PublishedRange]:
    """By lever, the range that others publish."""
    entries: list[dict[str, str]] = read_once(_FILE)
    found = [
        PublishedRange(row["lever"], Decimal(row["low"]), Decimal(row["high"]), row["basis"], row["source"])
        for row in entries
    ]
    return {published.lever: published for published in found}
