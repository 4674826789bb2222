"""Every form in which spans are stored gives the same attempt, and what is none of them is refused, not passed over."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.base import IncompleteDeliveryError
from tests.connectors.otel.written import CHAT, LLM, START, TRACE, envelope, span
from tests.connectors.stored_log import DAY, LogFolder

SHARED = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway"
ID = f"{7:016x}"
RESOURCE = {"service.name": "bot", "deployment.environment.name": "prod"}
SAID = CHAT | {"metadata": json.dumps({"team": "support"})}
AS_TEXT = {name: str(value) for name, value in SAID.items()}
BEGIN = datetime(2026, 11, 21, 1, 38, 40, 440000)
END = datetime(2026, 11, 21, 1, 38, 41, 440000)
EXPECTED = {
    "dedup_key": f"{TRACE}:{ID}",
    "started_at": BEGIN,
    "ended_at": END,
    "status": "success",
    "provider": "openai",
    "billed_model": "gpt-4o-2024-08-06",
    "input_uncached_tokens": 176,
    "cache_read_tokens": 1024,
    "output_text_tokens": 300,
    "gateway_team_id": "support",
    "environment": "prod",
}


def parquet(columns: Mapping[str, pa.Array]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), sink)
    return sink.getvalue()


def one(value: Any, kind: Any = None) -> Any:
    return pa.array([value], kind)


def a_map(values: Mapping[str, str]) -> pa.Array:
    return pa.array([list(values.items())], pa.map_(pa.string(), pa.string()))


FORMS = {
    "clickhouse": {
        "Timestamp": one(START, pa.timestamp("ns", "UTC")),
        "TraceId": one(TRACE),
        "SpanId": one(ID),
        "ParentSpanId": one(""),
        "TraceState": one(""),
        "SpanName": one("a name"),
        "SpanKind": one("Client"),
        "ServiceName": one("bot"),
        "ScopeName": one("a.scope"),
        "Duration": one(10**9, pa.uint64()),
        "StatusCode": one("Unset"),
        "SpanAttributes": a_map(AS_TEXT),
        "ResourceAttributes": a_map(RESOURCE),
    },
    "snake case, nanoseconds, JSON text": {
        "trace_id": one(TRACE),
        "span_id": one(ID),
        "parent_span_id": one(None, pa.string()),
        "start_time_unix_nano": one(START, pa.int64()),
        "end_time_unix_nano": one(START + 10**9, pa.int64()),
        "status_code": one(0, pa.int32()),
        "attributes": one(json.dumps(SAID)),
        "resource_attributes": one(json.dumps(RESOURCE)),
    },
    "camel case, structs": {
        "traceId": one(TRACE.upper()),
        "spanId": one(ID),
        "startTimeUnixNano": one(str(START)),
        "endTimeUnixNano": one(str(START + 10**9)),
        "status": one({"code": 1, "message": "m"}),
        "attributes": one(SAID),
        "resource": one({"attributes": RESOURCE}),
    },
    "nested attributes": {
        "trace_id": one(TRACE),
        "span_id": one(ID),
        "start_time": one(BEGIN, pa.timestamp("us")),
        "end_time": one(END, pa.timestamp("us")),
        "status_code": one("OK"),
        "attributes": one(
            json.dumps(
                {
                    "openinference": {"span": {"kind": "LLM"}},
                    "llm": {
                        "provider": "openai",
                        "model_name": "gpt-4o-2024-08-06",
                        "token_count": {"prompt": 1200, "completion": 300, "prompt_details": {"cache_read": 1024}},
                    },
                    "metadata": {"team": "support"},
                }
            )
        ),
        "resource_attributes": one(json.dumps(RESOURCE)),
    },
    "a frame of Phoenix": {
        "context.trace_id": one(TRACE),
        "context.span_id": one(ID),
        "parent_id": one(None, pa.string()),
        "span_kind": one("LLM"),
        "start_time": one(BEGIN.replace(tzinfo=UTC), pa.timestamp("us", "UTC")),
        "end_time": one(END.replace(tzinfo=UTC), pa.timestamp("us", "UTC")),
        "status_code": one("OK"),
        "attributes.llm.provider": one("openai"),
        "attributes.llm.model_name": one("gpt-4o-2024-08-06"),
        "attributes.llm.token_count.prompt": one(1199.9999999999998),
        "attributes.llm.token_count.completion": one(300.0),
        "attributes.llm.token_count.total": one(float("nan")),
        "attributes.llm.token_count.prompt_details.cache_read": one(1024.0),
        "attributes.metadata": one({"team": "support"}),
        "resource_attributes": one(json.dumps(RESOURCE)),
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_spans_as_rows_of_a_table_are_the_same_attempt(form: str, log: LogFolder) -> None:
    log.raw("2026-11-21/spans.parquet", parquet(FORMS[form]))
    (row,) = log.rows()
    assert {name: row[name] for name in EXPECTED} == EXPECTED


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_otlp_json_is_the_same_attempt(name: str, log: LogFolder) -> None:
    ends = {"startTimeUnixNano": str(START), "endTimeUnixNano": str(START + 10**9)}
    log.file(f"2026-11-21/{name}", [envelope({**span(7, SAID), **ends}, resource=RESOURCE)])
    (row,) = log.rows()
    assert {name: row[name] for name in EXPECTED} == EXPECTED


def test_the_collector_s_files_in_an_object_store_are_found_by_day(log: LogFolder) -> None:
    layout = "year={date:%Y}/month={date:%m}/day={date:%d}/*"
    for day, number in ((21, 1), (22, 2), (23, 3)):
        whole = json.dumps(envelope(span(number, CHAT)), indent=1).encode()
        log.raw(f"year=2026/month=11/day={day}/hour=01/minute=38/traces_{number}.json", whole)
    assert [row["request_id"] for row in log.rows(layout=layout)] == [f"{1:016x}", f"{2:016x}"]


def test_a_row_of_json_lines_may_be_a_span(log: LogFolder) -> None:
    row = {"trace_id": TRACE, "span_id": ID, "start_time": "2026-11-21T01:38:40.440Z", "attributes": LLM}
    log.file("2026-11-21/a.jsonl", [{**row, "end_time": "2026-11-21T01:38:41.440Z", "duration_nano": 10**9}])
    (found,) = log.rows()
    assert (found["started_at"], found["ended_at"], found["cache_read_tokens"]) == (BEGIN, END, 1024)


@pytest.mark.parametrize(
    "row",
    [
        {"resourceMetrics": [{"a": "a secret"}]},
        {"resourceLogs": []},
        {"resourceSpans": "a secret"},
        {"resourceSpans": ["a secret"]},
        {"resourceSpans": [{"scopeSpans": "a secret"}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": ["a secret"]}]}]},
        {"data": [{"a": "a secret"}]},
        {},
    ],
)
def test_what_is_no_span_is_refused_without_being_repeated(row: dict[str, Any], log: LogFolder) -> None:
    log.file("2026-11-21/a.jsonl", [row, envelope(span(1, CHAT))])
    night = log.night()
    assert [reject.reason for reject in night.rejects] == ["unknown_format"]
    assert night.rows.num_rows == 1
    assert b"a secret" not in log.landed_bytes()


def test_an_envelope_without_spans_is_nothing(log: LogFolder) -> None:
    log.file("2026-11-21/a.jsonl", [{"resourceSpans": []}, {"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}])
    night = log.night()
    assert (night.rows.num_rows, night.rejects) == (0, ())


@pytest.mark.parametrize(
    ("over", "reason", "column"),
    [
        ({"spanId": ""}, "missing_id", "request_id"),
        ({"spanId": "no hexadecimal"}, "unreadable_value", "span_id"),
        ({"startTimeUnixNano": "yesterday"}, "unreadable_value", "start"),
        ({"startTimeUnixNano": None}, "unreadable_start", None),
        ({"status": {"code": "perhaps"}}, "unreadable_value", "status"),
        ({"attributes": span(1, CHAT | {"gen_ai.usage.input_tokens": "many"})["attributes"]}, "unreadable_value",
         "attributes.gen_ai.usage.input_tokens"),
        ({"attributes": span(1, CHAT | {"gen_ai.usage.input_tokens": 12.5})["attributes"]}, "unreadable_value",
         "attributes.gen_ai.usage.input_tokens"),
        ({"attributes": span(1, CHAT | {"gen_ai.usage.input_tokens": -1})["attributes"]}, "bad_token_count", None),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_read_is_refused_and_the_others_stand(
    over: dict[str, Any], reason: str, column: str | None, log: LogFolder
) -> None:
    log.file("2026-11-21/a.jsonl", [envelope({**span(1, CHAT), **over}, span(2, CHAT))])
    night = log.night()
    assert [reject.reason for reject in night.rejects] == [reason]
    assert night.rejects[0].column_name == column or column is None
    assert night.rows["request_id"].to_pylist() == [f"{2:016x}"]


def test_a_file_that_breaks_off_is_no_delivery(log: LogFolder) -> None:
    whole = json.dumps(envelope(span(1, CHAT))).encode()
    log.raw("2026-11-21/a.jsonl", whole + b"\n" + whole[:200])
    with pytest.raises(IncompleteDeliveryError):
        log.night()


def test_each_span_is_read_on_its_own_day(log: LogFolder) -> None:
    late = str(START + 23 * 3600 * 10**9)
    log.file("2026-11-22/a.jsonl", [envelope(span(1, CHAT), span(2, CHAT, startTimeUnixNano=late))])
    assert [row["request_id"] for row in log.rows(DAY)] == [f"{1:016x}"]
    assert [row["request_id"] for row in log.rows(DAY.replace(day=22))] == [f"{2:016x}"]


def test_an_amount_keeps_the_digits_in_which_it_was_written(log: LogFolder) -> None:
    log.file("2026-11-21/a.jsonl", [envelope(span(1, {**CHAT, "llm.cost.total": 0.1 + 0.2}))])
    assert log.rows()[0]["source_reported_cost_usd"] == Decimal("0.300000000000")


@pytest.mark.parametrize(
    ("file", "team", "expected"),
    [
        (
            "written/otlp_file_exporter_traces.jsonl",
            "team-support",
            [("chatcmpl-1", 176, 1024), ("chatcmpl-2", 1200, 0)],
        ),
        ("litellm_otel_real/otlp_traces.jsonl", None, []),
    ],
)
def test_documented_traces_are_read(
    file: str, team: str | None, expected: list[tuple[str, int, int]], log: LogFolder
) -> None:
    if not (SHARED / file).is_file():
        pytest.skip("the documented traces are not beside this checkout")
    log.raw("2026-11-21/a.jsonl", (SHARED / file).read_bytes().rstrip(b"\n") + b"\n")
    rows = log.rows(team_id_field="service.namespace")
    found = [(row["request_id"], row["input_uncached_tokens"], row["cache_read_tokens"]) for row in rows]
    assert found == expected
    assert {row["gateway_team_id"] for row in rows} <= {team}


def test_the_real_gateway_s_spans_without_tokens_are_told(log: LogFolder) -> None:
    file = SHARED / "litellm_otel_real/otlp_traces.jsonl"
    if not file.is_file():
        pytest.skip("the documented traces are not beside this checkout")
    log.raw("2026-11-21/a.jsonl", file.read_bytes())
    (notice,) = log.night().notices
    assert "operation 'acompletion'" in notice
    for word in (b"alice@corp.test", b"hello", b"q1", b"curl", b"CC-200", b"127.0.0.1"):
        assert word not in log.landed_bytes()
