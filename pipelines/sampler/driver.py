"""Asks NVIDIA's management library, and takes "cannot say" for an answer.

The bindings (`pynvml`, of the package nvidia-ml-py) raise an error for whatever a GPU, a driver or a permission does
not allow. A sample goes on without the value and names the code. A driver that is gone altogether ends the round.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pynvml

Answer = TypeVar("Answer")
Errors = dict[str, int]
"""Error codes of NVML by the name of what was asked."""

FUNCTION_NOT_FOUND = 13
NOT_APPLICABLE = 0xFFFFFFFF  # an instance id of a GPU that is not partitioned
NOT_AVAILABLE = 0xFFFFFFFFFFFFFFFF
VERSION_MISMATCH = 18
_DRIVER_GONE = frozenset({1, 9, 12, VERSION_MISMATCH})  # uninitialised, not loaded, no library, another version
_WORDS = {
    1: "it is not initialised",
    4: "no permission",
    9: "the driver is not loaded",
    12: "libnvidia-ml.so.1 is not found",
    15: "a GPU is lost",
    18: "the library and the loaded driver are of different versions",
    999: "an unknown error",
}


class DriverLostError(Exception):
    """The driver answers nothing at all. `code` is NVML's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"NVML error {code}: {_WORDS.get(code, 'see nvmlReturn_t in nvml.h')}")
        self.code = code


def ask(errors: Errors, name: str, call: Callable[..., Answer], *given: Any) -> Answer | None:
    """What the call answers; None, with NVML's code under `name` in `errors`, where it has no answer.

    Raises DriverLostError where there is no driver any more.
    """
    try:
        return call(*given)
    except pynvml.NVMLError as error:
        code = _code(error)
        if code in _DRIVER_GONE:
            raise DriverLostError(code) from None
        if code:  # the bindings raise success, too, where a list has no entries
            errors[name] = code
        return None


def ask_either(errors: Errors, name: str, calls: tuple[Callable[..., Answer], ...], *given: Any) -> Answer | None:
    """The same, with older functions after newer ones: the next is asked where the library lacks one."""
    answer: Answer | None = None
    for call in calls:
        errors.pop(name, None)
        answer = ask(errors, name, call, *given)
        if errors.get(name) != FUNCTION_NOT_FOUND:
            break
    return answer


def open_driver() -> None:
    """Starts talking to the driver. Raises DriverLostError when it cannot be reached."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise DriverLostError(_code(error)) from None


def close_driver() -> None:
    """Stops talking to it; one that is gone has nothing to be closed."""
    try:
        pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return


def count_gpus() -> int:
    """How many GPUs the driver knows. Raises DriverLostError when it does not answer."""
    try:
        return pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError as error:
        raise DriverLostError(_code(error)) from None


def _code(error: Any) -> int:
    """NVML's number; the bindings declare no attribute for it."""
    return int(error.value)
