"""Tokens are counted in classes that share nothing; what the report leaves out is unknown."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.anthropic.settings import UsageSettings
from connectors.anthropic.usage import SOURCE, AnthropicUsageSource
from connectors.base import IncompleteDeliveryError, RefusedRequestError
from connectors.windows import day_window
from tests.connectors.anthropic.conftest import DAY, Night, parse_usage
from tests.connectors.anthropic.written import KEY, USAGE_GROUPS, WIDTHS, Api, bucket, groups, page, serve, usage
from tests.connectors.faulty_server import Clock, FaultyServer, Request, json_answer

START = "2026-09-03T00:00:00Z"
INPUTS = ("input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


def day(*results: Any, **over: Any) -> Night:
    return parse_usage([page([bucket(START, results)])], **over)


def only(**over: Any) -> dict[str, Any]:
    (row,) = day(usage(**over)).rows
    return row


counts = st.integers(0, 10**15)


@given(st.lists(st.tuples(counts, counts, counts, counts, counts, counts), max_size=20))
def test_the_classes_make_up_the_totals_and_nothing_is_lost_on_the_way(figures: list[tuple[int, ...]]) -> None:
    results = [usage(*found[:5], searches=found[5], api_key_id=f"apikey_{n}") for n, found in enumerate(figures)]
    night = day(*results)
    messages = [row for row in night.rows if row["operation"] == "messages"]
    for row, found in zip(messages, figures, strict=True):
        assert tuple(row[name] for name in INPUTS) == (found[0], found[1], found[2], found[3])
        assert row["input_total_tokens"] == sum(found[:4])
        assert row["output_text_tokens"] == row["output_total_tokens"] == found[4]
    searches = [row["quantity"] for row in night.rows if row["operation"] == "web_search"]
    assert searches == [found[5] for found in figures if found[5]]
    assert night.rejects == ()


def test_every_field_finds_its_column() -> None:
    row = only(service_tier="priority", context_window="200k-1M", inference_geo="us", account_id="user_01")
    assert (row["usage_start"], row["usage_end"]) == (datetime(2026, 9, 3), datetime(2026, 9, 4))
    assert (row["usage_date"], row["x_slice_date"]) == (DAY, DAY)
    assert (row["provider_name"], row["operation"]) == ("Anthropic", "messages")
    assert (row["sub_account_id"], row["api_key_id"], row["user_id"]) == ("wrkspc_01", "apikey_01", "user_01")
    assert (row["service_tier"], row["context_window"], row["region_id"]) == ("priority", "200k-1M", "us")
    assert row["output_reasoning_tokens"] is None
    assert row["x_extra"] is None


@pytest.mark.parametrize("tier", ["priority", "standard", "priority_on_demand", None])
def test_tokens_of_the_tier_that_the_cost_report_leaves_out_say_so(tier: str | None) -> None:
    tokens, searches = day(usage(service_tier=tier, searches=3)).rows
    assert tokens["left_out_of_bill"] == ("priority_tier" if tier == "priority" else None)
    assert searches["left_out_of_bill"] is None


def test_the_analytics_reports_leave_no_tier_out() -> None:
    group = {"service_tier": "priority", "model": "claude-opus-4-5"}
    counted = {"uncached_input_tokens": 5, "output_tokens": 1}
    result = {"starting_at": START, "ending_at": "2026-09-04T00:00:00Z", "group": group, "usage": counted}
    (row,) = parse_usage([page([result])], api="analytics").rows
    assert (row["service_tier"], row["left_out_of_bill"]) == ("priority", None)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("standard", "default"),
        ("batch", "batch"),
        ("flex", "flex"),
        ("priority_on_demand", "priority_on_demand"),
        (None, None),
    ],
)
def test_tiers_are_in_the_price_books_words_where_it_has_one(theirs: str | None, ours: str | None) -> None:
    assert only(service_tier=theirs)["service_tier"] == ours


@pytest.mark.parametrize("count", [-1, 1.5, "10", True, [], 10**30])
def test_a_count_that_is_none_is_refused_and_its_neighbours_stay(count: Any) -> None:
    night = day(usage(), usage(cache_read_input_tokens=count, api_key_id="apikey_02"))
    assert len(night.rows) == 1
    (reject,) = night.rejects
    assert (reject.reason, reject.row) == ("bad_count", 3)
    assert "apikey_02" in reject.payload


@pytest.mark.parametrize("name", ["uncached_input_tokens", "output_tokens"])
def test_a_result_without_tokens_is_no_result_of_this_report(name: str) -> None:
    (reject,) = day(usage(**{name: None})).rejects
    assert (reject.reason, reject.column_name) == ("missing_value", name)


def test_what_the_report_leaves_out_is_unknown_and_so_is_the_sum() -> None:
    row = only(cache_creation=None)
    assert row["cache_write_5m_tokens"] is None
    assert row["input_uncached_tokens"] == 10
    assert row["input_total_tokens"] is None
    assert row["output_total_tokens"] == 5


def test_cache_writes_of_a_new_duration_are_kept_and_told() -> None:
    writes = {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2, "ephemeral_12h_input_tokens": 7}
    night = day(usage(cache_creation=writes, server_tool_use={"web_search_requests": 0, "web_fetch_requests": 4}))
    (row,) = night.rows
    assert json.loads(row["x_extra"]) == {
        "cache_creation": {"ephemeral_12h_input_tokens": 7},
        "server_tool_use": {"web_fetch_requests": 4},
    }
    assert "cache_creation.ephemeral_12h_input_tokens, server_tool_use.web_fetch_requests" in night.notices


@pytest.mark.parametrize("tools", [None, {}, {"web_search_requests": 0}, {"web_search_requests": None}])
def test_no_web_search_is_no_row(tools: Any) -> None:
    assert len(day(usage(server_tool_use=tools)).rows) == 1


def test_unreadable_web_searches_are_refused_and_the_tokens_stay() -> None:
    night = day(usage(server_tool_use={"web_search_requests": "many"}))
    assert [row["operation"] for row in night.rows] == ["messages"]
    assert [(reject.reason, reject.row) for reject in night.rejects] == [("bad_count", 2)]


def test_a_bucket_of_another_day_is_refused() -> None:
    night = parse_usage([page([bucket("2026-09-02T00:00:00Z", [usage()])])])
    assert [reject.reason for reject in night.rejects] == ["outside_window"]


def test_buckets_of_two_lengths_over_the_same_time_are_an_incomplete_delivery() -> None:
    hourly = bucket("2026-09-03T05:00:00Z", [usage(api_key_id="apikey_02")], WIDTHS["1h"])
    with pytest.raises(IncompleteDeliveryError, match="cover the same time"):
        parse_usage([page([bucket(START, [usage()])]), page([hourly])])


def flat(total_tokens: int | None, **over: Any) -> bytes:
    spans = {"starting_at": START, "ending_at": "2026-09-04T00:00:00Z"}
    group = {"api_key_id": "apikey_01", "product": "claude_code"}
    figures = {name: value for name, value in usage().items() if "token" in name or name == "cache_creation"}
    return page([{**spans, "group": group, "usage": {**figures, "requests": 2, "total_tokens": total_tokens, **over}}])


def test_a_total_of_analytics_that_its_classes_do_not_make_up_is_kept_and_told() -> None:
    assert parse_usage([flat(42)], api="analytics").notices == ""
    night = parse_usage([flat(43)], api="analytics")
    (row,) = night.rows
    assert json.loads(row["x_extra"]) == {"product": "claude_code", "total_tokens": 43}
    assert row["input_total_tokens"] + row["output_total_tokens"] == 42
    assert "1 rows whose classes of tokens do not make up" in night.notices


def asked(server: FaultyServer, **over: Any) -> list[Request]:
    settings = UsageSettings(**{"name": "u", "kind": "anthropic_usage", "api_key": KEY, "url": server.url, **over})
    list(AnthropicUsageSource(sleep=Clock().sleep).fetch(settings, day_window(DAY)))
    return server.requests


@pytest.mark.parametrize(("width", "limit", "requests"), [("1m", "1440", 1), ("1h", "168", 1), ("1d", "31", 1)])
def test_the_largest_page_that_the_api_allows_is_asked_for(
    server: FaultyServer, width: str, limit: str, requests: int
) -> None:
    serve(server, "usage_report/messages", Api({}, tuple(WIDTHS), most=1440))
    found = asked(server, bucket_width=width)
    assert len(found) == requests
    assert found[0].query["limit"] == [limit]
    assert found[0].query["starting_at"] == [START]
    assert found[0].query["ending_at"] == ["2026-09-04T00:00:00Z"]


def test_more_groups_are_asked_for_and_fast_mode_with_its_header(server: FaultyServer) -> None:
    serve(
        server,
        "usage_report/messages",
        lambda request: json_answer(page([bucket(START, [usage()])])),
        beta="fast-mode-2026-02-01",
    )
    (request,) = asked(server, more_groups=["account_id", "speed"])
    assert groups(request) == [*USAGE_GROUPS, "account_id", "speed"]


def test_the_speed_is_kept_and_no_news() -> None:
    night = day(usage(speed="fast"), usage(speed="standard"))
    assert [json.loads(row["x_extra"]) for row in night.rows] == [{"speed": "fast"}, {"speed": "standard"}]
    assert night.notices == ""


def test_a_probe_that_is_refused_for_its_dates_found_a_good_key(server: FaultyServer) -> None:
    settings = UsageSettings.model_validate(
        {"name": "u", "kind": "anthropic_usage", "api_key": KEY, "url": server.url, "api": "analytics"}
    )
    too_old = b'{"type":"error","error":{"type":"invalid_request_error","message":"starting_at is too old"}}'
    server.route("/v1/organizations/analytics/usage", json_answer(too_old, 400))
    assert "analytics/usage" in SOURCE.probe(settings)
    server.route("/v1/organizations/analytics/usage", json_answer(b'{"type":"error"}', 404))
    with pytest.raises(RefusedRequestError):
        SOURCE.probe(settings)


def test_the_windows_of_a_night_are_eight_days() -> None:
    settings = UsageSettings(name="u", kind="anthropic_usage", location="/")
    windows = SOURCE.windows(settings, date(2026, 9, 3))
    assert [window.slice_date for window in windows] == [date(2026, 8, n) for n in range(27, 32)] + [
        date(2026, 9, n) for n in range(1, 4)
    ]


def test_chunks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.gathered.CHUNK_ROWS", 2)
    hours: Sequence[str] = [f"2026-09-03T{hour:02}:00:00Z" for hour in range(4)]
    pages = [page([bucket(hour, [usage(), usage(api_key_id="b")], WIDTHS["1h"])]) for hour in hours]
    assert len(parse_usage(pages).rows) == 8
