"""Critical errors (XID) that the driver reports by event, kept as the last one of each GPU or MIG instance.

The driver keeps events until they are fetched; of several between two rounds it may tell only the last.
"""

import ctypes
from typing import Any

import pynvml

from pipelines.sampler.driver import NOT_APPLICABLE, Errors, ask
from pipelines.sampler.readings import Fields

_MOST_EVENTS = 1000  # of one round: a storm of errors must not keep the sampler from sampling


class Faults:
    """Listens to the GPUs it was told to watch."""

    def __init__(self) -> None:
        self._errors: Errors = {}
        self._events = ask(self._errors, "xid", pynvml.nvmlEventSetCreate)
        self._watched: dict[str, int | None] = {}
        self._names: dict[int | None, str] = {}  # a GPU that an error took off the bus cannot be asked for its name
        self._last: dict[tuple[str, int | None], int] = {}
        self._new: dict[tuple[str, int | None], list[int]] = {}

    def watch(self, gpu: Any, gpu_uuid: str, errors: Errors) -> None:
        """Begins to listen to a GPU; one that is listened to already stays so."""
        self._names[_address(gpu)] = gpu_uuid
        if gpu_uuid not in self._watched:
            self._watched[gpu_uuid] = self._register(gpu)
        if (code := self._watched[gpu_uuid]) is not None:
            errors["xid"] = code

    def collect(self) -> None:
        """Fetches the events since the last round."""
        self._new.clear()
        for _ in range(_MOST_EVENTS if self._events is not None else 0):
            event = ask({}, "xid", pynvml.nvmlEventSetWait_v2, self._events, 0)
            if event is None:  # a timeout: there are no more
                return
            gpu_uuid = self._names.get(_address(event.device))
            if gpu_uuid is None or event.eventType != pynvml.nvmlEventTypeXidCriticalError:
                continue
            subject = (gpu_uuid, None if event.gpuInstanceId == NOT_APPLICABLE else int(event.gpuInstanceId))
            self._last[subject] = int(event.eventData)
            self._new.setdefault(subject, []).append(int(event.eventData))

    def of(self, gpu_uuid: str, instance: int | None) -> Fields:
        """The last code of a GPU or an instance, and those that are new. An instance shares those of its GPU."""
        subject = (gpu_uuid, instance)
        last = self._last.get(subject, self._last.get((gpu_uuid, None)))
        new = self._new.get(subject) or self._new.get((gpu_uuid, None))
        return {**({} if last is None else {"xid": last}), **({"new_xids": new} if new else {})}

    def forget(self, gpu_uuid: str) -> None:
        """A GPU that began anew has none of its former errors."""
        for subject in [subject for subject in self._last if subject[0] == gpu_uuid and subject not in self._new]:
            del self._last[subject]

    def close(self) -> None:
        """Stops listening."""
        if self._events is not None:
            ask({}, "xid", pynvml.nvmlEventSetFree, self._events)

    def _register(self, gpu: Any) -> int | None:
        """NVML's code where a GPU cannot be listened to."""
        if self._events is None:
            return self._errors["xid"]
        errors: Errors = {}
        kinds = ask(errors, "xid", pynvml.nvmlDeviceGetSupportedEventTypes, gpu)
        if kinds is not None and not kinds & pynvml.nvmlEventTypeXidCriticalError:
            return 3  # not supported
        if kinds is not None:
            ask(errors, "xid", pynvml.nvmlDeviceRegisterEvents, gpu, pynvml.nvmlEventTypeXidCriticalError, self._events)
        return errors.get("xid")


def _address(gpu: Any) -> int | None:
    """What tells one GPU of the driver from another: the bindings compare their own wrappers."""
    return ctypes.cast(gpu, ctypes.c_void_p).value
