"""What the paths of an export say: the month, the execution that wrote a file, the export that it belongs to."""

import re
from datetime import date
from pathlib import PurePosixPath

# AWS Data Exports' partition, in any case; the legacy report's folder; at last any YYYY-MM or YYYYMM.
_MONTHS = (
    re.compile(r"billing_period=(20\d\d)-(0[1-9]|1[0-2])(?!\d)", re.IGNORECASE),
    re.compile(r"(?:^|/)(20\d\d)(0[1-9]|1[0-2])01-20\d{6}(?=/)"),
    re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])(?!\d)"),
)
_FOLDER = re.compile(r"(?:^|/)(?:billing_period=20\d\d-\d\d|20\d{6}-20\d{6})/", re.IGNORECASE)
READABLE = (".csv", ".csv.gz", ".parquet")
_UNREADABLE = (".zip", ".csv.zst", ".orc")


def month_of(path: str) -> date | None:
    """First day of the month that the path names; None where it names none."""
    for pattern in _MONTHS:
        if found := pattern.search(path):
            return date(int(found[1]), int(found[2]), 1)
    return None


def is_manifest(path: str) -> bool:
    """Whether the object is a manifest: `<export>-Manifest.json`."""
    name = PurePosixPath(path).name.lower()
    return name.endswith("manifest.json") and not name.startswith((".", "_"))


def is_bill(path: str) -> bool:
    """Whether the object is a file of a bill, by its ending; also one that cannot be read, so that it is not missed."""
    name = PurePosixPath(path).name.lower()
    return name.endswith(READABLE + _UNREADABLE) and not name.startswith((".", "_"))


def execution_of(path: str) -> str:
    """The folder below the month's that one execution wrote its files to; empty where they lie beside."""
    found = _FOLDER.search(path)
    inner = path[found.end() :] if found else ""
    return inner.rpartition("/")[0].partition("/")[0]


def export_of(path: str) -> str:
    """The folder of the export that the path belongs to: what stands before its month and `data` or `metadata`."""
    found = _FOLDER.search(path)
    head = path[: found.start()] if found else ""
    return re.sub(r"(?:^|/)(?:data|metadata)$", "", head, flags=re.IGNORECASE)
