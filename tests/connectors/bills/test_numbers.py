"""Numbers are read through 64 bits where they fit: to the same digits as the wide type reads, or as text."""

import random
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from connectors.bills.names import Given, Names
from connectors.exact import at_scale, read_decimal

ODD = [
    "1E-7 10.799999999999999 None NaN 1e-14 -0.0000000000005 0.0000000000005 0.00000000000049999 999999.999999999999",
    "999999.9999999999995 1000000 -1000000.5 1e400 inf 1,234.5 $5 +5 5. .5 - 0x10 1e3 9.9999999999995E5 1e-20 --1 1e",
    "e1 00001.50 -0 1.0000000000000000000000000000001 99999999999999999999999999.5 1e26",
]


@pytest.fixture(scope="module")
def lines() -> duckdb.DuckDBPyConnection:
    draw = random.Random(1)
    floats = [draw.uniform(-1, 1) * 10 ** draw.randint(-14, 9) for _ in range(20_000)]
    floats += [round(draw.uniform(-1500, 1500), draw.randint(0, 12)) for _ in range(20_000)]
    floats += [0.1 + 0.2, 5e-13, 1e300, float("nan"), float("inf"), -0.0, 1e-300]
    texts = [*" ".join(ODD).split(), *map(repr, floats)]
    texts += [f"{draw.uniform(0, 1000):.{draw.randint(0, 16)}f}" for _ in range(20_000)]
    connection = duckdb.connect()
    connection.register("texts", pa.table({"v": texts}))
    connection.register("floats", pa.table({"v": floats}))
    return connection


@pytest.mark.parametrize(("table", "kind"), [("texts", "text"), ("floats", "float")])
def test_every_number_is_the_one_that_its_text_says(lines: duckdb.DuckDBPyConnection, table: str, kind: str) -> None:
    read = Names("x", [Given("v", "v", "float" if kind == "float" else "text")]).decimal("v")
    wide = "try_cast(cast(v as varchar) as decimal(38, 12))"
    differing = lines.execute(f"select v, {read}, {wide} from {table} where {read} is distinct from {wide}").fetchall()
    assert differing == []


def test_what_a_binary_number_loses_by_twelve_places_is_told() -> None:
    connection = duckdb.connect()
    connection.register("floats", pa.table({"v": [1.5, 10.799999999999999, 123456.78, 0.1 + 0.2, 1e-14]}))
    told = Names("x", [Given("v", "v", "float")]).too_precise("v")
    assert [row[0] for row in connection.execute(f"select {told} from floats").fetchall()] == [
        False,
        True,
        False,
        True,
        True,
    ]


SAMPLES = {
    "1_000": None,
    "1_0": None,
    "_1": None,
    "0_0": None,
    "1e-30": Decimal(0),
    "-1E-13": Decimal(0),
    "4e-90": Decimal(0),
    "0.0000000000001": Decimal(0),
    "-.00000000000004": Decimal(0),
    "5e-13": Decimal("1e-12"),
    "-5e-13": Decimal("-1e-12"),
    "0.0000000000125": Decimal("13e-12"),
    "-2.0000000000005": Decimal("-2.000000000001"),
    "1e-12": Decimal("1e-12"),
    "0.000000000001": Decimal("1e-12"),
    "1000e-3": Decimal(1),
    "0e-30": Decimal(0),
    "-0": Decimal(0),
    "+0.0": Decimal(0),
    "0.00000000000000000000": Decimal(0),
    "0": Decimal(0),
    "2.5": Decimal("2.5"),
}


@pytest.mark.parametrize(("text", "number"), SAMPLES.items())
def test_a_text_is_a_number_where_the_one_rule_of_all_sources_says_so(text: str, number: Decimal | None) -> None:
    exact = read_decimal(text)
    assert number == (None if exact is None else at_scale(exact))
    names = Names("x", [Given("v", "v", "text")])
    read = f"select {names.decimal('v')}, {names.unreadable('v')}, {names.too_precise('v')} from (select ? as v)"
    assert duckdb.execute(read, [text]).fetchone() == (number, number is None, exact != number)


def test_a_binary_remain_of_zero_is_zero_and_told() -> None:
    names = Names("x", [Given("v", "v", "float")])
    read = f"select {names.decimal('v')}, {names.too_precise('v')} from (select 1e-17::double as v)"
    assert duckdb.execute(read).fetchone() == (Decimal(0), True)
