"""What is wrong in a configuration file, said so that it can be mended without reading code."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that does not hold: where (line and column from 1), what, and the remedy."""

    line: int
    column: int
    where: str
    message: str
    remedy: str = ""

    def text(self, file: Path) -> str:
        """One line for a terminal, in the form that editors can jump to."""
        remedy = f" {self.remedy}" if self.remedy else ""
        stop = "" if self.message.endswith((".", "?", "!")) else "."
        return f"{file}:{self.line}:{self.column}: {self.where}: {self.message}{stop}{remedy}"


class ConfigError(Exception):
    """A configuration file that cannot be used. Holds every problem found, in the file's order."""

    def __init__(self, file: Path, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = sorted(set(problems))
        super().__init__("\n".join(problem.text(file) for problem in self.problems))


def nearest(name: str, valid: Iterable[str]) -> str:
    """A sentence naming the valid name nearest to `name`, or all of them when none is near."""
    names = sorted(set(valid))
    if (found := meant(name, names)) or not names:
        return found
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"Expected one of: {shown}."


def meant(name: str, valid: Iterable[str]) -> str:
    """A sentence naming the valid name nearest to `name`; empty when none is near."""
    close = difflib.get_close_matches(name, sorted(set(valid)), n=1, cutoff=0.6)
    return f"Did you mean '{close[0]}'?" if close else ""
