"""Reports of mail servers, in the forms that they have: what is said of whom, and what is none."""

from typing import Any

import pytest

from reports.bounces import Bounce, bounces_of

MESSAGE_ID = "<statement-2026-10-search-final@example.com>"
POSTFIX = f"""\
Return-Path: <>
From: MAILER-DAEMON@mail.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: farthing@example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F9C21E0.1761955200/mail.example.com"

This is a MIME-encapsulated message.

--4F9C21E0.1761955200/mail.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<gone@example.org>: host mx.example.org[192.0.2.25] said: 550 5.1.1
    <gone@example.org>: Recipient address rejected (in reply to RCPT TO command)

--4F9C21E0.1761955200/mail.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
X-Postfix-Queue-ID: 4F9C21E0
Arrival-Date: Mon,  2 Nov 2026 05:31:07 +0000 (UTC)

Final-Recipient: rfc822; gone@example.org
Original-Recipient: rfc822;gone@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <gone@example.org>: Recipient address
    rejected

--4F9C21E0.1761955200/mail.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: farthing@example.com
To: gone@example.org, here@example.org
Message-ID: {MESSAGE_ID}
Subject: AI costs of Search

The statement.

--4F9C21E0.1761955200/mail.example.com--
"""
TWO_RECIPIENTS = f"""\
From: postmaster@outlook.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/html

<p>Delivery has failed to these recipients.</p>
--b
Content-Type: message/delivery-status

Reporting-MTA: dns;outlook.example

Final-Recipient: rfc822;full@example.org
Action: FAILED
Status: 5.2.2

Final-Recipient: rfc822;slow@example.org
Action: delayed
Status: 4.4.1
Diagnostic-Code: smtp;connection timed out
Will-Retry-Until: Wed, 4 Nov 2026 05:31:07 +0000

Final-Recipient: rfc822;here@example.org
Action: relayed
Status: 2.1.9
--b
Content-Type: text/rfc822-headers

From: farthing@example.com
Message-ID:
 {MESSAGE_ID}
Subject: AI costs of Search
--b--
"""
UUENCODED = "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n#zzzz"


def test_a_report_with_the_mail_in_it() -> None:
    reason = "5.1.1, 550 5.1.1 <gone@example.org>: Recipient address rejected"
    assert bounces_of(POSTFIX.encode()) == (Bounce(MESSAGE_ID, "gone@example.org", "failed", reason),)


def test_a_report_of_several_recipients_with_the_headers_alone() -> None:
    assert bounces_of(TWO_RECIPIENTS.replace("\n", "\r\n").encode()) == (
        Bounce(MESSAGE_ID, "full@example.org", "failed", "5.2.2"),
        Bounce(MESSAGE_ID, "slow@example.org", "delayed", "4.4.1, connection timed out"),
    )


def test_a_report_about_no_message_says_so() -> None:
    found = bounces_of(TWO_RECIPIENTS.partition("--b\nContent-Type: text/rfc822")[0].encode())
    assert found is not None
    assert [bounce.message_id for bounce in found] == ["", ""]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"From: ada@example.org\nIn-Reply-To: <x@example.com>\n\nThank you, I am away.\n",
        b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: text/plain\n\nfailed\n--b--\n",
        b"\xff\xfe\x00not a mail",
        b"Content-Type: message/rfc822\n\n" + POSTFIX.encode(),
    ],
)
def test_what_is_no_report_is_none(content: bytes) -> None:
    """A forwarded report among them: whoever forwards one wants to talk about it."""
    assert bounces_of(content) is None


def test_a_mail_of_parts_within_parts_is_read_to_no_end() -> None:
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(3000))
    assert bounces_of(nested) is None


RAISED = (
    b"Content-Type: multipart/mixed; charset*=utf-8''x\n\n\xff\n",
    b"Content-Type: multipart/mixed; a*=x; a*0=y; boundary=b\n\n--b\n\nx\n--b--\n",
)


@pytest.mark.parametrize("content", RAISED)
def test_what_email_cannot_parse_is_no_report(content: bytes) -> None:
    assert bounces_of(content) is None


def test_headers_that_cannot_be_decoded_are_about_no_message() -> None:
    """Of some versions of Python they are an error, of others headers that say nothing."""
    mail = TWO_RECIPIENTS.replace("rfc822-headers\n\nFrom: farthing@example.com", f"rfc822-headers\n{UUENCODED}")
    assert {bounce.message_id for bounce in bounces_of(mail.encode()) or ()} <= {""}


def test_what_it_costs_to_read_a_mail_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: the objects made of a report of empty lines, and what is parsed of a field."""
    from email import message

    made: list[int] = []
    begin = message.Message.__init__

    def counted(self: message.Message, *given: Any, **named: Any) -> None:
        made.append(1)
        begin(self, *given, **named)

    monkeypatch.setattr(message.Message, "__init__", counted)
    status = "Content-Type: message/delivery-status\n\nAction: failed\n"
    assert [bounce.action for bounce in bounces_of(status.encode() + b"\n" * 3_000_000) or ()] == ["failed"]
    assert len(made) <= 10_001
    # a quoted parameter is read in the square of its length: of 8 MB for years, of what is kept of it at once
    assert bounces_of(b'Content-Type: multipart/mixed; a="' + b";" * 8_000_000) is None
    assert bounces_of(b'Content-Type: multipart/mixed; a="' + b"\n ;" * 200_000) is None


def test_a_report_before_a_mail_of_any_size_is_read() -> None:
    large = POSTFIX.replace("The statement.", "The statement.\n" * 500_000)
    assert bounces_of(large.encode()) == bounces_of(POSTFIX.encode())


def test_a_hostile_report_is_words() -> None:
    hostile = POSTFIX.replace("gone@example.org\nOriginal", "x\x1b[31m\u202e@example.org\nOriginal")
    hostile = hostile.replace("Original-Recipient: rfc822;gone@example.org\n", "").replace(
        "Action: failed", "Action: failed\x07"
    )
    found = bounces_of(hostile.encode())
    assert found is not None
    assert all(character.isprintable() for bounce in found for character in bounce.recipient + bounce.reason)
