"""What a board tells of units of provisioned throughput and of own GPUs: a few rows that say each of its words."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from benchmarks.board_frames import frame

Row = dict[str, Any]


def units_of_throughput(starts: list[date]) -> pl.DataFrame:
    """A model that is cheaper on units, by the hour and reserved; one whose units nobody knows."""
    sold: Row = {"provider_id": "azure", "region_id": "swedencentral", "scope": "Global", "day_count": 29}
    hourly: Row = sold | {"purchase_option": "provisioned", "term_months": 0, "unit_price": Decimal("0.95")}
    reserved: Row = sold | {"purchase_option": "reserved", "term_months": 1, "unit_price": Decimal("0.36")}
    found: Row = {"model_id": "gpt-4.1", "current_units": 15, "current_spill_ratio": 0.25, "confidence": "B"}
    rows: list[Row] = [
        hourly | found | _saving("1500.5", 20) | {"best_spill_ratio": 0.1},
        reserved | found | _saving("4100.25", 25) | {"best_spill_ratio": 0.043},
        hourly | {"model_id": "o3", "reason": "unknown_units"},
    ]
    return _frame("provisioned_advice", [{"billing_period": start, **row} for start in starts for row in rows])


def _saving(low: str, units: int) -> Row:
    return {"saving_p10": Decimal(low), "monthly_saving": 2 * Decimal(low), "advised_units": units}


def own_gpus() -> pl.DataFrame:
    """A plan that beats today's API, and not the cheapest of the same weights; one that no machine is for."""
    plan: Row = {"weights": "llama-3.3-70b", "quantisation": "fp8", "throughput_basis": "measured", "replica_gpus": 2}
    blank = dict.fromkeys(("against", "api_provider_id", "api_model_id", "purchase_option"), "")
    nowhere = dict.fromkeys(("provider_name", "region_id", "instance_type"), "")
    today: Row = {"against": "todays_api", "api_monthly_cost": Decimal(15_000), "needed_utilisation_ratio": 0.21}
    today |= {"break_even_multiple": 0.43, "break_even_monthly_tokens": 1_300_000_000, "payback_months": 11.53}
    same: Row = {"against": "same_weights_api", "api_monthly_cost": Decimal(6_500), "needed_utilisation_ratio": 1.3}
    same |= {"api_provider_id": "groq", "api_model_id": "llama-3.3-70b-versatile"}
    hourly: Row = {"purchase_option": "on_demand", "own_monthly_cost": Decimal(9_000), "term_months": 0}
    reserved: Row = {"purchase_option": "reserved", "own_monthly_cost": Decimal(7_000), "term_months": 36}
    machine: Row = {"provider_name": "AWS", "region_id": "eu-central-1", "instance_type": "p5.48xlarge"}
    machine |= {"machine_gpus": 8, "machine_hour_cost": Decimal(20), "utilisation_ratio": 0.42}
    tickets: Row = {**plan, **blank, **machine, "plan_id": "tickets", "model_id": "gpt-5-mini"}
    return _frame(
        "break_even",
        [
            tickets | today | hourly | _chance("4200.5", 0.97, "self_host"),
            tickets | today | reserved | _chance("6100", 0.99, "self_host"),
            tickets | same | hourly | _chance("-3100", 0.12, "api"),
            tickets | same | reserved | _chance("-900.25", 0.41, "open"),
            {**plan, **blank, **nowhere, "plan_id": "search", "model_id": "gpt-5", "reason": "no_gpu_price"},
        ],
    )


def _chance(low: str, probability: float, verdict: str) -> Row:
    saving = {f"saving_p{at}": Decimal(low) + 25 * (at - 10) for at in (10, 50, 90)}
    return {**saving, "probability": probability, "verdict": verdict}


def _frame(table: str, rows: Sequence[Row]) -> pl.DataFrame:
    names = {name for row in rows for name in row}
    return frame(table, {name: [row.get(name) for row in rows] for name in names})
