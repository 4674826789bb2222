"""Batches of slices computed side by side: what one of them does alone, another one's processors are used for.

Here belongs: how many at once, and their order. Here does not belong: what is computed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NoReturn, TypeVar

T = TypeVar("T")
AT_ONCE = 2
"""Batches that are computed at the same time: with a third one all would wait for the same processors."""


def computed(jobs: Iterable[Callable[[], T]]) -> Iterator[T]:
    """What the jobs give, in their order: `AT_ONCE` of them are computed while the caller uses what came before.

    The next job is only asked for when one of those is nearly its turn. Raises what the first job in order raised, or
    asking for it.
    """
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for job in _asked(jobs):
                found = [waiting.popleft().result()] if len(waiting) == AT_ONCE else []
                waiting.append(pool.submit(job))
                yield from found
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _asked(jobs: Iterable[Callable[[], T]]) -> Iterator[Callable[[], T]]:
    """The jobs; where asking for one raises, a last one that raises it when its turn comes."""
    try:
        yield from jobs
    except Exception as error:  # noqa: BLE001 - whatever it is, what was computed before it is not to be lost
        yield partial(_raise, error)


def _raise(error: Exception) -> NoReturn:
    raise error
