"""The savings of a month under other shares of success: what a decision rests on, beside what was assumed of it.

A lever that is switched off saves nothing, and leaves what it would have taken to those after it: a comparison of sums
by hand would count that wrongly.

Here belongs: the same cells under two sets of levers. Here does not belong: how the comparison is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from models.savings_findings import Account, Findings
from models.savings_levers import LEVERS, LeverKind
from models.waterfall import Cell, Lever, combined, in_money, money, ranges, savings

Bounds = tuple[Fraction, Fraction]
"""The share of success of a lever, from and to."""


@dataclass(frozen=True)
class Outcome:
    """What a lever saves in the waterfall, at the mean share of success, and what nine of ten draws reach."""

    saving: Decimal
    p10: Decimal


@dataclass(frozen=True)
class LeverCompared:
    """A lever as it is assumed and as it was asked for, with what it saves either way; money in one currency."""

    kind: LeverKind
    asked: Lever
    assumed_outcome: Outcome
    asked_outcome: Outcome


@dataclass(frozen=True)
class Compared:
    """The levers that concern a currency's costs, in their order, with what they save together both ways."""

    currency: str
    basis: Decimal
    levers: tuple[LeverCompared, ...]
    assumed_total: Decimal
    asked_total: Decimal


def asked_levers(without: Iterable[str], shares: Mapping[str, Bounds]) -> tuple[Lever, ...]:
    """All levers in their order: those in `without` save nothing, those in `shares` succeed between these bounds.

    Raises:
        ValueError: a name that no lever has, a lever that is named twice, or bounds that are none.
    """
    off = [*without]
    names = {kind.name for kind in LEVERS}
    for name in (*off, *shares):
        if name not in names:
            raise ValueError(f"there is no lever '{name}': it is one of {', '.join(kind.name for kind in LEVERS)}")
    if both := sorted({*off} & {*shares}):
        raise ValueError(f"'{both[0]}' cannot be switched off and have a share of success: name it once")
    for name, (low, high) in shares.items():
        if not 0 <= low <= high <= 1:
            raise ValueError(f"the share of '{name}' must be between 0 and 1, the lower end first")
    bounds = dict.fromkeys(off, (Fraction(0), Fraction(0))) | dict(shares)
    return tuple(
        replace(kind.lever, low=bounds[kind.name][0], high=bounds[kind.name][1]) if kind.name in bounds else kind.lever
        for kind in LEVERS
    )


def compare(found: Mapping[Account, Findings], asked: Sequence[Lever]) -> list[Compared]:
    """By currency, what was found under the levers as they are assumed and as they are asked for."""
    compared: list[Compared] = []
    for currency in sorted({currency for _, currency in found}):
        mine = {account: here for (account, own), here in sorted(found.items()) if own == currency}
        cells = [
            replace(cell, cluster=f"{account} {cell.cluster}") for account, here in mine.items() for cell in here.cells
        ]
        if not cells:
            continue
        assumed = [kind.lever for kind in LEVERS]
        before, after = _outcomes(cells, assumed), _outcomes(cells, asked)
        rows = tuple(
            LeverCompared(kind, lever, before[kind.name], after[kind.name])
            for kind, lever in zip(LEVERS, asked, strict=True)
            if any(cell.shares.get(kind.name) for cell in cells)
        )
        totals = [money(combined(cells, levers)) for levers in (assumed, asked)]
        basis = sum((here.basis for here in mine.values()), Decimal(0))
        compared.append(Compared(currency, basis, rows, *totals))
    return compared


def _outcomes(cells: Sequence[Cell], levers: Sequence[Lever]) -> dict[str, Outcome]:
    """By lever; savings to the pico-unit sum to what all save together."""
    each = in_money({name: saving.waterfall for name, saving in savings(cells, levers).items()})
    drawn = ranges(cells, levers)
    return {name: Outcome(saving, drawn.get(name, (Decimal(0),))[0]) for name, saving in each.items()}
