"""File names of statements."""

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.filenames import safe_name, statement_filename
from reports.given import Period


def test_a_plain_team_keeps_its_name(period: Period) -> None:
    assert statement_filename("search", period) == "statement-2026-07-search.html"


@pytest.mark.parametrize(
    "team_id", ["../../etc", "/etc/passwd", "a" * 300, "..", "", "con\x00", "a\\b", "x\r\ny", "\ud800"]
)
def test_no_name_leaves_the_folder_or_grows_long(team_id: str, period: Period) -> None:
    name = statement_filename(team_id, period)
    assert PurePath(name).name == name
    assert name.isascii()
    assert len(name) < 110
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-.")


@given(st.text(), st.text())
def test_two_teams_never_share_a_file(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_case_twins_and_a_team_named_like_a_safe_name_stay_apart() -> None:
    twin = safe_name("ML")
    assert len({safe_name("ml"), twin, safe_name("Ml"), safe_name(twin)}) == 4
