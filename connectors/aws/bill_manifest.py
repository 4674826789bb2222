"""Manifests of AWS exports: which files the delivery consists of. Nothing else in them is documented enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import Body
from connectors.manifests import listed_names, read_document


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
    return read_document(name, body, _manifest)


def _manifest(content: bytes, found: Mapping[str, Any]) -> Manifest:
    files = found.get("dataFiles", found.get("reportKeys"))
    if files is None:
        return Manifest(content, None, "assemblyId" in found)
    return Manifest(content, listed_names(files), "dataFiles" not in found)
