"""The outbox: a statement leaves the house at most once, whatever crashes in between.

Here belongs: the claim before a message is handed over, the receipt after it, and what to do about a claim without
a receipt. Here does not belong: SMTP, and the content of messages.

Each key has up to two objects: `<key>.sending`, created before the transport runs and never replaced, and
`<key>.sent`, created after it. Creation is put-if-absent, on a folder as on an object store, so that of two runs
one sends. A claim without a receipt means that nobody knows whether the mail went out: it is reported, not repeated.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore

from reports.filenames import safe_name

_SENDING, _SENT = ".sending", ".sent"
STORE_ERRORS = (BaseError, OSError)
UNKNOWN_ID = "unknown"
"""The message id of a claim that was cut short: it is no message's."""
Transport = Callable[[EmailMessage], Mapping[str, str]]
"""Hands one message over and returns the recipients that were refused, each with the reason.

It raises NotSentError where the message certainly did not leave; any other error leaves that open."""


class NotSentError(Exception):
    """The message certainly did not leave: why, and the remedy. It may be sent again."""


@dataclass(frozen=True)
class Sent:
    """It went out just now; `refused` are the recipients that the server did not take, each with its reason."""

    message_id: str
    refused: Mapping[str, str]


@dataclass(frozen=True)
class AlreadySent:
    """It went out before; nothing was done."""

    message_id: str


@dataclass(frozen=True)
class Uncertain:
    """Nobody knows whether it went out; nothing was done. `remedy` tells a person how to find out and settle it."""

    message_id: str
    remedy: str


def doubts(outcome: Sent | AlreadySent | Uncertain) -> list[str]:
    """What a person has to see to: that nobody knows whether it went out, or who was refused, with the reason."""
    if isinstance(outcome, Uncertain):
        return [outcome.remedy]
    if isinstance(outcome, Sent):
        return [f"{address} was refused: {reason}" for address, reason in outcome.refused.items()]
    return []


@dataclass(frozen=True)
class Entry:
    """What lies in the outbox under a name: whether it is known to have been sent, and who was refused, with why."""

    name: str
    message_id: str
    is_sent: bool
    refused: Mapping[str, str]


class Outbox:
    """Claims and receipts in an opened store.

    Args:
        store: where they are kept; it must be able to create an object only where none is.
        label: how people know the place, a folder or `s3://bucket/prefix`.
        make_durable: waits until the object of that name survives a power cut; nothing where the store sees to it.
    """

    def __init__(self, store: ObjectStore, label: str, make_durable: Callable[[str], None] = lambda _: None) -> None:
        self._store = store
        self._label = label
        self._make_durable = make_durable

    def send_once(self, key: str, message: EmailMessage, transport: Transport) -> Sent | AlreadySent | Uncertain:
        """Sends the message under `key`, unless it was sent under that key before or may have been.

        A transport that raises NotSentError releases the claim, and the error goes on to the caller: the next run
        tries again. After any other error of the transport the claim stays, and the answer is Uncertain.
        """
        message_id = str(message["Message-ID"])
        try:
            earlier = self._claim(key, message_id)
        except STORE_ERRORS as error:
            raise self._unusable(key, error) from error
        return earlier or self._hand_over(key, message_id, message, transport)

    def was_sent(self, key: str) -> bool:
        """Whether a receipt lies under the key: then there is no need to make the message again.

        Raises NotSentError where the outbox cannot be read.
        """
        try:
            return self._read(_sent(key)) is not None
        except STORE_ERRORS as error:
            raise self._unusable(key, error) from error

    def settle(self, key: str, *, was_sent: bool) -> None:
        """Settles an uncertain claim: `was_sent` makes it a receipt; otherwise it is removed and may be sent again."""
        claim = self._read(_sending(key))
        if claim is None:
            return
        if was_sent:
            self._create(_sent(key), claim)
        else:
            obstore.delete(self._store, _sending(key))

    def _claim(self, key: str, message_id: str) -> AlreadySent | Uncertain | None:
        """None where the claim is ours; otherwise what became of the message before."""
        if receipt := self._read(_sent(key)):
            return AlreadySent(receipt)
        if self._create(_sending(key), message_id):
            return None
        if receipt := self._read(_sent(key)):  # it may have come since the first look
            return AlreadySent(receipt)
        return self._uncertain(key, self._read(_sending(key)) or UNKNOWN_ID, "")

    def _hand_over(self, key: str, message_id: str, message: EmailMessage, transport: Transport) -> Sent | Uncertain:
        try:
            refused = transport(message)
        except NotSentError:
            with suppress(*STORE_ERRORS):  # a claim that cannot be removed is reported as uncertain the next time
                self.settle(key, was_sent=False)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the server may have taken the message
            return self._uncertain(key, message_id, f" ({type(error).__name__} while it was handed over)")
        try:
            self._create(_sent(key), message_id, refused)
        except STORE_ERRORS as error:
            cause = f" (the mail server took it, but the receipt could not be written: {type(error).__name__})"
            return self._uncertain(key, message_id, cause)
        return Sent(message_id, dict(refused))

    def _unusable(self, key: str, error: Exception) -> NotSentError:
        return NotSentError(
            f"the outbox {self._label} cannot be used ({type(error).__name__}), so {key!r} was not sent; "
            "check that the place exists, may be written, and has room"
        )

    def _uncertain(self, key: str, message_id: str, cause: str) -> Uncertain:
        claim = f"{self._label.rstrip('/')}/{_sending(key)}"
        return Uncertain(
            message_id,
            f"the mail under {key!r} was begun but never confirmed{cause}, and is not sent again by itself. "
            f"Look for message id {message_id} in the mail server's log or ask a recipient. If it did not arrive, "
            f"delete {claim} and run again; if it did, copy {claim} to {_sent(key)} beside it.",
        )

    def entries(self) -> list[Entry]:
        """Everything that was begun, by name: what is uncertain, and whom a server refused."""
        names = sorted(item["path"] for page in obstore.list(self._store) for item in page)
        sent = {name.removesuffix(_SENT) for name in names if name.endswith(_SENT)}
        begun = {name.removesuffix(_SENDING) for name in names if name.endswith(_SENDING)}
        return [self._entry(name, is_sent=name in sent) for name in sorted(sent | begun)]

    def _entry(self, name: str, *, is_sent: bool) -> Entry:
        path = f"{name}{_SENT if is_sent else _SENDING}"
        content = bytes(obstore.get(self._store, path).bytes())
        return Entry(name, _message_id(content), is_sent, _refused(content))

    def _create(self, path: str, message_id: str, refused: Mapping[str, str] | None = None) -> bool:
        told = {"message_id": message_id} | ({"refused": dict(refused)} if refused else {})
        try:
            obstore.put(self._store, path, json.dumps(told).encode(), mode="create")
        except AlreadyExistsError:
            return False
        self._make_durable(path)
        return True

    def _read(self, path: str) -> str | None:
        try:
            content = bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError:
            return None
        return _message_id(content)


def _message_id(content: bytes) -> str:
    """A claim cut short by a full disk is still a claim."""
    try:
        return str(json.loads(content)["message_id"])
    except (ValueError, KeyError, TypeError):
        return UNKNOWN_ID


def _refused(content: bytes) -> Mapping[str, str]:
    try:
        return {str(who): str(why) for who, why in json.loads(content).get("refused", {}).items()}
    except (ValueError, AttributeError):
        return {}


def _sending(key: str) -> str:
    return f"{safe_name(key)}{_SENDING}"


def _sent(key: str) -> str:
    return f"{safe_name(key)}{_SENT}"
