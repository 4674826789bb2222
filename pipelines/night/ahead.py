"""Batches of slices computed side by side: what one of them does alone, another one's processors are used for.

Here belongs: how many at once, and their order. Here does not belong: what is computed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 2
"""Batches that are computed at the same time: with a third one all would wait for the same processors."""


def computed(jobs: Iterable[Callable[[], T]]) -> Iterator[T]:
    """What the jobs give, in their order: `AT_ONCE` of them are computed while the caller uses what came before.

    The next job is only asked for when one of those is nearly its turn. Raises what the first job in order raised.
    """
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for job in jobs:
                found = [waiting.popleft().result()] if len(waiting) == AT_ONCE else []
                waiting.append(pool.submit(job))
                yield from found
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
