"""What finance opens: whole, unchanging, readable by old clients, and swapped in at once."""

import json
import shutil
import struct
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts import contract
from pipelines.lake import Lake, LakeError, Publication
from tests.lake.fakes import Place, everywhere
from tests.lake.test_tables import PRINT, charges, teams

META = pa.Table.from_pylist(
    [{"section": "configuration", "name": "sha256", "value": "abc"}], schema=contract("meta").arrow_schema()
)
READ = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print(c.execute(sys.argv[2]).fetchall())"
ALWAYS = date(1970, 1, 1)


def ask(file: str, sql: str) -> str:
    """Another process's answer: within one process DuckDB keeps serving the file it has open."""
    return subprocess.run([sys.executable, "-c", READ, file, sql], capture_output=True, text=True, check=True).stdout


def publish_teams(lake: Lake, *names: str) -> Publication:
    """The table `teams` with these, and nothing else."""
    lake.replace_slice("teams", ALWAYS, "given", teams(*names), "-".join(names))
    return lake.publish(["teams"], META)


def test_a_plain_client_reads_the_tables_and_their_account(local_lake: Lake) -> None:
    day = date(2026, 10, 1)
    local_lake.replace_slice("charges", day, "aws", charges("aws", day, "1.5", "-0.000000000001"), PRINT)
    publication = local_lake.publish(["charges"], META)
    assert publication.location == str(local_lake.root.path("published/farthing.duckdb"))
    with duckdb.connect(publication.location, read_only=True) as client:
        assert client.execute("select * from published.meta").fetchall() == [("configuration", "sha256", "abc")]
        assert client.execute("select billed_cost, billing_period_start from charges").fetchall() == [
            (Decimal("1.5"), datetime(2026, 10, 1)),
            (Decimal("-0.000000000001"), datetime(2026, 10, 1)),
        ]
        [(comment,)] = client.execute(
            "select comment from duckdb_columns() where schema_name = 'main' and table_name = 'charges' "
            "and column_name = 'billed_cost'"
        ).fetchall()
        assert comment == "What the invoice asks for. Credits are negative. [billing_currency]"
        [(kind,)] = client.execute(
            "select data_type from duckdb_columns() where schema_name = 'main' and column_name = 'billed_cost'"
        ).fetchall()
        assert kind == "DECIMAL(38,12)"
    rows = pq.read_table(local_lake.root.path("published/parquet/charges.parquet"))
    assert rows.schema.equals(contract("charges").arrow_schema())
    assert rows["billed_cost"].to_pylist() == [Decimal("1.5"), Decimal("-0.000000000001")]
    assert sorted(p.name for p in local_lake.root.path("published/parquet").iterdir()) == [
        "charges.parquet",
        "meta.parquet",
    ]


def test_a_copy_under_another_name_still_answers(local_lake: Lake, tmp_path: Path) -> None:
    location = publish_teams(local_lake, "a").location
    copy = tmp_path / "march.duckdb"
    shutil.copy(location, copy)
    with duckdb.connect() as client:
        client.execute(f"attach '{copy}' as f (read_only)")
        assert client.execute("select team_id from f.published.teams").fetchall() == [("a",)]
        assert client.execute("select team_id from f.teams").fetchall() == [("a",)]


def test_the_file_has_the_storage_format_that_old_clients_read(local_lake: Lake) -> None:
    for names in (["a"], ["a", "b"]):  # built from scratch, then upon the one before
        header = Path(publish_teams(local_lake, *names).location).read_bytes()[:20]
        assert header[8:12] == b"DUCK"
        assert struct.unpack("<Q", header[12:20])[0] == 64  # the format of DuckDB 0.9 to 1.1


def test_a_reader_keeps_the_snapshot_it_opened_while_others_are_published(local_lake: Lake) -> None:
    location = publish_teams(local_lake, "first").location
    with duckdb.connect(location, read_only=True) as reader:
        for number in range(7):
            assert publish_teams(local_lake, f"later-{number}").number == number + 2
        assert reader.execute("select team_id from published.teams").fetchall() == [("first",)]
    assert ask(location, "select team_id from published.teams") == "[('later-6',)]\n"
    kept = sorted(path.name for path in local_lake.root.path("published/snapshots").iterdir())
    assert kept == [f"{number:08d}" for number in range(4, 9)]


def test_the_database_and_the_parquet_change_together(local_lake: Lake) -> None:
    publish_teams(local_lake, "a")
    published = local_lake.root.path("published")
    assert (published / "farthing.duckdb").resolve().parent == (published / "parquet").resolve().parent
    assert str((published / "farthing.duckdb").readlink()) == "current/farthing.duckdb"
    assert str((published / "parquet").readlink()) == "current/parquet"
    assert not Path(str((published / "current").readlink())).is_absolute()  # the folder may be moved or mounted


def test_the_same_tables_give_the_same_parquet_bytes(local_lake: Lake) -> None:
    contents: list[bytes] = []
    for names in (["a", "b"], ["c"], ["a", "b"]):
        publish_teams(local_lake, *names)
        contents.append(local_lake.root.path("published/parquet/teams.parquet").read_bytes())
    assert contents[0] == contents[2] != contents[1]


def test_a_name_with_quotes_in_its_contract_is_text(local_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.lake import snapshot_database

    hostile = contract("teams").model_copy(update={"description": "it's'; drop table teams; --"})
    monkeypatch.setattr(snapshot_database, "contract", lambda name: hostile if name == "teams" else contract(name))
    location = publish_teams(local_lake, "a").location
    with duckdb.connect(location, read_only=True) as client:
        found = client.execute("select comment from duckdb_tables() where table_name = 'teams'").fetchall()
    assert found == [("it's'; drop table teams; --",)]


@everywhere
def test_the_current_snapshot_is_read_back(lake: Lake) -> None:
    with pytest.raises(LakeError, match="nothing was published"):
        lake.published()
    publish_teams(lake, "a")
    publish_teams(lake, "b")
    snapshot = lake.published()
    assert snapshot.number == 2
    assert snapshot.read("teams")["team_id"].to_pylist() == ["b"]
    with snapshot.database() as database:
        assert database.execute("select team_id from published.teams").fetchall() == [("b",)]
    with pytest.raises(LakeError, match="has no table postings"):
        snapshot.read("postings")


def test_an_object_store_gets_snapshots_and_one_pointer(s3_place: Place) -> None:
    lake = s3_place.open()
    for number in range(1, 8):
        publication = publish_teams(lake, f"t{number}")
    assert publication.location == f"{s3_place.location}/published/snapshots/00000007/farthing.duckdb"
    pointer = json.loads(bytes(obstore.get(lake.root.store, "published/current.json").bytes()))
    assert pointer == {
        "number": 7,
        "folder": "published/snapshots/00000007",
        "files": ["farthing.duckdb", "made_from.json", "parquet/meta.parquet", "parquet/teams.parquet"],
    }
    kept = {
        meta["path"].split("/")[2] for batch in obstore.list(lake.root.store, "published/snapshots") for meta in batch
    }
    assert kept == {f"{number:08d}" for number in range(3, 8)}
