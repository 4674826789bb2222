"""List and contracted prices of an Azure line, in the billing currency, as SQL.

A price of zero on a line says that none is stated: free lines and covered usage have it alike, so that it is unknown.
Products are exact to twelve places; where the numbers are beyond ten thousands of millions, the cost stays unknown.

Here belongs: prices and what they come to. Here does not belong: billed and effective cost.
"""

from connectors.azure import columns as c
from connectors.bills.names import Names

_PRICE, _QUANTITY = "decimal(18, 10)", "decimal(20, 12)"  # their product has 22 places and fits into 38 digits


def prices(names: Names) -> dict[str, str]:
    """List and contracted unit price and cost."""
    quantity = names.decimal(*c.QUANTITY)
    listed, agreed = _price(names, *c.LIST_PRICE), _price(names, *c.UNIT_PRICE)
    return {
        "list_unit_price": listed,
        "list_cost": _product(listed, quantity),
        "contracted_unit_price": agreed,
        "contracted_cost": _product(agreed, quantity),
    }


def _price(names: Names, *aliases: str) -> str:
    """The price in the billing currency: prices are stated in the pricing currency, with the rate beside them."""
    price = f"nullif({names.decimal(*aliases)}, 0)"
    if not (names.has(*c.PRICING_CURRENCY) and names.has(*c.EXCHANGE_RATE)):
        return price
    rate = f"try_cast({names.decimal(*c.EXCHANGE_RATE)} as {_QUANTITY})"
    exchanged = f"try_cast(try_cast({price} as {_PRICE}) * {rate} as decimal(38, 12))"
    return f"case when {names.text(*c.PRICING_CURRENCY)} = {names.text(*c.CURRENCY)} then {price} else {exchanged} end"


def _product(price: str, quantity: str) -> str:
    return f"try_cast(try_cast({price} as {_PRICE}) * try_cast({quantity} as {_QUANTITY}) as decimal(38, 12))"
