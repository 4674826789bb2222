"""What a line of the export must keep to be staged, and what is told of the others."""

from connectors.base import Window
from connectors.bills import Names, Rule, literal
from connectors.bills.rules import delivered_name, has_instants, has_number, has_value, in_currency
from connectors.gcp.bill_settings import GcpBillSettings
from connectors.gcp.capacity import is_resource_based
from connectors.gcp.columns import new
from connectors.gcp.pieces import IS_LINE

COST_TYPES = ("regular", "tax", "adjustment", "rounding_error")


def rules(names: Names, settings: GcpBillSettings, window: Window) -> tuple[Rule, ...]:
    """What a line must keep to be staged; a line that does not is refused with all its pieces."""
    month, kind = names.text("invoice.month"), names.text("cost_type")
    known = ", ".join(map(literal, COST_TYPES))
    column = delivered_name(names, "credits")
    bad_credit = "len(list_filter(_credits, lambda credit: try_cast(credit.amount as decimal(38, 12)) is null)) > 0"
    return (
        *has_number(names, "cost"),
        *in_currency(names, settings.currency, "currency"),
        has_value(names, "invoice.month"),
        Rule(
            "wrong_period",
            delivered_name(names, "invoice.month"),
            f"{month} <> '{window.start:%Y%m}'",
            f"{window.start:%Y%m}",
        ),
        has_value(names, "cost_type"),
        Rule("unknown_cost_type", delivered_name(names, "cost_type"), f"{kind} not in ({known})", f"one of {known}"),
        *has_instants(delivered_name(names, "usage_start_time"), names.instant("usage_start_time")),
        *has_instants(delivered_name(names, "usage_end_time"), names.instant("usage_end_time")),
        Rule("unreadable_credits", column, "_credits_unreadable", "a list of credits"),
        Rule("unreadable_number", column, bad_credit, "an amount on every credit"),
    )


def notices(names: Names) -> dict[str, str]:
    """What is told about lines that are staged."""
    told = {
        f"lines have the column {column.name!r}, which no description of the export knows: kept in x_extra": (
            f"({IS_LINE} and {column.sql} is not null)"
        )
        for column in new(names)
    }
    told["lines have a cost with more than 12 decimal places, which was rounded"] = (
        f"({IS_LINE} and {names.too_precise('cost')})"
    )
    told["fees of commitments cannot be told into used and unused: they stay one charge"] = (
        f"({IS_LINE} and _is_fee and not (_unused is not null))"
    )
    told["fees of commitments by spend: the bill does not say when their term begins and ends"] = (
        f"({IS_LINE} and _is_fee and not {is_resource_based(names)})"
    )
    for column in ("cost_at_list", "usage.amount", "usage.amount_in_pricing_units"):
        told[f"lines have a {column} that is no number: left empty"] = f"({IS_LINE} and {names.unreadable(column)})"
    return told
