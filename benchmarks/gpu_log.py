"""GPU samples of any number of GPUs and days, once a minute, and who held the GPUs: the same every time.

Every value follows from a GPU's and a minute's number by hashing, so files are made in parallel and need no seed. GPUs
work and rest in stretches of forty minutes; activity jitters by the minute. Of four nodes

- two hold pods that live for eight hours and that samples name,
- one holds such pods, and its exporter names nobody: only the cluster knows,
- one is of a cluster of batch jobs, each of forty minutes, which samples name by their numbers.

A sixth of all pods and jobs is missing: nobody holds the GPU then.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from contracts import Contract, contract

FIRST_DAY = date(2026, 1, 1)
GPUS_OF_A_NODE = 8
MINUTES = 1440
JOB_MINUTES = 40
POD_MINUTES = 480

_TYPES = {"string": "varchar", "json": "varchar", "int64": "bigint", "int32": "integer", "bool": "boolean"}
_LANDED = {"x_slice_date": "$day", "x_page": "'0123456789abcdef'", "x_row": "n"}
_GPU = {
    "cluster": "case when is_job then 'hpc' else 'prod' end",
    "hostname": f"'node-' || (gpu // {GPUS_OF_A_NODE})",
    "gpu_model_name": "'NVIDIA H100 80GB HBM3'",
    "gpu_instance_id": "''",
}
_ACCOUNT = f"'team-' || (gpu // {GPUS_OF_A_NODE} % 20)"
_HOLDER = "case when is_job then cast(gpu * 100000 + span as varchar) else 'pod-' || gpu || '-' || span end"
_SAMPLES = {
    **_GPU,
    "sampled_at": "cast($day as timestamp) + interval (minute * 60 + gpu % 60) second",
    "sample_date": "$day",
    "gpu_uuid": "'GPU-' || md5(cast(gpu as varchar))",
    "gpu_index": f"gpu % {GPUS_OF_A_NODE}",
    "namespace": f"case when is_unnamed then '' when is_job then 'hpc-jobs' else {_ACCOUNT} end",
    "pod": f"case when is_unnamed then '' else {_HOLDER} end",
    "container": "case when is_unnamed or is_job then '' else 'main' end",
    "tells_holders": f"gpu // {GPUS_OF_A_NODE} % 4 <> 2",
    "sm_active_ratio": "case when is_at_work then round(0.4 + 0.6 * draw, 3) else round(0.02 * draw, 3) end",
    "gr_engine_active_ratio": "case when is_at_work then round(0.5 + 0.5 * draw, 3) else 0 end",
    "tensor_active_ratio": "case when is_at_work then round(0.5 * draw, 3) else 0 end",
    "dram_active_ratio": "case when is_at_work then round(0.7 * draw, 3) else 0 end",
    "gpu_util_ratio": "case when is_at_work then 1.0 else 0 end",
    "memory_used_mib": "70000.0",
    "power_watts": "case when is_at_work then 600.0 else 70.0 end",
    "x_source": "'dcgm'",
    **_LANDED,
}
_ALLOCATIONS = {
    **_GPU,
    "allocation_date": "$day",
    "started_at": "cast($day as timestamp) + interval (greatest(first_minute, 0)) minute",
    "ended_at": f"cast($day as timestamp) + interval (least(first_minute + span_minutes, {MINUTES})) minute",
    "holder_kind": "case when is_job then 'job' else 'pod' end",
    "allocation_id": _HOLDER,
    "namespace": _ACCOUNT,
    "pod": _HOLDER,
    "container": "case when is_job then '' else 'main' end",
    "workload_kind": "case when is_job then null else 'Deployment' end",
    "workload_name": _ACCOUNT,
    "resource_name": "case when is_job then 'gres/gpu:h100' else 'nvidia_com_gpu' end",
    "allocated_gpus": "1",
    "is_shared": "false",
    "gpu_uuid": "''",
    "gpu_index": "-1",
    "x_source": "case when is_job then 'slurm' else 'pods' end",
    **_LANDED,
}
_SIGHTINGS = {
    **_GPU,
    "sighting_date": "$day",
    "seen_from": "cast($day as timestamp)",
    "seen_to": "cast($day as timestamp) + interval 1 day",
    "provider_id": "''",
    "gpu_capacity": str(GPUS_OF_A_NODE),
    "gpu_count": str(GPUS_OF_A_NODE),
    "is_cordoned": "false",
    "x_source": "'nodes'",
    **_LANDED,
}
_OF_GPU = f"""
    gpu // {GPUS_OF_A_NODE} % 4 = 3 as is_job,
    case when gpu // {GPUS_OF_A_NODE} % 4 = 3 then {JOB_MINUTES} else {POD_MINUTES} end as span_minutes
"""
_IS_FREE = "hash(gpu * 100000 + span + 50000) % 6 = 0"


def write_samples(folder: Path, gpu_count: int, day_count: int) -> None:
    """Writes `<table>/<day>.parquet` into the folder, of gpu_samples, gpu_allocations and node_sightings."""
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    for table, values, rows_of in (
        ("gpu_samples", _SAMPLES, _samples),
        ("gpu_allocations", _ALLOCATIONS, _allocations),
        ("node_sightings", _SIGHTINGS, _sightings),
    ):
        (folder / table).mkdir(parents=True)
        for number in range(day_count):
            day = FIRST_DAY + timedelta(days=number)
            chosen = _columns(contract(table), values).replace("$day", f"date '{day}'")
            query = f"select {chosen} from ({rows_of(number, gpu_count)})"
            target = folder / table / f"{day}.parquet"
            connection.execute(f"copy ({query}) to '{target}' (format parquet, compression zstd)")
    connection.close()


def _columns(table: Contract, values: dict[str, str]) -> str:
    return ", ".join(
        f"cast({values.get(column.name, 'null')} as {_TYPES.get(column.type, column.type)}) as {column.name}"
        for column in table.columns
    )


def _samples(number: int, gpu_count: int) -> str:
    return f"""
        select
            *,
            {_OF_GPU},
            ({number * MINUTES} + minute + gpu * 7) // span_minutes as span,
            {_IS_FREE} as is_free,
            is_free or gpu // {GPUS_OF_A_NODE} % 4 = 2 as is_unnamed,
            not is_free and hash(gpu * 100000 + ({number * MINUTES} + minute + gpu * 7) // {JOB_MINUTES}) % 6 >= 3
                as is_at_work,
            cast(hash(n + {number * 100_000_000}) % 1000 as double) / 1000 as draw
        from (
            select range as n, range // {MINUTES} as gpu, range % {MINUTES} as minute
            from range({gpu_count * MINUTES})
        )
    """


def _allocations(number: int, gpu_count: int) -> str:
    """The pods and jobs of a day, each within it."""
    start = f"{number * MINUTES} + gpu * 7"
    return f"""
        select *, span * span_minutes - ({start}) as first_minute, row_number() over () as n
        from (
            select *, unnest(range(({start}) // span_minutes, ({start} + {MINUTES - 1}) // span_minutes + 1)) as span
            from (select range as gpu, {_OF_GPU} from range({gpu_count}))
        )
        where not {_IS_FREE}
    """


def _sightings(_number: int, gpu_count: int) -> str:
    """Every node of pods, by its first GPU."""
    nodes = f"select range as n, range * {GPUS_OF_A_NODE} as gpu, {_OF_GPU} from range({gpu_count // GPUS_OF_A_NODE})"
    return f"select * from ({nodes}) where not is_job"


def delivered_days(day_count: int) -> pa.Table:
    """Both clusters tell of every day who holds their GPUs, as `holder_days`."""
    days = [FIRST_DAY + timedelta(days=number) for number in range(day_count)]
    rows = [
        {"usage_date": day, "cluster": cluster, "x_source": source}
        for day in days
        for cluster, source in (("hpc", "slurm"), ("prod", "pods"))
    ]
    return pa.Table.from_pylist(rows, schema=contract("holder_days").arrow_schema())


def billed_hours(gpu_count: int, day_count: int) -> pa.Table:
    """Every node billed for every hour."""
    midnight = datetime.combine(FIRST_DAY, datetime.min.time())
    hours = [midnight + timedelta(hours=hour) for hour in range(24 * day_count)]
    rows = [
        {
            "resource_id": f"i-{node}",
            "hostname": f"node-{node}",
            "cluster": "hpc" if node % 4 == 3 else "prod",
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
