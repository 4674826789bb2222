"""Language models on a Cost and Usage Report: which one a line bills, which class of tokens, how many."""

from collections.abc import Mapping

from connectors.aws.bedrock import read_usage_type
from connectors.aws.bedrock_models import model_id
from connectors.aws.bill_costs import COVERED, DISCOUNTED, Line
from connectors.aws.bill_product import product_attribute
from connectors.bills import Lookup

_FILLED = ("x_model_id", "x_token_class", "x_service_tier")
_SEPARATOR = "\x1f"
_NOT_TOKENS = "cast(null as decimal(10, 0))"


def models_lookup(line: Line) -> tuple[Mapping[str, str], Lookup]:
    """The helper's SQL, usage type and product of a model's line, and the look-up that reads them."""
    product = product_attribute(line.names, "product_name", "product/ProductName")
    text = f"case when {line.is_model} then concat_ws('{_SEPARATOR}', {line.usage_type}, {product}) end"
    return {"x_model_text": text}, Lookup("x_model_text", _FILLED, _read_model)


def consumption(line: Line) -> Mapping[str, str]:
    """What was used: tokens where the line bills a model's, whatever thousands or millions it was priced by."""
    names = line.names
    amount, unit = names.decimal("lineItem/UsageAmount"), names.text("pricing/unit")
    used = f"{line.kind} in ('Usage', '{COVERED}', '{DISCOUNTED}')"
    factor = _tokens_per_unit(line)
    tokens = f"try_cast(cast({amount} as decimal(31, 12)) * cast({factor} as decimal(7, 0)) as decimal(38, 12))"
    # a split line has no price, but its meter names the unit: USE1-EKS-EC2-Accelerator-Hours
    split_unit = f"regexp_extract({line.usage_type}, '([A-Za-z]+-Hours)$', 1)"
    return {
        "consumed_quantity": f"case when {used} then case when {factor} is null then {amount} else {tokens} end end",
        "consumed_unit": f"case when {used} then case when {factor} is not null then 'Tokens' "
        f"when {line.is_split} then nullif({split_unit}, '') else {unit} end end",
    }


def _tokens_per_unit(line: Line) -> str:
    """Tokens in a pricing unit; NULL for a line that bills no tokens. As `bedrock.tokens_per_unit` reads units.

    The marketplace prices by `Units`, and says in the description what one is: `...|Million Input Tokens`.
    """
    names = line.names
    unit = f"lower(trim({names.text('pricing/unit')}))"
    words = f"lower({names.text('lineItem/LineItemDescription')})"
    return (
        f"case when not {line.is_model} then {_NOT_TOKENS} "
        f"when {unit} in ('1m tokens', '1m token', '1000000 tokens', '1,000,000 tokens') then 1000000 "
        f"when {unit} in ('1k tokens', '1k token', '1000 tokens', '1,000 tokens') then 1000 "
        f"when {unit} in ('tokens', 'token', '1 token', '1 tokens') then 1 "
        f"when {unit} in ('units', 'unit') and regexp_matches({words}, 'million [a-z0-9 ]*tokens') then 1000000 "
        f"when {unit} in ('units', 'unit') and regexp_matches({words}, 'thousand [a-z0-9 ]*tokens') then 1000 end"
    )


def _read_model(text: str) -> tuple[str | None, str | None, str | None]:
    """Model, token class and tier; a model whose meter is no meter of tokens keeps its name alone."""
    usage_type, _, product = text.partition(_SEPARATOR)
    meter = read_usage_type(usage_type)
    if meter is None:
        return None, None, None
    name = meter.model_id or (model_id(product, meter.routing) if product else None)
    return name, meter.token_class, meter.service_tier
