"""`farthing explain`: from a figure down to the bill's lines and the files that brought them, and the proof of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from pipelines.explain.question import Question
    from pipelines.explain.walk import Explanation

FORMATS = ("text", "json", "csv")


@dataclass(frozen=True)
class ExplainRequest:
    """What `farthing explain` was asked for. `form` is empty where the output's name decides."""

    what: str
    rest: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    depth: str = ""
    form: str = ""
    output: Path | None = None
    everything: bool = False
    figure: str = ""


def explain_figure(console: Console, file: Path, request: ExplainRequest) -> int:
    """Explains a figure of the published snapshot, on the terminal or in a file. Returns the exit code.

    It is not 0 where the levels do not all come to the figure.
    """
    import duckdb

    from pipelines.cli.commands import FAILED, OK, WRONG, stopped
    from pipelines.config import ConfigError
    from pipelines.explain.question import QuestionError
    from pipelines.explain.tree import ALL_DEPTHS
    from pipelines.explain.walk import USUAL
    from pipelines.lake import LakeError

    form, depth = _form(request), request.depth or USUAL
    for name, given, known in (("format", form, FORMATS), ("depth", depth, ALL_DEPTHS)):
        if given not in known:
            return stopped(console, f"--{name} is one of {', '.join(known)}; found '{given}'", WRONG)
    try:
        asked, number, explanation = _explained(file, request, depth)
    except (ConfigError, QuestionError) as error:
        return stopped(console, str(error), WRONG)
    except (duckdb.CatalogException, duckdb.BinderException) as error:  # a table, or a column, that it lacks
        return stopped(console, f"{error}\nPublish again with this version: farthing run", FAILED)
    except (LakeError, duckdb.Error) as error:
        return stopped(console, str(error), FAILED)
    write = _writer(form, asked, number, explanation, everything=request.everything)
    if request.output is None:
        write(console)
    elif not _written(console, request.output, write):
        return FAILED
    for text in explanation.breaks:
        console.print(f"[red]✗[/] {escape(text)}", highlight=False, soft_wrap=True)
    if explanation.breaks:
        sums = "1 sum differs" if len(explanation.breaks) == 1 else f"{len(explanation.breaks)} sums differ"
        console.print(f"[red]The explanation does not add up: {sums}, as said above.[/]", highlight=False)
    return FAILED if explanation.breaks else OK


def _form(request: ExplainRequest) -> str:
    if request.form:
        return request.form
    suffix = request.output.suffix.removeprefix(".").lower() if request.output else ""
    return "text" if suffix in ("", "txt") else suffix


def _explained(file: Path, request: ExplainRequest, depth: str) -> tuple["Question", int, "Explanation"]:
    from pipelines.clock import utc_now
    from pipelines.config.place import lake_place
    from pipelines.explain.evidence import evidence
    from pipelines.explain.question import cells, figure, question
    from pipelines.explain.rules import Rules
    from pipelines.explain.tree import Asked, explain_rows
    from pipelines.lake import Lake

    asked = question(request.what, request.rest, request.where)
    name = figure(asked.mart, request.figure)
    with evidence(Lake.open(*lake_place(file), utc_now)) as found:
        rows = cells(found, asked)
        return asked, found.number, explain_rows(Asked(found, Rules(file), depth, name), asked.mart, rows)


def _writer(
    form: str, asked: "Question", number: int, explanation: "Explanation", *, everything: bool
) -> Callable[[Console], None]:
    from pipelines.cli.explained import as_csv, as_json, as_text
    from pipelines.cli.explained_rows import as_page

    if form == "text" and not explanation.mart.parts:
        return lambda console: _plain(console, as_page(asked, number, explanation, everything=everything))
    if form == "text":
        return lambda console: _plain(console, as_text(asked, number, explanation, everything=everything))
    written = as_json(asked, number, explanation) if form == "json" else as_csv(explanation)
    return lambda console: _plain(console, written)


def _plain(console: Console, text: str) -> None:
    """As it is: neither wrapped nor coloured, so that it can be read by a program."""
    console.file.write(text)


def _written(console: Console, output: Path, write: Callable[[Console], None]) -> bool:
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            write(Console(file=file))
    except OSError as error:
        console.print(f"[red]{escape(str(output))} cannot be written: {escape(str(error.strerror))}[/]")
        return False
    console.print(f"{escape(str(output))} written", highlight=False, soft_wrap=True)
    return True
