"""What every log's attempt becomes, whoever wrote the log."""

import io
import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.logs import files
from connectors.logs.attempt import Attempt, staged_row
from connectors.logs.buckets import Counts, exclusive
from connectors.logs.conventions import CONVENTIONS
from tests.connectors.stored_log import LogFolder
from tests.moto_s3 import object_store

Row = Callable[..., dict[str, Any]]
CANARY = "no-disk-may-hold-this"


def test_the_log_of_the_charter_gives_the_row_worked_out_by_hand(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/a.jsonl", [row()])
    (found,) = log.rows()
    assert (found["gateway"], found["billed_model"], found["x_source"]) == ("acme", "gpt-5-mini", "log")
    assert (found["input_uncached_tokens"], found["output_text_tokens"]) == (1000, 50)
    assert (found["source_reported_cost_usd"], found["source_cost_basis"]) == (Decimal("0.000215"), "list")
    assert found["avoided_cost_usd"] is None
    assert b"prompt" not in log.landed_bytes()


def test_a_cache_hit_carries_what_it_avoided_and_its_zero_cost_is_a_cost(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/a.jsonl", [row(hit=True, cost=0, saved=0.000215)])
    (found,) = log.rows()
    assert (found["is_cache_hit"], found["avoided_cost_usd"]) == (True, Decimal("0.000215"))
    assert (found["source_reported_cost_usd"], found["source_cost_basis"]) == (Decimal(0), "list")


def test_zero_cost_for_tokens_that_were_used_is_no_known_price(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/a.jsonl", [row(cost=0)])
    (found,) = log.rows()
    assert (found["source_reported_cost_usd"], found["source_cost_basis"]) == (Decimal(0), "unknown")


def test_an_avoided_cost_that_cannot_be_kept_is_null_and_refused_while_the_hit_counts(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/a.jsonl", [row(hit=True, saved="1e9")])
    night = log.night()
    assert night.rows["avoided_cost_usd"].to_pylist() == [None]
    assert [(r.reason, r.column_name) for r in night.rejects] == [("cost_out_of_range", "avoided_cost_usd")]


def test_a_failure_without_usage_is_of_the_model_that_was_tried_and_has_no_usage_to_price(
    row: Row, log: LogFolder
) -> None:
    log.file("2026-11-21/a.jsonl", [row(status="failure", input_tokens=None, output_tokens=None)])
    (found,) = log.rows()
    assert (found["billed_model"], found["input_total_tokens"], found["usage_provenance"]) == (
        "gpt-5-mini",
        None,
        "missing",
    )


@pytest.mark.parametrize(
    ("over", "model"),
    [
        ({}, "gpt-5"),  # of a failure that names no other model
        ({"billed_model": "gpt-5-2025-08-07"}, "gpt-5-2025-08-07"),
        ({"status": "success"}, None),  # who answered is not known: nothing is priced by what was asked for
        ({"usage": exclusive(Counts(5, 7), CONVENTIONS["openai"])}, None),  # has a price, by what answered alone
        ({"has_begun": True}, None),  # is billed, and by whom nobody says
    ],
)
def test_the_model_that_was_asked_for_stands_in_only_where_none_answered(
    over: dict[str, Any], model: str | None
) -> None:
    failed = Attempt("r1", 1_795_226_400_000_000, "failure", provider="openai", requested_model="openai/gpt-5")
    assert staged_row(failed._replace(**over), None, [])["billed_model"] == model


def test_an_optional_value_of_the_wrong_kind_leaves_the_row_and_an_essential_one_refuses_it(
    row: Row, log: LogFolder
) -> None:
    rows = [row(request_id="a", hit="perhaps"), row(request_id="b", input_tokens="many"), row(request_id=["c"])]
    log.file("2026-11-21/a.jsonl", rows)
    night = log.night()
    assert night.rows["request_id"].to_pylist() == ["a"]
    assert [(r.reason, r.column_name) for r in night.rejects] == [
        ("unreadable_value", "hit"),
        ("unreadable_value", "input_tokens"),
        ("unreadable_value", "request_id"),
    ]


def test_parquet_is_read_like_json_lines_whatever_its_size(row: Row, log: LogFolder) -> None:
    rows = [row(request_id=f"r{n}", cost=Decimal("0.000215")) for n in range(5000)]
    (log.folder / "2026-11-21").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), log.folder / "2026-11-21/x.parquet")
    found = log.night()
    assert (found.rows.num_rows, found.rejects) == (5000, ())
    assert set(found.rows["source_reported_cost_usd"].to_pylist()) == {Decimal("0.000215")}


def large_parquet(row: Row) -> bytes:
    """More than 64 MiB, in three groups of rows, of which almost all are prompts."""
    rows = [row(request_id=f"r{n}", messages=f"{CANARY} {n} " * 50_000) for n in range(75)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=25, compression="none", use_dictionary=False)
    return sink.getvalue()


def refuse_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("a temporary file was opened")

    for name in ("_mkstemp_inner", "TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkdtemp"):
        monkeypatch.setattr(tempfile, name, refused)


def test_a_large_parquet_file_is_read_where_it_lies_and_no_copy_of_its_prompts_is_written(
    row: Row, log: LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_temporary_files(monkeypatch)
    content = large_parquet(row)
    assert len(content) > 64 * 1024 * 1024
    log.raw("2026-11-21/x.parquet", content)
    landed = log.landed_bytes()
    assert landed.count(b"\n") == 75
    assert CANARY.encode() not in landed


def test_a_large_parquet_file_of_a_bucket_is_read_there(
    row: Row, log: LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with object_store("logs") as store:
        store.client.put_object(Bucket="logs", Key="2026-11-21/x.parquet", Body=large_parquet(row))
        refuse_temporary_files(monkeypatch)
        landed = log.landed_bytes(location="s3://logs", storage=store.options)
    assert [json.loads(line)["request_id"] for line in landed.splitlines()] == [f"r{n}" for n in range(75)]
    assert CANARY.encode() not in landed


def test_a_parquet_file_inside_of_gzip_is_read_in_memory_up_to_a_limit(
    row: Row, log: LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row()]), sink)
    log.raw("2026-11-21/x.parquet.gz", sink.getvalue())
    refuse_temporary_files(monkeypatch)
    assert len(log.rows()) == 1
    monkeypatch.setattr(files, "_LARGEST_PACKED_TABLE", len(sink.getvalue()) - 1)
    with pytest.raises(SourceError, match=r"x\.parquet\.gz: a Parquet file of more than \d+ bytes inside of gzip"):
        log.landed()


@pytest.mark.parametrize("cut", [4, 400])
def test_a_parquet_file_that_is_cut_off_is_an_incomplete_delivery(cut: int, row: Row, log: LogFolder) -> None:
    (log.folder / "2026-11-21").mkdir()
    path = log.folder / "2026-11-21/x.parquet"
    pq.write_table(pa.Table.from_pylist([row()]), path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(IncompleteDeliveryError, match=r"x\.parquet: cannot be read as Parquet"):
        log.landed()
