"""The columns of one file, found in any spelling, as SQL expressions over its lines.

`lineItem/UnblendedCost`, `line_item_unblended_cost` and `LineItemUnblendedCost` are one column; a field of a Parquet
structure is found by its dotted path. A column that the file lacks is NULL.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.base import IncompleteDeliveryError

Kind = Literal["text", "float", "number", "instant", "date", "map", "list", "bool"]
_LETTERS = re.compile(r"[^a-z0-9]")
_TOO_PRECISE = r"\.\d{12}\d*[1-9]"


@dataclass(frozen=True)
class Given:
    """A delivered column: its name as the file writes it, the SQL that reads it, and what it holds."""

    name: str
    sql: str
    kind: Kind


def key_of(name: str) -> str:
    """What is compared of a column's name: letters and digits without case."""
    return _LETTERS.sub("", name.lower())


class Names:
    """The columns of one file. `where` names the file in messages."""

    def __init__(self, where: str, columns: Iterable[Given]) -> None:
        self.where = where
        self.columns: Mapping[str, Given] = {}
        found: dict[str, Given] = {}
        for column in columns:
            key = key_of(column.name)
            if key in found:
                raise IncompleteDeliveryError(
                    f"{where}: the columns {found[key].name!r} and {column.name!r} are the same one; "
                    "export the bill without one of them"
                )
            found[key] = column
        self.columns = found

    def find(self, *aliases: str) -> Given | None:
        """The first of the columns that the file has."""
        return next((self.columns[key] for alias in aliases if (key := key_of(alias)) in self.columns), None)

    def has(self, *aliases: str) -> bool:
        """Whether the file has one of the columns."""
        return self.find(*aliases) is not None

    def require(self, *aliases: str) -> None:
        """Raises IncompleteDeliveryError when the file has none of the columns: staging it would lose money."""
        if self.find(*aliases) is None:
            held = ", ".join(column.name for column in list(self.columns.values())[:8])
            raise IncompleteDeliveryError(
                f"{self.where}: it has no column {' or '.join(aliases)}; it has {held[:300]}"
                + (" ..." if len(self.columns) > 8 else "")
                + "; export the bill with it, or check that this source reads this kind of bill"
            )

    def starting(self, prefix: str) -> list[Given]:
        """The columns whose delivered names begin like that, whatever their case."""
        return [column for column in self.columns.values() if column.name.lower().startswith(prefix.lower())]

    def text(self, *aliases: str) -> str:
        """The column as text; the empty text is NULL."""
        found = self.find(*aliases)
        if found is None:
            return "cast(null as varchar)"
        return f"nullif({found.sql}, '')" if found.kind == "text" else f"cast({found.sql} as varchar)"

    def decimal(self, *aliases: str) -> str:
        """The column as DECIMAL(38,12), exact to twelve places; NULL where it is no number.

        Binary floating point is read by its shortest decimal form: the number that the exporter wrote.
        """
        found = self.find(*aliases)
        if found is None:
            return "cast(null as decimal(38, 12))"
        if found.kind == "text":
            return f"try_cast(nullif({found.sql}, '') as decimal(38, 12))"
        read = f"cast({found.sql} as varchar)" if found.kind == "float" else found.sql
        return f"try_cast({read} as decimal(38, 12))"

    def unreadable(self, *aliases: str) -> str:
        """Where the column holds something that is no number."""
        return f"({self.text(*aliases)} is not null and {self.decimal(*aliases)} is null)"

    def too_precise(self, *aliases: str) -> str:
        """Where the column has more than twelve decimal places, which are rounded."""
        found = self.find(*aliases)
        if found is None or found.kind not in ("text", "float"):
            return "false"
        text = self.text(*aliases)
        plain = f"(length({text}) > 14 and regexp_matches({text}, '{_TOO_PRECISE}'))"
        exact, kept = (f"try_cast({value} as decimal(38, 25))" for value in (text, self.decimal(*aliases)))
        return f"({plain} or coalesce(contains(lower({text}), 'e') and {exact} <> {kept}, false))"

    def instant(self, *aliases: str) -> str:
        """The column as a naive UTC instant; text without an offset is UTC already. NULL where unreadable."""
        found = self.find(*aliases)
        if found is None:
            return "cast(null as timestamp)"
        if found.kind in ("instant", "date"):
            return f"cast({found.sql} as timestamp)"
        return f"cast(try_cast(nullif({found.sql}, '') as timestamptz) as timestamp)"

    def day(self, pattern: str, *aliases: str) -> str:
        """The column, text in strptime's `pattern` or a date, as a naive UTC instant. NULL where unreadable."""
        found = self.find(*aliases)
        if found is None:
            return "cast(null as timestamp)"
        if found.kind in ("instant", "date"):
            return f"cast({found.sql} as timestamp)"
        return f"try_strptime({found.sql}, '{pattern}')"


def quoted(name: str) -> str:
    """An identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def json_object(members: Mapping[str, str]) -> str:
    """SQL of a JSON object of those expressions, sorted by name, without the NULL ones; NULL where none is left."""
    if not members:
        return "cast(null as varchar)"
    pairs = ", ".join(f"{literal(name)}, {members[name]}" for name in sorted(members))
    return f"nullif(cast(json_merge_patch('{{}}', json_object({pairs})) as varchar), '{{}}')"
