"""Plain landed lines as columns: what many records say alike is computed for all of them at once.

Here belongs: reading lines by the types of their allow-list, and expressions that any log may need. Here does not
belong: what a field means. A line that is not plain is left to the reader of single records, which alone may refuse.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from connectors.base import Window
from connectors.logs.allow_list import Fields
from connectors.logs.instants import FIRST_SECOND, LAST_SECOND, instant_of
from connectors.logs.plain_lines import PlainForm
from connectors.logs.values import WITHHELD, Rule, count, flag, instant
from contracts import contract

_MARKS = (b"\\", b'"unreadable":', WITHHELD.encode())  # no line with one of these is plain
_KINDS: dict[Rule, pa.DataType] = {count: pa.int64(), flag: pa.bool_(), instant: pa.float64()}
_EXACT = pa.decimal256(76, 38)
_DAY_US = 86_400_000_000


class Columns(NamedTuple):
    """How plain records of one log are read as columns.

    `schema` is what their lines look like. `rows` adds the columns of `gateway_requests` that have a value, and
    `is_plain`; None where a value of the page fits no column.
    """

    schema: pa.Schema
    rows: Callable[[pl.DataFrame], pl.DataFrame | None]


def landed_schema(form: PlainForm) -> pa.Schema:
    """What a landed line looks like where all its values are of the kind expected."""
    return pa.schema(list(_struct(form.fields, _KINDS | {form.rules.tags: pa.list_(pa.string())})))


def kind_at(schema: pa.Schema, path: str) -> pa.DataType:
    """The type of the field at the dotted path."""
    return reduce(lambda kind, name: kind.field(name).type, path.split("."), pa.struct(list(schema)))


def plain_rows(content: bytes, columns: Columns, window: Window) -> pl.DataFrame | None:
    """Rows of the page's plain records that started in the window; None where none can be told."""
    records = _plain_records(content, columns.schema)
    rows = None if records is None else columns.rows(records)
    if rows is None:
        return None
    is_inside = pl.col("started_at").is_between(instant_of(window.start), instant_of(window.end), closed="left")
    kept = rows.filter(pl.col("is_plain") & is_inside)
    return kept.with_columns(
        usage_date=(pl.col("started_at") // _DAY_US).cast(pl.Int32), latency_seconds=_latency_seconds(kept)
    )


def table_of(rows: pl.DataFrame) -> pa.Table:
    """The rows in the contract's schema: a column that they do not have is NULL throughout."""
    schema = contract("gateway_requests").arrow_schema()
    given = rows.select([name for name in schema.names if name in rows.columns])
    found = given.to_arrow(compat_level=pl.CompatLevel.oldest())
    columns = [
        found[column.name].cast(column.type) if column.name in given.columns else pa.nulls(rows.height, column.type)
        for column in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _plain_records(content: bytes, schema: pa.Schema) -> pl.DataFrame | None:
    """The lines of a page that may be plain, with their numbers in `x_row`; None where the types fit not all of them.

    Texts in them hold neither quotes nor backslashes, so that they stand in JSON as they are.
    """
    if not content.endswith(b"\n"):
        return None  # the page is empty or torn
    numbers: Sequence[int] = range(1, content.count(b"\n") + 1)
    if any(mark in content for mark in _MARKS):
        lines = content.split(b"\n")[:-1]
        numbers = [n for n, line in enumerate(lines, start=1) if not any(mark in line for mark in _MARKS)]
        content = b"\n".join(lines[n - 1] for n in numbers)
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    try:
        found = pj.read_json(pa.BufferReader(content), parse_options=options)
    except pa.ArrowInvalid:
        return None  # a value is not of the kind expected, or no line is left
    if found.num_rows != len(numbers):
        return None
    return pl.DataFrame(found).with_columns(pl.Series("x_row", numbers, pl.Int64))


def at(path: str) -> pl.Expr:
    """The value at the dotted path; null where an object on the way is."""
    first, *rest = path.split(".")
    found = pl.col(first)
    for name in rest:
        found = found.struct.field(name)
    return found


def instant_us(seconds: pl.Expr) -> pl.Expr:
    """Microseconds since 1970; null for what is no plausible point in time. See `instants.microseconds`."""
    is_plausible = (seconds >= FIRST_SECOND) & (seconds < LAST_SECOND)
    return pl.when(is_plausible).then((seconds * 1_000_000).round(0, mode="half_to_even").cast(pl.Int64))


def is_sum(text: pl.Expr) -> pl.Expr:
    """Whether an amount was stated and is not zero."""
    return text.str.contains(r"^[^eE]*[1-9]").fill_null(False)


def usd(texts: pl.Series) -> pl.Series | None:
    """Amounts rounded half to even at the twelfth decimal, as `attempt.usd` does; None where one does not fit."""
    try:
        exact = pc.cast(texts.to_arrow().cast(pa.string()), _EXACT)
        options = pc.RoundOptions(ndigits=12, round_mode="half_to_even")
        found = pc.call_function("round", [exact], options).cast(pa.decimal128(18, 12))  # refuses a million and more
    except pa.ArrowInvalid:
        return None
    return pl.Series(texts.name, found)


def none_is_zero(*paths: str) -> pl.Expr:
    """A count that may be left out, or stand in several places of which some stay zero."""
    return pl.max_horizontal([at(path) for path in paths]).fill_null(0)


def identity() -> pl.Expr:
    """Of rows that have the columns it is made of, the identity that `attempt` gives an attempt that was answered."""
    started = (pl.col("started_at") + 500) // 1000
    names = ("status", "call_type", "billed_model", "input_total_tokens", "output_total_tokens")
    parts = [pl.col("request_id"), started, *map(pl.col, names), pl.col("source_reported_cost_usd")]
    return pl.concat_str([part.cast(pl.String).fill_null("") for part in parts], separator=":")


def json_object(members: Mapping[str, pl.Expr]) -> pl.Expr:
    """A JSON object's text, its keys in order, without what is null; null where all is. Values are JSON already."""
    shown = [pl.concat_str(pl.lit(f"{orjson.dumps(name).decode()}:"), value) for name, value in sorted(members.items())]
    inner = pl.concat_str(shown, separator=",", ignore_nulls=True) if shown else pl.lit("")
    return pl.when(inner != "").then(pl.concat_str(pl.lit("{"), inner, pl.lit("}")))


def json_text(text: pl.Expr) -> pl.Expr:
    """A plain text as JSON."""
    return pl.concat_str(pl.lit('"'), text, pl.lit('"'))


def told(frame: pl.DataFrame, names: Sequence[str], tell: Callable[..., dict[str, str | None]]) -> pl.DataFrame:
    """The frame with the columns that `tell` makes of the named ones: asked once for all rows that say the same."""
    distinct = frame.select(names).unique(maintain_order=True)
    answers: list[dict[str, Any]] = [tell(*row) for row in distinct.iter_rows()]
    answered = distinct.hstack(pl.DataFrame(answers, schema=dict.fromkeys(answers[0], pl.String)))
    return frame.join(answered, on=names, how="left", nulls_equal=True, maintain_order="left")


def _latency_seconds(rows: pl.DataFrame) -> pl.Series:
    """Divided by as many divisors: by a single one Polars would multiply by its rounded inverse."""
    lasted = pl.col("ended_at") - pl.col("started_at")
    microseconds = rows.select(pl.when(lasted >= 0).then(lasted)).to_series().cast(pl.Float64)
    return microseconds / pl.repeat(1e6, rows.height, dtype=pl.Float64, eager=True)


def _struct(fields: Fields, kinds: dict[Rule, pa.DataType]) -> Iterable[pa.Field]:
    for name, rule in fields.items():
        yield pa.field(
            name, pa.struct(list(_struct(rule, kinds))) if isinstance(rule, dict) else kinds.get(rule, pa.string())
        )
