"""Tokens that nobody logged: spread over those who were logged, or apart from them, by what bill and log count."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from models.policy import Policy
from tests.models.test_unused import resting, settle

D = Decimal
DAY = datetime(2026, 10, 5)
LINE = {
    "cost": "100",
    "provider_id": "openai",
    "model_id": "gpt",
    "token_class": "output_text",
    "consumed_quantity": D(1000),
    "consumed_unit": "Tokens",
}
USAGE = [{"team_id": "a", "output_text_tokens": 600}, {"team_id": "b", "output_text_tokens": 200}]
APART = Policy(is_unlogged_apart=True)


def test_a_fifth_that_no_log_has_is_nobody_s(rows):
    """Published ground truth: of 1,000 tokens 800 were logged, so the volume term is a fifth of the bill."""
    assert resting(settle(rows, [LINE], usage=USAGE)) == {("team:a",): D(75), ("team:b",): D(25)}
    assert resting(settle(rows, [LINE], policy=APART, usage=USAGE), "rule_id") == {
        ("team:a", "priced_tokens:token_class"): D(60),
        ("team:b", "priced_tokens:token_class"): D(20),
        ("residual:unattributed:openai", "unlogged"): D(20),
    }


def test_a_discount_is_everybody_s_and_no_gap(rows):
    """Half the price for the same tokens: each row costs its tokens at the price of the bill."""
    usage = [row | {"priced_cost_usd": D(1)} for row in USAGE]
    cheap = LINE | {"cost": "40", "consumed_quantity": D(800)}
    assert resting(settle(rows, [cheap], policy=APART, usage=usage)) == {("team:a",): D(30), ("team:b",): D(10)}


def test_it_is_counted_over_the_month_and_all_lines_of_a_class(rows):
    """Two tiers and two days: 1,000 on each line, 3,000 in all; a day that the log has another day's calls on is none."""
    next_day = DAY + timedelta(days=1)
    other = LINE | {"service_tier": "batch", "consumed_quantity": D(1), "consumed_unit": "1K tokens"}
    later = LINE | {"charge_start": next_day, "charge_end": next_day + timedelta(days=1)}
    usage = [
        {"team_id": "a", "output_text_tokens": 2100},
        {"team_id": "a", "output_text_tokens": 300, "usage_date": next_day.date()},
    ]
    found = resting(settle(rows, [LINE, other, later], policy=APART, usage=usage))
    assert found == {("team:a",): D(240), ("residual:unattributed:openai",): D(60)}


def test_a_model_that_no_log_knows_is_unattributed_whole(rows):
    elsewhere = [{"team_id": "a", "model_id": "mini", "priced_cost_usd": D(1), "output_text_tokens": 5}]
    for usage in (elsewhere, []):
        assert resting(settle(rows, [LINE], policy=APART, usage=usage)) == {("residual:unattributed:openai",): D(100)}


def test_a_class_that_the_log_counts_otherwise_is_split_by_cost(rows):
    usage = [{"team_id": "a", "input_uncached_tokens": 10, "priced_cost_usd": D(1)}]
    assert resting(settle(rows, [LINE], policy=APART, usage=usage)) == {("team:a",): D(100)}


@pytest.mark.parametrize(
    "more",
    [
        {"consumed_quantity": None},
        {"consumed_unit": "requests"},
        {"consumed_quantity": D(700)},
        {"charge_category": "Credit"},
        {"token_class": None},
    ],
)
def test_what_the_bill_does_not_count_or_the_log_has_more_of_is_no_gap(rows, more):
    usage = [row | {"priced_cost_usd": D(row["output_text_tokens"])} for row in USAGE]
    assert resting(settle(rows, [LINE | more], policy=APART, usage=usage)) == {("team:a",): D(75), ("team:b",): D(25)}


def test_what_an_owner_rule_names_is_its_owner_s_logged_or_not(rows):
    owner = {"rule_id": "o", "match_kind": "sub_account", "match_value": "p1", "team_id": "c"}
    past = LINE | {"sub_account_id": "p1"}
    covered = LINE | {"consumed_quantity": D(800)}
    assert resting(settle(rows, [past, covered], [owner], APART, usage=USAGE)) == {
        ("team:a",): D(75),
        ("team:b",): D(25),
        ("team:c",): D(100),
    }
