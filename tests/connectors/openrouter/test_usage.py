"""What OpenRouter's models used: only days that are over, and only what the report tells apart."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.base import AuthenticationError, IncompleteDeliveryError, SourceError
from connectors.openrouter.settings import OpenRouterUsageSettings
from connectors.openrouter.usage import SOURCE, OpenRouterUsage
from connectors.registry import source
from connectors.windows import day_window
from models.identity import identity_rows
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.openrouter.written import (
    DAY,
    KEY,
    SHARED,
    WINDOW,
    Account,
    page,
    parse,
    row,
    usage,
    usage_settings,
)


def fetch(server: FaultyServer, day: date = DAY, **over: Any) -> list[bytes]:
    found = usage_settings(**{"url": f"{server.url}/api/v1", **over})
    return [body(fetched) for fetched in OpenRouterUsage(sleep=Clock().sleep).fetch(found, day_window(day))]


def body(fetched: Any) -> bytes:
    with fetched.body.open() as stream:
        return stream.read()


def example(path: str) -> bytes:
    found = SHARED / "contracts" / path
    if not found.is_file():
        pytest.skip(f"the example answers are not in this checkout: ../shared/contracts/{path} unlocks this test")
    return found.read_bytes()


def test_the_providers_example_is_read_as_it_was_by_hand() -> None:
    (found,) = parse(
        SOURCE, usage_settings(), WINDOW, example("examples_providers/openrouter/activity.json")
    ).rows.to_pylist()
    seen = {name: found[name] for name in ("model", "request_count", "input_total_tokens", "output_total_tokens")}
    assert seen == {
        "model": "anthropic/claude-sonnet-4.5",
        "request_count": 41,
        "input_total_tokens": 210_000,
        "output_total_tokens": 38_000,
    }
    assert (found["output_text_tokens"], found["output_reasoning_tokens"]) == (38_000, 0)
    assert json.loads(found["x_extra"])["usage"] == "1.2345"


def test_the_gateway_example_is_read_as_it_was_by_hand() -> None:
    window = day_window(date(2026, 11, 20))
    (found,) = parse(
        SOURCE, usage_settings(), window, example("examples_gateway/written/openrouter_activity.json")
    ).rows.to_pylist()
    assert (found["output_text_tokens"], found["output_reasoning_tokens"], found["output_total_tokens"]) == (
        100,
        25,
        125,
    )


def test_a_row_keeps_all_that_it_says() -> None:
    (found,) = usage(row(byok_usage_inference=0.012, workspace_id="ws-1")).rows.to_pylist()
    expected = {
        "usage_start": datetime(2026, 9, 3),
        "usage_end": datetime(2026, 9, 4),
        "usage_date": DAY,
        "provider_name": "OpenRouter",
        "operation": "completions",
        "sub_account_id": "ws-1",
        "api_key_id": None,
        "deployment_id": "endpoint-1",
        "model": "openai/gpt-4.1",
        "service_tier": None,
        "request_count": 5,
        "input_uncached_tokens": None,
        "cache_read_tokens": None,
        "input_audio_tokens": None,
        "input_total_tokens": 50,
        "output_text_tokens": 100,
        "output_reasoning_tokens": 25,
        "output_total_tokens": 125,
        "input_semantics": "inclusive",
        "x_source": "openrouter-usage",
        "x_slice_date": DAY,
        "x_row": 1,
    }
    assert {name: found[name] for name in expected} == expected
    assert json.loads(found["x_extra"]) == {
        "byok_usage_inference": "0.012",
        "model_permaslug": "openai/gpt-4.1-2025-04-14",
        "provider_name": "OpenAI",
        "usage": "0.015",
    }


def test_the_model_is_one_that_the_price_book_knows() -> None:
    (found,) = identity_rows([("OpenRouter", "openai/gpt-4.1")], {}).rows(named=True)
    assert (found["provider_id"], found["model_id"]) == ("openrouter", "openai/gpt-4.1")


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"reasoning_tokens": 126}, "parts_do_not_add_up"),
        ({"completion_tokens": None}, "parts_do_not_add_up"),
        ({"prompt_tokens": -1}, "bad_count"),
        ({"prompt_tokens": "50"}, "bad_count"),
        ({"requests": 1.5}, "bad_count"),
        ({"completion_tokens": 2**80}, "bad_count"),
        ({"usage": "$1"}, "unreadable_number"),
        ({"byok_usage_inference": "free"}, "unreadable_number"),
        ({"model": 7}, "unreadable_text"),
        ({"date": None}, "unreadable_time"),
        ({"date": "yesterday"}, "unreadable_time"),
        ({"date": "2026-09-04"}, "outside_window"),
        ({"date": "2026-09-02"}, "outside_window"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_payload(over: dict[str, Any], reason: str) -> None:
    parsed = usage(row(model="good"), row(**over))
    assert parsed.rows["model"].to_pylist() == ["good"]
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row) == (reason, 2)
    assert json.loads(reject.payload)["endpoint_id"] == "endpoint-1"


def test_what_is_no_object_is_refused() -> None:
    assert [reject.reason for reject in usage(None, 7, "x", []).rejects] == ["not_an_object"] * 4


@pytest.mark.parametrize("written", ["2026-09-03", "2026-09-03 00:00:00", "2026-09-03T00:00:00Z"])
def test_the_day_may_be_written_with_its_midnight(written: str) -> None:
    assert usage(row(date=written)).rows["usage_date"].to_pylist() == [DAY]


def test_what_is_absent_is_unknown_and_not_zero() -> None:
    found = row()
    for name in ("requests", "prompt_tokens", "completion_tokens", "reasoning_tokens"):
        del found[name]
    (staged,) = usage(found).rows.to_pylist()
    assert [staged[n] for n in staged if n.endswith("_tokens") or n == "request_count"] == [None] * 11


few = st.integers(0, 4) | st.none()


@settings(max_examples=100, deadline=None)
@given(few, few, few)
def test_classes_add_up_or_the_row_is_refused(
    prompt: int | None, completion: int | None, reasoning: int | None
) -> None:
    parsed = usage(row(prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning))
    assert parsed.rows.num_rows + len(parsed.rejects) == 1
    for found in parsed.rows.to_pylist():
        assert (found["input_uncached_tokens"], found["input_total_tokens"]) == (None, prompt)
        assert found["output_total_tokens"] == completion
        assert (found["output_text_tokens"] or 0) + (found["output_reasoning_tokens"] or 0) == (completion or 0)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", IncompleteDeliveryError),
        (b'{"data": [{"date"', IncompleteDeliveryError),
        (b'{"data": [{"usage": NaN}]}', IncompleteDeliveryError),
        (b"[]", SourceError),
        (b'{"data": null}', SourceError),
        (b'{"error": {"code": 401, "message": "no"}}', SourceError),
    ],
)
def test_what_is_no_page_is_never_an_empty_delivery(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse(SOURCE, usage_settings(), WINDOW, content)


@pytest.mark.parametrize("days_away", [-30, 1])
def test_a_day_that_the_api_does_not_tell_of_is_an_error_and_not_a_zero(server: FaultyServer, days_away: int) -> None:
    Account({}, completed=DAY).install(server)
    with pytest.raises(SourceError, match=r"last 30 completed UTC days alone.*save the answers daily"):
        fetch(server, DAY + timedelta(days=days_away))
    assert len(server.requests) == 1


@pytest.mark.parametrize("days_away", [-29, 0])
def test_the_first_and_the_last_day_that_the_api_tells_of_are_read(server: FaultyServer, days_away: int) -> None:
    day = DAY + timedelta(days=days_away)
    Account({day: [row(day)]}, completed=DAY).install(server)
    assert fetch(server, day) == [page(row(day))]


def test_workspaces_are_asked_for_when_wanted(server: FaultyServer) -> None:
    Account({}, completed=DAY).install(server)
    fetch(server)
    fetch(server, by_workspace=True)
    assert [r.query for r in server.requests] == [
        {"date": ["2026-09-03"]},
        {"date": ["2026-09-03"], "group_by": ["workspace"]},
    ]


def test_a_key_for_inference_is_told_to_be_one(server: FaultyServer) -> None:
    Account({}, completed=DAY).install(server)
    with pytest.raises(AuthenticationError, match="management key alone") as refused:
        fetch(server, management_key="sk-or-v1-canary")
    assert "canary" not in str(refused.value)


def test_a_saved_day_gives_the_rows_that_the_api_gives(server: FaultyServer, tmp_path: Path) -> None:
    Account({DAY: [row()]}, completed=DAY).install(server)
    (content,) = fetch(server)
    folder = tmp_path / "2026-09-03" / "activity"
    folder.mkdir(parents=True)
    (folder / "page-1.json").write_bytes(content)
    saved = usage_settings(location=str(tmp_path))
    assert [body(fetched) for fetched in SOURCE.fetch(saved, WINDOW)] == [content]
    with pytest.raises(SourceError, match="no saved answer for 2026-09-04"):
        list(SOURCE.fetch(saved, day_window(date(2026, 9, 4))))


def test_the_week_before_is_read_again_and_never_a_day_that_is_no_longer_served() -> None:
    assert [w.slice_date.day for w in SOURCE.windows(usage_settings(), date(2026, 9, 30))] == list(range(23, 31))
    with pytest.raises(ValidationError):
        usage_settings(trailing_days=30)


@pytest.mark.parametrize(
    ("given_settings", "said"),
    [
        ({}, "give either 'management_key'"),
        ({"management_key": "k", "location": "x"}, "not both"),
        ({"management_key": "k", "url": "openrouter.ai"}, "must be an address"),
    ],
)
def test_settings_that_cannot_work_are_refused(given_settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        OpenRouterUsageSettings.model_validate({"name": "o", **given_settings})
    assert any(said in str(error["msg"]) for error in refused.value.errors())


def test_the_key_stands_in_no_words_of_the_settings() -> None:
    assert KEY not in f"{usage_settings()!r} {usage_settings()}"


def test_the_registry_knows_the_source() -> None:
    assert source("openrouter_usage") is SOURCE


def test_money_of_the_report_is_kept_to_the_digit() -> None:
    content = page(row(usage="AMOUNT")).replace(b'"AMOUNT"', b"0.123456789012345678901")
    (found,) = parse(SOURCE, usage_settings(), WINDOW, content).rows.to_pylist()
    assert Decimal(json.loads(found["x_extra"])["usage"]) == Decimal("0.123456789012345678901")
