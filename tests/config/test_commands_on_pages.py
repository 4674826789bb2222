"""Every command that a page shows is one that the command line takes, with the options that it has."""

from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from pipelines.cli.main import app
from tests.pages import ROOT, Shown, shown

PAGES = ["README.md", *(str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").glob("*.md")))]
COMMANDS = [command for page in PAGES for command in shown(page)]


def parse(arguments: tuple[str, ...]) -> None:
    """Reads the arguments as the command line would, and does nothing. Raises what Typer raises of a wrong call."""
    command: Any = typer.main.get_command(app)
    name, rest = "farthing", list(arguments)
    context = command.context_class(command, info_name=name)
    while isinstance(command, TyperGroup):
        name, command, rest = command.resolve_command(context, rest)
        assert command is not None
        context = command.context_class(command, info_name=name, parent=context)
    command.make_context(name, rest, parent=context.parent)


def test_pages_show_commands() -> None:
    assert len([command for command in COMMANDS if command.page == "docs/tutorial.md"]) >= 10
    assert len(COMMANDS) >= 40


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}: {' '.join(command.arguments)[:60]}")
def test_a_command_of_a_page_is_one(command: Shown) -> None:
    parse(command.arguments)


@pytest.mark.parametrize("arguments", [("explian",), ("run", "--sourse", "x"), ("what-if", "self-hst", "m")])
def test_a_slip_would_be_found(arguments: tuple[str, ...]) -> None:
    with pytest.raises(Exception, match="No such"):
        parse(arguments)


def test_an_answer_is_held_against_every_line_that_is_shown() -> None:
    page = Shown("", (), ("one", "...", "three", ""))
    assert page.is_answered_by("one\ntwo\nthree\n")
    assert page.is_answered_by("one\nthree\n")
    assert not page.is_answered_by("one\ntwo\nthree\nfour\n")
    assert not page.is_answered_by("one\ntwo\n")
