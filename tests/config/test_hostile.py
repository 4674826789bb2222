"""A file that is hostile or damaged is a problem with a line, never a traceback and never a long wait."""

from pathlib import Path

import pytest

from tests.config.test_load import GOOD, complaint, line_of

BOMB = "a: &a [x, x]\n" + "".join(
    f"{later}: &{later} [*{earlier}, *{earlier}]\n" for earlier, later in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("company: Acme\nteams: &a [*a]\n", "write the value out"),
        (BOMB, "write the value out"),
        ("company: Acme\nbase: &b {x: 1}\nlake: {<<: *b}\n", "write the value out"),
        ("company: Acme\nteams: " + "[" * 3000, "deep"),
        ("company: Acme\nteams: " + "{a: " * 3000, "deep"),
        ("company: !!float abc\n", "is no float"),
        ("company: !!int abc\n", "is no int"),
        ("company: !!bool abc\n", "is no bool"),
        ("company: !!timestamp abc\n", "is no timestamp"),
        ("company: " + "1" * 5000 + "\n", "is no int"),
        ("company: !!python/object/apply:os.system [id]\n", "tag"),
        ("company: !!binary é\n", "is not YAML"),
        ("? [a, b]\n: c\n", "is not YAML"),
    ],
    ids=lambda value: value[:40],
)
def test_a_hostile_file_is_a_problem_with_a_line(tmp_path: Path, text: str, said: str) -> None:
    message = complaint(tmp_path, text)
    assert "farthing.yml:" in message
    assert said in message
    assert len(message) < 500


def test_the_line_of_a_value_that_is_not_what_it_says_is_told(tmp_path: Path) -> None:
    text = GOOD.replace("name: Support", "name: !!int Support")
    assert f"farthing.yml:{line_of(text, '!!int')}:" in complaint(tmp_path, text)
