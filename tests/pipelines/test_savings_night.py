"""What a month could have cost less: which row is whose saving, worked out by hand, and what nothing proves."""

from datetime import date
from decimal import Decimal
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest

from contracts import all_contracts, contract
from models.savings import savings_rows
from models.savings_levers import LEVERS, REASONS, STEPS
from pipelines.house import House
from pipelines.night.savings import month_rows
from pipelines.savings_ranges import published_ranges
from tests.pipelines.test_variance_bridge import Lake

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
Tables = dict[str, list[dict[str, Any]]]
SEARCH, IDLE = "team:search", "residual:idle"


def found(tables: Tables) -> dict[tuple[str, str, str], dict[str, Any]]:
    house = cast("House", type("House", (), {"lake": Lake(tables)}))
    rows = list(savings_rows(OCTOBER, month_rows(house, OCTOBER), published_ranges()))
    return {(str(row["account"]), str(row["billing_currency"]), str(row["lever"])): row for row in rows}


def request(cost: str, *signs: str, batch: str | None = None, **changed: object) -> dict[str, Any]:
    given = {"usage_date": OCTOBER, "team_id": "search", "feature": "chat", "request_count": 1}
    priced = {"priced_cost_usd": Decimal(cost), "batch_cost_usd": Decimal(batch) if batch else None}
    return {**given, **dict.fromkeys(signs, True), **priced, "has_batch_price": batch is not None, **changed}


def gpus(cost: str, layer: str, observed: int = 1000, **changed: object) -> dict[str, Any]:
    given = {"billing_period": OCTOBER, "charge_date": OCTOBER, "account": SEARCH, "billing_currency": "EUR"}
    seconds = {"gpu_seconds": 1000, "observed_seconds": observed, "effective_cost": Decimal(cost)}
    return {**given, "waste_layer": layer, "purchase_option": "on_demand", **seconds, **changed}


def charge(cost: str, **changed: object) -> dict[str, Any]:
    given = {"billing_period": OCTOBER, "charge_date": OCTOBER, "account": SEARCH, "billing_currency": "EUR"}
    return {**given, "cost_kind": "unused_commitment", "effective_cost": Decimal(cost), **changed}


def advice(saving: str | None, term: int, instance_type: str = "h100") -> dict[str, Any]:
    price = {"mean_machines": 1.0, "peak_machines": 1.0, "on_demand_price": Decimal(1)}
    given = {"billing_period": OCTOBER, "billing_currency": "EUR", "instance_type": instance_type, "term_months": term}
    return {**given, **price, "monthly_saving": Decimal(saving) if saving else None}


COMPANY: Tables = {
    "usage_by_team_daily": [
        {
            "usage_date": OCTOBER,
            "team_id": "search",
            "priced_cost_usd": Decimal(100),
            "duplicate_cost_usd": Decimal(10),
            "avoided_cost_usd": Decimal(2),
        },
        {"usage_date": OCTOBER, "team_id": "search", "priced_cost_usd": Decimal(50), "is_self_hosted": True},
        {"usage_date": NOVEMBER, "team_id": "search", "priced_cost_usd": Decimal(50)},
    ],
    "avoidable_requests": [
        request("8", "is_failure"),
        request("10", "is_failure", "is_job", "is_bunched_job", batch="5"),
        request("4", "is_job", batch="2"),
        request("1", "is_job", "is_bunched_job"),
        request("3", "is_failure", team_id=None),
        request("90", "is_failure", usage_date=NOVEMBER),
    ],
    "gpu_waste": [
        gpus("40", "allocated_idle", observed=900),
        gpus("7", "allocated_idle", observed=899, gpu_model_name="L4"),
        gpus("5", "allocated_idle", purchase_option="reserved"),
        gpus("11", "none", purchase_option="reserved"),
        gpus("16", "unallocated", account=IDLE, purchase_option="spot"),
        gpus("9", "unallocated", account=IDLE, purchase_option="spot", assumed_seconds=1),
        gpus("20", "none", billing_currency="JPY"),
    ],
    "chargeback": [
        charge("6"),
        charge("50", cause="bill_restated", corrected_period=date(2026, 9, 1)),
        charge("70", cost_kind="api"),
    ],
    # the best of two ways to commit to the machine, and none for another: 73 of 1460 a month, a twentieth
    "commitment_advice": [advice("73", 12), advice("50", 36), advice(None, 0, "a100")],
}


def test_what_is_eliminated_is_not_batched_as_well() -> None:
    """Three quarters of 18 need not be; of the 10 of them that are a job's, 2.5 is left, and 3/8 of it saved."""
    rows = found(COMPANY)
    failed, batch = rows[SEARCH, "USD", "failed_attempts"], rows[SEARCH, "USD", "batch"]
    assert (failed["saving"], batch["saving"]) == (Decimal("13.5"), Decimal("0.9375"))
    assert (failed["alone_saving"], batch["alone_saving"]) == (Decimal("13.5"), Decimal("3.75"))
    assert (failed["shapley_saving"], batch["shapley_saving"]) == (Decimal("12.09375"), Decimal("2.34375"))
    assert (failed["gross_saving"], batch["gross_saving"]) == (18, 5)
    assert failed["combined_saving"] == batch["combined_saving"] == Decimal("14.4375")
    assert failed["basis_cost"] == 90  # a hundred without copies, and without own models
    assert (failed["team_id"], failed["evidence_row_count"]) == ("search", 2)
    # a job whose calls are spread is no saving, and neither is one whose batch price nobody knows
    assert (batch["unproven_cost"], batch["reason"]) == (5, "spread_over_the_day")
    assert (rows["residual:unowned_usage", "USD", "failed_attempts"]["gross_saving"]) == 3


def test_idle_gpus_are_released_before_the_rest_is_committed_to() -> None:
    """Of 40 idle on demand three quarters go; 5/8 of a twentieth of the other 10 and of 7 that nobody saw."""
    rows = found(COMPANY)
    idle, committed = rows[SEARCH, "EUR", "idle_gpus"], rows[SEARCH, "EUR", "commitments"]
    assert (idle["saving"], committed["saving"]) == (30, Decimal("0.53125"))
    assert (idle["gross_saving"], committed["gross_saving"]) == (40, Decimal("2.35"))
    assert (idle["unproven_cost"], idle["reason"]) == (12, "few_samples")
    assert idle["basis_cost"] == 40 + 7 + 5 + 11 + 6
    spare = rows[IDLE, "EUR", "unallocated_gpus"]
    assert (spare["saving"], spare["team_id"], spare["unproven_cost"], spare["reason"]) == (
        12,
        None,
        9,
        "assumed_holder",
    )


def test_what_a_commitment_binds_is_saved_only_once_it_is_filled() -> None:
    row = found(COMPANY)[SEARCH, "EUR", "unused_commitments"]
    assert (row["gross_saving"], row["saving"], row["captured_saving"]) == (6, 3, None)


def test_a_cost_without_proof_has_a_reason_and_no_saving() -> None:
    row = found(COMPANY)[SEARCH, "JPY", "commitments"]
    assert (row["saving"], row["gross_saving"], row["saving_p10"]) == (None, None, None)
    assert (row["unproven_cost"], row["reason"], row["combined_saving"]) == (20, "no_advice", 0)


def test_what_the_gateways_cache_saves_is_told_without_a_guess_of_more() -> None:
    row = found(COMPANY)[SEARCH, "USD", "exact_repeats"]
    assert (row["captured_saving"], row["saving"], row["gross_saving"]) == (2, None, None)


def test_repeats_left_stand_beside_those_that_the_cache_had() -> None:
    rows = found({**COMPANY, "avoidable_requests": [request("4", "is_repeat")]})
    row = rows[SEARCH, "USD", "exact_repeats"]
    assert (row["gross_saving"], row["captured_saving"], row["saving"]) == (6, 2, 3)


def spent(cost: str, tokens: int, region: str, **changed: object) -> dict[str, Any]:
    named = {"usage_date": OCTOBER, "team_id": "search", "feature": "chat", "provider_id": "p", "model_id": "large"}
    count = {"request_count": 10, "input_uncached_tokens": tokens, "priced_cost_usd": Decimal(cost)}
    return {**named, "service_tier": "default", "price_region_id": region, **count, **changed}


def priced(each: str, region: str, **changed: object) -> dict[str, Any]:
    named = {"usage_date": OCTOBER, "provider_id": "p", "model_id": "large", "service_tier": "default"}
    paid = {"input_uncached_tokens": 1, "input_uncached_usd_per_token": Decimal(each)}
    return {**named, "price_region_id": region, **paid, **changed}


MOVABLE: Tables = {
    "usage_by_team_daily": [
        spent("20", 10, "eu"),
        spent("5", 10, "eu", model_id="small", duplicate_count=5, duplicate_cost_usd=Decimal("2.5")),
        spent("8", 4, "eu", feature="mail"),
        spent("7", 7, "us", team_id=None, key_id="k", feature="old"),
        spent("3", 3, "us", team_id=None, feature="old"),
    ],
    "usage_hourly": [priced("2", "eu"), priced("1", "us"), priced("0.5", "eu", model_id="small")],
    "avoidable_requests": [request("4", "is_failure", provider_id="p", model_id="large")],
}


def test_what_is_left_of_failures_is_asked_where_it_costs_less() -> None:
    """Chat: 20 in the EU, of which 4 failed. 3 of these need not be; of the other 17 half is saved in the US, at the
    mean share of success a quarter; of the 12.75 left the small model would save a half, a quarter of the time: it
    costs 1/4 of today's in the EU, and the US leaves 1/2, so that another 3/4 would buy below what anybody sells at."""
    rows = found(MOVABLE)
    place, model = rows[SEARCH, "USD", "cheaper_place"], rows[SEARCH, "USD", "cheaper_model"]
    assert rows[SEARCH, "USD", "failed_attempts"]["saving"] == 3
    assert place["saving"] == Decimal("4.25") + 2  # mail: a half of 8, half of the time
    assert model["saving"] == Decimal("12.75") / 8
    assert (place["gross_saving"], model["gross_saving"]) == (14, 10)
    assert (place["confidence"], model["confidence"], model["published_basis"]) == ("B", "C", "cost per query")
    assert place["basis_cost"] == 20 + Decimal("2.5") + 8
    assert place["evidence_row_count"] == 3
    total = sum(row["saving"] for key, row in rows.items() if key[0] == SEARCH and row["saving"] is not None)
    assert total == place["combined_saving"]
    review = rows[SEARCH, "USD", "model_review"]
    assert (review["unproven_cost"], review["reason"], review["saving"]) == (8, "never_compared", None)


def test_what_is_idle_is_not_quantised_and_what_is_bound_is_told() -> None:
    """Half of 40 that served, a quarter of the time; idle and reserved time and other work are none of it."""
    lines = [
        gpus("40", "none", model_id="llama"),
        gpus("8", "under_used", model_id="llama", purchase_option="reserved"),
        gpus("50", "allocated_idle", model_id="llama"),
        gpus("90", "none"),
    ]
    row = found({"gpu_waste": lines})[SEARCH, "EUR", "quantisation"]
    assert (row["gross_saving"], row["saving"], row["confidence"]) == (20, 5, "C")
    assert (row["unproven_cost"], row["reason"], row["evidence_row_count"]) == (8, "bound_by_commitment", 2)
    assert row["published_basis"] == "GPU memory"


def shape(**costs: str) -> dict[str, Any]:
    named = {"usage_date": OCTOBER, "team_id": "search", "feature": "chat", "provider_id": "p", "model_id": "large"}
    return {**named, "priced_cost_usd": Decimal(16), **{name: Decimal(cost) for name, cost in costs.items()}}


def test_what_is_cut_off_is_not_cached_as_well() -> None:
    """Of 20, 4 failed. Of the 16 answered, 2 are long answers, and the cache of an hour would save 8 in full."""
    usage = [spent("20", 10, "eu")]
    shapes = [
        shape(long_output_cost_usd="2", cache_5m_saving_usd="-1", cache_1h_saving_usd="6"),
        shape(priced_cost_usd="0", cache_5m_saving_usd="9", cache_1h_saving_usd="2", unpriced_cache_cost_usd="3"),
    ]
    tables = {**MOVABLE, "usage_by_team_daily": usage, "usage_hourly": [], "request_shapes": shapes}
    rows = found(tables)
    output, cache = rows[SEARCH, "USD", "output_cap"], rows[SEARCH, "USD", "prompt_cache"]
    # 3 of the 4 failures go first, and neither lever concerns the fourth
    assert rows[SEARCH, "USD", "failed_attempts"]["saving"] == 3
    assert (output["saving"], output["gross_saving"], output["confidence"]) == (1, 2, "B")
    # of the 15 left half would be cached, at the mean share of success 9/20
    assert (cache["saving"], cache["gross_saving"]) == (15 * Decimal("0.225"), 8)
    assert cache["combined_saving"] == 3 + 1 + cache["saving"]
    assert (cache["unproven_cost"], cache["reason"], cache["evidence_row_count"]) == (3, "no_cache_price", 2)
    assert cache["published_basis"] == "cost of cached input"


def test_what_is_not_asked_again_is_not_cached_as_well() -> None:
    """Of 20 answered, 4 are repeats: what the replay saves is 8 of the other 16, and of these alone."""
    tables: Tables = {
        "usage_by_team_daily": [spent("20", 10, "eu")],
        "avoidable_requests": [request("4", "is_repeat", provider_id="p", model_id="large")],
        "request_shapes": [shape(priced_cost_usd="20", cache_5m_saving_usd="8")],
    }
    rows = found(tables)
    assert rows[SEARCH, "USD", "exact_repeats"]["saving"] == 3
    assert (rows[SEARCH, "USD", "prompt_cache"]["gross_saving"], rows[SEARCH, "USD", "prompt_cache"]["saving"]) == (
        8,
        8 * Decimal("0.45"),
    )


def test_what_a_provider_caches_by_itself_is_no_saving() -> None:
    """Asked for with no writing on sale: the log's misses prove that the cache did not hold it."""
    rows = found({**MOVABLE, "request_shapes": [shape(cached_by_itself_cost_usd="7")]})
    cache = rows[SEARCH, "USD", "prompt_cache"]
    assert (cache["saving"], cache["unproven_cost"], cache["reason"]) == (None, 7, "cached_by_itself")


def test_a_cache_that_is_written_more_often_than_read_is_no_lever() -> None:
    shapes = [shape(cache_5m_saving_usd="-1", cache_1h_saving_usd="-2")]
    assert (SEARCH, "USD", "prompt_cache") not in found({**MOVABLE, "request_shapes": shapes})


def test_what_the_provider_s_cache_saves_already_is_told() -> None:
    """Ten tokens read at 0.2 instead of 2, and four written at 2.5: 18 less 2."""
    cached = {"cache_read_tokens": 10, "cache_write_5m_tokens": 4}
    paid = {"cache_read_usd_per_token": Decimal("0.2"), "cache_write_5m_usd_per_token": Decimal("2.5")}
    tables: Tables = {
        "usage_by_team_daily": [spent("50", 9, "eu", **cached)],
        "usage_hourly": [priced("2", "eu", **cached, **paid)],
    }
    row = found(tables)[SEARCH, "USD", "prompt_cache"]
    assert (row["captured_saving"], row["saving"]) == (16, None)


def test_a_key_of_nobody_may_be_needed_by_nobody() -> None:
    zombie = found(MOVABLE)["residual:unowned_usage", "USD", "zombie_keys"]
    assert (zombie["gross_saving"], zombie["saving"], zombie["evidence_row_count"]) == (7, Decimal("3.5"), 1)
    assert zombie["confidence"] == "A"


def test_the_headline_is_the_cautious_end() -> None:
    for row in found(COMPANY).values():
        if row["saving"] is not None:
            assert 0 <= row["saving_p10"] < row["saving_p50"] < row["saving_p90"] <= 3 * row["gross_saving"]


def test_the_same_month_gives_the_same_rows_in_any_order() -> None:
    turned = {table: rows[::-1] for table, rows in COMPANY.items()}
    assert found(turned) == found(COMPANY)


def test_the_rows_keep_the_contract_and_its_checks() -> None:
    output = contract("savings")
    batch = pa.Table.from_pylist(list(found(COMPANY).values()), schema=output.arrow_schema())
    with duckdb.connect() as connection:
        connection.register("batch", batch)
        for check in output.checks:
            assert not connection.execute(check.sql.format(batch="batch")).fetchall(), check.name
    assert batch.num_rows == len(batch.select(list(output.key)).group_by(list(output.key)).aggregate([]))


def test_the_evidence_is_a_query_on_what_is_published() -> None:
    rows = found({**COMPANY, "gpu_waste": [gpus("4", "unallocated", account="team:o'hara")]})
    with duckdb.connect() as connection:
        for table in all_contracts().values():
            if table.published:
                connection.register(table.table, table.arrow_schema().empty_table())
        for row in rows.values():
            assert connection.execute(row["evidence"]).fetchall() == []
    assert ("team:o'hara", "EUR", "unallocated_gpus") in rows


def test_levers_stand_in_the_order_of_the_steps() -> None:
    places = [STEPS.index(kind.step) for kind in LEVERS]
    assert places == sorted(places)
    columns = {column.name: column for column in contract("savings").columns}
    assert tuple(kind.name for kind in LEVERS) == columns["lever"].values
    assert tuple(REASONS) == columns["reason"].values


def test_a_published_range_is_of_its_own_basis_alone() -> None:
    batch = published_ranges()["batch"]
    assert batch.of(Decimal(30), "list price of eligible requests") == (15, 15)
    with pytest.raises(ValueError, match="not of 'the whole bill'"):
        batch.of(Decimal(30), "the whole bill")
    assert found(COMPANY)[SEARCH, "USD", "batch"]["published_basis"] == batch.basis
