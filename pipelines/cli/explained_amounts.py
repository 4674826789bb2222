"""Amounts of an explanation as texts, with all their decimals. Here does not belong: which amounts are told."""

from decimal import Decimal


def plain(amount: Decimal | None) -> str:
    """All decimals that there are, two at least."""
    if amount is None:
        return "unknown"
    text = f"{amount:f}"
    if "." not in text:
        return f"{amount:,f}.00"
    whole, _, decimals = f"{amount:,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
