"""What is missing of a model and stands in the log under a name that nobody bills or prices.

A name is a model's only where that model lacks what the name has, in every class and on every day, and no other model
does; one that lacks exactly as much goes before those that lack more. Where several models may have it, none has.

Here belongs: telling missing rows from rows under another name. Here does not belong: other causes, prices.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from models.reconciliation_sides import Key
from models.reconciliation_volume import Part

_PROVEN = Decimal("0.999")
"""Share of a name's tokens of each class that a model has to lack on the same days."""

Cells = Mapping[tuple[date, str], int]


def under_other_names(parts: Mapping[Key, Sequence[Part]], strangers: Mapping[str, Cells]) -> dict[Key, list[Part]]:
    """The parts of an account, what is under another name taken from what is missing.

    Args:
        parts: of all cells of an account.
        strangers: logged tokens of each model that nobody bills or prices, by the bill's day and class.
    """
    found = {key: list(of_cell) for key, of_cell in parts.items()}
    for name, cells in sorted(strangers.items()):
        lacking = _lacking(found)
        may_be = [model for model, keys in sorted(lacking.items()) if _is_proven(keys, cells)]
        exact = [model for model in may_be if _is_exact(lacking[model], cells)]
        chosen = exact or may_be
        for key, part, count in _of_cells(found, chosen, cells):
            found[key].remove(part)
            found[key] += _renamed(part, name, count) if len(chosen) == 1 else [_doubted(part, name)]
    return found


def _lacking(found: Mapping[Key, Sequence[Part]]) -> dict[str, dict[tuple[date, str], Decimal]]:
    lacking: dict[str, dict[tuple[date, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for key, parts in found.items():
        for part in parts:
            if part.cause == "missing_log":
                lacking[key.model][key.day, key.token_class] += part.tokens
    return lacking


def _is_proven(lacking: Mapping[tuple[date, str], Decimal], cells: Cells) -> bool:
    """Whether a model lacks what the name has, class by class."""
    classes = {token_class for _, token_class in cells}
    covered = dict.fromkeys(classes, Decimal(0))
    whole = dict.fromkeys(classes, Decimal(0))
    for (day, token_class), count in cells.items():
        covered[token_class] += min(Decimal(count), lacking.get((day, token_class), Decimal(0)))
        whole[token_class] += count
    return bool(cells) and all(covered[name] >= _PROVEN * whole[name] for name in classes)


def _is_exact(lacking: Mapping[tuple[date, str], Decimal], cells: Cells) -> bool:
    return all(lacking.get(cell) == count for cell, count in cells.items())


def _of_cells(
    found: Mapping[Key, Sequence[Part]], models: Sequence[str], cells: Cells
) -> Iterator[tuple[Key, Part, int]]:
    places = [key for key in found if key.model in models and (key.day, key.token_class) in cells]
    for key in places:
        for part in [part for part in found[key] if part.cause == "missing_log"]:
            yield key, part, cells[key.day, key.token_class]


def _renamed(part: Part, name: str, count: int) -> list[Part]:
    taken = min(Decimal(count), part.tokens)
    renamed = Part("unknown_model", taken, f"the log has them as {name}, which nobody bills or prices")
    return [share for share in (renamed, part._replace(tokens=part.tokens - taken)) if share.tokens]


def _doubted(part: Part, name: str) -> Part:
    return part._replace(evidence=f"{part.evidence}; some may be what the log has as {name}")
