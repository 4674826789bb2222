"""Handing one notice to a chat or another service by Apprise, and telling what certainly failed from what nobody knows.

Here belongs: one delivery to one address. Here does not belong: deciding whether to send; see `outbox`.
"""

import logging
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from reports.notice import chat_text
from reports.outbox import NotSentError

_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
_NEVER_LEFT = re.compile(r"\b(?:NewConnectionError|NameResolutionError|ConnectTimeoutError)\(")
_SENT, _SOCKET = "Sent ", "Socket Exception"
# Slack refuses with 200 and `ok: false`: Apprise calls that a failure with this status.
_REFUSED_AS_TAKEN, _UNAVAILABLE = 200, 503


def send_chat(message: EmailMessage, name: str, secret_url: str) -> Mapping[str, str]:
    """Hands the message's subject and text over to the channel `name`. The address is a secret and is never told.

    Raises NotSentError where the service certainly did not take it: no such service, no connection, a refusal by its
    status. Any other failure raises ConnectionError and leaves that open, as does one of several targets that took it.
    """
    import apprise  # here: most nights tell no chat

    service = apprise.Apprise()
    body = message.get_body(("plain",))
    text = "" if body is None else str(body.get_content())
    with _overheard() as said:
        if not _is_known(service, secret_url):
            raise NotSentError(f"channel '{name}': its 'secret_url' is no address that Apprise knows; see its list")
        is_sent = service.notify(
            title=chat_text(str(message["Subject"])),
            body=chat_text(text),
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
        )
    if not is_sent:
        raise _failure(name, said)
    return {}


@contextmanager
def _overheard() -> Generator[list[logging.LogRecord]]:
    """All that Apprise logs meanwhile, handed to nobody else: it holds the address and what is sent."""
    logger, records = logging.getLogger("apprise"), list[logging.LogRecord]()
    handler = _Collector(records)
    level, propagates = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield records
    finally:
        logger.propagate = propagates
        logger.setLevel(level)
        logger.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.DEBUG)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


def _failure(name: str, records: Sequence[logging.LogRecord]) -> Exception:
    """NotSentError where every target certainly did not take it, else ConnectionError.

    Only records of Apprise's own words are read: others hold the payload, which may say anything.
    """
    unknown = ConnectionError(f"channel '{name}' did not say whether it took it")
    refused, unreached = list[int](), False
    for record in records:
        said = record.getMessage()
        if said.startswith(_SENT):
            return unknown
        if record.levelno == logging.WARNING and (found := _STATUS.search(said)):
            status = int(found[1])
            if not (400 <= status < 500 or status in (_REFUSED_AS_TAKEN, _UNAVAILABLE)):
                return unknown
            refused.append(status)
        elif said.startswith(_SOCKET):
            if not _NEVER_LEFT.search(said):
                return unknown
            unreached = True
    if refused:
        return NotSentError(f"channel '{name}' refused it (status {refused[0]}); check its 'secret_url'")
    if unreached:
        return NotSentError(f"channel '{name}' cannot be reached; check its 'secret_url' and the network")
    return unknown


def _is_known(service: Any, secret_url: str) -> bool:
    """Nothing is sent yet: whatever goes wrong while the address is read, it was not sent."""
    try:
        return bool(service.add(secret_url))
    except Exception as error:  # noqa: BLE001 - its text may hold the address
        raise NotSentError(
            f"Apprise cannot be used ({type(error).__name__}); see `channels` under `delivery`"
        ) from None
