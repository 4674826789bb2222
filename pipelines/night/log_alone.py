"""A log without a bill: what a night could and could not make of it, for who has just begun.

Here belongs: whether the published snapshot has use and no money, and what to do about it, in words. Here does not
belong: what single models lack (`unpriced_usage`).
"""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from pipelines.house import House

_CONNECTING = "docs/connecting.md"


def hints(house: "House") -> tuple[str, ...]:
    """What there is to say of the snapshot that is published now; see `log_alone`."""
    with house.lake.published().database() as database:
        return log_alone(database)


def log_alone(database: "duckdb.DuckDBPyConnection") -> tuple[str, ...]:
    """Sentences on a published snapshot with logged requests and no line of a bill; none for any other."""
    requests, unpriced, cost, day = _used(database)
    if not requests or database.execute("select 1 from chargeback limit 1").fetchall():
        return ()
    counted = "1 logged request is" if requests == 1 else f"{requests:,} logged requests are"
    no_bill = (
        f"No line of a bill has come, so nobody was charged and there is no statement. The {counted} in usage_daily "
        f"and request_costs, at the price book's prices. Add a source of the provider's bill: {_CONNECTING}"
    )
    explain = f"Request by request: farthing explain usage_daily --where day={day} --depth requests"
    return no_bill, _priced(unpriced, cost), explain


def _priced(unpriced: int, cost: Decimal | None) -> str:
    why = (
        "failures, answers of which the log states no tokens or no model, or models that no price list names (table "
        "unpriced_usage, setting `prices`)"
    )
    if cost is None:
        return f"None of them has a price, so no money is known at all: they are {why}"
    told = f"With a price they come to USD {cost:,.2f}"
    return f"{told}; without one are {unpriced:,}: {why}" if unpriced else told


def _used(database: "duckdb.DuckDBPyConnection") -> tuple[int, int, Decimal | None, date | None]:
    query = """
        select coalesce(sum(request_count), 0), coalesce(sum(unpriced_count), 0), sum(priced_cost_usd), max(usage_date)
        from usage_daily
    """
    ((requests, unpriced, cost, day),) = database.execute(query).fetchall()
    return int(requests), int(unpriced), cost, day
