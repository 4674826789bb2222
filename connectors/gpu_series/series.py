"""What one series of a monitoring service is: whose GPU, which metric in which unit, and what it said when.

Here belongs: the words that the clouds share. Here does not belong: putting series together (`gathering`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_INDEX = re.compile(r"(?:.*\D)?(\d{1,4})", re.DOTALL)
BYTES_IN_MIB = 1048576.0
MOST_MIB = 1e8  # bounds tell a reading from garbage, not a good GPU from a bad one
MOST_WATTS = 1e5


class Gpu(NamedTuple):
    """What a series is about: the grain of the fact, without the instant. Empty text stands for none."""

    gpu_uuid: str
    gpu_instance_id: str = ""
    namespace: str = ""
    pod: str = ""
    container: str = ""


class Place(NamedTuple):
    """What else is told of a GPU. None is unknown.

    `tells_holders`: whether the series would name a holder if there were one.
    """

    hostname: str | None = None
    instance_id: str | None = None
    gpu_index: int | None = None
    mig_profile: str | None = None
    gpu_model_name: str | None = None
    tells_holders: bool | None = None


class Metric(NamedTuple):
    """Column `name` takes the value over `divisor`, where the value lies from 0 to `highest`.

    A name that is no column of the contract is kept in `x_extra`.
    """

    name: str
    highest: float
    divisor: float = 1.0


def percent(name: str) -> Metric:
    """A share of time that the service tells in percent."""
    return Metric(name, 100.0, 100.0)


def ratio(name: str) -> Metric:
    """A share of time from 0 to 1."""
    return Metric(name, 1.0)


def mebibytes(name: str, unit_bytes: float) -> Metric:
    """Memory that the service tells in units of so many bytes."""
    return Metric(name, MOST_MIB * BYTES_IN_MIB / unit_bytes, BYTES_IN_MIB / unit_bytes)


def watts(divisor: float = 1.0) -> Metric:
    """Power; with a divisor, energy of so many seconds in joules."""
    return Metric("power_watts", MOST_WATTS * divisor, divisor)


@dataclass(frozen=True)
class Series:
    """One metric of one GPU in one page.

    Attributes:
        points: (instant as ISO 8601, value) pairs, as they came.
        extra: What else its labels say, for `x_extra`.
        new_labels: Those of `extra` that nobody has met.
        found: The series without its points, for refusals.
    """

    gpu: Gpu
    place: Place
    metric: Metric
    points: Iterable[tuple[Any, Any]]
    extra: Mapping[str, str]
    new_labels: tuple[str, ...]
    found: object


def index_of(name: str | None) -> int | None:
    """The number that a device's name ends with: 3 of `3` and of `nvidia3`. None where there is none."""
    found = _INDEX.fullmatch(name or "")
    return int(found[1]) if found else None
