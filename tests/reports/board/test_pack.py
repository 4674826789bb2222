"""Columns on their way into the page: every digit and every name comes out again."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

from reports.board.pack import Packed, Words, as_text, json_bytes
from reports.given import StatementError

AMOUNTS = [
    "0",
    "0.000000000001",
    "-0.000000000001",
    "9223372.036854775807",
    "9223372.036854775808",
    "-9223372.036854775808",
    "-9223372.036854775809",
    "99999999999999999999999999.999999999999",
    "-99999999999999999999999999.999999999999",
]


def unpacked(packed: Packed, name: str) -> list[int]:
    """An oracle of its own: bytes by place, the lowest first, two's complement."""
    width, offset = next(column[1:] for column in packed.directory if column[0] == name)
    places = [packed.content[offset + p * packed.rows : offset + (p + 1) * packed.rows] for p in range(width)]
    values = [bytes(place[row] for place in places) for row in range(packed.rows)]
    return [int.from_bytes(value, "little", signed=width == 16) for value in values]


def test_every_amount_that_a_mart_can_hold_is_kept_to_the_last_unit() -> None:
    amounts = pl.Series([Decimal(text) for text in AMOUNTS], dtype=pl.Decimal(38, 12))
    packed = Packed(len(AMOUNTS))
    packed.add_money("cost", amounts)
    assert unpacked(packed, "cost") == [int(Fraction(text) * 10**12) for text in AMOUNTS]


def test_a_slice_of_a_longer_column_is_that_slice() -> None:
    amounts = pl.Series([Decimal(n) for n in range(10)], dtype=pl.Decimal(38, 12))
    packed = Packed(3)
    packed.add_money("cost", amounts.slice(4, 3))
    assert unpacked(packed, "cost") == [4 * 10**12, 5 * 10**12, 6 * 10**12]


def test_what_is_not_known_is_zero_here_and_named_beside_it() -> None:
    packed = Packed(2)
    packed.add_money("cost", pl.Series([None, Decimal(2)], dtype=pl.Decimal(38, 12)))
    assert unpacked(packed, "cost") == [0, 2 * 10**12]


def test_an_amount_of_more_places_than_money_has_is_refused() -> None:
    with pytest.raises(StatementError, match="more than 12 places"):
        Packed(1).add_money("cost", pl.Series([Decimal("0.0000000000001")], dtype=pl.Decimal(38, 13)))


@pytest.mark.parametrize(("count", "width"), [(256, 1), (257, 2), (65_536, 2), (65_537, 4)])
def test_codes_take_as_many_bytes_as_they_need(count: int, width: int) -> None:
    words, packed = Words(), Packed(count)
    packed.add_codes("team", words.codes("team", pl.Series([f"{n:06}" for n in range(count)])))
    assert packed.directory == [("team", width, 0)]
    assert unpacked_codes(packed) == list(range(count))


def unpacked_codes(packed: Packed) -> list[int]:
    _, width, offset = packed.directory[0]
    places = [packed.content[offset + p * packed.rows : offset + (p + 1) * packed.rows] for p in range(width)]
    return [int.from_bytes(bytes(place[row] for place in places), "little") for row in range(packed.rows)]


def test_a_value_has_one_number_in_all_months_and_none_is_lost() -> None:
    words = Words()
    first = words.codes("model", pl.Series(["b", None, "a"]))
    second = words.codes("model", pl.Series(["c", "a"]))
    assert words.known["model"] == {"": 0, "a": 1, "b": 2, "c": 3}
    assert (first.tolist(), second.tolist()) == ([2, 0, 1], [3, 1])


def test_what_stands_in_the_file_means_nothing_to_a_browser() -> None:
    text = as_text(json_bytes({"name": "</script><script>alert(1)</script>"}))
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
