import gzip
import time
from collections.abc import Callable

import pytest

from connectors.base import AuthenticationError, IncompleteDeliveryError, SourceError
from connectors.http import HttpSession, Limits, Pace, Turn, paginate, retry_after_seconds
from tests.connectors.faulty_server import (
    HTML_PAGE,
    SERVICE_UNAVAILABLE,
    UNAUTHORIZED,
    Answer,
    Clock,
    FaultyServer,
    Request,
    cut_in_half,
    json_answer,
    reset_in_half,
    too_many_requests,
)

GOOD = json_answer(b'{"rows": [1, 2, 3]}')
SECRET = "canary-4f9d2c71"


def session(clock: Clock, limits: Limits | None = None, luck: Callable[[], float] = lambda: 0.0) -> HttpSession:
    pace = Pace(sleep=clock.sleep, monotonic=clock.monotonic, random=luck)
    return HttpSession(headers={"Authorization": f"Bearer {SECRET}"}, limits=limits, pace=pace)


@pytest.fixture
def source(server: FaultyServer) -> FaultyServer:
    server.route("/v1/cost", GOOD)
    return server


def test_a_good_answer_arrives_whole_with_the_query_and_the_credentials_sent(
    source: FaultyServer, clock: Clock
) -> None:
    with session(clock) as http:
        answer = http.get(f"{source.url}/v1/cost", {"day": "2026-10-03"})
    assert (answer.status, answer.body) == (200, GOOD.body)
    assert source.requests[0].query == {"day": ["2026-10-03"]}
    assert source.requests[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert clock.slept == []


def test_a_question_with_a_body_is_sent_again_whole(source: FaultyServer, clock: Clock) -> None:
    source.inject(SERVICE_UNAVAILABLE)
    with session(clock) as http:
        assert http.post(f"{source.url}/v1/cost", {"a": 1}).body == GOOD.body
    assert [request.body for request in source.requests] == [b'{"a":1}'] * 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After": "Sat, 03 Oct 2026 00:00:40 GMT", "Date": "Sat, 03 Oct 2026 00:00:00 GMT"}, 40.0),
        ({"Retry-After": "Sat, 03 Oct 2026 00:00:00 GMT", "Date": "Sat, 03 Oct 2026 00:00:40 GMT"}, 0.0),
        ({"Retry-After": "Sat, 03 Oct 2026 00:00:40 GMT"}, None),
        ({"Retry-After": "soon", "Date": "Sat, 03 Oct 2026 00:00:00 GMT"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
        ({"x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "17", "Retry-After": "4"}, 17.0),
        ({"x-ms-ratelimit-remaining-subscription-reads": "9"}, None),
    ],
)
def test_the_servers_wish_to_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


def test_a_rate_limit_waits_at_least_as_long_as_asked(source: FaultyServer, clock: Clock) -> None:
    source.inject(
        too_many_requests("7"),
        json_answer(b"{}", 429, Date="Sat, 03 Oct 2026 00:00:00 GMT", Retry_After="Sat, 03 Oct 2026 00:00:40 GMT"),
    )
    with session(clock, luck=lambda: 0.5) as http:
        assert http.get(f"{source.url}/v1/cost").body == GOOD.body
    assert clock.slept == [7.5, 41.0]  # asked + half of a ceiling of 1 s, then of 2 s


def test_waits_double_up_to_a_ceiling_with_full_jitter(source: FaultyServer, clock: Clock) -> None:
    source.inject(*[SERVICE_UNAVAILABLE] * 7)
    with session(clock, luck=lambda: 1.0) as http:
        assert http.get(f"{source.url}/v1/cost").body == GOOD.body
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60]
    source.inject(*[SERVICE_UNAVAILABLE] * 7)
    lazy = Clock()
    with session(lazy, luck=lambda: 0.0) as http:
        http.get(f"{source.url}/v1/cost")
    assert lazy.slept == [0] * 7


def test_a_storm_ends_after_eight_tries_with_the_last_words_of_the_server(source: FaultyServer, clock: Clock) -> None:
    source.inject_always(SERVICE_UNAVAILABLE)
    with session(clock) as http, pytest.raises(SourceError, match=r"8 tries.*HTTP 503.*overloaded"):
        http.get(f"{source.url}/v1/cost")
    assert len(source.requests) == 8


def test_a_wait_beyond_ten_minutes_is_not_begun(source: FaultyServer, clock: Clock) -> None:
    source.inject(too_many_requests("400"), too_many_requests("201"))
    with session(clock) as http, pytest.raises(SourceError, match="2 tries and 400 s"):
        http.get(f"{source.url}/v1/cost")
    assert clock.slept == [400]
    source.inject(too_many_requests("400"), too_many_requests("200"))  # exactly ten minutes still fits
    with session(clock) as http:
        assert http.get(f"{source.url}/v1/cost").body == GOOD.body


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_final(source: FaultyServer, clock: Clock, status: int) -> None:
    source.inject(json_answer(f'{{"error": "key {SECRET} is invalid"}}'.encode(), status))
    with session(clock) as http, pytest.raises(AuthenticationError, match=rf"HTTP {status}.*key \*\*\* is invalid"):
        http.get(f"{source.url}/v1/cost")
    assert len(source.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 422, 501])
def test_other_refusals_are_final_and_quote_the_body(source: FaultyServer, clock: Clock, status: int) -> None:
    source.inject(json_answer(b'{"error":\n "exceeded maximum resolution"}', status))
    with session(clock) as http, pytest.raises(SourceError, match=f'HTTP {status}: .*"exceeded maximum resolution"'):
        http.get(f"{source.url}/v1/cost")
    assert len(source.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_passing_troubles_are_tried_again(source: FaultyServer, clock: Clock, status: int) -> None:
    source.inject(json_answer(b"{}", status))
    with session(clock) as http:
        assert http.get(f"{source.url}/v1/cost").body == GOOD.body
    assert len(source.requests) == 2


@pytest.mark.parametrize("fault", [cut_in_half, reset_in_half, Answer(reset=True)])
def test_a_broken_connection_never_yields_half_an_answer(source: FaultyServer, clock: Clock, fault: Answer) -> None:
    source.inject(fault, fault)
    with session(clock) as http:
        assert http.get(f"{source.url}/v1/cost").body == GOOD.body
    assert len(source.requests) == 3


def test_a_damaged_compressed_body_is_asked_for_again(source: FaultyServer, clock: Clock) -> None:
    packed = gzip.compress(GOOD.body)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    source.inject(Answer(b"\x00" + packed, 200, headers), Answer(packed, 200, headers))
    with session(clock) as http:
        assert http.get(f"{source.url}/v1/cost").body == GOOD.body
    assert len(source.requests) == 2


def test_a_web_page_with_status_200_is_not_data(source: FaultyServer, clock: Clock) -> None:
    source.inject(HTML_PAGE)
    with session(clock) as http, pytest.raises(SourceError, match="text/html where JSON was expected"):
        http.get(f"{source.url}/v1/cost")
    source.inject(HTML_PAGE)
    with session(clock) as http:
        assert http.get(f"{source.url}/v1/cost", expect="any").body == HTML_PAGE.body


def test_an_answer_may_be_as_large_as_the_limit_and_no_larger_even_when_compressed(
    source: FaultyServer, clock: Clock
) -> None:
    bomb = gzip.compress(b'{"a":"' + b"0" * 10_000_000 + b'"}')
    source.inject(json_answer(bomb, Content_Encoding="gzip"))
    with session(clock, Limits(answer_bytes=len(GOOD.body))) as http:
        with pytest.raises(SourceError, match="more than 19 bytes"):
            http.get(f"{source.url}/v1/cost")
        assert http.get(f"{source.url}/v1/cost").body == GOOD.body


def test_a_server_that_drips_bytes_is_given_up(source: FaultyServer) -> None:
    clock = Clock(real=True)
    source.inject_always(json_answer(b'{"rows": [' + b"1," * 500 + b"1]}"))
    source.inject(Answer(b'{"rows": "' + b"x" * 500 + b'"}', drip_seconds=0.02))
    limits = Limits(answer_seconds=0.1)
    started = time.monotonic()
    with session(clock, limits) as http:
        assert http.get(f"{source.url}/v1/cost").body.startswith(b'{"rows": [1,')
    assert time.monotonic() - started < 2
    assert len(source.requests) == 2


def test_silence_is_given_up(source: FaultyServer, clock: Clock) -> None:
    source.inject(Answer(delay_seconds=5))
    with session(clock, Limits(read_seconds=0.1)) as http:
        assert http.get(f"{source.url}/v1/cost").body == GOOD.body


def test_a_redirect_on_the_same_server_is_followed(source: FaultyServer, clock: Clock) -> None:
    source.route("/old", Answer(status=307, headers={"Location": "/v1/cost"}))
    with session(clock) as http:
        assert http.get(f"{source.url}/old").body == GOOD.body


def test_credentials_are_not_taken_to_another_server(source: FaultyServer, clock: Clock) -> None:
    with FaultyServer() as elsewhere:
        elsewhere.route("/v1/cost", GOOD)
        source.route("/old", Answer(status=302, headers={"Location": f"{elsewhere.url}/v1/cost"}))
        with session(clock) as http, pytest.raises(SourceError, match="credentials are not taken elsewhere"):
            http.get(f"{source.url}/old")
        assert elsewhere.requests == []


def test_a_circle_of_redirects_ends(source: FaultyServer, clock: Clock) -> None:
    source.route("/old", Answer(status=302, headers={"Location": "/old"}))
    with session(clock) as http, pytest.raises(SourceError, match="redirects more than 5 times"):
        http.get(f"{source.url}/old")


@pytest.mark.parametrize(
    "fault",
    [
        json_answer(f'{{"echo": "{SECRET} and query-canary-77"}}'.encode(), 400),
        UNAUTHORIZED,
        SERVICE_UNAVAILABLE,
        HTML_PAGE,
        Answer(reset=True),
        json_answer(f"{SECRET} query-canary-77".encode(), 500),
        Answer(status=302, headers={"Location": "http://127.0.0.2/?key=query-canary-77"}),
    ],
)
def test_neither_headers_nor_query_stand_in_any_message(source: FaultyServer, clock: Clock, fault: Answer) -> None:
    source.inject_always(fault)
    with session(clock) as http, pytest.raises(SourceError) as failure:
        http.get(f"{source.url}/v1/cost", {"key": "query-canary-77"})
    seen: BaseException | None = failure.value
    while seen is not None:
        assert SECRET not in f"{seen} {seen!r}"
        assert "query-canary-77" not in f"{seen} {seen!r}"
        seen = seen.__cause__ or seen.__context__
    assert "/v1/cost" in str(failure.value)


def test_an_address_that_nobody_answers_is_named(clock: Clock) -> None:
    with session(clock) as http, pytest.raises(SourceError, match=r"http://127\.0\.0\.1:9/x .*no connection"):
        http.get("http://127.0.0.1:9/x")
    with session(clock) as http, pytest.raises(SourceError, match="cannot be asked"):
        http.get("ftp://127.0.0.1/x")


def pages_of(turns: dict[str, Turn[str, str]]) -> Callable[[str], Turn[str, str]]:
    return turns.__getitem__


def test_pages_are_walked_to_their_end() -> None:
    turns = {"1": Turn("a", "2"), "2": Turn("b", "3", has_more=True), "3": Turn("c", None)}
    assert list(paginate("1", pages_of(turns), 3)) == ["a", "b", "c"]


def test_the_sources_word_that_there_is_no_more_beats_a_cursor() -> None:
    assert list(paginate("1", pages_of({"1": Turn("a", "2", has_more=False)}), 3)) == ["a"]


@pytest.mark.parametrize("back", ["1", "2", "3"])
def test_a_cursor_that_repeats_is_an_incomplete_delivery(back: str) -> None:
    turns = {"1": Turn("a", "2"), "2": Turn("b", "3"), "3": Turn("c", back)}
    with pytest.raises(IncompleteDeliveryError, match="page 3 points back"):
        list(paginate("1", pages_of(turns), 100))


def test_more_pages_announced_without_a_cursor_are_an_incomplete_delivery() -> None:
    with pytest.raises(IncompleteDeliveryError, match="announces more and gives no cursor"):
        list(paginate("1", pages_of({"1": Turn("a", None, has_more=True)}), 3))


def test_pages_without_end_stop_at_the_bound() -> None:
    assert len(list(paginate(0, lambda n: Turn(n, n + 1 if n < 4 else None), 5))) == 5
    with pytest.raises(IncompleteDeliveryError, match="more than 5 pages"):
        list(paginate(0, lambda n: Turn(n, n + 1), 5))


def test_a_bucket_is_listed_and_read_by_an_object_store_client(server: FaultyServer) -> None:
    from obstore.store import S3Store

    from tests.connectors.faulty_server import serve_bucket

    serve_bucket(server, "bills", {"a/1.csv": b"one", "a/b/2.csv": b"two two", "c.csv": b""})
    store = S3Store(
        "bills",
        endpoint=server.url,
        region="us-east-1",
        skip_signature=True,
        client_options={"allow_http": True},
    )
    assert [meta["path"] for meta in store.list("a").collect()] == ["a/1.csv", "a/b/2.csv"]
    assert bytes(store.get("a/b/2.csv").bytes()) == b"two two"
    assert bytes(store.get_range("a/b/2.csv", start=4, end=7)) == b"two"
    server.inject(SERVICE_UNAVAILABLE)
    assert bytes(store.get("a/1.csv").bytes()) == b"one"


def test_the_server_records_what_it_was_asked(source: FaultyServer, clock: Clock) -> None:
    source.route("/dir/", lambda request: json_answer(f'["{request.path}"]'.encode()))
    with session(clock) as http:
        assert http.get(f"{source.url}/dir/deep/er").body == b'["/dir/deep/er"]'
        with pytest.raises(SourceError, match="HTTP 404"):
            http.get(f"{source.url}/nowhere")
    assert [type(request) for request in source.requests] == [Request, Request]
