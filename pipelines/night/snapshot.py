"""What a published snapshot says about one period, split by team before any report sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

import polars as pl
import pyarrow as pa

from connectors import registry
from connectors.wording import called
from contracts import contract
from models.frames import frame_of
from pipelines.calendar import days_between, month_start, next_month
from pipelines.config.schema import Config
from pipelines.lake import IN_TROUBLE, WITHDRAWN, Lake, NotPublishedError
from pipelines.night.beside import Frames, beside_costs, of_team
from pipelines.night.given_customers import has_customers
from pipelines.night.machine_gaps import unknown_machines, unmatched_entries
from pipelines.night.reconciliation_lines import reconciliation_lines
from pipelines.night.restatements import restated, restatements
from pipelines.night.touched import of_month, touched
from reports.coverage import NOT_ASKED
from reports.currencies import converted, without_rate
from reports.given import CUSTOMERS, PeriodState, SharedFacts, SourceFreshness, TeamRows
from reports.money import exact_sum

TEAM, RESIDUAL = "team:", "residual:"
CHARGED = "chargeback"
CAUSES = "reconciliation_by_cause"
UNJOINED, HOSTS = "gpu_unjoined", "host_matches"
LEAST_SETTLED: tuple[PeriodState, ...] = ("open", "provisional", "final", "locked")
# a source had nothing to deliver if that is so on all its days
WORST_FIRST = (*IN_TROUBLE, "committed", "unchanged", "empty")


@dataclass(frozen=True)
class PeriodView:
    """A period's rows from one snapshot, with what they are in the statements' currency where that is known.

    `restatements`: of bills of the period, and those made in it. `asked`: the sources and accounts asked for the
    period. `first_asked`: by source and account, the first day that it was ever asked for. `not_published`: tables
    that the snapshot does not have, because an earlier version published it. `customers` are there only for statements
    (`given_customers`): they are many.
    """

    period: date
    number: int
    chargeback: pl.DataFrame
    previous: pl.DataFrame
    gpu: pl.DataFrame
    reconciliation: pl.DataFrame
    causes: pl.DataFrame
    freshness: pl.DataFrame
    restatements: pl.DataFrame
    asked: frozenset[tuple[str, str]] = frozenset()
    first_asked: Mapping[tuple[str, str], date] = field(default_factory=dict[tuple[str, str], date])
    unjoined: pl.DataFrame = field(default_factory=pl.DataFrame)
    hosts: pl.DataFrame = field(default_factory=pl.DataFrame)
    not_published: tuple[str, ...] = ()
    errata: pl.DataFrame = field(default_factory=pl.DataFrame)
    beside: Frames = field(default_factory=dict[str, pl.DataFrame])
    customers: pl.DataFrame | None = None

    @property
    def state(self) -> PeriodState:
        """The least settled of its bills decides."""
        states = set(self.chargeback["period_state"].to_list())
        for state in LEAST_SETTLED:
            if state in states:
                return state
        return "open"

    def frames(self) -> dict[str, pl.DataFrame]:
        """The rows behind the period's pages, by the table that they are of."""
        before = {"previous_chargeback": self.previous, "gpu_waste": self.gpu, "freshness": self.freshness}
        told = {"reconciliation_summary": self.reconciliation, CAUSES: self.causes, "restatements": self.restatements}
        machines = {UNJOINED: self.unjoined, HOSTS: self.hosts}
        whom = {} if self.customers is None else {CUSTOMERS: self.customers}
        corrected = {"bill_errata": self.errata}
        return {CHARGED: self.chargeback, **before, **told, **corrected, **machines, **whom, **self.beside}

    @cached_property
    def _customers_by_team(self) -> dict[tuple[Any, ...], pl.DataFrame]:
        """Split once: there may be millions of customers, and each team is asked for more than once."""
        return {} if self.customers is None else self.customers.partition_by("team_id", as_dict=True)

    def team_rows(self, team_id: str) -> TeamRows:
        """The rows of that team and of nobody else."""
        mine = pl.col("team_id") == team_id
        previous = self.previous.filter(mine) if self.previous.height else None
        errata = touched(self.errata, team_id)
        nobodys = None if self.customers is None else self.customers.clear()
        whom = self._customers_by_team.get((team_id,), nobodys)
        costs, gpu = self.chargeback.filter(mine), self.gpu.filter(mine)
        return TeamRows(costs, gpu, previous, errata, customers=whom, **of_team(self.beside, team_id))


def period_view(lake: Lake, period: date, currency: str) -> PeriodView:
    """Reads one period of the published snapshot; a snapshot of an earlier version may lack all but the costs.

    Raises LakeError when nothing was published, or neither costs nor what has arrived can be read of it.
    """
    snapshot = lake.published()
    before, after = month_start(period - timedelta(days=1)), next_month(period)
    not_published = [] if has_customers(snapshot) else [CUSTOMERS]

    def read_if_there(table: str, start: date | None = period) -> pa.Table:
        try:
            return snapshot.read(table, start, None if start is None else after)
        except NotPublishedError:
            not_published.append(table)
            return contract(table).arrow_schema().empty_table()

    # months that were last built for another currency of the statements are not those of this one
    charged = frame_of(snapshot.read(CHARGED, before, after)).filter(pl.col("reporting_currency") == currency)
    freshness = frame_of(snapshot.read("freshness"))
    return PeriodView(
        period=period,
        number=snapshot.number,
        chargeback=charged.filter(pl.col("billing_period") == period),
        previous=charged.filter(pl.col("billing_period") == before),
        gpu=frame_of(read_if_there("gpu_waste")),
        reconciliation=frame_of(read_if_there("reconciliation_summary")),
        causes=frame_of(read_if_there(CAUSES)),
        freshness=_of_period(freshness, period),
        restatements=restated(frame_of(read_if_there("restatements", None)), period),
        asked=_asked(_in_month(freshness, period)),
        first_asked=_first_asked(freshness),
        unjoined=frame_of(read_if_there(UNJOINED)),
        hosts=frame_of(read_if_there(HOSTS, before)),
        errata=frame_of(read_if_there("bill_errata", None)).filter(of_month(period)),
        beside=beside_costs(read_if_there, period),
        not_published=tuple(not_published),
    )


def shared_facts(view: PeriodView, config: Config, config_hash: str, last_day: date) -> SharedFacts:
    """The lines that every statement of the period shows alike."""
    by_account = _by_account(converted(view.chargeback))
    residuals = tuple((name, cost) for name, cost in sorted(by_account.items()) if name.startswith(RESIDUAL))
    causes = None if CAUSES in view.not_published else view.causes
    return SharedFacts(
        company=config.company,
        currency=config.currency,
        bill_total=exact_sum(by_account.values()),
        allocated_total=exact_sum(cost for name, cost in by_account.items() if name.startswith(TEAM)),
        adjusted_total=exact_sum(_by_account(converted(view.chargeback.filter(rule_kind="adjustment"))).values()),
        residuals=residuals,
        reconciliation=reconciliation_lines(view.reconciliation, causes),
        freshness=(*source_freshness(view, last_day), *_not_asked(view, config)),
        snapshot_id=str(view.number),
        config_hash=config_hash,
        contact=config.reports.contact,
        restatements=tuple(restatements(view.restatements)),
        without_rate=without_rate(view.chargeback),
        unknown_machines=unknown_machines(view.unjoined.to_arrow()),
        unmatched_entries=unmatched_entries(view.hosts.to_arrow(), view.period),
        not_published=view.not_published,
    )


def source_freshness(view: PeriodView, last_day: date) -> list[SourceFreshness]:
    """One line a source: its worst outcome, what was refused of it, and the days up to `last_day` that it lacks.

    A day before the first that it was ever asked for is not lacking: the source may be new. It is not known, either.
    """
    lines: list[SourceFreshness] = []
    keys = ["x_source", "x_account"]
    expected = days_between(view.period, min(next_month(view.period) - timedelta(days=1), last_day))
    for (source, account), rows in view.freshness.sort([*keys, "slice_date"]).group_by(keys, maintain_order=True):
        found = rows.to_dicts()
        begun = view.first_asked.get((str(source), str(account)), view.period)
        served = {row["slice_date"] for row in found if row["delivery_id"] is not None}
        daily = found[0]["fact"] != "charges"
        costs = [row["rejected_cost"] for row in found if row["rejected_cost"] is not None]
        lines.append(
            SourceFreshness(
                name=called(str(source), str(account)),
                status=min((row["status"] for row in found), key=WORST_FIRST.index),
                missing_days=tuple(day for day in expected if day >= begun and day not in served) if daily else (),
                message=_messages(found),
                refused_rows=sum(row["reject_count"] for row in found),
                refused_cost=exact_sum(costs) if costs else None,
                not_covered="; ".join(dict.fromkeys(row["not_covered"] for row in found if row["not_covered"])) or None,
                asked_from=begun if daily and begun > view.period else None,
                is_awaited=not served and found[0]["fact"] in _tables_below(CHARGED),
                repeated="; ".join(dict.fromkeys(row["repeated"] for row in found if row["repeated"])) or None,
            )
        )
    return lines


def _not_asked(view: PeriodView, config: Config) -> list[SourceFreshness]:
    """Configured sources that nobody asked for this period, and since when one that came later is asked."""
    lines: list[SourceFreshness] = []
    for settings in config.sources:
        account = (settings.name, settings.account)
        first = view.first_asked.get(account, view.period)
        came_later = first > view.period
        is_awaited = not came_later and registry.source(settings.kind).fact in _tables_below(CHARGED)
        if account not in view.asked:
            asked_from = first if came_later else None
            lines.append(SourceFreshness(called(*account), NOT_ASKED, asked_from=asked_from, is_awaited=is_awaited))
    return lines


@cache
def _tables_below(table: str) -> frozenset[str]:
    """All that a table is made from, down to what sources deliver."""
    below = contract(table).depends_on
    return frozenset(below).union(*(_tables_below(name) for name in below))


def _messages(found: list[dict[str, Any]]) -> str | None:
    """What the slices in trouble say, each once, with the first day that says it."""
    told: dict[str, date] = {}
    for row in found:
        if row["message"] and (row["status"] in IN_TROUBLE or row["reject_count"]):
            told.setdefault(row["message"], row["slice_date"])
    return " ".join(f"{day}: {message}" for message, day in told.items()) or None


def _by_account(chargeback: pl.DataFrame) -> dict[str, Decimal]:
    costs: dict[str, list[Decimal]] = {}
    for account, cost in chargeback.select("account", "effective_cost").iter_rows():
        costs.setdefault(account, []).append(cost)
    return {account: exact_sum(of_account) for account, of_account in costs.items()}


def _of_period(freshness: pl.DataFrame, period: date) -> pl.DataFrame:
    """The period's slices; none of a source that was withdrawn: its money is gone, and said in `restatements`."""
    return _in_month(freshness.filter(pl.col("status") != WITHDRAWN), period)


def _in_month(rows: pl.DataFrame, period: date) -> pl.DataFrame:
    return rows.filter(pl.col("slice_date").is_between(period, next_month(period), closed="left"))


def _asked(freshness: pl.DataFrame) -> frozenset[tuple[str, str]]:
    return frozenset((source, account) for source, account in freshness.select("x_source", "x_account").iter_rows())


def _first_asked(freshness: pl.DataFrame) -> dict[tuple[str, str], date]:
    first = freshness.group_by("x_source", "x_account").agg(pl.col("slice_date").min())
    return {(source, account): day for source, account, day in first.iter_rows()}
