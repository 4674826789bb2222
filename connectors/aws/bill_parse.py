"""Landed files of an export become chunks of `charges`: reports here, FOCUS files by their own reader."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from connectors.aws.bill_focus import is_focus, parse_focus
from connectors.aws.bill_manifest import read_manifest
from connectors.aws.bill_people import without_people
from connectors.aws.bill_settings import AwsBillSettings
from connectors.aws.bill_shape import report_shape
from connectors.aws.net_costs import NetCosts
from connectors.base import LandedPage, Parsed, Window
from connectors.bills import Bill, parse_bill
from contracts import contract


def parse_export(settings: AwsBillSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
    """Chunks of rows and rejects, and at last what the whole delivery tells.

    The slice is final when every line bears an invoice, one of them is of the month's own bill, and none was refused.
    Raises IncompleteDeliveryError for a file that is cut off, damaged, or lacks a column that billing needs.
    """
    files, manifests = list[LandedPage](), list[LandedPage]()
    for page in pages:
        (manifests if _is_json(page) else files).append(page)
    named = [read_manifest(page.name, page.body).files for page in manifests]
    if files and all(names is None for names in named):
        yield Parsed(
            contract("charges").arrow_schema().empty_table(),
            is_final=True,
            notices=("no manifest names the files: those that the listing showed were taken for the whole delivery",),
        )
    for chunk in _chunks(settings, window, files):
        yield replace(chunk, rejects=tuple(map(without_people, chunk.rejects)))


def _chunks(settings: AwsBillSettings, window: Window, files: list[LandedPage]) -> Iterator[Parsed]:
    if files and is_focus(files[0]):  # an export has one format
        return parse_focus(settings, window, files)
    shape = report_shape(settings, window, NetCosts(files))
    return parse_bill(Bill(settings, window, files, shape))


def _is_json(page: LandedPage) -> bool:
    """Whether the page is a manifest: by its content, since names tell nothing certain."""
    with page.body.open() as stream:
        head = stream.read(64)
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))
