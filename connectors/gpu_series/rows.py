"""Samples as an Arrow table of `gpu_samples`.

Here belongs: columns. Here does not belong: what they mean.
"""

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

from connectors.base import SourceSettings, Window
from connectors.gpu_series.series import Gpu, Place
from contracts import contract

# A sample while it is put together: [page, row in it, place, extra, one value for each metric].
# A list, because there are millions of them and each is written to several times.
Sample = list[Any]
PAGE, ROW, PLACE, EXTRA, FIRST_VALUE = range(5)
Staged = tuple[Gpu, int, Sample]


def table(rows: Sequence[Staged], names: Sequence[str], settings: SourceSettings, window: Window) -> pa.Table:
    """The rows in the contract's schema. `names` are those of the values; what is no column goes to `x_extra`."""
    schema = contract("gpu_samples").arrow_schema()
    instants = pa.array([at for _, at, _ in rows], pa.timestamp("ms")).cast(pa.timestamp("us"))
    values = {
        name: pa.array([sample[FIRST_VALUE + slot] for _, _, sample in rows], pa.float64())
        for slot, name in enumerate(names)
        if name in schema.names
    }
    told = [(slot, name) for slot, name in enumerate(names) if name not in schema.names]
    columns: dict[str, Any] = {
        **{name: pa.nulls(len(rows), schema.field(name).type) for name in schema.names},
        "sampled_at": instants,
        "sample_date": instants.cast(pa.date32(), safe=False),
        "cluster": _same(settings.account, len(rows)),
        **{name: pa.array([gpu[n] for gpu, _, _ in rows], pa.string()) for n, name in enumerate(Gpu._fields)},
        **{
            name: pa.array([sample[PLACE][n] for _, _, sample in rows], schema.field(name).type)
            for n, name in enumerate(Place._fields)
        },
        **values,
        "x_extra": pa.array([_extra(sample, told) for _, _, sample in rows], pa.string()),
        "x_source": _same(settings.name, len(rows)),
        "x_slice_date": _same(window.slice_date, len(rows)),
        "x_page": pa.array([sample[PAGE] for _, _, sample in rows], pa.string()),
        "x_row": pa.array([sample[ROW] for _, _, sample in rows], pa.int64()),
    }
    return pa.table([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _extra(sample: Sample, told: Sequence[tuple[int, str]]) -> str | None:
    found: dict[str, Any] = dict(sample[EXTRA])
    found |= {name: sample[FIRST_VALUE + slot] for slot, name in told if sample[FIRST_VALUE + slot] is not None}
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode() if found else None


def _same(value: Any, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), count)
