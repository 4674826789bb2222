"""The blob export gives the same row in every format, each observation once, and its latest version."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.langfuse.export import map_value
from tests.connectors.langfuse.test_observations import CANARY, buckets
from tests.connectors.stored_log import LogFolder, places, planted

CAPTURES = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/langfuse_chdb"
FILES = [
    "observations_export.csv",
    "observations_export.parquet",
    "observations_export_jsoneachrow.jsonl",
    "observations_export_quoted.jsonl",
]
FOLDER = "observations_v2/2026-11-21T"


def exported(**over: Any) -> dict[str, Any]:
    """An enriched observation: 176 new tokens, 1,024 read from the cache, 300 out; 0.00472 USD."""
    return {
        "id": "obs-1",
        "trace_id": "tr-1",
        "project_id": "proj-1",
        "environment": "production",
        "type": "GENERATION",
        "start_time": "2026-11-21 01:38:40.440000",
        "end_time": "2026-11-21 01:38:41.441000",
        "name": "step",
        "user_id": "alice@corp.test",
        "session_id": "sess-1",
        "tags": ["feature:answer"],
        "metadata": {"team": "search", "ticket": "T-1", "note": "private"},
        "level": "DEFAULT",
        "status_message": None,
        "input": "a prompt",
        "output": "an answer",
        "provided_model_name": "gpt-4o-2024-08-06",
        "usage_details": {"input": 176, "input_cached_tokens": 1024, "output": 300, "total": 1500},
        "cost_details": {"input": 0.00044, "input_cached_tokens": 0.00128, "output": 0.003, "total": 0.00472},
        "total_cost": 0.00472,
        "updated_at": "2026-11-21 02:39:54.000000",
        **over,
    }


@pytest.mark.parametrize("name", FILES)
@pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not beside this checkout")
def test_every_format_of_a_real_export_gives_the_same_row(name: str, export: LogFolder) -> None:
    export.raw(f"observations/2026-11-21T02-00-00.{name}", (CAPTURES / name).read_bytes())
    (row,) = export.rows(layout="observations/{date}T*")
    assert buckets(row) == (176, 1024, 0, 0, 0, 300, 0, 0)
    assert (row["source_reported_cost_usd"], row["gateway_team_id"]) == (Decimal("0.00472"), "search")
    assert (str(row["started_at"]), row["latency_seconds"]) == ("2026-11-21 01:38:40.440000", 1.001)
    assert (row["billed_model"], row["request_id"]) == ("gpt-4o-2024-08-06", "obs-1")
    assert json.loads(row["x_extra"]) == {"trace_id": "tr-1", "project_id": "proj-1"}


def test_an_enriched_row_carries_the_context_of_its_trace(export: LogFolder) -> None:
    export.file(f"{FOLDER}02-00-00.jsonl.gz", [exported()])
    (row,) = export.rows()
    assert (row["feature"], row["environment"], row["gateway_team_id"]) == ("answer", "production", "search")
    assert row["user_hash"] is not None
    assert json.loads(row["outcome_ids"]) == {"ticket": "T-1"}
    assert json.loads(row["x_extra"])["session_id"] == "sess-1"


def test_a_row_at_the_edge_of_two_files_counts_once_in_its_later_version(export: LogFolder) -> None:
    midnight = {"start_time": "2026-11-21 23:59:59.999999", "id": "edge"}
    unfinished = exported(**midnight, usage_details={}, cost_details={}, total_cost=None, end_time=None)
    finished = exported(**midnight, updated_at="2026-11-22 00:10:00.000000")
    for first, second in ((unfinished, finished), (finished, unfinished)):
        export.file("observations_v2/2026-11-22T00-00-00.jsonl", [first])
        export.file("observations_v2/2026-11-22T00-20-00.jsonl", [second, second, exported(id="other")])
        night = export.night()
        assert (night.rows.num_rows, night.duplicate_count, night.rejects) == (2, 2, ())
        rows = {row["request_id"]: row for row in night.rows.to_pylist()}
        assert rows["edge"]["output_total_tokens"] == 300


def test_spans_and_agents_are_left_out_because_they_repeat_usage(export: LogFolder) -> None:
    kinds = ["GENERATION", "EMBEDDING", "SPAN", "AGENT", "TOOL", "CHAIN", "EVENT"]
    export.file(f"{FOLDER}02-00-00.jsonl", [exported(id=kind, type=kind) for kind in kinds])
    assert sorted(row["request_id"] for row in export.rows()) == ["EMBEDDING", "GENERATION"]


def test_rows_of_another_table_are_refused_and_leave_nothing(export: LogFolder) -> None:
    export.file(f"{FOLDER}02-00-00.jsonl", [{"id": "s", "trace_id": "tr-1", "name": "quality", "comment": CANARY}])
    assert [reject.reason for reject in export.night().rejects] == ["unknown_format"]
    assert CANARY.encode() not in export.landed_bytes()


def test_a_weekly_export_is_read_with_a_layout_without_days(export: LogFolder) -> None:
    export.file("observations_v2/2026-11-27T00-00-00.jsonl", [exported()])
    assert export.night().rows.num_rows == 0
    assert len(export.rows(layout="observations_v2/*")) == 1


@pytest.mark.parametrize("secret", [CANARY, {"a": CANARY}, [CANARY], f"1{CANARY}"])
def test_a_secret_planted_anywhere_in_a_file_is_in_no_page(secret: Any, export: LogFolder) -> None:
    texts = {
        "id", "trace_id", "project_id", "environment", "level", "session_id", "provided_model_name", "tags", "team", "ticket",
    }  # fmt: skip
    skipped = (("type",), ("start_time",))
    paths = [path for path in places(exported()) if not (set(path) & texts) and path not in skipped]
    rows = [planted(exported(), path, secret, name) for path in paths for name in ("content", CANARY)]
    export.file(f"{FOLDER}02-00-00.jsonl", rows)
    landed = export.landed_bytes()
    assert landed.count(b"\n") == len(rows) > 30
    for word in (CANARY, "a prompt", "an answer", "alice", "private"):
        assert word.encode() not in landed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{'input':176,'total':1500}", {"input": 176, "total": 1500}),
        (r"{'team':'it\'s \\ {\'a\':1}','b':'line\nend'}", {"team": "it's \\ {'a':1}", "b": "line\nend"}),
        ("{'quoted':'say \"hi\"'}", {"quoted": 'say "hi"'}),
        ("['feature:a','env:b']", ["feature:a", "env:b"]),
        ("{}", {}),
        ('{"team":"it\'s"}', {"team": "it's"}),
        ("{'cut':'of", "{'cut':'of"),
        ("", None),
    ],
)
def test_maps_are_read_as_clickhouse_and_as_json_write_them(text: str, found: object) -> None:
    assert map_value(text) == found
