"""The price book against the calculator of the package that it comes from, and the company's prices over it."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import product

import polars as pl
import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

import models.list_prices
from models.frames import schema_of
from models.pricing import ContractPrice, contract_price_rows, merge_prices, price_rows
from models.tokens import PRICE_FALLBACKS, TOKEN_CLASSES

D = Decimal
KNOWN = datetime(2026, 11, 1)
NOW = datetime(2026, 11, 2, 9, 30)
MILLION = 1_000_000

USAGE_KEYS = {
    "cache_read": ("cache_read_tokens", "input_tokens"),
    "cache_write_5m": ("cache_write_tokens", "input_tokens"),
    "cache_write_1h": ("cache_write_1h_tokens", "cache_write_tokens", "input_tokens"),
    "input_uncached": ("input_tokens",),
    "input_audio": ("input_audio_tokens", "input_tokens"),
    "output_text": ("output_tokens",),
    "output_reasoning": ("output_reasoning_tokens", "output_tokens"),
    "output_audio": ("output_audio_tokens", "output_tokens"),
}
"""The calculator's inclusive counters in which a token of the class is counted."""

CONTEXTS = {
    "default": None,
    "batch": {"processing": "batch"},
    "priority": {"service_tier": "priority"},
    "flex": {"service_tier": "flex"},
}


@pytest.fixture(scope="module")
def listed():
    return price_rows(KNOWN)[0]


def price_at(book, provider, model, token_class, at=NOW, tier="default", input_tokens=1000):
    found = book.filter(
        pl.col("provider_id") == provider,
        pl.col("model_id") == model,
        pl.col("token_class") == token_class,
        pl.col("service_tier") == tier,
        pl.col("valid_from") <= at,
        pl.col("valid_to") > at,
        pl.col("input_tokens_from") <= input_tokens,
        pl.col("input_tokens_to") > input_tokens,
    )
    assert found.height <= 1, "two prices hold at once"
    return found.row(0, named=True) if found.height else None


def calculated(provider, model, token_class, count, at=NOW, tier="default"):
    """What the calculator charges for `count` tokens of one class."""
    usage = Usage(**dict.fromkeys(USAGE_KEYS[token_class], count))
    answer = calc_price(
        usage,
        model,
        provider_id=provider,
        genai_request_timestamp=at.replace(tzinfo=UTC),
        price_context=CONTEXTS[tier],
    )
    return answer.total_price


MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-4.1"),
    ("openai", "gpt-5"),
    ("openai", "o3"),
    ("openai", "gpt-4o-audio-preview"),
    ("openai", "text-embedding-3-small"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-5-5"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("aws", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("azure", "gpt-4o"),  # priced by the list of another provider
    ("mistral", "mistral-large"),
    ("groq", "llama-3.3-70b-versatile"),
]


def listed_model(provider, model):
    source = next(p for p in providers if p.id == provider)
    found = source.find_model(model, all_providers=providers)
    assert found is not None, "the list no longer names this model: choose another"
    return found, found in source.models


@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_the_book_prices_tokens_of_every_class_as_the_calculator_does(listed, provider, model):
    info, _ = listed_model(provider, model)
    book = listed.filter(pl.col("provider_id") == provider, pl.col("model_id") == info.id)
    for token_class, count in product(TOKEN_CLASSES, [1000, 100_000, 100_001, 200_000, 200_001, 272_001]):
        # Output alone is priced by the calculator at no input at all: the lowest band.
        total_input = 0 if token_class.startswith("output") else count
        row = price_at(book, provider, info.id, token_class, input_tokens=total_input)
        cost = calculated(provider, model, token_class, count)
        assert cost == (row["usd_per_mtok"] * count / MILLION if row else 0), (token_class, count)


@pytest.mark.parametrize("tier", ["batch", "priority", "flex"])
@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_a_tier_has_the_calculators_price_or_none(listed, provider, model, tier):
    info, is_its_own = listed_model(provider, model)
    prices = {name: price_at(listed, provider, info.id, name, tier=tier) for name in TOKEN_CLASSES}
    is_stated = is_its_own and any(variant.when == CONTEXTS[tier] for variant in info.price_variants or ())
    assert any(prices.values()) == is_stated
    for token_class, row in prices.items():
        if row:
            cost = calculated(provider, model, token_class, 1000, tier=tier)
            assert cost == row["usd_per_mtok"] * 1000 / MILLION


def test_every_dated_price_changes_on_its_day_as_the_calculator_has_it(listed):
    checked = 0
    for provider in providers:
        for model in provider.models:
            prices = model.prices if isinstance(model.prices, list) else []
            starts = [p.constraint.start_date for p in prices if isinstance(p.constraint, StartDateConstraint)]
            if any(isinstance(p.constraint, TimeOfDateConstraint) for p in prices):
                continue
            for start in starts:
                for at in (datetime(start.year, start.month, start.day), datetime(2024, 1, 1)):
                    row = price_at(listed, provider.id, model.id, "input_uncached", at)
                    if row and row["price_basis"] == "own":
                        price = model.get_prices(at).input_mtok
                        stated = price.base if isinstance(price, TieredPrices) else price
                        assert row["usd_per_mtok"] == stated.quantize(D("0.000001"), ROUND_HALF_UP)
                        checked += 1
    assert checked > 100


def test_a_class_without_a_price_of_its_own_says_whose_price_it_has(listed):
    row = price_at(listed, "openai", "gpt-4o", "output_reasoning")
    assert (row["usd_per_mtok"], row["price_basis"]) == (D(10), "output_text")
    assert price_at(listed, "openai", "gpt-4o", "cache_read")["price_basis"] == "own"
    for basis, token_class in (
        listed.filter(pl.col("price_basis") != "own").select("price_basis", "token_class").unique().rows()
    ):
        assert basis in PRICE_FALLBACKS[token_class]


def test_all_classes_of_a_model_stand_on_one_grid_so_that_one_join_finds_them(listed):
    grid = ["provider_id", "model_id", "service_tier", "input_tokens_from", "input_tokens_to", "valid_from", "valid_to"]
    classes = listed.group_by("provider_id", "model_id", "service_tier", "token_class").agg(pl.len())
    cells = listed.select(grid).unique().group_by("provider_id", "model_id", "service_tier").agg(cells=pl.len())
    changed = classes.join(cells, on=["provider_id", "model_id", "service_tier"]).filter(
        pl.col("len") > pl.col("cells")
    )
    assert changed.is_empty()
    assert listed.schema == schema_of("prices")


def book_of(monkeypatch, prices, variants=None, lenders=None):
    model = ModelInfo(id="m", match=ClauseEquals(equals="m"), prices=prices, price_variants=variants)
    own = Provider(id="p", name="P", api_pattern="p", models=[model], fallback_model_providers=lenders)
    monkeypatch.setattr(models.list_prices, "listed_providers", [own])
    return price_rows(KNOWN)


def test_a_tier_of_context_begins_above_its_threshold_not_at_it(monkeypatch):
    tiers = TieredPrices(base=D(1), tiers=[Tier(start=200, price=D(2)), Tier(start=100, price=D("1.5"))])
    book, _ = book_of(monkeypatch, ModelPrice(input_mtok=tiers))
    prices = [
        price_at(book, "p", "m", "input_uncached", input_tokens=n)["usd_per_mtok"] for n in (0, 100, 101, 200, 201)
    ]
    assert prices == [D(1), D(1), D("1.5"), D("1.5"), D(2)]


def test_a_tier_is_unknown_before_the_day_from_which_the_list_states_it(monkeypatch):
    variant = PriceVariant(
        when={"processing": "batch"},
        prices=ModelPrice(output_mtok=D(5)),
        constraint=StartDateConstraint(start_date=datetime(2026, 10, 14).date()),
    )
    book, _ = book_of(monkeypatch, ModelPrice(input_mtok=D(3), output_mtok=D(10)), [variant])
    before, after = datetime(2026, 10, 13, 23, 59, 59), datetime(2026, 10, 14)
    assert price_at(book, "p", "m", "output_text", before, "batch") is None
    assert price_at(book, "p", "m", "output_text", after, "batch")["usd_per_mtok"] == D(5)
    assert price_at(book, "p", "m", "input_uncached", after, "batch")["usd_per_mtok"] == D(3)


def test_a_price_by_time_of_day_is_refused_for_the_stretch_in_which_it_decides(monkeypatch):
    night = TimeOfDateConstraint(start_time=datetime(2026, 1, 1, 16).time(), end_time=datetime(2026, 1, 1, 20).time())
    june = StartDateConstraint(start_date=datetime(2026, 6, 1).date())
    prices = [
        ConditionalPrice(prices=ModelPrice(input_mtok=D(2))),
        ConditionalPrice(night, prices=ModelPrice(input_mtok=D(1))),
        ConditionalPrice(june, prices=ModelPrice(input_mtok=D(3))),
    ]
    book, refusals = book_of(monkeypatch, prices)
    assert price_at(book, "p", "m", "input_uncached", datetime(2026, 5, 31)) is None
    assert price_at(book, "p", "m", "input_uncached", datetime(2026, 6, 1))["usd_per_mtok"] == D(3)
    assert [(r.model_id, r.valid_to, r.reason[:25]) for r in refusals] == [
        ("m", datetime(2026, 6, 1), "depends on the time of da")
    ]


def test_a_tier_that_states_no_price_of_its_own_costs_what_the_standard_one_does(monkeypatch):
    variant = PriceVariant(
        when={"processing": "batch"},
        prices=ModelPrice(),
        constraint=StartDateConstraint(start_date=datetime(2026, 10, 14).date()),
    )
    book, _ = book_of(monkeypatch, ModelPrice(input_mtok=D(1), output_mtok=D(2)), [variant])
    before, after = datetime(2026, 10, 13), datetime(2026, 10, 14)
    assert price_at(book, "p", "m", "output_text", before, "batch") is None
    assert price_at(book, "p", "m", "input_uncached", after, "batch")["usd_per_mtok"] == D(1)
    assert price_at(book, "p", "m", "output_text", after, "batch")["usd_per_mtok"] == D(2)


def test_a_price_of_many_places_is_rounded_at_the_sixth_and_costs_no_other_class_its_own(monkeypatch):
    tiered = TieredPrices(base=D("0.1234565"), tiers=[Tier(start=200_000, price=D("0.18000000000000002"))])
    price = ModelPrice(input_mtok=tiered, output_mtok=D("2.5"), cache_write_mtok=D("0.0833333333333333"))
    book, refusals = book_of(monkeypatch, price)
    assert refusals == []
    assert price_at(book, "p", "m", "input_uncached")["usd_per_mtok"] == D("0.123457")
    assert price_at(book, "p", "m", "input_uncached", input_tokens=200_001)["usd_per_mtok"] == D("0.18")
    assert price_at(book, "p", "m", "cache_write_5m")["usd_per_mtok"] == D("0.083333")
    assert price_at(book, "p", "m", "output_text")["usd_per_mtok"] == D("2.5")


def test_what_the_book_cannot_hold_is_refused_with_its_reason(monkeypatch):
    variant = PriceVariant(when={"speed": "fast"}, prices=ModelPrice(input_mtok=D(9)))
    price = ModelPrice(input_mtok=D("1234567890123"), output_mtok=D(1), web_searches_kcount=D(10))
    book, refusals = book_of(monkeypatch, price, [variant])
    assert book.is_empty()
    assert sorted((r.service_tier, r.price_key, r.reason.split()[-1]) for r in refusals) == [
        ("default", "*", "DECIMAL(18,6)"),
        ("default", "web_searches_kcount", "book"),
        ("speed=fast", "*", "flex"),
    ]


def contract_price(**given):
    ordinary = {
        "provider_id": "openai",
        "model_id": "gpt-4o",
        "service_tier": "default",
        "valid_from": datetime(2026, 1, 1),
        "valid_to": datetime(2027, 1, 1),
        "usd_per_mtok": {"input_uncached": D("2.25")},
    }
    return ContractPrice(**(ordinary | given))


def test_the_companys_own_price_replaces_the_list_price_over_its_validity_and_nothing_else(listed):
    merged = merge_prices(listed, contract_price_rows([contract_price()], KNOWN))
    prices = {
        (name, at.year): price_at(merged, "openai", "gpt-4o", name, at)["usd_per_mtok"]
        for name in ("input_uncached", "cache_read", "output_text", "input_audio")
        for at in (datetime(2025, 12, 31), datetime(2026, 1, 1), datetime(2026, 12, 31), datetime(2027, 1, 1))
    }
    list_price = {"input_uncached": D("2.5"), "cache_read": D("1.25"), "output_text": D(10), "input_audio": D("2.5")}
    own_price = list_price | {"input_uncached": D("2.25"), "input_audio": D("2.25")}
    assert prices == {(name, year): (own_price if year == 2026 else list_price)[name] for name, year in prices}
    assert price_at(merged, "openai", "gpt-4o", "input_uncached")["price_source"] == "contract"
    others = pl.col("model_id") != "gpt-4o"
    assert merged.filter(others).equals(listed.filter(others))


def test_after_merging_all_classes_still_stand_on_one_grid(listed):
    own = contract_price_rows(
        [contract_price(), contract_price(provider_id="anthropic", model_id="claude-sonnet-4-5")], KNOWN
    )
    test_all_classes_of_a_model_stand_on_one_grid_so_that_one_join_finds_them(merge_prices(listed, own))


def test_an_own_price_of_a_model_that_is_not_listed_stands_with_its_fallbacks(listed):
    own = contract_price(model_id="tuned", usd_per_mtok={"input_uncached": D(1), "output_text": D(2)}, valid_to=None)
    merged = merge_prices(listed, contract_price_rows([own], KNOWN))
    rows = {name: price_at(merged, "openai", "tuned", name) for name in TOKEN_CLASSES}
    assert {name: row["price_basis"] for name, row in rows.items() if row["usd_per_mtok"] == 2} == {
        "output_text": "own",
        "output_reasoning": "output_text",
        "output_audio": "output_text",
    }
    assert price_at(merged, "openai", "tuned", "input_uncached", datetime(2025, 12, 31)) is None


def test_no_own_prices_leave_the_list_as_it_is(listed):
    assert merge_prices(listed, contract_price_rows([], KNOWN)).equals(listed)


GEMINI = {"provider_id": "google", "model_id": "gemini-2.5-pro", "valid_to": None}


def own_and_listed(listed, *given, region=""):
    """Price and source of uncached input of Gemini 2.5 Pro by the beginning of its context band."""
    merged = merge_prices(listed, contract_price_rows([contract_price(**GEMINI | one) for one in given], KNOWN))
    found = merged.filter(
        pl.col("provider_id") == "google",
        pl.col("model_id") == "gemini-2.5-pro",
        pl.col("service_tier") == "default",
        pl.col("region_id") == region,
        pl.col("token_class") == "input_uncached",
        pl.col("valid_to") == datetime(9999, 12, 31),
    )
    return found.select("input_tokens_from", "usd_per_mtok", "price_source").rows()


def test_an_own_price_of_a_band_leaves_the_lists_price_of_the_others(listed):
    # the list: 1.25 USD up to 200,000 tokens of input, 2.50 USD beyond
    one = {"usd_per_mtok": {"input_uncached": D(1)}}
    assert own_and_listed(listed, one) == [(0, D(1), "contract"), (200_001, D(1), "contract")]
    short = one | {"input_tokens_to": 200_001}
    assert own_and_listed(listed, short) == [(0, D(1), "contract"), (200_001, D("2.5"), "genai-prices")]
    long = {"usd_per_mtok": {"input_uncached": D(2)}, "input_tokens_from": 200_001}
    assert own_and_listed(listed, short, long) == [(0, D(1), "contract"), (200_001, D(2), "contract")]


def test_an_own_price_of_a_region_holds_there_alone_and_wins_over_one_of_everywhere(listed):
    region = {"usd_per_mtok": {"input_uncached": D(1)}, "region_id": "europe-west4"}
    everywhere = {"usd_per_mtok": {"input_uncached": D(2)}}
    of_list = [(0, D("1.25"), "genai-prices"), (200_001, D("2.5"), "genai-prices")]
    assert own_and_listed(listed, region) == of_list
    assert own_and_listed(listed, region, region="europe-west4") == [(0, D(1), "contract"), (200_001, D(1), "contract")]
    both = own_and_listed(listed, region, everywhere, region="europe-west4")
    assert both == [(0, D(1), "contract"), (200_001, D(1), "contract")]
    assert [price for _, price, _ in own_and_listed(listed, region, everywhere)] == [D(2), D(2)]


def test_two_own_prices_at_once_are_refused(listed):
    own = contract_price_rows([contract_price(), contract_price(valid_from=datetime(2026, 5, 1))], KNOWN)
    with pytest.raises(ValueError, match="two prices of openai/gpt-4o, default, input_uncached hold at 2026-05-01"):
        merge_prices(listed, own)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"usd_per_mtok": {"input": D(1)}}, "'input' is no token class"),
        ({"usd_per_mtok": {"input_uncached": D("-0.01")}}, "is negative"),
        ({"usd_per_mtok": {"input_uncached": D("0.0000001")}}, "more than 6 decimal places"),
        ({"valid_to": datetime(2026, 1, 1)}, "not after its start"),
        ({"input_tokens_from": 5, "input_tokens_to": 5}, "ends at 5 tokens, which is not after its start 5"),
    ],
)
def test_a_contract_price_that_cannot_hold_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        contract_price_rows([contract_price(**given)], KNOWN)


def test_nine_tenths_cached_prompt_tokens_cost_what_the_report_of_a_double_billing_says(listed):
    fresh, cached = (
        price_at(listed, "openai", "gpt-4o", name)["usd_per_mtok"] for name in ("input_uncached", "cache_read")
    )
    assert (fresh * 100_000 + cached * 900_000) / MILLION == D("1.375")
