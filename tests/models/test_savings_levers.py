"""Every lever that savings are asked for by name is there: its grade, its share of success, rows that it rests on."""

from datetime import date
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from contracts import all_contracts
from models.savings_levers import LEVERS, STEPS, evidence_of
from tests.sql.golden import filled

ASKED_FOR = {
    "errors and retries": ("failed_attempts", "eliminate", "A"),
    "tests at night": ("night_tests", "eliminate", "A"),
    "zombie keys": ("zombie_keys", "eliminate", "A"),
    "idle GPUs": ("idle_gpus", "eliminate", "A"),
    "GPUs that nobody holds": ("unallocated_gpus", "eliminate", "A"),
    "output caps": ("output_cap", "shrink", "B"),
    "prompt bloat": ("prompt_bloat", "shrink", "C"),
    "long context": ("long_context", "shrink", "C"),
    "quantisation": ("quantisation", "shrink", "C"),
    "provider and region price differences": ("cheaper_place", "reroute", "B"),
    "right-sizing and routing": ("cheaper_model", "reroute", "C"),
    "quarterly model review": ("model_review", "reroute", "C"),
    "exact duplicates": ("exact_repeats", "cache", "B"),
    "prompt-cache potential by replay": ("prompt_cache", "cache", "B"),
    "batch-eligible": ("batch", "batch", "B"),
    "commitments that are not used": ("unused_commitments", "commit", "A"),
    "commitments to buy": ("commitments", "commit", "B"),
}


@pytest.fixture(scope="module")
def published() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for table in all_contracts().values():
        if table.published:
            connection.register(table.table, table.arrow_schema().empty_table())
    return connection


@pytest.mark.parametrize("asked", ASKED_FOR)
def test_a_lever_has_its_place_its_grade_and_a_query_for_its_rows(
    asked: str, published: duckdb.DuckDBPyConnection
) -> None:
    (kind,) = [kind for kind in LEVERS if kind.name == ASKED_FOR[asked][0]]
    assert (kind.name, kind.step, kind.confidence) == ASKED_FOR[asked]
    assert 0 <= kind.low <= kind.high <= 1
    assert kind.assumption
    for account in ("team:search", "residual:unowned_usage"):
        assert published.execute(evidence_of(kind, date(2026, 10, 1), account)).fetchall() == []


PERIOD, OTHER = date(2026, 10, 1), date(2026, 9, 1)
_REQUEST = {"usage_date": PERIOD, "team_id": "search"}
_LINE = {"billing_period": PERIOD, "account": "team:search"}
_USED = {**_REQUEST, "is_self_hosted": False, "key_id": "k"}
_HELD = {**_LINE, "waste_layer": "none", "purchase_option": "on_demand", "model_id": "llama"}

RESTS_ON: dict[str, tuple[str, dict[str, Any], dict[str, Any] | None]] = {
    "failed_attempts": ("avoidable_requests", _REQUEST | {"is_failure": True}, {"is_failure": False}),
    "night_tests": ("avoidable_requests", _REQUEST | {"is_night_test": True}, {"is_night_test": False}),
    "exact_repeats": ("avoidable_requests", _REQUEST | {"is_repeat": True}, {"is_repeat": False}),
    "batch": ("avoidable_requests", _REQUEST | {"is_job": True}, {"is_job": False}),
    "zombie_keys": ("usage_by_team_daily", _USED, {"key_id": ""}),
    "cheaper_place": ("usage_by_team_daily", _USED, {"is_self_hosted": True}),
    "cheaper_model": ("usage_by_team_daily", _USED, {"is_self_hosted": True}),
    "model_review": ("usage_by_team_daily", _USED, {"is_self_hosted": True}),
    "output_cap": ("request_shapes", _REQUEST, None),
    "prompt_bloat": ("request_shapes", _REQUEST, None),
    "long_context": ("request_shapes", _REQUEST, None),
    "prompt_cache": ("request_shapes", _REQUEST, None),
    "idle_gpus": ("gpu_waste", _HELD | {"waste_layer": "allocated_idle"}, {"waste_layer": "unallocated"}),
    "unallocated_gpus": ("gpu_waste", _HELD | {"waste_layer": "unallocated"}, {"waste_layer": "allocated_idle"}),
    "quantisation": ("gpu_waste", _HELD | {"waste_layer": "under_used"}, {"model_id": ""}),
    "commitments": ("gpu_waste", _HELD, {"purchase_option": "spot"}),
    "unused_commitments": ("chargeback", _LINE | {"cost_kind": "unused_commitment"}, {"cost_kind": "gpu"}),
}
"""By lever: the table that its figure rests on, a row of it that belongs to it, and what makes it none."""


@pytest.mark.parametrize("lever", [kind.name for kind in LEVERS])
def test_a_lever_s_query_gives_its_rows_and_no_others(lever: str) -> None:
    """One row of each of two accounts is theirs; not a month's before, nor one without what the lever is about."""
    table, row, without = RESTS_ON[lever]
    month, owner = ("billing_period", "account") if "account" in row else ("usage_date", "team_id")
    mine, unowned = ("team:search", "residual:unowned_usage") if owner == "account" else ("search", None)
    others = [row | without] if without else []
    rows = [row, row | {owner: unowned}, row | {month: OTHER}, row | {owner: f"{mine}-2"}, *others]
    (kind,) = [kind for kind in LEVERS if kind.name == lever]
    with duckdb.connect() as database:
        database.register(table, filled(table, rows))
        for account, value in (("team:search", mine), ("residual:unowned_usage", unowned)):
            found = database.sql(evidence_of(kind, PERIOD, account)).pl().to_dicts()
            assert [(one[month], one[owner]) for one in found] == [(PERIOD, value)]
            assert [{name: one[name] for name in row} for one in found] == [row | {owner: value}]


def test_money_of_another_month_that_an_adjustment_carries_is_no_unused_commitment() -> None:
    table, row, _ = RESTS_ON["unused_commitments"]
    (kind,) = [kind for kind in LEVERS if kind.name == "unused_commitments"]
    with duckdb.connect() as database:
        database.register(table, filled(table, [row | {"cause": "late_bill"}]))
        assert database.execute(evidence_of(kind, PERIOD, "team:search")).fetchall() == []


def test_there_is_no_lever_that_nobody_asked_for_and_all_act_in_the_order_of_the_steps() -> None:
    assert {kind.name for kind in LEVERS} == {name for name, _, _ in ASKED_FOR.values()}
    places = [STEPS.index(kind.step) for kind in LEVERS]
    assert places == sorted(places)


def test_what_needs_a_test_of_quality_is_never_taken_for_sure() -> None:
    """No lever of grade C is said to have more than half of what it takes, and none of them has a sure part."""
    for kind in LEVERS:
        if kind.confidence == "C":
            assert (kind.low, kind.high <= Fraction(1, 2)) == (0, True)
