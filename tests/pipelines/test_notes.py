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


def test_billed_nodes_without_samples_are_told_from_one_gpu_hour_on() -> None:
    hour = {"cluster": "prod", "hostname": "node-1", "state": "unknown", "observed_seconds": 0, "state_seconds": 1800}
    held = hour | {"state": "effective", "observed_seconds": 3600, "state_seconds": 3600}
    blank = hour | {"observed_seconds": 3600, "state_seconds": 3600}  # samples that say nothing are samples
    assert told("gpu_states_hourly", hour, held, blank) == ""
    silent = [hour | {"hostname": "node-2"}] * 5
    assert told("gpu_states_hourly", hour, hour, held, *silent) == (
        "billed GPU time of which no sample tells: node-2 in prod (2.5 h), node-1 in prod (1.0 h)"
    )


def test_more_gpus_than_are_billed_are_told_where_they_are_more_for_a_tenth_of_the_time() -> None:
    gpu = {"cluster": "prod", "hostname": "node-1", "resource_id": "i-1", "seen_seconds": 3600, "target_seconds": 1800}
    assert told("gpu_targets", *[gpu] * 8) == (
        "more GPUs report than bill or hosts have: node-1 in prod, 'i-1' (8.0 GPU-hours for 4.0 billed); "
        "what each did is told in part"
    )
    assert told("gpu_targets", gpu | {"seen_seconds": 1980}) == ""
