"""What made a month dearer, worked out by hand, and parts that are the whole change whatever the months."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.variance_bridge import Gpus, Month, gpu_parts, metered_parts, rounded

F = Fraction


def only(parts: dict[tuple[str, str], Fraction]) -> dict[str, Fraction]:
    """The factors that are not zero, over all models."""
    sums: dict[str, Fraction] = {}
    for (factor, _), change in parts.items():
        sums[factor] = sums.get(factor, F(0)) + change
    return {factor: change for factor, change in sums.items() if change}


def month(cost: int | Fraction, requests: int, **tokens: int) -> Month:
    prices = {"input_uncached": F(4), "cache_read": F(1), "output_text": F(10)}
    return Month(F(cost), requests, tokens, prices)


def test_the_published_table_of_price_volume_and_mix() -> None:
    """1,000 then 1,500 requests, at 80 : 20 then 50 : 50, at 1 and 10 then 0.90 and 10."""
    before = {"small": month(800, 800), "large": month(2_000, 200)}
    after = {"small": month(675, 750), "large": month(7_500, 750)}
    assert only(metered_parts(before, after)) == {"volume": 1_400, "mix": 4_050, "price": -75}


def test_longer_requests_and_a_cache_that_reads_less() -> None:
    # ten requests of 100 tokens in, half of them cached, and 10 out: 500 x 4 + 500 x 1 + 100 x 10 = 3,500
    before = {"m": month(3_500, 10, input_uncached=500, cache_read=500, output_text=100)}
    # as many of 200 in, a quarter cached, and 10 out: 1,500 x 4 + 500 + 1,000 = 7,500
    after = {"m": month(7_500, 10, input_uncached=1_500, cache_read=500, output_text=100)}
    # twice the input at half cached: 5,000 + 1,000, 2,500 more; then the classes: 6,500 for 5,000
    assert only(metered_parts(before, after)) == {"tokens_per_request": 2_500, "cache_rate": 1_500}


def test_a_discount_is_price_and_stays_one_when_volume_grows() -> None:
    before = {"m": month(3_500, 10, input_uncached=500, cache_read=500, output_text=100)}
    after = {"m": month(6_300, 20, input_uncached=1_000, cache_read=1_000, output_text=200)}  # a tenth off 7,000
    assert only(metered_parts(before, after)) == {"volume": 3_500, "price": -700}


def test_classes_without_a_price_weigh_alike_and_nothing_is_said_of_the_cache() -> None:
    was = Month(F(100), 1, {"input_uncached": 100}, {})
    now = Month(F(300), 1, {"input_uncached": 50, "cache_read": 150}, {"input_uncached": F(1)})
    assert only(metered_parts({"m": was}, {"m": now})) == {"tokens_per_request": 100, "price": 100}


def test_a_new_model_is_mix_and_the_first_month_is_volume() -> None:
    old, new = month(100, 10, input_uncached=10), month(50, 10, input_uncached=5)
    # as many requests as before are 100; half of them leave the old model
    assert only(metered_parts({"a": old}, {"a": month(50, 5, input_uncached=5), "b": month(50, 5)})) == {}
    assert only(metered_parts({"a": old}, {"b": new})) == {"mix": -50}
    assert only(metered_parts({}, {"b": new})) == {"volume": 50}
    assert only(metered_parts({"a": old}, {})) == {"volume": -100}


def test_hours_of_gpus_at_their_old_price_and_the_rest_is_price() -> None:
    before = {"H100": Gpus(3_600, F(4)), "A100": Gpus(7_200, F(4))}
    after = {"H100": Gpus(7_200, F(6)), "L4": Gpus(3_600, F(1))}
    # an hour of H100 more at 4, two of A100 less at 2, one of L4 at its 1; 7 - 8 in all
    assert gpu_parts(before, after, F(-1)) == {("gpu_hours", ""): 1, ("gpu_price", ""): -2}
    assert gpu_parts({}, after, F(7)) == {("gpu_hours", ""): 7, ("gpu_price", ""): 0}


months = st.builds(
    Month,
    st.fractions(min_value=0, max_value=1_000, max_denominator=97),
    st.integers(0, 50),
    st.dictionaries(st.sampled_from(["input_uncached", "cache_read", "output_text"]), st.integers(0, 9_000)),
    st.dictionaries(
        st.sampled_from(["input_uncached", "cache_read", "output_text"]),
        st.fractions(min_value=F(1, 100), max_value=20, max_denominator=100),
    ),
)
models = st.dictionaries(st.sampled_from("abc"), months)


@given(models, models)
def test_the_parts_are_the_whole_change(before: dict[str, Month], after: dict[str, Month]) -> None:
    change = sum((m.cost for m in after.values()), F(0)) - sum((m.cost for m in before.values()), F(0))
    assert sum(metered_parts(before, after).values(), F(0)) == change


@given(models)
def test_the_same_month_twice_has_no_parts(same: dict[str, Month]) -> None:
    assert only(metered_parts(same, same)) == {}


def test_rounding_is_left_with_the_last_part() -> None:
    third = F(1, 3) / 10**11
    parts = {("volume", "m"): third, ("mix", "m"): third, ("price", "m"): third}
    assert rounded(parts, Decimal("0.00000000001")) == {
        ("volume", "m"): Decimal("0.000000000003"),
        ("mix", "m"): Decimal("0.000000000003"),
        ("price", "m"): Decimal("0.000000000004"),
    }
    with pytest.raises(ValueError, match="not to the change"):
        rounded(parts, Decimal("0.1"))
