"""What an organisation used: every endpoint, exclusive classes, and nothing that was not said."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import AuthenticationError, IncompleteDeliveryError, SourceError, Window
from connectors.openai.endpoints import ENDPOINTS
from connectors.openai.settings import OpenAiUsageSettings
from connectors.openai.usage import SOURCE, OpenAiUsage
from connectors.registry import source
from tests.connectors.faulty_server import Clock, FaultyServer, Request, json_answer
from tests.connectors.openai.written import (
    DAY,
    EXAMPLES,
    KEY,
    WINDOW,
    Organisation,
    bucket,
    completion,
    epoch,
    page,
    parse,
    result,
    usage,
    usage_settings,
)

TWO_DAYS = Window(WINDOW.start, WINDOW.end + timedelta(days=1))
CLASSES = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "input_total_tokens",
    "output_text_tokens",
    "output_reasoning_tokens",
    "output_audio_tokens",
    "output_total_tokens",
)


def example(name: str) -> bytes:
    if not EXAMPLES.is_dir():
        pytest.skip("the provider's example answers are not in this checkout: ../shared/contracts unlocks this test")
    return (EXAMPLES / name).read_bytes()


def one(parsed: Any) -> dict[str, Any]:
    """The only row of a delivery in which nothing was refused."""
    assert parsed.rejects == ()
    (row,) = parsed.rows.to_pylist()
    return row


def classes(parsed: Any) -> tuple[int | None, ...]:
    row = one(parsed)
    return tuple(row[name] for name in CLASSES)


def fetch(server: FaultyServer, window: Window = WINDOW, **over: Any) -> list[bytes]:
    settings = usage_settings(**{"url": f"{server.url}/v1", **over})
    return [body(fetched) for fetched in OpenAiUsage(sleep=Clock().sleep).fetch(settings, window)]


def body(fetched: Any) -> bytes:
    with fetched.body.open() as stream:
        return stream.read()


def test_the_examples_add_up_to_what_was_counted_by_hand() -> None:
    pages = [example(f"usage_completions_page{n}.json") for n in (1, 2)]
    parsed = parse(SOURCE, usage_settings(), TWO_DAYS, *pages)
    seen = {(r["usage_date"], r["model"], r["service_tier"]): r for r in parsed.rows.to_pylist()}
    first = seen[DAY, "gpt-4o-2024-08-06", "default"]
    assert [first[name] for name in CLASSES] == [500_000, 400_000, 100_000, 0, 0, 1_000_000, 180_000, None, 0, 180_000]
    assert (first["sub_account_id"], first["api_key_id"], first["request_count"]) == (
        "proj_Acme0Search",
        "key_a1b2c3",
        1200,
    )
    batch = seen[DAY, "gpt-4o-mini-2024-07-18", "batch"]
    assert (batch["input_uncached_tokens"], batch["output_text_tokens"]) == (900_000, 300_000)
    second = seen[date(2026, 9, 4), "gpt-4o-2024-08-06", "default"]
    assert (second["input_uncached_tokens"], second["cache_read_tokens"]) == (620_000, 380_000)
    assert (len(seen), parsed.rejects, parsed.notices) == (3, (), ())


def test_the_examples_of_the_other_endpoints_are_read() -> None:
    pages = [example(f"usage_{name}.json") for name in ("embeddings", "images", "completions_empty_bucket")]
    rows = parse(SOURCE, usage_settings(), WINDOW, *pages).rows.to_pylist()
    seen = {r["operation"]: (r["input_total_tokens"], r["quantity"], r["request_count"], r["x_extra"]) for r in rows}
    extra = '{"size":"1024x1024","source":"image.generation"}'
    assert seen == {"embeddings": (2_500_000, None, 900, None), "images": (None, Decimal(12), 12, extra)}


def test_a_result_becomes_a_row_with_all_that_it_says() -> None:
    row = one(usage(completion(api_source="responses", user_id="user-1")))
    expected = {
        "usage_start": datetime(2026, 9, 3),
        "usage_end": datetime(2026, 9, 4),
        "usage_date": DAY,
        "provider_name": "OpenAI",
        "operation": "completions",
        "sub_account_id": "proj_search",
        "api_key_id": "key_a",
        "user_id": "user-1",
        "deployment_id": None,
        "model": "gpt-6-astra",
        "service_tier": "default",
        "request_count": 7,
        "input_uncached_tokens": 470,
        "cache_read_tokens": 400,
        "cache_write_5m_tokens": 60,
        "cache_write_1h_tokens": 40,
        "input_audio_tokens": 30,
        "output_text_tokens": 180,
        "output_reasoning_tokens": None,
        "output_audio_tokens": 20,
        "input_total_tokens": 1000,
        "output_total_tokens": 200,
        "input_semantics": "inclusive",
        "quantity": None,
        "quantity_unit": None,
        "x_extra": '{"api_source":"responses","input_cached_text_tokens":400,"input_image_tokens":20,'
        '"output_image_tokens":10}',
        "x_source": "openai-usage",
        "x_slice_date": DAY,
        "x_row": 1,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("kind", "fields", "operation", "expected"),
    [
        ("embeddings", {"input_tokens": 5, "num_model_requests": 2}, "embeddings", (5, None, None, 2, "inclusive")),
        ("moderations", {"input_tokens": 6, "num_model_requests": 3}, "moderations", (6, None, None, 3, "inclusive")),
        ("images", {"images": 4, "num_model_requests": 4}, "images", (None, 4, "images", 4, None)),
        (
            "audio_speeches",
            {"characters": 1200, "num_model_requests": 1},
            "audio_speeches",
            (None, 1200, "characters", 1, None),
        ),
        (
            "audio_transcriptions",
            {"seconds": 61.5, "num_model_requests": 1},
            "audio_transcriptions",
            (None, Decimal("61.5"), "seconds", 1, None),
        ),
        ("vector_stores", {"usage_bytes": 10**12}, "vector_stores", (None, 10**12, "bytes", None, None)),
        (
            "code_interpreter_sessions",
            {"num_sessions": 3},
            "code_interpreter_sessions",
            (None, 3, "sessions", None, None),
        ),
        ("file_searches", {"num_requests": 9}, "file_search_calls", (None, 9, "calls", None, None)),
        (
            "web_searches",
            {"num_requests": 8, "num_model_requests": 5},
            "web_search_calls",
            (None, 8, "calls", 5, None),
        ),
    ],
)
def test_every_endpoint_counts_what_it_counts(
    kind: str, fields: dict[str, Any], operation: str, expected: tuple[Any, ...]
) -> None:
    row = one(usage(result(kind, **fields)))
    seen = (
        row["input_total_tokens"],
        row["quantity"],
        row["quantity_unit"],
        row["request_count"],
        row["input_semantics"],
    )
    assert (row["operation"], seen) == (operation, expected)
    assert row["input_uncached_tokens"] == row["input_total_tokens"]
    assert row["output_total_tokens"] is None


@pytest.mark.parametrize(
    ("absent", "expected"),
    [
        # nothing but the totals: uncached takes what nobody separated, the classes are unknown, not zero
        ("all", (1000, None, None, None, None, 1000, 200, None, None, 200)),
        # as it was before cache writes were counted
        ("input_uncached_tokens input_cache_write", (600, 400, None, None, None, 1000, 200, None, None, 200)),
        # one of the three follows from the others
        ("input_cached_tokens", (500, 400, 60, 40, None, 1000, 200, None, None, 200)),
        ("input_cache_write", (500, 400, 100, None, None, 1000, 200, None, None, 200)),
        ("input_uncached_tokens", (500, 400, 60, 40, None, 1000, 200, None, None, 200)),
        # of the durations, too
        ("input_cache_write_30m_tokens", (500, 400, 60, 40, None, 1000, 200, None, None, 200)),
        ("input_cache_write_12h_tokens", (500, 400, 60, 40, None, 1000, 200, None, None, 200)),
        (
            "input_cache_write_30m_tokens input_cache_write_12h_tokens",
            (500, 400, 100, None, None, 1000, 200, None, None, 200),
        ),
        ("input_cache_write_tokens", (500, 400, 60, 40, None, 1000, 200, None, None, 200)),
    ],
)
def test_what_is_absent_follows_from_the_rest_or_is_unknown(absent: str, expected: tuple[int | None, ...]) -> None:
    given = {name: value for name, value in completion().items() if not is_modality(name)}
    for prefix in ("input_uncached", "input_cached", "input_cache_write") if absent == "all" else absent.split():
        given = {name: value for name, value in given.items() if not name.startswith(prefix)}
    assert classes(usage(given)) == expected
    given.update(dict.fromkeys(set(completion()) - set(given)))
    assert classes(usage(given)) == expected, "null says no more than absent"


def is_modality(name: str) -> bool:
    return any(word in name for word in ("_text_", "_audio_", "_image_"))


def test_modalities_alone_make_up_what_they_are_parts_of() -> None:
    given = completion()
    del given["input_uncached_tokens"], given["input_cached_tokens"]
    assert classes(usage(given))[:5] == (470, 400, 60, 40, 30)


def test_input_that_is_not_split_is_told() -> None:
    parsed = usage({"object": "organization.usage.completions.result", "input_tokens": 5, "output_tokens": 1})
    assert len(parsed.notices) == 1
    assert parsed.notices[0].startswith("1 results of completions do not say how much input was cached")
    assert usage(completion()).notices == ()


@pytest.mark.parametrize(
    ("batch", "tier", "expected"),
    [
        (True, "default", "batch"),
        (True, None, "batch"),
        (False, "flex", "flex"),
        (None, "priority", "priority"),
        (None, None, None),
        (False, "scale", "provisioned"),
        (False, "auto", "auto"),
        (False, "standard", "default"),
    ],
)
def test_tiers_are_in_the_price_books_words(batch: bool | None, tier: str | None, expected: str | None) -> None:
    assert one(usage(completion(batch=batch, service_tier=tier)))["service_tier"] == expected


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"input_cached_tokens": 1001}, "parts_do_not_add_up"),
        ({"input_uncached_tokens": 499}, "parts_do_not_add_up"),
        ({"input_audio_tokens": 31}, "parts_do_not_add_up"),
        ({"input_text_tokens": None, "input_image_tokens": 471}, "parts_do_not_add_up"),
        ({"input_cached_audio_tokens": 1}, "parts_do_not_add_up"),
        ({"output_audio_tokens": 201}, "parts_do_not_add_up"),
        ({"output_text_tokens": 169}, "parts_do_not_add_up"),
        ({"input_cache_write_12h_tokens": 41}, "parts_do_not_add_up"),
        ({"input_cached_tokens": None, "input_cached_text_tokens": None, "input_cache_write_tokens": None,
          "input_cache_write_30m_tokens": None, "input_cache_write_12h_tokens": None}, "input_not_split"),
        ({"input_tokens": -1}, "bad_count"),
        ({"input_tokens": "1000"}, "bad_count"),
        ({"input_tokens": 1000.5}, "bad_count"),
        ({"input_tokens": True}, "bad_count"),
        ({"input_tokens": 2**63}, "bad_count"),
        ({"output_tokens": 1e300}, "bad_count"),
        ({"num_model_requests": [1]}, "bad_count"),
        ({"input_tokens": None}, "missing_value"),
        ({"output_tokens": None}, "missing_value"),
        ({"model": 4}, "unreadable_text"),
        ({"project_id": {"id": "proj"}}, "unreadable_text"),
        ({"batch": "true"}, "unreadable_flag"),
        ({"object": "organization.usage.decisions.result"}, "unknown_object"),
        ({"object": None}, "unknown_object"),
    ],
)  # fmt: skip
def test_a_result_that_contradicts_itself_is_refused_with_its_payload(over: dict[str, Any], reason: str) -> None:
    given = completion(**over)
    parsed = usage(completion(model="good"), given)
    assert parsed.rows["model"].to_pylist() == ["good"]
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row) == (reason, 2)
    assert json.loads(reject.payload)["api_key_id"] == "key_a"
    assert "\n" not in reject.detail


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (7, "unreadable_bucket"),
        ({"start_time": epoch(DAY), "end_time": epoch(DAY) + 86_400}, "unreadable_bucket"),
        ({**bucket([]), "results": None}, "unreadable_bucket"),
        (bucket([None]), "not_an_object"),
        (bucket(["x"]), "not_an_object"),
        (bucket([completion()], start=epoch(DAY) * 1000), "unreadable_time"),
        (bucket([completion()], start=0), "unreadable_time"),
        ({**bucket([completion()]), "start_time": "2026-09-03"}, "unreadable_time"),
        (bucket([completion()], seconds=0), "period_not_forward"),
        (bucket([completion()], start=epoch(DAY) + 86_400), "outside_window"),
        (bucket([completion()], seconds=86_401), "outside_window"),
    ],
)
def test_a_bucket_that_cannot_be_read_is_refused_and_the_others_are_kept(found: Any, reason: str) -> None:
    parsed = parse(SOURCE, usage_settings(), WINDOW, page(found, bucket([completion()])))
    assert parsed.rows.num_rows == 1
    assert [(reject.reason, reject.row) for reject in parsed.rejects] == [(reason, 1)]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", IncompleteDeliveryError),
        (b'{"data": [', IncompleteDeliveryError),
        (b'{"data": [], "has_more": NaN}', IncompleteDeliveryError),
        (b'{"data": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", IncompleteDeliveryError),
        (b'{"data": [' + b"9" * 5_000 + b'], "has_more": false}', IncompleteDeliveryError),
        (b"\xff\xfe{}", IncompleteDeliveryError),
        (b"[]", SourceError),
        (b'{"error": {"message": "You have insufficient permissions"}}', SourceError),
        (b'{"data": {}, "has_more": false}', SourceError),
        (b'{"data": []}', SourceError),
        (b'{"data": [], "has_more": "no"}', SourceError),
        (b'{"data": [], "has_more": false, "next_page": 7}', SourceError),
    ],
)
def test_what_is_no_page_is_never_an_empty_delivery(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse(SOURCE, usage_settings(), WINDOW, content)


def test_names_that_deceive_the_eye_are_made_plain() -> None:
    parsed = usage(completion(model="gpt\u202e-4\x00", project_id="proj\ud800", api_key_id="k" * 300, user_id=""))
    row = one(parsed)
    assert (row["model"], row["sub_account_id"], row["user_id"]) == ("gpt-4", "proj?", None)
    assert len(row["api_key_id"]) == 256


def test_what_is_new_is_kept_and_told_and_what_names_people_is_not_kept() -> None:
    parsed = usage(
        completion(region="eu", user_email="a.person@example.com"),
        completion(user_email="a.person@example.com", input_tokens=-1),
    )
    (extra,) = parsed.rows["x_extra"].to_pylist()
    assert json.loads(extra)["region"] == "eu"
    assert parsed.notices == ("fields that are new, kept in x_extra: region",)
    assert "person" not in f"{extra} {parsed.rejects}"


def test_tokens_that_an_endpoint_of_images_may_count_some_day_are_kept() -> None:
    row = one(usage(result("images", images=1, input_tokens=900)))
    assert (row["input_total_tokens"], row["x_extra"]) == (None, '{"input_tokens":900}')


def test_a_chain_whose_last_page_is_missing_is_incomplete() -> None:
    first = page(bucket([completion()], epoch(DAY), 3600), next_page="cursor")
    last = page(bucket([completion()], epoch(DAY, 1), 3600))
    other = page(bucket([result("images", images=1)], epoch(DAY, 1), 3600))
    settings = usage_settings(bucket_width="1h")
    assert parse(SOURCE, settings, WINDOW, first, last).rows.num_rows == 2
    for pages in ([first], [first, other]):
        with pytest.raises(IncompleteDeliveryError, match="announces another page"):
            parse(SOURCE, settings, WINDOW, *pages)


def test_a_bucket_of_two_downloads_counts_once_and_contradicting_downloads_are_not_taken() -> None:
    first, second = completion(), completion(model="other")
    again = page(bucket([second, first]))
    parsed = parse(SOURCE, usage_settings(), WINDOW, page(bucket([first, second])), again)
    assert (parsed.rows.num_rows, parsed.duplicate_count) == (2, 2)
    later = page(bucket([completion(num_model_requests=8)]))
    with pytest.raises(IncompleteDeliveryError, match="different numbers"):
        parse(SOURCE, usage_settings(), WINDOW, page(bucket([first])), later)


def test_two_results_of_one_bucket_are_two_rows_whatever_they_say() -> None:
    assert usage(completion(), completion()).rows.num_rows == 2


@pytest.mark.parametrize(("width", "limit"), [("1d", "31"), ("1h", "168"), ("1m", "1440")])
def test_every_endpoint_is_asked_by_all_that_separates_a_price_or_an_owner(
    server: FaultyServer, width: str, limit: str
) -> None:
    Organisation({}).install(server)
    fetch(server, bucket_width=width)
    asked = {r.path.removeprefix("/v1/organization/usage/"): r.query for r in server.requests}
    assert set(asked) == set(ENDPOINTS)
    for query in asked.values():
        assert (query["bucket_width"], query["limit"]) == ([width], [limit])
        assert (query["start_time"], query["end_time"]) == ([str(epoch(DAY))], [str(epoch(DAY) + 86_400)])
    by = {name: query["group_by[]"] for name, query in asked.items()}
    owners = ["project_id", "api_key_id"]
    assert by["completions"] == [*owners, "model", "batch", "service_tier"]
    assert by["images"] == [*owners, "model", "size", "source"]
    assert by["web_search_calls"] == [*owners, "model", "context_level"]
    assert by["file_search_calls"] == [*owners, "vector_store_id"]
    assert by["vector_stores"] == by["code_interpreter_sessions"] == ["project_id"]


def test_users_are_asked_for_only_when_wanted(server: FaultyServer) -> None:
    Organisation({}).install(server)
    fetch(server, by_user=True, endpoints=("embeddings", "vector_stores"))
    assert [r.query["group_by[]"] for r in server.requests] == [
        ["project_id", "api_key_id", "model", "user_id"],
        ["project_id"],
    ]


def test_a_day_of_minutes_comes_in_pages_and_nothing_is_lost(server: FaultyServer) -> None:
    minutes = {epoch(DAY) + 60 * n: [completion(input_tokens=1000, num_model_requests=n)] for n in range(1440)}
    Organisation({"usage/completions": minutes}, per_page=500).install(server)
    pages = fetch(server, bucket_width="1m", endpoints=("completions",))
    parsed = parse(SOURCE, usage_settings(bucket_width="1m"), WINDOW, *pages)
    assert (len(pages), parsed.rows.num_rows) == (3, 1440)
    assert sum(parsed.rows["request_count"].to_pylist()) == 1440 * 1439 // 2


def test_milliseconds_to_wait_are_waited(server: FaultyServer) -> None:
    Organisation({}).install(server)
    server.inject(json_answer(b'{"error":{"code":"rate_limit_exceeded"}}', 429, retry_after="6", retry_after_ms="2500"))
    clock = Clock()
    settings = usage_settings(url=f"{server.url}/v1", endpoints=("images",))
    list(OpenAiUsage(sleep=clock.sleep).fetch(settings, WINDOW))
    assert 2.5 <= clock.slept[0] < 4.0


def test_the_key_of_a_project_is_told_to_be_one(server: FaultyServer) -> None:
    Organisation({}).install(server)
    with pytest.raises(AuthenticationError, match=r"Admin key.*api\.usage\.read") as refused:
        fetch(server, admin_key="sk-proj-canary-4711")
    assert len(server.requests) == 1
    assert "canary" not in str(refused.value)


def test_an_endpoint_that_the_organisation_lacks_is_named_with_the_remedy(server: FaultyServer) -> None:
    with pytest.raises(SourceError, match=r"HTTP 404.*take 'images' out of the setting 'endpoints'"):
        fetch(server, endpoints=("images",))


def test_more_that_is_announced_without_a_cursor_is_incomplete(server: FaultyServer) -> None:
    server.route("/v1/organization/usage/images", json_answer(b'{"data":[],"has_more":true,"next_page":null}'))
    with pytest.raises(IncompleteDeliveryError, match="gives no cursor"):
        fetch(server, endpoints=("images",))


def test_saved_answers_give_the_rows_that_the_api_gives(server: FaultyServer, tmp_path: Path) -> None:
    used = {
        "usage/completions": {epoch(DAY): [completion()]},
        "usage/images": {epoch(DAY): [result("images", images=2)]},
    }
    Organisation(used).install(server)
    chosen = ("completions", "images", "embeddings")
    asked = usage_settings(url=f"{server.url}/v1", endpoints=chosen)
    source = OpenAiUsage(sleep=Clock().sleep)
    for fetched in source.fetch(asked, WINDOW):
        *_, endpoint, number = fetched.name.split("/")
        (tmp_path / "2026-09-03" / endpoint).mkdir(parents=True)
        (tmp_path / "2026-09-03" / endpoint / f"{number}.json").write_bytes(body(fetched))
    saved = usage_settings(location=str(tmp_path), endpoints=chosen)
    by_api = parse(source, asked, WINDOW, *[body(p) for p in source.fetch(asked, WINDOW)]).rows
    by_file = parse(source, saved, WINDOW, *[body(p) for p in source.fetch(saved, WINDOW)]).rows
    assert by_file.equals(by_api)
    assert by_file.num_rows == 2
    (tmp_path / "2026-09-03" / "embeddings" / "page-1.json").unlink()
    with pytest.raises(IncompleteDeliveryError, match="embeddings"):
        list(source.fetch(saved, WINDOW))


def test_the_week_before_is_read_again() -> None:
    windows = SOURCE.windows(usage_settings(), date(2026, 3, 3))
    assert [w.slice_date for w in windows] == [date(2026, 2, d) for d in (24, 25, 26, 27, 28)] + [
        date(2026, 3, d) for d in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give either 'admin_key'"),
        ({"admin_key": "k", "location": "x"}, "not both"),
        ({"admin_key": "k", "url": "https://user:pw@api"}, "must be an address"),
        ({"admin_key": "k", "bucket_width": "7d"}, "'1m', '1h' or '1d'"),
        ({"admin_key": "k", "endpoints": ["images", "imges"]}, "imges: no such endpoint"),
        ({"admin_key": "k", "endpoints": []}, "at least 1 item"),
        ({"admin_key": "k", "kind": "openai_costs"}, "should match pattern"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        OpenAiUsageSettings.model_validate({"name": "o", **given})
    assert any(said in str(error["msg"]) for error in refused.value.errors())


def test_the_key_stands_in_no_words_of_the_settings() -> None:
    assert KEY not in f"{usage_settings()!r} {usage_settings()}"


def test_the_registry_knows_the_source() -> None:
    assert source("openai_usage") is SOURCE


def test_the_server_of_these_tests_is_strict(server: FaultyServer) -> None:
    """The limits that the tests above rely on are checked by the loopback server itself."""
    request = Request("GET", "/v1/organization/costs", {"limit": ["181"]}, {"Authorization": f"Bearer {KEY}"}, b"")
    with pytest.raises(AssertionError, match="more buckets"):
        Organisation({}).answer(request)
