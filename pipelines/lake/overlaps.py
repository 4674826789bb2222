"""Lines that stand in more than one file of a bill: a file uploaded again under another name, a month exported twice.

Where a manifest says which files belong to the bill nothing is asked here. Where none does, every file counts, and
only people know whether equal lines are one charge or two: so they are told how many there are, and of what cost.
Files that are the same byte for byte are counted once, and told, when they land.
"""

from collections.abc import Sequence
from decimal import Decimal

from connectors.base import LandedPage
from connectors.bills.engine import engine
from contracts import contract
from pipelines.lake.rows import Written
from pipelines.lake.totals import plain

BILL = "charges"
_PLACE = ("x_page", "x_row")  # where a line stood: no part of what it says
_FEW = "billed_cost, effective_cost, charge_period_start, sub_account_id, resource_id, sku_meter, consumed_quantity"
_COSTS = "billed_cost <> 0 or effective_cost <> 0"
_NAMED = 3  # files worth naming


def repeated_lines(fact: str, pages: Sequence[LandedPage], written: Sequence[Written]) -> str | None:
    """What to tell of equal lines with money in several files of a bill without a manifest; None where there are none.

    Of lines that stand in several files as often as they do, those beyond the file with most of them are repeated.
    Lines that cost nothing are left aside: counted twice they cost nothing either.
    """
    if fact != BILL or len(pages) < 2 or any(page.name.lower().endswith("manifest.json") for page in pages):
        return None
    columns = ", ".join(column.name for column in contract(BILL).columns if column.name not in _PLACE)
    files = [str(piece.file) for piece in written]
    with engine() as matching:
        # few columns tell nearly all lines apart: only what is alike in these is compared as a whole
        matching.execute(
            f"create temp table alike as select hash({_FEW}) as looks from read_parquet(?) "
            f"where {_COSTS} group by looks having min(x_page) <> max(x_page)",
            [files],
        )
        if matching.execute("select 1 from alike limit 1").fetchone() is None:
            return None
        matching.execute(
            "create temp table repeated as "
            f"with lines as (select x_page, billed_cost, hash({columns}) as said from read_parquet(?) "
            f"where ({_COSTS}) and hash({_FEW}) in (select looks from alike)), "
            "by_file as (select said, x_page, count(*) as lines, any_value(billed_cost) as billed_cost "
            "from lines group by said, x_page) "
            "select sum(lines) - max(lines) as surplus, any_value(billed_cost) as billed_cost, "
            "list_sort(list(x_page))[:?] as files from by_file group by said having count(*) > 1",
            [files, _NAMED],
        )
        # no product of the two: it would need more digits than a decimal has
        totals = matching.execute("select count(*), sum(billed_cost) from repeated, unnest(range(surplus::bigint))")
        count, cost = totals.fetchone() or (0, 0)
        first = matching.execute("select files from repeated order by files limit 1").fetchone()
    if first is None:
        return None
    named: list[str] = first[0]
    return _told(count, Decimal(cost or 0), [page.name for page in pages if page.page_id in named])


def _told(count: int, cost: Decimal, names: Sequence[str]) -> str:
    lines = "1 line stands" if count == 1 else f"{count:,} lines stand"
    return (
        f"{lines} word for word in another file too ({', '.join(names)}), billed {plain(cost)}: counted in each. "
        "If one file holds what another does, take it away; if they are different charges, all is well"
    )
