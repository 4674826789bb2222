"""Azure's words for kinds of charges and commitments, in FOCUS terms, as SQL over the lines of a file.

Here belongs: charge types, pricing models, reservations and savings plans, terms. Here does not belong: money.
"""

from collections.abc import Mapping

from connectors.azure import columns as c
from connectors.bills.names import Names, literal

_CATEGORIES: Mapping[str, str] = {
    "usage": "Usage",
    "unusedreservation": "Usage",
    "unusedsavingsplan": "Usage",
    "purchase": "Purchase",
    "refund": "Purchase",
    "tax": "Tax",
    "credit": "Credit",
    "adjustment": "Adjustment",
    "roundingadjustment": "Adjustment",
}
_OPTIONS: Mapping[str, str] = {
    "ondemand": "on_demand",
    "spot": "spot",
    "reservation": "reserved",
    "savingsplan": "savings_plan",
}
_FREQUENCIES: Mapping[str, str] = {"usagebased": "Usage-Based", "onetime": "One-Time", "recurring": "Recurring"}
_PRICING: Mapping[str, str] = {
    "ondemand": "Standard",
    "spot": "Dynamic",
    "reservation": "Committed",
    "savingsplan": "Committed",
}
CHARGE_TYPES = "Usage, Purchase, Refund, Tax, Credit, Adjustment, RoundingAdjustment, UnusedReservation, ..."


def charge_type(names: Names) -> str:
    """The kind of line in small letters; bills without the column hold usage only."""
    return f"lower({names.text(*c.CHARGE_TYPE)})" if names.has(*c.CHARGE_TYPE) else "'usage'"


def category(names: Names) -> str:
    """FOCUS charge category; NULL for a kind that Azure is not known to have."""
    return _translated(charge_type(names), _CATEGORIES)


def is_unused(names: Names) -> str:
    """Whether the line is the part of a commitment that nobody used."""
    return f"{charge_type(names)} in ('unusedreservation', 'unusedsavingsplan')"


def is_purchase(names: Names) -> str:
    """Whether the line buys a commitment, or gives it back."""
    return f"({charge_type(names)} in ('purchase', 'refund') and {commitment(names)} is not null)"


def covers(names: Names) -> str:
    """Whether the line's usage is covered by a commitment, whatever it costs in this view."""
    model = _model(names)
    given = f"{model} in ('reservation', 'savingsplan')"
    if not names.has(*c.PRICING_MODEL):
        given = f"{commitment(names)} is not null"
    return f"coalesce({charge_type(names)} = 'usage' and {given}, false)"


def commitment_path(names: Names) -> str:
    """What names the commitment, a path or a bare id, in small letters."""
    return f"lower(coalesce({names.text(*c.BENEFIT)}, {names.text(*c.RESERVATION)}))"


def commitment(names: Names) -> str:
    """The commitment's own id, the last of its path: some lines have the whole path, some only this.

    A recurring purchase names no reservation below its order: then it is the order's id (see `orders`).
    """
    pieces = f"regexp_replace({commitment_path(names)}, '/(reservations|savingsplans)?/*$', '')"
    return f"nullif(regexp_extract({pieces}, '[^/]+$'), '')"


def commitment_values(names: Names, day: str, cost: str) -> dict[str, str]:
    """The commitment columns of `charges`. `day`, `cost`: SQL of the line's day and its billed cost."""
    model, bought = _model(names), is_purchase(names)
    is_plan = (
        f"({model} = 'savingsplan' or lower(coalesce({names.text(*c.BENEFIT)}, '')) like '%savingsplan%' "
        f"or {charge_type(names)} = 'unusedsavingsplan')"
    )
    known = f"{commitment(names)} is not null"
    once = f"({bought} and lower({names.text(*c.FREQUENCY)}) = 'onetime' and {charge_type(names)} = 'purchase')"
    monthly = f"({bought} and lower({names.text(*c.FREQUENCY)}) = 'recurring')"
    ends = f"({day} + to_months({_term_months(names)}))"
    return {
        "commitment_discount_status": (
            f"case when not ({known}) or {category(names)} <> 'Usage' then null "
            f"when {is_unused(names)} then 'Unused' else 'Used' end"
        ),
        "commitment_discount_type": f"case when {known} then case when {is_plan} then 'SavingsPlan' "
        "else 'Reservation' end end",
        "commitment_discount_category": f"case when {known} then case when {is_plan} then 'Spend' else 'Usage' end end",
        "commitment_discount_name": f"coalesce({names.text(*c.BENEFIT_NAME)}, {names.text(*c.RESERVATION_NAME)})",
        "x_commitment_start": f"case when {once} then {day} end",
        "x_commitment_end": f"case when {once} then {ends} end",
        # a longer term is amortised by the provider's own calendar: only of one within the month is the part known
        "x_commitment_cost": f"case when {once} and {ends} <= date_trunc('month', {day}) + interval 1 month "
        f"then {cost} end",
        "x_commitment_payment": f"case when {once} then 'all_upfront' when {monthly} then 'no_upfront' end",
        "pricing_category": f"case when {bought} then 'Standard' else {_translated(model, _PRICING)} end",
    }


def purchase_option(names: Names, is_provisioned: str) -> str:
    """How the capacity was bought. `is_provisioned`: where the line bills throughput units of a model service."""
    by_model = _translated(_model(names), _OPTIONS)
    reserved = f"case when {commitment(names)} is not null then 'reserved' end"
    return f"case when {is_provisioned} then 'provisioned' else coalesce({by_model}, {reserved}) end"


def frequency(names: Names) -> str:
    """FOCUS charge frequency."""
    return _translated(f"lower({names.text(*c.FREQUENCY)})", _FREQUENCIES)


def _term_months(names: Names) -> str:
    """Months of the term: `36`, `3 Years`, `3Years`, `P3Y`, `1 month`; NULL for anything else."""
    text = f"lower({names.text(*c.TERM)})"
    number = f"try_cast(nullif(regexp_extract({text}, '(\\d{{1,3}})', 1), '') as integer)"
    return f"{number} * case when regexp_matches({text}, '\\d\\s*y') then 12 else 1 end"


def _model(names: Names) -> str:
    return f"lower({names.text(*c.PRICING_MODEL)})"


def _translated(text: str, words: Mapping[str, str]) -> str:
    cases = " ".join(f"when {literal(word)} then {literal(meaning)}" for word, meaning in words.items())
    return f"case {text} {cases} end"
