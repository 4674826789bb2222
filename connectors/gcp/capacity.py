"""How a line's capacity was bought: commitments, reservations, spot."""

from connectors.bills import Names, literal
from connectors.gcp.commitments import LEGACY_CREDITS, OFFSET
from connectors.gcp.pieces import IS_COVERED_PIECE, IS_CREDIT, IS_DISCOUNTED, IS_LINE, system_label

_SPOT = "'spot|preemptible'"
_RESOURCE = "starts_with(lower(coalesce({}, '')), 'commitment v1:')"
_MACHINE_PARTS = "'core|cpu|ram|gpu'"


def capacity(names: Names) -> dict[str, str]:
    """The columns of commitments, capacity reservations and purchase options."""
    description = f"lower(coalesce({names.text('sku.description')}, ''))"
    is_fee_line, reserved = f"({IS_LINE} and _is_fee)", system_label("reservation_name")
    is_usage = f"(not {IS_CREDIT} and {names.text('cost_type')} = 'regular' and not _is_fee)"
    is_committed = (
        f"({IS_COVERED_PIECE} or (_is_fee and not {IS_CREDIT}) or ({IS_LINE} and _is_covered) "
        f"or ({IS_CREDIT} and _piece.type = '{OFFSET}'))"
    )
    quantity = names.decimal("usage.amount_in_pricing_units")
    basis = _basis(names)
    return {
        "pricing_category": (
            f"case when {is_usage} then case when _is_covered or {IS_COVERED_PIECE} or {IS_DISCOUNTED} "
            "then 'Committed' "
            f"when regexp_matches({description}, {_SPOT}) then 'Dynamic' else 'Standard' end end"
        ),
        "commitment_discount_id": (
            f"case when {IS_COVERED_PIECE} then _piece.id when {is_committed} then _commitment_id end"
        ),
        "commitment_discount_name": (
            f"case when {IS_COVERED_PIECE} then _piece.name when {is_committed} then _commitment_name end"
        ),
        "commitment_discount_category": f"case when {is_committed} then {basis} end",
        "commitment_discount_type": (
            f"case when {is_committed} then "
            f"case {basis} when 'Usage' then 'Resource-based CUD' else 'Spend-based CUD' end end"
        ),
        # committed use is paid month by month, whatever is committed
        "x_commitment_payment": f"case when {is_fee_line} then 'no_upfront' end",
        "commitment_discount_status": (
            f"case when _piece.kind in ('used', 'covered') or ({IS_LINE} and _is_covered) then 'Used' "
            "when _piece.kind = 'unused' then 'Unused' end"
        ),
        "commitment_discount_quantity": f"case when {is_fee_line} then {quantity} end",
        "commitment_discount_unit": f"case when {is_fee_line} then {names.text('usage.pricing_unit')} end",
        "capacity_reservation_id": f"case when {is_usage} then {reserved} end",
        "capacity_reservation_status": (
            f"case when {is_usage} and {reserved} is not null then "
            f"case {system_label('is_unused_reservation')} when 'true' then 'Unused' else 'Used' end end"
        ),
        "x_purchase_option": _option(names, is_committed, is_usage),
    }


def _option(names: Names, is_committed: str, is_usage: str) -> str:
    """How the capacity was bought. A discount of a commitment is of what it takes the cost off."""
    description = f"lower(coalesce({names.text('sku.description')}, ''))"
    is_discount = f"({IS_CREDIT} and _piece.type in ({', '.join(map(literal, LEGACY_CREDITS))}))"
    return (
        f"case when {is_committed} or {IS_DISCOUNTED} or {is_discount} then 'committed_use' "
        f"when not {is_usage} then null "
        f"when regexp_matches({description}, {_SPOT}) then 'spot' "
        f"when contains({description}, 'dws calendar') then 'capacity_block' "
        f"when contains({description}, 'provisioned throughput') then 'provisioned' "
        f"when {names.text('service.description')} = 'Compute Engine' "
        f"and regexp_matches({description}, {_MACHINE_PARTS}) then 'on_demand' end"
    )


def _basis(names: Names) -> str:
    """What a commitment is to: use a quantity, or spend an amount. A covered piece brings its fee's description."""
    laid = _RESOURCE.format("_piece.type")
    by_resource = f"case when {IS_COVERED_PIECE} then {laid} else {is_resource_based(names)} end"
    return f"case when {by_resource} then 'Usage' else 'Spend' end"


def is_resource_based(names: Names) -> str:
    """Whether a commitment's line is of one by resource, which is to use a quantity; others are to spend an amount."""
    return _RESOURCE.format(names.text("sku.description"))
