"""What `farthing.yml` says of a source that asks AWS by API: how to get in, and what to ask for."""

import re
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.base import SourceSettings
from connectors.settings_rules import WebAddress

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}")
BEDROCK_SERVICES = ("AmazonBedrock", "AmazonBedrockService", "AmazonBedrockFoundationModels")


class AwsApiSettings(SourceSettings):
    """How AWS is reached: by an access key, or as the machine itself."""

    access_key_id: SecretStr | None = Field(default=None, description="Access key id, by reference.")
    secret_access_key: SecretStr | None = Field(default=None, description="Secret access key, by reference.")
    session_token: SecretStr | None = Field(default=None, description="Session token of a temporary key.")
    credentials: Literal["ambient"] | None = Field(
        default=None, description="`ambient` uses the machine's own role, or what AWS's tools find there."
    )
    endpoint_url: WebAddress | None = Field(
        default=None, description="Address of the API instead of AWS's own: a private endpoint, or a proxy."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("'access_key_id' and 'secret_access_key' go together")
        if (self.access_key_id is None) == (self.credentials is None):
            raise ValueError("give either 'access_key_id' and 'secret_access_key', or 'credentials: ambient'")
        return self


class AwsRegionalSettings(AwsApiSettings):
    """Settings of a source that asks region by region."""

    regions: tuple[str, ...] = Field(min_length=1, description="Regions to ask for, such as [us-east-1, eu-west-1].")

    @field_validator("regions")
    @classmethod
    def _named(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [region for region in regions if not _REGION.fullmatch(region)]:
            raise ValueError(f"{', '.join(wrong)}: no region; expected names such as us-east-1")
        return tuple(dict.fromkeys(regions))


class AwsSpotSettings(AwsRegionalSettings):
    """Settings of kind `aws_spot_prices`."""

    kind: str = Field(default="aws_spot_prices", pattern="^aws_spot_prices$", description="Which connector reads it.")
    instance_types: tuple[str, ...] = Field(min_length=1, description="Machine types, such as [p5.48xlarge].")
    product_descriptions: tuple[str, ...] = Field(
        default=("Linux/UNIX",), min_length=1, description="Operating systems, as EC2 names them."
    )
    trailing_days: int = Field(
        default=1, ge=0, le=89, description="Days before the night's own that are read again. AWS keeps 90 days."
    )


class AwsPricesSettings(AwsRegionalSettings):
    """Settings of kind `aws_prices`."""

    kind: str = Field(default="aws_prices", pattern="^aws_prices$", description="Which connector reads it.")
    services: tuple[str, ...] = Field(
        default=("AmazonEC2", *BEDROCK_SERVICES),
        min_length=1,
        description="Price lists to read: AmazonEC2 for machines with GPUs, the others for tokens of models.",
    )
    instance_types: tuple[str, ...] = Field(
        default=(), description="Machine types of AmazonEC2; all with GPUs unless said."
    )
    savings_plans: bool = Field(
        default=False, description="Whether the rates of savings plans are read, for `instance_types`, too."
    )
    price_list_region: Literal["us-east-1", "eu-central-1", "ap-south-1"] = Field(
        default="us-east-1", description="Where the price list is asked. It is the same in all three."
    )

    @field_validator("services")
    @classmethod
    def _known(cls, services: tuple[str, ...]) -> tuple[str, ...]:
        known = ("AmazonEC2", *BEDROCK_SERVICES)
        if unknown := [name for name in services if name not in known]:
            raise ValueError(f"{', '.join(unknown)}: no such list; known are {', '.join(known)}")
        return tuple(dict.fromkeys(services))

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.savings_plans and not self.instance_types:
            raise ValueError("'savings_plans' needs 'instance_types': the rates of all machines are too many")
        return self


class AwsCommitmentsSettings(AwsRegionalSettings):
    """Settings of kind `aws_commitments`."""

    kind: str = Field(default="aws_commitments", pattern="^aws_commitments$", description="Which connector reads it.")
    capacity_reservations: bool = Field(
        default=False, description="Whether capacity reservations with an end are read, too."
    )


class AwsGpuMetricsSettings(AwsRegionalSettings):
    """Settings of kind `aws_gpu_metrics`."""

    kind: str = Field(default="aws_gpu_metrics", pattern="^aws_gpu_metrics$", description="Which connector reads it.")
    agent_namespace: str | None = Field(
        default="CWAgent",
        min_length=1,
        description="Namespace that the CloudWatch agent writes nvidia_smi metrics to; null leaves them out.",
    )
    container_insights: bool = Field(
        default=True, description="Whether the GPU metrics of Container Insights (EKS) are read, too."
    )
    clusters: tuple[str, ...] = Field(
        default=(), description="EKS clusters, as Container Insights names them; all of the account unless said."
    )
    pods: bool = Field(
        default=False,
        description="Whether a pod's GPUs are read besides the nodes'. They name no machine, and join no bill.",
    )
    trailing_days: int = Field(
        default=1,
        ge=0,
        le=13,
        description="Days before the night's own that are read again. CloudWatch lists what was active in two weeks.",
    )

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if self.agent_namespace is None and not self.container_insights:
            raise ValueError("give 'agent_namespace', or leave 'container_insights' on: nothing is left to read")
        if (self.clusters or self.pods) and not self.container_insights:
            raise ValueError("'clusters' and 'pods' need 'container_insights'")
        return self
