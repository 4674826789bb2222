"""Handing one notice to a chat or another service by Apprise, and telling what certainly failed from what nobody knows.

Here belongs: one delivery to one address. Here does not belong: deciding whether to send; see `outbox`.
"""

import logging
import re
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from reports.notice import chat_text
from reports.outbox import NotSentError

_REFUSED = re.compile(r"error=([45][0-9]{2})\b")
_NEVER_LEFT = ("NewConnectionError", "NameResolutionError", "ConnectTimeout")


def send_chat(message: EmailMessage, name: str, secret_url: str) -> Mapping[str, str]:
    """Hands the message's subject and text over to the channel `name`. The address is a secret and is never told.

    Raises NotSentError where the service certainly did not take it: no such service, no connection, a refusal by its
    status. Any other failure raises ConnectionError and leaves that open.
    """
    import apprise  # here: most nights tell no chat

    service = apprise.Apprise()
    if not _is_known(service, secret_url):
        raise NotSentError(f"channel '{name}': its 'secret_url' is no address that Apprise knows; see its list")
    body = message.get_body(("plain",))
    text = "" if body is None else str(body.get_content())
    captured: Any = apprise.LogCapture(level=logging.DEBUG)  # its annotation names a file, it is a text buffer
    with captured as log:
        is_sent = service.notify(
            title=chat_text(str(message["Subject"])),
            body=chat_text(text),
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
        )
        said = str(log.getvalue())
    if is_sent:
        return {}
    if refused := _REFUSED.search(said):
        raise NotSentError(f"channel '{name}' refused it (status {refused[1]}); check its 'secret_url'")
    if any(word in said for word in _NEVER_LEFT):
        raise NotSentError(f"channel '{name}' cannot be reached; check its 'secret_url' and the network")
    raise ConnectionError(f"channel '{name}' did not say whether it took it")


def _is_known(service: Any, secret_url: str) -> bool:
    """Nothing is sent yet: whatever goes wrong while the address is read, it was not sent."""
    try:
        return bool(service.add(secret_url))
    except Exception as error:  # noqa: BLE001 - its text may hold the address
        raise NotSentError(
            f"Apprise cannot be used ({type(error).__name__}); see `channels` under `delivery`"
        ) from None
