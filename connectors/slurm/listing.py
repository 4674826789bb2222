"""One file of `sacct` as rows of text by column name, whichever shape it has: `-P` with or without header, `--json`.

Here belongs: the shapes of the file. Here does not belong: what columns mean, and what may be landed of them.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from connectors.base import Body, IncompleteDeliveryError, SourceError
from connectors.exact import exact_json
from connectors.slurm.columns import KNOWN_ELSEWHERE, NEEDED, canonical
from connectors.slurm.json_jobs import job_row
from connectors.slurm.settings import SlurmSettings

_MOST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Unreadable:
    """A line that has not the columns of its file. Nothing of it is repeated: it may hold anybody's name."""

    line: int
    reason: str


@dataclass(frozen=True)
class Listing:
    """Rows of jobs with their place, from 1, in the file; `new_columns` are those that no sacct is known to have."""

    rows: list[tuple[int, Mapping[str, str] | Unreadable]]
    new_columns: tuple[str, ...] = ()
    warning_count: int = 0


def read_listing(content: Body, name: str, settings: SlurmSettings) -> Listing:
    """The file's rows, steps included.

    Raises IncompleteDeliveryError for a file that is cut off, SourceError for one that is no output of sacct.
    """
    text = _text(content, name)
    if text.lstrip()[:1] == "{":
        return _json_listing(text, name)
    return _text_listing(text, name, settings)


def _text(content: Body, name: str) -> str:
    with content.open() as stream:
        raw = stream.read(_MOST_BYTES + 1)
    try:
        if raw.startswith(b"\x1f\x8b"):
            with gzip.open(BytesIO(raw)) as packed:
                raw = packed.read(_MOST_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise IncompleteDeliveryError(
            f"{name}: the compressed file is cut off or damaged ({error}). Write it again, whole."
        ) from None
    if len(raw) > _MOST_BYTES:
        raise SourceError(f"{name}: more than {_MOST_BYTES:,} bytes are no day of jobs. Write a file for each day.")
    return raw.decode("utf-8", "replace").removeprefix("\ufeff")


def _text_listing(text: str, name: str, settings: SlurmSettings) -> Listing:
    if text and not text.endswith("\n"):
        raise IncompleteDeliveryError(f"{name}: the last line has no end: the file is cut off. Write it again, whole.")
    lines = text.split("\n")
    first = _cells(lines[0], settings.delimiter)
    has_header = bool({"jobid", "jobidraw"} & {cell.strip().lower() for cell in first})
    names = [canonical(cell) for cell in (first if has_header else settings.columns)]
    if not names:
        raise SourceError(_no_header(name, lines[0]))
    if missing := sorted(NEEDED - set(names)):
        raise SourceError(f"{name}: the output has no column {', '.join(missing)}. Add it to sacct's --format.")
    rows = list(_rows(lines, names, settings.delimiter, first=1 if has_header else 0))
    return Listing(rows, tuple(n for n in names if n and n.lower() not in KNOWN_ELSEWHERE))


def _rows(
    lines: list[str], names: list[str], delimiter: str, first: int
) -> Iterator[tuple[int, Mapping[str, str] | Unreadable]]:
    header = lines[0] if first else None
    for number, line in enumerate(lines[first:], first + 1):
        if not line or line == header:  # files of several runs, put end to end
            continue
        cells = _cells(line, delimiter)
        if len(cells) == len(names):
            yield number, dict(zip(names, cells, strict=True))
            continue
        yield (
            number,
            Unreadable(
                number,
                f"line {number} has {len(cells)} columns and the file {len(names)}: a name may hold the delimiter. "
                "Set another one with sacct's --delimiter and the setting 'delimiter'.",
            ),
        )


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line; `sacct -p` ends each line with a delimiter, `-P` does not."""
    return line.removesuffix("\r").split(delimiter)


def _no_header(name: str, line: str) -> str:
    if not line:
        return f"{name}: the file is empty, not even a header stands there. Did sacct fail? Write it again."
    return (
        f"{name}: the first line is no header of sacct (it has no column JobIDRaw). Leave out sacct's -n, or name the "
        "columns in the setting 'columns'."
    )


def _json_listing(text: str, name: str) -> Listing:
    try:
        found = exact_json(text.encode())
    except ValueError as error:
        raise IncompleteDeliveryError(
            f"{name}: the file ends too early or is no JSON ({error}). Write it again, whole."
        ) from None
    jobs: Any = found.get("jobs") if isinstance(found, dict) else None
    if not isinstance(jobs, list):
        raise SourceError(f"{name}: expected an object with 'jobs', as sacct --json writes it.")
    if found.get("errors"):
        raise IncompleteDeliveryError(f"{name}: sacct says that it met errors, so jobs may lack. Write it again.")
    rows = [(number, job_row(job) or _no_job(number)) for number, job in enumerate(jobs, 1)]
    return Listing(rows, (), len(found.get("warnings") or ()))


def _no_job(number: int) -> Unreadable:
    return Unreadable(number, f"job {number} of the file has no id, or is no object")
