"""Secrets are references: `env:NAME` or `file:path`. They are resolved here, once, and nowhere else."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from connectors.storage_open import ACCESS_MODE, AMBIENT

REFERENCE = re.compile(r"^(env|file):(?!//)(.+)$", re.DOTALL)  # file://... is an address, not a reference
# Names of settings whose value must never stand in the file itself: a token is one, tokens and their classes are not.
SECRET_NAME = re.compile(
    r"secret|password|passwd|service_account|(api|account|hash|admin|management)_key|credential"
    r"|token(?!s|_class|_weight)|\bdsn\b",
    re.IGNORECASE,
)


class SecretError(Exception):
    """A reference that leads nowhere. Names the reference, never a value."""


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name must be a reference."""
    return bool(SECRET_NAME.search(name))


def is_open_secret(name: str, value: object) -> bool:
    """Whether a secret stands in the file. `credentials: ambient` is none: it says where to look; nor is yes or no."""
    is_value = value is not None and not isinstance(value, (dict, list, bool))
    return is_value and is_secret_name(name) and (name, value) != (ACCESS_MODE, AMBIENT)


def is_reference(value: object) -> bool:
    """Whether `value` is written as a reference."""
    return isinstance(value, str) and bool(REFERENCE.match(value))


def resolve(reference: str, base: Path, environment: Mapping[str, str] | None = None) -> str:
    """The secret behind `reference`; a relative `file:` path starts at `base`.

    Raises SecretError when the variable is unset or empty, or the file is absent or empty.
    """
    match = REFERENCE.match(reference)
    if not match:
        raise SecretError("is not a reference such as env:NAME or file:/run/secrets/name")
    kind, target = match.groups()
    if kind == "env":
        value = variable(target, environment)
        if not value:
            there = target in (os.environ if environment is None else environment)
            raise SecretError(f"environment variable {target} is {'empty' if there else 'not set'}")
        return value
    path = base / target
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"secret file {target} cannot be read ({type(error).__name__})") from None
    if not value:
        raise SecretError(f"secret file {target} is empty")
    return value


def variable(name: str, environment: Mapping[str, str] | None) -> str:
    """A variable of the given environment, the process's own where none is given; empty when it is not set."""
    return (os.environ if environment is None else environment).get(name, "")
