"""From a file to a validated `Config`: types, names, cross-references and secrets, all problems in one go."""

import hashlib
import json
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from connectors.base import SourceSettings
from connectors.registry import SOURCES, source
from pipelines.config.positions import Document, Location, read
from pipelines.config.problems import ConfigError, Problem, nearest
from pipelines.config.references import unknown_references
from pipelines.config.schema import Config, settings_fields
from pipelines.config.secrets import SecretError, is_reference, is_secret_name, resolve

# Settings that hold a path: relative ones start at the file that names them.
PATHS = frozenset({"location", "scrapes", "lake", "directory"})


def load(file: Path, environment: Mapping[str, str] | None = None) -> tuple[Config, str]:
    """Reads and validates `file`.

    Returns the configuration with secrets resolved and paths absolute, and the hash of what the file says
    (references, not secrets). Raises ConfigError holding every problem found.
    """
    document = read(file)
    problems: list[Problem] = []
    content = _resolved(document, document.content, (), environment, problems)
    sources = [_settings(document, entry, index, problems) for index, entry in _entries(content, "sources")]
    config: Config | None = None
    try:
        config = Config.model_validate({**content, "sources": [entry for entry in sources if entry is not None]})
    except ValidationError as error:
        problems += [_explain(document, Config, (), item) for item in error.errors(include_url=False)]
    if not isinstance(content.get("sources"), list) or not content["sources"]:
        problems.append(document.problem(("sources",), "must list at least one source", "See 'farthing init'."))
    if config is not None:
        problems += unknown_references(document, config)
    if problems or config is None:
        raise ConfigError(file, problems)
    return config, _hash(document.content)


def _hash(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _entries(content: dict[str, Any], key: str) -> Iterator[tuple[int, Any]]:
    value = content.get(key)
    yield from enumerate(value if isinstance(value, list) else [])


def _resolved(
    document: Document,
    value: Any,
    location: Location,
    environment: Mapping[str, str] | None,
    problems: list[Problem],
) -> Any:
    """The value with secrets in place of references, and paths absolute."""
    if isinstance(value, dict):
        return {k: _resolved(document, v, (*location, str(k)), environment, problems) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolved(document, v, (*location, i), environment, problems) for i, v in enumerate(value)]
    name = str(location[-1]) if location else ""
    if is_reference(value):
        try:
            return resolve(str(value), document.file.parent, environment)
        except SecretError as error:
            remedy = "Set it where the run starts, or create the file."
            problems.append(document.problem(location, str(error), remedy))
            return "unresolved"
    if isinstance(value, str) and is_secret_name(name):
        remedy = "Write a reference: env:NAME or file:path."
        problems.append(document.problem(location, "is a secret and must not stand in this file", remedy))
    if isinstance(value, str) and name in PATHS and "://" not in value:
        return str(document.file.parent.resolve() / value)
    return value


def _settings(document: Document, entry: Any, index: int, problems: list[Problem]) -> SourceSettings | None:
    location: Location = ("sources", index)
    if not isinstance(entry, dict) or "kind" not in entry:
        problems.append(document.problem(location, "needs 'name' and 'kind'", nearest("", SOURCES)))
        return None
    if entry["kind"] not in SOURCES:
        message = f"there is no connector '{entry['kind']}'"
        problems.append(document.problem((*location, "kind"), message, nearest(str(entry["kind"]), SOURCES)))
        return None
    model = source(entry["kind"]).settings_model
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        problems += [_explain(document, model, location, item) for item in error.errors(include_url=False)]
        return None


def _explain(document: Document, model: type[BaseModel], base: Location, error: Any) -> Problem:
    """One of pydantic's errors as a problem with its place and the nearest valid name."""
    inner = tuple(part for part in error["loc"] if part != "[key]")
    location = (*base, *inner)
    name = str(inner[-1]) if inner else ""
    if error["type"] == "extra_forbidden":
        return document.problem(location, "is not a known setting", nearest(name, _names_at(model, inner[:-1])))
    if error["type"] == "missing":
        return document.problem(location, f"is missing: '{name}' is required")
    if error["type"] == "literal_error":
        found, expected = error["input"], error["ctx"]["expected"]
        names = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
        return document.problem(location, f"found '{found}', expected {expected}", nearest(str(found), names))
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    found = error.get("input")
    shown = f", found '{found}'" if isinstance(found, str | int) and not is_secret_name(name) else ""
    return document.problem(location, f"{message}{shown}")


def _names_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The setting names valid at `location` below `model`."""
    current: Any = model
    for part in location:
        if isinstance(part, int) or not (isinstance(current, type) and issubclass(current, BaseModel)):
            continue
        field = settings_fields(current).get(part)
        current = _model_in(field.annotation) if field is not None else None
    return list(settings_fields(current)) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside `X`, `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, tuple, list):
        for argument in get_args(annotation):
            if found := _model_in(argument):
                return found
    return None
