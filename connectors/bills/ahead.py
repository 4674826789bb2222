"""Work that goes on while what it gave before is being written: both spend their time outside of Python's lock."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def ahead(streams: Iterable[Generator[Item]], width: int = 1) -> Generator[Item]:
    """The items of all streams, of `width` of them in turn: always in the same order, whoever is faster.

    The next item of each of these is computed in a thread while others are used, and is the only one held. What a
    stream raises is raised here, after the items before it; the others are closed then.
    """
    waiting = iter(streams)
    coming = deque[tuple[Generator[Item], Future[Item | None]]]()
    try:
        with ThreadPoolExecutor(max_workers=width) as pool:
            coming.extend((stream, pool.submit(next, stream, None)) for stream in islice(waiting, width))
            while coming:
                stream, future = coming.popleft()
                item = future.result()
                if item is not None:
                    coming.append((stream, pool.submit(next, stream, None)))
                    yield item
                elif (fresh := next(waiting, None)) is not None:
                    coming.append((fresh, pool.submit(next, fresh, None)))
    finally:
        for stream, _ in coming:
            stream.close()
