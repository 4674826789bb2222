"""What the file says of GPUs: when they are idle, what kind of work holds them, which replicas may stand by."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from pipelines.config.strict import Strict, Words

Ratio = Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)]
Minutes = Annotated[int, Field(gt=0, le=1440)]  # a night looks a day back and ahead


class _Workload(Strict):
    """Which holders of GPUs a rule is about."""

    cluster: str = Field(default="", description="Cluster; any when left out.")
    namespace: Words = Field(description="Namespace, or account of a batch job.")
    workload: str = Field(default="", description="What made the pod, such as a Deployment's name; any when left out.")
    pod_prefix: str = Field(default="", description="How the pod's name begins; any when left out.")


class GpuWork(_Workload):
    """Work on GPUs whose kind the scheduler does not tell. The first that fits wins."""

    kind: Literal["interactive", "training", "batch"] = Field(description="How long a lull must last to be idleness.")


class WarmStandby(_Workload):
    """Replicas of a serving engine that may stand by idle: told apart from idle waste."""

    replicas: int = Field(
        gt=0, le=10_000, description="How many replicas may be idle in an hour: those that idle longest in it."
    )


class GpuIdleness(Strict):
    """From when on a GPU counts as idle or as fully used."""

    activity_below: Ratio = Field(default=Decimal("0.05"), description="Activity below it is a lull.")
    utilisation_up_to: Ratio = Field(
        default=Decimal("0.01"), description="GPU utilisation up to it is a lull, where no better metric is told."
    )
    full_activity: Annotated[Decimal, Field(gt=0, le=1, decimal_places=6)] = Field(
        default=Decimal("0.8"), description="Activity from it on is full use."
    )
    interactive_minutes: Minutes = Field(
        default=15, description="How long a lull of a service, a notebook or unknown work lasts to be idleness."
    )
    training_minutes: Minutes = Field(
        default=30,
        description="The same for training and other jobs: those of Slurm, and of Kubernetes what a TrainJob, a "
        "Workflow or another kind that ends in Job (PyTorchJob) made.",
    )
    batch_minutes: Minutes = Field(
        default=5,
        description="The same for batch inference and other scheduled work: what a Job of Kubernetes made, unless "
        "`gpu_work` says otherwise.",
    )
