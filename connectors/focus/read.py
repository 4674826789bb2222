"""Opens a delivered file, whatever its format. The content tells the format, never the name."""

from collections.abc import Iterator

from connectors.base import Body
from connectors.focus.batch import Batch
from connectors.focus.read_csv import read_csv
from connectors.focus.read_parquet import read_parquet


def format_of(body: Body) -> str:
    """`parquet`, `csv.gz`, `manifest` or `csv`."""
    with body.open() as stream:
        head = stream.read(16)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"\x1f\x8b"):
        return "csv.gz"
    return "manifest" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "csv"


def read_batches(name: str, body: Body) -> Iterator[Batch]:
    """The records of a bill, in order; at least one batch, which is empty for a file without records.

    Raises IncompleteDeliveryError, naming the file, when it cannot be a whole file.
    """
    found = format_of(body)
    if found == "parquet":
        return read_parquet(name, body)
    return read_csv(name, body, compressed=found == "csv.gz")
