"""A single request to OpenRouter becomes the attempt worked out by hand, whichever form tells of it."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.base import SourceSettings, Window
from connectors.logs.values import keyed_hash
from connectors.openrouter.generations import allowed
from connectors.openrouter.log import SOURCE
from connectors.openrouter.settings import OpenRouterLogSettings
from connectors.windows import day_window
from models.identity import identity_rows
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.openrouter.generation import broadcast, record, span, told, trace
from tests.connectors.stored_log import DAY, KEY, NO_COUNTS, LogFolder, places, planted

FILE = f"{DAY}/4bf92f35-1795225121.json"
EXAMPLE = (
    Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/written/openrouter_generation.json"
)
BUCKETS = ("input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_text_tokens", "output_reasoning_tokens")  # fmt: skip


def settings(**over: Any) -> OpenRouterLogSettings:
    return OpenRouterLogSettings.model_validate({"name": "log", "location": "/", "hash_key": KEY, **over})


class TestOpenRouterLog(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        return settings(**over)

    def window(self) -> Window:
        return day_window(DAY)

    def pages(self) -> list[bytes]:
        redact = allowed(settings()).redact
        first, other, last = (json.dumps(redact(record(id=f"gen-{n}"))).encode() + b"\n" for n in (1, 2, 3))
        return [first + other + other, last + other]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"id"', b'"x_from_the_future": 1, "id"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"gen-1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]


def test_a_record_becomes_the_attempt_worked_out_by_hand(log: LogFolder) -> None:
    log.file(FILE, [record()])
    (row,) = log.rows()
    assert tuple(row[name] for name in BUCKETS) == (500, 700, 0, 250, 50)
    assert (row["input_total_tokens"], row["output_total_tokens"], row["usage_provenance"]) == (1200, 300, "provider")
    assert (row["request_id"], row["status"], row["is_stream"]) == ("gen-1", "success", True)
    assert row["started_at"] == datetime(2026, 11, 21, 1, 38, 40, 440000)
    assert row["latency_seconds"] == 1.001
    assert (row["provider"], row["billed_model"], row["service_tier"]) == ("OpenRouter", "openai/gpt-4.1", "priority")
    assert (row["source_reported_cost_usd"], row["source_cost_basis"]) == (Decimal("0.0031"), "after_discount")
    assert row["customer_hash"] == keyed_hash(KEY)("alice@corp.test")
    assert row["x_extra"] == '{"cache_discount":"0.00105","provider_name":"OpenAI","upstream_id":"chatcmpl-1"}'


def test_a_trace_is_the_same_attempt_and_tells_who_asked(log: LogFolder) -> None:
    log.raw(FILE, json.dumps(broadcast()).encode())
    (row,) = log.rows()
    log.file(FILE, [record()])
    (same,) = log.rows()
    more = {"gateway_team_id", "outcome_ids", "key_alias", "organization_id", "user_hash", "x_extra", "x_page"}
    less = {"is_stream", "service_tier"}
    assert {name for name in row if row[name] != same[name]} == more | less | {"call_type"}
    assert (row["gateway_team_id"], row["outcome_ids"], row["key_alias"]) == (
        "search",
        '{"ticket":"T-1"}',
        "search-prod",
    )
    assert (row["organization_id"], row["user_hash"]) == ("org-1", keyed_hash(KEY)("bob@corp.test"))


def test_a_request_in_both_forms_counts_once(log: LogFolder) -> None:
    log.raw(FILE, json.dumps(broadcast()).encode())
    log.file(f"{DAY}/saved.jsonl", [{"data": record()}])
    night = log.night()
    assert (night.rows.num_rows, night.duplicate_count, night.rejects) == (1, 1, ())


@pytest.mark.parametrize(
    "spans",
    [
        [span(9, None, "Order", {"trace.name": "Order"}), span(1, 9, "LLM Generation", told())],
        [span(1, 77, "my own name", told())],  # below a span of the caller's, which is stored elsewhere
        [span(2, 1, "generation", told()), span(1, None, "LLM Generation", told())],
        [span(2, 3, "tries", {}), span(3, 1, "between", {}), span(4, 2, "generation", told()), span(1, None, "LLM", told())],
    ],
)  # fmt: skip
def test_of_the_spans_of_a_request_the_outermost_counts(spans: list[dict[str, Any]], log: LogFolder) -> None:
    log.raw(FILE, json.dumps(trace(*spans)).encode())
    assert [row["input_total_tokens"] for row in log.rows()] == [1200]


def test_a_request_whose_spans_name_each_other_as_parent_still_counts(log: LogFolder) -> None:
    log.raw(FILE, json.dumps(trace(span(1, 2, "a", told()), span(2, 1, "b", {}))).encode())
    assert [row["request_id"] for row in log.rows()] == ["gen-1"]


def test_a_trace_of_something_else_is_refused_and_a_test_of_the_connection_is_nothing(log: LogFolder) -> None:
    log.raw(f"{DAY}/other.json", json.dumps(trace(span(1, None, "job", {"gen_ai.prompt": "a prompt"}))).encode())
    log.raw(f"{DAY}/test.json", b'{"resourceSpans": []}')
    log.raw(f"{DAY}/error.json", b'{"error": {"code": 404, "message": "a prompt"}}')
    assert [reject.reason for reject in log.night().rejects] == ["unknown_format"] * 2
    assert b"a prompt" not in log.landed_bytes()


def test_with_an_own_key_the_provider_was_paid_and_openrouter_took_its_fee(log: LogFolder) -> None:
    log.file(FILE, [record(is_byok=True, total_cost=0.00015)])
    (row,) = log.rows()
    assert (row["provider"], row["source_reported_cost_usd"]) == ("OpenAI", Decimal("0.0029"))
    assert '"openrouter_fee":"0.00015"' in row["x_extra"]


def test_the_typescript_clients_names_are_read(log: LogFolder) -> None:
    def camel(name: str) -> str:
        first, *rest = name.split("_")
        return first + "".join(word.title() for word in rest)

    log.file(FILE, [{"data": {camel(name): value for name, value in record().items()}}])
    (row,) = log.rows()
    log.file(FILE, [record()])
    assert log.rows()[0] == row


def test_where_the_provider_counted_nothing_openrouters_own_count_stands(log: LogFolder) -> None:
    without = {name: value for name, value in record().items() if not name.startswith("native_tokens")}
    log.file(FILE, [without])
    (row,) = log.rows()
    assert (row["input_total_tokens"], row["output_total_tokens"]) == (1100, 280)
    assert row["usage_provenance"] == "gateway_tokenizer"


@pytest.mark.parametrize(
    ("over", "asked", "billed"),
    [
        ({"router": "openrouter/auto"}, "openrouter/auto", "openai/gpt-4.1"),
        ({}, "openai/gpt-4.1", "openai/gpt-4.1"),
    ],
)
def test_a_router_is_asked_for_and_a_model_billed(
    over: dict[str, Any], asked: str, billed: str, log: LogFolder
) -> None:
    log.file(FILE, [record(**over)])
    (row,) = log.rows()
    assert (row["requested_model"], row["billed_model"]) == (asked, billed)
    found = identity_rows([(row["provider"], row["billed_model"])], {})
    assert (found["provider_id"][0], found["identity_source"][0]) == ("openrouter", "genai-prices")


def test_a_trace_of_a_routed_request_names_the_model_that_answered(log: LogFolder) -> None:
    log.raw(FILE, json.dumps(broadcast(**{"gen_ai.request.model": "openrouter/auto"})).encode())
    (row,) = log.rows()
    assert (row["requested_model"], row["billed_model"]) == ("openrouter/auto", "openai/gpt-4.1-2025-04-14")


def test_failures_are_those_that_say_so(log: LogFolder) -> None:
    failed = span(1, None, "LLM Generation", {"gen_ai.request.model": "openai/gpt-4.1"}, status={"code": 2})
    log.raw(FILE, json.dumps(trace(failed)).encode())
    log.file(f"{DAY}/saved.jsonl", [record(id="gen-2", finish_reason="error"), record(id="gen-3", cancelled=True)])
    found = {row["request_id"]: (row["status"], row["input_total_tokens"]) for row in log.rows()}
    assert found == {
        "4bf92f3577b34da6a3ce929d0e0e4736/0000000000000001": ("failure", None),
        "gen-2": ("failure", 1200),
        "gen-3": ("success", 1200),
    }


@pytest.mark.parametrize("over", [{"native_tokens_cached": 1300}, {"native_tokens_reasoning": 301}])
def test_parts_above_their_whole_are_refused_with_their_cost(over: dict[str, Any], log: LogFolder) -> None:
    log.file(FILE, [record(**over)])
    assert [(r.reason, r.cost) for r in log.night().rejects] == [("parts_exceed_total", Decimal("0.0031"))]


@pytest.mark.parametrize("secret", ["canary-5f3a", {"text": "canary-5f3a"}, ["canary-5f3a"], [[{"b": "1canary-5f3a"}]]])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(secret: Any, log: LogFolder) -> None:
    texts = {
        *("id", "upstream_id", "model", "provider_name", "finish_reason", "api_type", "service_tier"),
    }
    paths = [path for path in places(record()) if path not in {(name,) for name in texts}]
    log.file(FILE, [planted(record(), path, secret, name) for path in paths for name in ("text", "canary-5f3a")])
    private = [
        {**told(), name: "canary-5f3a"}
        for name in told()
        if name.startswith(("gen_ai.prompt", "gen_ai.completion", "gen_ai.usage", "user", "trace.metadata.note"))
        or name in ("gen_ai.provider.name", "trace.metadata.openrouter.creator_user_id")
    ]
    for number, values in enumerate(private):
        told_twice = span(1, None, "canary-5f3a", values, events=[{"name": "canary-5f3a"}], links=["canary-5f3a"])
        log.raw(f"{DAY}/{number}.json", json.dumps(trace(told_twice)).encode())
    landed = log.landed_bytes()
    assert landed.count(b"\n") == 2 * len(paths) + len(private)
    for word in (b"canary-5f3a", b"a prompt", b"an answer", b"alice", b"bob@", b"private"):
        assert word not in landed


@pytest.mark.parametrize("wrong", NO_COUNTS)
def test_no_number_ends_the_night(wrong: Any, log: LogFolder) -> None:
    names = [name for name, value in record().items() if isinstance(value, int | float)]
    log.file(FILE, [record(**{"id": name, name: wrong}) for name in names])
    night = log.night()
    assert {row["request_id"] for row in night.rows.to_pylist()} | {
        json.loads(reject.payload)["id"] for reject in night.rejects
    } == set(names)


def test_the_documented_generation_is_read(log: LogFolder) -> None:
    if not EXAMPLE.is_file():
        pytest.skip("the documented generation is not beside this checkout")
    day = datetime(2026, 11, 20).date()
    log.raw(f"{day}/a.json", EXAMPLE.read_bytes())
    (row,) = log.rows(day)
    assert tuple(row[name] for name in BUCKETS) == (9, 3, 0, 22, 5)
    assert row["source_reported_cost_usd"] == Decimal("0.0015")
