"""Tells of budgets, from the published snapshot: each threshold once a month, by the outbox that statements go by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from models.budgets import TABLE as BUDGET_STATUS
from pipelines.config.schema import Mail
from pipelines.house import House
from pipelines.lake import NotPublishedError
from pipelines.lake.published import Snapshot
from pipelines.night.posting import mail_transport, outbox_of
from reports.budget_mail import BREACH, SPENT, Alert, alert_key, alert_message, alerts
from reports.filenames import safe_name
from reports.notice import Notice
from reports.outbox import AlreadySent, NotSentError, Outbox, Sent, Uncertain, doubts


@dataclass(frozen=True)
class Alerted:
    """What became of the thresholds that are reached. `due` were not told before; `problems` need a person."""

    due: tuple[Alert, ...] = ()
    sent: int = 0
    problems: tuple[str, ...] = ()
    note: str = ""


def status_rows(house: House) -> list[dict[str, Any]]:
    """The published rows of `budget_status`; none where the snapshot does not have it yet."""
    try:
        return house.lake.published().read(BUDGET_STATUS).to_pylist()
    except NotPublishedError:
        return []


def forecast_months(snapshot: Snapshot) -> list[tuple[str, date]]:
    """Metric and month of what a snapshot forecasts; none where it does not have the table yet."""
    try:
        rows = snapshot.read("forecasts")
    except NotPublishedError:
        return []
    names = rows.select(["metric", "billing_period"]).to_pylist()
    return sorted({(row["metric"], row["billing_period"]) for row in names})


def due_alerts(house: House) -> list[Alert]:
    """The thresholds that months which are not over have reached, and of which nobody was told this month.

    Of one kind only the highest is told: who is told of 80 % is not told of 50 % afterwards.
    """
    outbox = outbox_of(house)
    rows = (row for row in status_rows(house) if row["is_current"])
    return [alert for row in rows for alert in alerts(row) if not _was_told(house, outbox, alert)]


def due_budget_notices(house: House) -> list[Notice]:
    """The same thresholds as notices for channels, whoever was told of them by mail.

    A channel that was told of a higher threshold of the kind is not told of a lower one afterwards, either.
    """
    rows = (row for row in status_rows(house) if row["is_current"]) if house.config.budgets else ()
    # the row's own team: entries of one id follow one another, and may be of different teams
    found = [(row["team_id"], alert) for row in rows for alert in alerts(row)]
    return [_notice(house, team_id, alert) for team_id, alert in found]


def _notice(house: House, team_id: str | None, alert: Alert) -> Notice:
    text = f"Budget {alert.budget_id}: {alert.said}"
    higher = tuple(f"notice/{key}" for key in _keys(house, alert) if key != alert.key)
    return Notice(f"notice/{alert.key}", "budget", text, (text,), team_id, higher)


def deliver_alerts(house: House, *, dry_run: bool = False) -> Alerted:
    """Mails what is due, each once. Without a mail server nothing is sent, and nothing counts as told."""
    due = tuple(due_alerts(house)) if house.config.budgets else ()
    if dry_run or not due:
        return Alerted(due)
    if house.config.delivery.is_quiet(house.clock()):
        return Alerted(due, note=f"quiet hours: {len(due)} thresholds of budgets wait for the next run after them")
    if house.config.mail is None:
        return Alerted(due, note="no mail server is configured: nobody was told of budgets")
    outbox = outbox_of(house)
    sent = 0
    problems: list[str] = []
    for alert in due:
        to = recipients(house, alert)
        if not to:
            problems.append(f"budget {alert.budget_id}: {alert.said}, and it has no recipients")
            continue
        try:
            outcome = _send(house, house.config.mail, outbox, alert, to)
        except (NotSentError, ValueError) as error:
            problems.append(f"budget {alert.budget_id}: not sent: {error}")
            continue
        sent += isinstance(outcome, Sent)
        problems += [f"budget {alert.budget_id}: {doubt}" for doubt in doubts(outcome)]
    return Alerted(due, sent, tuple(problems))


def recipients(house: House, alert: Alert) -> tuple[str, ...]:
    """Who is told: the budget's recipients, else its team's."""
    held = [b for b in house.config.budgets if b.id == alert.budget_id and b.valid_from <= alert.period < b.valid_to]
    for budget in held:
        if budget.recipients:
            return budget.recipients
        return next((team.recipients for team in house.config.teams if team.id == budget.team), ())
    return ()


def _was_told(house: House, outbox: Outbox, alert: Alert) -> bool:
    return any(outbox.was_sent(key) for key in _keys(house, alert))


def _keys(house: House, alert: Alert) -> Iterable[str]:
    """Of the alert's own threshold, and of those of its kind that say more."""
    return (alert_key(alert.period, alert.budget_id, alert.kind, mark) for mark in _as_high(house, alert))


def _as_high(house: House, alert: Alert) -> Iterable[Decimal | None]:
    """The alert's own threshold and the configured ones of its kind above it."""
    rules = house.config.budget_alerts
    configured: Mapping[str, Sequence[Decimal]] = {SPENT: rules.spent, BREACH: rules.breach_chance}
    own = alert.threshold
    above = (mark for mark in configured.get(alert.kind, ()) if own is not None and mark > own)
    return (own, *above)


def _send(house: House, mail: Mail, outbox: Outbox, alert: Alert, to: Sequence[str]) -> Sent | AlreadySent | Uncertain:
    message_id = f"<{safe_name(alert.key)}@{mail.sender.rpartition('@')[2]}>"
    now = house.clock().replace(tzinfo=UTC)
    message = alert_message(alert, house.config.company, mail.sender, to, message_id, now)
    return outbox.send_once(alert.key, message, mail_transport(mail))
