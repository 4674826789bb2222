"""List and contracted prices of an Azure line, in the billing currency, as SQL.

A price of zero on a line says that none is stated: free lines and covered usage have it alike, so that it is unknown.
Prices are read to their twentieth place, quantities and rates to their twelfth; from there on a product is exact and is
rounded once, to the twelfth. Numbers of more than eighteen digits before the point, which no bill has, give no product.

Here belongs: prices and what they come to. Here does not belong: billed and effective cost.
"""

from connectors.azure import columns as c
from connectors.bills.names import Names

_MONEY_PLACES, _PRICE_PLACES = 12, 20


def prices(names: Names) -> dict[str, str]:
    """List and contracted unit price and cost."""
    quantity = names.decimal(*c.QUANTITY)
    listed, agreed = _price(names, *c.LIST_PRICE), _price(names, *c.UNIT_PRICE)
    return {
        "list_unit_price": f"try_cast({listed} as {_decimal(_MONEY_PLACES)})",
        "list_cost": _product(listed, quantity, _MONEY_PLACES),
        "contracted_unit_price": f"try_cast({agreed} as {_decimal(_MONEY_PLACES)})",
        "contracted_cost": _product(agreed, quantity, _MONEY_PLACES),
    }


def _price(names: Names, *aliases: str) -> str:
    """The price in the billing currency: prices are stated in the pricing currency, with the rate beside them."""
    price = f"nullif({names.fine_decimal(*aliases)}, 0)"
    if not (names.has(*c.PRICING_CURRENCY) and names.has(*c.EXCHANGE_RATE)):
        return price
    exchanged = _product(price, names.decimal(*c.EXCHANGE_RATE), _PRICE_PLACES)
    return f"case when {names.text(*c.PRICING_CURRENCY)} = {names.text(*c.CURRENCY)} then {price} else {exchanged} end"


def _product(fine: str, amount: str, places: int) -> str:
    """A number of 20 places times one of 12, rounded once to `places`; NULL where 38 digits do not hold it.

    Wholes and fractions are multiplied apart: each of the four products fits into 38 digits as it is, and what lies
    beyond `places` is added up before it is rounded. All four have the product's sign. Factors have 19 digits or more,
    as the engine keeps the product of two narrower ones in 18.
    """
    units, rest = f"cast(trunc({fine}) as decimal(19, 0))", f"cast({fine} % 1 as decimal(20, 20))"
    whole, part = f"cast(trunc({amount}) as decimal(19, 0))", f"cast({amount} % 1 as decimal(19, 12))"
    across = f"({rest} * {whole})"
    kept = f"trunc({across}, {places})"
    beyond = f"cast({across} - {kept} as decimal(21, 20)) + {rest} * {part}"
    parts = (f"{units} * {whole}", f"{units} * {part}", kept, beyond)
    total = " + ".join(f"cast({part} as {_decimal(places)})" for part in parts)
    return f"try(cast({total} as {_decimal(places)}))"


def _decimal(places: int) -> str:
    return f"decimal(38, {places})"
