"""Asks AWS's APIs by way of its own client, and writes each answer down as a page.

A page is one answer in one spelling: `{"api", "region", "query", "page", "answer"}` as JSON with sorted keys. What AWS
changes with every request (its id, the date) is left out, so that the same answer is the same page.

Here belongs: clients, retries, chains of pages. Here does not belong: what answers say (`answers`, and each source).
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from connectors.aws.answers import RECORDS
from connectors.aws.api_errors import Seen, translated
from connectors.aws.api_settings import AwsApiSettings
from connectors.base import Bytes, IncompleteDeliveryError, Page, SourceError
from connectors.deadline import Deadline
from connectors.exact import json_text

TRIES = 5
CONNECT_SECONDS, READ_SECONDS = 10, 60
MOST_PAGES = 10_000
_UNWATCHED: Mapping[str, tuple[None, None, str | None, None]] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, "", None),
    "credentials_file": (None, None, "", None),
}
"""With a key of its own, a source looks at no profile of the machine's."""

Api = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Asks one operation with its parameters, and gives the answer."""


@contextmanager
def open_api(settings: AwsApiSettings, service: str, region: str, deadline: Deadline | None = None) -> Generator[Api]:
    """A way to ask one service in one region. AWS's client tries again by its own standard rules, five times in all.

    Raises AuthenticationError when there are no credentials or they are refused, and SourceError for everything else,
    an answer without what was asked for and a passed deadline included: that is looked at before each question.
    """
    seen = Seen(service, region, settings)
    failures = _failures()
    try:
        client = _client(settings, service, region)
    except failures as error:
        raise translated(error, seen, "the client") from None
    client.meta.events.register("before-parse", seen.note)

    def tried(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        for _ in range(TRIES):  # AWS's client takes a body for whole however early it ends, and never asks again
            if deadline is not None:
                deadline.require(f"{seen.where}, before another {operation}")
            seen.is_cut = False
            try:
                answer = getattr(client, operation)(**parameters)
            except failures as error:
                if not seen.is_cut:
                    raise translated(error, seen, operation) from None
                continue
            if not seen.is_cut:
                return answer
        raise SourceError(f"{seen.where}: {operation} answered {TRIES} times, and every answer ended too early")

    def ask(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer = tried(operation, parameters)
        answer.pop("ResponseMetadata", None)
        if answer.get(RECORDS[f"{service}.{operation}"]) is None:
            raise SourceError(
                f"{seen.where}: {operation} answered without {RECORDS[f'{service}.{operation}']!r}. Is a proxy or a "
                "sign-in page in the way, or is 'endpoint_url' another service's?"
            )
        return answer

    try:
        yield ask
    finally:
        client.close()


def chain(
    settings: AwsApiSettings,
    deadline: Deadline,
    service: str,
    region: str,
    operation: str,
    query: Mapping[str, Any],
) -> Iterator[Page]:
    """All pages of one question, before the deadline of the whole delivery.

    Raises IncompleteDeliveryError when a cursor repeats, and what `open_api` raises.
    """
    cursor = "nextToken" if service == "savingsplans" else "NextToken"
    token, told, number = "", set[str](), 0
    with open_api(settings, service, region, deadline) as ask:
        while number == 0 or token:
            number += 1
            answer = ask(operation, {**_in_utc(query), **({cursor: token} if token else {})})
            token = str(answer.get(cursor) or "")
            if token in told or number > MOST_PAGES:
                raise IncompleteDeliveryError(
                    f"AWS {service} in {region}: {operation} has no end: after {number} pages its cursor leads back to "
                    "one that was read, or ever on. Nothing was committed; run the day again."
                )
            told.add(token)
            yield page_of(f"{service}.{operation}", region, query, number, answer)


def page_of(api: str, region: str, query: Mapping[str, Any], number: int, answer: Mapping[str, Any]) -> Page:
    """One answer as a page."""
    envelope = {"api": api, "region": region, "query": query, "page": number, "answer": answer}
    return Page(f"{api}/{region}/page-{number}", Bytes(json_text(_plain(envelope)).encode()))


def _in_utc(query: Mapping[str, Any]) -> dict[str, Any]:
    """Instants with their zone: AWS's client takes one without for the machine's own time."""
    return {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
        for name, value in query.items()
    }


def _plain(found: Any) -> Any:
    """Instants as ISO 8601 in UTC, and numbers with a fraction as text: the shortest that means the same number."""
    if isinstance(found, Mapping):
        return {name: _plain(value) for name, value in cast("Mapping[str, Any]", found).items()}
    if isinstance(found, list | tuple):
        return [_plain(value) for value in cast("list[Any]", found)]
    if isinstance(found, datetime):
        utc = found.astimezone(UTC) if found.tzinfo else found
        return f"{utc.replace(tzinfo=None).isoformat()}Z"
    return repr(found) if isinstance(found, float) else found


def _failures() -> tuple[type[Exception], ...]:
    """What AWS's client raises: there is no class common to all of it, and its parsers trip over what is no answer."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return (BotoCoreError, ClientError, ResponseParserError, ValueError, KeyError, TypeError, AttributeError)


@cache
def _loader() -> Any:
    """Descriptions of AWS's services, read once: that of EC2 alone takes longer than most answers."""
    from botocore.loaders import create_loader

    return create_loader()


def _client(settings: AwsApiSettings, service: str, region: str) -> Any:
    # here, not above: AWS's client is slow to import, and other sources do without it
    import botocore.session
    from botocore.config import Config

    keys = (settings.access_key_id, settings.secret_access_key, settings.session_token)
    session = botocore.session.Session(dict(_UNWATCHED) if settings.access_key_id else None)
    session.register_component("data_loader", _loader())
    access, secret, token = (key.get_secret_value() if key else None for key in keys)
    return session.create_client(
        service,
        region_name=region,
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": TRIES},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            ignore_configured_endpoint_urls=True,
        ),
    )
