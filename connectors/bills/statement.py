"""The SQL that reads one file as charges, and the rules that every charge keeps, whoever billed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connectors.bills.names import Given, Names, literal
from connectors.bills.shape import Rule, Shape
from connectors.exact import exact_json
from contracts import contract

_PERIODS = ("billing_period", "charge_period")


@dataclass(frozen=True)
class Statement:
    """One file's lines under a shape; the last three fields are on every row."""

    shape: Shape
    names: Names
    source: str
    slice_date: date
    page_id: str

    def text(self) -> str:
        """Every line of this window once, as charges; `_broken` names the rules that it breaks, empty when none."""
        shape = self.shape
        more = [f"{shape.values[lookup.helper]} as {lookup.helper}" for lookup in shape.lookups]
        more += [f"cast({sql} as integer) as _notice{n}" for n, sql in enumerate(shape.notices.values())]
        more.append(f"cast({shape.doubt} as integer) as _doubt")
        more += [f"{shape.key} as _key"] if shape.key else []
        return f"select * exclude (_said), {_broken()} as _broken from ({self._lines(more)})"

    def refused(self) -> str:
        """(row, broken rules, cost, payload as JSON) of the lines that break a rule, rows numbered as in `text`.

        The payload's members are `v0`, `v1` and so on, in the order of `names.columns`: SQL takes `Cost` and `cost` for
        one name. `delivered` gives them their names.
        """
        payload = ", ".join(f"v{n} := {_told(given)}" for n, given in enumerate(self.names.columns.values()))
        more = [
            "row_number() over () as _row",
            f"{self.shape.cost} as _cost",
            f"struct_pack({payload}) as _payload",
        ]
        return (
            f"select _row, broken, _cost, to_json(_payload) from (select *, {_broken()} as broken "
            f"from ({self._lines(more)})) where broken <> ''"
        )

    def keyed(self) -> str:
        """(key, cost) of the lines, under a shape that has keys."""
        return f"select _key, _cost from ({self._lines([f'{self.shape.key} as _key', f'{self.shape.cost} as _cost'])})"

    def delivered(self, payload: str) -> dict[str, object]:
        """A refused line's payload under the names that the file gives its columns."""
        values: dict[str, object] = exact_json(payload.encode())
        return {given.name: values[f"v{n}"] for n, given in enumerate(self.names.columns.values())}

    def rule(self, name: str) -> Rule:
        """The rule behind a name in `_broken`."""
        if name.isdecimal():
            return self.shape.rules[int(name)]
        if name in _PERIODS:
            return Rule("period_not_forward", f"{name}_end", "", "an instant after the period's start")
        return Rule("missing_value", name, "", "a value")

    def _lines(self, more: list[str]) -> str:
        filled = {name for lookup in self.shape.lookups for name in lookup.fills}
        columns = [c.name for c in contract("charges").columns if c.name not in filled and c.name != "x_row"]
        said = _told_of({str(n): rule.breaks for n, rule in enumerate(self.shape.rules)})
        read = ", ".join([*(f"{self._value(name)} as {name}" for name in columns), *more, f"{said} as _said"])
        source = "delivered"
        for step in self.shape.steps:
            source = _with(step, source)
        text, readings = self.names.read_once(f"select {read} from {source} where not ({self.shape.elsewhere})")
        return f"with delivered as ({_with(readings, 'lines')}) {text}"

    def _value(self, name: str) -> str:
        constants = {
            "x_source": literal(self.source),
            "x_slice_date": f"date '{self.slice_date}'",
            "x_page": literal(self.page_id),
        }
        return f"cast({constants.get(name) or self.shape.values.get(name, 'null')} as {_SQL_TYPES[name]})"


def _with(columns: Mapping[str, str], source: str) -> str:
    return f"(select *{''.join(f', {sql} as {name}' for name, sql in columns.items())} from {source})"


def _told(given: Given) -> str:
    """A value fit for JSON, which has no NaN and no infinity."""
    return f"cast({given.sql} as varchar)" if given.kind == "float" else given.sql


def _broken() -> str:
    """What the shape says of a line, and what the contract asks of each."""
    required = {name: f"{name} is null" for name in _REQUIRED}
    backward = {period: f"{period}_end <= {period}_start" for period in _PERIODS}
    return f"case when _said <> '' then _said else {_told_of({**required, **backward})} end"


def _told_of(faults: Mapping[str, str]) -> str:
    """The names of the faults that hold, with commas. Nearly every line has none: only the others' are written."""
    if not faults:
        return "''"
    named = ", ".join(f"case when {sql} then '{name}' end" for name, sql in faults.items())
    return f"case when {' or '.join(f'({sql})' for sql in faults.values())} then concat_ws(',', {named}) else '' end"


def _sql_type(kind: str) -> str:
    return {"string": "varchar", "json": "varchar", "int64": "bigint", "bool": "boolean"}.get(kind, kind)


_COLUMNS = contract("charges").columns
_SQL_TYPES = {column.name: _sql_type(column.type) for column in _COLUMNS}
_REQUIRED = [column.name for column in _COLUMNS if not column.nullable and column.name != "x_row"]
