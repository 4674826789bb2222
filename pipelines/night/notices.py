"""Tells of anomalies, late sources and the month so far, from the published snapshot: each once to each mail and chat.

What is told, who is told and when nobody is: section `delivery` of the configuration. The outbox is that of statements.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal
from email.message import EmailMessage
from functools import partial

import polars as pl

from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.config.delivery import TEAM, Channel
from pipelines.house import House
from pipelines.lake import WITHDRAWN, NotPublishedError
from pipelines.night.budget_alerts import due_budget_notices, status_rows
from pipelines.night.posting import mail_transport, outbox_of
from reports.budget_lines import budget_lines
from reports.chat import send_chat
from reports.currencies import converted, without_rate
from reports.filenames import safe_name
from reports.notice import Notice, notice_message
from reports.notices import ANOMALY, DIGEST, STALE, Apart, anomaly_notices, digest_month, digest_notice, stale_notices
from reports.outbox import NotSentError, Sent, Transport, doubts

_NO_SENDER = "farthing@localhost"


@dataclass(frozen=True)
class Due:
    """One notice to one place that was not told of it yet: mail to recipients, or a channel."""

    notice: Notice
    recipients: tuple[str, ...] = ()
    channel: Channel | None = None

    @property
    def key(self) -> str:
        """Under which it is sent once."""
        return self._key_of(self.notice.key)

    def told_by(self) -> tuple[str, ...]:
        """Under which the same place was told of it, or of something that says more."""
        return tuple(map(self._key_of, (self.notice.key, *self.notice.said_by)))

    def _key_of(self, notice_key: str) -> str:
        return f"{notice_key}/{'mail' if self.channel is None else f'channel/{self.channel.name}'}"

    def place(self) -> str:
        """Where it goes, in words."""
        return ", ".join(self.recipients) if self.channel is None else f"channel {self.channel.name}"


@dataclass(frozen=True)
class Told:
    """What became of it. `problems` need a person."""

    due: tuple[Due, ...] = ()
    sent: int = 0
    problems: tuple[str, ...] = ()
    note: str = ""


def due_notices(house: House) -> list[Due]:
    """What nobody was told of yet, in an order of its own."""
    outbox = outbox_of(house)
    return [due for due in _all(house) if not any(map(outbox.was_sent, due.told_by()))]


def deliver_notices(house: House, *, dry_run: bool = False) -> Told:
    """Tells what is due. In quiet hours nobody is told, and nothing counts as told."""
    due = tuple(due_notices(house))
    unmailed = _unmailed(house)
    if dry_run or not due:
        return Told(due, note=unmailed)
    if house.config.delivery.is_quiet(house.clock()):
        return Told(due, note=f"quiet hours: {len(due)} notices wait for the next run after them")
    outbox = outbox_of(house)
    sent, problems = 0, list[str]()
    for one in due:
        try:
            outcome = outbox.send_once(one.key, _message(house, one), _transport(house, one))
        except (NotSentError, ValueError) as error:
            problems.append(f"{one.notice.safe_title()}: not sent: {error}")
            continue
        sent += isinstance(outcome, Sent)
        problems += [f"{one.notice.safe_title()}: {doubt}" for doubt in doubts(outcome)]
    return Told(due, sent, tuple(problems), unmailed)


def _unmailed(house: House) -> str:
    """What to say where roles are to be told and no mail leaves the house; empty otherwise."""
    delivery = house.config.delivery
    roles = (*delivery.anomalies, *delivery.stale, *(delivery.digest.to if delivery.digest else ()))
    if house.config.mail is not None or not roles:
        return ""
    return f"no mail server is configured: {', '.join(dict.fromkeys(roles))} under `delivery` are told of nothing"


def _all(house: House) -> Iterator[Due]:
    delivery = house.config.delivery
    if not (delivery.anomalies or delivery.stale or delivery.digest or delivery.channels):
        return
    notices = [*_anomalies(house), *_stale(house)]
    notices += _digest(house, notices)
    for notice in notices:
        if house.config.mail is not None and (to := _recipients(house, notice)):
            yield Due(notice, recipients=to)
    for channel in delivery.channels:
        for notice in (*notices, *due_budget_notices(house)):
            if notice.kind in channel.tells and channel.team in (None, notice.team_id):
                yield Due(notice, channel=channel)


def _recipients(house: House, notice: Notice) -> tuple[str, ...]:
    """The addresses of the roles that are told of it, each once; `team` is its own team's recipients."""
    delivery = house.config.delivery
    digest = delivery.digest.to if delivery.digest else ()
    roles = {ANOMALY: delivery.anomalies, STALE: delivery.stale, DIGEST: digest}[notice.kind]
    own = next((team.recipients for team in house.config.teams if team.id == notice.team_id), ())
    found = [address for role in roles for address in (own if role == TEAM else delivery.roles[role])]
    return tuple(dict.fromkeys(found))


def _anomalies(house: House) -> list[Notice]:
    try:
        return list(anomaly_notices(house.lake.published().read("anomalies").to_pylist()))
    except NotPublishedError:
        return []


def _stale(house: House) -> list[Notice]:
    configured = {(source.name, source.account) for source in house.config.sources}
    rows = house.lake.published().read("freshness").to_pylist()
    answered = {name: house.lake.asked(name) for name, _ in configured}
    held = [
        {**row, "answered_at": answered[row["x_source"]].get(row["slice_date"])}
        for row in rows
        if row["status"] != WITHDRAWN and (row["x_source"], row["x_account"]) in configured
    ]
    last_day = house.clock().date() - timedelta(days=1)
    return list(stale_notices(held, last_day, house.config.delivery.stale_days))


def _digest(house: House, told: Sequence[Notice]) -> list[Notice]:
    """The digest of a month with costs; none where nobody asked for one."""
    digest, today = house.config.delivery.digest, house.clock().date()
    if digest is None:
        return []
    month = digest_month(digest.every, today, house.lake.published().months("chargeback"))
    if month is None:
        return []
    lines = budget_lines(status_rows(house), month)
    rows = frame_of(house.lake.published().read("chargeback", month, next_month(month)))
    currency, costs, apart = month_costs(rows, house.config.currency)
    return [digest_notice(digest.every, today, costs, currency, lines, told, month, apart)]


def month_costs(rows: pl.DataFrame, currency: str) -> tuple[str, Mapping[str, Decimal], Apart]:
    """What chargeback rows add up to by account, the currency of that, and what is in none of these sums.

    A month that was closed in another currency than today's statements' is told in its own: of several, in `currency`
    where anything is, else in that of most rows.
    """
    counted = rows.group_by("reporting_currency").len().sort("len", "reporting_currency", descending=[True, False])
    told_in = counted["reporting_currency"].to_list()
    own = currency if currency in told_in or not told_in else told_in[0]
    known, is_own = converted(rows), pl.col("reporting_currency") == own
    sums = known.filter(is_own).group_by("account").agg(pl.col("effective_cost").sum())
    others = known.filter(~is_own).group_by("reporting_currency").agg(pl.col("effective_cost").sum())
    return own, dict(sums.iter_rows()), Apart(without_rate(rows), tuple(sorted(others.iter_rows())))


def _message(house: House, due: Due) -> EmailMessage:
    sender = house.config.mail.sender if house.config.mail else _NO_SENDER
    message_id = f"<{safe_name(due.key)}@{sender.rpartition('@')[2]}>"
    to = due.recipients or (sender,)
    return notice_message(due.notice, house.config.company, sender, to, message_id, house.clock().replace(tzinfo=UTC))


def _transport(house: House, due: Due) -> Transport:
    if due.channel is not None:
        return partial(send_chat, name=due.channel.name, secret_url=due.channel.secret_url.get_secret_value())
    mail = house.config.mail
    if mail is None:
        raise NotSentError("no mail server is configured")
    return mail_transport(mail)
