"""What a million tokens of an own model cost: worked by hand, and the published example of OpenCost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.self_hosting import Tokens, part, per_mtok

D = Decimal
PICO = 10**12


def test_opencosts_example_costs_what_it_says():
    """G3: $3.20 an hour, 12M prompt tokens of which 0.8M cached, 3M generated, equal prefill and decode."""
    tokens = Tokens(12_000_000, 800_000, 3_000_000)
    parted = part(32 * PICO // 10, tokens, (600.0, 600.0), None)
    assert (parted.method, parted.prefill_units, parted.cached_units) == ("measured_seconds", 16 * PICO // 10, 0)
    assert parted.decode_units == 16 * PICO // 10
    assert per_mtok(parted.prefill_units, tokens.computed_tokens) == D("0.142857142857")  # 1.6 / 11.2
    assert per_mtok(parted.decode_units, tokens.generated_tokens) == D("0.533333333333")  # 1.6 / 3
    assert per_mtok(32 * PICO // 10, 15_000_000) == D("0.213333333333")  # 3.2 / 15


def test_without_measured_seconds_the_pools_weights_part_the_money():
    tokens = Tokens(1_000, 400, 100)
    weights = {"input_uncached": 2, "cache_read": 1, "output_text": 10}  # 1200 + 400 + 1000 of 2600
    parted = part(2_600, tokens, None, weights)
    assert (parted.method, parted.prefill_units, parted.cached_units, parted.decode_units) == (
        ("token_weights", 1200, 400, 1000)
    )


def test_without_seconds_and_weights_every_computed_token_weighs_the_same():
    parted = part(900, Tokens(700, 100, 300), None, None)
    assert (parted.method, parted.prefill_units, parted.cached_units, parted.decode_units) == (
        ("equal_tokens", 600, 0, 300)
    )


@pytest.mark.parametrize("seconds", [None, (0.0, 0.0), (1e-9, 0.0)])
def test_a_model_that_did_nothing_waited_to_generate(seconds):
    parted = part(77, Tokens(0, 0, 0), seconds, None)
    assert (parted.method, parted.prefill_units, parted.cached_units, parted.decode_units) == ("no_tokens", 0, 0, 77)
    assert per_mtok(77, 0) is None


def test_cached_tokens_that_nobody_counts_weigh_as_computed():
    parted = part(1_000, Tokens(900, None, 100), None, None)
    assert (parted.prefill_units, parted.decode_units) == (900, 100)


@given(
    st.integers(-(10**24), 10**24),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.none() | st.tuples(st.floats(0, 1e7), st.floats(0, 1e7)),
)
def test_parts_add_up_to_the_money_whatever_was_measured(units, computed, cached, generated, seconds):
    parted = part(units, Tokens(computed + cached, cached, generated), seconds, None)
    assert parted.prefill_units + parted.cached_units + parted.decode_units == units


def test_a_rate_is_rounded_half_up_at_twelve_places():
    assert per_mtok(1, 2_000_000) == D("0.000000000001")
    assert per_mtok(1, 2_000_001) == D("0E-12")
    assert per_mtok(-1, 2_000_000) == D("-0.000000000001")
