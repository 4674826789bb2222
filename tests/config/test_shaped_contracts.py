"""A table that has the shape of another names it, and says nothing of it again."""

from pathlib import Path

import pytest

from contracts import contract
from contracts.load import shaped, stated

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


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "postings.yml"
    file.write_text("table: postings\nkey: [posting_id]\ncolumns:\n  - {name: a, type: date}\nkey: [other]\n")
    with pytest.raises(ValueError, match=r"postings\.yml: line 5: 'key' stands twice"):
        stated(file)
    file.write_text("table: postings\ncolumns:\n  - {name: a, type: date, name: b}\n")
    with pytest.raises(ValueError, match="line 3: 'name' stands twice"):
        stated(file)
