"""Working ahead changes when things are computed, never what comes out."""

from collections.abc import Iterator
from threading import get_ident

import pytest

from connectors.bills.ahead import ahead


def test_items_come_in_their_order_and_from_another_thread() -> None:
    threads = set[int]()

    def items() -> Iterator[int]:
        for item in range(50):
            threads.add(get_ident())
            yield item

    assert list(ahead(items())) == list(range(50))
    assert get_ident() not in threads


def test_what_fails_fails_after_the_items_before_it() -> None:
    def items() -> Iterator[str]:
        yield "first"
        raise ValueError("damaged")

    found = ahead(items())
    assert next(found) == "first"
    with pytest.raises(ValueError, match="damaged"):
        next(found)


def test_at_most_one_item_is_computed_before_it_is_asked_for() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for item in range(10):
            made.append(item)
            yield item

    found = ahead(items())
    assert next(found) == 0
    found.close()
    assert len(made) <= 2
