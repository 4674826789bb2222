"""A call that several spans tell is counted once, and different calls are never taken for one."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Parsed
from tests.connectors.otel.written import CHAT, LLM, START, TRACE, envelope, span
from tests.connectors.stored_log import LogFolder

FILE = "2026-11-21/a.jsonl"
HTTP = {"http.request.method": "POST", "server.address": "api.openai.com"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 2400, "gen_ai.usage.output_tokens": 600}
TOOL = {"openinference.span.kind": "TOOL"}
EMPTY = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
FAILED = {**EMPTY, "error.type": "timeout"}
ANSWERED = {**CHAT, "gen_ai.response.id": "chatcmpl-1"}
SMALL = {**CHAT, "gen_ai.usage.input_tokens": 1100, "gen_ai.usage.output_tokens": 40}


def told(log: LogFolder, *spans: dict[str, Any], **over: Any) -> tuple[list[int], int]:
    """Which spans are counted, by number, and how many count as repetitions."""
    night = night_of(log, *spans, **over)
    assert night.rejects == ()
    return numbers(night), night.duplicate_count


def night_of(log: LogFolder, *spans: dict[str, Any], **over: Any) -> Parsed:
    log.file(FILE, [envelope(one) for one in spans])
    return log.night(cached_inside=["*"], **over)


def numbers(night: Parsed) -> list[int]:
    return sorted(int(key.partition(":")[2], 16) for key in night.rows["dedup_key"].to_pylist())


def test_agents_and_workflows_are_never_counted(log: LogFolder) -> None:
    workflow = {**AGENT, "gen_ai.operation.name": "invoke_workflow"}
    night = night_of(log, span(1, workflow), span(2, AGENT, 1), span(3, CHAT, 2), span(4, CHAT, 2), span(5, TOOL, 2))
    assert (numbers(night), night.duplicate_count, night.notices) == ([3, 4], 0, ())
    assert sum(night.rows["input_total_tokens"].to_pylist()) == 2400


def test_a_framework_and_the_library_in_it_tell_one_call(log: LogFolder) -> None:
    night = night_of(log, span(1, {**LLM, "llm.cost.total": 0.0047}), span(2, ANSWERED, 1))
    assert (numbers(night), night.duplicate_count, night.notices) == ([2], 1, ())
    (row,) = night.rows.to_pylist()
    assert (row["request_id"], row["attempt_group_id"]) == ("chatcmpl-1", f"{TRACE}:{1:016x}")
    assert row["source_reported_cost_usd"] == Decimal("0.0047")


def test_plain_spans_between_two_tellings_do_not_part_them(log: LogFolder) -> None:
    assert told(log, span(1, LLM), span(2, HTTP, 1), span(3, {}, 2), span(4, CHAT, 3)) == ([4], 1)


def test_three_tellings_of_one_call_are_one(log: LogFolder) -> None:
    assert told(log, span(1, LLM), span(2, LLM, 1), span(3, CHAT, 2)) == ([3], 2)


def test_a_call_below_a_tool_or_an_agent_is_one_of_its_own(log: LogFolder) -> None:
    assert told(log, span(1, LLM), span(2, TOOL, 1), span(3, CHAT, 2)) == ([1, 3], 0)
    assert told(log, span(1, LLM), span(2, AGENT, 1), span(3, CHAT, 2)) == ([1, 3], 0)


def test_the_outer_span_counts_where_the_inner_one_lost_its_tokens(log: LogFolder) -> None:
    assert told(log, span(1, CHAT), span(2, EMPTY, 1)) == ([1], 1)
    assert told(log, span(1, CHAT), span(2, CHAT, 1), span(3, EMPTY, 1)) == ([1], 2)


def test_half_a_usage_within_is_no_reason_to_lose_a_whole_one(log: LogFolder) -> None:
    half = {**EMPTY, "gen_ai.usage.input_tokens": 1200}
    assert told(log, span(1, LLM), span(2, half, 1)) == ([1], 1)


def test_embeddings_that_are_told_twice_are_one(log: LogFolder) -> None:
    outer = {"openinference.span.kind": "EMBEDDING", "llm.token_count.prompt": 8, "llm.token_count.total": 8}
    inner = {"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 8}
    assert told(log, span(1, outer), span(2, inner, 1)) == ([2], 1)


def test_the_tries_in_a_framework_are_attempts_of_one_operation(log: LogFolder) -> None:
    night = night_of(log, span(1, LLM), span(2, FAILED, 1), span(3, CHAT, 1))
    assert (numbers(night), night.duplicate_count) == ([2, 3], 1)
    assert set(night.rows["attempt_group_id"].to_pylist()) == {f"{TRACE}:{1:016x}"}
    assert sorted(night.rows["status"].to_pylist()) == ["failure", "success"]


def test_a_failed_try_stays_where_the_outer_span_alone_has_tokens(log: LogFolder) -> None:
    assert told(log, span(1, LLM), span(2, FAILED, 1), span(3, EMPTY, 1)) == ([1, 2], 1)


def test_a_failure_that_is_told_twice_is_one(log: LogFolder) -> None:
    assert told(log, span(1, FAILED), span(2, FAILED, 1)) == ([2], 1)


@pytest.mark.parametrize(("outer", "inner", "counted"), [(LLM, SMALL, 1), (SMALL, LLM, 2)])
def test_of_two_tellings_that_differ_the_larger_counts_and_a_notice_says_so(
    outer: dict[str, Any], inner: dict[str, Any], counted: int, log: LogFolder
) -> None:
    night = night_of(log, span(1, outer), span(2, inner, 1))
    assert (numbers(night), night.duplicate_count) == ([counted], 1)
    (notice,) = night.notices
    assert notice.startswith("1 calls state other output than the calls in them")
    assert f"{TRACE}:{1:016x}" in notice


def test_an_outer_span_of_the_sum_of_its_calls_is_nothing_to_tell(log: LogFolder) -> None:
    both = {**LLM, "llm.token_count.completion": 340, "llm.token_count.total": 1540}
    night = night_of(log, span(1, both), span(2, CHAT, 1), span(3, SMALL, 1))
    assert (numbers(night), night.notices) == ([2, 3], ())


def test_one_answer_in_two_traces_is_one_call(log: LogFolder) -> None:
    other = "0" * 31 + "1"
    spans = (span(1, ANSWERED), span(2, {**LLM, "gen_ai.response.id": "chatcmpl-1"}, traceId=other))
    assert told(log, *spans) == ([1], 1)


def test_an_answer_that_a_cache_gives_again_later_is_a_call_of_its_own(log: LogFolder) -> None:
    later = START + 60 * 10**9
    again = span(2, ANSWERED, startTimeUnixNano=str(later), endTimeUnixNano=str(later + 1000))
    assert told(log, span(1, ANSWERED), again) == ([1, 2], 0)


def test_calls_beside_one_another_are_different_calls(log: LogFolder) -> None:
    assert told(log, span(1, AGENT), span(2, CHAT, 1), span(3, LLM, 1), span(4, CHAT, 1)) == ([2, 3, 4], 0)


def test_the_same_numbers_in_another_trace_are_another_span(log: LogFolder) -> None:
    night = night_of(log, span(1, LLM), span(2, CHAT, 1, traceId="0" * 31 + "1"))
    assert (night.rows.num_rows, night.duplicate_count) == (2, 0)


def test_a_span_that_is_delivered_again_counts_once(log: LogFolder) -> None:
    log.file("2026-11-22/late.jsonl", [envelope(span(1, LLM), span(2, CHAT, 1))])
    assert told(log, span(1, LLM), span(2, CHAT, 1)) == ([2], 3)


def test_the_order_of_spans_and_files_does_not_matter(log: LogFolder) -> None:
    spans = [span(1, LLM), span(2, HTTP, 1), span(3, CHAT, 2), span(4, ANSWERED, 1)]
    assert {str(told(log, *order)) for order in itertools.permutations(spans)} == {"([3, 4], 1)"}


def test_spans_that_stand_in_one_another_in_a_circle_are_counted_once(log: LogFolder) -> None:
    night = night_of(log, span(1, CHAT, 2), span(2, CHAT, 1), span(3, CHAT, 3))
    assert night.rows.num_rows + night.duplicate_count == 3
    assert night.rows.num_rows >= 2


def test_a_thousand_tellings_of_one_call_are_one(log: LogFolder) -> None:
    chain = [span(1, LLM), *(span(number, CHAT, number - 1) for number in range(2, 1001))]
    assert told(log, *chain) == ([1000], 999)


def test_operations_that_nobody_knows_are_told_and_may_be_named(log: LogFolder) -> None:
    odd = {**CHAT, "gen_ai.operation.name": "acompletion"}
    unnamed = {name: value for name, value in CHAT.items() if name != "gen_ai.operation.name"}
    night = night_of(log, span(1, odd), span(2, odd), span(3, unnamed))
    assert night.rows.num_rows == 0
    assert [notice[:46] for notice in night.notices] == [
        "2 spans of the operation 'acompletion' are not",
        "1 spans of the operation 'unnamed' are not cou",
    ]
    assert numbers(log.night(operations=["chat", "acompletion"])) == [1, 2]


@pytest.mark.parametrize(("share", "words"), [("0.1", "a share of 0.1 of all"), ("0.999", "a share of 0.999 of all")])
def test_a_sample_is_told_to_be_no_ledger(share: str, words: str, log: LogFolder) -> None:
    (notice,) = night_of(log, span(1, CHAT), sampled_share=share).notices
    assert words in notice
    assert "no ledger" in notice


@pytest.mark.parametrize(
    ("state", "is_sampled"),
    [("ot=th:c", True), ("vendor=x,ot=rv:0123456789abcd;th:8", True), ("ot=th:0", False), ("vendor=th:8", False)],
)
def test_a_sampler_that_leaves_its_threshold_is_noticed(state: str, is_sampled: bool, log: LogFolder) -> None:
    notices = night_of(log, span(1, CHAT, traceState=state)).notices
    assert [("these 1 calls are an unknown share of all" in notice) for notice in notices] == [True] * is_sampled


def test_everything_is_no_sample(log: LogFolder) -> None:
    assert night_of(log, span(1, CHAT), sampled_share="1.0").notices == ()


def test_what_was_withheld_of_one_span_is_not_taken_over_by_another(log: LogFolder) -> None:
    odd = {
        "tag.tags": 5,
        "user.id": 0.5,
        "gen_ai.request.stream": "perhaps",
        "llm.cost.total": "much",
        "metadata.team": 0.5,
    }
    night = night_of(log, span(1, {**AGENT, **odd}), span(2, {**LLM, **odd}, 1), span(3, CHAT, 2))
    (row,) = night.rows.to_pylist()
    assert [row[name] for name in ("user_hash", "tags", "is_stream", "gateway_team_id")] == [None] * 4
    assert row["source_reported_cost_usd"] is None


# What Anthropic's own library, OpenInference and OpenLLMetry say of one answer: 103 in, 703 read, 406 written of which 103
# for an hour, 303 out.
BY_THE_LIBRARY = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.response.model": "claude-sonnet-4-5",
    "gen_ai.response.id": "msg_3",
    "gen_ai.usage.input_tokens": 1212,
    "gen_ai.usage.output_tokens": 303,
    "gen_ai.usage.cache_read.input_tokens": 703,
    "gen_ai.usage.cache_write.input_tokens": 406,
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 303,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 103,
    "anthropic.response.service_tier": "standard",
}
BY_OPEN_INFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "anthropic",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.token_count.prompt": 1212,
    "llm.token_count.completion": 303,
    "llm.token_count.total": 1515,
    "llm.token_count.prompt_details.cache_read": 703,
    "llm.token_count.prompt_details.cache_write": 406,
}
BY_OPENLLMETRY = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.response.model": "claude-sonnet-4-5",
    "gen_ai.response.id": "msg_3",
    "gen_ai.usage.input_tokens": 1212,
    "gen_ai.usage.output_tokens": 303,
    "gen_ai.usage.total_tokens": 1515,
    "gen_ai.usage.cache_read.input_tokens": 703,
    "gen_ai.usage.cache_creation.input_tokens": 406,
}


def test_three_instrumentations_of_one_library_tell_one_call_and_the_fullest_counts(log: LogFolder) -> None:
    apart = span(9, BY_OPENLLMETRY, traceId="0" * 31 + "1")
    night = night_of(log, span(1, BY_OPEN_INFERENCE), span(2, BY_THE_LIBRARY, 1), apart)
    assert (numbers(night), night.duplicate_count, night.notices) == ([2], 2, ())
    (row,) = night.rows.to_pylist()
    assert (row["input_uncached_tokens"], row["cache_read_tokens"], row["output_text_tokens"]) == (103, 703, 303)
    assert (row["cache_write_5m_tokens"], row["cache_write_1h_tokens"]) == (303, 103)
    assert (row["request_id"], row["service_tier"]) == ("msg_3", "default")


def test_the_outer_span_counts_where_it_says_more_of_the_same_call(log: LogFolder) -> None:
    bare = {**EMPTY, "gen_ai.usage.input_tokens": 1212, "gen_ai.usage.output_tokens": 303}
    night = night_of(log, span(1, BY_OPEN_INFERENCE), span(2, bare, 1))
    assert (numbers(night), night.rows["cache_read_tokens"].to_pylist(), night.notices) == ([1], [703], ())


def test_the_id_of_the_answer_is_known_to_the_call_whichever_span_says_it(log: LogFolder) -> None:
    night = night_of(log, span(1, {**BY_OPENLLMETRY, "llm.cost.total": 0.5}), span(2, BY_OPEN_INFERENCE, 1))
    assert numbers(night) == [2]
    assert night.rows["request_id"].to_pylist() == ["msg_3"]
    assert night.rows["source_reported_cost_usd"].to_pylist() == [Decimal("0.5")]
