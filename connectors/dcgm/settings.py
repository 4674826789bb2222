"""What `farthing.yml` says of a source of GPU samples, beside where the series are."""

from pydantic import Field

from connectors.prometheus import PrometheusSettings
from connectors.settings_rules import Pattern


class DcgmSettings(PrometheusSettings):
    """Samples from a Prometheus server (`url`) or from files of scrapes (`scrapes`): exactly one of them."""

    exporter_pattern: Pattern = Field(
        default="dcgm-exporter", description="Regular expression: the exporter's own pods and containers."
    )
    job_namespace: str = Field(
        default="hpc-jobs", min_length=1, description="Namespace of GPUs that a batch job holds (label hpc_job)."
    )
