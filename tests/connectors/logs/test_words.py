"""What a log's words are proposed to mean: a proposal is copied, so that one which says the contrary is none."""

import pytest

from connectors.logs.words import guess


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("completed", "success"),
        ("NOT_FOUND", "failure"),
        ("unsuccessful", "failure"),
        ("unavailable", "failure"),
        ("504 Gateway Timeout", "failure"),
        # what says that nothing went wrong is named like what did
        ("NO_ERROR", None),
        ("no failure", None),
        ("error_free", None),
        ("unblocked", None),
        ("odd", None),
    ],
)
def test_the_end_of_a_call_is_guessed_by_its_name_where_that_tells(word: str, meant: str | None) -> None:
    assert guess(word, ("success", "failure")) == meant
