"""The same tokens elsewhere: the cheapest place that the company buys from, and a model that the feature uses anyway."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl

from models.cheaper_places import Place, Used, mean_prices, model_shares, place_shares, without_overlap

F = Fraction
EU: Place = ("p", "large", "default", "eu")
US: Place = ("p", "large", "default", "us")
OTHER: Place = ("q", "large", "default", "")
BATCH: Place = ("p", "large", "batch", "us")
SMALL: Place = ("p", "small", "default", "eu")


def used(place: Place, requests: int = 100, feature: str = "chat", **tokens: int) -> Used:
    return Used("team:search", feature, place, requests, tokens or {"input_uncached": 100, "output_text": 10})


PRICES: dict[Place, dict[str, Fraction]] = {
    EU: {"input_uncached": F(2), "output_text": F(10)},
    US: {"input_uncached": F(1), "output_text": F(10)},
    OTHER: {"input_uncached": F(1, 2)},
    BATCH: {"input_uncached": F(1, 2), "output_text": F(5)},
    SMALL: {"input_uncached": F(1, 2), "output_text": F(1)},
}


def test_the_cheapest_place_of_the_same_model_and_tier_with_every_price() -> None:
    """300 in the EU and 200 in the US; the other provider has no price of output, and the batch tier is no place."""
    assert place_shares([used(EU)], PRICES) == {("team:search", "chat", "p", "large"): F(333_333_333, 10**9)}
    assert place_shares([used(US)], PRICES) == {}
    # half of the group's cost is in the US already: 100 of 500
    assert place_shares([used(EU), used(US)], PRICES) == {("team:search", "chat", "p", "large"): F(1, 5)}
    # input alone: 200 in the EU, 50 at the other provider
    assert place_shares([used(EU, input_uncached=100)], PRICES) == {("team:search", "chat", "p", "large"): F(3, 4)}


def test_another_model_counts_where_the_feature_uses_it() -> None:
    large, small = ("team:search", "chat", "p", "large"), ("team:search", "chat", "p", "small")
    shares, alone = model_shares([used(EU), used(SMALL)], PRICES)
    assert (shares, alone) == ({large: F(4, 5)}, frozenset())  # 300, or 60 with the small one
    # six of 106 are more than a twentieth, five of 105 are not
    assert model_shares([used(EU), used(SMALL, 6)], PRICES)[0] == {large: F(4, 5)}
    shares, alone = model_shares([used(EU), used(SMALL, 5)], PRICES)
    assert (shares, alone) == ({}, {large})
    shares, alone = model_shares([used(EU), used(SMALL, feature="mail")], PRICES)
    assert (shares, alone) == ({}, {large, ("team:search", "mail", "p", "small")})
    # without a feature nobody knows whether it is the same task
    assert model_shares([used(EU, feature=""), used(SMALL, feature="")], PRICES)[0] == {}
    assert small not in model_shares([used(EU), used(SMALL)], PRICES)[0]


def test_place_and_model_together_buy_nothing_below_the_cheapest_on_sale() -> None:
    """300 in the EU, 200 in the US, 60 with the small model: a third and four fifths would leave 40 of 300."""
    large = ("team:search", "chat", "p", "large")
    both = [used(EU), used(SMALL)]
    place, model = place_shares(both, PRICES), model_shares(both, PRICES)[0]
    left = without_overlap(both, PRICES, place, model)
    assert (1 - place[large]) * (1 - model[large]) < F(60, 300) <= (1 - place[large]) * (1 - left[large])
    assert F(7, 10) - left[large] < F(1, 10**8)
    # where the small model is on sale at 40 elsewhere, both moves come to that
    there: Place = ("p", "small", "default", "us")
    cheap = {**PRICES, there: {"input_uncached": F(3, 10), "output_text": F(1)}}
    assert F(8, 10) - without_overlap(both, cheap, place, model)[large] < F(1, 10**8)
    # no cheaper place: as it was
    assert without_overlap(both, PRICES, {}, model) == model


def test_a_month_s_price_is_the_mean_by_its_tokens() -> None:
    def hour(each: str, tokens: int) -> dict[str, object]:
        place = dict(zip(("provider_id", "model_id", "service_tier", "price_region_id"), EU, strict=True))
        classes = ("cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "output_reasoning", "output_audio")
        unused = {f"{name}_tokens": 0 for name in (*classes, "output_text")}
        unpriced = {f"{name}_usd_per_token": None for name in (*classes, "output_text")}
        day = {"usage_date": date(2026, 10, 1), "input_uncached_tokens": tokens}
        return {**place, **day, **unused, **unpriced, "input_uncached_usd_per_token": Decimal(each)}

    assert mean_prices(pl.DataFrame([hour("1", 30), hour("3", 10)])) == {EU: {"input_uncached": F(3, 2)}}
