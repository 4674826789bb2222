"""What a statement is made from: one team, one period, that team's rows, and the facts that every team shares.

Here belongs: the shapes that the caller fills in. Here does not belong: any figure computed from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from reports.money import ZERO
from reports.wording import MONTHS

PeriodState = Literal["open", "provisional", "final", "locked"]


class StatementError(Exception):
    """A statement cannot be made from what was handed in: what was found, what was expected, the remedy."""


@dataclass(frozen=True)
class Team:
    """Who the statement is for."""

    team_id: str
    team_name: str
    business_unit: str | None = None
    cost_centre: str | None = None


@dataclass(frozen=True)
class Period:
    """A calendar month by its first day, whether its bill can still change, and the instant (UTC) of the figures."""

    start: date
    state: PeriodState
    as_of: datetime

    @property
    def end(self) -> date:
        """First day after the period."""
        return date(self.start.year + self.start.month // 12, self.start.month % 12 + 1, 1)

    @property
    def previous_start(self) -> date:
        """First day of the period before."""
        return (self.start - timedelta(days=1)).replace(day=1)

    @property
    def day_count(self) -> int:
        """Days in the period."""
        return (self.end - self.start).days

    @property
    def elapsed_days(self) -> int:
        """Whole days of the period that had passed by `as_of`: all of them once the month has ended."""
        return max(0, min(self.day_count, (self.as_of.date() - self.start).days))

    @property
    def label(self) -> str:
        """The month in words, such as "July 2026"."""
        return f"{MONTHS[self.start.month - 1]} {self.start.year}"


@dataclass(frozen=True)
class Erratum:
    """A known error on the bill of a month, and what correcting it changes for whoever the rows belong to.

    `change` is of the effective cost, in `currency`; None where nothing is corrected, for the reason that `standing`
    names as `bill_errata` has it.
    """

    erratum_id: str
    provider: str
    month: date
    standing: str
    change: Decimal | None
    currency: str
    reason: str
    evidence: str
    reviewed_by: str
    expires_on: date


@dataclass(frozen=True)
class TeamRows:
    """Rows of this team only, in any currency, as the contracts of `chargeback` and `gpu_waste` describe them.

    `previous` holds the chargeback rows of the period before; None where that period is not known. `errata`: the known
    errors on bills that change what the team is charged. The others are the team's rows of the tables that BESIDE
    names, of the period: of `idle_gpu_holders` those of its last day, of `anomalies` those that touch it. `customers`
    holds those of `chargeback_by_customer`; None where the snapshot has no such table.
    """

    chargeback: pl.DataFrame
    gpu: pl.DataFrame
    previous: pl.DataFrame | None = None
    errata: tuple[Erratum, ...] = ()
    outcomes: tuple[Mapping[str, Any], ...] = ()
    requests: tuple[Mapping[str, Any], ...] = ()
    budgets: tuple[Mapping[str, Any], ...] = ()
    bridge: tuple[Mapping[str, Any], ...] = ()
    savings: tuple[Mapping[str, Any], ...] = ()
    idle: tuple[Mapping[str, Any], ...] = ()
    anomalies: tuple[Mapping[str, Any], ...] = ()
    forecasts: tuple[Mapping[str, Any], ...] = ()
    customers: pl.DataFrame | None = None


CUSTOMERS = "chargeback_by_customer"
BESIDE: Mapping[str, tuple[str, str]] = {
    "outcomes": ("unit_costs", "team_id"),
    "requests": ("request_costs", "team_id"),
    "budgets": ("budget_status", "team_id"),
    "bridge": ("variance_bridge", "team_id"),
    "savings": ("savings", "team_id"),
    "idle": ("idle_gpu_holders", "holder_team_id"),
    "anomalies": ("anomalies", "team_id"),
    "forecasts": ("forecasts", "team_id"),
}
"""What a statement tells beside its costs: by field of TeamRows the table, and the column that says whose a row is."""


@dataclass(frozen=True)
class ReconciliationLine:
    """Bill against log for one provider; the fields are those of `reconciliation_summary`. Money in `currency`.

    `causes` is the difference split, as `reconciliation_by_cause` names its parts; None where that is not known.
    `left_out_tokens` were used and are on no bill that could be read: their cost is unknown and in no figure.
    """

    provider_id: str
    billed_cost: Decimal
    estimated_cost: Decimal
    difference: Decimal
    causes: Mapping[str, Decimal] | None = None
    unexplained_ratio: float | None = None
    token_coverage_ratio: float | None = None
    unpriced_tokens: Decimal = ZERO
    left_out_tokens: int = 0
    currency: str = "USD"


@dataclass(frozen=True)
class SourceFreshness:
    """How complete one source is in the period: its worst status, the days not delivered, and what was refused.

    `refused_cost` is the money on the refused rows where it could be read, in the bill's currency; None where not.
    `not_covered` is what of the period the source cannot tell at all. `asked_from` is the first day that it was ever
    asked for, where that is after the period's first: of what was before, nothing is known. `is_awaited` where costs
    are made from it, it was to be asked, and nothing of the period has arrived.
    """

    name: str
    status: str
    missing_days: tuple[date, ...] = ()
    message: str | None = None
    refused_rows: int = 0
    refused_cost: Decimal | None = None
    not_covered: str | None = None
    asked_from: date | None = None
    is_awaited: bool = False
    repeated: str | None = None


@dataclass(frozen=True)
class IdleRule:
    """An owner rule of the configuration that matches nothing: where it stands, what is not there, what is instead."""

    rule_id: str
    file: str
    line: int
    message: str
    remedy: str

    def text(self) -> str:
        """One line for people."""
        return f"{self.file}:{self.line}: owner rule '{self.rule_id}' matches nothing: {self.message}. {self.remedy}"


@dataclass(frozen=True)
class Restatement:
    """What a bill of an ended month changed by since: the differences of all its restatements, signed, in its currency.

    `currency` is None where it is not one. `month` is the bill's first day, `last_at` when it last changed (UTC).
    """

    source: str
    month: date
    last_at: datetime
    times: int
    billed: Decimal
    effective: Decimal
    currency: str | None


@dataclass(frozen=True)
class UnknownMachine:
    """What a bill asks, in `currency`, for GPUs of a machine that nobody knows; `machine` as the bill calls it."""

    provider: str
    machine: str
    cost: Decimal
    currency: str


@dataclass(frozen=True)
class UnmatchedEntry:
    """An entry of the register of machines that no bill, or no cluster, names in the period and the one before."""

    resource: str
    hostname: str
    cluster: str
    is_billed: bool
    is_seen: bool


@dataclass(frozen=True)
class SharedFacts:
    """The lines that every team's statement of a period shows alike.

    `bill_total` is the company's effective cost, `adjusted_total` of it what corrects locked months; it equals
    `allocated_total` plus the `residuals` to the last digit.
    All three are in `currency`; `without_rate` has what could not be converted to it, by currency, in none of them.
    `contact` is whom to ask: a name or an address. `not_published`: the published tables that the snapshot lacks.
    """

    company: str
    currency: str
    bill_total: Decimal
    allocated_total: Decimal
    residuals: tuple[tuple[str, Decimal], ...] = ()
    adjusted_total: Decimal = ZERO
    reconciliation: tuple[ReconciliationLine, ...] = ()
    freshness: tuple[SourceFreshness, ...] = ()
    snapshot_id: str = ""
    config_hash: str = ""
    contact: str = ""
    restatements: tuple[Restatement, ...] = ()
    without_rate: tuple[tuple[str, Decimal], ...] = ()
    unknown_machines: tuple[UnknownMachine, ...] = ()
    unmatched_entries: tuple[UnmatchedEntry, ...] = ()
    not_published: tuple[str, ...] = ()
