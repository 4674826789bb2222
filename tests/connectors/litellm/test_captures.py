"""What a real gateway logged becomes what it means: values worked out by hand from the captures."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.litellm.conftest import Gateway

BUCKETS = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_text_tokens",
    "output_reasoning_tokens",
    "output_audio_tokens",
)
OPENAI = (176, 1024, 0, 0, 0, 300, 0, 0)  # 1200 in, of which 1024 cached; 300 out
GPT_5 = (176, 1024, 0, 0, 0, 172, 128, 0)  # of the 300 out, 128 reasoning
ANTHROPIC = (100, 700, 300, 100, 0, 300, 0, 0)  # 1200 in: 100 new, 700 read, 300 written for 5 min, 100 for 1 h
EMBEDDING = (42, 0, 0, 0, 0, 0, 0, 0)
NOTHING = (None,) * 8

# file: (model billed, provider, buckets, reported cost, basis, gateway team)
OBJECTS: dict[str, tuple[Any, ...]] = {
    "01": ("gpt-4o", "openai", OPENAI, "0.00472", "list", "team-search"),
    "02": ("gpt-5", "openai", GPT_5, "0", "unknown", "team-search"),  # an unmapped snapshot: the gateway had no price
    "03": ("gpt-4o", "openai", OPENAI, "0.00472", "list", "team-search"),
    "04": ("text-embedding-3-small", "openai", EMBEDDING, "0.00000084", "list", "team-search"),
    "05": ("nope", None, NOTHING, "0", "unknown", "team-search"),  # no such model: nothing was called
    "06": ("gpt-4o", "openai", OPENAI, "0", "list", "team-search"),  # the gateway's own cache: free, tokens repeated
    "07": ("claude-sonnet-4-5", "anthropic", ANTHROPIC, "0.006735", "list", "team-support"),
    "08": ("always-500", "openai", NOTHING, "0", "unknown", "team-support"),  # tried, and answered by none
    "09": ("meta-llama/Llama-3.1-8B-Instruct", "hosted_vllm", OPENAI, "0", "unknown", "team-support"),
    "10": ("meta-llama/Llama-3.1-8B-Instruct", "hosted_vllm", OPENAI, "0.0001552", "list", "team-support"),
    "11": ("claude-sonnet-4-5", "anthropic", ANTHROPIC, "0.006735", "list", "team-support"),
}


@pytest.mark.parametrize("number", OBJECTS)
def test_an_object_of_the_s3_logger_becomes_the_row_worked_out_by_hand(
    number: str, captures: Path, gateway: Gateway
) -> None:
    (source,) = (captures / "s3_v2_objects").glob(f"{number}_*.json")
    gateway.raw(f"Search Team/2026-11-21/{source.name}", source.read_bytes())
    (row,) = gateway.rows(layout="*/{date}/*")
    model, provider, buckets, cost, basis, team = OBJECTS[number]
    assert (row["billed_model"], row["provider"], row["gateway_team_id"]) == (model, provider, team)
    assert tuple(row[name] for name in BUCKETS) == buckets
    assert row["source_reported_cost_usd"] == Decimal(cost)
    assert row["source_cost_basis"] == basis
    assert row["status"] == ("failure" if number in ("05", "08") else "success")
    assert row["is_cache_hit"] is (number == "06")
    assert row["avoided_cost_usd"] == (Decimal("0.00472") if number == "06" else None)  # as 01 cost, which it repeats
    assert row["usage_provenance"] == ("missing" if number in ("05", "08") else "provider")
    assert row["input_total_tokens"] == (None if None in buckets else sum(buckets[:5]))
    assert row["output_total_tokens"] == (None if None in buckets else sum(buckets[5:]))


def nights(captures: Path, gateway: Gateway, name: str) -> dict[str, dict[str, Any]]:
    folder = gateway.folder / name
    (folder / "2026-11-21").mkdir(parents=True)
    shutil.copy(captures / name, folder / "2026-11-21" / name)
    rows = gateway.rows(location=str(folder), environment_key="env", outcome_keys=("ticket_id", "run"))
    return {str(row["attempt_group_id"]) + str(row["status"]): row for row in rows}


def test_payloads_and_spend_logs_tell_the_same_of_the_same_requests(captures: Path, gateway: Gateway) -> None:
    payloads = nights(captures, gateway, "standard_logging_payloads_16.jsonl")
    spend_logs = nights(captures, gateway, "spendlogs_pg_row_to_json.jsonl")
    assert len(spend_logs) == 14
    streamed = {group for group, row in payloads.items() if row["is_stream"]}
    assert len(streamed & spend_logs.keys()) == 2
    # Times are kept to the millisecond in the table; neither the saved cost is kept there, nor what was asked for.
    apart = {"started_at", "ended_at", "latency_seconds", "avoided_cost_usd", "x_extra", "x_page", "x_row"}
    apart |= {"is_stream"}
    for group, row in spend_logs.items():
        other = payloads[group]
        if row["is_cache_hit"]:  # its id ends in the moment at which each logger asked for it
            apart = apart | {"request_id", "dedup_key"}
        assert {k: v for k, v in row.items() if k not in apart} == {k: v for k, v in other.items() if k not in apart}
        assert row["is_stream"] is row["has_begun"] is (True if group in streamed else None)
        assert abs((row["started_at"] - other["started_at"]).total_seconds()) <= 0.0005


def test_csv_and_json_lines_of_the_table_give_the_same_rows(captures: Path, gateway: Gateway) -> None:
    found = []
    for name in ("spendlogs_pg_export.csv", "spendlogs_pg_row_to_json.jsonl"):
        gateway.raw(f"{name}/2026-11-21/x", (captures / name).read_bytes())
        found.append(gateway.night(location=str(gateway.folder / name)).rows.drop_columns("x_page"))
    assert found[0].num_rows == 14
    assert found[0].equals(found[1])


def test_a_fallback_and_the_failure_before_it_are_two_attempts_of_one_operation(
    captures: Path, gateway: Gateway
) -> None:
    rows = nights(captures, gateway, "standard_logging_payloads_16.jsonl")
    failed, answered = (rows[f"0ac97a7c-3190-46c1-8f77-86275070308c{status}"] for status in ("failure", "success"))
    assert failed["attempt_group_id"] == answered["attempt_group_id"]
    assert failed["dedup_key"] != answered["dedup_key"]
    assert (failed["requested_model"], answered["requested_model"]) == ("flaky", "gpt-4o")
    assert (failed["input_total_tokens"], answered["input_total_tokens"]) == (None, 1200)


def test_request_metadata_names_feature_environment_and_outcome(captures: Path, gateway: Gateway) -> None:
    row = nights(captures, gateway, "standard_logging_payloads_16.jsonl")["ff17f631-575e-4f81-9b18-842c419a7ad9success"]
    assert (row["feature"], row["environment"]) == ("summarize", "prod")
    assert json.loads(row["outcome_ids"]) == {"ticket_id": "T-1"}
    assert json.loads(row["tags"]) == ["feature:summarize", "env:prod", "keytag:x"]  # without the User-Agent tags


def test_margin_and_discount_are_told_apart_from_list_cost(captures: Path, gateway: Gateway) -> None:
    name = "standard_logging_payloads_margin_discount.jsonl"
    gateway.raw(f"2026-11-21/{name}", (captures / name).read_bytes())
    rows = gateway.rows()
    found = {(r["provider"], str(r["source_reported_cost_usd"]), r["source_cost_basis"]) for r in rows}
    assert ("openai", "0.005192000000", "with_margin") in found  # 0.00472 and 10 % on top
    assert ("anthropic", "0.006398250000", "after_discount") in found  # 0.006735 less 5 %
    stated = {(r["provider"], str(r["stated_margin_usd"]), str(r["stated_discount_usd"])) for r in rows}
    assert {("openai", "0.000472000000", "None"), ("anthropic", "None", "0.000336750000")} <= stated
    by_cost = {str(r["source_reported_cost_usd"]): json.loads(r["x_extra"]) for r in rows}
    assert by_cost["0.005192000000"]["original_cost"] == "0.00472"


def test_no_prompt_address_or_person_of_the_captures_is_landed(captures: Path, gateway: Gateway) -> None:
    for source in captures.glob("*s*.*"):
        if source.suffix in (".jsonl", ".csv") and "generic" not in source.name:
            gateway.raw(f"2026-11-21/{source.name}", source.read_bytes())
    landed = b"".join(page.body.open().__enter__().read() for page in gateway.landed())
    assert landed.count(b"\n") == 18 + 4 + 14 + 14 + 16
    for secret in (
        b"cacheme",
        b"hello",
        b"corp.test",
        b"end-user-42",
        b"u-77",
        b"127.0.0.1:4000",
        b"User-Agent",
        b"curl",
    ):
        assert secret not in landed
