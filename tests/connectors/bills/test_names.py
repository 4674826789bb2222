"""Which columns are one: those that a shape asks for, in any spelling; never those that people named."""

import pytest

from connectors.base import IncompleteDeliveryError
from connectors.bills.names import Given, Names

FAMILY = ["user:cost-center", "user:cost_center", "user:Team", "user:team", "user:部署", "user:地域"]


def names(*columns: str) -> Names:
    return Names("bill", [Given(name, f"c{n}", "text") for n, name in enumerate(columns)])


def test_a_family_s_members_are_told_apart_by_their_exact_names() -> None:
    found = names("line/Cost", *(f"tags/{name}" for name in FAMILY))
    family = found.starting("tags/")
    assert [given.name for given in family] == [f"tags/{name}" for name in FAMILY]
    assert [found.text(given.name) for given in family] == [f"nullif(c{n}, '')" for n in range(1, 7)]
    assert found.decimal("line_cost").count("c0") > 0


def test_a_column_in_another_script_is_not_its_prefix() -> None:
    assert names("tags/部署", "tags/地域").find("tags") is None


def test_columns_alike_are_refused_where_they_are_asked_for_and_kept_where_they_are_not() -> None:
    found = names("line/Cost", "line_cost", "Note", "note")
    assert [given.name for given in found.columns.values()] == ["line/Cost", "line_cost", "Note", "note"]
    for ask in (found.find, found.text, found.decimal, found.require):
        with pytest.raises(IncompleteDeliveryError, match="'line/Cost' and 'line_cost' are the same one"):
            ask("line_cost")


def test_a_family_does_not_choose_between_columns_outside_of_it() -> None:
    found = names("line/Cost", "line_cost", "tags/a")
    found.starting("tags/")
    with pytest.raises(IncompleteDeliveryError, match="are the same one"):
        found.find("line_cost")


def test_one_name_twice_is_refused() -> None:
    with pytest.raises(IncompleteDeliveryError, match="'note' and 'note' are the same one"):
        names("note", "note")
