"""Renders a period's statements from the published snapshot and mails each once. Every team is handed its rows only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import PurePath

from pipelines.calendar import month_start, next_month
from pipelines.config.schema import Mail
from pipelines.config.schema import Team as TeamEntry
from pipelines.house import House
from pipelines.lake import LakeError
from pipelines.lake.root import open_root
from pipelines.night.idle_rules import idle_rules
from pipelines.night.kept import keep, kept_pages
from pipelines.night.sealing import LOCKED
from pipelines.night.snapshot import PeriodView, period_view, shared_facts
from pipelines.night.stale import HORIZON_DAYS
from pipelines.night.touched import touched
from reports.filenames import statement_filename
from reports.files import Format, file_names, statement_files
from reports.given import IdleRule, Period, SharedFacts, StatementError, Team, TeamRows
from reports.mail import mail_message
from reports.outbox import AlreadySent, NotSentError, Outbox, Sent, Uncertain
from reports.overview import build_overview
from reports.render import render_html, render_overview, render_text
from reports.smtp import send_smtp
from reports.statement import Statement, build_statement

INDEX = "index.html"


@dataclass(frozen=True)
class Rendered:
    """How many statements were written, and the page that links them."""

    count: int
    index: str


@dataclass(frozen=True)
class Delivered:
    """What became of a period's mail. `problems` need a person."""

    sent: int = 0
    already_sent: int = 0
    problems: tuple[str, ...] = ()
    note: str = ""

    def text(self) -> str:
        """One line for people."""
        return self.note or f"{self.sent} sent, {self.already_sent} sent before"


@dataclass(frozen=True)
class Edition:
    """One period as one snapshot has it, and the files that lie beside each statement's page."""

    view: PeriodView
    period: Period
    shared: SharedFacts
    formats: tuple[Format, ...] = ()


def render_period(house: House, period: date) -> Rendered:
    """Writes the statements of a published period and their index. Raises LakeError without costs."""
    edition = edition_of(house, period)
    if edition.view.chargeback.is_empty():
        where = f"{period:%Y-%m} in {house.config.currency}"
        raise LakeError(f"the published snapshot has no costs of {where}: nothing was rendered")
    return _render(house, edition, idle_rules(house))


def render_run(house: House, first: date, last: date, idle: Sequence[IdleRule]) -> list[Rendered]:
    """Renders every month with costs that a run of those days may have changed, oldest first.

    `idle`: the owner rules that match nothing, for the overviews.
    """
    with_costs = house.lake.published().months("chargeback")
    earliest = month_start(first - timedelta(days=HORIZON_DAYS))
    editions = (edition_of(house, period) for period in with_costs if earliest <= period <= last)
    return [_render(house, edition, idle) for edition in editions if not edition.view.chargeback.is_empty()]


def _render(house: House, edition: Edition, idle: Sequence[IdleRule]) -> Rendered:
    """Writes the pages of a period; of a locked one those that were kept, byte for byte."""
    period = edition.view.period
    is_locked = edition.view.state == LOCKED
    pages = kept_pages(house, period) if is_locked else {}
    if not pages:
        pages = _pages(house, edition, idle)
        if is_locked:
            keep(house, period, pages, edition.view.frames())
    folder = house.reports_directory / f"{period:%Y-%m}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pages.items():
        (folder / name).write_bytes(content)
    count = sum(name.endswith(".txt") for name in pages)
    return Rendered(count, str(folder / INDEX))


def _pages(house: House, edition: Edition, idle: Sequence[IdleRule]) -> dict[str, bytes]:
    """Every page of a period by file name: a statement in each of its forms for each team, and the overview."""
    pages: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for statement in (_statement(entry, edition) for entry in house.config.teams):
        name = statement_filename(statement.team_id, edition.period)
        pages[name] = render_html(statement)
        pages[str(PurePath(name).with_suffix(".txt"))] = render_text(statement)
        own = edition.view.team_rows(statement.team_id)
        files |= statement_files(statement, own, name, house.config.reports.formats)
    view = edition.view
    before = view.previous if view.previous.height else None
    everything = TeamRows(view.chargeback, view.gpu, before, touched(view.errata))
    teams = [_team(entry) for entry in house.config.teams]
    pages[INDEX] = render_overview(build_overview(teams, edition.period, everything, edition.shared, idle))
    return {name: text.encode() for name, text in pages.items()} | files


def deliver(house: House, day: date) -> Delivered:
    """Mails the statements of the latest month that has ended by the end of `day`, and of those before it once final.

    A bill may become final long after its month: then the month's final statement follows the provisional one.
    """
    latest = month_start(month_start(day + timedelta(days=1)) - timedelta(days=1))
    earliest = month_start(latest - timedelta(days=HORIZON_DAYS))
    months = house.lake.published().months("chargeback")
    before = [period for period in months if earliest <= period < latest]
    followed = [deliver_period(house, period, only_final=True) for period in before]
    return _together([deliver_period(house, latest), *followed])


def _together(delivered: Sequence[Delivered]) -> Delivered:
    """Several months' deliveries as one; the latest month's note stands when nothing else was sent."""
    sent = sum(one.sent for one in delivered)
    problems = tuple(problem for one in delivered for problem in one.problems)
    already = sum(one.already_sent for one in delivered)
    return Delivered(sent, already, problems, "" if sent or problems else delivered[0].note)


def deliver_period(house: House, period: date, *, only_final: bool = False) -> Delivered:
    """Mails a period's statements, each state once. Without a mail server in the configuration nothing is sent."""
    if house.config.mail is None:
        return Delivered(note="no mail server is configured: nothing was sent")
    edition = edition_of(house, period)
    if edition.view.chargeback.is_empty():
        return Delivered(note=f"{period:%Y-%m} has no costs: nothing was sent")
    if edition.view.state == "open":
        return Delivered(note=f"{period:%Y-%m} is not over: nothing was sent")
    if only_final and edition.view.state not in ("final", LOCKED):
        return Delivered()
    return _send_all(house, house.config.mail, edition)


def edition_of(house: House, period: date) -> Edition:
    """A period as the published snapshot has it. Raises LakeError when nothing was published."""
    view = period_view(house.lake, period, house.config.currency)
    last_day = house.clock().date() - timedelta(days=1)
    state = Period(period, view.state, _as_of(view, period))
    return Edition(
        view, state, shared_facts(view, house.config, house.config_hash, last_day), house.config.reports.formats
    )


def _as_of(view: PeriodView, period: date) -> datetime:
    """When the figures were taken: the latest attempt at any of the period's sources."""
    attempts = view.freshness["attempted_at"].to_list()
    return max(attempts, default=datetime.combine(next_month(period), datetime.min.time()))


def _statement(entry: TeamEntry, edition: Edition) -> Statement:
    """The team's statement, from that team's rows and nobody else's."""
    files = file_names(statement_filename(entry.id, edition.period), edition.formats)
    return build_statement(_team(entry), edition.period, edition.view.team_rows(entry.id), edition.shared, files)


def _team(entry: TeamEntry) -> Team:
    return Team(entry.id, entry.name, entry.business_unit, entry.cost_centre)


def _send_all(house: House, mail: Mail, edition: Edition) -> Delivered:
    outbox = _outbox(house)
    sent = already = 0
    problems: list[str] = []
    for entry in house.config.teams:
        if not entry.recipients:
            problems.append(f"{entry.id}: has no recipients, its statement is only in the report folder")
            continue
        if outbox.was_sent(_key(entry, edition.period)):
            already += 1
            continue
        try:
            outcome = _send(house, outbox, mail, entry, edition)
        except (NotSentError, StatementError) as error:
            problems.append(f"{entry.id}: not sent: {error}")
            continue
        sent += isinstance(outcome, Sent)
        already += isinstance(outcome, AlreadySent)
        problems += _doubts(entry.id, outcome)
    return Delivered(sent, already, tuple(problems))


def _key(entry: TeamEntry, period: Period) -> str:
    return f"{period.start:%Y-%m}/{entry.id}/{_firmness(period)}"


def _firmness(period: Period) -> str:
    """The state by which a mail is told from another: locking a final month is no reason to mail it again."""
    return "final" if period.state == LOCKED else period.state


def _send(
    house: House, outbox: Outbox, mail: Mail, entry: TeamEntry, edition: Edition
) -> Sent | AlreadySent | Uncertain:
    period = edition.period
    domain = mail.sender.rpartition("@")[2]
    message_id = f"<statement-{period.start:%Y-%m}-{entry.id}-{_firmness(period)}@{domain}>"
    statement, page = _statement(entry, edition), statement_filename(entry.id, period)
    attached = statement_files(statement, edition.view.team_rows(entry.id), page, house.config.reports.attached)
    url = f"{house.config.reports.url.rstrip('/')}/{period.start:%Y-%m}" if house.config.reports.url else ""
    message = mail_message(statement, mail.sender, entry.recipients, message_id, attached, url)
    password = mail.password.get_secret_value() if mail.password else None

    def transport(ready: EmailMessage) -> Mapping[str, str]:
        return send_smtp(ready, mail.host, mail.port, mail.security, mail.username, password, mail.timeout_seconds)

    return outbox.send_once(_key(entry, period), message, transport)


def _doubts(team_id: str, outcome: Sent | AlreadySent | Uncertain) -> list[str]:
    if isinstance(outcome, Uncertain):
        return [f"{team_id}: {outcome.remedy}"]
    if isinstance(outcome, Sent):
        return [f"{team_id}: {address} was refused: {reason}" for address, reason in outcome.refused.items()]
    return []


def _outbox(house: House) -> Outbox:
    place = open_root(f"{house.config.lake.rstrip('/')}/outbox", house.config.store_options)
    return Outbox(place.store, place.location, place.make_durable)
