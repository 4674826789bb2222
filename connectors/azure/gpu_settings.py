"""Settings of Azure Monitor's GPU metrics: which resources, and which of the sets of metrics they have."""

from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.azure.monitor import Resources
from connectors.azure_credentials import AzureCredentials

SetName = Literal["machine_learning", "online_deployments", "telegraf"]


class AzureGpuMetricsSettings(AzureCredentials):
    """GPU metrics of Azure Machine Learning, and of virtual machines that run Telegraf, from Azure Monitor."""

    kind: str = Field(
        default="azure_gpu_metrics", pattern="^azure_gpu_metrics$", description="Which connector reads it."
    )
    resources: Resources = Field(
        min_length=1,
        description="Full ids of what has GPUs: workspaces of Azure Machine Learning, deployments of its online "
        "endpoints, or virtual machines.",
    )
    metrics: SetName = Field(
        default="machine_learning",
        description="Which metrics they have: `machine_learning` (workspaces: compute clusters and instances), "
        "`online_deployments` (managed endpoints), `telegraf` (machines: Telegraf's nvidia_smi as custom metrics).",
    )
    namespace: str = Field(
        default="azureml",
        min_length=1,
        description="Namespace of GPUs that a run or a deployment of a workspace holds.",
    )
    chunk_hours: int = Field(default=6, ge=1, le=24, description="Hours of minutes in one request.")
    trailing_days: int = Field(default=1, ge=0, le=30, description="Days before the night's own that are read again.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.require_way_in()
        if 24 % self.chunk_hours:
            raise ValueError("'chunk_hours' must divide 24: 1, 2, 3, 4, 6, 8, 12 or 24 do")
        return self
