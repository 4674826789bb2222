"""The one resource: the open house. A run holds the lake's lock for as long as it has the house."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from pipelines.house import House, open_house

CONFIG_VARIABLE = "FARTHING_CONFIG"
DEFAULT_CONFIG = "farthing.yml"


def config_file() -> Path:
    """The configuration that Dagster's own processes use: FARTHING_CONFIG, else farthing.yml where they start."""
    return Path(os.environ.get(CONFIG_VARIABLE, DEFAULT_CONFIG))


@dg.resource(description="Configuration, lake and engine, opened for one run under the lake's lock.")
def house_resource(context: dg.InitResourceContext) -> Iterator[House]:
    """Opens the house for a run that Dagster started."""
    with open_house(config_file(), context.run_id or "interactive") as house:
        yield house


def house_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> House:
    """The house of a running asset. Raises TypeError when the resource is something else."""
    house = context.resources.house
    if not isinstance(house, House):
        raise TypeError(f"resource 'house' must be a House, not {type(house).__name__}")
    return house
