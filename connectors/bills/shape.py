"""What a provider says about its bill, for the one reader: expressions, rules, look-ups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Found = tuple[str | None, ...]


@dataclass(frozen=True)
class Rule:
    """Lines that cannot be staged: where `breaks` (SQL over `lines`) holds. `column` and `expected` are told."""

    reason: str
    column: str
    breaks: str
    expected: str


@dataclass(frozen=True)
class Lookup:
    """Columns that Python finds from a text: `helper` names a value of the shape that is no column of `charges`.

    `find` gets each distinct text once and returns one text or None for each column of `fills`.
    """

    helper: str
    fills: tuple[str, ...]
    find: Callable[[str], Found]


@dataclass(frozen=True)
class Shape:
    """How the lines of one file become `charges`.

    `steps` are intermediate columns, each step reading the lines and the steps before it: what several expressions need
    is computed once. Their names begin with an underscore.

    `values` maps a column of `charges` (or a look-up's helper) to SQL over the relation `lines`; what it leaves out is
    NULL. `cost` is the billed cost that a refused line is counted with. `notices` maps words to SQL: lines where it
    holds are counted and told. `elsewhere`, where it holds, is another window's line.

    `key` is SQL of 64 bits that no two lines of a delivery have in common, where the provider gives each line an id;
    NULL for a line without one.

    `doubt`, where it holds, is a line that only the whole delivery tells how to read: `settled` finds that out and
    gives the shape that reads it. It reads the lines before it no other way.
    """

    values: Mapping[str, str]
    cost: str
    rules: tuple[Rule, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    notices: Mapping[str, str] = field(default_factory=dict[str, str])
    elsewhere: str = "false"
    steps: tuple[Mapping[str, str], ...] = ()
    key: str | None = None
    doubt: str = "false"
    settled: "Callable[[], Shape] | None" = None
