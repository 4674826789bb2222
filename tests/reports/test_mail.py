"""The mail: twins with a chart inside, the same bytes every time, headers that no name can break."""

import re
import struct
import zlib
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from reports.given import Period, SharedFacts, StatementError, Team, TeamRows
from reports.mail import mail_message
from reports.png import packed
from reports.statement import Statement, build_statement
from reports.wording import clean

SENDER = "finops@example.com"
MESSAGE_ID = "<statement-2026-07-search@example.com>"


@pytest.fixture
def statement(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> Statement:
    return build_statement(team, period, rows, shared)


def received(message: EmailMessage) -> EmailMessage:
    """The message as its reader gets it, from its bytes."""
    return message_from_bytes(message.as_bytes(), policy=policy.default)


def test_the_mail_is_text_beside_html_with_its_chart_inside(statement: Statement) -> None:
    message = received(mail_message(statement, SENDER, ["ada@example.com", "bob@example.com"], MESSAGE_ID))
    assert message["Subject"] == "AI costs of Search & Answers, July 2026: $1,000.00 (provisional)"
    assert message["To"] == "ada@example.com, bob@example.com"
    assert message["Date"] == "Mon, 03 Aug 2026 02:10:00 +0000"
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    _, text, _, page, picture = message.walk()
    assert "TOTAL $1,000.00" in text.get_content()
    content_id = str(picture["Content-ID"]).strip("<>")
    assert re.findall(r'<img[^>]* src="([^"]+)"', page.get_content()) == [f"cid:{content_id}"]
    assert picture.get_content().startswith(b"\x89PNG")


def test_the_page_in_the_mail_carries_its_styles_on_its_elements_and_stays_below_what_clients_cut(
    statement: Statement,
) -> None:
    page = list(received(mail_message(statement, SENDER, ["ada@example.com"], MESSAGE_ID)).walk())[3].get_content()
    assert re.search(r'<td class="figure" style="[^"]*text-align: ?right', page)
    assert "@media (prefers-color-scheme: dark)" in page
    assert len(page.encode()) < 102_000  # one large mail service clips what is longer


def test_the_same_statement_gives_the_same_mail(statement: Statement) -> None:
    one, other = (mail_message(statement, SENDER, ["ada@example.com"], MESSAGE_ID).as_bytes() for _ in range(2))
    assert one == other
    assert b"\n" in one
    assert not re.search(rb"(?<!\r)\n", one)


@pytest.mark.parametrize(
    "name",
    [
        "a\r\nBcc: thief@example.com",
        "a\nBcc: thief@example.com\n\nbody",
        "=?utf-8?q?a=0D=0ABcc:_thief@example.com?=",
        "\u2028Bcc: thief@example.com",
        "名" * 3000,
        "=cmd()",
    ],
)
def test_a_team_s_name_adds_no_header(name: str, statement: Statement) -> None:
    message = received(mail_message(replace(statement, team_name=clean(name)), SENDER, ["ada@example.com"], MESSAGE_ID))
    assert sorted(set(message.keys())) == sorted(
        [
            "Subject",
            "From",
            "To",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "X-Farthing-Statement",
            "MIME-Version",
            "Content-Type",
        ]
    )
    assert "\n" not in message["Subject"]
    assert message["To"] == "ada@example.com"
    assert len(message["Subject"]) < 200


@pytest.mark.parametrize(
    "address", ["ada@example.com, bob@example.com", "Ada <ada@example.com>", "a@b\r\nBcc: c@d", "nobody", "", "a@b@c"]
)
def test_an_address_that_is_not_one_plain_address_is_refused(address: str, statement: Statement) -> None:
    with pytest.raises(StatementError, match="not one plain mail address"):
        mail_message(statement, SENDER, [address], MESSAGE_ID)


def test_no_recipient_and_a_broken_message_id_are_refused(statement: Statement) -> None:
    with pytest.raises(StatementError, match="has no recipient"):
        mail_message(statement, SENDER, [], MESSAGE_ID)
    with pytest.raises(StatementError, match="no message id"):
        mail_message(statement, SENDER, ["ada@example.com"], "<a@b>\r\nBcc: c@d")


def test_the_picture_is_packed_without_a_pixel_changed(statement: Statement) -> None:
    rows = b"\x00\x10\x20\x30\x00\x40\x50\x60"  # filter byte and one RGB pixel, twice
    plain = png(1, 2, zlib.compress(rows, 0))
    small = packed(plain)
    assert small[:8] == plain[:8]
    assert small[8:33] == plain[8:33]  # the header chunk
    length = int.from_bytes(small[33:37], "big")
    assert zlib.decompress(small[41 : 41 + length]) == rows
    assert small.endswith(bytes.fromhex("0000000049454e44ae426082"))
    message = received(mail_message(statement, SENDER, ["ada@example.com"], MESSAGE_ID))
    assert len(message.as_bytes()) < 150_000


def png(width: int, height: int, pixels: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
