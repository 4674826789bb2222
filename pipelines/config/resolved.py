"""What the file says with secrets in place of references, and the memory of which values must never be shown.

Here belongs: putting values where references stand, making paths absolute, blotting values out of messages.
Here does not belong: what a setting means.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.config.positions import Document, Location
from pipelines.config.problems import Problem
from pipelines.config.secrets import SecretError, is_open_secret, is_reference, resolve

# Settings that hold a path: relative ones start at the file that names them.
PATHS = frozenset({"location", "scrapes", "lake", "directory"})
HIDDEN = "***"


@dataclass
class Resolved:
    """The content of a document, resolved; `secrets` maps the places of references to their values."""

    document: Document
    environment: Mapping[str, str] | None
    content: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    secrets: dict[Location, str] = field(default_factory=dict, repr=False)
    unresolved: set[Location] = field(default_factory=set)

    def is_hidden(self, location: Location) -> bool:
        """Whether what stands at a place came from a reference."""
        return any(location[:length] in self.secrets for length in range(1, len(location) + 1))

    def blotted(self, problem: Problem) -> Problem:
        """The problem without any value that came from a reference, whoever put it into the words."""
        forms = {form for value in self.secrets.values() for form in (value, repr(value)[1:-1])}
        message, remedy = problem.message, problem.remedy
        for form in sorted(forms, key=len, reverse=True):
            whole = re.compile(rf"(?<!\w){re.escape(form)}(?!\w)")
            message, remedy = whole.sub(HIDDEN, message), whole.sub(HIDDEN, remedy)
        return replace(problem, message=message, remedy=remedy)


def resolved(document: Document, environment: Mapping[str, str] | None) -> Resolved:
    """The document with secrets in place of references, and paths absolute; problems name references, never values."""
    found = Resolved(document, environment)
    found.content = {str(key): _value(found, value, (str(key),)) for key, value in document.content.items()}
    return found


def _value(found: Resolved, value: Any, location: Location) -> Any:
    if isinstance(value, dict):
        return {key: _value(found, inner, (*location, str(key))) for key, inner in value.items()}
    if isinstance(value, list):
        return [_value(found, inner, (*location, index)) for index, inner in enumerate(value)]
    name = str(location[-1])
    if is_reference(value):
        return _secret(found, str(value), location)
    if is_open_secret(name, value):
        remedy = "Write a reference: env:NAME or file:path."
        message = "is a secret and must not stand in this file"
        found.problems.append(found.document.problem(location, message, remedy))
        found.secrets[location] = str(value)
    if isinstance(value, str) and name in PATHS and ("://" not in value or value.startswith("file://")):
        return str(found.document.file.parent.resolve() / value.removeprefix("file://"))
    return value


def _secret(found: Resolved, reference: str, location: Location) -> str:
    try:
        found.secrets[location] = resolve(reference, found.document.file.parent, found.environment)
    except SecretError as error:
        remedy = "Set it where the run starts, or create the file."
        found.problems.append(found.document.problem(location, str(error), remedy))
        found.unresolved.add(location)
    return found.secrets.get(location, "unresolved")
