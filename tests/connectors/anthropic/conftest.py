"""The documented answers, where they lie beside this checkout, and short ways to parse."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.anthropic.costs import AnthropicCostsSource
from connectors.anthropic.settings import CostsSettings, UsageSettings
from connectors.anthropic.usage import AnthropicUsageSource
from connectors.base import Bytes, LandedPage, Parsed, Reject
from connectors.windows import day_window, month_window
from tests.connectors.anthropic.written import KEY
from tests.connectors.faulty_server import Clock

EXAMPLES = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_providers/anthropic"
DAY = date(2026, 9, 3)


@dataclass(frozen=True)
class Night:
    """One delivery, its chunks put together."""

    rows: list[dict[str, Any]]
    rejects: tuple[Reject, ...]
    duplicate_count: int
    stated_cost: Decimal | None
    is_final: bool
    notices: str
    not_covered: tuple[str, ...]

    def total(self, column: str = "billed_cost") -> Any:
        return sum(row[column] for row in self.rows if row[column] is not None)


def landed(contents: Sequence[bytes]) -> list[LandedPage]:
    return [LandedPage(f"page-{n}", hashlib.sha256(c).hexdigest(), Bytes(c)) for n, c in enumerate(contents)]


def together(chunks: Sequence[Parsed]) -> Night:
    stated = [chunk.stated_cost for chunk in chunks if chunk.stated_cost is not None]
    return Night(
        rows=pa.concat_tables([chunk.rows for chunk in chunks]).to_pylist(),
        rejects=tuple(reject for chunk in chunks for reject in chunk.rejects),
        duplicate_count=sum(chunk.duplicate_count for chunk in chunks),
        stated_cost=sum(stated, Decimal(0)) if stated else None,
        is_final=any(chunk.is_final for chunk in chunks),
        notices="; ".join(notice for chunk in chunks for notice in chunk.notices),
        not_covered=tuple(words for chunk in chunks for words in chunk.not_covered),
    )


def parse_usage(contents: Sequence[bytes], day: date = DAY, **over: Any) -> Night:
    settings = UsageSettings(**{"name": "u", "kind": "anthropic_usage", "api_key": KEY, **over})
    source = AnthropicUsageSource(sleep=Clock().sleep)
    return together(list(source.parse(settings, day_window(day), landed(contents))))


def parse_costs(contents: Sequence[bytes], day: date = DAY, **over: Any) -> Night:
    settings = CostsSettings(**{"name": "c", "kind": "anthropic_costs", "api_key": KEY, **over})
    source = AnthropicCostsSource(sleep=Clock().sleep)
    return together(list(source.parse(settings, month_window(day), landed(contents))))


@pytest.fixture(scope="session")
def example() -> Callable[[str], bytes]:
    """The bytes of a documented answer."""
    if not EXAMPLES.is_dir():
        pytest.skip("the providers' documented answers are not beside this checkout")
    return lambda name: (EXAMPLES / f"{name}.json").read_bytes()
