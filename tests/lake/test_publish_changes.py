"""A snapshot built upon the one before is the one that is built from scratch, and writes only what changed."""

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import contract
from pipelines.lake import Lake, NotPublishedError
from pipelines.lake.snapshot_parquet import pq as written_with
from tests.lake.fakes import Clock, Place, everywhere
from tests.lake.test_publish import ALWAYS, META
from tests.lake.test_tables import teams

JULY, AUGUST, SEPTEMBER = (date(2026, month, 1) for month in (7, 8, 9))
NAMES = ("usage_daily", "chargeback", "teams", "rejects")
ONE: dict[str, Any] = {
    "string": "text", "json": "{}", "int64": 1, "int32": 1, "bool": True, "float64": 0.5, "date": JULY,
}  # fmt: skip


def rows(table: str, day: date, *costs: int) -> pa.Table:
    """Rows of one slice that differ in their money."""
    schema = contract(table).arrow_schema()
    lines: list[dict[str, Any]] = []
    for cost in costs:
        line: dict[str, Any] = {}
        for column in contract(table).columns:
            kind = "decimal" if column.type.startswith("decimal") else column.type
            if not column.nullable:
                line[column.name] = column.values[0] if column.values else ONE.get(kind, Decimal(cost))
        line |= {name: Decimal(cost) for name in ("effective_cost", "priced_cost_usd", "cost") if name in schema.names}
        line |= {name: day for name in ("usage_date", "billing_period", "x_slice_date") if name in schema.names}
        lines.append(line)
    return pa.Table.from_pylist(lines, schema=schema)


def put(lake: Lake, table: str, day: date, source: str, *costs: int) -> None:
    piece = teams(*map(str, costs)) if table == "teams" else rows(table, day, *costs)
    lake.replace_slice(table, day, source, piece, f"print-{'-'.join(map(str, costs))}")


def content(table: pa.Table) -> list[str]:
    return sorted(map(repr, table.to_pylist()))


def in_database(lake: Lake, table: str) -> list[str]:
    with lake.published().database() as database:
        return content(database.sql(f"select * from published.{table}").to_arrow_table())


def require_the_lake(lake: Lake) -> None:
    for table in NAMES:
        expected = content(lake.read(table))
        assert in_database(lake, table) == expected, table
        assert content(lake.published().read(table)) == expected, table


def copy_without_snapshots(place: Place, folder: Path) -> Lake:
    shutil.copytree(place.location, folder, symlinks=True)
    shutil.rmtree(folder / "published")
    return Lake.open(str(folder), {}, Clock())


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(NAMES),
            st.integers(0, 5).map(lambda n: JULY + timedelta(days=15 * n)),
            st.sampled_from(["farthing", "other"]),
            st.lists(st.integers(0, 3), max_size=3),
        ),
        st.none(),
    ),
    max_size=10,
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_whatever_is_replaced_the_snapshot_is_the_lake_and_the_one_from_scratch(steps: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        place = Place(f"{folder}/lake", {}, Clock())
        lake = place.open()
        published = 0
        for step in [*steps, None]:
            if step is not None:
                table, day, source, costs = step
                put(lake, table, ALWAYS if table == "teams" else day, source, *costs)
                continue
            assert lake.publish(NAMES, META).is_from_scratch == (published == 0)
            published += 1
            require_the_lake(lake)
        fresh = copy_without_snapshots(place, Path(folder) / "fresh")
        assert fresh.publish(NAMES, META).is_from_scratch
        ours, theirs = (where.root.path("published/parquet") for where in (lake, fresh))
        names = sorted(path.relative_to(theirs) for path in theirs.rglob("*.parquet"))
        assert sorted(path.relative_to(ours) for path in ours.rglob("*.parquet")) == names
        for name in names:
            assert pq.read_table(ours / name).equals(pq.read_table(theirs / name)), name
        for table in NAMES:
            assert in_database(lake, table) == in_database(fresh, table)


def test_months_that_did_not_change_are_the_same_files(local_lake: Lake) -> None:
    def files() -> dict[str, int]:
        folder = local_lake.root.path("published/parquet/usage_daily")
        return {path.name: path.stat().st_ino for path in folder.iterdir()}

    for month in (JULY, AUGUST, SEPTEMBER):
        put(local_lake, "usage_daily", month, "farthing", 1)
    local_lake.publish(NAMES, META)
    before = files()
    put(local_lake, "usage_daily", AUGUST + timedelta(days=30), "farthing", 2)
    put(local_lake, "usage_daily", SEPTEMBER, "farthing")
    assert not local_lake.publish(NAMES, META).is_from_scratch
    after = files()
    assert after.keys() == {"2026-07.parquet", "2026-08.parquet"}
    assert after["2026-07.parquet"] == before["2026-07.parquet"]
    assert after["2026-08.parquet"] != before["2026-08.parquet"]
    assert local_lake.published().read("usage_daily")["priced_cost_usd"].to_pylist() == [
        Decimal(1),
        Decimal(1),
        Decimal(2),
    ]
    for _ in range(7):  # the snapshot that wrote the file is gone, the file is not
        local_lake.publish(NAMES, META)
    assert files()["2026-07.parquet"] == before["2026-07.parquet"]
    require_the_lake(local_lake)


def test_where_files_cannot_have_two_names_they_are_copied(local_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    put(local_lake, "usage_daily", JULY, "farthing", 1)
    local_lake.publish(NAMES, META)
    monkeypatch.setattr("pipelines.lake.snapshot_swap.os.link", refuse)
    put(local_lake, "usage_daily", AUGUST, "farthing", 2)
    assert not local_lake.publish(NAMES, META).is_from_scratch
    require_the_lake(local_lake)


def test_only_what_changed_is_read_from_the_lake(local_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ("usage_daily", "chargeback"):
        put(local_lake, table, JULY, "farthing", 1)
    put(local_lake, "teams", ALWAYS, "given", 1)
    local_lake.publish(NAMES, META)
    put(local_lake, "chargeback", AUGUST, "farthing", 2)
    written: list[str] = []
    write = written_with.write_table

    def record(table: pa.Table, file: Path, **options: Any) -> None:
        written.append(f"{file.parent.name}/{file.name}")
        write(table, file, **options)

    monkeypatch.setattr(written_with, "write_table", record)
    local_lake.publish(NAMES, META)
    assert sorted(written) == ["chargeback/2026-08.parquet", "parquet/meta.parquet"]


@everywhere
def test_a_table_by_months_is_read_for_the_months_asked_for(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for month, cost in ((JULY, 1), (AUGUST, 2), (SEPTEMBER, 3)):
        put(lake, "chargeback", month, "farthing", cost)
    lake.publish(NAMES, META)
    snapshot = lake.published()
    assert snapshot.months("chargeback") == [JULY, AUGUST, SEPTEMBER]
    assert snapshot.months("usage_daily") == []
    assert snapshot.read("usage_daily", JULY).schema.equals(contract("usage_daily").arrow_schema())
    opened: list[str] = []
    original = type(lake.root).open

    def note(root: Any, relative: str) -> Any:
        opened.append(relative.rpartition("/")[2])
        return original(root, relative)

    monkeypatch.setattr(type(lake.root), "open", note)
    assert snapshot.read("chargeback", AUGUST, SEPTEMBER)["effective_cost"].to_pylist() == [Decimal(2)]
    assert opened == ["2026-08.parquet"]
    middle = snapshot.read("chargeback", AUGUST + timedelta(days=1))
    assert middle["billing_period"].to_pylist() == [SEPTEMBER]


def test_a_snapshot_of_an_older_version_is_still_read(local_lake: Lake) -> None:
    put(local_lake, "chargeback", JULY, "farthing", 1)
    put(local_lake, "chargeback", AUGUST, "farthing", 2)
    local_lake.publish(NAMES, META)
    folder = local_lake.root.path("published/parquet").resolve()
    whole = local_lake.published().read("chargeback")
    shutil.rmtree(folder / "chargeback")
    pq.write_table(whole, folder / "chargeback.parquet")
    snapshot = local_lake.published()
    assert snapshot.months("chargeback") == [JULY, AUGUST]
    assert snapshot.read("chargeback").equals(whole)
    assert snapshot.read("chargeback", AUGUST)["effective_cost"].to_pylist() == [Decimal(2)]
    assert local_lake.publish(NAMES, META).is_from_scratch
    require_the_lake(local_lake)


def test_a_column_that_came_later_is_unknown_and_one_that_is_never_null_is_asked_for(local_lake: Lake) -> None:
    put(local_lake, "chargeback", JULY, "farthing", 1)
    local_lake.publish(NAMES, META)
    (file,) = local_lake.root.path("published/parquet/chargeback").resolve().glob("*.parquet")
    whole = local_lake.published().read("chargeback")
    file.unlink()
    pq.write_table(whole.drop_columns(["exchange_rate_source"]), file)
    read = local_lake.published().read("chargeback")
    assert read["exchange_rate_source"].to_pylist() == [None]
    assert read.drop_columns(["exchange_rate_source"]).equals(whole.drop_columns(["exchange_rate_source"]))
    pq.write_table(whole.drop_columns(["charge_date"]), file)
    with pytest.raises(NotPublishedError, match="snapshot 1 has no column charge_date of chargeback; publish again"):
        local_lake.published().read("chargeback")


def change(lake: Lake, name: str, edit: Callable[[bytes], bytes | None]) -> None:
    """Changes or removes a file of the current snapshot behind the lake's back."""
    relative = f"{lake.published().folder}/{name}"
    with lake.root.open(relative) as stream:
        changed = edit(stream.read())
    if lake.root.is_local:
        path = lake.root.path(relative)
        path.unlink()
        if changed is not None:
            path.write_bytes(changed)
    elif changed is None:
        obstore.delete(lake.root.store, relative)
    else:
        obstore.put(lake.root.store, relative, changed)


def without_a_row(text: bytes) -> bytes:
    """A database that opens, is as long as before, and lacks a row."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "f.duckdb"
        file.write_bytes(text)
        with duckdb.connect(str(file)) as database:
            database.execute("delete from usage_daily")
        return file.read_bytes()


def other_format(text: bytes) -> bytes:
    return json.dumps(json.loads(text) | {"format": "other"}).encode()


def undated(text: bytes) -> bytes:
    return json.dumps(json.loads(text) | {"slices": {"teams": {"yesterday": "x"}}}).encode()


DAMAGE: list[tuple[str, Callable[[bytes], bytes | None]]] = [
    ("made_from.json", lambda _: None),
    ("made_from.json", lambda _: b"\xff{not json"),
    ("made_from.json", lambda _: b"[]"),
    ("made_from.json", other_format),
    ("made_from.json", undated),
    ("farthing.duckdb", lambda _: None),
    ("farthing.duckdb", lambda text: text[:5000]),
    ("farthing.duckdb", lambda text: b"\x00" * len(text)),
    ("farthing.duckdb", lambda text: text[:4096] + b"\x07" * (len(text) - 4096)),
    ("farthing.duckdb", without_a_row),
    ("parquet/usage_daily/2026-07.parquet", lambda _: None),
    ("parquet/usage_daily/2026-07.parquet", lambda text: text[:-1]),
]


IN_A_BUCKET = [DAMAGE[number] for number in (1, 5, 9, 10)]


@pytest.mark.parametrize(
    ("place", "name", "edit"),
    [("folder", *damage) for damage in DAMAGE] + [("s3", *damage) for damage in IN_A_BUCKET],
    indirect=["place"],
)
def test_a_damaged_snapshot_is_not_built_upon(lake: Lake, name: str, edit: Callable[[bytes], bytes | None]) -> None:
    put(lake, "usage_daily", JULY, "farthing", 1)
    put(lake, "usage_daily", AUGUST, "farthing", 2)
    lake.publish(NAMES, META)
    change(lake, name, edit)
    put(lake, "usage_daily", AUGUST, "farthing", 3)
    assert lake.publish(NAMES, META).is_from_scratch
    require_the_lake(lake)
    put(lake, "usage_daily", SEPTEMBER, "farthing", 4)
    assert not lake.publish(NAMES, META).is_from_scratch
    require_the_lake(lake)


def test_other_tables_or_columns_are_another_snapshot(local_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    put(local_lake, "chargeback", JULY, "farthing", 1)
    local_lake.publish(NAMES, META)
    assert local_lake.publish([*NAMES, "gpu_waste"], META).is_from_scratch
    from pipelines.lake import made_from

    described = contract("teams").model_copy(update={"description": "Said otherwise."})
    monkeypatch.setattr(made_from, "contract", lambda name: described if name == "teams" else contract(name))
    assert local_lake.publish([*NAMES, "gpu_waste"], META).is_from_scratch


def test_many_nights_do_not_let_the_database_grow(local_lake: Lake) -> None:
    for night in range(20):
        put(local_lake, "usage_daily", JULY, "farthing", *range(night % 2, 300))
        local_lake.publish(["usage_daily"], META)
        if night == 5:
            early = local_lake.root.path("published/farthing.duckdb").stat().st_size
    assert local_lake.root.path("published/farthing.duckdb").stat().st_size <= 2 * early


def test_an_object_store_keeps_unchanged_months_without_sending_them_again(
    s3_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = s3_place.open()
    put(lake, "usage_daily", JULY, "farthing", 1)
    lake.publish(NAMES, META)
    put(lake, "usage_daily", AUGUST, "farthing", 2)
    sent: list[str] = []
    original = obstore.put

    def note(store: Any, path: str, *rest: Any, **options: Any) -> Any:
        sent.append(path.rpartition("/")[2])
        return original(store, path, *rest, **options)

    monkeypatch.setattr("pipelines.lake.snapshot_swap.obstore.put", note)
    lake.publish(NAMES, META)
    assert "2026-08.parquet" in sent
    assert "2026-07.parquet" not in sent
    assert [name for name in sent if name != "lock.json"][-2:] == ["made_from.json", "current.json"]
    monkeypatch.undo()
    require_the_lake(lake)
