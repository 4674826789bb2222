"""Slices are replaced whole, read back exactly, and listed from metadata."""

import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from contracts import ContractBrokenError, contract
from pipelines.lake import Lake, LakeError, SchemaChangedError, Slice
from pipelines.lake import rows as rows_module
from tests.lake.fakes import Place, charge, everywhere

FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
PRINT = "0123456789abcdef0123456789abcdef"


def charges(source: str, day: date, *costs: str) -> pa.Table:
    lines = [charge(source, day, "page", number, cost) for number, cost in enumerate(costs, 1)]
    return pa.Table.from_pylist(lines, schema=contract("charges").arrow_schema())


def teams(*names: str) -> pa.Table:
    lines = [{"team_id": name, "team_name": name, "business_unit": None, "cost_centre": None} for name in names]
    return pa.Table.from_pylist(lines, schema=contract("teams").arrow_schema())


@everywhere
def test_a_slice_is_replaced_and_its_neighbours_are_not(lake: Lake) -> None:
    lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST, "1", "2"), PRINT)
    lake.replace_slice("charges", FIRST, "gcp", charges("gcp", FIRST, "3"), PRINT)
    lake.replace_slice("charges", SECOND, "aws", charges("aws", SECOND, "4"), PRINT)
    lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST, "9"), "f" * 32)
    assert lake.slices("charges") == [
        Slice(FIRST, "aws", "f" * 32, 1),
        Slice(FIRST, "gcp", PRINT, 1),
        Slice(SECOND, "aws", PRINT, 1),
    ]
    read = lake.read("charges")
    assert read["billed_cost"].to_pylist() == [Decimal(9), Decimal(3), Decimal(4)]
    assert read.schema.equals(contract("charges").arrow_schema())
    assert lake.read("charges", SECOND, SECOND + timedelta(days=1))["billed_cost"].to_pylist() == [Decimal(4)]
    assert lake.read("charges", end=SECOND).num_rows == 2
    assert lake.dataset("charges", FIRST, SECOND).count_rows() == 2


@everywhere
def test_an_empty_slice_is_a_slice(lake: Lake) -> None:
    lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST), PRINT)
    assert lake.slices("charges") == [Slice(FIRST, "aws", PRINT, 0)]
    assert lake.read("charges").num_rows == 0
    lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST, "1"), PRINT)
    lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST), "e" * 32)
    assert lake.slices("charges") == [Slice(FIRST, "aws", "e" * 32, 0)]


@everywhere
def test_a_table_that_was_never_stored_is_empty_in_its_contracts_schema(lake: Lake) -> None:
    assert lake.slices("postings") == []
    assert lake.versions() == {}
    assert lake.read("postings").schema.equals(contract("postings").arrow_schema())
    assert lake.dataset("postings").schema.equals(contract("postings").arrow_schema())


@everywhere
def test_a_second_process_sees_what_the_first_one_wrote(place: Place) -> None:
    writer, reader = place.open(), place.open()
    assert reader.slices("teams") == []
    for name in ("a", "b"):
        writer.replace_slice("teams", FIRST, "configuration", teams(name), PRINT)
        assert reader.read("teams")["team_id"].to_pylist() == [name]


def test_the_largest_and_smallest_money_survives_exactly(lake: Lake) -> None:
    extremes = ["99999999999999999999999999.999999999999", "-0.000000000001", "0"]
    lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST, *extremes), PRINT)
    assert [format(cost, "f") for cost in lake.read("charges")["billed_cost"].to_pylist()] == [
        "99999999999999999999999999.999999999999",
        "-0.000000000001",
        "0.000000000000",
    ]


def test_other_engines_read_the_same_rows_from_the_files_and_from_the_table(lake: Lake) -> None:
    lake.replace_slice("charges", FIRST, "o'brien %2F ü", charges("aws", FIRST, "1.5", "2.5"), PRINT)
    lake.replace_slice("charges", SECOND, "aws", charges("aws", SECOND), PRINT)
    files = lake.files("charges")
    assert duckdb.execute("select sum(billed_cost), count(*) from read_parquet($1)", [files]).fetchall() == [
        (Decimal("4.000000000000"), 2)
    ]
    columns = [row[0] for row in duckdb.execute("describe select * from read_parquet($1)", [files]).fetchall()]
    assert columns == contract("charges").arrow_schema().names  # nothing of the lake's own
    folder = str(lake.root.path("tables/charges"))
    assert pl.read_delta(folder)["billed_cost"].to_list() == [Decimal("1.5"), Decimal("2.5")]
    assert DeltaTable(folder).to_pyarrow_dataset().count_rows() == 2


def test_appended_rows_stay_in_order_and_are_made_few_files(local_lake: Lake) -> None:
    with local_lake.writing("run"):
        for number in range(70):
            local_lake.append("teams", teams(f"team-{number:02d}"))
    assert local_lake.read("teams")["team_id"].to_pylist() == [f"team-{number:02d}" for number in range(70)]
    assert len(local_lake.files("teams")) < 10


def test_the_fingerprints_of_an_appended_table_change_with_it(lake: Lake) -> None:
    lake.append("teams", teams("a"))
    before = [piece.fingerprint for piece in lake.slices("teams")]
    lake.append("teams", teams("b"))
    assert [piece.fingerprint for piece in lake.slices("teams")] != before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_columns(["billed_cost"]), "missing .*billed_cost"),
        (lambda t: t.append_column("surprise", pa.nulls(1)), "surprise"),
        (lambda t: t.set_column(t.column_names.index("billed_cost"), "billed_cost", pa.array([1.5])), "never a float"),
        (
            lambda t: t.set_column(
                t.column_names.index("billed_cost"), "billed_cost", pa.array([None], pa.decimal128(38, 12))
            ),
            "billed_cost: 1 of 1 values are NULL",
        ),
        (lambda t: t.set_column(t.column_names.index("x_row"), "x_row", pa.array(["one"])), "x_row: found string"),
    ],
)
def test_rows_that_break_the_contract_replace_nothing(lake: Lake, change: Any, words: str) -> None:
    good = charges("aws", FIRST, "1")
    lake.replace_slice("charges", FIRST, "aws", good, PRINT)
    with pytest.raises(ContractBrokenError, match=words):
        lake.replace_slice("charges", FIRST, "aws", change(good), "f" * 32)
    assert lake.slices("charges") == [Slice(FIRST, "aws", PRINT, 1)]


def test_a_slice_needs_a_name_and_a_table_needs_a_contract(lake: Lake) -> None:
    with pytest.raises(LakeError, match="fingerprint"):
        lake.replace_slice("teams", FIRST, "configuration", teams("a"), "")
    with pytest.raises(LakeError, match="no contract for a table 'nonsense'"):
        lake.slices("nonsense")


def test_old_versions_are_read_and_missing_ones_named(lake: Lake) -> None:
    with pytest.raises(LakeError, match="never stored"):
        lake.read_at("teams", 0)
    lake.replace_slice("teams", FIRST, "configuration", teams("a"), PRINT)
    first = lake.versions()["teams"]
    lake.replace_slice("teams", FIRST, "configuration", teams("b"), PRINT)
    assert lake.read_at("teams", first)["team_id"].to_pylist() == ["a"]
    with pytest.raises(LakeError, match=f"has versions 0 to {first + 1}; version 99"):
        lake.read_at("teams", 99)


def test_a_column_added_to_a_contract_is_null_in_older_slices(
    local_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.lake import rows, stored, tables

    new = contract("teams")
    old = new.model_copy(update={"columns": tuple(c for c in new.columns if c.name != "cost_centre")})
    for module in (rows, stored, tables):
        monkeypatch.setattr(module, "contract", lambda _: old)
    local_place.open().replace_slice("teams", FIRST, "x", teams("a").drop_columns(["cost_centre"]), PRINT)
    monkeypatch.undo()
    lake = local_place.open()
    assert lake.read("teams")["cost_centre"].to_pylist() == [None]
    lake.replace_slice("teams", SECOND, "x", teams("b"), PRINT)
    assert lake.read("teams")["team_id"].to_pylist() == ["a", "b"]
    added = next(column for column in new.columns if column.name == "cost_centre")
    wider = old.model_copy(update={"columns": (*old.columns, added.model_copy(update={"type": "int64"}))})
    for module in (rows, stored, tables):
        monkeypatch.setattr(module, "contract", lambda _: wider)
    number = pa.table({"team_id": ["c"], "team_name": ["c"], "business_unit": ["c"], "cost_centre": [1]})
    with pytest.raises(SchemaChangedError, match="cost_centre is stored as string, its contract says int64"):
        local_place.open().replace_slice("teams", SECOND, "x", number, PRINT)


def test_a_large_slice_becomes_several_files_in_order(local_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "FILE_BYTES", 1)
    monkeypatch.setattr(rows_module, "GROUP_ROWS", 2)
    with local_lake.root.spool() as folder:
        pieces = rows_module.write_all("teams", folder, [teams("a", "b"), teams("c"), teams("d"), teams("e")])
        assert [piece.row_count for piece in pieces] == [2, 2, 1]
        assert [pq.read_table(piece.file)["team_id"].to_pylist() for piece in pieces] == [["a", "b"], ["c", "d"], ["e"]]


def test_a_flipped_bit_is_noticed_when_it_is_read(local_lake: Lake) -> None:
    local_lake.replace_slice("teams", FIRST, "x", teams(*(f"team-{n}" for n in range(500))), PRINT)
    file = Path(local_lake.files("teams")[0])
    content = bytearray(file.read_bytes())
    content[200] ^= 0x10
    file.write_bytes(bytes(content))
    with pytest.raises(OSError, match=r"(?i)crc|checksum|corrupt"):
        local_lake.read("teams")


def test_listing_many_slices_costs_metadata_only(local_place: Place) -> None:
    lake = local_place.open()
    with lake.writing("backfill"):
        for number in range(60):
            lake.replace_slice("teams", FIRST + timedelta(days=number), "x", teams("a"), PRINT)
    for file in lake.files("teams"):
        Path(file).write_bytes(b"unreadable")  # whoever lists slices must not open files
    fresh = local_place.open()
    started = time.perf_counter()
    assert len(fresh.slices("teams")) == 60
    assert time.perf_counter() - started < 1.0


def test_nothing_in_the_log_comes_from_the_machines_clock(local_lake: Lake) -> None:
    local_lake.replace_slice("teams", FIRST, "x", teams("a"), PRINT)
    actions = pa.table(DeltaTable(str(local_lake.root.path("tables/teams"))).get_add_actions(flatten=True))
    assert actions["modification_time"].to_pylist() == [1793502000000]
    assert datetime(2026, 11, 1, 3) == datetime(1970, 1, 1) + timedelta(milliseconds=1793502000000)
