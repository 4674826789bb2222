import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any


def payloads(directory: Path) -> Iterator[dict[str, Any]]:
    for file in sorted((directory / "exports/litellm-eu").rglob("*.json")):
        yield json.loads(file.read_text(), parse_float=Decimal)


def test_a_spend_log_row_has_the_keys_of_a_real_one_in_the_same_order(log, captures):
    real = json.loads((captures / "spendlogs_pg_row_to_json.jsonl").read_text().splitlines()[0])
    ours = log[date(2026, 10, 5)][0]
    assert list(ours) == list(real)
    assert ours["metadata"].keys() == real["metadata"].keys()
    assert ours["metadata"]["cost_breakdown"].keys() <= real["metadata"]["cost_breakdown"].keys() | {
        "cache_creation_cost"
    }


def test_a_payload_has_the_keys_of_a_real_one_in_the_same_order(october, captures):
    real = json.loads((captures / "s3_v2_objects/07_success_acompletion_claude-sonnet.json").read_text())
    ours = next(row for row in payloads(october.directory) if row["custom_llm_provider"] == "anthropic")
    assert list(ours) == list(real)
    assert ours["metadata"].keys() == real["metadata"].keys()
    assert ours["metadata"]["usage_object"].keys() == real["metadata"]["usage_object"].keys()
    assert ours["cost_breakdown"].keys() == real["cost_breakdown"].keys()
    assert ours["hidden_params"].keys() == real["hidden_params"].keys()
    assert ours["error_information"].keys() == real["error_information"].keys()


def test_a_failed_payload_has_the_keys_of_a_real_failure(october, captures):
    real = json.loads((captures / "s3_v2_objects/08_failure_acompletion_flaky.json").read_text())
    ours = next(row for row in payloads(october.directory) if row["status"] == "failure")
    assert list(ours) == list(real)
    assert ours["metadata"]["usage_object"].keys() == real["metadata"]["usage_object"].keys()
    assert ours["cost_breakdown"] is None
    assert ours["id"] == ours["litellm_call_id"]


def test_usage_of_both_providers_has_the_keys_of_real_usage(log, captures):
    real = [json.loads(line) for line in (captures / "spendlogs_pg_row_to_json.jsonl").read_text().splitlines()]
    rows = log[date(2026, 10, 5)]
    for provider in ("openai", "anthropic", "hosted_vllm"):
        expected = next(row for row in real if row["custom_llm_provider"] == provider)
        ours = next(row for row in rows if row["custom_llm_provider"] == provider and row["status"] == "success")
        usage, real_usage = ours["metadata"]["usage_object"], expected["metadata"]["usage_object"]
        assert usage.keys() == real_usage.keys()
        for part in ("prompt_tokens_details", "completion_tokens_details"):
            assert usage[part].keys() == real_usage[part].keys()


def test_input_includes_the_cached_tokens_and_output_the_reasoning_tokens(log):
    rows = [row for row in log[date(2026, 10, 5)] if row["status"] == "success"]
    for row in rows:
        usage = row["metadata"]["usage_object"]
        details = usage["prompt_tokens_details"]
        assert row["prompt_tokens"] + row["completion_tokens"] == row["total_tokens"] == usage["total_tokens"]
        assert details["cached_tokens"] + details.get("cache_creation_tokens", 0) <= row["prompt_tokens"]
        if "text_tokens" in details:
            assert details["text_tokens"] == (
                row["prompt_tokens"] - details["cached_tokens"] - details["cache_creation_tokens"]
            )
        assert usage["completion_tokens_details"]["reasoning_tokens"] <= row["completion_tokens"]
    assert any(row["metadata"]["usage_object"]["prompt_tokens_details"]["cached_tokens"] for row in rows)
    assert any(row["metadata"]["usage_object"]["completion_tokens_details"]["reasoning_tokens"] for row in rows)


def test_a_reported_cost_is_that_of_the_tokens_at_list_price(log):
    """claude-haiku-4-5: 1 USD input, 0.10 read, 1.25 written, 5 output, per million tokens."""
    rows = [row for row in log[date(2026, 10, 5)] if row["model"] == "anthropic/claude-haiku-4-5"]
    rows = [row for row in rows if row["status"] == "success" and row["cache_hit"] != "True"]
    assert len(rows) > 100
    for row in rows:
        details = row["metadata"]["usage_object"]["prompt_tokens_details"]
        millionths = (
            details["text_tokens"]
            + details["cached_tokens"] * Decimal("0.1")
            + details["cache_creation_tokens"] * Decimal("1.25")
            + row["completion_tokens"] * 5
        )
        assert row["spend"] == millionths / 1_000_000


def test_no_context_reaches_a_price_tier(log):
    assert max(row["prompt_tokens"] for rows in log.values() for row in rows) <= 150_000


def test_every_row_lies_on_the_day_of_its_file(log, october):
    for day, rows in log.items():
        assert {row["startTime"][:10] for row in rows} == {str(day)}
    for file in (october.directory / "exports/litellm-eu").rglob("*.json"):
        started = json.loads(file.read_text(), parse_float=Decimal)["startTime"]
        seconds = int(started) - int((datetime.fromisoformat(file.parent.name) - datetime(1970, 1, 1)).total_seconds())
        clock = f"{seconds // 3600:02d}-{seconds // 60 % 60:02d}-{seconds % 60:02d}"
        assert file.name.startswith(f"time-{clock}-")


def test_one_row_is_delivered_twice_and_one_is_damaged(log):
    counts = Counter(row["request_id"] for rows in log.values() for row in rows)
    repeated = [name for name, count in counts.items() if count > 1]
    assert len(repeated) == 1
    twice = [row for row in log[date(2026, 10, 6)] if row["request_id"] == repeated[0]]
    assert twice[0] == twice[1]
    damaged = [row for rows in log.values() for row in rows if row["prompt_tokens"] < 0]
    assert [(row["request_id"], row["prompt_tokens"]) for row in damaged] == [("chatcmpl-damaged", -40)]


def test_failures_retries_cache_hits_streams_and_a_model_without_price_occur(log):
    rows = [row for day in log.values() for row in day]
    failures = [row for row in rows if row["status"] == "failure"]
    assert all(row["total_tokens"] == 0 and row["spend"] == 0 for row in failures)
    assert {row["session_id"] for row in failures} & {row["session_id"] for row in rows if row["status"] == "success"}
    calls = {row["metadata"]["litellm_call_id"] for row in rows if row["status"] == "success"}
    retried = [row for row in failures if row["request_id"] in calls]
    assert 0.4 < len(retried) / len(failures) < 0.9, "a failure's id is its call's, which the attempt after it has, too"
    hits = [row for row in rows if row["cache_hit"] == "True"]
    assert all("_cache_hit" in row["request_id"] and row["spend"] == 0 and row["total_tokens"] > 0 for row in hits)
    assert {row["cache_hit"] for row in rows} == {"True", "False", "None"}
    unknown = [row for row in rows if row["model"] == "openai/finch-x"]
    assert 30 < len(unknown) < 120
    assert all(row["spend"] == 0 for row in unknown)
    assert 0.005 < len(failures) / len(rows) < 0.03


def test_european_payloads_hold_words_that_a_reader_must_drop(october):
    for row in payloads(october.directory):
        assert "redact me" in row["messages"][0]["content"]
        assert "@alder-finch.example" in row["metadata"]["user_api_key_user_email"]
        if row["status"] == "success":
            assert "Redact me too" in row["response"]["choices"][0]["message"]["content"]


def test_weekends_are_quieter_and_use_grows_through_the_month(log):
    counts = {day: len(rows) for day, rows in log.items()}
    weekdays = {day: count for day, count in counts.items() if day.weekday() < 5}
    weekends = [count for day, count in counts.items() if day.weekday() >= 5]
    assert all(1500 < count < 3000 for count in weekdays.values())
    assert max(weekends) < min(weekdays.values())
    first = [count for day, count in weekdays.items() if day.day <= 9]
    last = [count for day, count in weekdays.items() if day.day >= 23]
    assert sum(last) / len(last) > 1.1 * sum(first) / len(first)


def test_the_runaway_agent_uses_twenty_times_the_usual_tokens_of_its_team_on_two_days_only(log):
    tokens: dict[date, int] = defaultdict(int)
    for day, rows in log.items():
        tokens[day] = sum(row["total_tokens"] for row in rows if row["team_id"] == "team-growth")
    usual = sorted(count for day, count in tokens.items() if day.weekday() < 5)[11]
    assert {day for day, count in tokens.items() if count > 10 * usual} == {date(2026, 10, 17), date(2026, 10, 18)}
    assert 15 * usual < tokens[date(2026, 10, 17)] < 30 * usual


def test_the_self_hosted_model_rests_on_the_maintenance_day(log):
    hosted = {day: sum(r["custom_llm_provider"] == "hosted_vllm" for r in rows) for day, rows in log.items()}
    assert [day for day, count in hosted.items() if count == 0] == [date(2026, 10, 25)]


def test_counts_and_tokens_per_account_in_the_files_are_those_of_the_truth(log, october):
    """Owners by hand: the evaluation key is research's, the shared key's contract reviews are legal's."""
    seen: set[str] = set()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    rows = [row for day in log.values() for row in day if row["prompt_tokens"] >= 0]
    for row in [*rows, *payloads(october.directory)]:
        name = row.get("request_id") or row["id"]
        if name in seen:
            continue
        seen.add(name)
        metadata = row["metadata"]
        account = f"team:{(metadata['user_api_key_team_id'] or '').removeprefix('team-')}"
        if metadata["user_api_key_alias"] == "batch-evals":
            account = "team:research"
        if account == "team:":
            is_review = metadata["spend_logs_metadata"]["feature"] == "contract-review"
            account = "team:legal" if is_review else "residual:unowned_usage"
        counts[account]["request_count"] += 1
        counts[account]["failure_count"] += row["status"] == "failure"
        counts[account]["cache_hit_count"] += row["cache_hit"] == "True"
        if row["cache_hit"] != "True":
            counts[account]["total_tokens"] += row["total_tokens"]
    truth = october.truth["usage"]
    assert counts.keys() == truth.keys()
    for account, found in counts.items():
        expected = truth[account]
        assert found["total_tokens"] == sum(value for key, value in expected.items() if key.endswith("_tokens"))
        for key in ("request_count", "failure_count", "cache_hit_count"):
            assert found[key] == expected[key], (account, key)
