"""Reads a scrape: the Prometheus text format or OpenMetrics, plain or gzip, with or without instants of its own.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ (text) and the OpenMetrics specification. Millions
of lines pass here: one look-up for the metric, one for the whole text of the labels (a series' labels repeat to the
letter), two conversions.

Here belongs: lines. Here does not belong: what labels and values mean.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, cast

from connectors.base import IncompleteDeliveryError, LandedPage
from connectors.prometheus.readings import Reader, Reading, Subject, UnreadableError, milliseconds
from connectors.prometheus.refusals import Refusals

INSTANT_MARK = "# scraped at "
BLOCK_BYTES = 1 << 20
LONGEST_LINE_BYTES = 1 << 20
MOST_BYTES = 4 << 30  # after decompression
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPED = re.compile(r"\\(.)")
_ANY_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})?|\{".*\})\s+[-+.a-zA-Z0-9]+(\s+-?\d[-+.\de]*)?\s*$')
_BRACES = r'\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}'
_WITH_EXEMPLAR = re.compile(rf"([^{{#]*(?:{_BRACES})?[^{{#]*) # {_BRACES} [-+.\w]+(?: [-+.\w]+)?\s*$")
_MILLISECOND_DIGITS = 13  # from 2001 until 2286
_SECONDS_BELOW = 100_000_000_000  # as milliseconds in 1973, as seconds in the year 5138
_INSTANT = re.compile(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)[T_](\d\d)[-:]?(\d\d)[-:]?(\d\d)Z")


def instant_of_name(name: str) -> str | None:
    """The instant that a file's name holds (`...20261001T101500Z...`), as ISO 8601, or None."""
    found = _INSTANT.search(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"


def read_scrape(page: LandedPage, reader: Reader[Subject], refusals: Refusals) -> Iterator[Reading[Subject]]:
    """The readings of a page's lines.

    Args:
        page: The page. Without instants in its lines it begins with the mark that fetching puts there.
        reader: What is wanted, and what was learned so far.
        refusals: Takes the lines that cannot be read.

    Raises IncompleteDeliveryError when the page is cut off.
    """
    instant: int | None = None
    number = 0
    for number, line in enumerate(_lines(page), 1):
        if line.startswith("#") or not line.strip():
            instant = _marked(line) if line.startswith(INSTANT_MARK) else instant
            continue
        try:
            reading = _read_line(line, number, instant, reader)
        except UnreadableError as error:
            refusals.refuse(number, error.reason, str(error), line)
            if error.reason == "no_instant":
                return  # so it is for every line of the page
            continue
        if reading is not None:
            yield reading
    if number == 0:
        refusals.refuse(0, "empty_page", "the file is empty: the scrape or the upload failed", page.name)


def metric_names(page: LandedPage) -> set[str]:
    """The names of the metrics of a page's lines. Raises IncompleteDeliveryError when the page is cut off."""
    lines = (line.strip() for line in _lines(page))
    return {re.split(r"[{\s]", line, maxsplit=1)[0] for line in lines if line and not line.startswith("#")}


def _read_line(line: str, number: int, instant: int | None, reader: Reader[Subject]) -> Reading[Subject] | None:
    head, _, tail = line.rpartition("}")
    name, _, labels = head.partition("{")
    subject = reader.known.get(labels) if reader.wanted.get(name) else None
    if subject is None:  # labels that are new, a metric that is not wanted, or a line out of the ordinary
        found = _look_closely(line, reader)
        if found is None:
            return None
        name, subject, tail = found
    fields = tail.split()
    try:
        value = float(fields[0])
        millisecond = _millisecond(fields[1]) if len(fields) > 1 else instant
    except (ValueError, IndexError, OverflowError):
        fields = []
        value, millisecond = 0.0, None
    if not 1 <= len(fields) <= 2 or "_" in tail:
        raise UnreadableError("unreadable_value", "expected '} VALUE' or '} VALUE INSTANT' after the labels")
    if millisecond is None:
        raise UnreadableError(
            "no_instant",
            "neither the lines nor the file's name say when this was scraped. Name files like "
            "node-20261001T101500Z.prom, or write each sample with its time in milliseconds. The page was refused.",
        )
    return Reading(number, name, subject, millisecond, value, fields[0], line)


def _look_closely(line: str, reader: Reader[Subject]) -> tuple[str, Subject, str] | None:
    """Name, subject and rest of a line; None where it is not wanted."""
    sample = _without_exemplar(line) if " # {" in line else line
    head, closed, tail = sample.rpartition("}")
    name, _, labels = head.partition("{")
    if not closed:
        name, _, tail = sample.replace("\t", " ").strip().partition(" ")
    name = name.strip()
    wanted = reader.wanted.get(name)
    if wanted is None:
        wanted = reader.wanted[name] = reader.wants(name)
    if not wanted:
        _require_form(sample)
        return None
    subject = reader.known.get(labels)
    if subject is None:
        subject = reader.known[labels] = reader.learn(_label_values(labels))
    return name, subject, tail


def _millisecond(text: str) -> int:
    """An instant in milliseconds, as the text format writes it, or in seconds, as OpenMetrics does; its size tells."""
    if len(text) == _MILLISECOND_DIGITS and text.isdecimal():
        return int(text)
    if not text.lstrip("-").isdecimal():
        return round(float(text) * 1000)
    instant = int(text)
    return instant * 1000 if abs(instant) < _SECONDS_BELOW else instant


def _without_exemplar(line: str) -> str:
    """The line without the example that OpenMetrics allows behind a value; a line without one as it is."""
    found = _WITH_EXEMPLAR.match(line)
    return line if found is None else found[1]


def _require_form(line: str) -> None:
    """Lines that are not for us are read over where they are well-formed: garbage is told."""
    if not _ANY_SAMPLE.match(line):
        raise UnreadableError("unreadable_line", "expected 'METRIC{LABELS} VALUE', as exporters write it")


def _label_values(labels: str) -> dict[str, str]:
    values: dict[str, str] = {}
    at, end = 0, len(labels.rstrip())
    while at < end:
        found = _LABEL.match(labels, at)
        if found is None or "\ufffd" in found[2]:
            raise UnreadableError(
                "unreadable_labels", f'expected NAME="VALUE" in UTF-8 at character {at + 1} of the labels'
            )
        values[found[1]] = _ESCAPED.sub(_unescaped, found[2])
        at = found.end()
    return values


def _unescaped(escape: re.Match[str]) -> str:
    return {"n": "\n", "\\": "\\", '"': '"'}.get(escape[1], escape[0])


def _marked(line: str) -> int:
    """Milliseconds since 1970 of the mark that fetching writes."""
    text = line.removeprefix(INSTANT_MARK).strip()
    return milliseconds(datetime.fromisoformat(text).replace(tzinfo=None))


def _lines(page: LandedPage) -> Iterator[str]:
    """The page's lines, decompressed as they are needed."""
    with page.body.open() as raw:
        start = raw.read(2)
    with page.body.open() as raw:
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if start == b"\x1f\x8b" else raw
        try:
            yield from _split(stream, page.name)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise IncompleteDeliveryError(
                f"{page.name}: the compressed file is cut off or damaged ({error}). Deliver it again, whole."
            ) from None


def _split(stream: BinaryIO, name: str) -> Iterator[str]:
    rest, total = b"", 0
    while block := stream.read(BLOCK_BYTES):
        total += len(block)
        *whole, rest = (rest + block).split(b"\n")
        if len(rest) > LONGEST_LINE_BYTES or total > MOST_BYTES:
            raise IncompleteDeliveryError(
                f"{name}: a line of more than {LONGEST_LINE_BYTES:,} bytes, or more than {MOST_BYTES:,} bytes in all, "
                "is no scrape. Check what writes there."
            )
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        raise IncompleteDeliveryError(
            f"{name}: the last line does not end with a newline, as the format demands: the file is cut off. "
            "Deliver it again, whole."
        )
