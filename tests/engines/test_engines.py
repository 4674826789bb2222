"""What every engine does alike: registering, casting to contracts, refusing what does not hold."""

import warnings
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from contracts import ContractBrokenError, contract
from pipelines.engines import Engine
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.engines.spark_engine import SparkEngine

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:pyspark.*", "ignore::DeprecationWarning:pyspark.*")
TEAMS = contract("teams").arrow_schema()
HOSTS = contract("host_identity").arrow_schema()
PRICES = contract("prices").arrow_schema()


@pytest.fixture(scope="module")
def spark_remote() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pysail.spark import SparkConnectServer

        server = SparkConnectServer("127.0.0.1", 0)
        server.start()
    yield f"sc://127.0.0.1:{server.listening_address[1]}"
    server.stop()


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "duckdb":
        made: Engine = DuckDBEngine("1GiB", str(tmp_path))
    else:
        made = SparkEngine(request.getfixturevalue("spark_remote"))
    yield made
    made.close()


def _teams(*names: str | None) -> pa.Table:
    nullable = pa.schema([field.with_nullable(True) for field in TEAMS])
    rows = [{"team_id": f"t{n}", "team_name": name} for n, name in enumerate(names)]
    return pa.Table.from_pylist(rows, schema=nullable)


def _hosts() -> pa.Table:
    row = {
        "resource_id": "i-1",
        "hostname": "node-1",
        "cluster": "prod",
        "gpu_count": 8,
        "valid_from": datetime(2026, 3, 29, 1, 30),
        "valid_to": datetime(9999, 12, 31),
    }
    return pa.Table.from_pylist([row], schema=HOSTS)


def test_a_table_files_and_a_dataset_read_the_same(engine: Engine, tmp_path: Path) -> None:
    hosts = _hosts()
    file = tmp_path / "hosts.parquet"
    pq.write_table(hosts, file)
    for source in (hosts, [str(file)], ds.dataset(str(file))):
        engine.register("host_identity", source)
        assert engine.read("host_identity") == hosts


def test_an_instant_stays_the_instant_whatever_the_machine_s_zone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # half past one on the morning when Berlin's clocks skip an hour
    monkeypatch.setenv("TZ", "Europe/Berlin")
    engine.register("host_identity", _hosts())
    rows = engine.query("select cast(valid_from as varchar) as at from host_identity")
    assert rows["at"].to_pylist() == ["2026-03-29 01:30:00"]


def test_a_path_s_partition_never_becomes_a_column(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "team_name=wrong"
    folder.mkdir()
    pq.write_table(_teams("right"), folder / "part.parquet")
    engine.register("teams", [str(folder / "part.parquet")])
    assert engine.read("teams")["team_name"].to_pylist() == ["right"]


def test_files_in_another_column_order_are_read_by_name(engine: Engine, tmp_path: Path) -> None:
    teams = _teams("Search")
    pq.write_table(teams, tmp_path / "a.parquet")
    pq.write_table(teams.select(reversed(teams.column_names)), tmp_path / "b.parquet")
    engine.register("teams", [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")])
    assert engine.read("teams")["team_name"].to_pylist() == ["Search", "Search"]


def test_a_path_with_a_quote_is_a_path(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "finance's.parquet"
    pq.write_table(_teams("Search"), file)
    engine.register("teams", [str(file)])
    assert engine.read("teams").num_rows == 1


def test_registering_again_replaces(engine: Engine) -> None:
    engine.register("teams", _teams("one", "two"))
    engine.register("teams", _teams("three"))
    assert engine.read("teams")["team_name"].to_pylist() == ["three"]


def test_a_missing_value_that_the_contract_requires_is_named(engine: Engine) -> None:
    engine.register("teams", _teams("Search", None))
    with pytest.raises(ContractBrokenError, match=r"teams\.team_name: 1 of 2 values are NULL"):
        engine.read("teams")


def test_an_empty_table_keeps_its_schema(engine: Engine) -> None:
    engine.register("prices", PRICES.empty_table())
    engine.build(contract("price_spans"))
    engine.build(contract("agreed_prices"))
    engine.build(contract("price_book"))
    assert engine.read("price_book").schema == contract("price_book").arrow_schema()


def test_a_price_beyond_the_contract_s_digits_is_an_error_and_never_null(engine: Engine) -> None:
    wide = pa.schema([pa.field(f.name, pa.decimal128(38, 6) if f.name == "usd_per_mtok" else f.type) for f in PRICES])
    row = {
        "provider_id": "p",
        "model_id": "m",
        "service_tier": "default",
        "region_id": "",
        "token_class": "output_text",
        "input_tokens_from": 0,
        "input_tokens_to": 1,
        "valid_from": datetime(2026, 1, 1),
        "valid_to": datetime(2027, 1, 1),
        "known_from": datetime(2026, 1, 1),
        "usd_per_mtok": Decimal(10) ** 13,
        "price_source": "x",
        "price_basis": "own",
    }
    engine.register("prices", pa.Table.from_pylist([row], schema=wide))
    with pytest.raises(Exception, match=r"(?i)decimal|cast|overflow|numeric"):
        engine.read("prices")


def test_the_duckdb_engine_spills_rather_than_fails(tmp_path: Path) -> None:
    engine = DuckDBEngine("100MiB", str(tmp_path))
    rows = engine.query(
        "select count(*) as n from (select distinct md5(cast(range as varchar)) as k from range(1000000))"
    )
    assert rows["n"].to_pylist() == [1000000]
    engine.close()


def test_a_query_answers_dates_as_dates(engine: Engine) -> None:
    engine.register("host_identity", _hosts())
    rows = engine.query("select cast(valid_from as date) as day from host_identity")
    assert rows["day"].to_pylist() == [date(2026, 3, 29)]
