"""Who carries a shared pool, by which weight: pools worked out by hand, each receiver's share to the last unit."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from models.pools import Pool, Split
from pipelines.cli.explained import as_csv
from pipelines.config.pools import Pool as PoolSettings
from pipelines.explain import pool_weights
from pipelines.explain.marts import Mart
from pipelines.explain.pool_measures import measure
from pipelines.explain.walk import RULES_CHANGED, Explanation, Level
from tests.pipelines.small_company import DAY, line, write_bill
from tests.pipelines.test_close import company, locked, night
from tests.pipelines.test_explain import costs, levels, told

D = Decimal
RULES = """\
  - {id: tag-search, tag: {key: team, value: search}, team: search}
  - {id: tag-support, tag: {key: team, value: support}, team: support}
  - {id: tag-legal, tag: {key: team, value: legal}, team: legal}
  - {id: tag-shared, tag: {key: team, value: shared}, pool: serving}
  - {id: tag-office, tag: {key: team, value: office}, pool: office}
  - {id: tag-ring, tag: {key: team, value: ring}, pool: left}
"""
POOLS = """\
pools:
  - {id: serving, split: direct_cost}
  - {id: office, split: fixed, shares: {legal: 1, "pool:serving": 3}}
  - {id: left, split: fixed, shares: {search: 1, "pool:right": 1}}
  - {id: right, split: fixed, shares: {support: 1, "pool:left": 1}}
"""


def bill(tag: str, cost: str, **given: str) -> dict[str, str]:
    tags = f'{{"team": "{tag}"}}'
    return line(**{"InvoiceId": "INV-1", "BilledCost": cost, "EffectiveCost": cost, "Tags": tags} | given)


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Direct cost of 5, 3 and 2; a pool of 10 and a credit of -1; 8 in a pool that feeds it; 12 in two in a circle."""
    folder = tmp_path_factory.mktemp("pooled")
    config = company(folder)
    text = config.read_text()
    text = text.replace("owners:\n", f"owners:\n{RULES}", 1).replace(
        "teams:\n", "teams:\n  - {id: legal, name: Legal}\n", 1
    )
    config.write_text(text + POOLS)
    rows = [
        bill("search", "5"),
        bill("support", "3"),
        bill("legal", "2"),
        bill("shared", "10"),
        bill("shared", "-1", ChargeCategory="Credit"),
        bill("office", "8"),
        bill("ring", "12"),
    ]
    write_bill(folder / "bills", rows)
    night(config, DAY, date(2026, 11, 2))
    return config


def carried(found: dict[str, list[dict[str, Any]]], pool: str) -> list[tuple[str, Any, Any, Decimal]]:
    """Receiver, weight, sum of the weights, money."""
    return [
        (
            row["to_account"],
            row["weight"] and D(row["weight"]),
            row["whole_weight"] and D(row["whole_weight"]),
            D(row["received_effective_cost"]),
        )
        for row in found["weights"]
        if row["from_account"] == pool and row["is_asked"] is not None
    ]


def test_all_who_carry_a_pool_are_told_with_their_weights_and_money(pooled: Path) -> None:
    found = levels(pooled, "2026-10", "search")
    # 10 less the credit of 1, and 6 of the pool that feeds it, by direct cost of 5, 3 and 2
    assert carried(found, "pool:serving") == [
        ("team:legal", D(2), D(10), D(3)),
        ("team:search", D(5), D(10), D("7.5")),
        ("team:support", D(3), D(10), D("4.5")),
    ]
    # 8 by 1 and 3: the step before
    assert carried(found, "pool:office") == [
        ("pool:serving", D(3), D(4), D(6)),
        ("team:legal", D(1), D(4), D(2)),
    ]
    assert {name: costs(rows) for name, rows in found.items()} == dict.fromkeys(found, D("20.5"))


def test_a_credit_in_a_pool_is_carried_by_the_same_weights(pooled: Path) -> None:
    own = [row for row in levels(pooled, "2026-10", "legal")["weights"] if row["from_account"] == "pool:serving"]
    moved = [(D(row["split_effective_cost"]), D(row["effective_cost"])) for row in own if row["is_asked"] is None]
    assert sorted(moved) == [(D(-1), D("-0.2")), (D(6), D("1.2")), (D(10), D(2))]


def test_pools_that_feed_one_another_are_told_with_the_shares_that_were_solved(pooled: Path) -> None:
    found = levels(pooled, "2026-10", "search")
    # left keeps a half for search; of the other half support has a half, and a quarter comes back: 1/2 : 1/4
    assert carried(found, "pool:left") == [
        ("team:search", D(2), D(3), D(8)),
        ("team:support", D(1), D(3), D(4)),
    ]
    (basis,) = {row["basis"] for row in found["weights"] if row["from_account"] == "pool:left"}
    given = "pool:left gives 1 to team:search, 1 to pool:right; pool:right gives 1 to team:support, 1 to pool:left"
    assert basis == f"parts, fixed, solved exactly of pools that feed one another ({given})"


def test_a_page_shows_the_shares_as_a_table_that_adds_up(pooled: Path) -> None:
    code, text = told(pooled, "2026-10", "search")
    assert code == 0
    assert (
        "  pool:serving gave 15.00 USD of these charges on 2026-10-31; weights: direct cost, in the bill's currency\n"
        "    weight    share  money  to\n"
        "         5  50.00 %   7.50  team:search  <- asked about\n"
        "         3  30.00 %   4.50  team:support\n"
        "         2  20.00 %   3.00  team:legal\n"
        "        10    100 %  15.00  together\n"
    ) in text


def test_money_that_is_not_what_the_weights_come_to_is_a_break(pooled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = pool_weights.direct_costs

    def other(*given: Any) -> pl.DataFrame:
        found = direct(*given)
        return found.with_columns(cost=pl.when(team_id="search").then(pl.col("cost") + 10**12).otherwise("cost"))

    monkeypatch.setattr(pool_weights, "direct_costs", other)
    code, text = told(pooled, "2026-10", "legal")
    assert code != 0
    assert "pool:serving gave team:legal 3.000000000000 of effective_cost, " in text
    assert text.splitlines()[-1].startswith("The explanation does not add up: ")


def test_after_a_change_of_the_rules_no_weights_are_shown_that_were_not_those(pooled: Path) -> None:
    before = pooled.read_text()
    pooled.write_text(before.replace("{id: serving, split: direct_cost}", "{id: serving, split: even}"))
    try:
        code, text = told(pooled, "2026-10", "search")
    finally:
        pooled.write_text(before)
    assert (code, RULES_CHANGED in text) == (0, True)
    assert "weights: weights are not kept" not in text
    assert "pool:serving gave 15.00 USD of these charges on 2026-10-31; weights are not kept" in text


HALF_EDITED = POOLS.replace("{search: 1, ", "{").replace("{support: 1, ", "{")


@pytest.mark.parametrize(
    ("before", "after", "told_of"),
    [
        # another pool and its rule are gone, and with them nobody's weights but its own
        (
            POOLS.splitlines()[2] + "\n",
            "",
            {"pool:office": "not in the configuration", "pool:serving": "make other sums"},
        ),
        (POOLS, HALF_EDITED, {"pool:serving": "feed only one another", "pool:left": "feed only one another"}),
    ],
)
def test_pools_that_were_edited_since_say_what_is_not_known_of_which(
    pooled: Path, before: str, after: str, told_of: dict[str, str]
) -> None:
    text = pooled.read_text()
    pooled.write_text(text.replace(before, after))
    try:
        found = levels(pooled, "2026-10", "search")["weights"]
    finally:
        pooled.write_text(text)
    for pool, why in told_of.items():
        own = {(row["basis"], row["weight"]) for row in found if row["from_account"] == pool}
        assert [(why in basis, weight) for basis, weight in own] == [(True, None)], own


def test_a_pool_that_is_left_keeps_its_weights_where_another_one_is_gone(pooled: Path) -> None:
    text = pooled.read_text()
    office = "".join(part for part in text.splitlines(keepends=True) if "office" not in part)
    pooled.write_text(office)
    try:
        found = levels(pooled, "2026-10", "search")
    finally:
        pooled.write_text(text)
    assert carried(found, "pool:left") == [("team:search", D(2), D(3), D(8)), ("team:support", D(1), D(3), D(4))]
    (basis,) = {row["basis"] for row in found["weights"] if row["from_account"] == "pool:left"}
    assert basis.endswith(", by the tables and rules of today")


def with_pools(folder: Path, costs_by_tag: dict[str, str], pools: str) -> Path:
    """A company of these pools, not yet run."""
    config = company(folder)
    rules = "".join(rule for rule in RULES.splitlines(keepends=True) if "pool" not in rule)
    rules += "  - {id: tag-shared, tag: {key: team, value: shared}, pool: shared}\n"
    text = config.read_text().replace("owners:\n", f"owners:\n{rules}", 1)
    config.write_text(text.replace("teams:\n", "teams:\n  - {id: legal, name: Legal}\n", 1) + pools)
    write_bill(folder / "bills", [bill(tag, cost) for tag, cost in costs_by_tag.items()])
    return config


def test_what_a_locked_month_would_be_today_is_held_against_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"search": "2.5", "support": "1.5"}
    config = with_pools(tmp_path, {**own, "shared": "6.5"}, "pools: [{id: shared, split: direct_cost}]\n")
    night(config, DAY, date(2026, 11, 2))
    locked(config, date(2026, 11, 3))
    write_bill(tmp_path / "bills", [bill(tag, cost) for tag, cost in {**own, "shared": "8"}.items()])
    night(config, date(2026, 11, 3), date(2026, 11, 4))

    # five eighths of 8 less five eighths of 6.5
    found = levels(config, "2026-11", "search")
    assert costs(found["lines"]) == D("0.9375")
    parts = [(row["origin"], D(row["effective_cost"])) for row in found["weights"] if row["is_asked"] is None]
    assert sorted(parts) == [("locked", D("-4.0625")), ("restated", D(5))]
    code, text = told(config, "2026-11", "search")
    assert (code, "restated pool:shared, direct cost" in text) == (0, True)

    direct = pool_weights.direct_costs

    def other(*given: Any) -> pl.DataFrame:
        return direct(*given).with_columns(
            cost=pl.when(team_id="search").then(pl.col("cost") + 10**12).otherwise("cost")
        )

    monkeypatch.setattr(pool_weights, "direct_costs", other)
    code, text = told(config, "2026-11", "search")
    assert code != 0
    assert "pool:shared gave team:search 5.000000000000 of effective_cost, " in text


def test_one_unit_of_the_last_decimal_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cost = "0.000000000010"
    config = with_pools(tmp_path, {"shared": cost}, "pools: [{id: shared, split: even}]\n")
    night(config, DAY, date(2026, 11, 2))
    rows = carried(levels(config, "2026-10", "legal"), "pool:shared")
    assert sorted(int(money * 10**12) for *_, money in rows) == [3, 3, 4]
    assert {(weight, whole) for _, weight, whole, _ in rows} == {(D(1), D(3))}

    again = pool_weights.pool_steps

    def altered(*given: Any) -> list[Any]:
        more = pl.col("effective_units") + (pl.col("to_account") == "team:search").cast(pl.Int128)
        return [step._replace(moves=step.moves.with_columns(more)) for step in again(*given)]

    monkeypatch.setattr(pool_weights, "pool_steps", altered)
    code, text = told(config, "2026-10", "legal")
    assert code != 0
    assert "of effective_cost, 1 units of the twelfth decimal" in text
    assert text.count("units of the twelfth decimal") == 1


@pytest.mark.parametrize(
    ("pool", "whole", "shown"),
    [
        # 0.5 and 2 are 5 and 20 in whole weights: 3 tokens of the first weigh 15, which is 1.5
        (
            Pool("a", "m", {"input_uncached": D("0.5"), "output_text": D(2)}),
            15,
            ("weighted tokens of m", D("1.5")),
        ),
        # money of twelve decimals, seconds, and a metric of nine decimals
        (
            Pool("b", split=Split.PRICED_TOKENS),
            2_500_000_000_000,
            ("USD logged, at the price book", D("2.5")),
        ),
        (
            Pool("c", split=Split.DIRECT_COST),
            250_000_000_000,
            ("direct cost, in the bill's currency", D("0.25")),
        ),
        (Pool("d", split=Split.GPU_SECONDS), 7200, ("GPU seconds", D(7200))),
        (
            Pool("e", split=Split.METRIC, metric_id="seats"),
            12_500_000_000,
            ("seats, summed over the days", D("12.5")),
        ),
    ],
)
def test_a_weight_is_told_in_the_unit_of_its_pool_s_measure(pool: Pool, whole: int, shown: tuple[str, Decimal]) -> None:
    basis, factor = measure(pool, [pool])
    assert (basis, D(whole * factor) / 10**12) == shown


def test_a_weight_of_a_token_has_nine_decimals_at_most() -> None:
    given = {"id": "a", "model": "m", "token_weights": {"output_text": "0.000000001"}}
    assert measure(PoolSettings.model_validate(given).resolved([]), [])[1] == 1000
    with pytest.raises(ValidationError, match="no more than 9 decimal places"):
        PoolSettings.model_validate(given | {"token_weights": {"output_text": "0.0000000001"}})


def test_a_csv_lists_an_input_once_where_lines_share_it() -> None:
    shared = pl.DataFrame({"of_line": [1, 1, 2], "model_id": ["a", "b", "a"], "tokens": [7, 8, 7]})
    inputs = Level("spans", "inputs", shared, (), "usage", are_inputs=True)
    parts = Level("parts", "parts", shared, ())
    lines = as_csv(Explanation(Mart("usage", ()), shared, (inputs, parts))).splitlines()
    found = [row.split(",", 4)[-1] for row in lines[1:]]
    assert found == ['"1, 2",a,7', "1,b,8", "1,a,7", "1,b,8", "2,a,7"]
