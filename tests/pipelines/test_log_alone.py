"""What who has a log and no bill is told at the end of a run."""

from typing import Any

import duckdb

from pipelines.night.log_alone import log_alone
from tests.sql.golden import filled

DAYS = [
    {"usage_date": "2026-10-30", "request_count": 3, "unpriced_count": 0, "priced_cost_usd": "1.25"},
    {"usage_date": "2026-10-31", "request_count": 9, "unpriced_count": 4, "priced_cost_usd": "0.5"},
]


def _snapshot(usage: list[dict[str, Any]], charged: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    database.register("usage_daily", filled("usage_daily", usage))
    database.register("chargeback", filled("chargeback", charged))
    return database


def test_a_log_without_a_bill_says_so_with_its_money_and_how_to_look_at_a_request() -> None:
    no_bill, priced, explain = log_alone(_snapshot(DAYS, []))
    assert no_bill.startswith(
        "No line of a bill has come, so nobody was charged and there is no statement. The 12 logged"
    )
    assert "Add a source of the provider's bill: docs/connecting.md" in no_bill
    assert priced.startswith("With a price they come to USD 1.75; without one are 4: failures, answers of which")
    assert explain == "Request by request: farthing explain usage_daily --where day=2026-10-31 --depth requests"


def test_what_has_no_price_at_all_is_not_called_nothing() -> None:
    unpriced = [{"usage_date": "2026-10-31", "request_count": 1, "unpriced_count": 1, "priced_cost_usd": None}]
    no_bill, priced, _ = log_alone(_snapshot(unpriced, []))
    assert "The 1 logged request is in usage_daily" in no_bill
    assert priced.startswith("None of them has a price, so no money is known at all: they are failures")


def test_with_a_line_of_a_bill_or_without_a_request_there_is_nothing_to_say() -> None:
    assert log_alone(_snapshot(DAYS, [{"billing_period": "2026-10-01", "account": "team:search"}])) == ()
    assert log_alone(_snapshot([], [])) == ()
