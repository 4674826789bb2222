"""Decompositions of a change: published examples, worked figures, and that they always add up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.root_cause import Line, PriceVolumeMix, adtributor, price_volume_mix

D = Decimal


def test_a_change_is_volume_mix_and_price() -> None:
    """Quantity 1,000 to 1,500, mix 80:20 to 50:50, prices 1 to 0.90 and 10 to 10."""
    before = {"small": Line(D(800), D(800)), "large": Line(D(200), D(2000))}
    after = {"small": Line(D(750), D(675)), "large": Line(D(750), D(7500))}
    # volume 500 x 2.80; mix 1,500 x (-0.3 x 1 + 0.3 x 10); price 750 x -0.10
    assert price_volume_mix(before, after) == PriceVolumeMix(D(1400), D(4050), D(-75))


def test_a_new_thing_is_mix_and_no_price() -> None:
    before = {"old": Line(D(100), D(100))}
    after = {"old": Line(D(100), D(100)), "new": Line(D(100), D(500))}
    # volume 100 x 1; mix 200 x (-0.5 x 1 + 0.5 x 5)
    assert price_volume_mix(before, after) == PriceVolumeMix(D(100), D(400), D(0))


def test_without_any_quantity_before_all_is_volume() -> None:
    assert price_volume_mix({}, {"new": Line(D(3), D(7))}) == PriceVolumeMix(D(7), D(0), D(0))


_LINES = st.dictionaries(
    st.sampled_from("abcd"),
    st.builds(Line, st.integers(0, 10**9).map(D), st.decimals(0, 10**6, places=6)),
    max_size=4,
)


@given(_LINES, _LINES)
def test_the_three_parts_add_up_to_the_change(before: dict[str, Line], after: dict[str, Line]) -> None:
    parts = price_volume_mix(before, after)
    change = sum((line.cost for line in after.values()), D(0)) - sum((line.cost for line in before.values()), D(0))
    assert parts.volume_cost + parts.mix_cost + parts.price_cost == change


PAPER = {
    "data centre": {"X": (D(94), D(47)), "Y": (D(6), D(3))},
    "advertiser": {"A1": (D(50), D(24)), "A2": (D(20), D(21)), "A3": (D(20), D(4)), "A4": (D(10), D(1))},
    "device": {"PC": (D(50), D(49)), "mobile": (D(25), D(1)), "tablet": (D(25), D(0))},
}
"""The worked example of the paper: revenue was to be 100 and was 50."""


def test_the_paper_s_example_is_explained_by_two_devices() -> None:
    found = {explanation.dimension: explanation for explanation in adtributor(PAPER)}
    assert next(iter(found)) == "device"
    device = found["device"]
    assert [element.name for element in device.elements] == ["tablet", "mobile"]
    assert sum(element.explained_ratio for element in device.elements) == D("0.98")
    assert round(device.surprise, 4) == D("0.1446")
    assert round(found["advertiser"].surprise, 4) == D("0.0279")
    assert found["data centre"].surprise == 0


def test_an_element_that_explains_less_than_a_tenth_is_left_out() -> None:
    costs = {"team": {"a": (D(0), D(91)), "b": (D(1), D(10)), "c": (D(900), D(900))}}
    (found,) = adtributor(costs)
    assert [(element.name, element.change_cost) for element in found.elements] == [("a", D(91))]


def test_a_change_that_is_spread_thin_is_explained_by_no_dimension() -> None:
    assert adtributor({"team": {str(number): (D(10), D(11)) for number in range(20)}}) == []


def test_no_change_needs_no_explanation() -> None:
    assert adtributor({"team": {"a": (D(5), D(4)), "b": (D(4), D(5))}}) == []
