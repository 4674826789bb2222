"""The table of what each source must be allowed to do, read from the connectors' pages, where it is written.

A page says it in one of three ways: a row `rights` of a table (a column for each kind, where the header names kinds), a
column `rights` of a table with a row for each kind, or a sentence that begins with `Rights:`, for the kinds of its
heading. Here belongs: finding it. Here does not belong: the words.
"""

import re
from pathlib import Path

from connectors.registry import SOURCES
from pipelines.documents.table import table

_KIND = re.compile(r"`(?:kind: )?(\w+)`")
_SENTENCE = re.compile(r"^(?:- )?Rights: (.+)$")
_RIGHTS = "rights"


def rights_table(root: Path) -> str:
    """One row for kinds of a page that need the same. Raises ValueError when a page does not say what a kind needs."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for folder in dict.fromkeys(_folder(kind) for kind in SOURCES):
        said = rights_of(root, folder)
        for kind in (kind for kind in SOURCES if _folder(kind) == folder):
            if kind not in said:
                raise ValueError(f"{folder}/README.md does not say what `{kind}` needs: add a line 'Rights: ...'")
            kinds.setdefault((folder, said[kind]), []).append(kind)
    rows = [[", ".join(_linked(kind) for kind in alike), needed] for (_, needed), alike in kinds.items()]
    return table(["kind", "needs"], rows)


def rights_of(root: Path, folder: str) -> dict[str, str]:
    """What a folder's page says, by kind; the later word counts, and one for a kind before one for all of them."""
    page = (root / folder / "README.md").read_text(encoding="utf-8")
    kinds = [kind for kind in SOURCES if _folder(kind) == folder]
    of_all: dict[str, str] = {}
    found: dict[str, str] = {}
    header: list[str] = []
    scope = kinds
    for paragraph in _paragraphs(page):
        cells = _cells(paragraph)
        if paragraph.startswith("#"):
            scope = _named(paragraph, kinds) or kinds
        elif not cells:
            header = []
            if sentence := _SENTENCE.match(paragraph):
                (of_all if scope == kinds else found).update(dict.fromkeys(scope, _first_sentence(sentence[1])))
        elif not header:
            header = cells
        elif cells[0] == _RIGHTS and any(_named(cell, kinds) for cell in header):
            found |= _by_column(header, cells, kinds)
        elif cells[0] == _RIGHTS:
            (of_all if scope == kinds else found).update(dict.fromkeys(scope, _together(header, cells)))
        elif _RIGHTS in header and _named(cells[0], kinds):
            found |= dict.fromkeys(_named(cells[0], kinds), cells[header.index(_RIGHTS)])
    return of_all | found


def _linked(kind: str) -> str:
    return f"[`{kind}`](../{_folder(kind)}/README.md)"


def _folder(kind: str) -> str:
    return "/".join(SOURCES[kind].split(".")[:2])


def _paragraphs(page: str) -> list[str]:
    """Headings, rows of tables and items each by itself; the lines of a sentence together."""
    joined = re.sub(r"\n(?![\n#|`]|- )", " ", re.sub(r"```.*?```", "", page, flags=re.DOTALL))
    return [line.strip() for line in joined.splitlines()]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


def _named(text: str, kinds: list[str]) -> list[str]:
    return [kind for kind in _KIND.findall(text) if kind in kinds]


def _by_column(header: list[str], cells: list[str], kinds: list[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for head, cell in zip(header[1:], cells[1:], strict=True):
        text = cell.replace("the same", cells[1], 1) if cell.startswith("the same") else cell
        said |= dict.fromkeys(_named(head, kinds), text)
    return said


def _together(header: list[str], cells: list[str]) -> str:
    """A row whose columns are ways of reading, not kinds."""
    ways = zip(header[1:], cells[1:], strict=True)
    return "; ".join(f"{way}: {cell}" if way else cell for way, cell in ways)


def _first_sentence(text: str) -> str:
    return re.split(r"\.(?:\s|$)", text, maxsplit=1)[0]
