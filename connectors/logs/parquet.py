"""The rows of a Parquet log, as plain values such as JSON would hold."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.base import IncompleteDeliveryError

_ROWS = 4096
_PIECE_BYTES = 1024 * 1024


def parquet_rows(stream: BinaryIO, where: str) -> Iterator[dict[str, Any]]:
    """Every row of the file: maps become objects, instants ISO 8601 text, decimals their exact digits as text.

    The file is read from its end, piece by piece out of a stream that can be read from any place: its columns hold
    prompts, of which no copy may reach a disk. Raises IncompleteDeliveryError when its footer or a page of it is
    missing.
    """
    try:
        file = pq.ParquetFile(stream, buffer_size=_PIECE_BYTES, page_checksum_verification=True)
        for batch in file.iter_batches(_ROWS):
            for row in batch.to_pylist(maps_as_pydicts="lossy"):
                yield {name: _plain(value) for name, value in row.items()}
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise IncompleteDeliveryError(
            f"{where}: cannot be read as Parquet ({reason}); copy the file again and run the day again"
        ) from None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return (value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in cast("list[Any]", value)]
    return str(value)
