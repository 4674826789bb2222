"""One period as one snapshot has it, to be told: what its statements, their files and their mails are made of.

Here belongs: reading it once, and one team's statement out of it. Here does not belong: writing, mailing.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import PurePath

from pipelines.calendar import next_month
from pipelines.config.schema import Team as TeamEntry
from pipelines.house import House
from pipelines.night.given_customers import customers_of
from pipelines.night.snapshot import PeriodView, period_view, shared_facts
from reports.filenames import statement_filename
from reports.files import Format, file_names
from reports.given import Period, SharedFacts, Team
from reports.statement import Statement, build_statement


@dataclass(frozen=True)
class Edition:
    """One period as one snapshot has it, and the files that lie beside each statement's page."""

    view: PeriodView
    period: Period
    shared: SharedFacts
    formats: tuple[Format, ...] = ()


def edition_of(house: House, period: date) -> Edition:
    """A period as the published snapshot has it, but for its customers. Raises LakeError when nothing was published."""
    view = period_view(house.lake, period, house.config.currency)
    last_day = house.clock().date() - timedelta(days=1)
    state = Period(period, view.state, _as_of(view, period))
    return Edition(
        view, state, shared_facts(view, house.config, house.config_hash, last_day), house.config.reports.formats
    )


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
    return build_statement(team_of(entry), edition.period, rows, edition.shared, files, lacking)


def team_of(entry: TeamEntry) -> Team:
    """The team as statements name it, out of its entry in the configuration."""
    return Team(entry.id, entry.name, entry.business_unit, entry.cost_centre)
