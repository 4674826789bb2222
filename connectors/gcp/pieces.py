"""One line of the export is several charges: the usage, each of its credits, and of a commitment's fee what was used.

The view `lines` gets one row for each, in the order of the file, told apart by `_piece.kind`:

- `line`: the line itself, at its cost before credits;
- `discounted`: what legacy commitments cover of a line of which they cover a part: the line is the rest;
- `credit`: one entry of `credits`, with its own type and its negative amount;
- `used`, `unused`: a commitment fee's share by utilisation, which the invoice does not ask for again;
- `covered`: what of a legacy fee's used share is laid on a line that its commitment discounted.
"""

from collections.abc import Mapping
from decimal import Decimal

from connectors.bills import Names
from connectors.bills.files import Lines
from connectors.bills.ratio import ratio
from connectors.gcp.commitments import commitment_columns, fee_key, fee_parts
from connectors.gcp.placing import Placing, covered, is_placed, know, placed_of_fee

CREDIT_FIELDS = ("id", "name", "full_name", "type", "amount")
LABEL_FIELDS = ("key", "value")
_PARTS = {"used": "_rest", "unused": "_unused"}  # of a commitment's fee
IS_LINE = "_piece.kind = 'line'"
IS_CREDIT = "_piece.kind = 'credit'"
IS_USE = "_piece.kind in ('line', 'discounted')"
IS_DISCOUNTED = "(_piece.kind = 'discounted' or (_piece.kind = 'line' and coalesce(_discounted = _cost, false)))"
IS_COVERED_PIECE = "_piece.kind = 'covered'"
CREDIT_AMOUNT = "try_cast(_piece.amount as decimal(38, 12))"
_NO_CREDIT = ", ".join(f"{name} := cast(null as varchar)" for name in CREDIT_FIELDS)


def read_source(lines: Lines) -> None:
    """Gives the open file the view `source`: its lines, their lists as structures, and what a commitment has to do."""
    names = lines.names
    columns = {
        "_cost": names.decimal("cost"),
        **_entries(names, "credits", CREDIT_FIELDS),
        **_entries(names, "system_labels", LABEL_FIELDS),
        **commitment_columns(names),
    }
    added = ", ".join(f"{sql} as {name}" for name, sql in columns.items())
    lines.connection.execute("alter view lines rename to delivered")
    lines.connection.execute(f"create view source as select *, {added} from delivered")


def unfold(lines: Lines, shares: Mapping[str, Decimal], placing: Placing) -> None:
    """Gives the open file the view `lines`, one row for each piece. `shares`: used shares of legacy fees."""
    used, unused = fee_parts(lines.names, shares)
    know(lines, placing)
    rest = f"_used - case when _used is null then 0 else {placed_of_fee(fee_key(lines.names))} end"
    of_fee = [f"case when {cost} <> 0 then [{_piece(kind)}] else [] end" for kind, cost in _PARTS.items()]
    of_discounted = f"case when _discounted < _cost then [{_piece('discounted')}] else [] end"
    packed = ", ".join(f"{name} := entry.{name}" for name in CREDIT_FIELDS)
    of_credits = f"list_transform(_credits, lambda entry: struct_pack(kind := 'credit', {packed}))"
    laid, of_covered = "", list[str]()
    if placing.shares:
        laid = f", case when {is_placed(lines.names)} then {covered(lines.names)} else [] end as _laid"
        given = "id := share.id, name := share.name, full_name := cast(null as varchar), type := share.description"
        piece = f"struct_pack(kind := 'covered', {given}, amount := cast(share.amount as varchar))"
        of_covered = [f"list_transform(_laid, lambda share: {piece})"]
    first = f"[{_piece('line')}]"
    pieces = f"list_concat({', '.join([first, of_discounted, *of_fee, of_credits, *of_covered])})"
    lines.connection.execute(
        f"create view lines as select *, unnest({pieces}) as _piece "
        f"from (select *, {rest} as _rest{laid} from (select *, {used} as _used, {unused} as _unused from source))"
    )


def _entries(names: Names, column: str, fields: tuple[str, ...]) -> dict[str, str]:
    """Columns for the view `source`: a repeated column as a list of structures of texts, and where it is none.

    It is a list, or a text that writes one, as JSON or as Python does. `_<column>` is empty where there is no list;
    `_<column>_unreadable` is true where a text should write one and does not.
    """
    found = names.find(column)
    kind = f"struct({', '.join(f'{name} varchar' for name in fields)})[]"
    listed, text, unreadable = f"_{column}", f"_{column}_text", f"_{column}_unreadable"
    if found is None:
        return {listed: f"cast([] as {kind})", unreadable: "false"}
    if found.kind == "list":
        packed = ", ".join(f"{name} := cast(entry.{name} as varchar)" for name in fields)
        read = f"list_transform({found.sql}, lambda entry: struct_pack({packed}))"
        return {listed: f"coalesce({read}, [])", unreadable: "false"}
    written, shape = names.text(column), ", ".join(f'"{name}":"VARCHAR"' for name in fields)
    return {
        text: f"case when json_valid({written}) then {written} else replace({written}, '''', '\"') end",
        unreadable: (
            f"{text} is not null and case when json_valid({text}) then json_type({text}) <> 'ARRAY' else true end"
        ),
        listed: f"case when {unreadable} or {text} is null then [] else from_json({text}, '[{{{shape}}}]') end",
    }


def part(amount: str) -> str:
    """SQL of what a line and what is discounted of it have of the line's amount; together just that. Else NULL."""
    discounted = ratio(amount, "_discounted", "_cost")
    return (
        f"case when _piece.kind = 'discounted' then {discounted} when not {IS_LINE} then null "
        f"when _discounted < _cost then {amount} - {discounted} else {amount} end"
    )


def _piece(kind: str) -> str:
    return f"struct_pack(kind := '{kind}', {_NO_CREDIT})"


def system_label(name: str) -> str:
    """SQL of a system label's value, NULL where the line has none of that name."""
    return f"list_filter(_system_labels, lambda label: label.key = 'compute.googleapis.com/{name}')[1].value"
