"""Which XID errors stop a GPU.

Here belongs: reading the list, `gpu_faults.yml`. Here does not belong: the codes themselves, and how long one lasts.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.once import read_once

_FILE = Path(__file__).with_name("gpu_faults.yml")


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    xid: int = Field(ge=1, le=1023)
    meaning: str


def gpu_faults() -> dict[int, str]:
    """What each fatal code means. Raises ValueError for a list that is none."""
    entries = TypeAdapter(list[_Fault]).validate_python(read_once(_FILE))
    return {entry.xid: entry.meaning for entry in entries}
