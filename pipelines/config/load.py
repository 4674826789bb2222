"""From a file to a validated `Config`: types, names, cross-references and secrets, all problems in one go."""

import hashlib
import json
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from connectors.base import SourceSettings
from connectors.registry import SOURCES, source
from pipelines.config.contradictions import contradictions, stray_session_token
from pipelines.config.positions import Location, read
from pipelines.config.problems import ConfigError, Problem, meant, nearest
from pipelines.config.references import unknown_references
from pipelines.config.resolved import Resolved, resolved
from pipelines.config.schema import Config, settings_fields
from pipelines.config.secrets import is_secret_name

_WITH_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_POINT = "Decimals have a point and no separator of thousands: write {}, say."


def load(file: Path, environment: Mapping[str, str] | None = None) -> tuple[Config, str]:
    """Reads and validates `file`.

    Returns the configuration with secrets resolved and paths absolute, and the hash of what the file says
    (references, not secrets). Raises ConfigError holding every problem found.
    """
    document = read(file)
    found = resolved(document, environment)
    content, problems = found.content, found.problems
    sources = [_settings(found, entry, index) for index, entry in _entries(content, "sources")]
    config: Config | None = None
    try:
        config = Config.model_validate({**content, "sources": [entry for entry in sources if entry is not None]})
    except ValidationError as error:
        problems += _explained(found, Config, (), error)
    if not isinstance(content.get("sources"), list) or not content["sources"]:
        problems.append(document.problem(("sources",), "must list at least one source", "See 'farthing init'."))
    if config is not None:
        problems += [*unknown_references(document, config), *contradictions(document, config, sources)]
        problems += stray_session_token(document, config, environment)
    if problems or config is None:
        raise ConfigError(file, [found.blotted(problem) for problem in problems])
    return config, content_hash(document.content)


def content_hash(content: dict[str, Any]) -> str:
    """The hash of what a file says: of references, not of secrets."""
    return hashlib.sha256(json.dumps(_by_text(content), sort_keys=True, default=str).encode()).hexdigest()


def _by_text(value: Any) -> Any:
    """The value with texts for keys, as JSON has them: `{ok: success, 500: failure}` has two kinds, and no order."""
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else json.dumps(key, default=str): _by_text(of) for key, of in value.items()
        }
    return [_by_text(item) for item in value] if isinstance(value, list) else value


def _entries(content: dict[str, Any], key: str) -> Iterator[tuple[int, Any]]:
    value = content.get(key)
    yield from enumerate(value if isinstance(value, list) else [])


def _settings(found: Resolved, entry: Any, index: int) -> SourceSettings | None:
    document, problems = found.document, found.problems
    location: Location = ("sources", index)
    if not isinstance(entry, dict) or "kind" not in entry:
        problems.append(document.problem(location, "needs 'name' and 'kind'", nearest("", SOURCES)))
        return None
    kind = entry["kind"]
    if not isinstance(kind, str) or kind not in SOURCES:
        at = (*location, "kind")
        near = "" if found.is_hidden(at) else str(kind)
        problems.append(document.problem(at, f"there is no connector '{kind}'", nearest(near, SOURCES)))
        return None
    model = source(kind).settings_model
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        problems += _explained(found, model, location, error)
        return None


def _explained(found: Resolved, model: type[BaseModel], base: Location, error: ValidationError) -> Iterator[Problem]:
    """Pydantic's errors as problems; not those that only follow from a reference that leads nowhere."""
    for item in error.errors(include_url=False):
        inner = tuple(part for part in item["loc"] if part != "[key]")
        if (*base, *inner) not in found.unresolved:
            yield _explain(found, model, base, inner, item)


def _explain(found: Resolved, model: type[BaseModel], base: Location, inner: Location, error: Any) -> Problem:
    """One of pydantic's errors as a problem with its place and the nearest valid name."""
    document, location = found.document, (*base, *inner)
    name = str(inner[-1]) if inner else ""
    is_hidden = found.is_hidden(location) or is_secret_name(name)
    value = error.get("input")
    if error["type"] == "extra_forbidden":
        return document.problem(location, "is not a known setting", nearest(name, _names_at(model, inner[:-1])))
    if error["type"] == "missing":
        return document.problem(location, f"is missing: '{name}' is required")
    if error["type"] == "literal_error":
        expected = error["ctx"]["expected"]
        names = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
        said, near = ("", "") if is_hidden else (f"found '{value}', ", str(value))
        return document.problem(location, f"{said}expected {expected}", meant(near, names))
    if error["type"] in ("too_short", "string_too_short") and isinstance(value, str):
        least = error["ctx"]["min_length"]
        needed = "1 character" if least == 1 else f"{least} characters"
        return document.problem(location, f"needs at least {needed}, it has {len(value)}")
    if error["type"] in ("model_type", "tuple_type") and not isinstance(value, list | dict):
        return document.problem(location, *_shape(model, inner, is_list=error["type"] == "tuple_type"))
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    shown = f", found '{value}'" if isinstance(value, str | int) and not is_hidden else ""
    return document.problem(location, f"{message}{shown}", "" if is_hidden else _comma_remedy(error["type"], value))


def _shape(model: type[BaseModel], inner: Location, *, is_list: bool) -> tuple[str, str]:
    """What a section or a list is, which has a single value here, and how to write it."""
    names = ", ".join(_names_at(model, inner))
    if is_list:
        return "is a list", "Write its entries on lines of their own, each after '- '."
    return "is a section", f"Write its settings on lines of their own below it, further in: {names}."


def _comma_remedy(kind: str, value: object) -> str:
    """What to write where a decimal has a comma; empty where none has."""
    if kind == "decimal_parsing" and isinstance(value, str) and _WITH_COMMA.fullmatch(value):
        return _POINT.format(value.replace(",", "."))
    if kind == "invalid_key" and isinstance(value, int):  # {rate: 1,10} is a rate of 1, and a setting 10
        return _POINT.format(f"1.{value}")
    return ""


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
