"""A contract's promises are really held against the rows: each test plants one breach and names it."""

import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts import contract
from pipelines.checks import validate
from tests.sql.golden import filled

TABLE = contract("prices")
pytestmark = pytest.mark.filterwarnings("ignore")


def row(**changes):
    base = {
        "provider_id": "openai",
        "model_id": "gpt-4o",
        "service_tier": "default",
        "region_id": "",
        "token_class": "cache_read",
        "input_tokens_from": 0,
        "input_tokens_to": 10**15,
        "valid_from": datetime(2026, 1, 1),
        "valid_to": datetime(9999, 12, 31),
        "known_from": datetime(2026, 1, 1),
        "usd_per_mtok": Decimal("1.250000"),
        "price_source": "contract",
        "price_basis": "own",
    }
    return base | changes


def broken(rows):
    loose = pa.schema([field.with_nullable(True) for field in TABLE.arrow_schema()])
    outcomes = validate(TABLE, pa.Table.from_pylist(rows, schema=loose))
    return {outcome.name: outcome.broken_count for outcome in outcomes if not outcome.passed}


def test_good_rows_break_nothing():
    assert broken([row(), row(token_class="output_text")]) == {}


def test_a_repeated_key_is_found_even_when_part_of_it_is_null():
    assert broken([row(), row()]) == {"key_is_unique": 1}
    assert "key_is_unique" in broken([row(model_id=None), row(model_id=None)])


def test_a_repeated_key_is_told_by_an_example():
    outcomes = validate(TABLE, pa.Table.from_pylist([row(), row(), row(model_id="o4")], schema=TABLE.arrow_schema()))
    (told,) = [outcome.examples for outcome in outcomes if outcome.name == "key_is_unique"]
    assert "provider_id openai, model_id gpt-4o, service_tier default" in told
    assert told.endswith("occurrences 2")


def test_a_missing_value_is_found():
    assert broken([row(), row(price_source=None, token_class="output_text")]) == {"price_source_is_present": 1}


def test_a_value_outside_a_closed_set_is_found():
    assert broken([row(token_class="output_smell")]) == {"token_class_is_a_known_value": 1}


def test_a_rule_of_the_contract_is_found_broken():
    assert broken([row(usd_per_mtok=Decimal(-1))]) == {"price_is_not_negative": 1}
    assert broken([row(valid_to=datetime(2025, 1, 1))]) == {"validity_is_forward": 1}


def test_parquet_files_are_checked_in_place(tmp_path):
    path = tmp_path / "it's here.parquet"
    pq.write_table(pa.Table.from_pylist([row(), row()], schema=TABLE.arrow_schema()), path)
    found = {outcome.name for outcome in validate(TABLE, [str(path)]) if not outcome.passed}
    assert found == {"key_is_unique"}


def test_no_rows_at_all_hold():
    assert all(outcome.passed for outcome in validate(TABLE, []))


def test_an_outcome_says_which_rows_break_it():
    rows = pa.Table.from_pylist([row(usd_per_mtok=Decimal(-1))], schema=TABLE.arrow_schema())
    outcome = next(o for o in validate(TABLE, rows) if not o.passed)
    assert outcome.blocks
    assert "prices: price_is_not_negative is broken: 1 rows" in outcome.text()


def test_owner_rules_name_a_team_or_a_pool():
    owners = contract("owners")
    rule = {
        "rule_id": "r",
        "priority": 1,
        "match_kind": "feature",
        "match_key": "",
        "match_value": "x",
        "team_id": None,
        "pool_id": None,
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2027, 1, 1),
    }
    outcomes = validate(owners, pa.Table.from_pylist([rule], schema=owners.arrow_schema()))
    assert [o.name for o in outcomes if not o.passed] == ["one_owner"]


def test_what_nothing_explains_is_told_with_provider_account_and_amount() -> None:
    summary, by_cause = contract("reconciliation_summary"), contract("reconciliation_by_cause")
    total = {"provider_id": "openai", "billing_period": "2026-10-01", "billed_cost": "1000", "estimated_cost": "980"}
    total |= {"difference": "20", "unexplained_difference": "20", "unexplained_ratio": 0.02}
    share = {"provider_id": "openai", "billing_period": "2026-10-01", "part": "rate", "cause": "unexplained"}
    shares = [
        share | {"account_id": "proj-1", "usd": "-0.5", "gross_usd": "18.5", "gross_bill_ratio": 0.0185},
        share | {"account_id": "proj-2", "usd": "1.5", "gross_usd": "1.5", "gross_bill_ratio": 0.0015},
    ]
    tables = ((summary, filled(summary.table, [total])), (by_cause, filled(by_cause.table, shares)))
    told = [o.examples for table, rows in tables for o in validate(table, rows) if not o.passed]
    where = "reconciliation_causes has them by day and model"
    assert told == [
        f"openai 2026-10: 20.00 USD are unexplained (without signs), 2.0 % of 1000.00 USD billed; {where}",
        f"openai 2026-10, account proj-1: 18.50 USD are unexplained (without signs), 1.9 % of the bill; {where}",
    ]
    tiny = [share | {"account_id": "", "usd": "0.002335", "gross_usd": "0.002335", "gross_bill_ratio": 0.02}]
    (small,) = [o.examples for o in validate(by_cause, filled(by_cause.table, tiny)) if not o.passed]
    accounts = "no account that bill and usage API have in common"
    assert (
        small == f"openai 2026-10, {accounts}: 0.002335 USD are unexplained (without signs), 2.0 % of the bill; {where}"
    )


@pytest.mark.parametrize(
    ("usd", "limit", "broken"),
    [
        ("-0.005", "0.005", []),
        ("-0.006", "0.005", ["rounding_is_no_more_than_digits_can_leave"]),
        ("0.001", None, ["rounding_is_no_more_than_digits_can_leave"]),
    ],
)
def test_rounding_beyond_what_it_can_be_breaks_the_causes(usd: str, limit: str | None, broken: list[str]) -> None:
    causes = contract("reconciliation_causes")
    row = {"part": "rate", "cause": "rounding", "usd": usd, "rounding_limit": limit}
    # what has another cause has no limit
    other = {"part": "rate", "cause": "margin", "usd": "7", "rounding_limit": None}
    outcomes = validate(causes, filled(causes.table, [row, other]))
    assert [o.name for o in outcomes if not o.passed] == broken


def test_checks_run_in_a_process_whose_main_module_has_no_file() -> None:
    # as in a scheduler's worker: PySpark, where it is installed, would end such a process on import
    program = (
        "from contracts import contract; from pipelines.checks import validate; import os, sys\n"
        "table = contract('teams'); found = validate(table, table.arrow_schema().empty_table())\n"
        "print(len(found) > 0 and all(one.passed for one in found)); sys.stdout.flush(); os._exit(0)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "True\n"), ran.stderr
