"""The SQL that reads one file as charges, and the rules that every charge keeps, whoever billed it."""

from dataclasses import dataclass
from datetime import date

import orjson

from connectors.bills.names import Given, Names, literal
from connectors.bills.shape import Rule, Shape
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

    def delivered(self, payload: str) -> dict[str, object]:
        """A refused line's payload under the names that the file gives its columns."""
        values: dict[str, object] = orjson.loads(payload)
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
        said = _joined([f"case when {rule.breaks} then '{n}' end" for n, rule in enumerate(self.shape.rules)])
        read = ", ".join([*(f"{self._value(name)} as {name}" for name in columns), *more, f"{said} as _said"])
        source = "lines"
        for step in self.shape.steps:
            source = f"(select *, {', '.join(f'{sql} as {name}' for name, sql in step.items())} from {source})"
        return f"select {read} from {source} where not ({self.shape.elsewhere})"

    def _value(self, name: str) -> str:
        constants = {
            "x_source": literal(self.source),
            "x_slice_date": f"date '{self.slice_date}'",
            "x_page": literal(self.page_id),
        }
        return f"cast({constants.get(name) or self.shape.values.get(name, 'null')} as {_SQL_TYPES[name]})"


def _told(given: Given) -> str:
    """A value fit for JSON, which has no NaN and no infinity."""
    return f"cast({given.sql} as varchar)" if given.kind == "float" else given.sql


def _broken() -> str:
    """What the shape says of a line, and what the contract asks of each."""
    required = [f"case when {name} is null then '{name}' end" for name in _REQUIRED]
    backward = [f"case when {period}_end <= {period}_start then '{period}' end" for period in _PERIODS]
    return f"case when _said <> '' then _said else {_joined([*required, *backward])} end"


def _joined(cases: list[str]) -> str:
    return f"concat_ws(',', {', '.join(cases)})" if cases else "''"


def _sql_type(kind: str) -> str:
    return {"string": "varchar", "json": "varchar", "int64": "bigint", "bool": "boolean"}.get(kind, kind)


_COLUMNS = contract("charges").columns
_SQL_TYPES = {column.name: _sql_type(column.type) for column in _COLUMNS}
_REQUIRED = [column.name for column in _COLUMNS if not column.nullable and column.name != "x_row"]
