"""What a month could have cost less, by account and lever: the rows of the mart `savings`.

    saving          = cost after the levers before it - cost after it, at the mean share of success
    shapley_saving  = the mean of that over all orders of the levers
    saving_p10      = the lever's saving in the waterfall that nine of ten draws reach: the headline
    gross_saving    = what it would save alone and in full, and what it already saves

Savings of an account's levers sum to what they save together, exactly, in both columns. What a lever would save alone
does not add up. Of costs that a lever concerns and nothing proves, the cost is told with the reason, and no saving.

Here belongs: rows from findings. Here does not belong: which rows of the lake are whose finding.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from models.money import money
from models.published_ranges import PublishedRange
from models.savings_cells import MonthRows, findings
from models.savings_findings import Findings
from models.savings_levers import LEVERS, LeverKind, evidence_of
from models.waterfall import Cell, Saving, combined, in_money, ranges, savings

TABLE = "savings"
SAVINGS_RULES = "3"
"""Changes when the same month would give other rows."""


def savings_rows(period: date, month: MonthRows, published: dict[str, PublishedRange]) -> Iterator[dict[str, object]]:
    """The rows of a billing period, one for each account, currency and lever that has a saving or something unproven.

    Args:
        period: first day of the month.
        month: its rows.
        published: by lever, the range that others publish: shown beside, never used.
    """
    for (account, currency), found in sorted(findings(month).items()):
        for kind, figures in _figures(found):
            reasons = _unproven(found, kind.name)
            beside = published.get(kind.name)
            yield {
                "billing_period": period,
                "account": account,
                "team_id": account.removeprefix("team:") if account.startswith("team:") else None,
                "billing_currency": currency,
                "lever": kind.name,
                "step": kind.step,
                "lever_order": LEVERS.index(kind) + 1,
                "confidence": kind.confidence,
                "basis_cost": found.basis,
                **figures,
                "captured_saving": found.captured.get(kind.name),
                "unproven_cost": sum(reasons.values(), Decimal(0)),
                "reason": max(sorted(reasons), key=lambda name: reasons[name]) if reasons else None,
                "evidence_row_count": found.rows[kind.name],
                "evidence": evidence_of(kind, period, account),
                "assumption": kind.assumption,
                "published_low_ratio": beside.low if beside else None,
                "published_high_ratio": beside.high if beside else None,
                "published_basis": beside.basis if beside else None,
                "published_source": beside.source if beside else None,
            }


def _figures(found: Findings) -> Iterator[tuple[LeverKind, dict[str, Decimal | None]]]:
    """The levers that have something to say of an account, with their money."""
    levers = [kind.lever for kind in LEVERS]
    each = savings(found.cells, levers)
    acting = {name: saving for name, saving in each.items() if any(name in cell.shares for cell in found.cells)}
    waterfall = in_money({name: saving.waterfall for name, saving in acting.items()})
    shapley = in_money({name: saving.shapley for name, saving in acting.items()})
    drawn = ranges(found.cells, levers)
    whole = money(combined(found.cells, levers))
    for kind in LEVERS:
        if kind.name not in acting and not (_unproven(found, kind.name) or found.captured.get(kind.name)):
            continue
        low, middle, high = drawn.get(kind.name, (None, None, None))
        yield (
            kind,
            {
                "gross_saving": _gross(kind.name, found) if kind.name in acting else None,
                "alone_saving": _alone(acting.get(kind.name)),
                "saving": waterfall.get(kind.name),
                "shapley_saving": shapley.get(kind.name),
                "saving_p10": low,
                "saving_p50": middle,
                "saving_p90": high,
                "combined_saving": whole,
            },
        )


def _unproven(found: Findings, lever: str) -> dict[str, Decimal]:
    return {reason: cost for reason, cost in found.unproven.get(lever, {}).items() if cost}


def _gross(lever: str, found: Findings) -> Decimal:
    """Alone and in full, and what it already saves where that is known."""
    return money(_in_full(lever, found.cells)) + found.captured.get(lever, Decimal(0))


def _in_full(lever: str, cells: list[Cell]) -> Fraction:
    return sum((cell.cost * cell.shares[lever] for cell in cells if cell.shares.get(lever)), Fraction(0))


def _alone(saving: Saving | None) -> Decimal | None:
    return money(saving.alone) if saving else None
