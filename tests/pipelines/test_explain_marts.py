"""Figures of tables beside the ledger, explained: worked out by hand, row for row, and a lie that is found."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from contracts import MadeOf, contract
from models.frames import frame_of
from models.self_hosted_costs import self_hosted_costs
from pipelines.cli.explained_rows import as_page
from pipelines.explain.made_of_rows import listed
from pipelines.explain.marts import explainable
from pipelines.explain.question import Question
from pipelines.explain.walk import Explanation, Level
from tests.pipelines.explaining import Held, evidence_of, held, numbered
from tests.pipelines.test_savings_night import COMPANY
from tests.pipelines.test_savings_night import found as savings_of
from tests.pipelines.test_variance_bridge import OCTOBER, SEPTEMBER, bridge, cost, rows_of, use
from tests.sql.golden import filled

NOTHING = Held([], [])


def tables_of(given: dict[str, list[dict[str, Any]]], table: str, rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """Rows that a model was given, and those that it made of them, as tables."""
    below = {name: rows_of(name, told) for name, told in given.items()}
    return {**below, table: pa.Table.from_pylist(rows, schema=contract(table).arrow_schema())}


def test_savings_rest_on_the_rows_that_are_listed() -> None:
    rows = list(savings_of(COMPANY).values())
    assert held("savings", tables_of(COMPANY, "savings", rows)) == NOTHING
    lied = [{**row, "unproven_cost": row["unproven_cost"] + Decimal("0.000000000001")} for row in rows]
    wrong = held("savings", tables_of(COMPANY, "savings", lied)).wrong
    assert len(wrong) >= min(len(rows), 5)


def test_the_bridge_between_two_months_stands_on_both() -> None:
    given = {
        "chargeback": [
            cost(SEPTEMBER, "10"),
            cost(OCTOBER, "27"),
            cost(OCTOBER, "5", rule_kind="pool"),
            cost(OCTOBER, "-2", cause="bill_restated", corrected_period=date(2026, 8, 1)),
        ],
        "usage_by_team_daily": [use(SEPTEMBER, 10, 100), use(OCTOBER, 20, 200)],
    }
    rows = bridge(given)
    found = {row["factor"]: row["change_cost"] for row in rows}
    assert (found["shared"], found["adjustment"], sum(found.values())) == (5, -2, 20)
    assert held("variance_bridge", tables_of(given, "variance_bridge", rows)) == NOTHING
    lied = [{**row, "change_cost": row["change_cost"] + (row["factor"] == "shared")} for row in rows]
    wrong = held("variance_bridge", tables_of(given, "variance_bridge", lied)).wrong
    assert any("change_cost is 6" in text for text in wrong)


def test_an_own_model_s_tokens_cost_what_its_gpu_hours_do() -> None:
    """Vector G3 and a day by the log alone: rates are their own money over their own tokens."""
    hour = {"usage_date": "2026-10-02", "hour_start": "2026-10-02 10:00:00", "cluster": "c1", "namespace": "llm"}
    hour |= {"pod": "p1", "model_id": "llama"}
    money = {"gpu_state": "effective", "gpu_seconds": 3600, "effective_cost": "3.20", "billing_currency": "USD"}
    tokens = {"prompt_tokens": 12_000_000, "cached_tokens": 800_000, "generated_tokens": 3_000_000}
    counted = tokens | {"prefill_seconds": 600.0, "decode_seconds": 600.0, "covered_seconds": 3600}
    log = {"usage_date": "2026-10-02", "model_id": "llama", "input_uncached_tokens": 700, "output_tokens": 50}
    later = {"usage_date": "2026-10-03"}
    both = {"usage_date": "2026-10-04", "hour_start": "2026-10-04 10:00:00", "pod": "p2"}
    idle = both | {"pod": "p3", "model_id": None}
    given = {
        "gpu_costs_hourly": [
            *(hour | money, hour | money | later | {"effective_cost": "5"}, hour | money | idle),
            hour | money | both | {"model_id": None, "effective_cost": "4"},
        ],
        "serving_hourly": [hour | counted, *(hour | counted | both | {"model_id": name} for name in ("llama", "qwen"))],
        "self_hosted_usage": [log, log | later],
    }
    tables = {name: filled(name, rows) for name, rows in given.items()}
    frames = {name: frame_of(rows) for name, rows in tables.items()}
    made = self_hosted_costs(
        gpu_costs=frames["gpu_costs_hourly"],
        serving=frames["serving_hourly"],
        logged=frames["self_hosted_usage"],
        usd_rates={},
        pools=(),
    ).to_dicts()
    shared = Decimal("0.133333333333")  # half of 4 for 15M tokens
    rates = [Decimal("0.213333333333"), Decimal("6666.666666666667"), shared, shared]
    assert [row["blended_cost_per_mtok"] for row in made] == rates

    def told(rows: list[dict[str, Any]]) -> Held:
        table = pa.Table.from_pylist(rows, schema=contract("self_hosted_costs").arrow_schema())
        return held("self_hosted_costs", {**tables, "self_hosted_costs": table})

    assert told(made) == NOTHING
    own = contract("self_hosted_costs")
    assert own.made_of
    cells = numbered(own, frame_of(pa.Table.from_pylist(made, schema=own.arrow_schema())))
    of_several = listed(evidence_of(tables), own, own.made_of.rows[1], cells).rows
    assert of_several.select("of_line", "pod").rows() == [(3, "p2"), (4, "p2")], "not the pod that serves nothing"
    assert len(told([{**row, "output_cost_per_mtok": row["output_cost_per_mtok"] * 2} for row in made]).wrong) == 4


def test_gpu_hours_of_a_pool_are_listed_under_a_name_that_says_whose() -> None:
    """Which pool is whose model's only the settings know: what another model's pool holds is listed, too."""
    own, hour = contract("self_hosted_costs"), {"usage_date": "2026-10-02", "billing_currency": "USD"}
    tables = {
        "gpu_costs_hourly": filled("gpu_costs_hourly", [hour | {"account": "pool:of-another-model"}]),
        "serving_hourly": filled("serving_hourly", []),
        "self_hosted_costs": filled("self_hosted_costs", [hour | {"model_id": "llama"}]),
    }
    part = (own.made_of or MadeOf()).rows[1]
    found = listed(evidence_of(tables), own, part, numbered(own, frame_of(tables["self_hosted_costs"]))).rows
    assert (part.title, found["account"].to_list()) == (
        "gpu_hours_of_all_pools_and_of_several_models",
        ["pool:of-another-model"],
    )


@pytest.mark.parametrize("money", ["1", None])
def test_of_rows_that_add_alike_the_first_by_their_key_are_listed_and_of_every_row(money: str | None) -> None:
    """Two pods' starts in one hour, each of two GPUs, which lie as they came; two rows are listed, and two are a rest."""
    event = {"usage_date": "2026-10-02", "event_kind": "cold_start", "billing_currency": "USD", "namespace": "llm"}
    event |= {"began_at": "2026-10-02 10:00:00", "ended_at": "2026-10-02 11:00:00"}
    hour = {
        "usage_date": "2026-10-02",
        "hour_start": "2026-10-02 10:00:00",
        "namespace": "llm",
        "billing_currency": "USD",
    }
    hour |= {"billing_period": "2026-10-01", "effective_cost": money or "1"}
    rows = [hour | {"pod": pod, "gpu_uuid": gpu} for gpu in ("GPU-2", "GPU-1") for pod in ("b", "a")]
    tables = {
        "gpu_costs_hourly": filled("gpu_costs_hourly", rows),
        "scaling_costs": filled("scaling_costs", [event | {"pod": pod} for pod in ("a", "b")]),
    }
    own = contract("scaling_costs")
    part = (own.made_of or MadeOf()).rows[0]
    part = part if money else part.model_copy(update={"sums": {}})
    found = listed(evidence_of(tables), own, part, numbered(own, frame_of(tables["scaling_costs"])), most=2).rows
    assert sorted(found.select("of_line", "pod", "gpu_uuid").rows(), key=str) == [
        (1, "a", "GPU-1"),
        (1, None, None),
        (2, "b", "GPU-1"),
        (2, None, None),
    ]
    assert found["x_note"].drop_nulls().to_list() == ["1 more rows, together"] * 2


def outcomes_of(table: str, unit: str, amount: str, unit_of: str = "") -> dict[str, pa.Table]:
    """A month's row of outcomes, of which 150 dollars are told, in the statements' currency."""
    scope = {"metric": "outcome_cost", "account": "team:search", "team_id": "search", "provider_name": ""}
    scope |= {"model_id": "", "feature": "", "outcome_kind": "solved", "unit": unit, "billing_period": OCTOBER}
    scope |= {"business_unit": unit_of}
    scope |= {"settled_date": date(2026, 10, 31), "settled_amount": amount}
    if table == "budget_status":
        scope |= {"budget_id": "b", "budget_amount": "200", "spent_amount": amount}
        scope |= {"remaining_amount": str(200 - Decimal(amount)), "spent_ratio": str(Decimal(amount) / 200)}
    cohort = {"usage_date": date(2026, 10, 5), "team_id": "search", "outcome_kind": "solved", "route": "api"}
    cohort |= {"model_id": "gpt-5", "feature": "chat", "priced_cost_usd": "150"}
    empty = {part.table: filled(part.table, []) for part in (contract(table).made_of or MadeOf()).rows}
    moved = date(2026, 10, 4)
    stood = [("Product", date(1970, 1, 1), moved), ("Labs", moved, date(9999, 12, 31))]
    places = [
        {"team_id": "search", "business_unit": name, "valid_from": start, "valid_to": end} for name, start, end in stood
    ]
    empty["team_hierarchy"] = filled("team_hierarchy", places)
    return {**empty, "outcome_cohorts": filled("outcome_cohorts", [cohort]), table: filled(table, [scope])}


@pytest.mark.parametrize("table", ["budget_status", "forecasts"])
def test_outcomes_are_held_in_dollars_and_listed_in_every_currency(table: str) -> None:
    def wrong(unit: str, amount: str, unit_of: str = "") -> list[str]:
        figures = ("settled_amount is", "spent_amount is")
        told = held(table, outcomes_of(table, unit, amount, unit_of)).wrong
        return [text for text in told if any(f in text for f in figures)]

    assert wrong("USD", "150") == []
    assert all("its rows come to 150.0" in text for text in wrong("USD", "120"))
    assert len(wrong("USD", "120")) == (2 if table == "budget_status" else 1)
    assert wrong("EUR", "120") == []  # at 0.8 a dollar
    # on the fifth the team stood in Labs, and no longer in Product
    assert (wrong("USD", "150", "Labs"), wrong("USD", "0", "Product")) == ([], [])
    assert wrong("USD", "150", "Product") != []
    given = outcomes_of(table, "EUR", "120")
    evidence, own = evidence_of(given), contract(table)
    cells = numbered(own, frame_of(given[table]))
    (part,) = [part for part in (own.made_of or MadeOf()).rows if part.table == "outcome_cohorts"]
    assert listed(evidence, own, part, cells).rows["priced_cost_usd"].to_list() == [150]


def test_seconds_of_a_sum_are_of_no_currency() -> None:
    """Of all that is summed by currency only money has one."""
    rows = pl.DataFrame({"billing_currency": ["USD", "USD"], "to_gpu_seconds": [3600, 600]}).with_columns(
        to_effective_cost=pl.Series([Decimal("1.5"), Decimal(2)])
    )
    amounts = ("to_gpu_seconds", "to_effective_cost")
    level = Level("gpu_costs_hourly", "gpu_costs_hourly", rows, amounts, "gpu_costs_hourly")
    mart = explainable()["gpu_waste"]
    found = Explanation(mart, rows.select(gpu_seconds=pl.lit(4200)).head(1), (level, level))
    page = as_page(Question(mart), 1, found, everything=False).splitlines()
    assert [line for line in page if line.startswith("=")] == ["= gpu_seconds 4,200", "= effective_cost 3.50 USD"]


def test_an_input_of_several_rows_stands_once_on_a_page_and_what_is_not_listed_of_each_beside_it() -> None:
    """Two rows have one input; of further ones the first has 7 together and the second 5, among which is `b`, too."""
    rows = pl.DataFrame({"customer_hash": ["a", "a", "b", None, None], "of_line": [1, 2, 1, 1, 2]}).with_columns(
        x_note=pl.Series([None, None, None, "7 more rows, together", "5 more rows, together"]),
        to_called_cost_usd=pl.Series([Decimal(4), Decimal(4), Decimal(3), Decimal(2), Decimal(5)]),
    )
    mart = explainable()["chargeback_by_customer"]

    def page(rows: pl.DataFrame) -> list[str]:
        of_calls = Level("calls", "calls", rows, ("to_called_cost_usd",), "usage_by_user_daily", are_inputs=True)
        found = Explanation(mart, rows.head(0), (of_calls, of_calls))
        text = as_page(Question(mart), 1, found, everything=True)
        return [line.strip() for line in text.splitlines() if "called_cost_usd" in line]

    assert page(rows) == [
        "called_cost_usd 5.00; 5 more rows, together",
        "called_cost_usd 4.00; a",
        "called_cost_usd 3.00; b",
        "called_cost_usd 2.00; 7 more rows, together",
    ]
    assert page(rows.head(3))[-1] == "= called_cost_usd 7.00"


def test_an_unknown_sum_is_no_zero_and_nothing_to_sum_is_one() -> None:
    day = {"usage_date": date(2026, 10, 5), "price_region_id": ""}
    unpriced = {**day, "pricing_status": "no_price", "is_cache_hit": False, "status": "success"}

    def wrong(cost: str | None, *log: dict[str, Any]) -> list[str]:
        of_day = {**day, "request_count": len(log), "priced_cost_usd": cost}
        names = {"provider_id": "unknown", "model_id": "unknown", "gateway_team_id": "", "key_id": "", "key_alias": ""}
        rows = filled("usage_daily", [of_day | names | {"feature": "", "environment": ""}])
        told = held("usage_daily", {"priced_requests": filled("priced_requests", list(log)), "usage_daily": rows}).wrong
        return [text for text in told if "priced_cost_usd" in text]

    priced = unpriced | {"pricing_status": "priced", "priced_cost_usd": "2"}
    named = {"billed_model": None, "model_id": None, "provider_id": None}
    assert wrong(None, unpriced | named) == []
    assert wrong("0", unpriced | named) == [
        "line 1 of usage_daily: priced_cost_usd is 0.000000000000, its rows come to None"
    ]
    assert wrong("2", unpriced | named, priced | named) == []
    assert wrong("0") == []  # no row at all
