"""Clouds' lists as lines of the book: units exact, time as the readings tell it, nothing taken that does not fit."""

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

from models.frames import schema_of
from models.list_readings import STATED, after_readings
from models.pricing import ContractPrice, cloud_price_rows, contract_price_rows, identity_rows, merge_prices, price_rows
from models.tokens import tokens_in

D = Decimal
KNOWN = datetime(2026, 11, 1)
GENERAL, _ = price_rows(KNOWN)
FIRST, SECOND, THIRD = date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 20)
FOREVER = datetime(9999, 12, 31)
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def stated(day=FIRST, price="0.003", source="aws-list", **given):
    row = {
        "x_source": source,
        "x_slice_date": day,
        "provider_name": "AWS",
        "x_model_id": MODEL,
        "x_service_tier": None,
        "region_id": "eu-west-1",
        "x_token_class": "input_uncached",
        "purchase_option": "on_demand",
        "quantity_from": D(0),
        "pricing_unit": "1K tokens",
        "unit_price": D(price),
        "currency": "USD",
        "valid_from": None,
    }
    return row | given


def book(rows, readings=None, last_read=None):
    readings = readings or {
        s: sorted({r["x_slice_date"] for r in rows if r["x_source"] == s}) for s in ("aws-list", "b")
    }
    identity = identity_rows({(row["provider_name"], row["x_model_id"]) for row in rows}, {})
    return cloud_price_rows(after_readings(NOTHING, read(rows, readings)), identity, KNOWN, GENERAL, last_read)


NOTHING = pl.DataFrame(schema=schema_of("listed_prices"))


def read(rows, readings):
    """Every reading as the lake hands it out: source, day, and what it says of models."""
    schema = {name: schema_of("sku_prices")[name] for name in ("x_source", "x_slice_date", *STATED)}
    frame = pl.DataFrame(rows, schema=schema)
    for source, day in sorted(((s, d) for s, days in readings.items() for d in days), key=lambda pair: pair[::-1]):
        yield source, day, frame.filter(pl.col("x_source") == source, pl.col("x_slice_date") == day)


def spans(lines):
    return [(row["valid_from"], row["valid_to"], row["usd_per_mtok"]) for row in lines.iter_rows(named=True)]


@pytest.mark.parametrize(
    ("unit", "tokens"),
    [
        ("1000 Tokens", 1000),
        ("1,000 tokens", 1000),
        ("1K tokens", 1000),
        ("1K", 1000),
        ("1M tokens", 1_000_000),
        ("1M-Tokens", 1_000_000),
        ("per million tokens", 1_000_000),
        ("Tokens", 1),
        ("token", 1),
        ("count", 1),
        ("100K tokens", 100_000),
        ("1", None),
        ("", None),
        ("Hours", None),
        ("1 Hour", None),
        ("1K images", None),
        ("0 tokens", None),
    ],
)
def test_a_unit_says_how_many_tokens_it_is_or_is_none(unit, tokens):
    assert tokens_in(unit) == tokens


@pytest.mark.parametrize(
    ("unit", "price", "usd_per_mtok"),
    [("1000 Tokens", "0.00375", "3.75"), ("1M tokens", "0.06", "0.06"), ("Tokens", "0.000000000001", "0.000001")],
)
def test_a_unit_price_becomes_the_exact_price_of_a_million_tokens(unit, price, usd_per_mtok):
    lines, refused = book([stated(pricing_unit=unit, unit_price=D(price))])
    row = lines.row(0, named=True)
    assert (row["usd_per_mtok"], refused) == (D(usd_per_mtok), [])
    assert (row["provider_id"], row["region_id"], row["service_tier"]) == ("aws", "eu-west-1", "default")
    assert (row["price_source"], row["price_basis"], row["known_from"]) == ("cloud-list", "own", KNOWN)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"currency": "EUR"}, "is in EUR, and the book is in USD"),
        ({"purchase_option": "provisioned"}, "is for provisioned"),
        ({"x_token_class": "images"}, "is no token class"),
        ({"x_service_tier": "provisioned"}, "none of the service tiers"),
        ({"quantity_from": D(1000)}, "a monthly quantity of 1000"),
        ({"pricing_unit": "Hours"}, "is no number of tokens"),
        ({"pricing_unit": "10 tokens", "unit_price": D("0.000000000001")}, "more than 6 decimal places"),
        ({"pricing_unit": "3 tokens", "unit_price": D("0.000001")}, "no exact price"),
        ({"provider_name": "Nobody"}, "does not know"),
    ],
)
def test_a_price_that_the_book_cannot_hold_is_refused_with_its_reason(given, reason):
    lines, refused = book([stated(**given), stated(x_token_class="output_text")])
    assert [line["token_class"] for line in lines.iter_rows(named=True)] == ["output_text"]
    assert len(refused) == 1
    assert reason in refused[0].reason


def test_a_price_without_a_stated_start_holds_from_the_day_of_its_first_reading():
    lines, _ = book([stated(FIRST), stated(SECOND)])
    assert spans(lines) == [(datetime(2026, 10, 5), FOREVER, D(3))]


def test_a_price_ends_where_a_later_reading_begins_another():
    lines, _ = book([stated(FIRST), stated(SECOND), stated(THIRD, "0.002")])
    assert spans(lines) == [
        (datetime(2026, 10, 5), datetime(2026, 10, 20), D(3)),
        (datetime(2026, 10, 20), FOREVER, D(2)),
    ]


def test_a_stated_start_counts_and_the_same_price_stated_anew_is_one_stretch():
    october, november = datetime(2026, 10, 1), datetime(2026, 10, 18)
    rows = [stated(FIRST, valid_from=october), stated(SECOND, valid_from=october)]
    lines, _ = book([*rows, stated(THIRD, valid_from=november)])
    assert spans(lines) == [(october, FOREVER, D(3))]
    lines, _ = book([*rows, stated(THIRD, "0.002", valid_from=november)])
    assert spans(lines) == [(october, november, D(3)), (november, FOREVER, D(2))]


def test_a_later_reading_of_the_same_start_corrects_the_price():
    october = datetime(2026, 10, 1)
    lines, _ = book([stated(FIRST, valid_from=october), stated(SECOND, "0.002", valid_from=october)])
    assert spans(lines) == [(october, FOREVER, D(2))]


def test_a_price_that_is_announced_begins_on_its_day_and_leaves_the_present_one_until_then():
    present, announced = datetime(2026, 10, 1), datetime(2027, 1, 1)
    rows = [stated(day, valid_from=present) for day in (FIRST, SECOND)]
    rows += [stated(day, "0.001", valid_from=announced) for day in (FIRST, SECOND, THIRD)]
    rows += [stated(THIRD, "0.002", valid_from=datetime(2026, 10, 18))]
    lines, _ = book(rows)
    assert spans(lines) == [
        (present, datetime(2026, 10, 18), D(3)),
        (datetime(2026, 10, 18), announced, D(2)),
        (announced, FOREVER, D(1)),
    ]


def test_a_price_that_is_no_longer_listed_ends_on_the_day_it_was_missed():
    lines, _ = book([stated(FIRST)], {"aws-list": [FIRST, THIRD]})
    assert spans(lines) == [(datetime(2026, 10, 5), datetime(2026, 10, 20), D(3))]


def test_one_thing_stated_at_two_prices_has_none_of_them():
    lines, refused = book([stated(), stated(price="0.004"), stated(x_token_class="output_text")])
    assert lines["token_class"].to_list() == ["output_text"]
    assert [refusal.reason for refusal in refused] == ["is stated twice, at different prices for the same time"]
    lines, refused = book([stated(), stated(source="b", price="0.004")])
    assert lines.is_empty()
    assert len(refused) == 1


def test_a_reading_that_contradicts_itself_costs_only_the_time_it_is_about():
    june = datetime(2026, 6, 1)
    rows = [stated(FIRST, "0.010", valid_from=datetime(2025, 1, 1))]
    rows += [stated(SECOND, price, valid_from=june) for price in ("0.008", "0.009")]
    lines, refused = book(rows)
    assert spans(lines) == [(datetime(2025, 1, 1), june, D(10))]
    assert [(refusal.valid_from, refusal.valid_to) for refusal in refused] == [(june, FOREVER)]
    assert "at different prices" in refused[0].reason
    lines, refused = book([*rows, stated(THIRD, "0.008", valid_from=june)])
    assert spans(lines) == [(datetime(2025, 1, 1), june, D(10)), (june, FOREVER, D(8))]
    assert refused == []


def test_two_sources_that_differ_for_a_while_are_one_price_for_the_rest():
    rows = [stated(FIRST), stated(FIRST, source="b"), stated(SECOND, "0.002"), stated(SECOND, source="b")]
    lines, refused = book([*rows, stated(THIRD, "0.002"), stated(THIRD, "0.002", source="b")])
    assert spans(lines) == [
        (datetime(2026, 10, 5), datetime(2026, 10, 6), D(3)),
        (datetime(2026, 10, 20), FOREVER, D(2)),
    ]
    assert [(refusal.valid_from, refusal.valid_to) for refusal in refused] == [
        (datetime(2026, 10, 6), datetime(2026, 10, 20))
    ]


def test_a_source_that_is_renamed_keeps_its_prices():
    rows = [stated(FIRST, "0.010", source="b"), stated(SECOND, "0.010")]
    lines, refused = book(rows, last_read={"b": FIRST})
    assert (spans(lines), refused) == ([(datetime(2026, 10, 5), FOREVER, D(10))], [])


def test_a_source_that_is_read_no_longer_blocks_no_price_of_another():
    since, changed = datetime(2025, 1, 1), datetime(2026, 10, 20)
    rows = [stated(FIRST, "0.010", source="b", valid_from=since), stated(SECOND, "0.010", valid_from=since)]
    rows.append(stated(THIRD, "0.008", valid_from=changed))
    lines, refused = book(rows, last_read={"b": FIRST})
    # the renamed source is read on the next day, and without the old price on the 20th
    assert (spans(lines), refused) == ([(since, changed, D(10)), (changed, FOREVER, D(8))], [])


def test_a_price_ends_with_the_last_reading_of_a_list_that_is_read_no_longer():
    lines, _ = book([stated(FIRST), stated(SECOND)], last_read={"aws-list": SECOND})
    assert spans(lines) == [(datetime(2026, 10, 5), datetime(2026, 10, 7), D(3))]


VERTEX = {
    "provider_name": "Google Cloud",
    "x_model_id": "gemini-2.5-pro",
    "region_id": None,
    "pricing_unit": "1M Tokens",
    "x_token_class": "output_text",
}
LONG = VERTEX | {"x_service_tier": "default+long-context"}


def banded(frame, token_class="output_text", tier="default"):
    wanted = frame.filter(
        pl.col("provider_id") == "google",
        pl.col("model_id") == "gemini-2.5-pro",
        pl.col("token_class") == token_class,
        pl.col("service_tier") == tier,
        pl.col("valid_to") == FOREVER,
    )
    return wanted.select("input_tokens_from", "usd_per_mtok", "price_source").rows()


def merged_with_list(lines):
    return merge_prices(GENERAL, lines, contract_price_rows([], KNOWN))


def test_a_clouds_ordinary_price_leaves_the_lists_price_of_long_contexts():
    # the general list has 10 USD up to 200,000 tokens of input and 15 USD beyond
    assert banded(GENERAL) == [(0, D(10), "genai-prices"), (200_001, D(15), "genai-prices")]
    lines, refused = book([stated(**VERTEX, price="9.5")])
    assert refused == []
    assert banded(merged_with_list(lines)) == [(0, D("9.5"), "cloud-list"), (200_001, D(15), "genai-prices")]


def test_a_clouds_price_of_long_contexts_fills_the_upper_band():
    lines, refused = book([stated(**VERTEX, price="9.5"), stated(**LONG, price="14")])
    assert refused == []
    assert banded(merged_with_list(lines)) == [(0, D("9.5"), "cloud-list"), (200_001, D(14), "cloud-list")]


def test_an_ordinary_price_holds_in_every_band_where_the_list_has_one_price_for_the_class():
    gemini = VERTEX | {"x_token_class": "input_uncached", "x_model_id": "gemini-2.5-flash"}
    lines, refused = book([stated(**gemini, price="0.29")])
    assert lines.select("input_tokens_from", "input_tokens_to", "usd_per_mtok").rows() == [(0, 2**63 - 1, D("0.29"))]
    assert refused == []


def test_a_tier_that_the_list_does_not_know_has_the_bands_of_the_default_tier():
    lines, _ = book(
        [
            stated(**VERTEX | {"x_service_tier": "flex"}, price="5"),
            stated(**VERTEX | {"x_service_tier": "flex+long-context"}, price="7.5"),
        ]
    )
    assert banded(lines, tier="flex") == [(0, D(5), "cloud-list"), (200_001, D("7.5"), "cloud-list")]


def test_a_long_context_without_a_known_beginning_is_refused_and_the_ordinary_price_stands():
    lines, refused = book([stated(), stated(x_service_tier="default+long-context", price="0.006")])
    assert lines.select("input_tokens_from", "input_tokens_to", "usd_per_mtok").rows() == [(0, 2**63 - 1, D(3))]
    assert [(refusal.service_tier, refusal.reason.split(",")[0]) for refusal in refused] == [
        ("default+long-context", "is for long contexts")
    ]


def test_a_price_has_the_lists_bands_only_while_the_list_has_them():
    # until 2026-03-13 the general list has 3 USD up to 200,000 tokens and 6 USD beyond; since then 3 USD for all
    sonnet = {"provider_name": "Microsoft", "x_model_id": "claude-sonnet-4-6", "region_id": None}
    lines, _ = book([stated(**sonnet, valid_from=datetime(2026, 3, 1), price="0.0029")])
    assert lines.select("valid_from", "valid_to", "input_tokens_to").rows() == [
        (datetime(2026, 3, 1), datetime(2026, 3, 13), 200_001),
        (datetime(2026, 3, 13), FOREVER, 2**63 - 1),
    ]


def test_two_sources_that_say_the_same_are_one():
    lines, refused = book([stated(), stated(source="b")])
    assert (lines.height, refused) == (1, [])


def price(merged, token_class, region, tier="default", at=datetime(2026, 10, 10)):
    (model_id,) = {row[1] for row in identity_rows([("AWS", MODEL)], {}).select("provider_id", "model_id").rows()}
    found = merged.filter(
        pl.col("provider_id") == "aws",
        pl.col("model_id") == model_id,
        pl.col("token_class") == token_class,
        pl.col("service_tier") == tier,
        pl.col("region_id") == region,
        pl.col("valid_from") <= at,
        pl.col("valid_to") > at,
        pl.col("input_tokens_from") == 0,
    )
    assert found.height <= 1
    return found.row(0, named=True) if found.height else None


def test_contract_wins_over_cloud_list_and_cloud_list_over_the_general_list_class_by_class():
    listed, _ = price_rows(KNOWN)
    everywhere = [
        stated(region_id=None, unit_price=D("0.005")),
        stated(region_id=None, x_token_class="output_text", unit_price=D("0.02")),
    ]
    cloud, _ = book([*everywhere, stated(unit_price=D("0.0055"))])
    model_id = cloud["model_id"][0]
    own = ContractPrice("aws", model_id, "default", datetime(2026, 10, 1), None, {"output_text": D(12)})
    merged = merge_prices(listed, cloud, contract_price_rows([own], KNOWN))
    answers = {
        (name, region): (price(merged, name, region)["usd_per_mtok"], price(merged, name, region)["price_source"])
        for name in ("input_uncached", "output_text", "cache_read")
        for region in ("", "eu-west-1")
    }
    general = price(listed, "cache_read", "")["usd_per_mtok"]
    assert answers == {
        ("input_uncached", ""): (D(5), "cloud-list"),
        ("input_uncached", "eu-west-1"): (D("5.5"), "cloud-list"),
        ("output_text", ""): (D(12), "contract"),
        ("output_text", "eu-west-1"): (D(12), "contract"),
        ("cache_read", ""): (general, "genai-prices"),
        ("cache_read", "eu-west-1"): (general, "genai-prices"),
    }
    assert price(merged, "input_uncached", "us-east-1") is None
    assert price(merged, "input_uncached", "", at=datetime(2026, 10, 4))["price_source"] == "genai-prices"


def test_a_reading_joined_night_by_night_is_what_all_readings_at_once_are():
    rows = [stated(FIRST), stated(THIRD), stated(SECOND, "0.004"), stated(THIRD, "0.006", "b", region_id=None)]
    readings = {"aws-list": [FIRST, SECOND, THIRD], "b": [THIRD]}
    nightly = NOTHING
    for one in read(rows, readings):
        nightly = after_readings(nightly, [one])
    assert nightly.equals(after_readings(NOTHING, read(rows, readings)))
    runs = nightly.filter(pl.col("x_source") == "aws-list").select("unit_price", "first_read_on", "missed_on").rows()
    assert runs == [(D("0.003"), FIRST, SECOND), (D("0.004"), SECOND, THIRD), (D("0.003"), THIRD, None)]


def test_a_reading_that_says_the_same_adds_nothing():
    once = after_readings(NOTHING, [("aws-list", FIRST, next(read([stated()], {"aws-list": [FIRST]}))[2])])
    again = after_readings(once, [("aws-list", SECOND, next(read([stated()], {"aws-list": [FIRST]}))[2])])
    assert again.equals(once)
    assert once.height == 1
