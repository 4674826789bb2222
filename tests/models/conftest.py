"""Rows of the ledger's inputs: a test names what matters to it, the rest is filled with something ordinary."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from models.frames import schema_of
from tests.models.four_sides import FourSides

DAY = datetime(2026, 10, 5)


class Rows:
    """Frames in the contracts' shapes from the columns that a test cares about."""

    def frame(self, table, rows):
        return pl.DataFrame(rows, schema=schema_of(table), orient="row")

    def charges(self, *rows):
        return self.frame("charge_groups", [self._charge(i, **row) for i, row in enumerate(rows)])

    def _charge(self, number, cost="1", **given):
        start = given.pop("charge_start", DAY)
        row = dict.fromkeys(schema_of("charge_groups"))
        row |= {
            "charge_group_id": f"g{number}",
            "billing_period": date(2026, 10, 1),
            "charge_start": start,
            "charge_end": start + timedelta(days=1),
            "charge_date": start.date(),
            "x_source": "focus",
            "billing_account_id": "acct",
            "provider_name": "OpenAI",
            "billing_currency": "USD",
            "charge_category": "Usage",
            "service_name": "API",
            "billed_cost": Decimal(cost),
            "effective_cost": Decimal(cost),
            "line_count": 1,
        }
        return row | given

    def usage(self, *rows):
        return self.frame("usage_by_team_daily", [self._usage(**row) for row in rows])

    def _usage(self, **given):
        row = dict.fromkeys(schema_of("usage_by_team_daily"), "")
        row |= {name: 0 for name in row if name.endswith(("_tokens", "_count"))}
        row |= {
            "usage_date": DAY.date(),
            "provider_id": "openai",
            "model_id": "gpt",
            "is_self_hosted": False,
            "service_tier": "default",
            "team_id": None,
            "owner_rule_id": None,
            "priced_cost_usd": None,
            "source_reported_cost_usd": None,
            "avoided_cost_usd": None,
            "duplicate_cost_usd": None,
        }
        return row | given

    def states(self, *rows):
        return self.frame("gpu_states_hourly", [self._state(**row) for row in rows])

    def _state(self, **given):
        hour = given.get("hour_start", DAY)
        row = {
            "hour_start": hour,
            "usage_date": hour.date(),
            "cluster": "c1",
            "hostname": "n1",
            "resource_id": "i-1",
            "gpu_uuid": "GPU-1",
            "gpu_instance_id": "",
            "gpu_model_name": "H100",
            "namespace": "",
            "pod": "",
            "holder_source": "none",
            "is_time_sliced": False,
            "share_basis": "whole",
            "state": "effective",
            "is_warm_standby": False,
            "metric_used": None,
            "state_seconds": 3600,
            "under_used_seconds": 0,
            "observed_seconds": 3600,
        } | given
        finer = {
            "state_microseconds": row["state_seconds"] * 10**6,
            "under_used_microseconds": row["under_used_seconds"] * 10**6,
        }
        return finer | row

    def serving(self, *rows):
        return self.frame("serving_hourly", [self._serving(**row) for row in rows])

    def _serving(self, **given):
        hour = given.get("hour_start", DAY)
        row = dict.fromkeys(schema_of("serving_hourly"))
        row |= {
            "hour_start": hour,
            "usage_date": hour.date(),
            "cluster": "c1",
            "namespace": "llm",
            "pod": "p1",
            "engine_name": "vllm",
            "source_model": "llama",
            "model_id": "llama",
            "covered_seconds": 3600,
            "waiting_seconds": 0,
            "reset_count": 0,
            "source_count": 1,
        }
        return row | given

    def pod_models(self, *rows):
        return self.frame("pod_models", [self._pod_model(**row) for row in rows])

    def _pod_model(self, **given):
        hour = given.get("hour_start", DAY)
        row = {"hour_start": hour, "usage_date": hour.date(), "cluster": "c1", "namespace": "llm", "pod": "p1"}
        return row | {"model_id": "llama", "model_source": "counters"} | given

    def labels(self, *rows):
        return self.frame("gpu_labels", [self._labels(**row) for row in rows])

    def _labels(self, **given):
        start = given.get("told_from", DAY)
        row = {"usage_date": start.date(), "cluster": "c1", "hostname": "", "namespace": "", "pod": ""}
        return row | {"told_from": start, "told_to": DAY + timedelta(days=1), "labels": "{}"} | given

    def owners(self, *rows):
        return self.frame("owners", [self._owner(i, **row) for i, row in enumerate(rows)])

    def _owner(self, number, **given):
        row = {
            "rule_id": f"r{number}",
            "priority": number,
            "match_kind": "tag",
            "match_key": "team" if given.get("match_kind", "tag") == "tag" else "",
            "match_value": "",
            "cluster": None,
            "team_id": None,
            "pool_id": None,
            "valid_from": date(1970, 1, 1),
            "valid_to": date(9999, 12, 31),
        }
        return row | given


@pytest.fixture(scope="session")
def rows():
    return Rows()


@pytest.fixture
def sides() -> FourSides:
    """One model at 3, 0.30, 3.75 and 15 dollars a million; nothing billed, counted or logged yet."""
    found = FourSides()
    found.price(input_uncached="3", cache_read="0.3", cache_write_5m="3.75", output_text="15", output_reasoning="15")
    return found
