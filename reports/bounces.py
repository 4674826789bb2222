"""Mail that came back: what a mail server's report (RFC 3464) says of which recipient of which message.

Here belongs: reading one report. Here does not belong: where reports lie, and whose the message was (the outbox knows).

A report is whatever somebody mailed to the sender's address: it is told, and nothing is decided by it. What it costs
to read one is bounded, whatever it says: so much of it, so many lines, and so much of a field.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32

from reports.wording import clean

LARGEST = 2**20
"""Bytes of a mail that are read: a report stands before the mail that came back (RFC 6522), which may be large."""
_MOST_LINES = 10_000  # each may begin a part: email makes an object of every empty line of a report
_LONGEST_FIELD = (
    2000  # characters of a field, folded lines and all: email reads a parameter in the square of its length
)
_DEEPEST = 100  # parts within parts; a report has three beside one another
_LONGEST = 300
TOLD = ("failed", "delayed")
"""Actions that are told. The others say that it arrived, or was handed on."""


@dataclass(frozen=True)
class Bounce:
    """One recipient whom a message did not reach; `action` is failed, or delayed while its server still tries."""

    message_id: str
    recipient: str
    action: str
    reason: str


def bounces_of(content: bytes) -> tuple[Bounce, ...] | None:
    """What a mail reports as failed or delayed; None where it is no report of a delivery, as an answer of a person is.

    Nor is what cannot be read as a mail. No more is read than its first `LARGEST` bytes. A report that does not say
    which message it is about has the empty message id.
    """
    try:
        return _told(_parsed(content[:LARGEST]))
    except Exception:  # noqa: BLE001 - email raises what it likes at what is no mail, and one mail hides no other
        return None


class _Short(Compat32):
    """Fields no longer than they need be."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_FIELD]


def _parsed(content: bytes) -> Message:
    return message_from_bytes(b"".join(content.splitlines(keepends=True)[:_MOST_LINES]), policy=_Short())


def _told(mail: Message) -> tuple[Bounce, ...] | None:
    parts = list(_parts(mail, 0))
    reports = [part for part in parts if part.get_content_type() == "message/delivery-status"]
    if not reports:
        return None
    about = next((found for part in parts if (found := _original_id(part))), "")
    blocks = [block for report in reports for block in _blocks(report)]
    told = [_bounce(block, about) for block in blocks if "Action" in block]
    return tuple(bounce for bounce in told if bounce.action in TOLD)


def _parts(part: Message, depth: int) -> Iterator[Message]:
    """The mail and all its parts, but for those of the mail that came back."""
    yield part
    if part.get_content_maintype() != "multipart" or depth > _DEEPEST:
        return
    for inner in _blocks(part):
        yield from _parts(inner, depth + 1)


def _blocks(part: Message) -> list[Message]:
    held = part.get_payload()
    return [each for each in held if isinstance(each, Message)] if isinstance(held, list) else []


def _original_id(part: Message) -> str:
    """The id of the mail that came back, of which reports hold the whole or its headers."""
    kind = part.get_content_type()
    if kind == "message/rfc822":
        return next((_text(inner, "Message-ID") for inner in _blocks(part)), "")
    if kind == "text/rfc822-headers":
        held = part.get_payload(decode=True)
        return _text(_parsed(held), "Message-ID") if isinstance(held, bytes) else ""
    return ""


def _bounce(block: Message, about: str) -> Bounce:
    """Fields look like `rfc822; ada@example.com`: the type before the semicolon is left out."""
    who = _text(block, "Original-Recipient") or _text(block, "Final-Recipient")
    why = ", ".join(filter(None, (_text(block, "Status"), _value(_text(block, "Diagnostic-Code")))))
    return Bounce(about, clean(_value(who)), _text(block, "Action").lower(), why or "no reason")


def _value(field: str) -> str:
    return field.partition(";")[2].strip() if ";" in field else field


def _text(message: Message, name: str) -> str:
    return clean(str(message.get(name, "")), _LONGEST)
