"""Committed use: which lines are fees, and which usage a commitment covers.

Google bills a commitment in one of three ways, and each says differently what was used:

- by consumption model: covered usage is billed at its lower price, and a credit takes what was used off the fee;
- legacy, by spend: usage is billed in full with a credit, beside a fee that is a share of what it covers;
- legacy, by resource (GPUs, cores, memory): likewise, and the fee's quantity is what was committed.
"""

from collections.abc import Mapping
from decimal import Decimal

from connectors.bills import Names, literal

OFFSET = "FEE_UTILIZATION_OFFSET"
SPEND_CREDIT = "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"
LEGACY_CREDITS = ("COMMITTED_USAGE_DISCOUNT", SPEND_CREDIT)
_LAST_PLACE = "0.000001"  # of the export's costs
_LEGACY = "'^commitment( - dollar based)? v1:'"
_FEE_WORDS = "'^commitment( fee| - dollar based)?( v[0-9]+)?: *'"


def commitment_columns(names: Names) -> dict[str, str]:
    """Columns for the view `source`, each of which may use those before it, and `_credits` and `_cost`.

    `_is_legacy_fee`, `_is_model_fee` and `_is_fee` (either) tell fees, `_is_covered` usage at a commitment's price;
    `_commitment_id` and `_commitment_name` are the commitment's; `_offset` is the used part of a fee, negative or zero;
    `_discounted` is what legacy commitments cover of a line's cost, NULL where it is nothing.
    """
    description, model = names.text("sku.description"), names.text("consumption_model.description")
    regular = f"{names.text('cost_type')} = 'regular'"
    legacy_id = (
        f"concat_ws('/', {names.text('billing_account_id')}, {names.text('sku.id')}, {names.text('project.id')})"
    )
    return {
        "_has_offset": f"list_contains(list_transform(_credits, lambda credit: credit.type), '{OFFSET}')",
        "_is_fee": f"coalesce({regular} and ({description} ilike 'commitment%' or _has_offset), false)",
        "_is_legacy_fee": (
            f"_is_fee and not _has_offset and coalesce(regexp_matches(lower({description}), {_LEGACY}), false)"
        ),
        "_is_model_fee": "_is_fee and not _is_legacy_fee",
        "_is_covered": f"{regular} and not _is_fee and coalesce({model} not ilike 'default', false)",
        "_commitment_name": (
            f"case when _is_covered then {model} else regexp_replace({description}, {_FEE_WORDS}, '', 'i') end"
        ),
        "_commitment_id": (
            f"coalesce({names.text('subscription.instance_id')}, "
            f"case when _is_legacy_fee then {legacy_id} else _commitment_name end)"
        ),
        "_offset": f"coalesce({credit_sum(OFFSET)}, 0)",
        "_discounted": f"case when {regular} and not _is_fee and not _is_covered and _cost > 0 then {_discount()} end",
    }


def _discount() -> str:
    """SQL of what legacy commitments take off a line's cost, the whole cost at most.

    A covered unit's credit is its price on demand, so that this is the price of what they cover. Costs and credits are
    rounded each on its own: what is left of a last place is no use that was paid on demand.
    """
    taken = "-(" + " + ".join(f"coalesce({credit_sum(kind)}, 0)" for kind in LEGACY_CREDITS) + ")"
    return f"case when {taken} > 0 then case when _cost - {taken} <= {_LAST_PLACE} then _cost else {taken} end end"


def credit_sum(kind: str) -> str:
    """SQL of the sum of a line's credits of one type; NULL where it has none."""
    return (
        f"list_sum(list_transform(list_filter(_credits, lambda credit: credit.type = '{kind}'), "
        "lambda credit: try_cast(credit.amount as decimal(38, 12))))"
    )


def fee_key(names: Names) -> str:
    """SQL of what legacy fees that share their utilisation have in common."""
    return (
        f"concat_ws('|', {names.text('service.id')}, {names.text('sku.description')}, "
        f"coalesce({names.text('location.region')}, ''), epoch_us({names.instant('usage_start_time')}), "
        f"epoch_us({names.instant('usage_end_time')}))"
    )


def fee_parts(names: Names, shares: Mapping[str, Decimal]) -> tuple[str, str]:
    """SQL of a fee's used and unused cost; NULL for other lines and where they are not known.

    Of a consumption model's fee nothing is used: the covered usage itself shows that. `shares`: of legacy fees, by key.
    """
    known = ", ".join(f"{literal(key)}: cast({share:f} as decimal(13, 12))" for key, share in sorted(shares.items()))
    share = f"(map {{{known}}})[{fee_key(names)}]" if known else "null"
    used = (
        f"case when _is_legacy_fee then cast(cast(_cost as decimal(25, 12)) * cast({share} as decimal(13, 12)) "
        "as decimal(38, 12)) end"
    )
    return used, "case when _is_model_fee then _cost + _offset when _is_legacy_fee then _cost - _used end"
