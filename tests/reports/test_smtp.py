"""SMTP against a real server: delivered once, and every failure told apart."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from obstore.store import LocalStore

from reports.given import Period, SharedFacts, Team, TeamRows
from reports.mail import mail_message
from reports.outbox import AlreadySent, NotSentError, Outbox, Sent, Uncertain
from reports.smtp import Security, send_smtp
from reports.statement import build_statement


class Mailbox:
    """Keeps what arrives; `answer` is what it says to a message, `refuses` an address that it does not know."""

    def __init__(self, answer: str = "250 OK", refuses: str = "") -> None:
        self.arrived: list[Envelope] = []
        self.answer = answer
        self.refuses = refuses

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if address == self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer == "hang up":
            self.arrived.append(envelope)
            assert server.transport is not None
            server.transport.close()
            return "250 OK"
        if self.answer.startswith("250"):
            self.arrived.append(envelope)
        return self.answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def running() -> Iterator[Any]:
    controllers: list[Controller] = []

    def start(mailbox: Mailbox, **options: Any) -> int:
        controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        controllers.append(controller)
        return controller.port

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def message(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> EmailMessage:
    statement = build_statement(team, period, rows, shared)
    return mail_message(statement, "finops@example.com", ["ada@example.com", "bob@example.com"], "<s-1@example.com>")


def send(message: EmailMessage, port: int, security: Security = "none", username: str | None = None) -> Any:
    return send_smtp(message, "127.0.0.1", port, security, username, "hunter2" if username else None, 10)


def test_a_real_server_receives_the_statement_exactly_once(running: Any, message: EmailMessage, tmp_path: Path) -> None:
    mailbox = Mailbox()
    port = running(mailbox)
    outbox = Outbox(LocalStore(tmp_path), str(tmp_path))
    answers = [outbox.send_once("k", message, lambda m: send(m, port)) for _ in range(3)]
    assert [type(answer) for answer in answers] == [Sent, AlreadySent, AlreadySent]
    (envelope,) = mailbox.arrived
    assert envelope.rcpt_tos == ["ada@example.com", "bob@example.com"]
    content = envelope.content
    assert isinstance(content, bytes)
    assert content.replace(b"\r\n", b"\n").strip().startswith(b"Subject: AI costs of Search & Answers")


def test_a_hang_up_after_the_message_is_uncertain(running: Any, message: EmailMessage, tmp_path: Path) -> None:
    mailbox = Mailbox("hang up")
    port = running(mailbox)
    outbox = Outbox(LocalStore(tmp_path), str(tmp_path))
    assert isinstance(outbox.send_once("k", message, lambda m: send(m, port)), Uncertain)
    assert isinstance(outbox.send_once("k", message, lambda m: send(m, port)), Uncertain)
    assert len(mailbox.arrived) == 1


def test_one_refused_recipient_is_reported_and_the_other_gets_it(running: Any, message: EmailMessage) -> None:
    mailbox = Mailbox(refuses="bob@example.com")
    assert send(message, running(mailbox)) == {"bob@example.com": "550 no such user"}
    assert [e.rcpt_tos for e in mailbox.arrived] == [["ada@example.com"]]


@pytest.mark.parametrize("answer", ["451 try later", "554 spam"])
def test_a_refused_message_is_certainly_not_sent(answer: str, running: Any, message: EmailMessage) -> None:
    with pytest.raises(NotSentError, match=answer):
        send(message, running(Mailbox(answer)))


def test_no_server_is_certainly_not_sent_and_says_what_to_check(message: EmailMessage) -> None:
    with pytest.raises(NotSentError, match="check `host`, `port` and `security`"):
        send(message, 1)


def test_encryption_that_the_server_does_not_offer_is_never_done_without(running: Any, message: EmailMessage) -> None:
    mailbox = Mailbox()
    for security in ("starttls", "tls"):
        with pytest.raises(NotSentError, match="security"):
            send(message, running(mailbox), security)
    assert mailbox.arrived == []


def test_a_password_never_travels_unencrypted(running: Any, message: EmailMessage) -> None:
    seen: list[Any] = []

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
        seen.append(login)
        return AuthResult(success=True)

    port = running(Mailbox(), authenticator=check, auth_require_tls=False)
    with pytest.raises(NotSentError, match="never sent unencrypted") as caught:
        send(message, port, "none", "farthing")
    assert "hunter2" not in str(caught.value)
    assert seen == []


def test_a_certificate_that_nobody_vouches_for_is_refused(running: Any, message: EmailMessage, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    mailbox = Mailbox()
    with pytest.raises(NotSentError, match="CERTIFICATE_VERIFY_FAILED"):
        send(message, running(mailbox, tls_context=context), "starttls", "farthing")
    assert mailbox.arrived == []
