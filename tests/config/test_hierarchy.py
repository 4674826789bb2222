"""The sections `hierarchy`, `products` and `ledger_accounts`: every day of a team stands in exactly one place."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.validity import EVER, FOREVER
from pipelines.config import load
from pipelines.night.hierarchy import hierarchy_tables
from tests.config.test_load import ENVIRONMENT, GOOD, complaint, written

SPLIT = (
    "hierarchy:\n"
    "  - {team: search, from: 2026-10-16, to: 2026-12-01, business_unit: Commerce, cost_centre: '4300'}\n"
    "  - {team: search, from: 2026-12-01, organisation: Acme Ltd}\n"
)


def tables_of(folder: Path, more: str) -> dict[str, list[dict[str, object]]]:
    config, _ = load(written(folder, GOOD + more), ENVIRONMENT)
    return {name: table.to_pylist() for name, table in hierarchy_tables(config).items()}


def test_a_team_stands_where_an_entry_says_and_else_where_teams_says(tmp_path: Path) -> None:
    rows = [row for row in tables_of(tmp_path, SPLIT)["team_hierarchy"] if row["team_id"] == "search"]
    told = [(row["valid_from"], row["organisation"], row["business_unit"], row["cost_centre"]) for row in rows]
    company = rows[0]["organisation"]
    assert company
    assert told == [
        (EVER, company, None, None),
        (date(2026, 10, 16), company, "Commerce", "4300"),
        (date(2026, 12, 1), "Acme Ltd", None, None),
    ]
    assert [row["valid_to"] for row in rows] == [date(2026, 10, 16), date(2026, 12, 1), FOREVER]


@given(cuts=st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True))
def test_whatever_is_placed_every_day_has_one_place(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    days = [date(2026, 10, 1) + timedelta(days=cut) for cut in sorted(cuts)]
    spans = list(zip(days[::2], days[1::2], strict=False))
    entries = "".join(f"  - {{team: search, from: {a}, to: {b}, cost_centre: '{a}'}}\n" for a, b in spans)
    found = tables_of(tmp_path_factory.mktemp("c"), "hierarchy:\n" + entries)["team_hierarchy"]
    for day in (date(2026, 9, 1) + timedelta(days=n) for n in range(120)):
        there = [r for r in found if r["team_id"] == "search" and r["valid_from"] <= day < r["valid_to"]]  # type: ignore[operator]
        expected = next((str(a) for a, b in spans if a <= day < b), None)
        assert [row["cost_centre"] for row in there] == [expected]


def test_products_and_accounts_keep_the_order_of_the_file(tmp_path: Path) -> None:
    more = (
        "products:\n  - {product: Assistant, feature: chat, team: search}\n  - {product: Other, feature: chat}\n"
        "ledger_accounts:\n  - {account: '6420', cost_kind: api}\n  - {account: '6400', provider: AWS}\n"
    )
    found = tables_of(tmp_path, more)
    assert [(row["priority"], row["product"], row["team_id"]) for row in found["feature_products"]] == [
        (0, "Assistant", "search"),
        (1, "Other", None),
    ]
    assert [(row["ledger_account"], row["cost_kind"], row["provider_name"]) for row in found["ledger_accounts"]] == [
        ("6420", "api", None),
        ("6400", None, "AWS"),
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("hierarchy:\n  - {team: serch, cost_centre: x}\n", "there is no team 'serch'. Did you mean 'search'?"),
        ("hierarchy:\n  - {team: search}\n", "must name one of 'organisation', 'business_unit' and 'cost_centre'"),
        (SPLIT + "  - {team: search, from: 2026-11-30, cost_centre: x}\n", "'search' is placed twice on the same days"),
        ("products:\n  - {product: A, feature: b, team: serch}\n", "there is no team 'serch'"),
        ("ledger_accounts:\n  - {account: '1', team: serch}\n", "there is no team 'serch'"),
        ("ledger_accounts:\n  - {account: '1', cost_kind: gpus}\n", "expected 'api', 'gpu', 'other'"),
    ],
)
def test_what_contradicts_is_said_with_its_line(tmp_path: Path, entry: str, said: str) -> None:
    text = GOOD + entry
    message = complaint(tmp_path, text)
    assert said in message
    assert f":{text.rstrip().count(chr(10)) + 1}:" in message
