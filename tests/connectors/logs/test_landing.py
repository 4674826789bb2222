"""Every row of a day is fetched once, wherever it is filed, in the same bytes each time."""

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha512
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.logs import landing as fetch_module
from tests.connectors.stored_log import DAY, LogFolder
from tests.moto_s3 import object_store

Row = Callable[..., dict[str, Any]]
MIDNIGHT = 1795219200  # 2026-11-21 00:00:00 UTC


def test_a_row_filed_a_day_late_belongs_to_the_day_on_which_it_started(row: Row, log: LogFolder) -> None:
    late = row(request_id="late", startTime=MIDNIGHT + 86_399.999999, endTime=MIDNIGHT + 86_401)
    next_day = row(request_id="next", startTime=MIDNIGHT + 86_400)
    log.file("2026-11-22/log.jsonl", [late, next_day])
    assert [row["request_id"] for row in log.rows(DAY)] == ["late"]
    assert [row["request_id"] for row in log.rows(DAY + timedelta(days=1))] == ["next"]


def test_a_row_filed_beyond_reach_is_refused_once_and_never_lost(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/log.jsonl", [row(startTime=MIDNIGHT - 3 * 86_400)])
    nights = [log.night(DAY + timedelta(days=n)) for n in range(-4, 3)]
    assert sum(night.rows.num_rows for night in nights) == 0
    (reject,) = [reject for night in nights for reject in night.rejects]
    assert reject.reason == "outside_window"
    assert "folders_after" in reject.detail


@pytest.mark.parametrize("sign", ["@", "%40"])
def test_a_folder_named_after_a_person_is_not_told_with_a_row_that_cannot_be_read(
    sign: str, row: Row, log: LogFolder
) -> None:
    log.raw(f"gateway/alice.smith{sign}acme.com/2026-11-21/a.jsonl", b"no JSON\n{}\n[]\n")
    where = {"layout": "gateway/*/{date}/*"}
    night = log.night(**where)
    assert [reject.reason for reject in night.rejects] == ["unknown_format"]
    assert "line 0" not in night.rejects[0].detail
    log.raw(f"gateway/alice.smith{sign}acme.com/2026-11-21/a.jsonl", b"[]\n7\n" + json.dumps(row()).encode() + b"\n")
    night = log.night(**where)
    assert (night.rows.num_rows, [reject.reason for reject in night.rejects]) == (1, ["not_an_object"])
    assert "/2026-11-21/a.jsonl" in night.rejects[0].detail
    assert night.rejects[0].detail.count("/") == 3
    told = log.landed_bytes(**where) + repr(night.rejects).encode()
    assert not [part for part in (b"alice", b"smith", b"acme") if part in told]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    filed=st.lists(st.tuples(st.integers(0, 3), st.integers(-2 * 86_400, 5 * 86_400)), max_size=12),
    before=st.integers(0, 2),
    after=st.integers(0, 2),
)
def test_consecutive_windows_lose_nothing_and_count_nothing_twice(
    filed: list[tuple[int, int]], before: int, after: int, row: Row, acme: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = LogFolder(tmp_path_factory.mktemp("log"), acme)
    for number, (folder, second) in enumerate(filed):
        made = row(request_id=f"r{number}", startTime=MIDNIGHT + second)
        log.file(f"{DAY + timedelta(days=folder)}/{number:03d}.jsonl", [made])
    found: list[str] = []
    for n in range(-4, 9):
        night = log.night(DAY + timedelta(days=n), folders_before=before, folders_after=after)
        found += night.rows["request_id"].to_pylist()
        found += [json.loads(reject.payload)["request_id"] for reject in night.rejects]
    assert sorted(found) == sorted(f"r{number}" for number in range(len(filed)))


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        ("{date}/*", "2026-11-21/time-02-00_x.json"),
        ("{date}/*", "2026-11-21/deeper/x.json"),
        ("*/{date}/*", "Search Team/2026-11-21/x.json"),
        ("{date}.jsonl.gz", "2026-11-21.jsonl.gz"),
        ("spend_{date:%Y%m%d}_*.jsonl", "spend_20261121_0200.jsonl"),
        ("{date:%Y/%m}/*-{date:%d}.jsonl", "2026/11/log-21.jsonl"),
        ("*.jsonl", "everything.jsonl"),
    ],
)
def test_a_layout_finds_the_files_of_the_day_and_no_others(layout: str, path: str, row: Row, log: LogFolder) -> None:
    log.file(path, [row()])
    log.raw("2019-01-01/broken.json", b"\xff\xfe")
    assert len(log.rows(layout=layout)) == 1


@pytest.mark.parametrize("layout", ["", "/{date}/*", "../{date}", "{day}/*", "{date.__class__}", "{date"])
def test_a_layout_that_is_no_path_below_the_location_is_refused(layout: str, log: LogFolder) -> None:
    with pytest.raises(ValueError, match="layout"):
        log.settings(layout=layout)


@pytest.mark.parametrize(
    "written",
    [
        lambda row: json.dumps(row).encode(),
        lambda row: json.dumps(row, indent=2).encode(),
        lambda row: b"\xef\xbb\xbf" + json.dumps([row]).encode(),
        lambda row: b"\n" + json.dumps(row).encode() + b"\r\n\n",
        lambda row: gzip.compress(json.dumps(row).encode()),
        lambda row: json.dumps({**row, "messages": "\ud800", "seed": 2**70, "score": float("nan")}).encode(),
    ],
)
def test_a_payload_is_read_however_its_json_is_laid_out(
    written: Callable[[dict[str, Any]], bytes], row: Row, log: LogFolder
) -> None:
    (log.folder / "2026-11-21").mkdir()
    (log.folder / "2026-11-21/x.json").write_bytes(written(row()))
    (found,) = log.rows()
    assert (found["request_id"], found["input_uncached_tokens"]) == ("r", 1000)


def test_a_bad_row_does_not_take_its_neighbours_with_it(row: Row, log: LogFolder) -> None:
    rows = [json.dumps(row(request_id=f"r{n}")).encode() + b"\n" for n in range(3)]
    log.raw("2026-11-21/first.jsonl", b"{bad\n" + b"".join(rows))
    night = log.night()
    assert night.rows["request_id"].to_pylist() == ["r0", "r1", "r2"]
    assert [reject.reason for reject in night.rejects] == ["not_json"]


@pytest.mark.parametrize("cut", [3, 30, 300])
def test_a_file_that_is_cut_off_is_an_incomplete_delivery(cut: int, row: Row, log: LogFolder) -> None:
    nonces = [sha512(str(n).encode()).hexdigest() for n in range(9)]  # which gzip cannot make small
    lines = b"".join(json.dumps(row(request_id=f"r{n}", messages=nonces)).encode() + b"\n" for n in range(3))
    for content in (lines[:-cut], gzip.compress(lines)[:-cut]):
        log.raw("2026-11-21/x", content)
        with pytest.raises(IncompleteDeliveryError, match="2026-11-21/x"):
            log.landed()


@pytest.mark.parametrize("tail", [b"2,2026-11-21", b'2,2026-11-21 01:00:00,"{""a'])
def test_a_csv_export_that_is_cut_off_is_an_incomplete_delivery(tail: bytes, log: LogFolder) -> None:
    log.raw("2026-11-21/x.csv", b"request_id,startTime,metadata\n1,2026-11-21 01:00:00,{}\n" + tail)
    with pytest.raises(IncompleteDeliveryError, match="line 3"):
        log.landed()


def test_a_csv_of_something_else_is_refused_as_a_file(log: LogFolder) -> None:
    log.raw("2026-11-21/x.csv", b"name,amount\na,1\n")
    assert [reject.reason for reject in log.night().rejects] == ["unknown_format"]


def test_the_same_objects_give_the_same_bytes_in_bounded_pages(
    row: Row, log: LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "ROWS_PER_PAGE", 4)
    for n in reversed(range(10)):
        log.file(f"2026-11-21/{n}.json", [row(request_id=f"r{n}")])
    first, again = log.landed(), log.landed()
    assert [page.digest for page in first] == [page.digest for page in again]
    assert [page.name for page in first] == [f"2026-11-21/0000{n}.jsonl" for n in range(3)]
    assert len(log.rows()) == 10


def test_a_day_without_files_is_an_empty_delivery_and_a_missing_location_is_not(log: LogFolder) -> None:
    assert log.landed() == []
    with pytest.raises(SourceError, match="no folder"):
        log.landed(location=str(log.folder / "absent"))


def test_a_night_reads_the_trailing_days_again(log: LogFolder) -> None:
    windows = log.source.windows(log.settings(), date(2026, 3, 1))
    assert [window.slice_date for window in windows] == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]


def test_a_bucket_is_read_like_a_folder(row: Row, log: LogFolder) -> None:
    with object_store("logs") as store:
        for n in range(70):
            line = json.dumps(row(request_id=f"r{n:02d}"))
            store.client.put_object(Bucket="logs", Key=f"gateway/2026-11-21/{n:02d}_r.json", Body=line.encode())
            log.raw(f"2026-11-21/{n:02d}_r.json", line.encode())
        bucket = {"location": "s3://logs/gateway", "storage": store.options}
        assert [p.digest for p in log.landed(**bucket)] == [p.digest for p in log.landed()]
        assert "can be listed" in log.source.probe(log.settings(**bucket))
        with pytest.raises(SourceError):
            log.source.probe(log.settings(**bucket | {"location": "s3://absent/gateway"}))
