"""GPU samples of any number of GPUs and days, once a minute: day files of `gpu_samples`, the same every time.

Every value follows from a GPU's and a minute's number by hashing, so files are made in parallel and need no seed.
GPUs work, rest and are free in stretches of forty minutes, each with a pod of its own; activity jitters by the minute.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from contracts import contract

FIRST_DAY = date(2026, 1, 1)
GPUS_OF_A_NODE = 8
MINUTES = 1440

_TYPES = {"string": "varchar", "json": "varchar", "int64": "bigint", "int32": "integer", "bool": "boolean"}
_VALUES = {
    "sampled_at": "cast($day as timestamp) + interval (minute * 60 + gpu % 60) second",
    "sample_date": "$day",
    "cluster": "'prod'",
    "hostname": f"'node-' || (gpu // {GPUS_OF_A_NODE})",
    "gpu_uuid": "'GPU-' || md5(cast(gpu as varchar))",
    "gpu_index": f"gpu % {GPUS_OF_A_NODE}",
    "gpu_instance_id": "''",
    "gpu_model_name": "'NVIDIA H100 80GB HBM3'",
    "namespace": f"case when phase = 0 then '' else 'team-' || (gpu // {GPUS_OF_A_NODE} % 20) end",
    "pod": "case when phase = 0 then '' else 'pod-' || gpu || '-' || stretch end",
    "container": "case when phase = 0 then '' else 'main' end",
    "sm_active_ratio": "case when phase >= 3 then round(0.4 + 0.6 * draw, 3) else round(0.02 * draw, 3) end",
    "gr_engine_active_ratio": "case when phase >= 3 then round(0.5 + 0.5 * draw, 3) else 0 end",
    "tensor_active_ratio": "case when phase >= 3 then round(0.5 * draw, 3) else 0 end",
    "dram_active_ratio": "case when phase >= 3 then round(0.7 * draw, 3) else 0 end",
    "gpu_util_ratio": "case when phase >= 3 then 1.0 else 0 end",
    "memory_used_mib": "70000.0",
    "power_watts": "case when phase >= 3 then 600.0 else 70.0 end",
    "x_source": "'dcgm'",
    "x_slice_date": "$day",
    "x_page": "'0123456789abcdef'",
    "x_row": "n",
}


def write_samples(folder: Path, gpu_count: int, day_count: int) -> None:
    """Writes `gpu_samples/<day>.parquet` into the folder."""
    (folder / "gpu_samples").mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    for number in range(day_count):
        day = FIRST_DAY + timedelta(days=number)
        target = folder / "gpu_samples" / f"{day}.parquet"
        connection.execute(f"copy ({_select(day, number, gpu_count)}) to '{target}' (format parquet, compression zstd)")
    connection.close()


def _select(day: date, number: int, gpu_count: int) -> str:
    columns = ", ".join(
        f"cast({_VALUES.get(column.name, 'null')} as {_TYPES.get(column.type, column.type)}) as {column.name}"
        for column in contract("gpu_samples").columns
    )
    minutes = f"""
        select
            range as n,
            range // {MINUTES} as gpu,
            range % {MINUTES} as minute,
            ({number * MINUTES} + range % {MINUTES} + (range // {MINUTES}) * 7) // 40 as stretch,
            cast(hash(range + {number * 100_000_000}) % 1000 as double) / 1000 as draw
        from range({gpu_count * MINUTES})
    """
    phases = f"select *, cast(hash(gpu * 100000 + stretch) % 6 as bigint) as phase from ({minutes})"
    dated = columns.replace("$day", f"date '{day}'")
    return f"select {dated} from ({phases})"


def billed_hours(gpu_count: int, day_count: int) -> pa.Table:
    """Every node billed for every hour."""
    midnight = datetime.combine(FIRST_DAY, datetime.min.time())
    hours = [midnight + timedelta(hours=hour) for hour in range(24 * day_count)]
    rows = [
        {
            "resource_id": f"i-{node}",
            "hostname": f"node-{node}",
            "cluster": "prod",
            "gpu_count": GPUS_OF_A_NODE,
            "gpu_model_name": "H100",
            "hour_start": hour,
            "usage_date": hour.date(),
            "billed_seconds": 3600,
        }
        for node in range(gpu_count // GPUS_OF_A_NODE)
        for hour in hours
    ]
    return pa.Table.from_pylist(rows, schema=contract("gpu_billed_hours").arrow_schema())
