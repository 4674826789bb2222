"""Processes that write files for this one, so that the reading of a large delivery uses several processors.

Here belongs: starting them, handing jobs over, bringing errors back, ending them. Here does not belong: what is read.

Each is a fresh interpreter that imports what its jobs need. `multiprocessing` would run the main module of the program
again in each of them; a fork would copy whatever locks its threads hold. Jobs go through a socket that nobody else
holds: settings and the secrets in them stand in no argument, no environment and no file. A process ends with its
socket, so that none outlives the one that started it.
"""

import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from connectors.base import SourceError

BUFFER_BYTES = 1024 * 1024
Job = Callable[[BinaryIO], None]
"""What writes to a file, and can be pickled: a function of a module, or a `partial` of one."""
_Raised = tuple[type[Exception], tuple[Any, ...], dict[str, Any]]

_START = (
    "import sys; from multiprocessing.connection import Connection; other = Connection(int(sys.argv[1])); "
    "sys.path[:] = other.recv(); from connectors.workers import serve; serve(other)"
)


class WorkerLostError(SourceError):
    """A process ended before its job was done."""


class WorkerDefectError(RuntimeError):
    """A job stopped with an exception that it should have turned into words; the message names it, and its place."""


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Worker:
    """One such process. It takes one job at a time."""

    def __init__(self) -> None:
        self._socket, theirs = Pipe()
        with theirs:
            # in a group of its own: an interrupt at the terminal is for this process alone, which then ends the other
            self._child = subprocess.Popen(  # noqa: S603  # this very interpreter, with a text of this module
                [sys.executable, "-P", "-c", _START, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
        self._socket.send(sys.path)

    def write(self, job: Job, sink: BinaryIO) -> None:
        """Has the job write to the sink, a file of this process, from where it stands.

        Raises the SourceError that the job raised, WorkerDefectError for any other exception of it, and WorkerLostError
        where the process ended.
        """
        packed = pickle.dumps(job)
        try:
            send_handle(self._socket, sink.fileno(), self._child.pid)
            self._socket.send_bytes(packed)
            raised: _Raised | None = self._socket.recv()
        except (EOFError, OSError):
            raise WorkerLostError(
                f"a process that read a part of the delivery {_ending(self._child.wait())} before it was done; does "
                "the machine have enough memory? Run the day again"
            ) from None
        if raised is not None:
            raise _error(*raised)

    def end(self) -> None:
        """Ends the process, whatever it is doing. Whoever waits for a job of it gets a WorkerLostError."""
        self._child.kill()
        self._child.wait()


def serve(socket: Connection) -> None:
    """The other side: does the jobs that come through the socket, until it is closed."""
    jobs: SimpleQueue[tuple[int, bytes]] = SimpleQueue()
    Thread(target=_receive, args=(socket, jobs), daemon=True).start()
    while True:
        socket.send(_outcome(*jobs.get()))


def _receive(socket: Connection, jobs: "SimpleQueue[tuple[int, bytes]]") -> None:
    """In a thread of its own, which notices that the other side is gone whatever job is being done."""
    try:
        while True:
            handle = recv_handle(socket)
            jobs.put((handle, socket.recv_bytes()))
    finally:
        os._exit(0)


def _outcome(handle: int, packed: bytes) -> _Raised | None:
    try:
        sink = os.fdopen(handle, "wb", BUFFER_BYTES)
        try:
            job: Job = pickle.loads(packed)  # noqa: S301  # from the process that started this one
            job(sink)
            sink.flush()
        finally:
            with suppress(OSError):  # of a full disk, which is told already
                sink.close()
    except SourceError as error:
        return type(error), error.args, vars(error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other side shall tell it
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return WorkerDefectError, (f"{type(error).__name__} at {place}: {error}",), {}
    return None


def _error(kind: type[Exception], args: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    """The exception as it was raised. Its class may take other arguments than those that it keeps: it is not called."""
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(state)
    return error


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
