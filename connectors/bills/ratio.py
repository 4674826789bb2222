"""Exact proportions of amounts, as SQL.

Here belongs: arithmetic that an engine without wide decimals needs spelled out. Here does not belong: what a column of
a report means.
"""

MONEY = "decimal(38, 12)"
UNITS, UNIT = "cast(1000000000000 as decimal(19, 0))", "cast(0.000000000001 as decimal(19, 12))"


def ratio(amount: str, numerator: str, denominator: str) -> str:
    """`amount` times `numerator` by `denominator`, exact and rounded once, half away from zero, to twelve places.

    The engine divides whole numbers exactly, and no others. NULL where 38 digits do not hold the product.
    """
    units, over, under = (f"cast({sql} * {UNITS} as hugeint)" for sql in (amount, numerator, denominator))
    shared = f"gcd({over}, {under})"
    dividend, divisor = f"({units} * ({over} // {shared}))", f"({under} // {shared})"
    rounded = f"((2 * abs({dividend}) + abs({divisor})) // (2 * abs({divisor})))"
    signed = f"{rounded} * sign({amount}) * sign({numerator}) * sign({denominator})"
    return f"try(cast(cast({signed} as decimal(38, 0)) * {UNIT} as {MONEY}))"
