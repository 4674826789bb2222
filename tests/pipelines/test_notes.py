"""What a night says of the rows that it built."""

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipelines.night.notes import note

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def told(table: str, *rows: dict[str, Any]) -> str:
    return note(table, [pa.Table.from_pylist(list(rows))])


def test_an_adjustment_lacks_the_rate_of_the_month_that_it_corrects() -> None:
    line = {"billing_currency": "EUR", "billing_period": NOVEMBER, "reporting_effective_cost": None}
    assert told("chargeback", line | {"corrected_period": None}) == "no exchange rate for EUR in 2026-11"
    assert told("chargeback", line | {"corrected_period": OCTOBER}) == "no exchange rate for EUR in 2026-10"


def test_tokens_past_the_gateway_are_told_with_their_cost_by_model() -> None:
    row = {"model_id": "llama", "billing_currency": "USD", "unlogged_cost": Decimal("61.426967933754")}
    assert told("self_hosted_costs", row, row | {"model_id": "qwen", "unlogged_cost": None}) == (
        "tokens past the gateway cost, on own GPUs: llama USD 61.43"
    )
    assert told("self_hosted_costs", row | {"unlogged_cost": Decimal(0)}) == ""
