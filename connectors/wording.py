"""Words that notices share: how a list of names is told that may be long."""

from collections.abc import Sequence

MOST_NAMED = 3  # what a line on a terminal has room for


def first_of(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """The first names, and how many more there are: "a, b, c and 2 more". Empty when there is none."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def called(source: str, account: str) -> str:
    """A source by its name, and by its account where it has one."""
    return f"{source} ({account})" if account != "default" else source
