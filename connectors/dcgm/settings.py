"""What `farthing.yml` says of a source of GPU samples, beside where the series are."""

import re

from pydantic import Field, field_validator

from connectors.prometheus import PrometheusSettings


class DcgmSettings(PrometheusSettings):
    """Samples from a Prometheus server (`url`) or from files of scrapes (`scrapes`): exactly one of them."""

    exporter_pattern: str = Field(
        default="dcgm-exporter", description="Regular expression: the exporter's own pods and containers."
    )
    job_namespace: str = Field(
        default="hpc-jobs", min_length=1, description="Namespace of GPUs that a batch job holds (label hpc_job)."
    )

    @field_validator("exporter_pattern")
    @classmethod
    def _pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return pattern
