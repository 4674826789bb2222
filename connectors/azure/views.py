"""Azure's two views of the same charges, put into one slice so that no charge counts twice.

The actual view says what is billed, the amortized view what it is worth: purchases of commitments are in the first
alone, the unused rest of commitments in the second alone, and covered usage is free in the first. A line that both have
is staged once: untouched ones from the actual view, with both costs; covered usage from the amortized view, billed at
nothing. Lines of one view alone carry that view's cost alone. So the billed costs add up to the actual view and the
effective costs to the amortized one, exactly, whichever lines match.

Here belongs: which cost is taken from which view, and what makes lines equal. Here does not belong: finding those that
are (`connectors.bills.twins`).
"""

import re
from collections.abc import Mapping
from typing import Literal, cast

from connectors.azure import columns as c
from connectors.azure import words
from connectors.azure.lines import Costs, instant
from connectors.bills.names import Names

Role = Literal["actual", "amortized", "only_actual", "only_amortized", "same"]
"""What a file is: one of two views, the only view there is, or a file in which both views agree byte for byte."""

_ROLE = re.compile(r"(?:^|[/\s])(actual|amortized|focus):")
_ZERO = "cast(0 as decimal(38, 12))"


def view_of(name: str) -> str | None:
    """The view that a page's name says: it begins with it, `actual:cost/...`."""
    found = _ROLE.search(name)
    return found[1] if found else None


def is_covered(names: Names, view: str) -> str:
    """Usage that a commitment covers: free in the actual view, at its amortised cost in the other."""
    covers = words.covers(names)
    return covers if view == "amortized" else f"({covers} and coalesce({names.decimal(*c.COST)} = 0, false))"


def twin_key(names: Names, view: str) -> str:
    """What a line has in common with its twin in the other view: all that neither view writes in its own way."""
    texts = (c.SUBSCRIPTION, c.RESOURCE, c.METER_ID, c.METER, c.PART, c.PUBLISHER_TYPE, c.PLAN)
    parts = [f"cast({instant(names, *c.DATE)} as varchar)", words.charge_type(names)]
    parts += [f"lower({names.text(*aliases)})" for aliases in texts]
    parts.append(f"coalesce(cast({names.decimal(*c.QUANTITY)} as varchar), {names.text(*c.QUANTITY)})")
    cost = f"coalesce(cast({names.decimal(*c.COST)} as varchar), {names.text(*c.COST)})"
    parts.append(f"case when {is_covered(names, view)} then 'covered' else {cost} end")
    joined = ", ".join(f"coalesce({part}, '')" for part in parts)
    return f"concat_ws(chr(31), {joined})"


def costs_of(names: Names, role: Role) -> Costs:
    """Which costs the lines of a file carry."""
    cost = names.decimal(*c.COST)
    if role == "actual":
        return Costs(
            billed=cost,
            effective=f"case when _twin then {cost} else {_ZERO} end",
            dropped=f"(_twin and {is_covered(names, 'actual')})",
            notices={_ALONE["actual"]: f"not _twin and not {words.is_purchase(names)} and {cost} <> 0"},
        )
    if role == "amortized":
        covered = is_covered(names, "amortized")
        touched = f"({covered} or {words.is_unused(names)})"
        return Costs(
            billed=_ZERO,
            effective=cost,
            dropped=f"(_twin and not {covered})",
            notices={_ALONE["amortized"]: f"not _twin and not {touched} and {cost} <> 0"},
        )
    unknown = {
        "only_actual": {
            "lines of commitments with their billed cost as effective cost: no amortized view is given": (
                f"{words.is_purchase(names)} or {words.covers(names)}"
            )
        },
        "only_amortized": {
            "lines of commitments with their amortised cost as billed cost: no actual view is given": (
                f"{words.covers(names)} or {words.is_unused(names)}"
            )
        },
    }
    return Costs(
        billed=cost,
        effective=cost,
        notices=cast("Mapping[str, Mapping[str, str]]", unknown).get(role, {}),
    )


_ALONE: Mapping[str, str] = {
    "actual": "lines of the actual view that the amortized one does not have: billed, worth nothing",
    "amortized": "lines of the amortized view that the actual one does not have: worth their cost, not billed",
}
