"""Something that somebody is told once, as mail and for chats: an anomaly, a late source, the digest.

Here belongs: the words, a mail's headers, and making words harmless in a chat. Here does not belong: who is told,
sending.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from reports.address import plain_address
from reports.wording import clean

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._-]{1,200}@[A-Za-z0-9.-]{1,100}>")
_LINE_LIMIT, _TITLE_LIMIT = 500, 150
# Chats make mentions, links and formatting of these; a name from a tag or a log must not call anybody.
_HARMLESS = str.maketrans(
    {"<": "\u2039", ">": "\u203a", "@": "\uff20", "`": "'", "*": "\u2217", "_": "\u02cd", "[": "(", "]": ")", "|": "/"}
    | {"~": "\u223c", "#": "\uff03"}
)


@dataclass(frozen=True)
class Notice:
    """What is told. `key` is what it is told once under; `team_id` is whose it is, None where it is the company's.

    `said_by` are keys of notices that say more: who was told of one of them is not told of this one.
    """

    key: str
    kind: str
    title: str
    lines: tuple[str, ...]
    team_id: str | None = None
    said_by: tuple[str, ...] = ()

    def safe_title(self) -> str:
        """The title in one line, in which no encoded word can hide."""
        return clean(self.title, _TITLE_LIMIT).replace("=?", "= ?")

    def text(self) -> str:
        """Its lines, none of which can begin another."""
        return "\n".join(clean(line, _LINE_LIMIT) for line in self.lines)


def chat_text(text: str) -> str:
    """The same for a chat: no mention, no link, no markup."""
    return text.translate(_HARMLESS).replace("://", ":\N{NO-BREAK SPACE}//")


def notice_message(
    notice: Notice, company: str, sender: str, recipients: Sequence[str], message_id: str, now: datetime
) -> EmailMessage:
    """The mail of a notice. Raises ValueError for an address or a message id that a header cannot hold."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"{message_id!r} is no message id; write it like <notice-1@example.com>")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = notice.safe_title()
    message["From"] = (plain_address(sender),)
    message["To"] = tuple(plain_address(recipient) for recipient in recipients)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    body = f"{clean(company)}\n\n{notice.text()}\n\nThis is said once.\n"
    message.set_content(body, cte="quoted-printable")
    return message
