"""What `docs/ledger.md` shows works: its settings load, its queries run on the tables that they name."""

import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from contracts import contract
from pipelines.config import load
from tests.config.test_load import ENVIRONMENT, written
from tests.sql.golden import CASES, filled

PAGE = (Path(__file__).resolve().parents[2] / "docs/ledger.md").read_text(encoding="utf-8")
HEAD = "company: Acme\nlake: lake\nsources:\n  - {name: bill, kind: focus, account: main, location: bills}\n"
TEAMS = "teams:\n  - {id: search, name: Search}\n  - {id: support, name: Support}\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_the_settings_that_the_page_shows_are_valid(tmp_path: Path, block: str) -> None:
    load(written(tmp_path, HEAD + ("" if "teams:\n" in block else TEAMS) + block), ENVIRONMENT)


@pytest.mark.parametrize("query", [query for query in blocks("sql") if "from rate_variance" not in query])
def test_the_queries_that_the_page_shows_sum_to_what_rests(query: str) -> None:
    row = {"billing_period": "2026-10-01", "charge_date": "2026-10-02", "reporting_currency": "USD"}
    costs = {"reporting_effective_cost": "1.5", "reporting_billed_cost": "1.5"}
    rows = [row | costs | {"account": "team:a", "organisation": "A"}, row | costs | {"account": "residual:x"}]
    with duckdb.connect() as connection:
        connection.register("chargeback", filled(contract("chargeback").table, rows))
        month = {name: value for name, value in row.items() if name != "charge_date"}
        of_one = month | costs | {"account": "team:a", "customer_hash": "c", "product": "p", "naming": "customer"}
        customers = [of_one, of_one, of_one | {"customer_hash": None, "naming": "unnamed_calls"}]
        connection.register("chargeback_by_customer", filled(contract("chargeback_by_customer").table, customers))
        found = connection.sql(query).fetchall()
    sums = {line[-1] for line in found}
    assert Decimal(3) in sums, "the whole is on the page's answer"


def test_what_is_not_known_counts_as_nothing_in_what_prices_saved() -> None:
    """Microsoft's reservation has no list price, and saved against its contract; a refund can be compared with none."""
    (query,) = (query for query in blocks("sql") if "from rate_variance" in query)
    (case,) = (CASES / "rate_variance").iterdir()
    expected = yaml.safe_load((case / "expect.yml").read_text(encoding="utf-8"))
    rows = [row | {"billing_period": "2026-10-01", "account": row["provider_name"]} for row in expected]
    with duckdb.connect() as connection:
        connection.register("rate_variance", filled("rate_variance", rows))
        found = {line[:2]: line[2:] for line in connection.sql(query).fetchall()}
    assert found["Microsoft", "USD"] == (None, *map(Decimal, ("-5803.2", "8928", "0", "3124.8", "3124.8")))
    assert found["AWS", "USD"] == tuple(map(Decimal, ("190", "-39", "8", "-1", "158", "158")))
    assert all(whole == together for *_, whole, together in found.values())
