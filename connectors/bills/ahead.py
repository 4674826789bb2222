"""Work that goes on while what it gave before is being written: both spend their time outside of Python's lock."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Generator[Item]:
    """The same items in the same order; the next one is computed in a thread while the last one is used.

    One item is held beside the one in use. What `items` raises is raised here, after the items before it.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
