"""A list of names that may be long is told by its first ones and by how many more there are."""

import pytest

from connectors.wording import first_of


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_a_long_list_is_told_by_its_first_names(names: list[str], told: str) -> None:
    assert first_of(names) == told
