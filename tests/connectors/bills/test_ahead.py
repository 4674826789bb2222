"""Working ahead changes when things are computed, never what comes out."""

from collections.abc import Generator
from threading import Barrier, get_ident
from time import sleep

import pytest

from connectors.bills.ahead import ahead


def test_items_come_in_their_order_and_from_another_thread() -> None:
    threads = set[int]()

    def items() -> Generator[int]:
        for item in range(50):
            threads.add(get_ident())
            yield item

    assert list(ahead([items()])) == list(range(50))
    assert get_ident() not in threads


def test_what_fails_fails_after_the_items_before_it() -> None:
    def items() -> Generator[str]:
        yield "first"
        raise ValueError("damaged")

    found = ahead([items()])
    assert next(found) == "first"
    with pytest.raises(ValueError, match="damaged"):
        next(found)


def test_at_most_one_item_is_computed_before_it_is_asked_for() -> None:
    made: list[int] = []

    def items() -> Generator[int]:
        for item in range(10):
            made.append(item)
            yield item

    found = ahead([items()])
    assert next(found) == 0
    found.close()
    assert len(made) <= 2


@pytest.mark.parametrize("width", [1, 2, 3])
def test_streams_are_taken_in_turn_whoever_is_faster(width: int) -> None:
    def items(name: str, count: int, seconds: float) -> Generator[str]:
        for number in range(count):
            sleep(seconds)
            yield f"{name}{number}"

    streams = [items("a", 3, 0.02), items("b", 1, 0), items("c", 2, 0)]
    assert (
        list(ahead(streams, width))
        == {
            1: ["a0", "a1", "a2", "b0", "c0", "c1"],
            2: ["a0", "b0", "a1", "a2", "c0", "c1"],
            3: ["a0", "b0", "c0", "a1", "c1", "a2"],
        }[width]
    )


def test_two_streams_are_computed_at_once() -> None:
    both = Barrier(2, timeout=10)

    def items() -> Generator[int]:
        yield both.wait()

    assert sorted(ahead([items(), items()], 2)) == [0, 1]
