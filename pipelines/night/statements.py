"""Renders a period's statements from the published snapshot. Every team is handed its rows only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

from pipelines.config.schema import Team as TeamEntry
from pipelines.house import House
from pipelines.lake import LakeError
from pipelines.night.drafts import mail_draft
from pipelines.night.editions import Edition, edition_of, statement_of, team_of, with_customers
from pipelines.night.idle_rules import idle_rules
from pipelines.night.kept import keep, kept_of
from pipelines.night.sealing import LOCKED
from pipelines.night.stale import reach
from pipelines.night.touched import touched
from reports.filenames import statement_filename
from reports.files import Format, file_names, statement_files
from reports.given import IdleRule, StatementError, TeamRows
from reports.overview import Overview, build_overview, without_links
from reports.render import render_html, render_overview, render_text

INDEX = "index.html"


@dataclass(frozen=True)
class Rendered:
    """How many statements were written, and the page that links them.

    `problems`: kept pages that are gone, and what could not be rendered of a team; the other teams have theirs.
    `is_kept`: whether they are those of a locked month, which are kept; what lacks something is not, until it is whole.
    """

    count: int
    index: str
    problems: tuple[str, ...] = ()
    is_kept: bool = False


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
    earliest = reach(first)
    rendered = (_render(house, period, idle) for period in with_costs if earliest <= period <= last)
    return [one for one in rendered if one is not None]


def _render(house: House, period: date, idle: Sequence[IdleRule]) -> Rendered | None:
    """Writes the pages of a period; of a locked one those that were kept, byte for byte, whatever holds by now.

    None where the snapshot has no costs of it in the statements' currency.
    """
    kept = kept_of(house, period)
    if kept is not None:
        return _write(house, period, kept.pages, kept.lost, is_kept=True)
    edition = edition_of(house, period)
    if edition.view.chargeback.is_empty():
        return None
    edition = with_customers(house, edition)
    pages, problems = _pages(house, edition, idle)
    is_locked = edition.view.state == LOCKED
    if is_locked and not problems:  # what is kept of a month is whole, or is tried again
        problems = _keep(house, edition, pages)
    _remove(house, period, {INDEX, *_names(house, edition)}.difference(pages))
    return _write(house, period, pages, problems, is_kept=is_locked and not problems)


def _keep(house: House, edition: Edition, pages: Mapping[str, bytes]) -> tuple[str, ...]:
    """Keeps a locked month. Returns why it could not be, where a mail cannot be rendered."""
    try:
        mails = _mails(house, edition)
    except StatementError as error:
        return (f"{edition.period.label} is locked and its statements are not kept yet: {error}",)
    keep(house, edition.period.start, pages, mails, edition.view.frames())
    return ()


def _write(
    house: House, period: date, pages: Mapping[str, bytes], problems: tuple[str, ...], *, is_kept: bool
) -> Rendered:
    folder = house.reports_directory / f"{period:%Y-%m}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pages.items():
        (folder / name).write_bytes(content)
    count = sum(name.endswith(".txt") for name in pages)
    return Rendered(count, str(folder / INDEX if INDEX in pages else folder), problems, is_kept)


def _names(house: House, edition: Edition) -> set[str]:
    """Every file that the period's statements may have."""
    pages = (statement_filename(entry.id, edition.period) for entry in house.config.teams)
    return {name for page in pages for name in file_names(page, edition.formats, has_customers=True)}


def _remove(house: House, period: date, names: Collection[str]) -> None:
    """What could not be rendered is not there: what an earlier night wrote of it has other figures than the rest."""
    for name in names:
        (house.reports_directory / f"{period:%Y-%m}" / name).unlink(missing_ok=True)


def _mails(house: House, edition: Edition) -> dict[str, bytes]:
    """Every team's mail of a month that was just locked, without its addresses: whenever it is sent, it is this one.

    Raises StatementError where a mail would lack a form: what is kept is whole.
    """
    mails: dict[str, bytes] = {}
    for entry in house.config.teams:
        drafted = mail_draft(house, entry, edition, entry.id)
        if drafted.problems:
            raise StatementError("; ".join(drafted.problems))
        mails[entry.id] = drafted.message.as_bytes()
    return mails


def _pages(house: House, edition: Edition, idle: Sequence[IdleRule]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Every page of a period by file name: a statement in each of its forms for each team, and the overview.

    What cannot be rendered is missing and named, and nothing links it; it keeps nothing else from anybody.
    """
    pages: dict[str, bytes] = {}
    problems: list[str] = []
    for entry in house.config.teams:
        try:
            forms, failed = _forms(entry, edition, edition.formats)
        except StatementError as error:
            forms, failed = {}, (str(error),)
        pages |= forms
        problems += [f"{edition.period.label}, {entry.id}: {reason}" for reason in failed]
    try:
        overview = _overview(house, edition, idle)
    except StatementError as error:
        return pages, (*problems, f"{edition.period.label}, {INDEX}: {error}")
    overview = without_links(overview, _names(house, edition).difference(pages))
    return pages | {INDEX: render_overview(overview).encode()}, tuple(problems)


def _forms(entry: TeamEntry, edition: Edition, formats: tuple[Format, ...]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """A team's statement in each of its forms, and why some are missing: the others are made anew and name them not.

    Raises StatementError where there is no statement at all.
    """
    statement, rows = statement_of(entry, edition, formats), edition.view.team_rows(entry.id)
    name = statement_filename(entry.id, edition.period)
    pages = {name: render_html(statement).encode()}
    pages[str(PurePath(name).with_suffix(".txt"))] = render_text(statement).encode()
    for kind in formats:
        try:
            pages |= statement_files(statement, rows, name, (kind,))
        except StatementError as error:
            others, problems = _forms(entry, edition, tuple(each for each in formats if each != kind))
            return others, (str(error), *problems)
    return pages, ()


def _overview(house: House, edition: Edition, idle: Sequence[IdleRule]) -> Overview:
    view = edition.view
    before = view.previous if view.previous.height else None
    everything = TeamRows(view.chargeback, view.gpu, before, touched(view.errata))
    return build_overview(
        [team_of(entry, edition.hierarchy, edition.period.start) for entry in house.config.teams],
        edition.period,
        everything,
        edition.shared,
        idle,
    )
