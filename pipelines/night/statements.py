"""Renders a period's statements from the published snapshot and mails each once. Every team is handed its rows only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage

from pipelines.config.schema import Config, Mail
from pipelines.config.schema import Team as TeamEntry
from pipelines.house import House
from pipelines.night.snapshot import PeriodView, period_view, shared_facts
from pipelines.night.stale import HORIZON_DAYS, month_start, next_month
from reports.filenames import statement_filename
from reports.given import Period, SharedFacts, StatementError, Team, TeamRows
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


def render_period(house: House, period: date) -> Rendered:
    """Writes the statements of a published period and their index. Raises LakeError when nothing is published."""
    edition = _edition(house, period)
    folder = house.reports_directory / f"{period:%Y-%m}"
    folder.mkdir(parents=True, exist_ok=True)
    statements = _statements(house.config, edition)
    for statement in statements:
        page = folder / statement_filename(statement.team_id, edition.period)
        page.write_text(render_html(statement), encoding="utf-8")
        page.with_suffix(".txt").write_text(render_text(statement), encoding="utf-8")
    view = edition.view
    everything = TeamRows(view.chargeback, view.gpu, view.previous if view.previous.height else None)
    teams = [_team(entry) for entry in house.config.teams]
    overview = build_overview(teams, edition.period, everything, edition.shared)
    index = folder / INDEX
    index.write_text(render_overview(overview), encoding="utf-8")
    return Rendered(len(statements), str(index))


def render_run(house: House, first: date, last: date) -> list[Rendered]:
    """Renders every month with costs that a run of those days may have changed, oldest first."""
    with_costs: set[date] = set(house.lake.published().read("chargeback")["billing_period"].to_pylist())
    earliest = month_start(first - timedelta(days=HORIZON_DAYS))
    return [render_period(house, period) for period in sorted(with_costs) if earliest <= period <= last]


def deliver(house: House, day: date) -> Delivered:
    """Mails the statements of the latest month that has ended by the end of `day`."""
    ended = day + timedelta(days=1)
    return deliver_period(house, month_start(month_start(ended) - timedelta(days=1)))


def deliver_period(house: House, period: date) -> Delivered:
    """Mails a period's statements, each state once. Without a mail server in the configuration nothing is sent."""
    if house.config.mail is None:
        return Delivered(note="no mail server is configured: nothing was sent")
    edition = _edition(house, period)
    if edition.view.chargeback.is_empty():
        return Delivered(note=f"{period:%Y-%m} has no costs: nothing was sent")
    if edition.view.state == "open":
        return Delivered(note=f"{period:%Y-%m} is not over on every bill: nothing was sent")
    return _send_all(house, house.config.mail, edition)


@dataclass(frozen=True)
class _Edition:
    """One period as one snapshot has it."""

    view: PeriodView
    period: Period
    shared: SharedFacts


def _edition(house: House, period: date) -> _Edition:
    view = period_view(house.lake, period, house.config.currency)
    last_day = house.clock().date() - timedelta(days=1)
    state = Period(period, view.state, _as_of(view, period))
    return _Edition(view, state, shared_facts(view, house.config, house.config_hash, last_day))


def _as_of(view: PeriodView, period: date) -> datetime:
    """When the figures were taken: the latest attempt at any of the period's sources."""
    attempts = view.freshness["attempted_at"].to_list()
    return max(attempts, default=datetime.combine(next_month(period), datetime.min.time()))


def _statements(config: Config, edition: _Edition) -> list[Statement]:
    return [
        build_statement(_team(entry), edition.period, edition.view.team_rows(entry.id), edition.shared)
        for entry in config.teams
    ]


def _team(entry: TeamEntry) -> Team:
    return Team(entry.id, entry.name, entry.business_unit, entry.cost_centre)


def _send_all(house: House, mail: Mail, edition: _Edition) -> Delivered:
    outbox = Outbox(_outbox_root(house), house.config.storage)
    sent = already = 0
    problems: list[str] = []
    for entry, statement in zip(house.config.teams, _statements(house.config, edition), strict=True):
        if not entry.recipients:
            problems.append(f"{entry.id}: has no recipients, its statement is only in the report folder")
            continue
        try:
            outcome = _send(outbox, mail, entry, statement, edition.period)
        except (NotSentError, StatementError) as error:
            problems.append(f"{entry.id}: not sent: {error}")
            continue
        sent += isinstance(outcome, Sent)
        already += isinstance(outcome, AlreadySent)
        problems += _doubts(entry.id, outcome)
    return Delivered(sent, already, tuple(problems))


def _send(
    outbox: Outbox, mail: Mail, entry: TeamEntry, statement: Statement, period: Period
) -> Sent | AlreadySent | Uncertain:
    key = f"{period.start:%Y-%m}/{entry.id}/{period.state}"
    domain = mail.sender.rpartition("@")[2]
    message_id = f"<statement-{period.start:%Y-%m}-{entry.id}-{period.state}@{domain}>"
    message = mail_message(statement, mail.sender, entry.recipients, message_id)
    password = mail.password.get_secret_value() if mail.password else None

    def transport(ready: EmailMessage) -> Mapping[str, str]:
        return send_smtp(ready, mail.host, mail.port, mail.security, mail.username, password, mail.timeout_seconds)

    return outbox.send_once(key, message, transport)


def _doubts(team_id: str, outcome: Sent | AlreadySent | Uncertain) -> list[str]:
    if isinstance(outcome, Uncertain):
        return [f"{team_id}: {outcome.remedy}"]
    if isinstance(outcome, Sent):
        return [f"{team_id}: {address} was refused: {reason}" for address, reason in outcome.refused.items()]
    return []


def _outbox_root(house: House) -> str:
    return f"{house.config.lake.rstrip('/')}/outbox"
