"""Charges that are billed at two prices of the same day, tiers or context lengths, where the bill does not tell which.

Whole numbers of tokens at each of two prices give the cost to its last digit, where a bill writes enough digits to say
so. That is believed where the log has the class at both prices, or where it gives all charges of a model that nothing
else gives, at shares that differ: one share would be a factor.

At prices in round ratios whole tokens prove nothing: of 500,000 tokens at 3 dollars and as many batches at half of it,
1.1 times the cost is that of 650,000 and 350,000. So what a short factor of one price gives, or whole cents beside it,
is none of two prices: both come about without any other tier.

Here belongs: finding the two prices. Here does not belong: charges at one price (`reconciliation_fits`).
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from models.reconciliation_cells import Charge
from models.reconciliation_factors import HIGHEST_FACTOR, LOWEST_FACTOR
from models.reconciliation_prices import OtherPrice, OtherPrices
from models.reconciliation_rounding import is_rounding, most
from models.reconciliation_sides import DEFAULT, Key

_THOUSANDTH, _CENT = Decimal("0.001"), Decimal("0.01")
"""A factor in whole thousandths and an amount in whole cents are what else can give whole tokens."""

_MOST_OPEN = Decimal("0.001")
"""Of a token: what rounding may leave open, so that hardly any cost gives whole tokens by chance."""

Mixes = dict[tuple[Key, str | None], OtherPrice]


def mixes_of(charges: Sequence[Charge], factor: Decimal, other_prices: OtherPrices) -> Mixes:
    """The average of two prices for the charges of a model that have one.

    Args:
        charges: of the model, all those that no price gives.
        factor: at which the model stands.
        other_prices: what the book has for other times, tiers and context lengths.
    """
    found = {(one.key, one.tier): dict(_mixes(one, factor, other_prices)) for one in charges}
    shares = {one.cost / one.listed for one in charges if one.listed}
    common = set.intersection(*(set(of_charge) for of_charge in found.values())) if len(shares) > 1 else set()
    chosen: Mixes = {}
    for one in charges:
        of_charge = found[one.key, one.tier]
        names = [name for name in of_charge if name in common or of_charge[name][1]]
        if names:
            chosen[one.key, one.tier] = of_charge[names[0]][0]
    return chosen


def _mixes(
    charge: Charge, factor: Decimal, other_prices: OtherPrices
) -> Iterator[tuple[tuple[str, str], tuple[OtherPrice, bool]]]:
    """Every two prices that give the cost, by name, and whether the log has both."""
    rows: dict[Decimal, OtherPrice] = {}
    for row in other_prices(charge.key, charge.tier or DEFAULT):
        if row.holds(charge):
            rows.setdefault(row.usd_per_token, row)
    if any(_is_round(charge, price * charge.tokens, factor) for price in (charge.price, *rows)):
        return
    for one, other in combinations(sorted(rows.values(), key=lambda row: row.usd_per_token), 2):
        step = other.usd_per_token - one.usd_per_token
        tokens = (charge.cost / factor - one.usd_per_token * charge.tokens) / step
        whole = tokens.to_integral_value()
        is_open = most(charge) / factor / step
        if is_open <= _MOST_OPEN and abs(tokens - whole) <= is_open and 0 < whole < charge.tokens:
            cost = one.usd_per_token * charge.tokens + step * whole
            name = f"{charge.tokens - whole:,.0f} tokens in {one.tier} and {whole:,.0f} in {other.tier}"
            ends = max(one.valid_from, other.valid_from), min(one.valid_to, other.valid_to)
            is_logged = {one.usd_per_token, other.usd_per_token} <= charge.prices
            yield (one.tier, other.tier), (OtherPrice(cost / charge.tokens, True, name, *ends), is_logged)


def _is_round(charge: Charge, at_book: Decimal, factor: Decimal) -> bool:
    """Whether a short factor of what the tokens cost at one price gives the cost, or whole cents beside it."""
    if not at_book:
        return False
    ratio = (charge.cost / at_book).quantize(_THOUSANDTH)
    cents = (charge.cost - factor * at_book).quantize(_CENT)
    is_factor = LOWEST_FACTOR <= ratio <= HIGHEST_FACTOR and is_rounding(charge, ratio * at_book)
    return is_factor or is_rounding(charge, factor * at_book + cents)
