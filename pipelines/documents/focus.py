"""The table of FOCUS's columns: what each is made from, from the mapping and the contract."""

from contracts import Column, contract
from contracts.focus import FOCUS, FocusColumn, focus_mapping
from pipelines.documents.table import table

_NOWHERE = "-"


def focus_columns_table() -> str:
    """The standard's columns, then Farthing's own."""
    mapping, columns = focus_mapping(), {column.name: column for column in contract(FOCUS).columns}
    standard = [_standard(name, found) for name, found in mapping.columns.items()]
    own = [_own(columns[name], found) for name, found in mapping.own_columns.items()]
    first = table(["column", "from", "what is done to it", "only in FOCUS", "wanted on"], standard)
    return first + "\n\n" + table(["own column", "from", "meaning", "name in the draft"], own)


def _standard(name: str, found: FocusColumn) -> list[str]:
    known = focus_mapping().versions
    versions = [version for version in known if found.is_in(version)]
    only = "" if len(versions) == len(known) else ", ".join(versions)
    return [f"`{name}`", _source(found), found.rule or "", only, found.needs or ""]


def _own(column: Column, found: FocusColumn) -> list[str]:
    return [f"`{column.name}`", _source(found), column.description, found.draft or ""]


def _source(found: FocusColumn) -> str:
    return "" if found.source == _NOWHERE else f"`{found.source}`"
