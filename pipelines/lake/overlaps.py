"""What a delivery holds more than once: a file uploaded again under another name, a month exported twice.

Pages that are the same byte for byte land once. A file of a bill whose every line stands in another file too, packed
or ordered otherwise, is a copy as well and is not counted. Where only some lines of two files are equal, nobody but
people knows whether they are one charge or two: they count in each, and are told with their number and their cost.
Where a manifest says which files belong to the bill, nothing is asked of their lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from connectors.base import LandedPage
from connectors.bills.engine import engine
from contracts import contract
from pipelines.lake.landing import Repeat
from pipelines.lake.rows import Written
from pipelines.lake.totals import plain

BILL = "charges"
_PLACE = ("x_page", "x_row")  # where a line stood: no part of what it says
_FEW = "billed_cost, effective_cost, charge_period_start, sub_account_id, resource_id, sku_meter, consumed_quantity"
_COSTS = "(billed_cost <> 0 or effective_cost <> 0)"
_NAMED = 3  # files worth naming
_REMEDY = "take one of the two away"
ENOUGH = 8  # different lines of a file that another file has, too: so many are no accident


@dataclass(frozen=True)
class Overlap:
    """`copies` are the pages that must not be counted, `told` what people should know of them or of single lines."""

    copies: tuple[LandedPage, ...] = ()
    told: tuple[str, ...] = ()


def is_open(fact: str, pages: Sequence[LandedPage]) -> bool:
    """Whether nothing but their lying there says which files belong to the delivery: a bill's, without a manifest."""
    return fact == BILL and not any(page.name.lower().endswith("manifest.json") for page in pages)


def repeated_pages(repeated: Sequence[Repeat], parts: Sequence[Written]) -> list[str]:
    """What to tell of files that came again byte for byte and were counted once; `parts` are the rows and the rejects.

    A file, or an answer, without any line is nothing that somebody copied.
    """
    if not repeated:
        return []
    with engine() as reading:
        query = "select distinct x_page from read_parquet(?, union_by_name = true)"
        found = {page for (page,) in reading.execute(query, [_files(parts)]).fetchall()}
    told = [again for again in repeated if again.landed.page_id in found]
    return [f"{_told_copy(again.name, again.landed.name, 'byte for byte')}: {_REMEDY}" for again in told]


def overlap(fact: str, pages: Sequence[LandedPage], rows: Sequence[Written], rejects: Sequence[Written]) -> Overlap:
    """Which pages of a bill without a manifest repeat others, and where none does, which lines do.

    A page is a copy if each of its lines, refused ones too, stands in another page as often as in this: in one of
    exactly the same lines, or in a larger one where they are too many for an accident.
    """
    if len(pages) < 2 or not is_open(fact, pages):
        return Overlap()
    with engine() as matching:
        if not _find_alike(matching, _files(rows)):
            return Overlap()
        if copies := _copies(matching, pages, _files(rows), _files(rejects)):
            told = [_told_copy(copy.name, other.name, "line for line") for copy, other in copies]
            both = "if both are charges, have a manifest name them"
            return Overlap(tuple(copy for copy, _ in copies), tuple(f"{words}: {_REMEDY}; {both}" for words in told))
        return Overlap(told=tuple(_repeated_lines(matching, pages, _files(rows))))


def _files(parts: Iterable[Written]) -> list[str]:
    return [str(piece.file) for piece in parts]


def _columns() -> str:
    return ", ".join(column.name for column in contract(BILL).columns if column.name not in _PLACE)


def _find_alike(matching: duckdb.DuckDBPyConnection, rows: list[str]) -> bool:
    """Notes which lines with money look alike in several pages: whether any do.

    Few columns tell nearly all lines apart: only what is alike in these is compared as a whole.
    """
    matching.execute(
        f"create temp table alike as select hash({_FEW}) as looks from read_parquet(?) "
        f"where {_COSTS} group by looks having min(x_page) <> max(x_page)",
        [rows],
    )
    return matching.execute("select 1 from alike limit 1").fetchone() is not None


def _copies(
    matching: duckdb.DuckDBPyConnection, pages: Sequence[LandedPage], rows: list[str], rejects: list[str]
) -> list[tuple[LandedPage, LandedPage]]:
    """Every page that is a copy, with a page that has its lines and is none itself. Of equal ones the first counts."""
    matching.execute(
        f"create temp table suspects as select x_page from read_parquet(?) where {_COSTS} "
        f"group by x_page having bool_and(hash({_FEW}) in (select looks from alike))",
        [rows],
    )
    if matching.execute("select 1 from suspects limit 1").fetchone() is None:
        return []
    matching.execute(
        f"create temp table spoken as with lines as (select x_page, hash({_columns()}) as said from read_parquet(?) "
        "union all select x_page, hash(reason, payload) as said from read_parquet(?)) "
        "select x_page, said, count(*) as lines from lines group by x_page, said",
        [rows, rejects],
    )
    found = matching.execute(
        "with sizes as (select x_page, sum(lines) as lines, count(*) as kinds from spoken group by x_page), "
        "shared as (select mine.x_page as copy, theirs.x_page as other, count(*) as kinds from spoken as mine "
        "inner join spoken as theirs "
        "on mine.said = theirs.said and mine.x_page <> theirs.x_page and mine.lines <= theirs.lines "
        "where mine.x_page in (select x_page from suspects) group by copy, other) "
        "select copy, other, copied.lines = whole.lines as is_equal from shared "
        "inner join sizes as copied on shared.copy = copied.x_page and shared.kinds = copied.kinds "
        "inner join sizes as whole on shared.other = whole.x_page "
        "where copied.lines = whole.lines or copied.kinds >= ?",
        [ENOUGH],
    ).fetchall()
    return _chosen(pages, {(copy, other): is_equal for copy, other, is_equal in found})


def _chosen(pages: Sequence[LandedPage], held: dict[tuple[str, str], bool]) -> list[tuple[LandedPage, LandedPage]]:
    """`held`: which page another one holds, and whether they are equal. Of equal pages all but the first are copies."""
    places = {page.page_id: place for place, page in enumerate(pages)}
    named = {page.page_id: page for page in pages}
    copies = [pair for pair, is_equal in held.items() if not is_equal or places[pair[1]] < places[pair[0]]]
    left_out = {copy for copy, _ in copies}
    kept = {copy: other for copy, other in sorted(copies, reverse=True) if other not in left_out}
    return [(named[copy], named[other]) for copy, other in sorted(kept.items(), key=lambda pair: places[pair[0]])]


def _repeated_lines(matching: duckdb.DuckDBPyConnection, pages: Sequence[LandedPage], rows: list[str]) -> list[str]:
    """What to tell of equal lines with money in several files that are no copies.

    Of lines that stand in several files as often as they do, those beyond the file with most of them are repeated.
    Lines that cost nothing are left aside: counted twice they cost nothing either.
    """
    matching.execute(
        "create temp table repeated as "
        f"with lines as (select x_page, billed_cost, hash({_columns()}) as said from read_parquet(?) "
        f"where {_COSTS} and hash({_FEW}) in (select looks from alike)), "
        "by_file as (select said, x_page, count(*) as lines, any_value(billed_cost) as billed_cost "
        "from lines group by said, x_page) "
        "select sum(lines) - max(lines) as surplus, any_value(billed_cost) as billed_cost, "
        "list_sort(list(x_page))[:?] as files from by_file group by said having count(*) > 1",
        [rows, _NAMED],
    )
    # no product of the two: it would need more digits than a decimal has
    totals = matching.execute("select count(*), sum(billed_cost) from repeated, unnest(range(surplus::bigint))")
    count, cost = totals.fetchone() or (0, 0)
    first = matching.execute("select files from repeated order by files limit 1").fetchone()
    if first is None:
        return []
    named: list[str] = first[0]
    return [_told_lines(count, Decimal(cost or 0), [page.name for page in pages if page.page_id in named])]


def _told_copy(copy: str, other: str, how: str) -> str:
    return f"{copy!r} repeats {other!r} {how} and is not counted"


def _told_lines(count: int, cost: Decimal, names: Sequence[str]) -> str:
    lines = "1 line stands" if count == 1 else f"{count:,} lines stand"
    return (
        f"{lines} word for word in another file too ({', '.join(names)}), billed {plain(cost)}: counted in each. "
        "If one file holds what another does, take it away; if they are different charges, all is well"
    )
