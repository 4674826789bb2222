"""One price of AWS's price list as a row of `sku_prices`: on demand, reserved, and for tokens of Amazon Bedrock.

An entry of the list is a product with offer terms; a term has dimensions with a price each. On demand every dimension
is a price; a reservation has one for its start (unit `Quantity`) and one for every hour (`Hrs`).

Here belongs: entries of the price list. Here does not belong: rates of savings plans (`rate_rows`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.aws.answers import AnswerPage
from connectors.aws.bedrock import BedrockMeter, read_usage_type
from connectors.aws.bedrock_models import model_id
from connectors.aws.delivery import Record
from connectors.aws.values import instant, needed_amount, needed_text, payment_option
from connectors.exact import exact_json
from connectors.fields import RowError, count, shown, text
from connectors.gathered import StagedRow, extra_json

Attributes = Mapping[str, Any]
Json = dict[str, Any]

UNITS = {"Hrs": "Hours"}
"""Units that bills call otherwise."""

_IN_COLUMNS = frozenset({"instanceType", "gpu", "regionCode"})
_YEARS = re.compile(r"([1-9]) ?yr")
_MONTHS = re.compile(r"(\d+) ?months?", re.IGNORECASE)


@dataclass(frozen=True)
class _Price:
    """A price as it stands in the list: its product, its term, and the one dimension of it (None: all of the term)."""

    product: Json
    term: Json
    dimension: Json | None = None

    @property
    def found(self) -> Json:
        """What is shown where it is refused, and compared where it is repeated."""
        return {"product": self.product, "term": self.term, "dimension": self.dimension}


@dataclass
class PriceReading:
    """Reads entries, and counts what is kept out: prices of nothing stand where AWS sells nothing yet."""

    left_out: Counter[str] = field(default_factory=Counter[str])

    def records(self, page: AnswerPage) -> Iterator[Record]:
        """Every price of a page, placeholders left out."""
        for entry in page.records:
            try:
                prices = list(_prices(entry))
            except RowError as error:
                yield entry, partial(_raise, error)
                continue
            for price in prices:
                if price.product["attributes"].get("marketoption") == "CapacityBlock":
                    self.left_out["prices of capacity blocks, which are bought by offers of their own"] += 1
                elif _is_placeholder(price):
                    self.left_out["prices of 0, which stand where AWS sells nothing"] += 1
                else:
                    yield price.found, partial(_staged, price)

    def remarks(self) -> Iterator[str]:
        """What was left out, and how often."""
        yield from (f"{times:,} {words} were left out" for words, times in sorted(self.left_out.items()))


def _prices(entry: object) -> Iterator[_Price]:
    """Prices of an entry, which is JSON within JSON. Raises RowError when it is no product with terms."""
    try:
        found = exact_json(entry.encode()) if isinstance(entry, str) else entry
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("product"), dict) or not found["product"].get("sku"):
        raise RowError("unreadable_entry", f"an entry is {shown(entry)}; JSON of a product was expected")
    product, terms = found["product"], found.get("terms") or {}
    if not isinstance(product.get("attributes"), dict):
        raise RowError("unreadable_entry", f"product {shown(product['sku'])} has no attributes")
    product = {"serviceCode": found.get("serviceCode"), **product}
    for term in (terms.get("OnDemand") or {}).values():
        for dimension in _dimensions(term):
            yield _Price(product, term, dimension)
    for term in (terms.get("Reserved") or {}).values():
        yield _Price(product, term)


def _dimensions(term: Json) -> list[Json]:
    return list((term.get("priceDimensions") or {}).values())


def _is_placeholder(price: _Price) -> bool:
    """Whether nothing of it costs anything, and it is no reservation that is told in part."""
    dimensions = _dimensions(price.term) if price.dimension is None else [price.dimension]
    try:
        return bool(dimensions) and all(_amount(dimension)[1] == 0 for dimension in dimensions)
    except RowError:
        return False


def _staged(price: _Price) -> StagedRow:
    """The price as a row. Raises RowError where it cannot be read."""
    attributes: Attributes = price.product["attributes"]
    row = {
        "provider_name": "AWS",
        "service_name": text(attributes, "servicecode") or needed_text(price.product, "serviceCode"),
        "sku_id": needed_text(price.product, "sku"),
        "region_id": text(attributes, "regionCode"),
        "instance_type": text(attributes, "instanceType"),
        "gpu_count": count({"gpu": _number(attributes.get("gpu"))}, "gpu"),
        "valid_from": instant(price.term, "effectiveDate"),
        "x_extra": _extra(price),
        **(_reserved(price.term) if price.dimension is None else _on_demand(attributes, price.dimension)),
    }
    return StagedRow(row, [row["sku_price_id"], row["sku_id"], row["quantity_from"], row["currency"]])


def _on_demand(attributes: Attributes, dimension: Json) -> Json:
    currency, unit_price = _amount(dimension)
    unit = needed_text(dimension, "unit")
    return {
        "sku_price_id": text(dimension, "rateCode"),
        "sku_description": text(dimension, "description"),
        "purchase_option": "on_demand",
        "quantity_from": needed_amount({"beginRange": "0", **dimension}, "beginRange"),
        "pricing_unit": UNITS.get(unit, unit),
        "unit_price": unit_price,
        "currency": currency,
        **_tokens(attributes),
    }


def _reserved(term: Json) -> Json:
    told = term.get("termAttributes") or {}
    payment = payment_option(told, "PurchaseOption")
    by_unit = {needed_text(dimension, "unit"): dimension for dimension in _dimensions(term)}
    hourly, start = by_unit.get("Hrs"), by_unit.get("Quantity")
    if hourly is None or (start is None and payment != "no_upfront"):
        raise RowError("missing_price", f"{payment} has prices of {', '.join(sorted(by_unit)) or 'nothing'} only")
    currency, unit_price = _amount(hourly)
    start_currency, upfront = _amount(start) if start is not None else (currency, Decimal(0))
    if start_currency != currency:
        raise RowError("two_currencies", f"the start is in {start_currency}, every hour in {currency}", "pricePerUnit")
    years = _YEARS.fullmatch(needed_text(told, "LeaseContractLength"))
    if years is None:
        raise RowError(
            "unknown_term", f"LeaseContractLength is {shown(told['LeaseContractLength'])}; expected 1yr, 3yr"
        )
    return {
        "sku_price_id": f"{needed_text(term, 'sku')}.{needed_text(term, 'offerTermCode')}",
        "sku_description": text(hourly, "description"),
        "purchase_option": "reserved",
        "term_months": 12 * int(years[1]),
        "payment_option": payment,
        "quantity_from": Decimal(0),
        "pricing_unit": "Hours",
        "unit_price": unit_price,
        "upfront_price": upfront,
        "currency": currency,
    }


def _tokens(attributes: Attributes) -> Json:
    """What a price of Amazon Bedrock's is of; nothing for machines, images, training and the like."""
    usage_type = str(attributes.get("usagetype") or "")
    if not str(attributes.get("servicecode") or "").startswith("AmazonBedrock"):
        return {}
    meter = read_usage_type(usage_type)
    if meter is None:
        return {}
    months = _MONTHS.search(usage_type.replace("_", " "))
    is_reserved = meter.service_tier == "provisioned"
    return {
        "purchase_option": "provisioned" if is_reserved else "on_demand",
        "term_months": int(months[1]) if months and is_reserved else None,
        "x_model_id": _model(meter, attributes),
        "x_token_class": meter.token_class,
        "x_service_tier": meter.price_tier,
    }


def _model(meter: BedrockMeter, attributes: Attributes) -> str | None:
    """The model: of the usage type, or of the product that the marketplace's usage types leave it to."""
    product = text(attributes, "model") or text(attributes, "servicename")
    return meter.model_id or (model_id(product, meter.routing) if product else None)


def _amount(dimension: Json) -> tuple[str, Decimal]:
    """Currency and price. Raises RowError unless there is exactly one."""
    prices = dimension.get("pricePerUnit")
    if not isinstance(prices, dict) or len(prices) != 1:
        raise RowError(
            "unreadable_price", f"pricePerUnit is {shown(prices)}; one currency was expected", "pricePerUnit"
        )
    (currency,) = prices
    amount = needed_amount(prices, currency)
    if amount < 0:
        raise RowError("bad_price", f"the price is {amount} {currency}; a list price is never negative", "pricePerUnit")
    return currency, amount


def _extra(price: _Price) -> str | None:
    kept = {name: value for name, value in price.product["attributes"].items() if name not in _IN_COLUMNS}
    return extra_json({**kept, **(price.term.get("termAttributes") or {})})


def _number(said: object) -> object:
    return int(said) if isinstance(said, str) and said.isdigit() else None if said == "NA" else said


def _raise(error: RowError) -> StagedRow:
    raise error
