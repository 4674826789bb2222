"""What people read of refused rows: the log's own path, the file and the row, once for each reason."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.logs import placing
from connectors.mapped_log import SOURCE
from pipelines.lake import Delivery, Lake
from tests.connectors.stored_log import DAY, LogFolder

Row = Callable[..., dict[str, Any]]


@pytest.fixture
def taken(log: LogFolder, tmp_path: Path) -> Callable[..., Delivery]:
    """Takes the day into a lake, and gives what is recorded of it."""
    lake = Lake.open(str(tmp_path / "lake"), {}, lambda: datetime(2026, 11, 23, 5))

    def take(**over: Any) -> Delivery:
        settings = log.settings(**over)
        with lake.writing("run"):
            return lake.ingest(SOURCE, settings, SOURCE.windows(settings, DAY)[-1], "run")

    return take


def test_each_reason_is_told_once_with_its_number_the_path_in_the_log_and_where_the_first_row_stands(
    row: Row, log: LogFolder, taken: Callable[..., Delivery]
) -> None:
    odd = [row(id=f"odd{n}", result="odd") for n in range(3)]
    log.file("2026-11-21/a.jsonl", [row(), odd[0], row(id="r2", used={"in": "many", "out": 1})])
    log.file("2026-11-21/b.jsonl.gz", [*odd[1:], row(id="r3", at="2026-11-20T23:59:59Z"), row(id="r4", used={"in": 4})])
    found = taken()
    assert (found.status, found.row_count, found.reject_count) == ("committed", 1, 5)
    assert found.message == (
        "the first refused row of each reason: "
        "3 x unknown_status: status is 'odd'; say what it means with words: {status: {odd: ...}}, success or failure in "
        "place of the dots; in the log status is 'result' [row 2 of 2026-11-21/a.jsonl]; "
        "1 x unreadable_value: input_tokens held another kind of value than it should: a whole number was expected, such as "
        "1000, without separators; in the log input_tokens is 'used.in' [row 3 of 2026-11-21/a.jsonl]; "
        "1 x half_usage: input 4, output None, total None: one half is not known; let the log state it, or the "
        "call's kind where that has no output; in the log input_tokens is 'used.in', output_tokens is 'used.out', "
        "cache_read_tokens is 'used.cached', output_reasoning_tokens is 'used.thought' "
        "[row 4 of 2026-11-21/b.jsonl.gz]"
    )


def test_a_delivery_that_shrinks_because_a_path_finds_nothing_names_the_path_and_the_first_row(
    row: Row, log: LogFolder, taken: Callable[..., Delivery]
) -> None:
    log.file("2026-11-21/a.jsonl", [row(id=f"r{n}") for n in range(9)])
    assert taken().row_count == 9
    fields = {**log.given["fields"], "output_tokens": "used.outt"}
    log.file(
        "2026-11-21/a.jsonl",
        [row(id=f"r{n}", used={"outt": 1, "in": 2} if n < 3 else {"in": 2, "out": 1}) for n in range(9)],
    )
    refused = taken(fields=fields)
    assert refused.status == "suspicious_shrink"
    assert "3 rows came and 6 were refused (the first refused row: half_usage: " in (refused.message or "")
    assert "output_tokens is 'used.outt'" in (refused.message or "")
    assert "[row 4 of 2026-11-21/a.jsonl]" in (refused.message or "")
    log.file("2026-11-21/a.jsonl", [row(id=f"r{n}", used={"total": 5 + n}) for n in range(9)])
    halves = {
        **log.given["fields"],
        "input_tokens": "used.in",
        "output_tokens": "used.out",
        "total_tokens": "used.total",
    }
    nothing = taken(fields=halves)
    assert nothing.status == "incomplete"
    assert "none of 9 records has anything at the path of" in (nothing.message or "")
    assert "input_tokens ('used.in'), output_reasoning_tokens ('used.thought'), output_tokens ('used.out')" in (
        nothing.message or ""
    )


def test_a_row_of_a_table_counts_after_its_header(log: LogFolder) -> None:
    log.raw("2026-11-21/x.csv", b"id,at,result\nr1,2026-11-21T02:00:00Z,200\nr2,2026-11-21T02:00:01Z,odd\n")
    given: dict[str, Any] = {
        "fields": {"request_id": "id", "started_at": "at", "status": "result"},
        "convention": None,
    }
    given |= {name: {} for name in ("words", "tags_from", "extras")}
    night = log.night(**given)
    payloads = [reject.payload for reject in night.rejects]
    settings = log.settings(**given)
    assert SOURCE.places(settings, SOURCE.windows(settings, DAY)[-1], payloads) == {
        payloads[0]: "row 2 of 2026-11-21/x.csv"
    }


def test_a_row_far_down_a_log_is_not_looked_for(row: Row, log: LogFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    log.file("2026-11-21/a.jsonl", [row(), row(id="r2"), row(id="r3", result="odd")])
    (refused,) = log.night().rejects
    settings = log.settings()
    window = SOURCE.windows(settings, DAY)[-1]
    monkeypatch.setattr(placing, "_MOST_ROWS", 2)
    assert SOURCE.places(settings, window, [refused.payload]) == {}
    monkeypatch.setattr(placing, "_MOST_ROWS", 3)
    assert SOURCE.places(settings, window, [refused.payload]) == {refused.payload: "row 3 of 2026-11-21/a.jsonl"}
