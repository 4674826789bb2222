"""Every lever that savings are asked for by name is there: its grade, its share of success, rows that it rests on."""

from datetime import date
from fractions import Fraction

import duckdb
import pytest

from contracts import all_contracts
from models.savings_levers import LEVERS, STEPS, evidence_of

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


def test_there_is_no_lever_that_nobody_asked_for_and_all_act_in_the_order_of_the_steps() -> None:
    assert {kind.name for kind in LEVERS} == {name for name, _, _ in ASKED_FOR.values()}
    places = [STEPS.index(kind.step) for kind in LEVERS]
    assert places == sorted(places)


def test_what_needs_a_test_of_quality_is_never_taken_for_sure() -> None:
    """No lever of grade C is said to have more than half of what it takes, and none of them has a sure part."""
    for kind in LEVERS:
        if kind.confidence == "C":
            assert (kind.low, kind.high <= Fraction(1, 2)) == (0, True)
