"""The manifest of a run of an export: which blobs it wrote, how large they are, how many lines they hold, and of what.

Two shapes are in use: that of 2021-01-01, and the newer one that also says what was exported and when the run began.

Here belongs: reading one. Here does not belong: where it lies, and whether its blobs are there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.azure.bill_settings import VIEW_OF, View
from connectors.base import Body
from connectors.manifests import counted, read_document


@dataclass(frozen=True)
class Blob:
    """A blob as the manifest names it; `byte_count` and `rows` where it states them."""

    name: str
    byte_count: int | None
    rows: int | None


@dataclass(frozen=True)
class Manifest:
    """One run. `view` and `submitted` are None in the older shape; `rows` is None where no total is stated."""

    blobs: tuple[Blob, ...]
    rows: int | None
    view: View | None
    submitted: str | None
    is_compressed: bool


def read_manifest(name: str, body: Body) -> Manifest:
    """Reads a manifest.

    Raises IncompleteDeliveryError when it cannot be read or contradicts itself: nothing is known of the blobs then.
    """
    return read_document(name, body, lambda _, found: _manifest(found))


def _manifest(found: Mapping[str, Any]) -> Manifest:
    listed = found.get("blobs") or []
    blobs = tuple(Blob(_text(b, "blobName"), counted(b, "byteCount"), counted(b, "dataRowCount")) for b in listed)
    rows = counted(found, "dataRowCount")
    announced = counted(found, "blobCount")
    if announced is not None and announced != len(blobs):
        raise ValueError(f"it announces {announced} blobs and names {len(blobs)}")
    if not blobs and rows != 0:
        raise ValueError("it names no blob and does not say that there are no rows")
    counts = [blob.rows for blob in blobs]
    if rows is None and None not in counts:
        rows = sum(count for count in counts if count is not None)
    kind = (found.get("exportConfig") or {}).get("type")
    if kind is not None and kind not in VIEW_OF:
        raise ValueError(f"it is of type {kind!r}; this source reads {', '.join(VIEW_OF)}")
    submitted = (found.get("runInfo") or {}).get("submittedTime")
    compression = str((found.get("deliveryConfig") or {}).get("compressionMode") or "none")
    return Manifest(blobs, rows, VIEW_OF.get(kind or ""), submitted, compression.lower() != "none")


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found[name]
    if not isinstance(value, str) or not value:
        raise TypeError(f"{name} is {value!r}, not a name")
    return value
