"""The replay of the prompt cache against a simulated one: what that read is hidden, and found again.

A provider's cache is simulated apart, with what a replay cannot know: it lives on over midnight, counts its time from
the end of an answer, and forgets a prefix now and then. The log shows what it read and wrote; the replay is given the
same log with all of it as fresh input. The bar is that of the method: the share of a prefix's tokens that is read from
the cache differs by 0.05 at most.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

import numpy as np
import pytest

from contracts import contract
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.golden import filled

START = datetime(2026, 10, 1)
DAYS = 2
BAR = 0.05
EVICTED = 0.01
Random = np.random.Generator
Asked = tuple[float, int, int]
"""Minute at which a prompt was sent, which prefix it has, and that prefix's tokens."""

# A token that is read saves 0.001 and one that is written costs a millionth of a millionth: a saving tells both apart.
READ_SAVES, WRITTEN_COSTS = Decimal("0.001"), Decimal("0.000000000001")
BOOK = {
    "provider_id": "p",
    "model_id": "m",
    "service_tier": "default",
    "region_id": "",
    "input_tokens_from": 0,
    "input_tokens_to": 10**9,
    "valid_from": "2026-01-01 00:00:00",
    "valid_to": "2027-01-01 00:00:00",
    "input_uncached_usd_per_token": "0.002",
    "cache_read_usd_per_token": "0.001",
    "cache_write_5m_usd_per_token": "0.002000000001",
    "cache_write_1h_usd_per_token": "0.002000000002",
    "output_text_usd_per_token": "0.01",
}


@dataclass(frozen=True)
class Feature:
    """Traffic of one kind, the minutes that its cache lives, and whether the gateway logs a hash of the prefix."""

    asked: Callable[[Random], Iterator[Asked]]
    minutes: int = 5
    has_hashes: bool = True


def evenly(a_minute: float) -> Callable[[Random], Iterator[Asked]]:
    """Prompts of one template that come at any time alike."""

    def asked(draw: Random) -> Iterator[Asked]:
        for minute in np.cumsum(draw.exponential(1 / a_minute, int(a_minute * 1440 * DAYS))).tolist():
            yield minute, 0, 2_500

    return asked


def sessions(draw: Random) -> Iterator[Asked]:
    """Sixty talks a day of eight turns, each with a prefix of its own and pauses of two minutes in the mean."""
    for talk in range(60 * DAYS):
        begin = draw.uniform(0, 1440 * DAYS - 60)
        for pause in np.cumsum(draw.exponential(2, 8)).tolist():
            yield begin + pause, talk, 1_500 + 100 * (talk % 40)


def many_prefixes(draw: Random) -> Iterator[Asked]:
    """Thirty templates, of which few are asked often and most seldom."""
    weights = 1 / np.arange(1, 31)
    minutes = np.cumsum(draw.exponential(1 / 0.8, int(0.8 * 1440 * DAYS))).tolist()
    for minute, prefix in zip(minutes, draw.choice(30, len(minutes), p=weights / weights.sum()).tolist(), strict=True):
        yield minute, prefix, 2_000 + 200 * prefix


FEATURES = {
    "steady": Feature(evenly(1.0)),
    "slow": Feature(evenly(0.1)),
    "without_hashes": Feature(evenly(0.3), has_hashes=False),
    "talks": Feature(sessions),
    "templates": Feature(many_prefixes),
    "by_the_hour": Feature(evenly(1 / 40), minutes=60),
}


def log_of(name: str, feature: Feature, draw: Random) -> Iterator[dict[str, Any]]:
    """What the gateway logs of a feature, with what the provider's cache read and wrote."""
    alive_until: dict[int, float] = {}
    for minute, prefix, tokens in sorted(feature.asked(draw)):
        own, seconds = int(draw.exponential(400)), draw.uniform(1, 20)
        is_read = minute <= alive_until.get(prefix, -1.0) and draw.random() > EVICTED
        alive_until[prefix] = minute + seconds / 60 + feature.minutes
        at = START + timedelta(minutes=minute)
        if at < START + timedelta(days=DAYS):
            yield {
                "usage_date": at.date(),
                "started_at": at,
                "feature": name,
                "prefix_hash": f"{name}-{prefix}" if feature.has_hashes else None,
                "input_uncached_tokens": own,
                "input_total_tokens": tokens + own,
                "cache_read_tokens": tokens if is_read else 0,
                "cache_write_5m_tokens": 0 if is_read else tokens,
            }


def hidden(row: dict[str, Any], number: int) -> dict[str, Any]:
    """The same attempt as a log would have it of a provider without a cache."""
    return {
        **{name: BOOK[name] for name in ("provider_id", "model_id", "service_tier")},
        **row,
        **dict.fromkeys(("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"), 0),
        "input_uncached_tokens": row["input_total_tokens"],
        "x_row": number,
        "x_source": "gateway",
        "gateway_team_id": "",
        "key_id": "k",
        "key_alias": "",
        "price_region_id": "",
        "price_input_tokens_from": 0,
        "price_from": BOOK["valid_from"],
        "pricing_status": "priced",
        "status": "success",
        "priced_cost_usd": "1",
    }


@pytest.fixture(scope="module")
def logs() -> dict[str, list[dict[str, Any]]]:
    draw = np.random.default_rng(20261001)
    return {name: list(log_of(name, feature, draw)) for name, feature in FEATURES.items()}


@pytest.fixture(scope="module")
def replayed(
    logs: dict[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[int, float]]:
    """By feature, the share of tokens that the replay finds in a cache of five minutes and of an hour."""
    rows = [hidden(row, number) for number, row in enumerate(row for log in logs.values() for row in log)]
    named = {"x_source": "gateway", "provider_id": "p", "model_id": "m", "gateway_team_id": "", "key_id": "k"}
    days = sorted({row["usage_date"] for row in rows})
    owners = [{**named, "key_alias": "", "usage_date": day, "feature": name} for day in days for name in FEATURES]
    engine = DuckDBEngine("1GiB", str(tmp_path_factory.mktemp("spill")))
    for table, given in (
        ("priced_requests", rows),
        ("request_defects", []),
        ("prompts_asked_again", []),
        ("price_book", [BOOK]),
        ("usage_by_team_daily", owners),
    ):
        engine.register(table, filled(table, given))
    engine.build(contract("request_shapes"))
    found = engine.read("request_shapes").to_pylist()
    engine.close()
    return {
        name: {
            minutes: share_read([row[column] for row in found if row["feature"] == name], costs)
            for minutes, column, costs in (
                (5, "cache_5m_saving_usd", WRITTEN_COSTS),
                (60, "cache_1h_saving_usd", 2 * WRITTEN_COSTS),
            )
        }
        for name in FEATURES
    }


def share_read(savings: list[Decimal], written_costs: Decimal) -> float:
    """The share of the tokens that were read, of what the days' savings are at the prices above."""
    saving = sum(savings, Decimal(0))
    read = (saving / READ_SAVES).to_integral_value(ROUND_CEILING)
    written = (read * READ_SAVES - saving) / written_costs
    return float(read / (read + written))


def share_shown(log: list[dict[str, Any]]) -> float:
    """What the log shows: the share of cached tokens that were read and not written."""
    read, written = (sum(row[name] for row in log) for name in ("cache_read_tokens", "cache_write_5m_tokens"))
    return read / (read + written)


@pytest.mark.parametrize("name", FEATURES)
def test_the_share_that_is_read_is_the_one_that_the_log_shows(
    name: str, logs: dict[str, list[dict[str, Any]]], replayed: dict[str, dict[int, float]]
) -> None:
    shown = share_shown(logs[name])
    assert 0.2 < shown < 1
    assert abs(replayed[name][FEATURES[name].minutes] - shown) <= BAR


def test_the_bar_is_missed_by_a_cache_that_lives_for_another_time(
    logs: dict[str, list[dict[str, Any]]], replayed: dict[str, dict[int, float]]
) -> None:
    for name, other in (("slow", 60), ("by_the_hour", 5)):
        assert abs(replayed[name][other] - share_shown(logs[name])) > BAR
