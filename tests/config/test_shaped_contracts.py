"""A table that has the shape of another names it, and says nothing of it again."""

import pytest

from contracts import contract
from contracts.load import shaped

POSTINGS = {"table": "postings", "layer": "core", "key": ["id"], "columns": [{"name": "id"}], "published": True}


def test_the_shape_is_the_other_s_and_the_rest_its_own() -> None:
    own = {"table": "restated", "shaped_as": "postings", "description": "Anew.", "key": ["id", "day"]}
    assert shaped(own, {"postings": POSTINGS, "restated": own}) == {
        "table": "restated",
        "description": "Anew.",
        "layer": "core",
        "key": ["id", "day"],
        "columns": [{"name": "id"}],
    }


@pytest.mark.parametrize("name", ["nothing", "restated"])
def test_a_shape_that_nobody_states_is_refused(name: str) -> None:
    own = {"table": "restated", "shaped_as": name}
    with pytest.raises(ValueError, match=f"shaped_as '{name}' is not a table that states its own columns"):
        shaped(own, {"postings": POSTINGS, "restated": own})


def test_what_is_posted_anew_has_the_journal_s_columns() -> None:
    journal, anew = contract("postings"), contract("restated_postings")
    assert anew.arrow_schema() == journal.arrow_schema()
    assert (anew.published, anew.checks) == (False, ())
