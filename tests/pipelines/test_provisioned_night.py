"""Units of provisioned throughput, from the log's requests to advice."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from models.tokens import TOKEN_CLASSES
from pipelines.house import House, open_house
from pipelines.night import provisioned
from pipelines.night.provisioned import build_provisioned_advice, build_provisioned_minutes
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

LAST = date(2026, 10, 31)
FIRST = LAST - timedelta(days=6)
ONCE = date(1970, 1, 1)


def requests(day: date) -> list[dict[str, Any]]:
    """Two minutes of 60,000 tokens on the standard tier, a batch, and another provider's model of the same name."""
    call = {
        **dict.fromkeys((f"{name}_tokens" for name in TOKEN_CLASSES), 0),
        "usage_date": day,
        "provider": "azure",
        "billed_model": "gpt-4.1",
        "region_id": "eastus",
        "status": "success",
        "service_tier": "default",
        "output_total_tokens": 0,
        "input_uncached_tokens": 60_000,
        "input_total_tokens": 60_000,
    }
    at = datetime.combine(day, datetime.min.time()) + timedelta(hours=10)
    return [
        {**call, "x_row": 1, "started_at": at},
        {**call, "x_row": 2, "started_at": at + timedelta(minutes=1)},
        {**call, "x_row": 3, "started_at": at, "service_tier": "batch"},
        {**call, "x_row": 4, "started_at": at, "provider": "openai"},
    ]


def stored(house: House, *, in_use: tuple[str, ...] = ("azure", "openai")) -> None:
    for ago in range(7):
        day = LAST - timedelta(days=ago)
        rows = requests(day) if ago else []  # of the last day the log told that there was nothing
        house.lake.replace_slice("gateway_requests", day, "gateway", filled("gateway_requests", rows), f"log {day}")
        used = [{"usage_date": day, "source_provider": name, "source_model": "gpt-4.1"} for name in in_use]
        house.lake.replace_slice("models_in_use", day, "farthing", filled("models_in_use", used), f"names {day}")
    names = [
        {"source_provider": name, "source_model": "gpt-4.1", "provider_id": name, "model_id": "gpt-4.1"}
        for name in ("azure", "openai")
    ]
    house.lake.replace_slice("model_identity", ONCE, "farthing", filled("model_identity", names), "names")
    price = {"provider_id": "azure", "model_id": "gpt-4.1", "service_tier": "default", "region_id": ""}
    dated = {"valid_from": "2026-01-01 00:00:00", "valid_to": "9999-12-31 00:00:00", "input_tokens_to": 10**9}
    book = filled("price_book", [{**price, **dated, "input_uncached_usd_per_token": "0.00002"}])
    house.lake.replace_slice("price_book", ONCE, "farthing", book, "book")
    unit = {"usage_date": LAST, "provider_name": "Microsoft", "region_id": "eastus", "scope": "Global"}
    bought = {"purchase_option": "provisioned", "currency": "USD", "unit_price": "0.001"}
    listed = filled("provisioned_prices", [{**unit, **bought}])
    house.lake.replace_slice("provisioned_prices", LAST, "farthing", listed, "list")


def test_a_night_advises_what_the_minutes_say_and_does_nothing_twice(tmp_path: Path) -> None:
    """20 units carry 60,000 a minute: 0.48 a day on seven days, against 2.40 for the tokens of six of them."""
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 11, 2, 5)) as house:
        stored(house)
        minutes = build_provisioned_minutes(house, FIRST, LAST)
        assert (len(minutes.slices), minutes.row_count) == (7, 12)
        built = build_provisioned_advice(house, FIRST, LAST)
        (row,) = house.lake.read("provisioned_advice").to_pylist()
        assert (row["billing_period"], row["model_id"], row["region_id"]) == (date(2026, 10, 1), "gpt-4.1", "eastus")
        assert (row["first_day"], row["last_day"], row["day_count"]) == (FIRST, LAST, 7)
        assert (row["advised_units"], row["best_spill_ratio"]) == (20, 0)
        saved = (Decimal("2.4") * 6 - Decimal("0.48") * 7) * 730 / (7 * 24)
        assert row["monthly_saving"] == round(saved, 12)
        assert 0 < row["saving_p10"] < saved
        assert built.note == "1 model by region would cost less with another number of units"
        for build in (build_provisioned_minutes, build_provisioned_advice):
            assert build(house, FIRST, LAST).slices == ()


def test_a_day_whose_minutes_were_never_asked_for_is_no_day_of_silence(tmp_path: Path) -> None:
    """The log tells of eight days, minutes are kept of the last seven: those are the days of the advice."""
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 11, 2, 5)) as house:
        stored(house)
        build_provisioned_minutes(house, FIRST, LAST)
        before = FIRST - timedelta(days=1)
        house.lake.replace_slice(
            "gateway_requests", before, "gateway", filled("gateway_requests", requests(before)), "x"
        )
        build_provisioned_advice(house, FIRST, LAST)
        (row,) = house.lake.read("provisioned_advice").to_pylist()
        assert (row["first_day"], row["last_day"], row["day_count"]) == (FIRST, LAST, 7)


def test_no_log_is_read_where_no_model_is_sold_as_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(*_: object) -> None:
        raise AssertionError("the log was read")

    monkeypatch.setattr(provisioned, "read_view", unread)
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 11, 2, 5)) as house:
        stored(house, in_use=("openai",))  # a bill may name the other
        assert build_provisioned_minutes(house, FIRST, LAST).row_count == 0
        build_provisioned_advice(house, FIRST, LAST)
        assert house.lake.read("provisioned_advice").num_rows == 0
