"""The queries that `docs/gpus.md` shows answer what the page says that they do, on rows with known answers."""

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.sql.golden import filled

PAGE = (Path(__file__).resolve().parents[2] / "docs/gpus.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
MONTH, DAY = "2026-10-01", "2026-10-02"
USD, EUR = {"billing_currency": "USD"}, {"billing_currency": "EUR"}
TEAM = {"team_id": "search", "account": "team:search", "billing_period": MONTH, **USD}
NOBODY = {"team_id": None, "account": "residual:idle", "billing_period": MONTH, **USD}
SEEN = {"billing_period": MONTH, "usage_date": DAY, "holder_team_id": "search", **USD}
HELD = {"usage_date": DAY, "cluster": "c", "namespace": "ml", "pod": "p", "idle_since": "2026-10-01 08:00:00", **USD}
MODEL = {"usage_date": DAY, "model_id": "llama", **USD}
ASKED = {"usage_date": DAY, "model_id": "llama", "is_self_hosted": True}
SLICE = {"billing_period": MONTH, "usage_date": DAY, "cluster": "c", "hostname": "n", **USD}
ROWS: dict[str, list[dict[str, Any]]] = {
    "gpu_waste": [
        TEAM | {"waste_layer": "under_used", "gpu_seconds": 5400, "effective_cost": "3", "under_used_cost": "1"},
        TEAM | {"waste_layer": "under_used", "gpu_seconds": 1800, "effective_cost": "1", "under_used_cost": "0"},
        NOBODY | {"waste_layer": "unallocated", "gpu_seconds": 3600, "effective_cost": "2", "under_used_cost": "0"},
        TEAM | {"billing_period": "2026-09-01", "waste_layer": "none", "gpu_seconds": 9, "effective_cost": "9"},
    ],
    "gpu_coverage": [
        SEEN | {"gpu_seconds": 400, "observed_seconds": 300, "idle_cost_low": "1", "idle_cost_high": "2"},
        SEEN | {"gpu_seconds": 400, "observed_seconds": 100, "idle_cost_low": "1", "idle_cost_high": "4"},
    ],
    "idle_gpu_holders": [
        HELD | {"gpu_uuid": "GPU-1", "idle_cost": "5"},
        HELD | {"gpu_uuid": "GPU-2", "idle_cost": "2", "idle_since": "2026-10-01 07:00:00"},
        HELD | {"gpu_uuid": "GPU-1", "idle_cost": "1", "resource_id": "a-second-line-of-its-bill"},
        HELD | {"gpu_uuid": "GPU-1", "idle_cost": "3"} | EUR,
        HELD | {"gpu_uuid": "GPU-3", "idle_cost": "9", "is_warm_standby": True},
        HELD | {"gpu_uuid": "GPU-4", "idle_cost": "9", "is_holder_assumed": True},
        HELD | {"gpu_uuid": "GPU-5", "idle_cost": "9", "usage_date": MONTH},
    ],
    "self_hosted_costs": [
        MODEL
        | {"method": "measured_seconds", "prompt_tokens": 12_000_000, "cached_tokens": 2_000_000}
        | {"generated_tokens": 4_000_000, "prefill_cost": "2", "decode_cost": "6", "idle_cost": "2"}
        | {"effective_cost": "8"},
        MODEL | {"model_id": "idler", "method": "no_tokens"},
    ],
    "usage_daily": [
        ASKED | {"request_count": 4, "priced_cost_usd": "2"},
        # a day without a cost, hits beside answers that cost, hits beside answers of which nobody knows what they cost,
        # and six answers that cost 0.75 beside four streams without usage
        ASKED | {"request_count": 100, "unpriced_self_hosted_count": 100},
        ASKED | {"request_count": 10, "cache_hit_count": 6, "priced_cost_usd": "2"},
        ASKED | {"request_count": 30, "cache_hit_count": 10, "unpriced_self_hosted_count": 20, "priced_cost_usd": "0"},
        ASKED | {"request_count": 3, "model_id": "unbilled", "unpriced_self_hosted_count": 3},
        ASKED | {"request_count": 10, "model_id": "mixed", "unpriced_self_hosted_count": 4, "priced_cost_usd": "0.75"},
        {"usage_date": DAY, "model_id": "gpt-5", "is_self_hosted": False, "request_count": 4, "priced_cost_usd": "9"},
    ],
    "scaling_costs": [
        MODEL | {"event_kind": "cold_start", "event_seconds": 60, "effective_cost": "1.5"},
        MODEL | {"event_kind": "cold_start", "event_seconds": 40, "effective_cost": "1"},
        MODEL | {"event_kind": "waiting", "event_seconds": 7, "replica_cost": "0.25"},
        MODEL | {"event_kind": "waiting", "event_seconds": 7, "replica_cost": "0.5"} | EUR,
    ],
    "stranded_mig_slices": [
        SLICE | {"stranded_gpu_seconds": 1800, "effective_cost": "0.5"},
        SLICE | {"stranded_gpu_seconds": 3600, "effective_cost": "0.25"} | EUR,
    ],
}
ANSWERS: list[list[tuple[object, ...]]] = [
    [
        ("residual:idle", "unallocated", 1.0, Decimal(2), Decimal(0), "USD"),
        ("search", "under_used", 2.0, Decimal(4), Decimal(1), "USD"),
    ],
    [("search", 0.5, Decimal(2), Decimal(6), "USD")],
    [
        ("c", "ml", "p", datetime(2026, 10, 1, 7), 2, Decimal(8), "USD"),
        ("c", "ml", "p", datetime(2026, 10, 1, 8), 1, Decimal(3), "EUR"),
    ],
    [("idler", "no_tokens", None, None, None, "USD"), ("llama", "measured_seconds", 0.2, 1.5, 0.25, "USD")],
    [("llama", 128, 120, 0.5), ("mixed", 10, 4, 0.125), ("unbilled", 3, 3, None)],
    [
        ("llama", "cold_start", 2, 100, Decimal("2.5"), None, "USD"),
        ("llama", "waiting", 1, 7, None, Decimal("0.5"), "EUR"),
        ("llama", "waiting", 1, 7, None, Decimal("0.25"), "USD"),
    ],
    [("c", "n", 0.5, Decimal("0.5"), "USD"), ("c", "n", 1.0, Decimal("0.25"), "EUR")],
]


def test_the_page_has_as_many_queries_as_there_are_answers() -> None:
    assert len(QUERIES) == len(ANSWERS)


@pytest.mark.parametrize(("query", "answer"), list(zip(QUERIES, ANSWERS, strict=False)))
def test_a_query_of_the_page_answers_what_was_worked_out_by_hand(query: str, answer: list[tuple[object, ...]]) -> None:
    with duckdb.connect() as connection:
        for name, rows in ROWS.items():
            connection.register(name, filled(name, rows))
        assert connection.sql(query).fetchall() == answer
