"""What a night tells of a month against the one before: which money is metered, and that the parts are the change."""

from datetime import date
from decimal import Decimal
from typing import Any, cast

import pyarrow as pa

from contracts import contract
from pipelines.house import House
from pipelines.night.variance_bridge import bridge_rows

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
_BLANK = {"string": "", "int64": 0, "int32": 0, "bool": False, "date": SEPTEMBER}


def rows_of(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows with what is not given empty: NULL where the contract allows it."""
    blank = {c.name: None if c.nullable else _BLANK.get(c.type, Decimal(0)) for c in contract(table).columns}
    return pa.Table.from_pylist([blank | row for row in rows], schema=contract(table).arrow_schema())


class Lake:
    """Tables by month: what `House.lake` gives of them."""

    def __init__(self, tables: dict[str, list[dict[str, Any]]]) -> None:
        self.tables = tables

    def read(self, table: str, start: date, end: date) -> pa.Table:
        column = contract(table).slice_column or ""
        return rows_of(table, [row for row in self.tables.get(table, []) if start <= row[column] < end])


def bridge(tables: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    house = cast("House", type("House", (), {"lake": Lake(tables)}))
    return list(bridge_rows(house, OCTOBER))


def cost(period: date, amount: str, **changed: object) -> dict[str, Any]:
    api = {"model_id": "m", "cost_kind": "api", "rule_kind": "priced_tokens"}
    given = {"account": "team:search", "billing_currency": "USD", "effective_cost": Decimal(amount)}
    return {"billing_period": period, "charge_date": period, **api, **given, **changed}


def use(period: date, requests: int, tokens: int, **changed: object) -> dict[str, Any]:
    count = {"request_count": requests, "input_uncached_tokens": tokens}
    return {"usage_date": period, "model_id": "m", "team_id": "search", **count, **changed}


def test_each_kind_of_money_has_its_factor_and_the_parts_are_the_change() -> None:
    found = bridge(
        {
            "chargeback": [
                cost(SEPTEMBER, "10"),
                cost(OCTOBER, "27"),
                cost(OCTOBER, "5", rule_kind="pool"),
                cost(OCTOBER, "-2", cause="bill_restated", corrected_period=date(2026, 8, 1)),
                cost(OCTOBER, "-1", rule_kind="correction"),
                cost(SEPTEMBER, "3", model_id="unlogged"),
                cost(OCTOBER, "4", model_id="unlogged"),
                cost(SEPTEMBER, "8", cost_kind="gpu", rule_kind="gpu_seconds", model_id=""),
                cost(OCTOBER, "18", cost_kind="gpu", rule_kind="gpu_seconds", model_id=""),
                cost(OCTOBER, "0.000000000001", cost_kind="other", model_id=""),
            ],
            "usage_by_team_daily": [
                use(SEPTEMBER, 10, 100),
                # two of the twelve were logged again, with their tokens; own GPUs' requests are not the API's
                use(OCTOBER, 12, 240, duplicate_count=2, duplicate_input_uncached_tokens=40),
                use(OCTOBER, 5, 900, is_self_hosted=True),
                use(OCTOBER, 5, 900, team_id="other"),
            ],
            "gpu_waste": [
                {**cost(SEPTEMBER, "8"), "gpu_model_name": "H100", "gpu_seconds": 7_200},
                {**cost(OCTOBER, "18"), "gpu_model_name": "H100", "gpu_seconds": 14_400},
            ],
        }
    )
    parts = {(row["factor"], row["model_id"]): row["change_cost"] for row in found}
    assert parts == {
        ("tokens_per_request", "m"): Decimal(10),  # ten requests, of 20 tokens instead of 10
        ("price", "m"): Decimal(7),
        ("other", "unlogged"): Decimal(1),
        ("gpu_hours", ""): Decimal(8),  # two hours more at 4
        ("gpu_price", ""): Decimal(2),
        ("shared", ""): Decimal(5),
        ("adjustment", ""): Decimal(-3),
        ("other", ""): Decimal("0.000000000001"),
    }
    assert {(row["previous_account_cost"], row["account_cost"]) for row in found} == {
        (Decimal(21), Decimal("51.000000000001"))
    }
    assert {(row["previous_period"], row["team_id"]) for row in found} == {(SEPTEMBER, "search")}


def test_gpus_of_a_shared_pool_are_hours_once() -> None:
    def pooled(period: date, amount: str) -> dict[str, Any]:
        return cost(period, amount, cost_kind="gpu", rule_kind="pool", model_id="")

    found = bridge(
        {
            "chargeback": [pooled(SEPTEMBER, "200"), pooled(OCTOBER, "400")],
            "gpu_waste": [
                {**cost(SEPTEMBER, "200"), "gpu_model_name": "H100", "gpu_seconds": 360_000},
                {**cost(OCTOBER, "400"), "gpu_model_name": "H100", "gpu_seconds": 720_000},
            ],
        }
    )
    assert [(row["factor"], row["change_cost"]) for row in found] == [("gpu_hours", Decimal(200))]


def test_a_month_without_a_bill_yet_did_not_fall_to_nothing() -> None:
    assert bridge({"chargeback": [cost(SEPTEMBER, "27")], "usage_by_team_daily": [use(SEPTEMBER, 10, 100)]}) == []


def test_the_first_month_is_held_against_nothing() -> None:
    assert bridge({"chargeback": [cost(OCTOBER, "27")], "usage_by_team_daily": [use(OCTOBER, 10, 100)]}) == []


def test_a_team_that_is_new_grew_and_one_that_is_gone_shrank() -> None:
    found = bridge(
        {
            "chargeback": [cost(SEPTEMBER, "10"), cost(OCTOBER, "4", account="residual:unowned_usage")],
            "usage_by_team_daily": [use(SEPTEMBER, 1, 1), use(OCTOBER, 1, 1, team_id=None)],
        }
    )
    assert [(row["account"], row["team_id"], row["factor"], row["change_cost"]) for row in found] == [
        ("residual:unowned_usage", None, "volume", Decimal(4)),
        ("team:search", "search", "volume", Decimal(-10)),
    ]


def test_classes_are_weighed_by_what_they_cost_on_average() -> None:
    """Half of the month at 1 and half at 3 is 2 for a fresh token, a cached one is 1."""

    def price(period: date, each: str, tokens: int, **changed: object) -> dict[str, Any]:
        named = {"usage_date": period, "model_id": "m", "input_uncached_tokens": tokens}
        return {**named, "input_uncached_usd_per_token": Decimal(each), **changed}

    cached = {"cache_read_tokens": 5, "cache_read_usd_per_token": Decimal(1)}
    found = bridge(
        {
            "chargeback": [cost(SEPTEMBER, "20"), cost(OCTOBER, "15")],
            "usage_by_team_daily": [use(SEPTEMBER, 1, 10), use(OCTOBER, 1, 5, cache_read_tokens=5)],
            "usage_hourly": [price(SEPTEMBER, "1", 5), price(SEPTEMBER, "3", 5), price(OCTOBER, "3", 5, **cached)],
        }
    )
    # ten tokens at 2; then five of them cached, at 1 each: 15
    assert [(row["factor"], row["change_cost"]) for row in found] == [("cache_rate", Decimal(-5))]
