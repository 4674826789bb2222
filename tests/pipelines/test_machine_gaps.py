"""What the overview is told of machines: costs of all days together, entries that two months do not name."""

from datetime import date
from decimal import Decimal

from pipelines.night.machine_gaps import unknown_machines, unmatched_entries
from reports.given import UnknownMachine, UnmatchedEntry
from tests.sql.golden import filled

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


def test_a_machine_has_the_cost_of_all_its_days_under_the_best_name_that_the_bill_has() -> None:
    common = {"provider_name": "CoreWeave", "billing_currency": "USD", "resource_name": "", "resource_id": ""}
    rows = [
        {**common, "instance_type": "gd-8xh100", "effective_cost": "0.000000000001"},
        {**common, "instance_type": "gd-8xh100", "effective_cost": "40", "usage_date": date(2026, 10, 2)},
        {**common, "resource_id": "i-1", "instance_type": "p5", "effective_cost": "2"},
        {**common, "resource_id": "i-1", "resource_name": "train", "instance_type": "p5", "effective_cost": "3"},
        {**common, "resource_id": "i-1", "instance_type": "p5", "effective_cost": "4", "billing_currency": "EUR"},
    ]
    assert unknown_machines(filled("gpu_unjoined", rows)) == (
        UnknownMachine("CoreWeave", "gd-8xh100", Decimal("40.000000000001"), "USD"),
        UnknownMachine("CoreWeave", "i-1", Decimal(2), "USD"),
        UnknownMachine("CoreWeave", "train", Decimal(3), "USD"),
        UnknownMachine("CoreWeave", "i-1", Decimal(4), "EUR"),
    )


def test_an_entry_is_told_where_neither_the_period_nor_the_month_before_names_it() -> None:
    common = {"cluster": "prod", "hostname": "node-1", "billing_period": OCTOBER, "is_on_bill": True, "is_seen": True}
    before = common | {"billing_period": SEPTEMBER}
    rows = [
        common | {"resource_id": "named"},
        common | {"resource_id": "slip", "is_on_bill": False},
        before | {"resource_id": "slip", "is_on_bill": False},
        # named the month before, silence this month
        common | {"resource_id": "late", "is_on_bill": False},
        before | {"resource_id": "late"},
        common | {"resource_id": "silent", "is_on_bill": None, "is_seen": False},
        # held in September only
        before | {"resource_id": "gone", "is_on_bill": False},
    ]
    assert set(unmatched_entries(filled("host_matches", rows), OCTOBER)) == {
        UnmatchedEntry("slip", "node-1", "prod", is_billed=False, is_seen=True),
        UnmatchedEntry("silent", "node-1", "prod", is_billed=True, is_seen=False),
    }
