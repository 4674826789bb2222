"""Mails a period's statements, each state once: from the published snapshot, or as kept when it was locked."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from pipelines.calendar import month_start
from pipelines.config.schema import Mail
from pipelines.config.schema import Team as TeamEntry
from pipelines.house import House
from pipelines.lake import LakeError
from pipelines.night.bounces import came_back
from pipelines.night.drafts import Drafted, mail_draft
from pipelines.night.editions import Edition, edition_of, with_customers
from pipelines.night.kept import has_mails, is_mail_kept, kept_mail
from pipelines.night.posting import mail_transport, outbox_of
from pipelines.night.sealing import LOCKED
from pipelines.night.stale import reach
from reports.given import StatementError
from reports.mail import addressed, kept_draft
from reports.outbox import AlreadySent, NotSentError, Outbox, Sent, Uncertain, doubts

_FINAL = "final"
_CAME_LATER = "no mail was kept: it came after the month was locked"


@dataclass(frozen=True)
class Delivered:
    """What became of a period's mail. `problems` need a person; `without_mail` are teams for whom none was kept."""

    sent: int = 0
    already_sent: int = 0
    problems: tuple[str, ...] = ()
    note: str = ""
    without_mail: tuple[str, ...] = ()

    def text(self) -> str:
        """One line for people."""
        return self.note or "; ".join((f"{self.sent} sent, {self.already_sent} sent before", *self.without_mail))


@dataclass(frozen=True)
class _Batch:
    """A period's mails of one state. `draft` makes a team's, under a message id; None where it has none."""

    period: date
    firmness: str
    draft: Callable[[TeamEntry, str], Drafted | None]

    def key(self, entry: TeamEntry) -> str:
        """Under which a team's mail is sent once."""
        return f"{self.period:%Y-%m}/{entry.id}/{self.firmness}"


def deliver(house: House, day: date) -> Delivered:
    """Mails the statements of the latest month that has ended by the end of `day`, and of those before it once final.

    A bill may become final long after its month: then the month's final statement follows the provisional one.
    """
    latest = month_start(month_start(day + timedelta(days=1)) - timedelta(days=1))
    earliest = reach(latest)
    months = house.lake.published().months("chargeback")
    before = [period for period in months if earliest <= period < latest]
    followed = [deliver_period(house, period, only_final=True) for period in before]
    done = _together([deliver_period(house, latest), *followed])
    return replace(done, problems=(*done.problems, *came_back(house).lines()))


def _together(delivered: Sequence[Delivered]) -> Delivered:
    """Several months' deliveries as one; the latest month's note stands when nothing else was sent."""
    sent = sum(one.sent for one in delivered)
    problems = tuple(problem for one in delivered for problem in one.problems)
    already = sum(one.already_sent for one in delivered)
    without = tuple(dict.fromkeys(team for one in delivered for team in one.without_mail))
    return Delivered(sent, already, problems, "" if sent or problems else delivered[0].note, without)


def deliver_period(house: House, period: date, *, only_final: bool = False) -> Delivered:
    """Mails a period's statements, each state once. Without a mail server in the configuration nothing is sent.

    Of a locked month the mails go out as they were when it was locked, whatever settings and names are by now.
    """
    if house.config.mail is None:
        return Delivered(note="no mail server is configured: nothing was sent")
    if has_mails(house, period):
        return _send_all(house, house.config.mail, _Batch(period, _FINAL, _kept(house, period)))
    edition = edition_of(house, period)
    if edition.view.chargeback.is_empty():
        return Delivered(note=f"{period:%Y-%m} has no costs: nothing was sent")
    if edition.view.state == "open":
        return Delivered(note=f"{period:%Y-%m} is not over: nothing was sent")
    if only_final and edition.view.state not in (_FINAL, LOCKED):
        return Delivered()
    return _send_all(house, house.config.mail, _Batch(period, _firmness(edition.view.state), _drawn(house, edition)))


def to_be_sent(house: House, period: date) -> list[str]:
    """Who would be mailed their statement of a period, one line a team; nothing is sent."""
    is_kept = has_mails(house, period)
    view = None if is_kept else edition_of(house, period).view
    if view is not None and view.chargeback.is_empty():
        return [f"{period:%Y-%m} has no costs: nobody would be mailed"]
    if view is not None and view.state == "open":
        return [f"{period:%Y-%m} is not over: nobody would be mailed"]
    batch, outbox = _Batch(period, _firmness(LOCKED if view is None else view.state), lambda *_: None), outbox_of(house)
    came_later = {entry.id for entry in house.config.teams if is_kept and not is_mail_kept(house, period, entry.id)}
    return [f"{entry.id}: {_to_whom(outbox, batch, entry, came_later)}" for entry in house.config.teams]


def _to_whom(outbox: Outbox, batch: _Batch, entry: TeamEntry, came_later: Collection[str]) -> str:
    if not entry.recipients:
        return "to nobody: it has no recipients"
    if outbox.was_sent(batch.key(entry)):
        return "sent before"
    return _CAME_LATER if entry.id in came_later else f"to {', '.join(entry.recipients)}"


def _firmness(state: str) -> str:
    """By which a mail is told from another: locking a final month is no reason to mail it again."""
    return _FINAL if state == LOCKED else state


def _drawn(house: House, edition: Edition) -> Callable[[TeamEntry, str], Drafted | None]:
    """Customers are read for the first mail that is made: most nights there is none."""
    whole = cache(lambda: with_customers(house, edition))
    return lambda entry, message_id: mail_draft(house, entry, whole(), message_id)


def _kept(house: House, period: date) -> Callable[[TeamEntry, str], Drafted | None]:
    def draft(entry: TeamEntry, _: str) -> Drafted | None:
        content = kept_mail(house, period, entry.id)
        return None if content is None else Drafted(kept_draft(content))

    return draft


def _send_all(house: House, mail: Mail, batch: _Batch) -> Delivered:
    outbox = outbox_of(house)
    sent = already = 0
    problems: list[str] = []
    without: list[str] = []
    for entry in house.config.teams:
        if not entry.recipients:
            problems.append(f"{entry.id}: has no recipients, its statement is only in the report folder")
            continue
        try:
            if outbox.was_sent(batch.key(entry)):
                already += 1
                continue
            outcome, lacking = _send(outbox, mail, entry, batch)
        except (NotSentError, StatementError, LakeError) as error:
            problems.append(f"{entry.id}: not sent: {error}")
            continue
        if outcome is None:
            without.append(f"{entry.id}: {_CAME_LATER}")
            continue
        sent += isinstance(outcome, Sent)
        already += isinstance(outcome, AlreadySent)
        problems += [f"{entry.id}: {doubt}" for doubt in (*lacking, *doubts(outcome))]
    return Delivered(sent, already, tuple(problems), without_mail=tuple(without))


def _send(
    outbox: Outbox, mail: Mail, entry: TeamEntry, batch: _Batch
) -> tuple[Sent | AlreadySent | Uncertain | None, list[str]]:
    """What became of a team's mail, and what it went without, a line each.

    None where there is nothing to send: the team came after the month was locked.
    """
    domain = mail.sender.rpartition("@")[2]
    message_id = f"<statement-{batch.period:%Y-%m}-{entry.id}-{batch.firmness}@{domain}>"
    drafted = batch.draft(entry, message_id)
    if drafted is None:
        return None, []
    message = addressed(drafted.message, mail.sender, entry.recipients, message_id)
    outcome = outbox.send_once(batch.key(entry), message, mail_transport(mail))
    lacking = [f"its mail says that a form is missing, and is not sent again: {why}" for why in drafted.problems]
    return outcome, lacking if isinstance(outcome, Sent) else []
