"""What `farthing.yml` says of a spool of GPU samples: where it is, and what holders without a name are called."""

from pydantic import Field

from connectors.base import StoredSourceSettings
from connectors.dated_files import DatedLayout


class NvmlSettings(StoredSourceSettings):
    """The spools of any number of nodes, in one folder or object store."""

    location: str = Field(
        min_length=1, description="Folder, s3://bucket/prefix, gs://... or az://... that the nodes' spools come to."
    )
    layout: DatedLayout = Field(
        default="{date}/*",
        description="Where a day's files are below `location`: as the sampler names them, or such as `*{yyyymmdd}T*`.",
    )
    job_namespace: str = Field(
        default="hpc-jobs", min_length=1, description="Namespace of GPUs that a batch job of Slurm holds."
    )
    pod_namespace: str = Field(
        default="unnamed-pods",
        min_length=1,
        description="Namespace of GPUs held by pods that are known by their uid alone.",
    )
    process_namespace: str = Field(
        default="unnamed-processes",
        min_length=1,
        description="Namespace of GPUs held by programs of no pod and no job, or by nobody knows whom.",
    )
    namespaces: dict[str, str] = Field(
        default={},
        description="Namespaces in place of the last two, by host: `gpu-research-*: research`. The first that fits.",
    )
    trailing_days: int = Field(default=1, ge=0, le=31, description="Days before the night's own that are read again.")
