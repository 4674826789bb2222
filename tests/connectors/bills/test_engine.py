"""The engine leaves nothing behind, and fetches nothing."""

from pathlib import Path

import pytest

from connectors.base import Bytes, LandedPage
from connectors.bills.engine import engine
from connectors.bills.files import open_lines


def test_what_the_engine_spills_is_in_a_folder_of_its_own_and_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with engine() as connection:
        connection.execute("set memory_limit = '60MB'")
        connection.execute("create table spilled as select range as n, repeat('x', 100) as t from range(2_000_000)")
        spool = Path(connection.execute("select current_setting('temp_directory')").fetchall()[0][0])
        assert list(spool.iterdir())
        assert list(tmp_path.iterdir()) == []
    assert not spool.exists()


def test_an_opened_bill_asks_no_one_for_extensions() -> None:
    page = LandedPage("bill", f"{1:064x}", Bytes(b"cost\n1\n"))
    settings = ("autoinstall_known_extensions", "autoload_known_extensions", "memory_limit", "TimeZone")
    with open_lines(page) as lines:
        found = [lines.connection.execute(f"select current_setting('{name}')").fetchall()[0][0] for name in settings]
    assert found[:2] == [False, False]
    assert found[2:] == ["953.6 MiB", "UTC"]
