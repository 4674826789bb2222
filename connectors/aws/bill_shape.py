"""How the lines of a Cost and Usage Report become charges: CUR 2.0 and the legacy report, CSV and Parquet alike.

The two spell one set of columns: `lineItem/UnblendedCost` is `line_item_unblended_cost`.
"""

from collections.abc import Callable, Mapping

from connectors.aws.bill_capacity import capacity_of, untold_status
from connectors.aws.bill_columns import unknown_columns
from connectors.aws.bill_commitments import commitments_of, purchase_option
from connectors.aws.bill_costs import (
    COVERED,
    DISCOUNTED,
    FEE,
    NEGATION,
    RECURRING_FEE,
    RI_FEE,
    UPFRONT_FEE,
    Line,
    costs_of,
    has_net_zero,
    has_unknown_upfront,
    in_doubt,
    is_reduced_plan,
    is_unamortised,
    steps_of,
)
from connectors.aws.bill_labels import cost_categories, tags_lookup, unreadable_tags
from connectors.aws.bill_models import consumption, models_lookup
from connectors.aws.bill_people import names_people
from connectors.aws.bill_product import service_name, unreadable_product
from connectors.aws.bill_settings import AwsBillSettings
from connectors.aws.net_costs import NetCosts
from connectors.base import Window
from connectors.bills import Names, Rule, Shape, json_object
from connectors.bills.names import Given, instant_of
from connectors.bills.rules import delivered_name, has_instants, in_currency, in_month

_COST, _START, _END = "lineItem/UnblendedCost", "lineItem/UsageStartDate", "lineItem/UsageEndDate"
_MONTH_START, _MONTH_END = "bill/BillingPeriodStartDate", "bill/BillingPeriodEndDate"
_REQUIRED = (_COST, _START, _END, _MONTH_START, "lineItem/LineItemType", "lineItem/CurrencyCode", "bill/PayerAccountId")
_ID = "identity/LineItemId"
_TELLING = (
    *("identity/TimeInterval", "lineItem/LineItemType", "lineItem/UsageType", "lineItem/UsageAmount", _COST),
    *("lineItem/ResourceId", "splitLineItem/ParentResourceId", "lineItem/LineItemDescription"),
)
_CATEGORIES = {
    "Usage": ("Usage", COVERED, DISCOUNTED, NEGATION),
    "Purchase": (RECURRING_FEE, UPFRONT_FEE, RI_FEE, FEE, "FlatRateSubscription"),
    "Tax": ("Tax",),
    "Credit": ("Credit",),
}
_FREQUENCIES = {
    "Usage-Based": _CATEGORIES["Usage"],
    "Recurring": (RECURRING_FEE, RI_FEE, "FlatRateSubscription"),
    "One-Time": (UPFRONT_FEE, FEE, "Credit", "Refund"),
}
_OPTIONAL_NUMBERS = ("pricing/publicOnDemandCost", "pricing/publicOnDemandRate", "lineItem/UsageAmount")


def report_shape(settings: AwsBillSettings, window: Window, net_costs: NetCosts) -> Callable[[Names], Shape]:
    """The shape of a file, once its columns are known. `net_costs` tells whether the delivery has them.

    Raises IncompleteDeliveryError for a file that lacks a column without which no line can be billed.
    """

    def shape(names: Names) -> Shape:
        for column in _REQUIRED:
            names.require(column)
        line = Line(names, net_costs.are_filled is True)
        tags, tags_found = tags_lookup(names)
        models, models_found = models_lookup(line)
        unknown = unknown_columns(names)
        kept = [given for given in unknown if not names_people(given.name)]
        return Shape(
            values={
                **_who_and_when(names),
                **_what(line),
                **costs_of(line),
                **commitments_of(line),
                **tags,
                **models,
                "x_extra": _extra(line, kept),
            },
            cost=line.billed_cost,
            key=_key(names),
            rules=_rules(settings, window, line),
            lookups=(tags_found, models_found),
            notices=_notices(line, unknown),
            steps=steps_of(line),
            doubt=in_doubt(line) if net_costs.are_filled is None else "false",
            settled=settled(names) if net_costs.are_filled is None else None,
        )

    def settled(names: Names) -> Callable[[], Shape]:
        def found() -> Shape:
            net_costs.find()
            return shape(names)

        return found

    return shape


def _key(names: Names) -> str | None:
    """What no two lines share: the line's id is unique in its interval. Of the legacy report only in each partition.

    So what the line is about, what it measures and what it costs are part of it as well.
    """
    if not names.has(_ID):
        return None
    told = [given.sql for column in (_ID, *_TELLING) if (given := names.find(column)) is not None]
    return f"case when {names.text(_ID)} is not null then hash({', '.join(told)}) end"


def _who_and_when(names: Names) -> Mapping[str, str]:
    start, end = names.instant(_START), names.instant(_END)
    interval = instant_of(f"split_part({names.text('identity/TimeInterval')}, '/', 2)")
    month, month_end = names.instant(_MONTH_START), names.instant(_MONTH_END)
    return {
        "billing_account_id": names.text("bill/PayerAccountId"),
        "billing_account_name": names.text("bill/PayerAccountName"),
        "sub_account_id": names.text("lineItem/UsageAccountId"),
        "sub_account_name": names.text("lineItem/UsageAccountName"),
        "billing_currency": names.text("lineItem/CurrencyCode"),
        "billing_period_start": month,
        "billing_period_end": f"coalesce({month_end}, {month} + interval 1 month)",
        "charge_period_start": start,
        # a fee of one instant has the interval that it was billed in
        "charge_period_end": f"case when {end} > {start} then {end} else coalesce({interval}, {end}) end",
        "provider_name": "'AWS'",
        "invoice_issuer_name": names.text("bill/InvoicingEntity"),
        "invoice_id": names.text("bill/InvoiceId"),
    }


def _what(line: Line) -> Mapping[str, str]:
    names, kind = line.names, line.kind
    amount, unit = names.decimal("lineItem/UsageAmount"), names.text("pricing/unit")
    return {
        "charge_category": _by_type(kind, _CATEGORIES, "'Adjustment'"),
        "charge_class": f"case when {kind} = 'Refund' or {names.text('bill/BillType')} = 'Refund' "
        "then 'Correction' end",
        "charge_description": names.text("lineItem/LineItemDescription"),
        "charge_frequency": _by_type(kind, _FREQUENCIES, "null"),
        **consumption(line),
        "pricing_quantity": f"case when {kind} <> 'Tax' and not {line.is_split} then {amount} end",
        "pricing_unit": f"case when {kind} <> 'Tax' and not {line.is_split} then {unit} end",
        "pricing_category": f"case when {kind} in ('{COVERED}', '{DISCOUNTED}') then 'Committed' "
        f"when {kind} <> 'Usage' or {line.is_split} then null when {line.usage_type} like '%SpotUsage%' then 'Dynamic' "
        "else 'Standard' end",
        "service_name": service_name(names),
        "sku_id": names.text("product/sku"),
        "sku_price_id": names.text("pricing/RateCode"),
        "sku_meter": line.usage_type,
        "region_id": f"coalesce({names.text('product/regionCode')}, {names.text('product/region')})",
        "availability_zone": names.text("lineItem/AvailabilityZone"),
        "resource_id": names.text("lineItem/ResourceId"),
        **capacity_of(line),
        "x_charge_type": kind,
        "x_purchase_option": purchase_option(line),
        "x_instance_type": f"case when not {line.is_split} then {line.instance_type} end",
        "x_split_parent_resource_id": names.text("splitLineItem/ParentResourceId"),
    }


def _by_type(kind: str, types: Mapping[str, tuple[str, ...]], otherwise: str) -> str:
    listed = {value: ", ".join(f"'{name}'" for name in members) for value, members in types.items()}
    cases = " ".join(f"when {kind} in ({names}) then '{value}'" for value, names in listed.items())
    return f"case {cases} else {otherwise} end"


def _extra(line: Line, unknown: list[Given]) -> str:
    names = line.names
    members = {given.name: given.sql for given in unknown}
    members["cost_category"] = cost_categories(names)
    split = {
        column: f"case when {line.is_split} then {names.text(f'splitLineItem/{column}')} end"
        for column in ("reservedUsage", "actualUsage", "splitUsage", "splitUsageRatio")
    }
    told = {"tax_type": names.text("lineItem/TaxType"), "capacity_reservation_status": untold_status(names)}
    odd = {
        "unreadable product": unreadable_product(names),
        **{f"unreadable {c}": f"case when {names.unreadable(c)} then {names.text(c)} end" for c in _OPTIONAL_NUMBERS},
        **{f"unreadable {c}": sql for c, sql in unreadable_tags(names).items()},
    }
    return json_object(members, split, told, odd, written=("cost_category",))


def _rules(settings: AwsBillSettings, window: Window, line: Line) -> tuple[Rule, ...]:
    names, cost = line.names, delivered_name(line.names, _COST)
    return (
        Rule("missing_value", cost, f"({line.billed_cost} is null and {names.text(_COST)} is null)", "a number"),
        Rule("unreadable_number", cost, names.unreadable(_COST), "a decimal number"),
        Rule(
            "split_line_with_cost",
            cost,
            f"({line.is_split} and {line.billed_cost} <> 0)",
            "no cost on a line that splits another line's cost",
        ),
        *in_currency(names, settings.currency, "lineItem/CurrencyCode"),
        *has_instants(delivered_name(names, _START), names.instant(_START)),
        *has_instants(delivered_name(names, _END), names.instant(_END)),
        in_month(delivered_name(names, _MONTH_START), names.instant(_MONTH_START), window),
    )


def _notices(line: Line, unknown: list[Given]) -> Mapping[str, str]:
    names = line.names
    told = {
        "lines of commitments state no amortised cost: their effective cost is their billed cost": is_unamortised(line),
        "fees of reservations leave out the month's upfront part: what was purchased is unknown": has_unknown_upfront(
            line
        ),
        "fees of savings plans were reduced as their plan's month is: they state no net commitment": is_reduced_plan(
            line
        ),
        "lines have a net cost of 0 beside a cost: "
        + (
            "billed as nothing, as other lines of the delivery have net costs"
            if line.net_is_filled
            else "billed at their cost, as no line of the delivery has a net cost"
        ): has_net_zero(line),
        "lines name their product in a text that is no JSON: left out, kept in x_extra": (
            f"{unreadable_product(names)} is not null"
        ),
        "billed costs with more than 12 decimal places were rounded": names.too_precise(_COST),
        "lines hold a list cost, rate or quantity that is no number: left out, kept in x_extra": " or ".join(
            names.unreadable(column) for column in _OPTIONAL_NUMBERS
        ),
    }
    if unread := unreadable_tags(names):
        broken = " or ".join(f"{sql} is not null" for sql in unread.values())
        told["lines hold tags that are no JSON: left out, kept in x_extra"] = broken
    kept = {given.name: not names_people(given.name) for given in unknown}
    for words, is_kept in (("kept in x_extra", True), ("left out as they name people", False)):
        if held := ", ".join(sorted(name for name in kept if kept[name] is is_kept)):
            told[f"lines come with columns that no report is documented to have, {words}: {held}"] = "true"
    return told
