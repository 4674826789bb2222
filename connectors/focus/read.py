"""Opens a delivered file, whatever its format. The content tells the format, not the name.

Only a manifest may be told by its name as well: any JSON object could be a record.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from connectors.base import Body
from connectors.focus.batch import Batch
from connectors.focus.manifest import is_manifest, is_manifest_path
from connectors.focus.read_csv import read_csv
from connectors.focus.read_json import read_json
from connectors.focus.read_parquet import read_parquet
from connectors.manifests import MOST_BYTES

Format = Literal["parquet", "csv", "json", "manifest"]
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class FileShape:
    """What the settings say about files: the sign between columns, where records lie in JSON, which fields are read."""

    delimiter: str = ","
    records: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def format_of(name: str, body: Body) -> Format:
    """What the body holds; compression aside."""
    with body.open() as stream:
        head = stream.read(16)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(_GZIP):
        head = _unpacked_head(body)
        return "json" if _first_sign(head) in (b"[", b"{") else "csv"
    if _first_sign(head) == b"{":
        return "manifest" if is_manifest_path(name) or _says_manifest(body) else "json"
    return "json" if _first_sign(head) == b"[" else "csv"


def read_batches(name: str, body: Body, shape: FileShape) -> Iterator[Batch]:
    """The records of a bill, in order; at least one batch, which is empty for a file without records.

    Raises IncompleteDeliveryError, naming the file, when it cannot be a whole file.
    """
    found = format_of(name, body)
    with body.open() as stream:
        compressed = stream.read(2) == _GZIP
    if found == "parquet":
        return read_parquet(name, body)
    if found == "json":
        return read_json(name, body, shape.records, shape.fields, compressed=compressed)
    return read_csv(name, body, compressed=compressed, delimiter=shape.delimiter)


def _first_sign(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


def _unpacked_head(body: Body) -> bytes:
    """The first bytes of an archive; none of a damaged one, which its reader will refuse in words."""
    try:
        with body.open() as stream, gzip.GzipFile(fileobj=cast("io.BufferedReader", stream)) as unpacked:
            return unpacked.read(16)
    except (OSError, EOFError, zlib.error):
        return b""


def _says_manifest(body: Body) -> bool:
    """Whether a JSON object has the keys of a manifest; one that is cut off may be anything, and counts as one."""
    with body.open() as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return False
    first_line, _, rest = content.partition(b"\n")
    for text in (content, first_line) if rest.strip() else (content,):
        try:
            return is_manifest(json.loads(text))
        except (ValueError, RecursionError):
            continue
    return True
