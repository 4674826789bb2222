"""Published vectors of allocation, through the whole ledger: what others print, to the last unit that they print."""

from decimal import Decimal

from models.allocation import largest_remainder
from models.pools import Pool, Split
from tests.models.test_pool_moves import PLATFORM, TO_PLATFORM, resting, settle

D = Decimal


def test_g2_a_thousand_dollars_by_slice_hours_are_the_published_cents(rows):
    """koku: 8, 6 and 4 slice-hours share 1,000.00. The ledger keeps twelve places, cents are split once on paper."""
    shared = Pool("platform", split=Split.FIXED, shares={"team:ml-train": 8, "team:inference": 6, "team:serving": 4})
    found = resting(settle(rows, [shared], [PLATFORM | {"cost": "1000"}], [TO_PLATFORM]))
    names = ["team:ml-train", "team:inference", "team:serving"]
    units = [int(found[name] * 10**12) for name in names]
    assert units == [444_444_444_444_445, 333_333_333_333_333, 222_222_222_222_222]
    assert largest_remainder(100_000, units) == [444_45, 333_33, 222_22]


def test_g17_what_the_pool_gives_stands_against_what_the_teams_get(rows):
    """koku: 100 unallocated, shares 25 and 75: +25, +75, and -100 on the pool; the journal balances."""
    shared = Pool("platform", split=Split.FIXED, shares={"team:a": 25, "team:b": 75})
    journal = settle(rows, [shared], [PLATFORM | {"cost": "100"}], [TO_PLATFORM])
    step = journal.filter(rule_kind="pool").select("from_account", "to_account", "effective_cost").rows()
    sums: dict[str, Decimal] = {}
    for source, target, cost in step:
        sums[source] = sums.get(source, D(0)) - cost
        sums[target] = sums.get(target, D(0)) + cost
    assert sums == {"team:a": D(25), "team:b": D(75), "pool:platform": D(-100)}
    assert sum(sums.values()) == 0


def test_g17_a_credit_goes_the_same_way_with_its_sign(rows):
    shared = Pool("platform", split=Split.FIXED, shares={"team:a": 25, "team:b": 75})
    found = resting(settle(rows, [shared], [PLATFORM | {"cost": "-100"}], [TO_PLATFORM]))
    assert found == {"team:a": D(-25), "team:b": D(-75)}
