"""The files of a large log read by several processes, in the order in which one process would read them.

Here belongs: when that pays, who reads what, and the order. Here does not belong: what a line may hold.
"""

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import BinaryIO, TypeVar, cast

from connectors.storage import StoredObject
from connectors.workers import BUFFER_BYTES, Job, Worker, processors

F = TypeVar("F")
_MOST_PROCESSES = 4  # this one too: what becomes of the lines is done in one
_LARGE_BYTES = 320 * 1024 * 1024  # unpacked: a second of reading, twice what it takes to start a process
_PIECE_BYTES = 32 * 1024 * 1024
_TIMES_PACKED = 10
_WAITING_EACH = 4  # so many, that nobody waits while another process still starts


def helpers_for(files: Iterable[StoredObject]) -> int:
    """How many processes beside this one shall read these files: none where they would not pay for their start."""
    sizes = [_unpacked_bytes(file) for file in files]
    return min(processors(), _MOST_PROCESSES, len(sizes)) - 1 if sum(sizes) >= _LARGE_BYTES else 0


def pieces(files: Sequence[F], stored: Callable[[F], StoredObject]) -> Iterator[Sequence[F]]:
    """The files in their order, a large one by itself, small ones together."""
    first, size = 0, 0
    for number, file in enumerate(files, start=1):
        size += _unpacked_bytes(stored(file))
        if size >= _PIECE_BYTES or number == len(files):
            yield files[first:number]
            first, size = number, 0


def lines_of_jobs(jobs: Iterable[Job], helpers: int) -> Iterator[bytes]:
    """The lines that the jobs write, in the order of the jobs; this process does jobs as well.

    What a job writes lies in a nameless temporary file until its turn comes: of so many jobs at most as
    `_WAITING_EACH` gives all processes. Raises what the first job in order to fail raised; see `Worker.write`.
    """
    idle: SimpleQueue[Worker] = SimpleQueue()
    ahead: deque[_Begun] = deque()

    def elsewhere(job: Job, sink: BinaryIO) -> None:
        worker = idle.get()
        try:
            worker.write(job, sink)
        finally:
            idle.put(worker)

    try:
        with ThreadPoolExecutor(helpers) as pool, ExitStack() as ending:
            for _ in range(helpers):
                worker = Worker()
                ending.callback(worker.end)
                idle.put(worker)
            ending.callback(pool.shutdown, wait=False, cancel_futures=True)
            yield from _in_order((_begun(pool, elsewhere, job) for job in jobs), ahead, _WAITING_EACH * (helpers + 1))
    finally:
        for begun in ahead:
            with suppress(OSError):  # of a full disk, which is told already
                begun.sink.close()


@dataclass
class _Begun:
    job: Job
    sink: BinaryIO
    outcome: "Future[None]"

    def is_taken(self) -> bool:
        """Takes the job away from the others, where none of them has it yet, and does it here and now."""
        if not self.outcome.cancel():
            return False
        self.outcome = Future()
        try:
            self.job(self.sink)
        except Exception as error:  # noqa: BLE001  # it is raised when its turn comes
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(None)
        return True


def _begun(pool: ThreadPoolExecutor, elsewhere: Callable[[Job, BinaryIO], None], job: Job) -> _Begun:
    # closed when its lines have had their turn
    sink = cast("BinaryIO", tempfile.TemporaryFile(buffering=BUFFER_BYTES))  # noqa: SIM115
    return _Begun(job, sink, pool.submit(elsewhere, job, sink))


def _in_order(begun: Iterator[_Begun], ahead: deque[_Begun], most: int) -> Iterator[bytes]:
    while True:
        ahead.extend(islice(begun, most - len(ahead)))
        if not ahead:
            return
        while not ahead[0].outcome.done() and any(job.is_taken() for job in ahead):
            pass
        ahead[0].outcome.result()
        with ahead.popleft().sink as lines:
            lines.seek(0)
            yield from lines


def _unpacked_bytes(file: StoredObject) -> int:
    return file.size * _TIMES_PACKED if file.path.endswith(".gz") else file.size
