"""Asking for the activity report, one day at a time: the API tells of the last 30 completed UTC days, and of no other.

Here belongs: the address, its parameters and its refusals. Here does not belong: what a page says.
"""

import re
from datetime import date
from typing import Self

from connectors.base import AuthenticationError, Bytes, Page, RefusedRequestError, SourceError
from connectors.http import HttpSession, Pace
from connectors.openrouter.activity import read_activity
from connectors.openrouter.settings import DAYS_SERVED, OpenRouterSettings
from connectors.saved_answers import probe_saved

FOLDER = "activity"
"""Where saved answers lie below their day."""
_NO_SUCH_DAY = re.compile(r"\bDate must be within the last \d+ \(completed\) UTC days\b", re.IGNORECASE)
SECONDS_BETWEEN = 0.5  # limits are not published; a month is thirty requests


class Client:
    """A session with the account's key. A context manager."""

    def __init__(self, settings: OpenRouterSettings, pace: Pace) -> None:
        key = settings.management_key.get_secret_value() if settings.management_key else ""
        self._session = HttpSession(headers={"Authorization": f"Bearer {key}", "Accept": "application/json"}, pace=pace)
        self._settings, self._pace, self._asked = settings, pace, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.__exit__()

    def day(self, day: date | None) -> Page:
        """The report of one day, or of all days that are served.

        Raises RefusedRequestError (400) for a day that is not over or no longer served, AuthenticationError for a key
        that may not ask.
        """
        if self._asked:
            self._pace.sleep(SECONDS_BETWEEN)
        self._asked += 1
        params = {"date": day.isoformat()} if day else {}
        if self._settings.by_workspace:
            params["group_by"] = "workspace"
        try:
            body = self._session.get(f"{self._settings.url}/activity", params).body
        except AuthenticationError as error:
            raise AuthenticationError(
                f"{error} Activity is told to a management key alone (Settings, Management keys; once called "
                "provisioning keys); a key for inference does not do."
            ) from None
        name = f"activity/{day or 'all'}"
        read_activity(Bytes(body), name)
        return Page(name, Bytes(body))


def is_no_such_day(error: RefusedRequestError) -> bool:
    """Whether the API refused a day because it tells of others alone: 400, and the documented words for it.

    Any other 400 is about the request: a month may not end where one comes.
    """
    return error.status == 400 and _NO_SUCH_DAY.search(str(error)) is not None


def not_served(error: RefusedRequestError, day: date) -> SourceError:
    """The words for a day of which the API does not tell."""
    if not is_no_such_day(error):
        return error
    return SourceError(
        f"{error} OpenRouter tells of the last {DAYS_SERVED} completed UTC days alone, and {day} seems to be none of "
        "them: it is not over, or too long ago. What was delivered of it before stands; for older days, save the "
        "answers daily and read them with 'location'."
    )


def probe_activity(settings: OpenRouterSettings, pace: Pace) -> str:
    """Whether the key may ask and what is served, or which days are saved. One line."""
    if settings.location is not None:
        return probe_saved(settings.location, settings.store_options, [FOLDER], monthly=False)
    with Client(settings, pace) as client:
        page = client.day(None)
    return f"{settings.url} tells of {len(read_activity(page.body, page.name))} rows of the last {DAYS_SERVED} days"
