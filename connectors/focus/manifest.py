"""Manifests: which files a delivery consists of, and what they add up to, in the provider's own words.

Known shapes: a plain one (`files`, `rows`, `total_billed_cost`), AWS Data Exports (`dataFiles`) and Azure exports
(`blobs`, `dataRowCount`). Keys that are none of these are ignored: manifests say many things.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from connectors.base import Body
from connectors.exact import at_scale, read_time
from connectors.manifests import counted, listed_names, read_document


@dataclass(frozen=True)
class Manifest:
    """`files` as they are named there, None where it names none; the rest where it states it.

    `submitted` is when the export began that wrote it.
    """

    files: tuple[str, ...] | None
    rows: int | None
    billed_cost: Decimal | None
    submitted: datetime | None


def is_manifest_path(path: str) -> bool:
    """Whether an object of that path is a manifest: `manifest.json`, `..._manifest.json`, `...-Manifest.json`."""
    return path.lower().endswith("manifest.json")


def is_manifest(content: object) -> bool:
    """Whether a JSON document has a key that only manifests have."""
    if not isinstance(content, dict):
        return False
    found = cast("Mapping[str, object]", content)
    counts = any(isinstance(found.get(key), int) for key in ("rows", "dataRowCount"))
    return counts or any(key in found for key in ("files", "dataFiles", "blobs", "total_billed_cost"))


def read_manifest(name: str, body: Body) -> Manifest:
    """Reads a manifest. Raises IncompleteDeliveryError when it is not readable: then nothing is known of the files."""
    return read_document(name, body, lambda _, found: _manifest(found))


def stated_totals(manifests: Sequence[Manifest]) -> tuple[Decimal | None, int | None]:
    """Billed cost and rows that the manifests state together; None for what one of them does not state."""
    costs, rows = [m.billed_cost for m in manifests], [m.rows for m in manifests]
    cost = sum((c for c in costs if c is not None), Decimal(0)) if costs and None not in costs else None
    return cost, sum(r for r in rows if r is not None) if rows and None not in rows else None


def _manifest(found: Mapping[str, Any]) -> Manifest:
    named = found.get("files", found.get("dataFiles"))
    if named is None and "blobs" in found:
        named = [blob["blobName"] for blob in found["blobs"] or []]
    cost = found.get("total_billed_cost")
    return Manifest(
        files=None if named is None else listed_names(named),
        rows=counted(found, "rows" if "rows" in found else "dataRowCount"),
        billed_cost=None if cost is None else at_scale(Decimal(str(cost))),
        submitted=read_time(str((found.get("runInfo") or {}).get("submittedTime", ""))),
    )
