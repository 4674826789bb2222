"""The log held against the gateway's own daily table: differences are told, and a day that lost rows is no delivery."""

from datetime import date

import pytest

from connectors.base import IncompleteDeliveryError
from tests.connectors.litellm.spend_table import SpendTable

KEY, OTHER = "ab" * 32, "cd" * 32
ONE = {"api_requests": 1, "successful_requests": 1, "prompt_tokens": 100, "completion_tokens": 20, "spend": 0.001}


def test_a_table_that_counts_the_same_is_not_told(table: SpendTable) -> None:
    table.add(request_id="r1")
    table.add(request_id="r2", status="failure", prompt_tokens=0, completion_tokens=0, total_tokens=0, spend=0)
    table.add_daily(**ONE)
    table.add_daily(user_id="u2", api_requests=1, failed_requests=1)
    assert table.night().notices == ()


def test_requests_that_the_log_lacks_are_told_by_key_and_model_with_their_money(table: SpendTable) -> None:
    table.add(request_id="before", startTime="2026-11-20 10:00")
    table.add()
    table.add_daily(**ONE)
    table.add_daily(**ONE | {"api_key": OTHER, "model": "anthropic/claude", "api_requests": 3, "spend": 0.25})
    whole, apart = table.night().notices
    assert "4 requests (0 failed), 200 tokens in, 40 out, 0.251000 USD" in whole
    assert "the log holds 1 requests (0 failed), 100 tokens in, 20 out, 0.001000 USD" in whole
    assert "differ for 1 pairs" in whole
    assert apart.startswith(f"2026-11-21: anthropic/claude under key {OTHER[:12]}: the daily table counts 3 requests")
    assert "the log 0 requests" in apart


def test_requests_that_the_table_lacks_are_told_too(table: SpendTable) -> None:
    table.add()
    assert "the daily table counts 0 requests" in table.night().notices[1]


def test_calls_of_the_gateways_own_are_spend_and_tokens_but_no_requests(table: SpendTable) -> None:
    table.add(metadata={"internal_call_origin": "autorouter"})
    table.add_daily(**ONE | {"api_requests": 0, "successful_requests": 0})
    night = table.night()
    assert night.notices == ()
    assert night.rows.num_rows == 1


def test_a_key_that_is_no_hash_is_hashed_on_both_sides(table: SpendTable) -> None:
    table.add(api_key="sk-canary")
    table.add_daily(**ONE | {"api_key": "sk-canary"})
    assert table.night().notices == ()


def test_one_request_with_two_tags_is_one_request(table: SpendTable) -> None:
    table.add(request_tags=["a", "b"])
    table.add_daily(**ONE)
    for tag in "ab":  # the table of tags counts it under each
        table._insert(
            "LiteLLM_DailyTagSpend",
            {
                "id": tag,
                "tag": tag,
                "date": "2026-11-21",
                "api_key": KEY,
                "model": "m",
                "updated_at": "2026-11-22",
                **ONE,
            },
        )
    assert table.night().notices == ()


def test_the_comparison_can_be_left_out(table: SpendTable) -> None:
    table.add()
    assert table.night(daily_table=False).notices == ()


def test_a_day_whose_rows_the_gateway_has_cleaned_up_is_not_delivered_as_less(table: SpendTable) -> None:
    table.add_daily(**ONE | {"date": "2026-11-20", "api_requests": 5})
    table.add_daily(**ONE | {"api_requests": 5})
    with pytest.raises(
        IncompleteDeliveryError, match=r"of the 5 requests .* still holds 0.*maximum_spend_logs_retention"
    ):
        table.night()
    table.add(startTime="2026-11-21 23:00")  # the clean-up stopped in the middle of the day
    with pytest.raises(IncompleteDeliveryError, match="still holds 1"):
        table.night()


def test_a_gateways_first_day_may_hold_less_than_its_table(table: SpendTable) -> None:
    table.add()
    table.add_daily(**ONE | {"api_requests": 2})
    night = table.night()
    assert night.rows.num_rows == 1
    assert "2 requests" in night.notices[0]


def test_a_day_before_and_a_day_without_requests_are_empty_deliveries(table: SpendTable) -> None:
    table.add()
    table.add_daily(**ONE)
    for day in (date(2026, 11, 20), date(2026, 11, 22)):
        assert table.landed(day) == []
