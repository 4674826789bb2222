"""A helpdesk's own export: which rows a day has, what they say, and what is refused."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.base import SourceError
from connectors.logs.values import keyed_hash
from connectors.outcomes import SOURCE
from tests.connectors.stored_log import KEY, LogFolder

GIVEN: dict[str, Any] = {
    "fields": {
        "outcome_id": "ticket",
        "occurred_at": "at",
        "result": "state",
        "is_success": "ok",
        "quality_value": "csat",
        "customer_hash": "customer",
    },
    "constants": {"outcome_kind": "ticket-resolved"},
    "words": {"is_success": {"yes": "true", "no": "false"}},
    "layout": "{date}.*",
}


@pytest.fixture
def desk(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path, SOURCE, GIVEN)


def test_a_csv_row_is_an_event_and_the_customer_a_keyed_hash(desk: LogFolder) -> None:
    desk.raw(
        "2026-11-21.csv",
        b"ticket,at,state,ok,csat,customer,notes\nT-1,2026-11-21T10:00:00Z,resolved,yes,4.5,ada@corp.test,call me\n",
    )
    assert b"ada@" not in desk.landed_bytes()
    assert b"call me" not in desk.landed_bytes()
    (row,) = desk.rows()
    assert {name: row[name] for name in ("outcome_id", "outcome_kind", "result", "is_success", "quality_value")} == {
        "outcome_id": "T-1",
        "outcome_kind": "ticket-resolved",
        "result": "resolved",
        "is_success": True,
        "quality_value": 4.5,
    }
    assert row["occurred_at"] == datetime(2026, 11, 21, 10)
    assert row["customer_hash"] == keyed_hash(KEY)("ada@corp.test")


def test_a_row_belongs_to_the_utc_day_on_which_it_happened_wherever_it_is_filed(desk: LogFolder) -> None:
    rows = [
        {"ticket": "before", "at": "2026-11-21T00:30:00+01:00"},
        {"ticket": "first", "at": "2026-11-21T00:00:00Z"},
        {"ticket": "last", "at": "2026-11-21T23:59:59.999999Z"},
    ]
    desk.file("2026-11-21.jsonl", rows)
    desk.file("2026-11-22.jsonl", [{"ticket": "late", "at": "2026-11-21T23:59:58Z"}])
    assert sorted(row["outcome_id"] for row in desk.night().rows.to_pylist()) == ["first", "last", "late"]


def test_parquet_is_read_with_its_own_times(desk: LogFolder) -> None:
    at = pa.array([datetime(2026, 11, 21, 7)], pa.timestamp("us", "UTC"))
    sink = io.BytesIO()
    pq.write_table(pa.table({"ticket": [17], "at": at, "ok": [False]}), sink)
    desk.raw("2026-11-21.parquet", sink.getvalue())
    (row,) = desk.rows(words={})
    assert (row["outcome_id"], row["is_success"], row["occurred_at"]) == ("17", False, datetime(2026, 11, 21, 7))


def test_a_word_that_nobody_said_the_meaning_of_refuses_the_row_and_names_the_remedy(desk: LogFolder) -> None:
    desk.file("2026-11-21.jsonl", [{"ticket": "T-1", "at": "2026-11-21T10:00:00Z", "ok": "perhaps"}])
    night = desk.night()
    assert night.rows.num_rows == 0
    (refusal,) = night.rejects
    assert refusal.reason == "unknown_word"
    assert "words: {is_success: {perhaps: ...}}, true or false in place of the dots" in refusal.detail


@pytest.mark.parametrize(("value", "is_read"), [(1_000_000, True), (-1_000_000.5, False), (5_000_000_000, False)])
def test_a_quality_beyond_every_scale_refuses_the_row_and_names_the_remedy(
    desk: LogFolder, value: float, *, is_read: bool
) -> None:
    desk.file("2026-11-21.jsonl", [{"ticket": "T-1", "at": "2026-11-21T10:00:00Z", "csat": value}])
    night = desk.night()
    assert night.rows.num_rows == int(is_read)
    assert [refusal.reason for refusal in night.rejects] == ([] if is_read else ["beyond_scale"])
    assert is_read or "map another field" in night.rejects[0].detail


def test_epoch_milliseconds_are_read_where_the_settings_say_so(desk: LogFolder) -> None:
    desk.file("2026-11-21.jsonl", [{"ticket": "T-1", "at": 1_795_219_200_500}])
    (row,) = desk.rows(time_unit="ms")
    assert row["occurred_at"] == datetime(2026, 11, 21, 0, 0, 0, 500_000)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"fields": {"outcome_id": "t"}}, "occurred_at is needed"),
        ({"fields": {**GIVEN["fields"], "qualty": "x"}}, "did you mean 'quality_value'"),
        ({"constants": {}}, "constants: {outcome_kind"),
        ({"words": {"quality_value": {"good": "1"}}}, "words can be of result, is_success"),
        ({"layout": "{nonsense}/*"}, "only field is"),
    ],
)
def test_settings_that_cannot_be_read_are_refused_with_the_remedy(
    desk: LogFolder, over: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said.replace("{", r"\{")):
        desk.settings(**over)


def test_check_names_a_column_that_is_not_there(desk: LogFolder) -> None:
    desk.raw("2026-11-21.csv", b"ticket,at,state,ok,customer\nT-1,2026-11-21T10:00:00Z,resolved,yes,a\n")
    assert SOURCE.probe(desk.settings()).endswith("looked at the first row of 2026-11-21.csv")
    (doubt,) = SOURCE.doubts(desk.settings())
    assert doubt == (
        "fields.quality_value: 'csat' finds nothing in the first row of 2026-11-21.csv; they have at, customer, ok, "
        "state, ticket (is it state?). Correct the path, or leave the line out where the log rightly has none"
    )
    with pytest.raises(SourceError, match="tickt"):
        SOURCE.probe(desk.settings(fields={"outcome_id": "tickt", "occurred_at": "at"}, words={}))
