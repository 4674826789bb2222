"""YAML whose keys stand once: of two alike, YAML itself would take the last in silence.

Here belongs: reading a file of the project's own. Here does not belong: what the file should say.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, ten times as fast
_LOADER: Any = type("OnceLoader", (_FAST,), {})


def _once(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Hashable, object]:
    """A mapping whose keys stand once, also after a merge brought two together."""
    seen = set[str]()
    for key, _ in node.value:
        if key.value in seen:
            raise ValueError(f"line {key.start_mark.line + 1}: {key.value!r} stands twice; leave one")
        seen.add(str(key.value))
    return loader.construct_mapping(node, deep=True)


_LOADER.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _once)


def read_once(path: Path) -> Any:
    """What a file says; it is for the caller to hold it against a shape.

    Raises ValueError naming the file where it is no YAML, and with it the line of a key that stands twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - it is a safe one
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from None
