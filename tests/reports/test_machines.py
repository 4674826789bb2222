"""The overview's tables of GPU machines that bill, cluster and register do not tell alike."""

from dataclasses import replace
from decimal import Decimal

from reports.given import SharedFacts, UnknownMachine, UnmatchedEntry
from reports.machines import MOST_ROWS, machine_tables


def test_gpus_that_nobody_knows_stand_with_their_money_dearest_first(shared: SharedFacts) -> None:
    machines = (
        UnknownMachine("AWS", "i-1", Decimal("0.005"), "USD"),
        UnknownMachine("CoreWeave", "", Decimal("1049.244"), "USD"),
        UnknownMachine("OVHcloud", "h100-380", Decimal(7), "EUR"),
    )
    (table,) = machine_tables(replace(shared, unknown_machines=machines))
    assert [(row.label, *row.cells) for row in table.rows] == [
        ("CoreWeave", "$1,049.24"),
        ("OVHcloud: h100-380", "EUR\N{NO-BREAK SPACE}7.00"),
        ("AWS: i-1", "$0.01"),
    ]
    # the sum is that of the exact costs: 1,049.249
    assert table.lead.startswith("EUR\N{NO-BREAK SPACE}7.00 +\N{NO-BREAK SPACE}$1,049.25 was billed for GPUs")


def test_entries_that_nothing_names_stand_with_what_is_lacking(shared: SharedFacts) -> None:
    entries = (
        UnmatchedEntry("i-2", "node-2", "prod", is_billed=False, is_seen=False),
        UnmatchedEntry("i-1", "node-1", "prod", is_billed=False, is_seen=True),
        UnmatchedEntry("i-3", "node-3", "dev", is_billed=True, is_seen=False),
    )
    (table,) = machine_tables(replace(shared, unmatched_entries=entries))
    assert [(row.label, *row.cells, row.note) for row in table.rows] == [
        ("node-3 in dev", "in its cluster", "i-3"),
        ("node-1 in prod", "on a bill", "i-1"),
        ("node-2 in prod", "on a bill or in its cluster", "i-2"),
    ]


def test_what_is_not_shown_is_counted_and_nothing_is_no_table(shared: SharedFacts) -> None:
    many = tuple(UnknownMachine("AWS", f"i-{n}", Decimal(n), "USD") for n in range(MOST_ROWS + 3))
    (table,) = machine_tables(replace(shared, unknown_machines=many))
    assert (len(table.rows), table.remark) == (MOST_ROWS, "And 3 more.")
    assert machine_tables(shared) == []
