"""One row a token class: the bill's where it names one, else the log's part of the bill's one line."""

import polars as pl
import pytest

from models.frames import frame_of
from tests.models.focus_bill import bill, journal, rows_of, told, whole
from tests.sql.golden import filled

LINE = {
    "group": "g", "billed_cost": "33.90", "provider_id": "solora", "model_id": "pro", "x_model_id": "pro-1",
    "consumed_quantity": "12000000", "consumed_unit": "Tokens",
}  # fmt: skip
TOKENS = {"input_uncached": 500_000, "cache_write_5m": 2_000_000, "cache_read": 8_000_000, "output_text": 1_500_000}
PRICES = {
    "input_uncached": "0.000003",
    "cache_write_5m": "0.00000375",
    "cache_read": "0.0000003",
    "output_text": "0.000015",
}


def logged(**changes: object) -> pl.DataFrame:
    row = {"usage_date": "2026-10-05", "provider_id": "solora", "model_id": "pro", "service_tier": "default"}
    return frame_of(
        filled("usage_by_team_daily", [{**row, **{f"{k}_tokens": v for k, v in TOKENS.items()}, **changes}])
    )


def book(**changes: object) -> pl.DataFrame:
    row = {
        "provider_id": "solora", "model_id": "pro", "service_tier": "default", "region_id": "",
        "valid_from": "1970-01-01 00:00:00", "valid_to": "9999-12-31 00:00:00",
    }  # fmt: skip
    prices = {f"{name}_usd_per_token": price for name, price in PRICES.items()}
    return frame_of(filled("price_book", [{**row, **prices, **changes}]))


def split(usage: pl.DataFrame, price_book: pl.DataFrame, **changes: str) -> list[tuple[object, ...]]:
    line = {**LINE, **changes}
    rows = rows_of(bill(line), journal(("g", "team:search", line["billed_cost"])), usage, price_book)
    return told(rows, "x_TokenClass", "x_TokenClassBasis", "EffectiveCost", "ConsumedQuantity")


def test_a_line_for_all_tokens_is_split_like_the_log_at_the_book_s_prices() -> None:
    """G4: 1.50 of input, 7.50 of cache writes, 2.40 of cache reads and 22.50 of output."""
    assert split(logged(), book()) == [
        ("cache_read", "log", "2.4", "8000000"),
        ("cache_write_5m", "log", "7.5", "2000000"),
        ("input_uncached", "log", "1.5", "500000"),
        ("output_text", "log", "22.5", "1500000"),
    ]


def test_the_parts_sum_to_the_line_whatever_the_log_counted() -> None:
    found = split(
        logged(input_uncached_tokens=1, cache_read_tokens=1, cache_write_5m_tokens=1), book(), billed_cost="0.01"
    )
    assert sum(float(str(row[2])) for row in found) == pytest.approx(0.01, abs=1e-15)
    rows = rows_of(bill({**LINE, "billed_cost": "0.01"}), journal(("g", "team:search", "0.01")), logged(), book())
    assert told(rows.sum(), "BilledCost", "ConsumedQuantity") == [("0.01", "12000000")]


def test_each_class_is_a_charge_whose_ratios_sum_to_one() -> None:
    parts = {"rule_kind": "priced_tokens"}
    postings = journal(("g", "team:search", "11.3", None, parts), ("g", "team:support", "22.6", None, parts))
    rows = rows_of(bill(LINE), postings, logged(), book())
    ratio = pl.col("AllocatedMethodDetails").str.json_path_match("$.Elements[0].AllocatedRatio")
    sums = rows.group_by("x_OriginChargeId").agg(ratio.cast(pl.Decimal(38, 12)).sum()).sort("x_OriginChargeId")
    assert told(sums, *sums.columns) == [
        (f"bill/page/1/{name}", "1") for name in ("cache_read", "cache_write_5m", "input_uncached", "output_text")
    ]


@pytest.mark.parametrize(
    ("usage", "price_book"),
    [
        (logged(usage_date="2026-10-06"), book()),
        (logged(), book(cache_read_usd_per_token=None)),
        (logged(), book(valid_from="2026-10-05 00:00:01")),
        (logged(is_self_hosted=True), book()),
    ],
    ids=["no-log-of-the-day", "a-class-without-a-price", "no-price-yet", "another-s-tokens"],
)
def test_a_line_that_nothing_splits_stays_whole(usage: pl.DataFrame, price_book: pl.DataFrame) -> None:
    assert split(usage, price_book) == [(None, None, "33.9", "12000000")]


@pytest.mark.parametrize(
    "changes",
    [{"x_service_tier": "provisioned"}, {"charge_category": "Credit"}, {"consumed_unit": "Requests"}],
    ids=["throughput-by-the-hour", "credit", "requests"],
)
def test_what_is_not_billed_by_tokens_is_not_split_by_them(changes: dict[str, str]) -> None:
    assert [row[:3] for row in split(logged(), book(), **changes)] == [(None, None, "33.9")]


def test_the_bill_s_own_class_is_kept_and_named_as_the_draft_does() -> None:
    classes = ("input_uncached", "cache_read", "cache_write_1h", "input_audio", "output_reasoning", None)
    rows = whole(*({"billed_cost": "1", "x_model_id": "pro", "x_token_class": name} for name in classes))
    columns = ("x_TokenClass", "x_TokenClassBasis", "x_TokenDirection", "x_TokenCacheAction", "x_ModelId")
    assert told(rows, *columns) == [
        ("input_uncached", "bill", "Input", "Uncached", "pro"),
        ("cache_read", "bill", "Input", "Read", "pro"),
        ("cache_write_1h", "bill", "Input", "Write", "pro"),
        ("input_audio", "bill", "Input", None, "pro"),
        ("output_reasoning", "bill", "Output", None, "pro"),
        (None, None, None, None, "pro"),
    ]
