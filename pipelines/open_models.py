"""Open weights: their shapes and names, and the throughputs that others published of them.

Here belongs: reading `open_models.yml` and `reference_throughputs.yml`. Here does not belong: the figures themselves,
what is made of them (`models.memory_fit`, `models.break_even`).
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.once import read_once
from models.memory_fit import Shape

_FOLDER = Path(__file__).parent


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Shape(_Entry):
    parameters: int
    layers: int
    kv_heads: int
    head_size: int


class OpenModel(_Entry):
    """A model of open weights: its id here, its shape, and the names of the same weights in the price book."""

    id: str
    shape: _Shape
    repository: str
    names: frozenset[str]

    @property
    def memory_shape(self) -> Shape:
        """As it is fitted into memory."""
        return Shape(**self.shape.model_dump())


class ReferenceThroughput(_Entry):
    """What a system of so many GPUs generated a second in a published run, and with which lengths."""

    model: str
    gpu: str
    gpus: int = Field(gt=0)
    precision: str
    scenario: str
    output_tokens_per_second: int = Field(gt=0)
    input_tokens: int = Field(gt=0)
    output_tokens: int = Field(gt=0)
    as_of: date
    certainty: Literal["published", "derived", "third_party"]
    source: str


@cache
def open_models() -> Mapping[str, OpenModel]:
    """The open models by their id."""
    return {entry.id: entry for entry in TypeAdapter(list[OpenModel]).validate_python(_read("open_models.yml"))}


@cache
def reference_throughputs() -> tuple[ReferenceThroughput, ...]:
    """All published throughputs that are shipped, in the file's order."""
    return tuple(TypeAdapter(list[ReferenceThroughput]).validate_python(_read("reference_throughputs.yml")))


def reference_of(model: str, gpu_type: str, precision: str) -> ReferenceThroughput | None:
    """The newest published throughput of a model on a type of GPU at a precision, or None: others compute faster."""
    wanted = (model, gpu_type, precision)
    fitting = [one for one in reference_throughputs() if (one.model, one.gpu, one.precision) == wanted]
    return max(fitting, key=lambda one: one.as_of, default=None)


def weights_key(model_id: str) -> str:
    """The form in which names of weights are compared: behind the last "/", in small letters."""
    return model_id.rsplit("/", 1)[-1].lower()


def _read(name: str) -> object:
    return read_once(_FOLDER / name)
