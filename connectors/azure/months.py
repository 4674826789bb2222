"""A month's landed pages of one or two views become charges.

Here belongs: which pages are which view, control totals, what only the whole delivery tells. Here does not belong: the
lines (`lines`) and their costs (`views`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from connectors.azure.bill_settings import VIEW_OF, AzureBillSettings
from connectors.azure.columns import DATE
from connectors.azure.lines import instant, shape_lines, spelling
from connectors.azure.manifests import Blob, Manifest, read_manifest
from connectors.azure.openai_meters import SERVICES
from connectors.azure.orders import commitment_of, reservations_of_orders
from connectors.azure.views import Role, costs_of, twin_key, view_of
from connectors.base import IncompleteDeliveryError, LandedPage, Page, Parsed, Window
from connectors.bills import Bill, Names, Shape, parse_bill
from connectors.bills.files import Lines, open_lines
from connectors.bills.look import unlanded
from connectors.bills.twins import Twins, find_twins
from contracts import contract

_SERVICES = pc.SetLookupOptions(pa.array(sorted(SERVICES)))


@dataclass(frozen=True)
class Month:
    """The pages of one view each, and what their manifests say. `repeated` are files in which both views agree."""

    pages: Mapping[str, Sequence[LandedPage]]
    manifests: Mapping[str, Manifest]
    repeated: frozenset[str] = frozenset()

    @property
    def stated_rows(self) -> int | None:
        """The lines that the manifests announce together; None where one of them does not say."""
        stated = [manifest.rows for manifest in self.manifests.values()]
        return None if None in stated or not stated else sum(rows for rows in stated if rows is not None)


def views(settings: AzureBillSettings) -> tuple[str, ...]:
    """The views that a delivery has."""
    if settings.report is not None:
        return tuple(VIEW_OF[metric] for metric in settings.report.metrics)
    return tuple(settings.exports)


def sort_pages(settings: AzureBillSettings, pages: Iterable[LandedPage]) -> Month:
    """Which page is what, in an order that does not depend on how they came.

    Raises IncompleteDeliveryError when a view, or a blob that a manifest names, is not among them.
    """
    expected, blobs, manifests = views(settings), dict[str, list[LandedPage]](), dict[str, Manifest]()
    for page in sorted(pages, key=lambda page: page.digest):
        view = view_of(page.name) or (expected[0] if len(expected) == 1 else None)
        if view is None or view not in expected:
            raise IncompleteDeliveryError(f"{page.name}: it belongs to none of the views {', '.join(expected)}")
        if _is_manifest(page):
            manifests[view] = read_manifest(page.name, page.body)
        else:
            blobs.setdefault(view, []).append(page)
    if (blobs or manifests) and (missing := [view for view in expected if view not in manifests]):
        raise IncompleteDeliveryError(
            f"the delivery holds no manifest of the {missing[0]} view; run the day again: only a manifest says which "
            "files belong to a month"
        )
    return Month(blobs, manifests, _repeated(blobs, manifests))


def parse_views(settings: AzureBillSettings, window: Window, month: Month) -> Iterator[Parsed]:
    """Charges of actual and amortized bills.

    Raises IncompleteDeliveryError for a file that is not whole, lacks a column that money hangs on, or writes its days
    in two ways.
    """
    roles, twins = _roles(month), Twins({})
    both = {view: [p for p in found if roles[view, p.digest] == view] for view, found in month.pages.items()}
    if any(both.values()):
        twins = find_twins(both, twin_key)

    def shape(names: Names) -> Shape:
        role = roles[view_of(names.where) or views(settings)[0], digests[names.where]]
        return shape_lines(names, window, settings, costs_of(names, role), commitment_of(names, orders))

    def opened(lines: Lines) -> None:
        _require_one_spelling(lines)
        view = view_of(lines.page.name) or views(settings)[0]
        if roles[view, lines.page.digest] == view:
            twins.mark(view, lines)

    ordered = [page for found in month.pages.values() for page in found]
    digests = {page.name: page.digest for page in ordered}
    orders = reservations_of_orders(ordered)
    yield from _repetitions(month, both, twins)
    bill = Bill(settings, window, ordered, shape, stated_rows=month.stated_rows, opened=opened)
    yield from told_of_models(parse_bill(bill))


def parse_alone(settings: AzureBillSettings, window: Window, page: LandedPage) -> Iterator[Parsed]:
    """Charges of one file of one view, as if there were no other: for a look at it, never for a delivery."""
    role: Role = "only_amortized" if view_of(page.name) == "amortized" else "only_actual"

    def shape(names: Names) -> Shape:
        return shape_lines(names, window, settings, costs_of(names, role), commitment_of(names, {}))

    return parse_bill(Bill(settings, window, [page], shape, opened=_require_one_spelling))


def newest_month(page: Page) -> date | None:
    """The month of the latest day that a file's lines name; None where none does.

    Raises IncompleteDeliveryError for a file that is not whole, or names no days.
    """
    with open_lines(unlanded(page)) as lines:
        lines.names.require(*DATE)
        newest = lines.connection.sql(f"select max({instant(lines.names, *DATE)}) from lines").fetchall()[0][0]
    return None if newest is None else newest.date().replace(day=1)


def told_of_models(chunks: Iterable[Parsed]) -> Iterator[Parsed]:
    """The chunks; behind them, how many lines of model services have a meter that no rule reads."""
    unmapped = Counter[str]()
    for chunk in chunks:
        rows = chunk.rows
        is_model = pc.call_function("is_in", [pc.call_function("utf8_lower", [rows["service_name"]])], _SERVICES)
        rows = rows.filter(is_model).filter(
            pc.field("x_model_id").is_null()
            & (pc.field("charge_category") == "Usage")
            & (pc.field("x_purchase_option").is_null() | (pc.field("x_purchase_option") != "provisioned"))
        )
        unmapped.update(meter or "(no meter)" for meter in rows["sku_meter"].to_pylist())
        yield chunk
    if unmapped:
        meters = ", ".join(repr(meter) for meter, _ in unmapped.most_common(5))
        words = f"{unmapped.total():,} lines of model services whose meter names no model: {meters}"
        yield Parsed(contract("charges").arrow_schema().empty_table(), is_final=True, notices=(words,))


def _roles(month: Month) -> dict[tuple[str, str], Role]:
    roles = dict[tuple[str, str], Role]()
    for view, found in month.pages.items():
        for page in found:
            if len(month.manifests) < 2:
                roles[view, page.digest] = "only_actual" if view == "actual" else "only_amortized"
            elif page.digest in month.repeated:
                roles[view, page.digest] = "same"
            else:
                roles[view, page.digest] = "actual" if view == "actual" else "amortized"
    return roles


def _repeated(blobs: Mapping[str, Sequence[LandedPage]], manifests: Mapping[str, Manifest]) -> frozenset[str]:
    """Files that both views consist of: content lands once, so that one of them is not among the pages.

    Raises IncompleteDeliveryError when a manifest names a blob that is nowhere.
    """
    repeated = set[str]()
    for view, manifest in manifests.items():
        landed = {page.name.rpartition("/")[2] for page in blobs.get(view, ())}
        for blob in manifest.blobs:
            if blob.name.rpartition("/")[2] in landed:
                continue
            twin = _same_blob(blob.byte_count, view, blobs, manifests)
            if twin is None:
                raise IncompleteDeliveryError(_absent(blob, view, manifest, landed))
            repeated.add(twin)
    return frozenset(repeated)


def _absent(blob: Blob, view: str, manifest: Manifest, landed: set[str]) -> str:
    """Why a blob that a manifest names is not among the pages: it never came, or has the bytes of another one."""
    told = f"the {view} view's manifest names {blob.name}, which is not in the delivery"
    alike = [
        other.name
        for other in manifest.blobs
        if other.byte_count is not None
        and other.byte_count == blob.byte_count
        and other.name.rpartition("/")[2] in landed
    ]
    if not alike:
        return f"{told}; run the day again"
    return (
        f"{told} as a file of its own: {alike[0]} is as long ({blob.byte_count} bytes), and of blobs with the same "
        "bytes one counts. Azure splits a view and never repeats a part, so that one of the two is probably a part "
        "written twice: have Azure export the month again"
    )


def _same_blob(
    size: int | None, view: str, blobs: Mapping[str, Sequence[LandedPage]], manifests: Mapping[str, Manifest]
) -> str | None:
    """The landed file of the other view whose manifest gives it the same size; None unless there is just one."""
    found = list[str]()
    for other, manifest in manifests.items():
        sizes = {blob.name.rpartition("/")[2]: blob.byte_count for blob in manifest.blobs}
        pages = blobs.get(other, ()) if other != view and size is not None else ()
        found += [page.digest for page in pages if sizes.get(page.name.rpartition("/")[2]) == size]
    return found[0] if len(found) == 1 else None


def _repetitions(month: Month, both: Mapping[str, Sequence[LandedPage]], twins: Twins) -> Iterator[Parsed]:
    """Lines that the other view delivers too are repetitions: they were expected, and are counted."""
    count = 0
    if any(both.values()):
        marks = [mark for (view, _), mark in twins.marks.items() if view == "amortized"]
        count += sum(pc.call_function("sum", [mark]).as_py() or 0 for mark in marks)
    for page in (p for found in month.pages.values() for p in found if p.digest in month.repeated):
        with open_lines(page) as lines:
            count += lines.connection.sql("select count(*) from lines").fetchall()[0][0]
    if count:
        yield Parsed(contract("charges").arrow_schema().empty_table(), duplicate_count=count, is_final=True)


def _require_one_spelling(lines: Lines) -> None:
    """Raises IncompleteDeliveryError for a file whose days are written in two ways: one of them would be misread."""
    iso, slashed = spelling(lines.names, pattern_is_iso=True), spelling(lines.names, pattern_is_iso=False)
    found = lines.connection.sql(f"select bool_or({iso}), bool_or({slashed}) from lines").fetchall()[0]
    if all(found):
        raise IncompleteDeliveryError(
            f"{lines.page.name}: some days are written like 2026-09-30 and some like 09/30/2026; files of two sources "
            "were joined, or a program rewrote this one: export it again"
        )


def _is_manifest(page: LandedPage) -> bool:
    with page.body.open() as stream:
        return stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
