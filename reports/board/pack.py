"""Columns packed for a browser: names as numbers of a dictionary, money as whole numbers of 128 bits.

Here belongs: bytes and where they lie. Here does not belong: which columns a page needs.

A decimal of 12 places is kept as the whole number of its 10^-12 units, as it lies in memory: 16 bytes, the lowest
first. The bytes are laid out by place (all first bytes, then all second ones), so that the high places, which are
the same nearly everywhere, shrink to nothing. The browser adds whole numbers: no digit can be lost.
"""

import base64
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from reports.given import StatementError

PLACES = 12
"""Decimal places of money in the marts."""
_MONEY_BYTES = 16
_LEVEL = 6  # the ninth saves three per cent and takes twenty times as long
_WIDTHS = ((1, 2**8), (2, 2**16), (4, 2**32))


@dataclass
class Words:
    """Dictionaries by name: each value once, in the order in which it was first given."""

    known: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def codes(self, name: str, values: pl.Series) -> npt.NDArray[np.uint32]:
        """The number of each value in the dictionary `name`, NULL as the empty text; what is new is added in order."""
        numbers = self.known.setdefault(name, {})
        texts = values.fill_null("")
        for value in texts.unique().sort().to_list():
            numbers.setdefault(value, len(numbers))
        if texts.is_empty():
            return np.zeros(0, dtype=np.uint32)
        return texts.replace_strict(numbers, return_dtype=pl.UInt32).to_numpy()


@dataclass
class Packed:
    """Columns of one part, one after the other: `directory` has name, bytes a value and offset of each."""

    rows: int
    directory: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    content: bytearray = field(default_factory=bytearray)

    def add_codes(self, name: str, codes: npt.NDArray[np.uint32]) -> None:
        """A column of whole numbers from zero up, in as few bytes as the largest needs."""
        largest = int(codes.max()) if len(codes) else 0
        width = next(width for width, end in _WIDTHS if largest < end)
        self._add(name, width, codes.astype(f"<u{width}").view(np.uint8))

    def add_money(self, name: str, amounts: pl.Series) -> None:
        """A column of decimals of at most 12 places, NULL as zero: a column beside it says which are not known.

        Raises StatementError when an amount has more places than that.
        """
        exact = amounts.cast(pl.Decimal(38, PLACES))
        if not exact.cast(pl.String).is_null().equals(amounts.is_null()) or not _same(exact, amounts):
            raise StatementError(f"column {name} holds amounts of more than {PLACES} places; cast it in its mart")
        held = exact.fill_null(0).rechunk().to_arrow()  # decimal128: sixteen bytes a value, the lowest first
        cells = np.frombuffer(held.buffers()[1], dtype=np.uint8) if len(held) else np.zeros(0, dtype=np.uint8)
        start = held.offset * _MONEY_BYTES
        self._add(name, _MONEY_BYTES, cells[start : start + len(held) * _MONEY_BYTES])

    def _add(self, name: str, width: int, cells: npt.NDArray[np.uint8]) -> None:
        self.directory.append((name, width, len(self.content)))
        self.content += np.ascontiguousarray(cells.reshape(-1, width).T).tobytes()

    def described(self) -> dict[str, object]:
        """How many rows there are and where each column lies, for the page."""
        return {"rows": self.rows, "columns": self.directory}


def _same(exact: pl.Series, amounts: pl.Series) -> bool:
    return amounts.dtype == exact.dtype or bool((exact == amounts).fill_null(value=True).all())


def as_text(content: bytes) -> str:
    """Compressed, and in letters that mean nothing to a browser: no name in it can be read as markup."""
    return base64.b64encode(zlib.compress(content, _LEVEL)).decode("ascii")


def json_bytes(value: Any) -> bytes:
    """JSON, the same for the same value; what is no text of Unicode becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")
