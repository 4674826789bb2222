"""What an empty feature is worth is said twice, in SQL of a month and by `models.features` of a journal: alike."""

import random
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from contracts import contract, sql_root
from models.features import TOLD, with_told_features
from models.frames import frame_of, schema_of
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.golden import filled

CHARGEBACK = "chargeback"
KEY = ["billing_period", "charge_date", "account", "provider_name", "feature", "rule_kind"]


def journal(dice: random.Random) -> pl.DataFrame:
    """Moves of two months: a few groups, accounts, rules and days, so that each meets the others."""
    rows: list[dict[str, Any]] = []
    for number in range(dice.randint(1, 40)):
        kind = dice.choice(["direct", "priced_tokens", "pool", "pool", "correction", "correction"])
        account = dice.choice(["team:a", "team:b", "residual:x", "pool:p"])
        rows.append(
            dict.fromkeys(schema_of("postings"))
            | {
                "posting_id": str(number),
                "billing_period": date(2026, dice.choice([9, 10]), 1),
                "charge_date": date(2026, 10, dice.choice([5, 6])),
                "charge_group_id": dice.choice("abc"),
                "step": 2,
                "rule_id": f"{kind}:{dice.choice('xy')}",
                "rule_kind": kind,
                "from_account": "pool:charges",
                "to_account": account,
                "team_id": account[-1] if account.startswith("team:") else None,
                "feature": dice.choice([None, None, None, "chat"]),
                "effective_cost": Decimal(1),
                "billed_cost": Decimal(1),
                "billing_currency": "USD",
                "provider_name": dice.choice(["AWS", "Google Cloud"]),
                "service_name": "s",
                "cost_kind": "other",
                "is_final_account": not account.startswith("pool:"),
            }
        )
    return pl.DataFrame(rows, schema=schema_of("postings"), orient="row")


def of_a_row(moves: pl.DataFrame) -> set[tuple[object, ...]]:
    """A row of chargeback is told where each of its moves is."""
    resting = with_told_features(moves).filter("is_final_account").rename({"to_account": "account"})
    named = resting.with_columns(pl.col("feature").fill_null(""))
    return set(named.group_by(KEY).agg(pl.col(TOLD).all()).select(*KEY, TOLD).iter_rows())


@pytest.fixture
def query(duckdb_engine: DuckDBEngine) -> str:
    output = contract(CHARGEBACK)
    for name in output.depends_on:
        duckdb_engine.register(name, contract(name).arrow_schema().empty_table())
    duckdb_engine.register("reporting", filled("reporting", [{"reporting_currency": "USD"}]))
    text = (sql_root() / output.layer / f"{CHARGEBACK}.sql").read_text("utf-8")
    return f"select {', '.join(KEY)}, {TOLD} from ({text})"


def test_sql_and_the_model_say_the_same_of_any_journal(duckdb_engine: DuckDBEngine, query: str) -> None:
    dice = random.Random(8)
    seen = set[object]()
    for _ in range(60):
        moves = journal(dice)
        duckdb_engine.register("postings", moves.to_arrow())
        found = set(frame_of(duckdb_engine.query(query)).iter_rows())
        assert found == of_a_row(moves), moves
        seen |= {(row[-2], row[-3] == "", row[-1]) for row in found}
    # corrections and pools without a feature were of both kinds
    assert seen >= {(kind, True, told) for kind in ("correction", "pool") for told in (True, False)}
