"""How long attempts of a kind commonly are: by values that occur, the same on both engines."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts import contract
from pipelines.engines.engine import Engine
from tests.sql.golden import filled

START = datetime(2026, 10, 1, 12)
NAMED = {"usage_date": START.date(), "x_source": "gateway", "provider_id": "p", "model_id": "m", "feature": "chat"}
PRICE = {"provider_id": "p", "model_id": "m", "service_tier": "default", "region_id": "", "input_tokens_from": 0}
USD = {
    "input_uncached_usd_per_token": "0.00001",
    "cache_read_usd_per_token": "0.000001",
    "cache_write_5m_usd_per_token": "0.0000125",
    "output_text_usd_per_token": "0.00005",
}


def attempts(count: int) -> list[dict[str, Any]]:
    """One a second: of 2,001 tokens of input and 1 of output, 2,002 and 2, and so on."""
    return [
        {
            **NAMED,
            "x_row": number,
            "started_at": START + timedelta(seconds=number),
            "gateway_team_id": "",
            "key_id": "k",
            "key_alias": "",
            "service_tier": "default",
            "price_region_id": "",
            "price_input_tokens_from": 0,
            "price_from": datetime(2026, 1, 1),
            "pricing_status": "priced",
            "status": "success",
            "priced_cost_usd": "1",
            "prefix_hash": None,
            **dict.fromkeys(("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"), 0),
            "input_uncached_tokens": 2000 + number,
            "input_total_tokens": 2000 + number,
            "output_text_tokens": number,
            "output_total_tokens": number,
        }
        for number in range(1, count + 1)
    ]


def shapes(engine: Engine, count: int) -> dict[str, Any]:
    owner = {**NAMED, "gateway_team_id": "", "key_id": "k", "key_alias": ""}
    book = {**PRICE, **USD, "valid_from": datetime(2026, 1, 1), "valid_to": datetime(2027, 1, 1)}
    for table, rows in (
        ("priced_requests", attempts(count)),
        ("request_defects", []),
        ("prompts_asked_again", []),
        ("price_book", [book]),
        ("usage_by_team_daily", [owner]),
    ):
        engine.register(table, filled(table, rows))
    engine.build(contract("request_shapes"))
    (row,) = engine.read("request_shapes").to_pylist()
    return row


@pytest.mark.parametrize("engine_name", ["duckdb_engine", "spark_engine"])
@pytest.mark.parametrize(
    ("count", "bound", "common", "beyond"),
    [
        # 38 of 40 are 95 of 100, and two are shorter than the third
        (40, 38, 3, 1 + 2),
        # 37.05 of 39: the 38th; 1.95 of 39 are shorter than the second
        (39, 38, 2, 1),
        (20, 19, 2, 1),
    ],
)
def test_95_of_a_hundred_are_no_longer_and_95_no_shorter(
    engine_name: str, count: int, bound: int, common: int, beyond: int, request: pytest.FixtureRequest
) -> None:
    row = shapes(request.getfixturevalue(engine_name), count)
    assert beyond == sum(number - bound for number in range(bound + 1, count + 1))
    assert row["long_output_cost_usd"] == beyond * Decimal("0.00005")
    assert row["long_prompt_cost_usd"] == beyond * Decimal("0.00001")
    # the shortest common prompt is written by the first that has it, and read by all after that
    prefix, reads = 2000 + common, count - common
    saved = prefix * (reads * Decimal("0.000009") - Decimal("0.0000025"))
    assert row["cache_5m_saving_usd"] == saved


def test_of_fewer_than_twenty_nothing_is_called_common(duckdb_engine: Engine) -> None:
    row = shapes(duckdb_engine, 19)
    assert (row["long_output_cost_usd"], row["long_prompt_cost_usd"], row["cache_5m_saving_usd"]) == (0, 0, 0)
