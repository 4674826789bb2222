"""How the lines of Azure's actual and amortized bills become charges, whatever agreement they come from.

Here belongs: which column of `charges` says what. Here does not belong: FOCUS exports (`connectors.focus` reads them),
and which of two views a cost is taken from (`views`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.azure import columns as c
from connectors.azure import words
from connectors.azure.bill_settings import AzureBillSettings
from connectors.azure.machines import FILLED, SEPARATOR, read_machine
from connectors.azure.money import prices
from connectors.azure.openai_meters import SCOPES, SERVICES, SHARED_SERVICE, read_meter
from connectors.azure.units import factor_sql, pricing_unit, read_unit
from connectors.base import Window
from connectors.bills import Lookup, Names, Rule, Shape, json_object, literal
from connectors.bills.rules import has_number, in_currency
from connectors.focus.values import read_tag_set

PROVIDER = "Microsoft"
_SLASHED = r"^\d{1,2}/\d{1,2}/\d{4}"
_ISO_DAY = r"^\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True)
class Costs:
    """Which costs a line carries: SQL of its billed and effective cost.

    `dropped`: lines that another view delivers; `notices`: what to tell of others.
    """

    billed: str
    effective: str
    dropped: str = "false"
    notices: Mapping[str, str] | None = None


def instant(names: Names, *aliases: str) -> str:
    """A day as Azure writes it: month first with slashes, or ISO 8601. NULL where unreadable."""
    found = names.find(*aliases)
    if found is None or found.kind != "text":
        return names.instant(*aliases)
    text = names.text(*aliases)
    slashed = f"try_strptime(regexp_extract({text}, '{_SLASHED}'), '%m/%d/%Y')"
    return f"case when regexp_matches({text}, '{_SLASHED}') then {slashed} else {names.instant(*aliases)} end"


def spelling(names: Names, pattern_is_iso: bool) -> str:
    """Whether the line's day is written in ISO 8601, or with slashes."""
    found = names.find(*c.DATE)
    if found is None or found.kind != "text":
        return "false"
    return f"coalesce(regexp_matches({names.text(*c.DATE)}, '{_ISO_DAY if pattern_is_iso else _SLASHED}'), false)"


def shape_lines(names: Names, window: Window, settings: AzureBillSettings, costs: Costs, commitment: str) -> Shape:
    """The shape of one file. `commitment`: SQL of the id of the commitment that a line is of.

    Raises IncompleteDeliveryError for a file without a column that money hangs on.
    """
    for required in (c.COST, c.CURRENCY, c.DATE):
        names.require(*required)
    day = f"date_trunc('day', {instant(names, *c.DATE)})"
    values = {
        **_whose(names, settings.account),
        **_when(window, day),
        **_what(names),
        **_how_much(names),
        **words.commitment_values(names, day, costs.billed),
        **prices(names),
        "commitment_discount_id": commitment,
        "billed_cost": costs.billed,
        "effective_cost": costs.effective,
    }
    return Shape(
        values,
        cost=costs.billed,
        rules=_rules(names, window, settings.currency, day),
        lookups=_lookups(),
        notices={**(costs.notices or {}), **_notices(names)},
        elsewhere=costs.dropped,
    )


def is_model_line(names: Names) -> str:
    """Whether the line bills a model service."""
    category, listed = f"lower({names.text(*c.CATEGORY)})", ", ".join(map(literal, sorted(SERVICES)))
    family = f"lower(concat_ws(' ', {names.text(*c.SUBCATEGORY)}, {names.text(*c.PRODUCT)}))"
    shared = f"({category} = {literal(SHARED_SERVICE)} and {family} like '%openai%')"
    return f"coalesce({category} in ({listed}) or {shared}, false)"


def is_provisioned(names: Names) -> str:
    """Whether the line bills throughput units that are deployed, used or not."""
    meter = f"lower(concat_ws(' ', {names.text(*c.METER)}, {names.text(*c.PRODUCT)}))"
    return f"({is_model_line(names)} and regexp_matches({meter}, '\\b(provisioned|ptu)\\b'))"


def _whose(names: Names, account: str) -> dict[str, str]:
    subscription = names.text(*c.SUBSCRIPTION)
    return {
        "billing_account_id": f"coalesce({names.text(*c.ACCOUNT)}, {subscription}, {literal(account)})",
        "billing_account_name": names.text(*c.ACCOUNT_NAME),
        "sub_account_id": f"lower({subscription})",
        "sub_account_name": names.text(*c.SUBSCRIPTION_NAME),
        "billing_currency": names.text(*c.CURRENCY),
        "provider_name": literal(PROVIDER),
        "invoice_issuer_name": literal(PROVIDER),
        "invoice_id": names.text(*c.INVOICE),
    }


def _when(window: Window, day: str) -> dict[str, str]:
    return {
        "billing_period_start": f"timestamp '{window.start}'",
        "billing_period_end": f"timestamp '{window.end}'",
        "charge_period_start": day,
        "charge_period_end": f"{day} + interval 1 day",
    }


def _what(names: Names) -> dict[str, str]:
    meter, product = names.text(*c.METER), names.text(*c.PRODUCT)
    model_line = is_model_line(names)
    service = (c.CATEGORY, c.CONSUMED_SERVICE, c.PRODUCT, c.PUBLISHER)
    machine = [f"coalesce({names.text(*aliases)}, '')" for aliases in (c.RESOURCE, c.RESOURCE_NAME, c.MORE)]
    return {
        "charge_category": words.category(names),
        "charge_class": f"case when {words.charge_type(names)} = 'refund' then 'Correction' end",
        "charge_description": f"coalesce({product}, {meter})",
        "charge_frequency": words.frequency(names),
        "x_charge_type": names.text(*c.CHARGE_TYPE),
        "x_purchase_option": words.purchase_option(names, is_provisioned(names)),
        "service_category": names.text(*c.FAMILY),
        "service_name": f"coalesce({', '.join(names.text(*aliases) for aliases in service)})",
        "sku_id": names.text(*c.METER_ID),
        "sku_meter": meter,
        "region_id": f"nullif(replace(lower({names.text(*c.REGION)}), ' ', ''), '')",
        "availability_zone": names.text(*c.ZONE),
        "_machine": f"concat_ws({literal(SEPARATOR)}, {', '.join(machine)})",
        "_tags": names.text(*c.TAGS),
        "_meter": f"case when {model_line} then concat_ws({literal(SEPARATOR)}, coalesce({meter}, ''), "
        f"{names.text(*c.SUBCATEGORY)}, {product}) end",
        "x_extra": json_object(_extras(names)),
    }


def _how_much(names: Names) -> dict[str, str]:
    quantity, measure = names.decimal(*c.QUANTITY), names.text(*c.MEASURE)
    is_used = f"({words.category(names)} = 'Usage' and not ({words.is_unused(names)}) and {quantity} is not null)"
    consumed = f"try_cast({quantity} * {factor_sql(measure)} as decimal(38, 12))"
    bare = f"case when {is_model_line(names)} then 'Tokens' else 'Units' end"
    unit = f"concat_ws({literal(SEPARATOR)}, {bare}, {measure})"
    return {
        "consumed_quantity": f"case when {is_used} and {measure} is not null then {consumed} end",
        "_consumed": f"case when {is_used} and {measure} is not null then {unit} end",
        "pricing_quantity": quantity,
        "_priced": f"case when {quantity} is not null and {measure} is not null then {unit} end",
    }


def _lookups() -> tuple[Lookup, ...]:
    return (
        Lookup("_machine", FILLED, read_machine),
        Lookup("_tags", ("tags",), lambda text: (read_tag_set(text),)),
        Lookup("_meter", ("x_model_id", "x_token_class", "x_service_tier"), _read_meter),
        Lookup("_consumed", ("consumed_unit",), lambda text: (read_unit(*_measure(text))[1],)),
        Lookup("_priced", ("pricing_unit",), lambda text: (pricing_unit(*_measure(text)),)),
    )


def _measure(text: str) -> tuple[str, str]:
    bare, _, measure = text.partition(SEPARATOR)
    return measure, bare


def _read_meter(text: str) -> tuple[str | None, ...]:
    name, _, product = text.partition(SEPARATOR)
    found = read_meter(name, product)
    return found.model, found.token_class, found.tier


def _extras(names: Names) -> dict[str, str]:
    """What no column takes, as it came; and the reach of a model's deployment, which only the meter's name tells."""
    extras = {given.name: f"nullif(cast({given.sql} as varchar), '')" for given in c.untaken(names)}
    meter = f"replace(lower({names.text(*c.METER)}), 'data zone', 'datazone')"
    cases = " ".join(
        f"when regexp_matches({meter}, '\\b({'|'.join(found)})\\b') then {literal(scope)}"
        for scope, found in SCOPES.items()
    )
    extras["x_deployment_scope"] = f"case when not {is_model_line(names)} then null {cases} end"
    return extras


def _rules(names: Names, window: Window, currency: str, day: str) -> tuple[Rule, ...]:
    start, end = instant(names, *c.PERIOD_START), instant(names, *c.PERIOD_END)
    elsewhere = f"({start} >= timestamp '{window.end}' or {end} < timestamp '{window.start}')"
    if not (names.has(*c.PERIOD_START) and names.has(*c.PERIOD_END)):
        elsewhere = f"({day} < timestamp '{window.start}' or {day} >= timestamp '{window.end}')"
    period = names.find(*c.PERIOD_START, *c.DATE)
    return (
        *has_number(names, *c.COST),
        *in_currency(names, currency, *c.CURRENCY),
        Rule(
            "unreadable_time",
            _called(names, c.DATE),
            f"({day} is null or year({day}) not between 2000 and 2099)",
            "a day such as 09/30/2026 (month first) or 2026-09-30",
        ),
        Rule(
            "wrong_period",
            period.name if period else c.DATE[0],
            f"coalesce({elsewhere}, false)",
            f"a billing period that reaches into {window.start:%Y-%m}",
        ),
        Rule("unreadable_number", _called(names, c.QUANTITY), names.unreadable(*c.QUANTITY), "a decimal number"),
        Rule(
            "unknown_charge_type",
            _called(names, c.CHARGE_TYPE),
            f"{words.category(names)} is null",
            words.CHARGE_TYPES,
        ),
    )


def _notices(names: Names) -> dict[str, str]:
    told = {"costs with more than 12 decimal places, rounded": names.too_precise(*c.COST)}
    told |= {f"lines with the column {name!r}, which is new: kept in x_extra": "true" for name in c.unknown(names)}
    return told


def _called(names: Names, aliases: tuple[str, ...]) -> str:
    found = names.find(*aliases)
    return found.name if found else aliases[0]
