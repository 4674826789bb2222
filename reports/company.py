"""What every statement says of the whole company: where the bill went, bill against log.

Here belongs: tables of money made from the shared facts. Here does not belong: any one team's rows, what has arrived.
"""

from collections.abc import Sequence
from decimal import Decimal

from models.minor_units import minor_unit
from reports.breakdown import Breakdown, Sum, as_listed
from reports.currencies import apart_text
from reports.given import Period, ReconciliationLine, SharedFacts, StatementError
from reports.money import EXACT, ZERO, apportion, exact_sum, format_money, format_number, format_ratio, round_to
from reports.tables import NO_VALUE, Row, Table, cost_table, signed_table
from reports.wording import cause_label, clean, residual_label

_GOAL = Decimal("0.01")
"""Of a provider's bill, what may be unexplained: less than this."""


def bill_table(shared: SharedFacts, period: Period) -> Table:
    """The company's bill: allocated to teams, and every residual. Raises as `bill_lines` does."""
    told = [apart_text(shared.without_rate, period, is_all=False)]
    if shared.adjusted_total:
        amount = format_money(
            round_to(shared.adjusted_total, minor_unit(shared.currency)), shared.currency, signed=True
        )
        told.append(f"{amount} of it corrects months that are locked, and is on no bill of {period.label}.")
    return cost_table(
        "bill",
        "Where the bill went",
        "Account",
        bill_lines(shared),
        shared.currency,
        total_label="Bill and adjustments" if shared.adjusted_total else "Bill",
        remark=" ".join(filter(None, told)),
    )


def bill_lines(shared: SharedFacts) -> Breakdown:
    """What was allocated to teams, then every residual. Raises StatementError when they do not add up to the bill."""
    parts = exact_sum([shared.allocated_total, *(amount for _, amount in shared.residuals)])
    if parts != shared.bill_total:
        raise StatementError(
            f"the company's bill is {shared.bill_total} {shared.currency}, but the allocated total and the residuals "
            f"add up to {parts}; they must be equal to the last digit: rebuild the marts from one snapshot"
        )
    sums = [("Allocated to teams", "", shared.allocated_total)]
    residuals = sorted(shared.residuals, key=lambda residual: -abs(residual[1]))
    sums += [(residual_label(account), "", amount) for account, amount in residuals if amount]
    total = round_to(shared.bill_total, minor_unit(shared.currency))
    return as_listed(sums, total, shared.currency)


def log_tables(shared: SharedFacts) -> list[Table]:
    """For each currency: bill against log by provider, and the causes of the difference. Both foot as printed."""
    currencies = sorted({line.currency for line in shared.reconciliation})
    by_currency = [[line for line in shared.reconciliation if line.currency == c] for c in currencies]
    several = len(currencies) > 1
    return [
        t
        for c, lines in zip(currencies, by_currency, strict=True)
        for t in _log_tables(lines, c, f", bills in {clean(c)}" if several else "")
    ]


def _log_tables(lines: Sequence[ReconciliationLine], currency: str, which: str) -> list[Table]:
    for line in lines:
        _require_causes_add_up(line)
    unit = minor_unit(currency)
    billed, billed_total = _footed([line.billed_cost for line in lines], unit)
    logged, logged_total = _footed([line.estimated_cost for line in lines], unit)
    rows = tuple(
        Row(clean(line.provider_id), _three(b, e, currency), _note(line))
        for line, b, e in zip(lines, billed, logged, strict=True)
        if line.billed_cost or line.estimated_cost  # usage without a price is told below, not as zero
    )
    total = Row("Total", _three(billed_total, logged_total, currency))
    against = Table(
        f"log-{currency.lower()}",
        f"Bill against request log{which}",
        ("Provider", "Bill", "Log", "Difference"),
        rows,
        total if len(rows) > 1 else None,
        remark=_remark(lines),
    )
    known = _causes(lines)
    if not known:
        return [against]
    causes = as_listed(known, EXACT.subtract(billed_total, logged_total), currency)
    why = f"Why bill and log differ{which}"
    return [against, signed_table(f"causes-{currency.lower()}", why, "Cause", causes, currency)]


def _causes(lines: Sequence[ReconciliationLine]) -> list[Sum]:
    """Each cause in words with its amount, the largest first; none where they are not known of every line."""
    amounts: dict[str, Decimal] = {}
    for line in lines:
        if line.causes is None:
            return []
        for cause, amount in line.causes.items():
            amounts[cause] = EXACT.add(amounts.get(cause, ZERO), amount)
    ranked = sorted(amounts.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [(*cause_label(cause), amount) for cause, amount in ranked if amount]


def _require_causes_add_up(line: ReconciliationLine) -> None:
    difference = EXACT.subtract(line.billed_cost, line.estimated_cost)
    causes = line.difference if line.causes is None else exact_sum(line.causes.values())
    if not causes == difference == line.difference:
        raise StatementError(
            f"reconciliation of {line.provider_id}: bill less log is {difference}, the stored difference is "
            f"{line.difference} and its causes add up to {causes}; all three must be equal: rebuild the marts"
        )


def _footed(amounts: Sequence[Decimal], unit: Decimal) -> tuple[list[Decimal], Decimal]:
    total = round_to(exact_sum(amounts), unit)
    return apportion(amounts, total, unit), total


def _three(billed: Decimal, logged: Decimal, currency: str) -> tuple[str, ...]:
    """The difference is taken of the printed figures, so that the table foots across as well as down."""
    difference = EXACT.subtract(billed, logged)
    return (
        format_money(billed, currency),
        format_money(logged, currency),
        format_money(difference, currency, signed=True),
    )


def _note(line: ReconciliationLine) -> str:
    """How much of the bill's tokens the log has, and how much of its money nothing explains."""
    covered = f"Tokens covered: {NO_VALUE}"
    if line.token_coverage_ratio is not None:
        covered = f"{format_ratio(Decimal(str(line.token_coverage_ratio)))} of billed tokens are in the log"
    if line.unexplained_ratio is None:
        return covered
    return f"{covered}; {format_ratio(Decimal(str(line.unexplained_ratio)))} of the bill is unexplained"


def _remark(lines: Sequence[ReconciliationLine]) -> str:
    """What the figures do not say: usage without a price, bills not explained, usage that no provider's bill has."""
    told: list[str] = []
    unpriced = exact_sum(line.unpriced_tokens for line in lines)
    if unpriced != ZERO:
        tokens = format_number(round_to(unpriced, Decimal(1)))
        told.append(f"{tokens} logged tokens have no known price: the log leaves them out.")
    told += [
        f"More of the bill of {clean(line.provider_id)} is unexplained than the {format_ratio(_GOAL)} that may be."
        for line in lines
        if line.unexplained_ratio is not None and line.unexplained_ratio >= _GOAL
    ]
    told += [
        f"{format_number(Decimal(line.left_out_tokens))} tokens of {clean(line.provider_id)} are in a tier that its "
        "report of costs leaves out: what they cost is unknown, and in none of these figures."
        for line in lines
        if line.left_out_tokens
    ]
    return " ".join(told)
