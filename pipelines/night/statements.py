"""Renders a period's statements from the published snapshot. Every team is handed its rows only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import PurePath

from pipelines.calendar import month_start, next_month
from pipelines.config.schema import Team as TeamEntry
from pipelines.house import House
from pipelines.lake import LakeError
from pipelines.night.idle_rules import idle_rules
from pipelines.night.kept import keep, kept_of
from pipelines.night.sealing import LOCKED
from pipelines.night.snapshot import PeriodView, period_view, shared_facts
from pipelines.night.stale import HORIZON_DAYS
from pipelines.night.touched import touched
from reports.filenames import statement_filename
from reports.files import Format, file_names, statement_files
from reports.given import IdleRule, Period, SharedFacts, StatementError, Team, TeamRows
from reports.mail import draft
from reports.overview import build_overview
from reports.render import render_html, render_overview, render_text
from reports.statement import Statement, build_statement

INDEX = "index.html"


@dataclass(frozen=True)
class Rendered:
    """How many statements were written, and the page that links them.

    `problems`: kept pages that are gone, and what could not be rendered of a team; the other teams have theirs.
    """

    count: int
    index: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edition:
    """One period as one snapshot has it, and the files that lie beside each statement's page."""

    view: PeriodView
    period: Period
    shared: SharedFacts
    formats: tuple[Format, ...] = ()


def render_period(house: House, period: date) -> Rendered:
    """Writes the statements of a published period and their index; of a locked one those that were kept.

    What is lost, or cannot be rendered, is among the `problems`. Raises LakeError without costs.
    """
    rendered = _render(house, period, idle_rules(house))
    if rendered is None:
        where = f"{period:%Y-%m} in {house.config.currency}"
        raise LakeError(f"the published snapshot has no costs of {where}: nothing was rendered")
    return rendered


def render_run(house: House, first: date, last: date, idle: Sequence[IdleRule]) -> list[Rendered]:
    """Renders every month with costs that a run of those days may have changed, oldest first.

    `idle`: the owner rules that match nothing, for the overviews. What is lost of one month keeps no other from being
    rendered: it is among the `problems`.
    """
    with_costs = house.lake.published().months("chargeback")
    earliest = month_start(first - timedelta(days=HORIZON_DAYS))
    rendered = (_render(house, period, idle) for period in with_costs if earliest <= period <= last)
    return [one for one in rendered if one is not None]


def _render(house: House, period: date, idle: Sequence[IdleRule]) -> Rendered | None:
    """Writes the pages of a period; of a locked one those that were kept, byte for byte, whatever holds by now.

    None where the snapshot has no costs of it in the statements' currency.
    """
    kept = kept_of(house, period)
    if kept is not None:
        return _write(house, period, kept.pages, kept.lost)
    edition = edition_of(house, period)
    if edition.view.chargeback.is_empty():
        return None
    pages, problems = _pages(house, edition, idle)
    if edition.view.state == LOCKED and not problems:  # what is kept of a month is whole, or is tried again
        problems = _keep(house, edition, pages)
    return _write(house, period, pages, problems)


def _keep(house: House, edition: Edition, pages: Mapping[str, bytes]) -> tuple[str, ...]:
    """Keeps a locked month. Returns why it could not be, where a mail cannot be rendered."""
    try:
        mails = _mails(house, edition)
    except StatementError as error:
        return (f"{edition.period.label} is locked and its statements are not kept yet: {error}",)
    keep(house, edition.period.start, pages, mails, edition.view.frames())
    return ()


def _write(house: House, period: date, pages: Mapping[str, bytes], problems: tuple[str, ...] = ()) -> Rendered:
    folder = house.reports_directory / f"{period:%Y-%m}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pages.items():
        (folder / name).write_bytes(content)
    count = sum(name.endswith(".txt") for name in pages)
    return Rendered(count, str(folder / INDEX), problems)


def _mails(house: House, edition: Edition) -> dict[str, bytes]:
    """Every team's mail of a month that was just locked, without its addresses: whenever it is sent, it is this one."""
    return {entry.id: mail_draft(house, entry, edition, entry.id).as_bytes() for entry in house.config.teams}


def mail_draft(house: House, entry: TeamEntry, edition: Edition, mark: str) -> EmailMessage:
    """A team's mail as it is rendered now, without its addresses; its boundaries come from `mark`."""
    statement, page = _statement(entry, edition), statement_filename(entry.id, edition.period)
    attached = statement_files(statement, edition.view.team_rows(entry.id), page, house.config.reports.attached)
    served = house.config.reports.url
    url = f"{served.rstrip('/')}/{edition.period.start:%Y-%m}" if served else ""
    return draft(statement, mark, attached, url)


def _pages(house: House, edition: Edition, idle: Sequence[IdleRule]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Every page of a period by file name: a statement in each of its forms for each team, and the overview.

    What cannot be rendered of a team is missing and named; it keeps nothing from any other team.
    """
    pages: dict[str, bytes] = {}
    problems: list[str] = []
    for entry in house.config.teams:
        try:
            statement, rows = _statement(entry, edition), edition.view.team_rows(entry.id)
        except StatementError as error:
            problems.append(f"{edition.period.label}, {entry.id}: {error}")
            continue
        name = statement_filename(entry.id, edition.period)
        pages[name] = render_html(statement).encode()
        pages[str(PurePath(name).with_suffix(".txt"))] = render_text(statement).encode()
        for kind in edition.formats:
            try:
                pages |= statement_files(statement, rows, name, (kind,))
            except StatementError as error:
                problems.append(f"{edition.period.label}, {entry.id}: {error}")
    view = edition.view
    before = view.previous if view.previous.height else None
    everything = TeamRows(view.chargeback, view.gpu, before, touched(view.errata))
    teams = [_team(entry) for entry in house.config.teams]
    overview = build_overview(teams, edition.period, everything, edition.shared, idle)
    return pages | {INDEX: render_overview(overview).encode()}, tuple(problems)


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
    rows, page = edition.view.team_rows(entry.id), statement_filename(entry.id, edition.period)
    files = file_names(page, edition.formats, has_customers=rows.customers is not None)
    return build_statement(_team(entry), edition.period, rows, edition.shared, files)


def _team(entry: TeamEntry) -> Team:
    return Team(entry.id, entry.name, entry.business_unit, entry.cost_centre)
