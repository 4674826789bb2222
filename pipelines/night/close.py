"""Locking a month: what must hold before, the record of who locked it and why, and what follows from it.

The record is the one thing that locks. What follows (the chargeback says so, the snapshot is published, the statements
are rendered and kept) is made up for by the next night where a run dies in between.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from contracts import contract
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.lake import LakeError
from pipelines.night.build import build
from pipelines.night.checked import check
from pipelines.night.closings import CLOSINGS, locked_months
from pipelines.night.ledger import POSTINGS
from pipelines.night.publish import not_as_published, publish, published_tables
from pipelines.night.sealing import CHARGED, seal
from pipelines.night.stale import content_fingerprint, stored_inputs
from pipelines.night.statements import Rendered, render_period
from pipelines.night.versions import PERIOD_STATES
from reports.money import exact_sum

WRITTEN = (CLOSINGS, CHARGED, PERIOD_STATES)
"""What locking a month writes of what is published."""
TIE_OUT = "invoice_tie_out"
_NOT_FINAL = (
    ("open_source_count", "not asked after the month's end", False),
    # many providers have no word for "final": what they change after the lock is an adjustment of a later month
    ("provisional_source_count", "with a bill that may still change, or has not come", True),
)


@dataclass(frozen=True)
class Finding:
    """What speaks against locking a month; somebody may accept it for a reason, where it `can_be_accepted`."""

    text: str
    can_be_accepted: bool = False


class CloseRefusedError(Exception):
    """The month cannot be locked. `findings` say why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.text for finding in findings))
        self.findings = tuple(findings)


class NotPublishedYetError(Exception):
    """The month is locked, and what follows from it is not published yet."""

    def __init__(self, month: date, reason: str) -> None:
        super().__init__(f"{month:%Y-%m} is locked; the next run publishes it: farthing run ({reason})")


class NotRenderedYetError(Exception):
    """The month is locked and published, and its statements are not rendered."""

    def __init__(self, month: date, reason: str) -> None:
        again = f"once that is mended: farthing report {month:%Y-%m}"
        super().__init__(f"{month:%Y-%m} is locked and published; its statements are not rendered: {reason}; {again}")


def findings(house: House, month: date) -> list[Finding]:
    """What speaks against locking a month that is not locked."""
    if next_month(month) > house.clock().date():
        return [Finding(f"{month:%Y-%m} is not over")]
    charged = _rows(house, CHARGED, month)
    if not charged:
        return [Finding(f"{month:%Y-%m} has no costs in the lake; pull its bills first: farthing run")]
    if unpublished := _unpublished(house):
        return [Finding(unpublished)]
    return [
        *_unsettled(_rows(house, PERIOD_STATES, month)),
        *_untied(_rows(house, TIE_OUT, month), _stated(house, month)),
        *_refused(house, month),
        *_unowned(house, charged),
    ]


def close(house: House, month: date, *, by: str, reason: str | None) -> Rendered:
    """Locks a month, and renders and keeps its statements. A month that is locked stays as it is.

    What of its statements cannot be rendered, or is lost of those that are kept, is among the `problems` returned.

    Nothing is published but what the last snapshot had, of which every check held, and what locking writes, which is
    checked here.

    Args:
        house: open for writing.
        month: its first day.
        by: who locks it.
        reason: why it is locked in spite of what can be accepted; None where nothing is.

    Raises:
        CloseRefusedError: something speaks against it that was not, or cannot be, accepted.
        NotPublishedYetError: it is locked, and something failed after that, before it was published.
        NotRenderedYetError: it is locked and published, and something failed after that.
    """
    if month not in locked_months(house):
        found = findings(house, month)
        if hindrances := [finding for finding in found if reason is None or not finding.can_be_accepted]:
            raise CloseRefusedError(hindrances)
        house.lake.append(CLOSINGS, _record(house, month, by, reason, found))
    elif unpublished := _unpublished(house, aside=WRITTEN):
        raise NotPublishedYetError(month, unpublished)
    try:
        _publish(house, month)
    except (Exception, KeyboardInterrupt) as error:
        raise NotPublishedYetError(month, str(error) or type(error).__name__) from error
    try:
        return render_period(house, month)
    except (Exception, KeyboardInterrupt) as error:
        raise NotRenderedYetError(month, str(error) or type(error).__name__) from error


def _publish(house: House, month: date) -> None:
    """What the record of a closing leads to. Nothing is published that breaks its contract."""
    seal(house)
    build(house, contract(PERIOD_STATES), month, month)
    for table in (CHARGED, PERIOD_STATES):
        if broken := [outcome.text() for outcome in check(house, contract(table)) if outcome.blocks]:
            raise LakeError("; ".join(broken))
    publish(house)


def closings(house: House) -> list[dict[str, Any]]:
    """Every month that was locked, oldest first, as in `period_closings`."""
    return sorted(house.lake.read(CLOSINGS).to_pylist(), key=lambda row: row["billing_period"])


def _record(house: House, month: date, by: str, reason: str | None, found: Sequence[Finding]) -> pa.Table:
    postings = house.lake.read(POSTINGS, month, next_month(month))
    row = {
        "billing_period": month,
        "closed_at": house.clock(),
        "closed_by": by,
        "accepted_reason": reason if found else None,
        "accepted_findings": "; ".join(finding.text for finding in found) or None,
        "config_hash": house.config_hash,
        "postings_fingerprint": content_fingerprint(postings),
        "posting_count": postings.num_rows,
    }
    return pa.Table.from_pylist([row], schema=contract(CLOSINGS).arrow_schema())


def _rows(house: House, table: str, month: date) -> list[dict[str, Any]]:
    return house.lake.read(table, month, next_month(month)).to_pylist()


def _unpublished(house: House, aside: Collection[str] = ()) -> str:
    """Why publishing would show more than what every check held of; empty where it would not."""
    rebuilt_from = (table.table for table in stored_inputs(contract(PERIOD_STATES)))
    if found := not_as_published(house, {*published_tables(), *rebuilt_from}.difference(aside)):
        changed = ", ".join(found)
        return (
            f"{changed} changed since the last snapshot, of which every check held; run the night first: farthing run"
        )
    return ""


def _unsettled(states: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    for row in sorted(states, key=lambda row: row["provider_name"]):
        for column, what, can_be_accepted in _NOT_FINAL:
            if row[column]:
                of_all = f"{row[column]} of {row['source_count']} sources"
                yield Finding(f"{row['provider_name']} is not final: {of_all} {what}", can_be_accepted)


def _stated(house: House, month: date) -> frozenset[tuple[str, str, str]]:
    """Provider, id and currency of the month's invoices of which the configuration states the total now."""
    stated = (entry for entry in house.config.invoices if entry.first_day == month)
    return frozenset((entry.provider, entry.id or "", entry.currency) for entry in stated)


def _untied(invoices: Sequence[dict[str, Any]], stated: Collection[tuple[str, str, str]]) -> Iterator[Finding]:
    for row in sorted(invoices, key=lambda row: (row["provider_name"], row["invoice_id"], row["billing_currency"])):
        named = f"invoice {row['invoice_id']}" if row["invoice_id"] else "what names no invoice"
        where, currency = f"{row['provider_name']}: {named}", row["billing_currency"]
        if row["tie_out"] == "differs":
            sums = f"{row['billed_cost']:,.2f} on the bill, {row['stated_total']:,.2f} stated"
            yield Finding(f"{where} is not tied out: {currency} {sums}, {row['difference']:+,.2f}")
        elif row["tie_out"] == "no_lines":
            yield Finding(f"{where} is stated, and no line of the bill names it")
        elif row["tie_out"] == "no_stated_total":
            why = "nobody stated its total (invoices in the configuration)"
            if is_new := (row["provider_name"], row["invoice_id"], currency) in stated:
                why = "its total is stated and no night has held it against the bill yet; run one: farthing run"
            told = f"{where} ({currency} {row['billed_cost']:,.2f}) is not tied out: {why}"
            yield Finding(told, can_be_accepted=not is_new)


def _refused(house: House, month: date) -> Iterator[Finding]:
    """What sources delivered of the month that could not be read."""
    counts: dict[str, int] = {}
    for row in house.lake.read("freshness").to_pylist():
        if row["reject_count"] and month <= row["slice_date"] < next_month(month):
            counts[row["x_source"]] = counts.get(row["x_source"], 0) + row["reject_count"]
    for source, count in sorted(counts.items()):
        yield Finding(f"{source}: {count:,} rows of the month could not be read (rejects)", can_be_accepted=True)


def _unowned(house: House, charged: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """More with nobody than is allowed, and what has no exchange rate."""
    costs = [(row["account"], row["reporting_effective_cost"]) for row in charged]
    if missing := sorted(
        {row["billing_currency"] for row, (_, cost) in zip(charged, costs, strict=True) if cost is None}
    ):
        yield Finding(f"there is no exchange rate for {', '.join(missing)}: in no total", can_be_accepted=True)
    known = [(account, cost) for account, cost in costs if cost is not None]
    total = exact_sum(cost for _, cost in known)
    residuals: dict[str, list[Decimal]] = {}
    for account, cost in known:
        if account.startswith("residual:"):
            residuals.setdefault(account, []).append(cost)
    # without signs: a credit that is nobody's hides no cost that is
    nobodys = exact_sum(abs(exact_sum(costs)) for costs in residuals.values())
    allowed = house.config.close.max_residual_share
    if abs(nobodys) > abs(total) * allowed:
        share = f" ({nobodys / total:.1%})" if total else ""
        currency = house.config.currency
        text = f"{currency} {nobodys:,.2f} of {total:,.2f}{share} rests with nobody, more than {allowed:.1%}"
        yield Finding(text, can_be_accepted=True)
