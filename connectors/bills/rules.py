"""Rules that a line of any native bill must keep before it can be staged."""

from collections.abc import Sequence

from connectors.base import Window
from connectors.bills.names import Names, literal
from connectors.bills.shape import Rule


def delivered_name(names: Names, *aliases: str) -> str:
    """How the file calls the first of the columns that it has; the first alias where it has none."""
    found = names.find(*aliases)
    return found.name if found else aliases[0]


def has_value(names: Names, *aliases: str) -> Rule:
    """The column is filled."""
    return Rule("missing_value", delivered_name(names, *aliases), f"{names.text(*aliases)} is null", "a value")


def has_number(names: Names, *aliases: str) -> tuple[Rule, Rule]:
    """The column holds a readable decimal number."""
    name = delivered_name(names, *aliases)
    return (
        Rule("missing_value", name, f"{names.text(*aliases)} is null", "a number"),
        Rule("unreadable_number", name, names.unreadable(*aliases), "a decimal number"),
    )


def in_currency(names: Names, currency: str, *aliases: str) -> tuple[Rule, Rule]:
    """The line is in the source's currency: another one would be added up with it."""
    name, text = delivered_name(names, *aliases), names.text(*aliases)
    return (
        Rule("missing_value", name, f"{text} is null", f"the currency {currency}"),
        Rule("wrong_currency", name, f"{text} <> {literal(currency)}", currency),
    )


def has_instants(column: str, *instants: str) -> Sequence[Rule]:
    """Every one of those instants is readable and lies in the years 2000 to 2099. `column` is told."""
    expected = "an ISO 8601 instant of 2000 to 2099"
    century = "timestamp '2000-01-01' and timestamp '2099-12-31 23:59:59.999999'"  # years take longer to compare
    return [
        Rule("unreadable_time", column, f"({sql} is null or {sql} not between {century})", expected) for sql in instants
    ]


def in_month(column: str, start: str, window: Window) -> Rule:
    """The billing period that begins at `start` is the window's. `column` is told."""
    breaks = f"({start} < timestamp '{window.start}' or {start} >= timestamp '{window.end}')"
    return Rule("wrong_period", column, breaks, f"a billing period of {window.start:%Y-%m}")
