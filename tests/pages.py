"""What pages of the documentation show of the command line: the commands, and what they answered."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = "..."
_BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^(?:\$ )?farthing (.*)$")


@dataclass(frozen=True)
class Shown:
    """One command as a page shows it. `answer` is empty where the page shows none."""

    page: str
    arguments: tuple[str, ...]
    answer: tuple[str, ...]

    def is_answered_by(self, output: str) -> bool:
        """Whether the output is the page's, but for what the page leaves out by a line of three dots."""
        pieces = "\n".join(line.rstrip() for line in self.answer).strip("\n").split(f"\n{LEFT_OUT}\n")
        told = "\n".join(line.rstrip() for line in output.splitlines()).strip("\n")
        pattern = r"\n(?:.*\n)*".join(re.escape(piece) for piece in pieces)
        return re.fullmatch(pattern, told) is not None


def shown(name: str) -> list[Shown]:
    """Every command of a page, in its order."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [found for block in _BLOCK.findall(text) for found in _commands(name, block.splitlines())]


def _commands(page: str, lines: list[str]) -> Iterator[Shown]:
    starts = [number for number, line in enumerate(lines) if _COMMAND.match(line)]
    for start, end in pairwise([*starts, len(lines)]):
        match = _COMMAND.match(lines[start])
        if match:
            answer = lines[start + 1 : end] if lines[start].startswith("$") else []
            yield Shown(page, tuple(shlex.split(match[1], comments=True)), tuple(answer))
