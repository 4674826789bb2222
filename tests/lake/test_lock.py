"""One writer at a time; a writer that dies does not keep others out."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import GenericError

from pipelines.lake import Lake, LakeLockedError
from pipelines.lake.lease import LEASE
from pipelines.lake.lock import holding
from tests.lake.fakes import Place, everywhere
from tests.lake.test_tables import FIRST, PRINT, teams

CHILD = """
import sys, time
from datetime import datetime
from pipelines.lake import Lake
lake = Lake.open(sys.argv[1], {}, lambda: datetime(2026, 11, 1))
with lake.writing("the-other-run"):
    sys.stdout.write("locked\\n")
    sys.stdout.flush()
    time.sleep(60)
"""


@everywhere
def test_a_second_writer_is_refused_and_told_who_writes(place: Place) -> None:
    first, second = place.open(), place.open()
    with first.writing("run-a"):
        who = rf"run run-a \(process {os.getpid()} on .*wait until it ends"
        with pytest.raises(LakeLockedError, match=who), second.writing("run-b"):
            pytest.fail("two writers")
        with pytest.raises(LakeLockedError):
            second.replace_slice("teams", FIRST, "x", teams("b"), PRINT)
        first.replace_slice("teams", FIRST, "x", teams("a"), PRINT)
        assert first.read("teams").num_rows == 1
        assert second.read("teams").num_rows == 1  # readers are never kept out
    with second.writing("run-b"):
        second.replace_slice("teams", FIRST, "x", teams("b"), PRINT)
    assert first.read("teams")["team_id"].to_pylist() == ["b"]


def test_a_killed_process_leaves_neither_lock_nor_scratch(local_place: Place) -> None:
    lake = local_place.open()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, local_place.location],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        with pytest.raises(LakeLockedError, match=rf"run the-other-run \(process {child.pid} "), lake.writing("mine"):
            pytest.fail("two writers")
        leftover = lake.root.path("spool/leftover")
        leftover.mkdir(parents=True)
    finally:
        child.kill()
        child.communicate()
    with lake.writing("mine"):
        assert not leftover.exists()


def test_an_expired_lease_is_taken_over_and_its_holder_notices(s3_place: Place) -> None:
    dead, heir = s3_place.open(), s3_place.open()
    with holding(dead.root, "dead", s3_place.clock, renewal_seconds=0.5) as check:
        check()
        s3_place.clock.now += LEASE + timedelta(seconds=1)
        with heir.writing("heir"):
            with pytest.raises(LakeLockedError, match="run dead lost its lease"):
                check_until_lost(check)
            assert holder(heir) == "heir"
    with heir.writing("next"):
        assert holder(heir) == "next"


def test_a_lease_is_renewed_while_its_holder_lives(s3_place: Place) -> None:
    alive, other = s3_place.open(), s3_place.open()
    with holding(alive.root, "alive", s3_place.clock, renewal_seconds=0.02) as check:
        s3_place.clock.now += LEASE / 2
        until = time.monotonic() + 60
        wanted = (s3_place.clock.now + LEASE).isoformat(timespec="seconds")
        while lease(alive)["expires_at"] != wanted:
            assert time.monotonic() < until, "was never renewed"
            time.sleep(0.02)
        time.sleep(0.2)  # the store has the renewal before its answer reaches the keeper
        s3_place.clock.now += LEASE / 2 + timedelta(seconds=1)
        check()
        with pytest.raises(LakeLockedError, match="run alive"), other.writing("other"):
            pytest.fail("two writers")


def test_a_store_that_fails_at_the_end_does_not_hide_what_the_run_died_of(
    s3_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = s3_place.open()

    def away(*_: object, **__: object) -> None:
        raise GenericError("the store is away")

    def die() -> None:
        with holding(lake.root, "dying", s3_place.clock):
            monkeypatch.setattr(obstore, "put", away)
            monkeypatch.setattr(obstore, "delete", away)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        die()
    monkeypatch.undo()
    s3_place.clock.now += LEASE + timedelta(seconds=1)
    with s3_place.open().writing("next"):
        assert holder(lake) == "next"


def check_until_lost(check: Callable[[], None]) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        check()
        time.sleep(0.02)


def lease(lake: Lake) -> dict[str, str]:
    return json.loads(bytes(obstore.get(lake.root.store, "lock.json").bytes()))


def holder(lake: Lake) -> str:
    return lease(lake)["run_id"]
