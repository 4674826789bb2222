"""Costs of a line of a Cost and Usage Report, as SQL: billed, effective, list, contracted, and commitments'.

Method: AWS' own amortisation. A line that a commitment covers has the commitment's cost; the commitment's fee line has
what nobody used; what was paid upfront, and the negation of covered usage, have none. Where the account has negotiated
discounts, the `net` twin of each number is what is invoiced, and is taken. Whether a delivery has net numbers at all,
only all of its lines together tell: see `net_costs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.aws.bill_product import instance_type, is_model
from connectors.bills import Names
from connectors.bills.ratio import MONEY, ratio

COVERED, NEGATION = "SavingsPlanCoveredUsage", "SavingsPlanNegation"
RECURRING_FEE, UPFRONT_FEE = "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"
DISCOUNTED, RI_FEE, FEE = "DiscountedUsage", "RIFee", "Fee"
_ZERO = f"cast(0 as {MONEY})"


@dataclass(frozen=True)
class Line:
    """What several expressions need to know of a line; `net_is_filled` is of the whole delivery."""

    names: Names
    net_is_filled: bool = False
    kind: str = "_kind"
    usage_type: str = "_usage_type"
    is_split: str = "_is_split"
    is_discount: str = "_is_discount"
    reservation: str = "_reservation"
    savings_plan: str = "_savings_plan"
    instance_type: str = "_instance_type"
    is_model: str = "_is_model"
    billed_cost: str = "_billed_cost"
    amortised_cost: str = "_amortised_cost"


def steps_of(line: Line) -> tuple[Mapping[str, str], ...]:
    """The columns that `Line` names, in the order in which they need each other."""
    names = line.names
    parent, operation = names.text("splitLineItem/ParentResourceId"), names.text("lineItem/Operation")
    kind = names.text("lineItem/LineItemType")
    billed = _net(line, *COST)
    return (
        {
            line.kind: kind,
            line.usage_type: names.text("lineItem/UsageType"),
            line.instance_type: instance_type(names),
            line.is_model: is_model(names),
            line.is_split: f"coalesce({parent} is not null or {operation} in ('EKSPod-EC2', 'ECSTask-EC2'), false)",
            line.is_discount: f"coalesce(({kind} like '%Discount') or {names.decimal('discount/TotalDiscount')} <> 0, "
            "false)",
            line.reservation: names.text("reservation/ReservationARN"),
            line.savings_plan: names.text("savingsPlan/SavingsPlanARN"),
        },
        {line.billed_cost: f"case when {line.is_split} then coalesce({billed}, {_ZERO}) else {billed} end"},
        {line.amortised_cost: _amortised(line)},
    )


def costs_of(line: Line) -> Mapping[str, str]:
    """SQL of every cost column of `charges` that a report gives; units: the line's currency."""
    return {
        "billed_cost": line.billed_cost,
        "effective_cost": _effective_cost(line),
        "list_cost": _list_cost(line),
        "contracted_cost": f"case when {_is_priced(line)} then {line.billed_cost} end",
        "list_unit_price": f"case when {_is_usage(line)} then {line.names.decimal('pricing/publicOnDemandRate')} end",
        "contracted_unit_price": f"case when {_is_priced(line)} then {_net(line, *_RATE)} end",
        "x_commitment_cost": _commitment_cost(line),
        "x_split_cost": f"case when {line.is_split} then {_net(line, *_SPLIT)} end",
        "x_split_unused_cost": f"case when {line.is_split} then {_net(line, *_SPLIT_UNUSED)} end",
    }


def in_doubt(line: Line) -> str:
    """Where a net number is zero, or a discount lacks it, beside a gross one: only the whole delivery tells why."""
    doubts = [_is_zero_beside(line, *pair) for pair in _PAIRS if line.names.has(pair[0])]
    doubts += [_is_discount_without_net(line)] if line.names.has(COST[0]) else []
    return f"coalesce({' or '.join(doubts)}, false)" if doubts else "false"


def has_net_zero(line: Line) -> str:
    """Where the net cost is zero beside a cost, and no discount explains it."""
    return _is_zero_beside(line, *COST) if line.names.has(COST[0]) else "false"


def is_unamortised(line: Line) -> str:
    """Where a line that commitments cover, or their fee, lacks the amortised cost: the billed one stands for it."""
    return f"({line.kind} in {_AMORTISED} and {line.amortised_cost} is null)"


COST = ("lineItem/NetUnblendedCost", "lineItem/UnblendedCost")
_RATE = ("lineItem/NetUnblendedRate", "lineItem/UnblendedRate")
_SPLIT = ("splitLineItem/NetSplitCost", "splitLineItem/SplitCost")
_SPLIT_UNUSED = ("splitLineItem/NetUnusedCost", "splitLineItem/UnusedCost")
_COVERED = ("savingsPlan/NetSavingsPlanEffectiveCost", "savingsPlan/SavingsPlanEffectiveCost")
_DISCOUNTED = ("reservation/NetEffectiveCost", "reservation/EffectiveCost")
_PLAN_TOTAL, _PLAN_USED = "savingsPlan/TotalCommitmentToDate", "savingsPlan/UsedCommitment"
_UNUSED_UPFRONT = (
    "reservation/NetUnusedAmortizedUpfrontFeeForBillingPeriod",
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
)
_UNUSED_RECURRING = ("reservation/NetUnusedRecurringFee", "reservation/UnusedRecurringFee")
_UPFRONT = (
    "reservation/NetAmortizedUpfrontFeeForBillingPeriod",
    "reservation/AmortizedUpfrontFeeForBillingPeriod",
)
_PAIRS = (
    COST, _RATE, _SPLIT, _SPLIT_UNUSED, _COVERED, _DISCOUNTED, _UNUSED_UPFRONT, _UNUSED_RECURRING, _UPFRONT
)  # fmt: skip
_AMORTISED = f"('{COVERED}', '{RECURRING_FEE}', '{DISCOUNTED}', '{RI_FEE}')"


def _net(line: Line, net: str, gross: str) -> str:
    """The net number where the account has discounts, else the gross one.

    In a delivery without net costs, a zero is what the export writes for none, unless a discount explains it.
    """
    names = line.names
    if not names.has(net):
        return names.decimal(gross)
    taken = f"coalesce({names.decimal(net)}, {names.decimal(gross)})"
    if line.net_is_filled:
        # the net costs of the lines that it applies to have it in them: once more would take it off twice
        is_taken_off = _is_discount_without_net(line) if net == COST[0] else "false"
        return f"case when {is_taken_off} then {_ZERO} else {taken} end"
    return f"case when {_is_zero_beside(line, net, gross)} then {names.decimal(gross)} else {taken} end"


def _is_discount_without_net(line: Line) -> str:
    """Where a line is a discount and states no net cost."""
    names = line.names
    return f"({line.kind} like '%Discount' and {names.decimal(COST[0])} is null and {names.decimal(COST[1])} <> 0)"


def _is_zero_beside(line: Line, net: str, gross: str) -> str:
    """Where the net number is zero, the gross one is not, and the line tells of no discount."""
    names = line.names
    return f"({names.decimal(net)} = 0 and {names.decimal(gross)} <> 0 and not {line.is_discount})"


def _effective_cost(line: Line) -> str:
    return (
        f"case when {line.is_split} then {_ZERO} "
        f"when {line.kind} in {_AMORTISED} then coalesce({line.amortised_cost}, {line.billed_cost}) "
        f"when {line.kind} in ('{NEGATION}', '{UPFRONT_FEE}') then {_ZERO} "
        f"when {line.kind} = '{FEE}' and {line.reservation} is not null then {_ZERO} "
        f"else {line.billed_cost} end"
    )


def _amortised(line: Line) -> str:
    """Cost of the commitment that a line used, or that its fee line says was left unused."""
    covered, discounted = _net(line, *_COVERED), _net(line, *_DISCOUNTED)
    return (
        f"case {line.kind} when '{COVERED}' then {covered} when '{DISCOUNTED}' then {discounted} "
        f"when '{RECURRING_FEE}' then {_plan_part(line, _PLAN_TOTAL)} - {_plan_part(line, _PLAN_USED)} "
        f"when '{RI_FEE}' then {_unused_reservation(line)} end"
    )


def _unused_reservation(line: Line) -> str:
    upfront, recurring = _net(line, *_UNUSED_UPFRONT), _net(line, *_UNUSED_RECURRING)
    return (
        f"case when {upfront} is not null or {recurring} is not null "
        f"then cast(coalesce({upfront}, 0) + coalesce({recurring}, 0) as {MONEY}) end"
    )


def has_unknown_upfront(line: Line) -> str:
    """Where a reservation's fee lacks the month's part of what was paid upfront, and does not say that nothing was."""
    return f"coalesce({line.kind} = '{RI_FEE}' and {_upfront_part(line)} is null, false)"


def _upfront_part(line: Line) -> str:
    option = line.names.text("pricing/PurchaseOption")
    return f"coalesce({_net(line, *_UPFRONT)}, case when {option} = 'No Upfront' then {_ZERO} end)"


def _commitment_cost(line: Line) -> str:
    """The amortised purchase in the charge period: an hour of a savings plan, a month of a reservation.

    NULL where the part that was paid upfront is neither stated nor known to be none.
    """
    return (
        f"case {line.kind} when '{RECURRING_FEE}' then {_plan_part(line, _PLAN_TOTAL)} "
        f"when '{RI_FEE}' then cast({_upfront_part(line)} + {line.billed_cost} as {MONEY}) end"
    )


def _plan_part(line: Line, column: str) -> str:
    """A part of a savings plan's commitment, after negotiated discounts.

    The fee line has the commitment without its net twin; but the plan's month has both, and the discount is the same in
    every hour of it.
    """
    gross = line.names.decimal(column)
    months = _plan_months(line)
    if months is None:
        return gross
    return f"case when {_is_discounted(*months)} then {ratio(gross, *months)} else {gross} end"


def is_reduced_plan(line: Line) -> str:
    """Where a savings plan's fee takes the discount of the plan's month, as it states none of its own hour."""
    months = _plan_months(line)
    return "false" if months is None else f"({line.kind} = '{RECURRING_FEE}' and {_is_discounted(*months)})"


def _plan_months(line: Line) -> tuple[str, str] | None:
    """The commitment of a plan's month, net and gross; None where the file has no net one."""
    names = line.names
    net_columns = ("NetAmortizedUpfrontCommitmentForBillingPeriod", "NetRecurringCommitmentForBillingPeriod")
    if not any(names.has(f"savingsPlan/{net}") for net in net_columns):
        return None
    net_month, month = (
        " + ".join(f"coalesce({names.decimal(f'savingsPlan/{name.removeprefix(prefix)}')}, 0)" for name in net_columns)
        for prefix in ("", "Net")
    )
    return f"({net_month})", f"({month})"


def _is_discounted(net_month: str, month: str) -> str:
    return f"({net_month} <> 0 and {month} <> 0 and {net_month} <> {month})"


def _list_cost(line: Line) -> str:
    """Cost at the public on-demand price; a zero beside a cost is a price that AWS does not publish."""
    found = line.names.decimal("pricing/publicOnDemandCost")
    return f"case when {_is_usage(line)} and not ({found} = 0 and {line.billed_cost} <> 0) then {found} end"


def _is_usage(line: Line) -> str:
    return f"({line.kind} in ('Usage', '{COVERED}', '{DISCOUNTED}') and not {line.is_split})"


def _is_priced(line: Line) -> str:
    """Usage whose unblended cost is the price before commitments. That of a reservation's usage is zero."""
    return f"({line.kind} in ('Usage', '{COVERED}') and not {line.is_split})"
