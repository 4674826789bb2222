"""What a failing chat certainly did not take, and what nobody knows of; and the secret address in nobody's log."""

import logging
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from reports.chat import send_chat
from reports.outbox import NotSentError

URL = "json://user:hunter2@chat.example/hook"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
Answer = Callable[[], requests.Response]


def message(text: str = "a line") -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = "Unusual cost"
    made.set_content(text)
    return made


def status(code: int, content: bytes = b"") -> Answer:
    def answer() -> requests.Response:
        made = requests.Response()
        made.status_code = code
        made._content = content  # pyright: ignore[reportPrivateUsage] - the library offers no other way
        return made

    return answer


def fails(error: Exception) -> Answer:
    def answer() -> requests.Response:
        raise error

    return answer


TIMEOUT = fails(requests.ReadTimeout("HTTPSConnectionPool(host='chat.example', port=443): Read timed out."))
NO_NAME = fails(requests.ConnectionError("Max retries exceeded (Caused by NameResolutionError('no such host'))"))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def given(*each: Answer) -> None:
        left = list(each)

        def request(*_: Any, **__: Any) -> requests.Response:
            return left.pop(0)()

        for name in ("request", "post"):
            monkeypatch.setattr(requests, name, request)

    return given


def test_no_handler_of_others_hears_the_address_and_their_settings_come_back(answers: Callable[..., None]) -> None:
    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    heard: list[str] = []
    pytest.importorskip("apprise")  # its first import adds a handler of its own
    root, apprise = logging.getLogger(), logging.getLogger("apprise")
    before = (apprise.level, apprise.propagate, list(apprise.handlers))
    handler = Heard()
    root.addHandler(handler)
    try:
        answers(status(200), TIMEOUT)
        send_chat(message(), "chat", URL)
        with pytest.raises(ConnectionError):
            send_chat(message(), "chat", URL)
        with pytest.raises(NotSentError):
            send_chat(message(), "chat", "nosuch://hunter2/secret-hook")
        assert [line for line in heard if "hook" in line or "hunter2" in line or "chat.example" in line] == []
        apprise.warning("of another")
        assert heard[-1:] == ["of another"]
    finally:
        root.removeHandler(handler)
    assert (apprise.level, apprise.propagate, list(apprise.handlers)) == before


@pytest.mark.parametrize(
    ("url", "each", "said"),
    [
        (URL, [status(404)], "refused it .status 404"),
        (URL, [status(503)], "refused it .status 503"),
        (URL, [NO_NAME], "cannot be reached"),
        (SLACK, [status(200, b'{"ok": false, "error": "channel_not_found"}')], "refused it .status 200"),
    ],
)
def test_what_was_certainly_not_taken_may_be_sent_again(
    url: str, each: list[Answer], said: str, answers: Callable[..., None]
) -> None:
    answers(*each)
    with pytest.raises(NotSentError, match=said):
        send_chat(message(), "chat", url)


@pytest.mark.parametrize("text", ["error=503", "NewConnectionError", "Socket Exception: NewConnectionError('x')"])
def test_words_of_our_own_do_not_make_a_timeout_a_refusal(text: str, answers: Callable[..., None]) -> None:
    answers(TIMEOUT)
    with pytest.raises(ConnectionError, match="did not say"):
        send_chat(message(text), "chat", URL)


@pytest.mark.parametrize("code", [302, 500, 502, 504])
def test_a_status_that_a_gateway_answers_leaves_it_open(code: int, answers: Callable[..., None]) -> None:
    answers(status(code))
    with pytest.raises(ConnectionError, match="did not say"):
        send_chat(message(), "chat", URL)


@pytest.mark.parametrize("second", [status(404), NO_NAME])
def test_of_two_targets_one_that_took_it_or_may_have_leaves_it_open(
    second: Answer, answers: Callable[..., None]
) -> None:
    two = f"{SLACK}#one/#two"
    for first in (status(200, b"ok"), TIMEOUT):
        answers(first, second)
        with pytest.raises(ConnectionError, match="did not say"):
            send_chat(message(), "chat", two)
    answers(status(404), second)
    with pytest.raises(NotSentError):
        send_chat(message(), "chat", two)
