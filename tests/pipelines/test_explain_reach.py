"""Which slices of the lake are looked at for what a row is made of."""

from datetime import date
from typing import Any, cast

import duckdb
import pyarrow.dataset as ds

from contracts import contract
from models.frames import frame_of
from pipelines.explain.evidence import Evidence
from pipelines.explain.made_of import declared
from pipelines.explain.made_of_rows import listed
from pipelines.lake import Lake
from tests.pipelines.explaining import numbered
from tests.sql.golden import filled

BY_CUSTOMER, CALLS = "chargeback_by_customer", "usage_by_user_daily"


class CallsOfALake:
    """A lake of which only these calls are known; slices are read as far as is asked."""

    def __init__(self, *days: str) -> None:
        self.rows: list[dict[str, Any]] = [{"usage_date": day, "team_id": "search"} for day in days]

    def slices_at(self, *_: object) -> bool:
        return True

    def dataset_at(self, table: str, _: int, start: date, end: date) -> ds.Dataset:
        return ds.dataset(filled(table, [row for row in self.rows if str(start) <= row["usage_date"] < str(end)]))


def test_calls_of_the_month_after_are_listed_where_its_first_day_is_on_the_bill() -> None:
    """A provider's October ends on 1 November at 7:00 UTC; that charge is split by November's calls."""
    line = {"billing_period": "2026-10-01", "account": "team:search", "team_id": "search", "naming": "customer"}
    charged = [
        {"billing_period": "2026-10-01", "account": "team:search", "team_id": "search", "charge_date": day}
        for day in ("2026-10-31", "2026-11-01")
    ]
    database = duckdb.connect()
    database.register("of_teams", filled("chargeback", charged))
    database.execute("create table chargeback as select * from of_teams")
    calls = CallsOfALake("2026-09-30", "2026-10-02", "2026-11-01", "2026-11-30", "2026-12-01")
    evidence = Evidence(cast("Lake", calls), 1, database, {CALLS: 1}, frozenset())
    own = contract(BY_CUSTOMER)
    cells = numbered(own, frame_of(filled(BY_CUSTOMER, [line])))
    (part,) = [part for part in declared(own).rows if part.table == CALLS]
    found = listed(evidence, own, part, cells).rows["usage_date"].to_list()
    assert found == [date(2026, 10, 2), date(2026, 11, 1), date(2026, 11, 30)]
