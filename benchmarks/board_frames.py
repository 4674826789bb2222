"""Frames in the shape of tables' contracts, for boards of any size."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from contracts import contract

Ints = npt.NDArray[np.int64]
_MONEY = pa.decimal128(38, 12)


def money(units: Ints) -> pl.Series:
    """Whole numbers of 10^-12 units as the decimals that marts hold."""
    wide = np.empty((len(units), 2), dtype="<i8")
    wide[:, 0], wide[:, 1] = units, units >> 63
    array = pa.Array.from_buffers(_MONEY, len(units), [None, pa.py_buffer(wide.tobytes())])
    return pl.Series(pl.from_arrow(array))


def frame(table: str, rows: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of a table in the contract's schema; columns that are not given are NULL."""
    schema = contract(table).arrow_schema()
    height = len(next(iter(rows.values())))
    columns = [pl.Series(name, rows.get(name, [None] * height)) for name in schema.names]
    empty = pl.DataFrame(pl.from_arrow(schema.empty_table()))
    return pl.DataFrame(columns).cast(dict(empty.schema))  # type: ignore[arg-type]  # a schema is a mapping
