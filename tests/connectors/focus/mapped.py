"""A small bill of no standard, and how it is read: one good line, its mapping, settings and reading."""

import csv
import io
from collections.abc import Mapping, Sequence

from connectors.base import Window
from connectors.focus.mapped import SOURCE, MappedBillSettings
from tests.connectors.focus.bills import Read, page, september

USED: Mapping[str, str] = {
    "Day": "2026-09-03",
    "Product": "H100 SXM",
    "Machine": "node-7",
    "Hours": "24",
    "Amount": "57.36",
    "Project": "search",
}
MAPPING: Mapping[str, object] = {
    "columns": {
        "billed_cost": "Amount",
        "charge_period_start": "Day",
        "service_name": "Product",
        "resource_id": "Machine",
        "consumed_quantity": "Hours",
    },
    "constants": {"provider_name": "Nimbus"},
    "period": "day",
}


def used(**over: str) -> dict[str, str]:
    """The good line, with other values."""
    return {**USED, **over}


def written(*lines: Mapping[str, str], delimiter: str = ",", columns: Sequence[str] | None = None) -> bytes:
    """The lines as a CSV; the columns are those of the first line."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns or list(lines[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


def mapped(**over: object) -> MappedBillSettings:
    """Settings of the small bill, with others in place of some."""
    return MappedBillSettings.model_validate({"name": "nimbus", "location": "/nowhere", **MAPPING, **over})


def with_columns(**over: str | None) -> dict[str, object]:
    """The mapping of the small bill with other columns; None leaves one out."""
    columns = {**dict(MAPPING["columns"]), **over}  # type: ignore[call-overload]
    return {"columns": {name: source for name, source in columns.items() if source is not None}}


def read_mapped(*contents: bytes, window: Window | None = None, **over: object) -> Read:
    """Parses the contents as one delivery of September."""
    pages = [page(content, f"2026-09/{n}.csv") for n, content in enumerate(contents)]
    return Read(list(SOURCE.parse(mapped(**over), window or september(), pages)))
