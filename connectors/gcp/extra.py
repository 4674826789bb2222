"""`x_extra`: the columns of the export that `charges` does not have, kept as they came."""

from connectors.bills import Names, json_object
from connectors.bills.names import Given
from connectors.gcp.columns import LISTS, kept
from connectors.gcp.pieces import IS_CREDIT, IS_USE


def extra(names: Names) -> str:
    """The columns that `charges` does not have, with the line itself; a credit has its own fields."""
    of_line = {column.name: _value_of(column) for column in kept(names)}
    is_tax = f"{names.text('cost_type')} = 'tax'"
    of_line |= {"sku.id": f"case when {is_tax} then {names.text('sku.id')} end"} if names.has("sku.id") else {}
    of_credit = {f"credit.{name}": f"_piece.{name}" for name in ("id", "name", "full_name")}
    return f"case when {IS_USE} then {json_object(of_line)} when {IS_CREDIT} then {json_object(of_credit)} end"


def _value_of(column: Given) -> str:
    """A column in `x_extra`: lists as JSON, also those that a text writes; an empty one says nothing."""
    if column.kind in ("list", "map"):
        return f"case when len({column.sql}) > 0 then to_json({column.sql}) end"
    if column.kind == "text" and column.name.lower() in LISTS:
        text = f"nullif({column.sql}, '[]')"
        return f"case when json_valid({text}) then cast({text} as json) else to_json({text}) end"
    return f"cast({column.sql} as varchar)"
