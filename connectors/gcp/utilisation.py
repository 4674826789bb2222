"""How much of each legacy commitment fee was used, from what the bill says of a whole stretch of time together.

The legacy ways of billing put the fee on one line and the discount, as credits, on others. By spend, credits of as many
dollars of on-demand price as the fee stands for are all of it; by resource, as many units as the fee's quantity. Where
the two cannot be set against each other, the share is unknown: the fee then stays one charge that is neither.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

Period = tuple[datetime, datetime]
Pool = str

_MOST_USED = Decimal("1.001")  # credits and prices are rounded; more than this and something else was covered as well
_PLACES = Decimal("1e-12")
_SPEND = re.compile(r"commitment - dollar based v1: (?P<what>.+?) for (?P<years>[13]) years?", re.IGNORECASE)
_RESOURCE = re.compile(r"commitment v1: (?P<what>.+) for [13] years?", re.IGNORECASE)
_COMPUTE = re.compile(r"\bGCE\b|Compute", re.IGNORECASE)
_COMPUTE_POOL = "spend: compute"
_FLEXIBLE = {"1": Decimal("0.72"), "3": Decimal("0.54")}  # published: 28 % and 46 % off the on-demand price
_DOLLAR_STEP = 100  # the list's fee of other products is for one cent an hour of on-demand price


@dataclass(frozen=True)
class Fee:
    """Fees of one kind and commitment in one stretch of time, added up; `key` is how their lines find their share."""

    key: str
    service_id: str
    description: str
    region: str
    period: Period
    cost: Decimal
    quantity: Decimal | None
    list_price: Decimal | None
    commitment_id: str
    commitment_name: str
    lines: int


@dataclass(frozen=True)
class Discount:
    """Commitment credits on one kind of usage in one stretch of time, added up; `amount` is positive.

    `key` is how their lines find what they are given of a fee.
    """

    is_spend_based: bool
    service_id: str
    description: str
    region: str
    period: Period
    amount: Decimal
    cost: Decimal
    quantity: Decimal | None
    key: str


def fee_together(one: Fee, other: Fee) -> Fee:
    """Two parts of a fee as one, as SQL's sums and maxima have it: what one does not know the other tells."""
    return replace(
        one,
        cost=one.cost + other.cost,
        quantity=_sum(one.quantity, other.quantity),
        list_price=max((p for p in (one.list_price, other.list_price) if p is not None), default=None),
        commitment_name=max(one.commitment_name, other.commitment_name),
        lines=one.lines + other.lines,
    )


def discount_together(one: Discount, other: Discount) -> Discount:
    """Two parts of a discount as one."""
    return replace(
        one,
        amount=one.amount + other.amount,
        cost=one.cost + other.cost,
        quantity=_sum(one.quantity, other.quantity),
    )


def used_shares(fees: Iterable[Fee], discounts: Iterable[Discount]) -> Mapping[str, Decimal]:
    """The used share (0 to 1) of every fee whose share can be told, by the fee's key."""
    whole = dict[str, Fee]()
    for fee in fees:
        # a kind of fee as a whole: one commitment without a quantity or a price in an hour leaves the others their use
        whole[fee.key] = fee_together(whole[fee.key], fee) if fee.key in whole else fee
    pooled: dict[tuple[Pool, Period], list[tuple[Fee, Decimal | None]]] = defaultdict(list)
    for fee in whole.values():
        pool, capacity = _capacity(fee)
        if pool is not None:
            pooled[pool, fee.period].append((fee, capacity))
    pools = {pool for pool, _ in pooled}
    covered, lengths = _covered(discounts, pools)
    shares = dict[str, Decimal]()
    for (pool, period), members in pooled.items():
        is_comparable = lengths[pool] <= {period[1] - period[0]}
        share = _share(covered.get((pool, period), Decimal(0)), [c for _, c in members]) if is_comparable else None
        if share is not None:
            shares.update({fee.key: share for fee, _ in members})
    return shares


def pool_of_fee(fee: Fee) -> Pool | None:
    """Which discounts the fee pays for; None where its description does not tell."""
    return _capacity(fee)[0]


def pool_of_discount(found: Discount, pools: AbstractSet[Pool]) -> Pool:
    """Which fees pay for a discount. `pools`: those that there are fees of."""
    if not found.is_spend_based:
        return _resource_pool(found.description, found.region)
    own = f"spend: {found.service_id}"
    return own if own in pools else _COMPUTE_POOL


def _capacity(fee: Fee) -> tuple[Pool | None, Decimal | None]:
    """Which discounts the fee pays for, and how much of them: dollars of on-demand price, or units."""
    if found := _SPEND.fullmatch(fee.description):
        is_compute = bool(_COMPUTE.search(found["what"]))
        step = (fee.list_price or Decimal(0)) * _DOLLAR_STEP
        share = step if 0 < step < 1 else _FLEXIBLE[found["years"]] if is_compute else None
        return _COMPUTE_POOL if is_compute else f"spend: {fee.service_id}", None if share is None else fee.cost / share
    if found := _RESOURCE.fullmatch(fee.description):
        return _resource_pool(found["what"], fee.region), fee.quantity
    return None, None


def _covered(
    discounts: Iterable[Discount], pools: AbstractSet[Pool]
) -> tuple[Mapping[tuple[Pool, Period], Decimal], Mapping[Pool, set[object]]]:
    """What was discounted in each pool and stretch, and how long the stretches of each pool are."""
    covered: dict[tuple[Pool, Period], Decimal] = defaultdict(Decimal)
    lengths: dict[Pool, set[object]] = defaultdict(set)
    for found in discounts:
        pool, amount = pool_of_discount(found, pools), found.amount
        if not found.is_spend_based:
            amount = (found.quantity or Decimal(0)) * found.amount / found.cost if found.cost else Decimal(0)
        covered[pool, found.period] += amount
        lengths[pool].add(found.period[1] - found.period[0])
    return covered, lengths


def _share(covered: Decimal, capacities: list[Decimal | None]) -> Decimal | None:
    if any(not capacity for capacity in capacities):
        return None
    share = covered / sum((c for c in capacities if c), Decimal(0))
    return min(share, Decimal(1)).quantize(_PLACES) if 0 <= share <= _MOST_USED else None


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    known = [quantity for quantity in (one, other) if quantity is not None]
    return sum(known, Decimal(0)) if known else None


def _resource_pool(description: str, region: str) -> Pool:
    """One name for a resource, as its commitment and as its usage call it."""
    name = description.lower().replace(" running in ", " in ").replace("n1 predefined ", "")
    name = re.sub(r"\b(?:custom )?(?:instance )?(?:core|cpu)\b", "core", name)
    name = re.sub(r"\b(?:custom )?(?:instance )?ram\b", "ram", name)
    return f"resource: {name} @ {region}"
