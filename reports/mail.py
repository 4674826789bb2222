"""One statement as one mail: text and HTML twins, the chart inside, the same bytes every time.

Here belongs: headers that no name can break out of, and the message's structure. Here does not belong: sending.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import PurePath

from reports.address import plain_address
from reports.chart import daily_png
from reports.given import StatementError
from reports.render import render_mail_html, render_text
from reports.statement import Statement
from reports.wording import clean

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,100}>")
_SUBJECT_NAME_LIMIT = 60
_KINDS = {
    ".pdf": "pdf",
    ".xlsx": "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "vnd.apache.parquet",
}


def mail_message(
    statement: Statement,
    sender: str,
    recipients: Sequence[str],
    message_id: str,
    files: Mapping[str, bytes] | None = None,
    folder_url: str = "",
) -> EmailMessage:
    """The mail of a statement to plain addresses such as `ada@example.com`; `message_id` looks like `<name@host>`.

    `files` are attached by their names, which come from `statement_filename` and are safe. `folder_url` is where the
    folder with the statement's page is served, if it is: then its files are links.

    The date is the instant of the figures, and the boundaries come from the message id: the same statement gives the
    same bytes. Raises StatementError for an address or message id of another shape, and for no recipient at all.
    """
    if not recipients:
        raise StatementError(f"team {statement.team_id!r} has no recipient; name one under `recipients`")
    return addressed(draft(statement, message_id, files, folder_url), sender, recipients, message_id)


def draft(
    statement: Statement, mark: str, files: Mapping[str, bytes] | None = None, folder_url: str = ""
) -> EmailMessage:
    """The mail of a statement without sender, recipients and message id: what of it can be kept before it is sent.

    Its boundaries come from `mark`; `files` and `folder_url` as for `mail_message`.
    """
    digest = hashlib.sha256(mark.encode()).hexdigest()[:16]
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject_line(statement)
    message["Date"] = format_datetime(statement.month.period.as_of.replace(tzinfo=UTC))
    message["X-Farthing-Statement"] = statement.number
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to a statement
    _add_bodies(message, statement, digest, folder_url)
    _attach(message, files or {}, digest)
    return message


def kept_draft(content: bytes) -> EmailMessage:
    """A draft out of the bytes that it was kept as."""
    message = message_from_bytes(content, _class=EmailMessage, policy=SMTP)
    if message.defects:
        raise StatementError(f"the kept mail is not one: {message.defects[0]}")
    return message


def addressed(message: EmailMessage, sender: str, recipients: Sequence[str], message_id: str) -> EmailMessage:
    """A draft as it is sent. Raises StatementError as `mail_message`, and for no recipient at all."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise StatementError(f"{message_id!r} is no message id; write it like <statement-2026-07-search@example.com>")
    if not recipients:
        raise StatementError("a mail needs a recipient; name one under `recipients`")
    message["From"] = (_address(sender),)
    message["To"] = tuple(_address(recipient) for recipient in recipients)
    message["Message-ID"] = message_id
    return message


def subject_line(statement: Statement) -> str:
    """Team, month, total, and whether it can still change; one line in which no encoded word can hide."""
    month = statement.month
    name = clean(statement.team_name, _SUBJECT_NAME_LIMIT).replace("=?", "= ?")
    firm = "" if month.period.state in ("final", "locked") else f" ({month.banner.headline.lower()})"
    return f"AI costs of {name}, {month.period.label}: {month.total_text}{firm}"


def _add_bodies(message: EmailMessage, statement: Statement, mark: str, folder_url: str) -> None:
    chart_id = f"chart-{mark}@farthing"
    message.set_content(render_text(statement), cte="quoted-printable")
    message.add_alternative(render_mail_html(statement, chart_id, folder_url), subtype="html", cte="quoted-printable")
    page = message.get_payload(1)
    if not isinstance(page, EmailMessage):
        raise TypeError("the HTML part is not a message part")  # the library's own structure, set two lines above
    picture = daily_png(statement.month.days, statement.month.currency)
    page.add_related(picture, "image", "png", cid=f"<{chart_id}>", filename="daily-cost.png", disposition="inline")
    message.set_boundary(f"=_alternative-{mark}")
    page.set_boundary(f"=_related-{mark}")


def _attach(message: EmailMessage, files: Mapping[str, bytes], mark: str) -> None:
    for name, content in files.items():
        kind = _KINDS.get(PurePath(name).suffix, "octet-stream")
        message.add_attachment(content, "application", kind, filename=name)
    if files:
        message.set_boundary(f"=_mixed-{mark}")


def _address(text: str) -> Address:
    try:
        return plain_address(text)
    except ValueError as error:
        raise StatementError(str(error)) from None
