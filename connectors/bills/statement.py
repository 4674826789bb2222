"""The SQL that reads one file as charges."""

from dataclasses import dataclass
from datetime import date

from connectors.bills.names import Names, literal, quoted
from connectors.bills.shape import Shape
from contracts import contract


@dataclass(frozen=True)
class Statement:
    """One file's lines under a shape; the last three fields are on every row."""

    shape: Shape
    names: Names
    source: str
    slice_date: date
    page_id: str

    def text(self) -> str:
        """Every line of this window once, as charges; `_broken` holds the numbers of the rules that it breaks."""
        shape = self.shape
        columns = [f"{self._value(name)} as {name}" for name in self._names()]
        columns += [f"{shape.values[lookup.helper]} as {lookup.helper}" for lookup in shape.lookups]
        columns += [f"cast({sql} as integer) as _notice{n}" for n, sql in enumerate(shape.notices.values())]
        return f"select {', '.join(columns)}, {self._broken()} as _broken from lines where not ({shape.elsewhere})"

    def refused(self) -> str:
        """(row, broken rules, cost, payload as JSON) of the lines that break a rule, rows numbered as in `text`."""
        payload = ", ".join(f"{quoted(given.name)} := {given.sql}" for given in self.names.columns.values())
        return (
            "select row, broken, cost, to_json(payload) from ("
            f"select row_number() over () as row, {self._broken()} as broken, {self.shape.cost} as cost, "
            f"struct_pack({payload}) as payload from lines where not ({self.shape.elsewhere})) where broken <> ''"
        )

    def _names(self) -> list[str]:
        filled = {name for lookup in self.shape.lookups for name in lookup.fills}
        return [c.name for c in contract("charges").columns if c.name not in filled and c.name != "x_row"]

    def _value(self, name: str) -> str:
        constants = {
            "x_source": literal(self.source),
            "x_slice_date": f"date '{self.slice_date}'",
            "x_page": literal(self.page_id),
        }
        return f"cast({constants.get(name) or self.shape.values.get(name, 'null')} as {_SQL_TYPES[name]})"

    def _broken(self) -> str:
        cases = [f"case when {rule.breaks} then '{n}' end" for n, rule in enumerate(self.shape.rules)]
        return f"concat_ws(',', {', '.join(cases)})" if cases else "''"


def _sql_type(kind: str) -> str:
    return {"string": "varchar", "json": "varchar", "int64": "bigint", "bool": "boolean"}.get(kind, kind)


_SQL_TYPES = {column.name: _sql_type(column.type) for column in contract("charges").columns}
