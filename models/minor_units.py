"""How many decimals a currency's amounts are written with (ISO 4217).

Here belongs: the standard's exceptions. Here does not belong: rates, and how amounts are shown.
"""

from decimal import Decimal

NO_DECIMALS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)
THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency (its ISO 4217 code): 0.01 for most, 1 for JPY, 0.001 for KWD."""
    if currency in NO_DECIMALS:
        return Decimal(1)
    return Decimal("0.001") if currency in THREE_DECIMALS else Decimal("0.01")
