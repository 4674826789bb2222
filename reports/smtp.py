"""Handing one message to a mail server, and telling apart what certainly failed from what nobody can know.

Here belongs: SMTP. Here does not belong: deciding whether to send; see `outbox`.
"""

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from typing import Literal

from reports.outbox import NotSentError

Security = Literal["tls", "starttls", "none"]
_REFUSALS = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
)


def send_smtp(
    message: EmailMessage,
    host: str,
    port: int,
    security: Security,
    username: str | None,
    password: str | None,
    timeout_seconds: float,
) -> Mapping[str, str]:
    """Hands the message over to every address in its To header; returns the refused ones, each with the reason.

    Raises NotSentError where the server certainly did not take the message: no connection, no encryption where
    `security` asks for it, a refused login, every recipient refused, a refused message. Any other error leaves
    open whether it did.
    """
    server = _connect(host, port, security, timeout_seconds)
    try:
        _log_in(server, host, security, username, password)
        return _hand_over(server, host, message)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.quit()  # what the server says to a goodbye changes nothing about the message


def probe_smtp(
    host: str, port: int, security: Security, username: str | None, password: str | None, timeout_seconds: float
) -> str:
    """Connects, encrypts and logs in as a mailing would, and sends nothing. Raises NotSentError saying what failed."""
    server = _connect(host, port, security, timeout_seconds)
    try:
        _log_in(server, host, security, username, password)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    return f"mail server {host}:{port} answers" + (" and takes the login" if username else "")


def _connect(host: str, port: int, security: Security, timeout_seconds: float) -> smtplib.SMTP:
    try:
        if security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=timeout_seconds, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=timeout_seconds)
    except (smtplib.SMTPException, OSError) as error:
        raise NotSentError(
            f"mail server {host}:{port} did not answer with security {security!r} ({_said(error)}); "
            "check `host`, `port` and `security` under `mail`"
        ) from None


def _log_in(server: smtplib.SMTP, host: str, security: Security, username: str | None, password: str | None) -> None:
    try:
        if security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if username is not None:
            if security == "none":
                raise NotSentError(
                    f"mail server {host}: a password is never sent unencrypted; set `security` to tls or starttls, "
                    "or remove `username`"
                )
            server.login(username, password or "")
    except smtplib.SMTPAuthenticationError as error:
        code = error.smtp_code
        raise NotSentError(f"mail server {host} refused the login ({code}); check `username` and `password`") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotSentError(
            f"mail server {host} did not open an encrypted session ({_said(error)}); check `security`, or the server"
        ) from None


def _hand_over(server: smtplib.SMTP, host: str, message: EmailMessage) -> Mapping[str, str]:
    recipients = [address.addr_spec for address in message["To"].addresses]
    try:
        refused = server.send_message(message, to_addrs=recipients)
    except smtplib.SMTPDataError as error:
        if error.smtp_code < 400:  # no plain refusal: the server may have kept the message
            raise
        raise NotSentError(f"mail server {host} refused the message ({_said(error)})") from None
    except _REFUSALS as error:
        raise NotSentError(f"mail server {host} refused sender or recipients ({_said(error)})") from None
    return {address: f"{code} {_text(reason)}" for address, (code, reason) in refused.items()}


def _said(error: Exception) -> str:
    """The server's words, one line, without anything that we sent."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{address}: {code} {_text(reason)}" for address, (code, reason) in error.recipients.items())
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"[:300]


def _text(reason: bytes | str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    return " ".join(text.split())[:200]
