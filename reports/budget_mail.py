"""A budget's threshold as a mail: which ones are due, and what is said.

Here belongs: which thresholds of a row are spoken of, and the message. Here does not belong: who is told, sending.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from reports.address import plain_address
from reports.budget_lines import BudgetLine, amount_text, budget_line, month_label
from reports.money import format_ratio
from reports.wording import clean

SPENT, BREACH, BURNING = "spent", "breach", "burning"


@dataclass(frozen=True)
class Alert:
    """A threshold that a budget has reached in a month; burning has none, and is spoken of once likewise.

    `line` holds the budget's figures in words, `said` what is the matter in one sentence.
    """

    budget_id: str
    period: date
    kind: str
    threshold: Decimal | None
    said: str
    line: BudgetLine

    @property
    def key(self) -> str:
        """Under which it is sent once."""
        return alert_key(self.period, self.budget_id, self.kind, self.threshold)


def alert_key(period: date, budget_id: str, kind: str, threshold: Decimal | None) -> str:
    """The outbox's key of a threshold, such as `2026-10/budget/search/spent-0.8`."""
    mark = kind if threshold is None else f"{kind}-{threshold.normalize():f}"
    return f"{period:%Y-%m}/budget/{budget_id}/{mark}"


def alerts(row: Mapping[str, Any]) -> Iterator[Alert]:
    """What a row of `budget_status` gives reason to speak of: of each kind the highest threshold that is reached.

    Whoever has spent a budget is not told besides how likely that is.
    """
    line = budget_line(row)
    month, budget = month_label(row["billing_period"]), amount_text(row["budget_amount"], row["unit"])

    def alert(kind: str, threshold: Decimal | None, said: str) -> Alert:
        return Alert(row["budget_id"], row["billing_period"], kind, threshold, said, line)

    if row["spent_threshold"] is not None:
        yield alert(SPENT, row["spent_threshold"], f"{format_ratio(row['spent_ratio'])} of {budget} spent in {month}")
    if row["breach_threshold"] is not None and not line.is_overspent:
        chance = format_ratio(row["breach_chance"])
        yield alert(BREACH, row["breach_threshold"], f"{month} ends above {budget} with a chance of {chance}")
    if line.is_burning:
        yield alert(BURNING, None, f"{budget} for {month} is burning: {line.burn}")


def alert_message(
    alert: Alert, company: str, sender: str, recipients: Sequence[str], message_id: str, now: datetime
) -> EmailMessage:
    """The mail of an alert. Raises ValueError for an address or a message id that a header cannot hold."""
    if not re.fullmatch(r"<[A-Za-z0-9._-]{1,200}@[A-Za-z0-9.-]{1,100}>", message_id):
        raise ValueError(f"{message_id!r} is no message id; write it like <budget-2026-10-search@example.com>")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"Budget {clean(alert.budget_id)}: {alert.said}".replace("=?", "= ?")
    message["From"] = (plain_address(sender),)
    to: tuple[Address, ...] = tuple(plain_address(recipient) for recipient in recipients)
    message["To"] = to
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content(_body(alert, company), cte="quoted-printable")
    return message


def _body(alert: Alert, company: str) -> str:
    line = alert.line
    facts = [
        ("Budget", f"{line.budget} a month, {line.of_what}"),
        ("Spent", line.spent),
        ("Expected to date", line.expected),
        ("Remaining", line.remaining),
        ("Month's end", line.month_end + (f", {line.interval} in eight of ten cases" if line.interval else "")),
        ("Chance to exceed", line.chance),
        ("Burn", line.burn),
        ("Standing", line.firmness),
    ]
    width = max(len(name) for name, _ in facts)
    told = "\n".join(f"{name:<{width}}  {value}" for name, value in facts)
    once = "This is said once a month for each threshold."
    return f"{clean(company)}\n\n{alert.said}.\n\n{told}\n\n{once}\n"
