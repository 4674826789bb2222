"""What a line of a Cost and Usage Report says of reservations and savings plans, as SQL."""

from collections.abc import Mapping

from connectors.aws.bill_capacity import is_capacity_block
from connectors.aws.bill_costs import COVERED, DISCOUNTED, FEE, NEGATION, RECURRING_FEE, RI_FEE, UPFRONT_FEE, Line
from connectors.aws.values import PAYMENT_OPTIONS


def commitments_of(line: Line) -> Mapping[str, str]:
    """SQL of the commitment columns of `charges`. A commitment without an id is none that could be followed."""
    names, kind = line.names, line.kind
    plan, reserved = f"{line.savings_plan} is not null", f"{line.reservation} is not null"
    payments = " ".join(f"when '{words}' then '{payment}'" for words, payment in PAYMENT_OPTIONS.items())
    paid = f"coalesce({names.text('savingsPlan/PaymentOption')}, {names.text('pricing/PurchaseOption')})"
    terms = {
        "x_commitment_start": _either(line, "StartTime"),
        "x_commitment_end": _after_last(_either(line, "EndTime")),
        "x_commitment_payment": f"case {paid} {payments} end",
        "commitment_discount_type": f"case when {plan} then coalesce({names.text('savingsPlan/OfferingType')}, "
        "'SavingsPlan') else 'Reserved Instance' end",
        "commitment_discount_category": f"case when {plan} then 'Spend' else 'Usage' end",
        "commitment_discount_name": _name(line, plan),
        "commitment_discount_status": f"case when {kind} in ('{COVERED}', '{DISCOUNTED}') then 'Used' "
        f"when {kind} in ('{RECURRING_FEE}', '{RI_FEE}') then 'Unused' end",
        "commitment_discount_quantity": _quantity(line),
        "commitment_discount_unit": f"case when {_quantity(line)} is null then null when {plan} "
        f"then {names.text('lineItem/CurrencyCode')} else 'Hours' end",
    }
    known = f"({plan} or {reserved})"
    values = {column: f"case when {known} then {sql} end" for column, sql in terms.items()}
    return {"commitment_discount_id": f"coalesce({line.savings_plan}, {line.reservation})", **values}


def _either(line: Line, column: str) -> str:
    return f"coalesce({line.names.instant(f'savingsPlan/{column}')}, {line.names.instant(f'reservation/{column}')})"


def _after_last(end: str) -> str:
    """The first instant after a term of which the bill tells the last second, as in 23:59:59."""
    is_last = f"extract('second' from {end}) = 59"
    return f"case when {is_last} then date_trunc('minute', {end}) + interval 1 minute else {end} end"


def _name(line: Line, plan: str) -> str:
    """Reports have no names: kind, term and payment in the bill's words, as finance speaks of them."""
    names = line.names
    of_plan = [names.text(f"savingsPlan/{c}") for c in ("OfferingType", "PurchaseTerm", "PaymentOption")]
    of_reservation = [names.text(f"pricing/{c}") for c in ("LeaseContractLength", "OfferingClass", "PurchaseOption")]
    return (
        f"nullif(case when {plan} then concat_ws(' ', {', '.join(of_plan)}) "
        f"else concat_ws(' ', {', '.join(of_reservation)}) end, '')"
    )


def _quantity(line: Line) -> str:
    """A savings plan is used by money, a reservation by hours."""
    names = line.names
    return (
        f"case {line.kind} when '{COVERED}' then {names.decimal('savingsPlan/SavingsPlanEffectiveCost')} "
        f"when '{RECURRING_FEE}' then {names.decimal('savingsPlan/TotalCommitmentToDate')} "
        f"- {names.decimal('savingsPlan/UsedCommitment')} "
        f"when '{DISCOUNTED}' then {names.decimal('lineItem/UsageAmount')} "
        f"when '{RI_FEE}' then {names.decimal('reservation/UnusedQuantity')} end"
    )


def purchase_option(line: Line) -> str:
    """How the capacity was bought, where the line says: usage, and the purchase of what covers it."""
    kind, usage_type = line.kind, line.usage_type
    return (
        f"case when {kind} in ('{COVERED}', '{NEGATION}', '{RECURRING_FEE}', '{UPFRONT_FEE}') then 'savings_plan' "
        f"when {kind} in ('{DISCOUNTED}', '{RI_FEE}') then 'reserved' "
        f"when {kind} = '{FEE}' and {line.reservation} is not null then 'reserved' "
        f"when {kind} not in ('Usage', '{FEE}') or {line.is_split} then null "
        f"when {is_capacity_block(line)} then 'capacity_block' "
        f"when {kind} <> 'Usage' then null "
        f"when {usage_type} like '%SpotUsage%' then 'spot' "
        f"when {usage_type} like '%ProvisionedThroughput%' then 'provisioned' "
        f"when {usage_type} like '%BoxUsage%' or ({line.instance_type} is not null "
        f"and {line.names.text('pricing/term')} = 'OnDemand') then 'on_demand' end"
    )
