"""What `farthing.yml` says of serving engines: where their metrics are, and what their labels leave open."""

import re
from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from connectors.prometheus import PrometheusSettings
from connectors.serving.metrics import Engine
from connectors.settings_rules import Pattern

REACH = timedelta(hours=1)
"""How far before and after a day samples are read: a counter's rise over midnight lies between two days' samples."""


class ServingSettings(PrometheusSettings):
    """Engines' metrics from a Prometheus server (`url`) or from files of scrapes (`scrapes`)."""

    engines: tuple[Engine, ...] = Field(
        default=("vllm", "sglang", "tgi", "triton", "ray_serve", "nim"), min_length=1, description="Engines to read."
    )
    interval_seconds: int = Field(
        default=300, ge=60, le=3600, description="Length of the intervals that rows stand for; it divides an hour."
    )
    max_gap_seconds: int = Field(
        default=300, ge=10, le=3600, description="Samples further apart than this leave the time between uncovered."
    )
    models: dict[Pattern, str] = Field(
        default={},
        description="Model of an engine that does not name it: a regular expression on NAMESPACE/POD, and the model.",
    )
    model_labels: tuple[str, ...] = Field(
        default=("model_name", "model"), description="Labels that name the served model, the first that is there."
    )
    target_pattern: Pattern = Field(
        default=r"([^/]*?)[-_.]?(?:20\d\d-?\d\d-?\d\d[T_]?[\d:-]*Z?)?(?:\.(?:prom|txt|metrics|om))?(?:\.gz)?$",
        description="Regular expression whose group finds the scraped engine in a file's path, where labels name no "
        "pod.",
    )

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        if 3600 % self.interval_seconds:
            raise ValueError("'interval_seconds' must divide an hour: 60, 300, 600, 900, 1800 or 3600 do")
        if self.url is not None and self.interval_seconds % self.step_seconds:
            raise ValueError("'step_seconds' must divide 'interval_seconds': a sample stands at each interval's end")
        if re.compile(self.target_pattern).groups < 1:
            raise ValueError("'target_pattern' must have a group: what it matches is the engine's name")
        return self
