"""YAML with the position of every key and value, duplicate keys refused and decimals kept exact."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from pipelines.config.problems import ConfigError, Problem

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A parsed file: plain Python values, and where each stands as (line, column) from 1."""

    file: Path
    content: dict[str, Any]
    positions: dict[Location, tuple[int, int]]

    def position(self, location: Location) -> tuple[int, int]:
        """Where `location` stands, or the nearest place around it that exists."""
        for length in range(len(location), -1, -1):
            if found := self.positions.get(location[:length]):
                return found
        return (1, 1)

    def problem(self, location: Location, message: str, remedy: str = "") -> Problem:
        """A problem at `location`, which is written the way people read it: `sources[2].location`."""
        line, column = self.position(location)
        return Problem(line, column, dotted(location) or "file", message, remedy)


DEEPEST = 20  # a configuration nests four deep


class _Loader(yaml.SafeLoader):
    """Keeps decimals exact (a price of 2.25 never passes through a float) and refuses what no configuration needs."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuses aliases, which can make a node its own parent or a few lines a billion, and bounds the nesting."""
        event: yaml.Event = self.peek_event()
        mark: Any = event.start_mark  # the library's two kinds of mark differ in name only
        if isinstance(event, yaml.AliasEvent):
            raise ComposerError(None, None, f"*{event.anchor}: write the value out", mark)
        if self._depth == DEEPEST:
            raise ComposerError(None, None, f"nested more than {DEEPEST} deep", mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A value that is not what its tag says is a problem with a place, not an exception of some converter."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
            kind = node.tag.rpartition(":")[2]
            raise ConstructorError(None, None, f"is no {kind}", node.start_mark) from error


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal | float:
    text = str(loader.construct_scalar(node)).replace("_", "")
    try:
        return Decimal(text)
    except ArithmeticError:
        return loader.construct_yaml_float(node)


def _date(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    """A day that does not exist stays text, so that validation can say where it stands."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date)


def read(file: Path) -> Document:
    """Reads `file`. Raises ConfigError when it is absent, not UTF-8, not YAML, or repeats a key."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = "Write one with 'farthing init', or name it with --config."
        raise ConfigError(file, [Problem(1, 1, "file", "there is no such file", hint)]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(file, [Problem(1, 1, "file", f"cannot be read: {error}")]) from error
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(file, [Problem(line, 1, "file", f"is not YAML: {error.reason}")]) from error
    try:
        node = loader.get_single_node()
        positions: dict[Location, tuple[int, int]] = {}
        problems: list[Problem] = []
        if node is not None:
            _walk(node, (), positions, problems)
        content = loader.construct_document(node) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ConfigError(file, [Problem(line, column, "file", f"is not YAML: {error.problem}")]) from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        problems.append(Problem(1, 1, "file", "must hold keys and values, such as 'company: Acme'"))
    if problems:
        raise ConfigError(file, problems)
    return Document(file, content, positions)


def _walk(
    node: yaml.Node, location: Location, positions: dict[Location, tuple[int, int]], problems: list[Problem]
) -> None:
    positions.setdefault(location, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*location, index), positions, problems)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*location, str(key.value))
            here = (key.start_mark.line + 1, key.start_mark.column + 1)
            if inner in positions:
                earlier = positions[inner][0]
                problems.append(Problem(*here, dotted(inner), f"is given twice, first on line {earlier}"))
            positions[inner] = here
            _walk(value, inner, positions, problems)


def dotted(location: Location) -> str:
    """`("sources", 2, "location")` as people write it: `sources[2].location`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
