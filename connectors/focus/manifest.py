"""Manifests: which files a delivery consists of, and what they add up to, in the provider's own words.

Known shapes: a plain one (`files`, `rows`, `total_billed_cost`), AWS Data Exports (`dataFiles`) and Azure exports
(`blobs`, `dataRowCount`). Keys that are none of these are ignored: manifests say many things.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from json import JSONDecodeError, loads
from typing import Any, cast

from connectors.base import Body, IncompleteDeliveryError
from connectors.exact import at_scale

MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """`files` as they are named there, None where it names none; `rows` and `billed_cost` where it states them."""

    files: tuple[str, ...] | None
    rows: int | None
    billed_cost: Decimal | None


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
    with body.open() as stream:
        text = stream.read(MOST_BYTES + 1)
    try:
        if len(text) > MOST_BYTES:
            raise ValueError("it is larger than 16 MiB")
        content = loads(text.decode("utf-8-sig"), parse_float=Decimal)
        if not isinstance(content, dict):
            raise TypeError("it holds no JSON object")
        return _manifest(cast("Mapping[str, Any]", content))
    except (ValueError, TypeError, KeyError, InvalidOperation, RecursionError, JSONDecodeError) as error:
        raise IncompleteDeliveryError(
            f"{name}: the manifest cannot be read ({error}); it may still be written: run the day again, "
            "or have the provider export the month again"
        ) from None


def stated_totals(manifests: Sequence[Manifest]) -> tuple[Decimal | None, int | None]:
    """Billed cost and rows that the manifests state together; None for what one of them does not state."""
    costs, rows = [m.billed_cost for m in manifests], [m.rows for m in manifests]
    cost = sum((c for c in costs if c is not None), Decimal(0)) if costs and None not in costs else None
    return cost, sum(r for r in rows if r is not None) if rows and None not in rows else None


def _manifest(content: Mapping[str, Any]) -> Manifest:
    named = content.get("files", content.get("dataFiles"))
    if named is None and "blobs" in content:
        named = [blob["blobName"] for blob in content["blobs"] or []]
    rows = content.get("rows", content.get("dataRowCount"))
    cost = content.get("total_billed_cost")
    if named is not None and not all(isinstance(file, str) for file in named):
        raise TypeError("its files are not a list of names")
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 0):
        raise TypeError(f"its rows are {rows!r}, not a count")
    return Manifest(
        None if named is None else tuple(named), rows, None if cost is None else at_scale(Decimal(str(cost)))
    )
