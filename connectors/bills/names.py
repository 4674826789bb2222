"""The columns of one file, found in any spelling, as SQL expressions over its lines.

`lineItem/UnblendedCost`, `line_item_unblended_cost` and `LineItemUnblendedCost` are one column to a shape that asks for
it: a file with two such is refused, as nobody could tell which one is meant. Columns that no shape asks for may be
alike. A field of a Parquet structure is found by its dotted path. A column that the file lacks is NULL.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.base import IncompleteDeliveryError

Kind = Literal["text", "float", "number", "instant", "date", "map", "list", "bool"]
_ASCII_SIGNS = re.compile(r"[\x00-/:-`{-\x7f]")
_MONEY, _NARROW, _FINE = "decimal(38, 12)", "decimal(18, 12)", "decimal(38, 20)"
_TOO_PRECISE = r"\.\d{12}\d*[1-9]"


@dataclass(frozen=True)
class Given:
    """A delivered column: its name as the file writes it, the SQL that reads it, and what it holds."""

    name: str
    sql: str
    kind: Kind
    is_null_if_empty: bool = False


def column_key(name: str) -> str:
    """What is compared of a column's name: letters and digits, of any script, without case."""
    return _ASCII_SIGNS.sub("", name.lower())


class Names:
    """The columns of one file. `where` names the file in messages."""

    def __init__(self, where: str, columns: Iterable[Given]) -> None:
        self.where = where
        self.columns: Mapping[str, Given] = {}
        self._alike: dict[str, Given] = {}  # the second one of a spelling
        self._by_name: dict[str, Given] = {}
        self._families: tuple[str, ...] = ()
        self._readings: dict[str, None] = {}
        found: dict[str, Given] = {}
        for column in columns:
            if column.name in self._by_name:
                raise self._same(column, column)
            self._by_name[column.name] = column
            key = column_key(column.name)
            if key in found:  # a key has no blanks: such a column is kept, and never found by an alias
                self._alike.setdefault(key, column)
                key = f"{key} {column.name}"
            found[key] = column
        self.columns = found

    def find(self, *aliases: str) -> Given | None:
        """The first of the columns that the file has.

        Raises IncompleteDeliveryError when another column has the same name in another spelling, so that nobody can
        tell which one is meant; a column of a family (see `starting`) is found by its exact name.
        """
        for alias in aliases:
            if alias in self._by_name and alias.lower().startswith(self._families):
                return self._by_name[alias]
            key = column_key(alias)
            if key in self._alike:
                raise self._same(self.columns[key], self._alike[key])
            if key in self.columns:
                return self.columns[key]
        return None

    def once(self, sql: str) -> str:
        """An expression over the delivered columns that is computed once for each line, see `read_once`."""
        self._readings[sql] = None
        return sql

    def read_once(self, statement: str) -> tuple[str, Mapping[str, str]]:
        """The statement with a column in place of every expression of `once` that it has more than once.

        The mapping says what these columns are: the engine would compute each anew wherever it stands in a `case`.
        """
        columns: dict[str, str] = {}
        for sql in self._readings:
            if statement.count(sql) > 1:
                columns[f"_read{len(columns)}"] = sql
                statement = statement.replace(sql, f"_read{len(columns) - 1}")
        return statement, columns

    def _same(self, first: Given, second: Given) -> IncompleteDeliveryError:
        return IncompleteDeliveryError(
            f"{self.where}: the columns {first.name!r} and {second.name!r} are the same one; "
            "export the bill without one of them"
        )

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
        """The columns whose delivered names begin like that, whatever their case: a family, of tags say.

        People name its members, `cost-center` and `cost_center` side by side: from now on each is found by its exact
        name.
        """
        self._families = (*self._families, prefix.lower())
        return [column for column in self.columns.values() if column.name.lower().startswith(prefix.lower())]

    def text(self, *aliases: str) -> str:
        """The column as text; the empty text is NULL."""
        found = self.find(*aliases)
        if found is None:
            return "cast(null as varchar)"
        if found.kind != "text":
            return f"cast({found.sql} as varchar)"
        return found.sql if found.is_null_if_empty else f"nullif({found.sql}, '')"

    def decimal(self, *aliases: str) -> str:
        """The column as DECIMAL(38,12), exact to twelve places; NULL where it is no number.

        Binary floating point is read by its shortest decimal form: the number that the exporter wrote. A text with
        `_` is no number, as `connectors.exact` has it.

        Digits beyond the twelfth place are rounded as `connectors.exact.at_scale` does. Less than half the last place
        is zero, as what it says is known. `too_precise` tells of every such line.
        """
        found = self.find(*aliases)
        if found is None:
            return f"cast(null as {_MONEY})"
        if found.kind == "text":
            return self.once(_of_text(found.sql))
        return self.once(_of_float(found.sql) if found.kind == "float" else f"try_cast({found.sql} as {_MONEY})")

    def fine_decimal(self, *aliases: str) -> str:
        """The column as DECIMAL(38,20): prices of single units have more than twelve places. NULL as in `decimal`."""
        found = self.find(*aliases)
        if found is None:
            return f"cast(null as {_FINE})"
        sql = f"cast({found.sql} as varchar)" if found.kind == "float" else found.sql
        fine = f"try_cast({sql} as {_FINE})"
        return self.once(f"case when contains({sql}, '_') then null else {fine} end" if found.kind == "text" else fine)

    def unreadable(self, *aliases: str) -> str:
        """Where the column holds something that is no number."""
        return f"({self.text(*aliases)} is not null and {self.decimal(*aliases)} is null)"

    def too_precise(self, *aliases: str) -> str:
        """Where the column has more than twelve decimal places, which are rounded."""
        found = self.find(*aliases)
        if found is None or found.kind not in ("text", "float"):
            return "false"
        if found.kind == "float":
            return f"coalesce(cast({self.decimal(*aliases)} as double) <> {found.sql}, false)"
        text = self.text(*aliases)
        exact, kept = (f"try_cast({value} as decimal(38, 25))" for value in (text, self.decimal(*aliases)))
        is_lost = f"({kept} = 0 and left(ltrim({text}, '+-0. '), 1) between '1' and '9')"  # even of 25 places
        return (
            f"case when contains({text}, 'e') or contains({text}, 'E') "
            f"then coalesce({exact} <> {kept} or {is_lost}, false) "
            f"when length({text}) > 14 then regexp_matches({text}, '{_TOO_PRECISE}') else false end"
        )

    def instant(self, *aliases: str) -> str:
        """The column as a naive UTC instant; text without an offset is UTC already. NULL where unreadable."""
        found = self.find(*aliases)
        if found is None:
            return "cast(null as timestamp)"
        if found.kind in ("instant", "date"):
            return f"cast({found.sql} as timestamp)"
        return self.once(instant_of(found.sql))

    def day(self, pattern: str, *aliases: str) -> str:
        """The column, text in strptime's `pattern` or a date, as a naive UTC instant. NULL where unreadable."""
        found = self.find(*aliases)
        if found is None:
            return "cast(null as timestamp)"
        if found.kind in ("instant", "date"):
            return f"cast({found.sql} as timestamp)"
        return f"try_strptime({found.sql}, '{pattern}')"


def instant_of(text: str) -> str:
    """A text as a naive UTC instant. By its microseconds: the engine casts by way of a calendar, twice as long."""
    return f"make_timestamp(epoch_us(try_cast({text} as timestamptz)))"


def _of_text(text: str) -> str:
    """A text as a number. Up to a million it fits into 64 bits, which is read ten times as fast."""
    value = f"coalesce(cast(try_cast({text} as {_NARROW}) as {_MONEY}), try_cast({text} as {_MONEY}))"
    return f"case when contains({text}, '_') then null else {value} end"


def _of_float(value: str) -> str:
    """A binary number by its shortest decimal form.

    Below a thousand twelve places are fifteen digits: a number of so many digits that reads back as the same binary one
    is the shortest. All others are written out and read.
    """
    narrow = f"try_cast({value} as {_NARROW})"
    return (
        f"case when abs({value}) < 1000 and cast({narrow} as double) = {value} then cast({narrow} as {_MONEY}) "
        f"else try_cast(cast({value} as varchar) as {_MONEY}) end"
    )


def quoted(name: str) -> str:
    """An identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def json_object(members: Mapping[str, str], *seldom: Mapping[str, str], written: tuple[str, ...] = ()) -> str:
    """SQL of a JSON object of those expressions, sorted by name, without the NULL ones; NULL where none is left.

    Each of `seldom` are more members, which few lines have, the fewest last: only in those lines are they written.
    `written` names members whose expression is JSON already.
    """
    if not seldom:
        return _object(members, written)
    *often, fewest = seldom
    none = " and ".join(f"({sql}) is null" for sql in fewest.values())
    everything = {name: sql for group in (members, *seldom) for name, sql in group.items()}
    usual = json_object(members, *often, written=written)
    return f"case when {none} then {usual} else {_object(everything, written)} end"


def _object(members: Mapping[str, str], written: tuple[str, ...]) -> str:
    if not members:
        return "cast(null as varchar)"
    texts = {name: sql if name in written else f"to_json({sql})" for name, sql in members.items()}
    keys = {name: literal(f"{json.dumps(name, ensure_ascii=False)}:") for name in texts}
    pairs = ", ".join(f"{keys[name]} || cast({texts[name]} as varchar)" for name in sorted(texts))
    return f"nullif('{{' || concat_ws(',', {pairs}) || '}}', '{{}}')"
