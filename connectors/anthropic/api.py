"""Asking the API: reports, page by page, with the administrator's key.

API: https://platform.claude.com/docs/en/manage-claude/usage-cost-api. Here belongs: addresses, headers, cursors.
Here does not belong: which report is asked for, and what its rows mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.anthropic.answers import read_envelope
from connectors.anthropic.settings import AnthropicSettings
from connectors.base import AuthenticationError, Bytes, Page, RefusedRequestError, SourceError, Window
from connectors.http import HttpSession, Pace, Params, Turn, paginate
from connectors.saved_answers import window_name

API_VERSION = "2023-06-01"
ANALYTICS_BETA = "analytics-usage-cost-2026-08-24"
FAST_MODE_BETA = "fast-mode-2026-02-01"
ANALYTICS_ROWS = 1000
MOST_PAGES = 10_000
_ANY_DAY = {"starting_at": "2026-01-01T00:00:00Z", "ending_at": "2026-01-02T00:00:00Z", "limit": "1"}


@dataclass(frozen=True)
class Question:
    """One report: `endpoint` below /v1/organizations/, and how its pages are called (the folder of saved answers)."""

    endpoint: str
    folder: str
    params: Mapping[str, str | Sequence[str]] = field(default_factory=dict[str, str | Sequence[str]])


def open_session(settings: AnthropicSettings, pace: Pace, betas: Sequence[str] = ()) -> HttpSession:
    """A session with the key. Raises SourceError where there is none."""
    if settings.api_key is None:
        raise SourceError(f"{settings.name}: there is no 'api_key' to ask the API with")
    headers = {
        "Accept": "application/json",
        "x-api-key": settings.api_key.get_secret_value(),
        "anthropic-version": API_VERSION,
    }
    asked = [ANALYTICS_BETA, *betas] if settings.api == "analytics" else list(betas)
    if asked:
        headers["anthropic-beta"] = ",".join(asked)
    return HttpSession(headers=headers, pace=pace)


def ask(settings: AnthropicSettings, session: HttpSession, question: Question, window: Window) -> Iterator[Page]:
    """The pages of a report over the window.

    Raises AuthenticationError with the remedy, IncompleteDeliveryError when the pages turn in a circle or announce more
    without saying where, SourceError as the session does.
    """
    url = f"{settings.url}/v1/organizations/{question.endpoint}"
    asked: Params = {"starting_at": _rfc3339(window.start), "ending_at": _rfc3339(window.end), **question.params}

    def turn(cursor: str | None) -> Turn[bytes, str | None]:
        body = _get(settings, session, url, asked if cursor is None else {**asked, "page": cursor})
        answer = read_envelope(Bytes(body), url)
        return Turn(body, answer.next_page, answer.has_more)

    folder = f"{window_name(window)}/{question.folder}"
    for number, body in enumerate(paginate(None, turn, MOST_PAGES), 1):
        yield Page(f"{folder}/page-{number}.json", Bytes(body))


def probe_api(settings: AnthropicSettings, session: HttpSession, endpoint: str) -> str:
    """Whether the address answers this key, in one line."""
    url = f"{settings.url}/v1/organizations/{endpoint}"
    try:
        read_envelope(Bytes(_get(settings, session, url, _ANY_DAY)), url)
    except RefusedRequestError as refused:
        if refused.status != 400:
            raise
        # the key was accepted; the day asked for is older than the report reaches back
    return f"{settings.url} answers {endpoint} for this key"


def _get(settings: AnthropicSettings, session: HttpSession, url: str, params: Params) -> bytes:
    try:
        return session.get(url, params).body
    except AuthenticationError as refused:
        also = " or one with the scope read:analytics" if settings.api == "analytics" else ""
        raise AuthenticationError(
            f"{refused} The reports want an Admin API key (sk-ant-admin...){also}, which an organisation's "
            "administrator creates in the Console; an ordinary key (sk-ant-api...) and an individual account have none."
        ) from None


def _rfc3339(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
