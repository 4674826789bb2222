"""Manifests of AWS exports: which files the delivery consists of. Nothing else in them is documented enough."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from connectors.base import Body, IncompleteDeliveryError

_MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """`content` as it was read; `files` as named there, None where it names none. `is_legacy`: of a legacy report."""

    content: bytes
    files: tuple[str, ...] | None
    is_legacy: bool


def read_manifest(name: str, body: Body) -> Manifest:
    """Reads a manifest: `dataFiles` of Data Exports, `reportKeys` of the legacy report.

    Raises IncompleteDeliveryError when it is not readable: then nothing is known of the files.
    """
    with body.open() as stream:
        content = stream.read(_MAX_BYTES + 1)
    try:
        if len(content) > _MAX_BYTES:
            raise ValueError("it is larger than 16 MiB")
        found = json.loads(content.decode("utf-8-sig"))
        if not isinstance(found, dict):
            raise TypeError("it holds no JSON object")
        return _manifest(content, cast("Mapping[str, Any]", found))
    except (ValueError, TypeError, RecursionError) as error:
        raise IncompleteDeliveryError(
            f"{name}: the manifest cannot be read ({error}); it may still be written: run the day again, "
            "or have the month exported again"
        ) from None


def _manifest(content: bytes, found: Mapping[str, Any]) -> Manifest:
    files = found.get("dataFiles", found.get("reportKeys"))
    if files is None:
        return Manifest(content, None, "assemblyId" in found)
    if not isinstance(files, list) or not all(isinstance(file, str) for file in cast("list[object]", files)):
        raise TypeError("its files are not a list of names")
    return Manifest(content, tuple(cast("list[str]", files)), "dataFiles" not in found)
