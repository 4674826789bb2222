"""How the export's lines become `charges`, as SQL over the pieces that `pieces` makes of them."""

from collections.abc import Callable
from datetime import datetime

from connectors.base import Window
from connectors.bills import Lookup, Names, Shape, literal
from connectors.gcp.bill_rules import notices, rules
from connectors.gcp.bill_settings import GcpBillSettings
from connectors.gcp.capacity import capacity
from connectors.gcp.commitments import OFFSET
from connectors.gcp.extra import extra
from connectors.gcp.labels import read_labels
from connectors.gcp.pieces import CREDIT_AMOUNT, IS_COVERED_PIECE, IS_CREDIT, IS_LINE, IS_USE, part, system_label
from connectors.windows import month_window

PROVIDER = "Google Cloud"
SEPARATOR = "\x1f"  # between the parts of a helper's text, where none is left
_REQUIRED = (
    "billing_account_id",
    "invoice.month",
    "cost_type",
    "service.description",
    "usage_start_time",
    "usage_end_time",
    "cost",
    "currency",
    "credits",
)
ModelReader = Callable[[str], tuple[str | None, ...]]


def require_columns(names: Names) -> None:
    """Raises IncompleteDeliveryError for a file that lacks a column without which money would be wrong."""
    for name in _REQUIRED:
        names.require(name)


def shape(names: Names, settings: GcpBillSettings, window: Window, model: ModelReader) -> Shape:
    """The shape of one file's pieces. `model` reads what a line of a generative service bills."""
    amount = (
        "case _piece.kind when 'line' then case when _discounted < _cost then _cost - _discounted else _cost end "
        f"when 'discounted' then _discounted when 'credit' then {CREDIT_AMOUNT} else 0 end"
    )
    values = {
        **_parties(names),
        **_periods(names, window),
        **_kinds(names, window),
        **_costs(names, amount),
        **_quantities(names),
        "consumed_quantity": f"case when {_has_quantity(names)} then {part(names.decimal('usage.amount'))} end",
        **_things(names),
        **capacity(names),
        "x_extra": extra(names),
        "_labels": _labels(names),
        "_model": _model_text(names),
    }
    return Shape(
        values=values,
        cost=amount,
        rules=rules(names, settings, window),
        lookups=(
            Lookup("_labels", ("tags",), read_labels),
            Lookup("_model", ("x_model_id", "x_token_class", "x_service_tier", "consumed_unit"), model),
        ),
        notices=notices(names),
        elsewhere=f"{names.text('invoice.month')} <> '{window.start:%Y%m}'" if settings.layout == "any" else "false",
    )


def billing_period(window: Window) -> tuple[datetime, datetime]:
    """The invoice month's first instant and the first after it: midnight in California, in UTC."""
    following = month_window(window.end.date())
    return _pacific_midnight(window.start), _pacific_midnight(following.start)


def _pacific_midnight(first: datetime) -> datetime:
    """Of a month's first day; daylight saving begins and ends on a Sunday after the first, but for 1 November."""
    return first.replace(hour=7 if 4 <= first.month <= 11 else 8)


def _parties(names: Names) -> dict[str, str]:
    return {
        "billing_account_id": names.text("billing_account_id"),
        "sub_account_id": names.text("project.id"),
        "sub_account_name": names.text("project.name"),
        "billing_currency": names.text("currency"),
        "provider_name": literal(PROVIDER),
        "invoice_issuer_name": literal(PROVIDER),
    }


def _periods(names: Names, window: Window) -> dict[str, str]:
    start, end = billing_period(window)
    return {
        "billing_period_start": f"timestamp '{start}'",
        "billing_period_end": f"timestamp '{end}'",
        "charge_period_start": names.instant("usage_start_time"),
        "charge_period_end": names.instant("usage_end_time"),
    }


def _kinds(names: Names, window: Window) -> dict[str, str]:
    kind, adjustment = names.text("cost_type"), names.text("adjustment_info.type")
    is_adjusted = f"({kind} = 'adjustment' or {adjustment} is not null)"
    is_late = f"{names.instant('usage_start_time')} < timestamp '{billing_period(window)[0]}'"
    return {
        "charge_category": (
            f"case when {IS_CREDIT} then 'Credit' when {kind} = 'tax' then 'Tax' when {kind} <> 'regular' then "
            f"'Adjustment' when {IS_LINE} and _is_fee then 'Purchase' else 'Usage' end"
        ),
        "charge_class": f"case when {is_adjusted} and {is_late} then 'Correction' end",
        "charge_frequency": (
            f"case when {IS_CREDIT} or {kind} <> 'regular' then null when {IS_LINE} and _is_fee then 'Recurring' "
            "else 'Usage-Based' end"
        ),
        "charge_description": (
            f"case when {IS_CREDIT} then coalesce(_piece.full_name, _piece.name) else "
            f"coalesce({names.text('adjustment_info.description')}, {names.text('sku.description')}) end"
        ),
        "x_charge_type": f"case when {IS_CREDIT} then _piece.type else coalesce({adjustment}, {kind}) end",
    }


def _costs(names: Names, amount: str) -> dict[str, str]:
    at_list, contracted = names.decimal("cost_at_list"), names.decimal("cost_at_effective_price_default")
    return {
        "billed_cost": amount,
        "effective_cost": (
            f"case when _piece.kind = 'used' then _rest when _piece.kind = 'unused' then _unused "
            f"when {IS_COVERED_PIECE} then {CREDIT_AMOUNT} when {IS_LINE} and _unused is not null then 0 "
            f"when {IS_CREDIT} and _piece.type = '{OFFSET}' then 0 else {amount} end"
        ),
        # what a commitment's used part bought has its list cost on the lines of the use itself
        "list_cost": f"case when _piece.kind in ('used', 'covered') then 0 else {part(at_list)} end",
        "contracted_cost": part(f"coalesce({contracted}, case when not _is_covered then _cost end)"),
        "x_commitment_cost": f"case when {IS_LINE} and _is_fee then _cost end",
    }


def _quantities(names: Names) -> dict[str, str]:
    per_unit = f"coalesce({names.decimal('price.pricing_unit_quantity')}, 1) = 1"
    contracted = f"coalesce({names.decimal('price.effective_price_default')}, {names.decimal('price.effective_price')})"
    regular_line = f"{IS_USE} and {names.text('cost_type')} = 'regular'"
    return {
        "pricing_quantity": f"case when {regular_line} then {part(names.decimal('usage.amount_in_pricing_units'))} end",
        "pricing_unit": f"case when {regular_line} then {names.text('usage.pricing_unit')} end",
        "list_unit_price": f"case when {regular_line} and {per_unit} then {names.decimal('price.list_price')} end",
        "contracted_unit_price": f"case when {regular_line} and {per_unit} then {contracted} end",
    }


def _things(names: Names) -> dict[str, str]:
    is_tax = f"{names.text('cost_type')} = 'tax'"
    return {
        "service_name": names.text("service.description"),
        "sku_id": f"case when not {is_tax} then {names.text('sku.id')} end",
        "sku_meter": f"case when not {is_tax} then {names.text('sku.description')} end",
        "region_id": names.text("location.region"),
        "availability_zone": names.text("location.zone"),
        "resource_id": f"coalesce({names.text('resource.global_name')}, {names.text('resource.name')})",
        "resource_name": names.text("resource.name"),
        "x_instance_type": system_label("machine_spec"),
    }


def _labels(names: Names) -> str:
    found = names.find("labels")
    if found is None:
        return "cast(null as varchar)"
    return f"cast(to_json({found.sql}) as varchar)" if found.kind == "list" else names.text("labels")


def _model_text(names: Names) -> str:
    """Service, description, unit, and whether the piece has a quantity in it: what a model's line is read from."""
    parts = [names.text(name) for name in ("service.description", "sku.description", "usage.unit")]
    texts = [
        *(f"replace(coalesce({part}, ''), chr(31), ' ')" for part in parts),
        f"case when {_has_quantity(names)} then '1' else '' end",
    ]
    return f"concat({', chr(31), '.join(texts)})"


def _has_quantity(names: Names) -> str:
    return f"({IS_USE} and {names.text('cost_type')} = 'regular' and not _is_fee)"
