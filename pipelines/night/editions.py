"""One period as one snapshot has it, to be told: what its statements, their files and their mails are made of.

Here belongs: reading it once, and one team's statement out of it. Here does not belong: writing, mailing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import PurePath

from pipelines.calendar import next_month
from pipelines.config.schema import Team as TeamEntry
from pipelines.config.teams import Placement
from pipelines.house import House
from pipelines.night.given_customers import customers_of
from pipelines.night.snapshot import PeriodView, period_view, shared_facts
from reports.filenames import statement_filename
from reports.files import Format, file_names
from reports.given import Period, SharedFacts, Team
from reports.statement import Statement, build_statement


@dataclass(frozen=True)
class Edition:
    """One period as one snapshot has it, the files that lie beside each statement's page, and where teams stand."""

    view: PeriodView
    period: Period
    shared: SharedFacts
    formats: tuple[Format, ...] = ()
    hierarchy: tuple[Placement, ...] = ()


def edition_of(house: House, period: date) -> Edition:
    """A period as the published snapshot has it, but for its customers. Raises LakeError when nothing was published."""
    view = period_view(house.lake, period, house.config.currency)
    last_day = house.clock().date() - timedelta(days=1)
    state = Period(period, view.state, _as_of(view, period))
    facts = shared_facts(view, house.config, house.config_hash, last_day)
    return Edition(view, state, facts, house.config.reports.formats, tuple(house.config.hierarchy))


def with_customers(house: House, edition: Edition) -> Edition:
    """The edition with what was for whom, which is much, and which statements alone tell."""
    view = edition.view
    whom = customers_of(house.lake, view.number, view.period, house.config.currency)
    return replace(edition, view=replace(view, customers=whom))


def _as_of(view: PeriodView, period: date) -> datetime:
    """When the figures were taken: the latest attempt at any of the period's sources."""
    attempts = view.freshness["attempted_at"].to_list()
    return max(attempts, default=datetime.combine(next_month(period), datetime.min.time()))


def statement_of(
    entry: TeamEntry, edition: Edition, formats: tuple[Format, ...], missing: tuple[Format, ...] = ()
) -> Statement:
    """The team's statement, from that team's rows and nobody else's; it says that the `missing` forms are."""
    rows, page = edition.view.team_rows(entry.id), statement_filename(entry.id, edition.period)
    files = file_names(page, formats, has_customers=rows.customers is not None)
    lacking = tuple(str(PurePath(page).with_suffix(f".{kind}")) for kind in missing)
    team = team_of(entry, edition.hierarchy, edition.period.start)
    return build_statement(team, edition.period, rows, edition.shared, files, lacking)


def team_of(entry: TeamEntry, hierarchy: Sequence[Placement], month: date) -> Team:
    """The team as a month's statements name it: out of its entry, and where it stood on the days of that month."""
    days = [month + timedelta(days=number) for number in range((next_month(month) - month).days)]
    placed = [
        next((p for p in hierarchy if p.team == entry.id and p.valid_from <= day < p.valid_to), None) for day in days
    ]
    units = [(place and place.business_unit) or entry.business_unit for place in placed]
    centres = [(place and place.cost_centre) or entry.cost_centre for place in placed]
    return Team(entry.id, entry.name, _one_after_the_other(units), _one_after_the_other(centres))


def _one_after_the_other(names: Iterable[str | None]) -> str | None:
    return ", then ".join(dict.fromkeys(name for name in names if name)) or None
