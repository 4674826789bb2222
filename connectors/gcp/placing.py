"""Legacy commitments on the machines that used them: what was used of a fee, by the discounts that it paid for.

The legacy ways of billing leave covered usage at nothing, its price less a credit of the same amount, and the money on
a fee that names no machine. So the used part of a fee is laid on the lines with the credits, in proportion to these,
within the stretch of time, resource and region that the fee pays for. What rounding leaves stays with the fee, so that
used plus unused remain the fee, exactly.

Here belongs: which fee is laid on which discounts, and the SQL of it. Here does not belong: how much of a fee was used.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

import pyarrow as pa

from connectors.bills import Names
from connectors.bills.files import Lines
from connectors.gcp.commitments import LEGACY_CREDITS, credit_sum
from connectors.gcp.utilisation import Discount, Fee, Period, Pool, pool_of_discount, pool_of_fee

# of 38 digits a product has 12 + 14 behind its point: a line may be given less than 10**12 of any currency
_RATE_PLACES = Decimal("1e-14")
_MOST = 99  # a rate has two digits before its point; no fee is a hundred times what it pays for
_SHARE = pa.struct([(name, pa.string()) for name in ("id", "name", "description", "fee", "rate")])


@dataclass
class Placing:
    """What of which fees is laid on a discount's lines, by the discount's key; and what was, by fee and commitment."""

    shares: dict[str, list[dict[str, str]]] = field(default_factory=dict[str, list[dict[str, str]]])
    placed: dict[str, Decimal] = field(default_factory=dict[str, Decimal])


def place(fees: Iterable[Fee], discounts: Iterable[Discount], used: Mapping[str, Decimal]) -> Placing:
    """The shares of every discount. `used`: the used share (0 to 1) of the fees for which it is known, by their key.

    A fee that is several lines of one commitment and stretch stays where it is: which of them was used nobody says.
    """
    pooled: dict[tuple[Pool, Period], list[Fee]] = defaultdict(list)
    pools = set[Pool]()
    for fee in fees:
        pool = pool_of_fee(fee)
        if pool is not None:
            pools.add(pool)
            if fee.key in used and fee.lines == 1 and fee.commitment_id:
                pooled[pool, fee.period].append(fee)
    amounts: dict[tuple[Pool, Period], Decimal] = defaultdict(Decimal)
    keys: dict[tuple[Pool, Period], list[str]] = defaultdict(list)
    for found in discounts:
        where = pool_of_discount(found, pools), found.period
        amounts[where] += found.amount
        keys[where].append(found.key)
    placing = Placing()
    for where, members in pooled.items():
        total = amounts.get(where, Decimal(0))
        for fee in members if total > 0 else ():
            rate = (fee.cost * used[fee.key] / total).quantize(_RATE_PLACES, ROUND_DOWN)
            if 0 < rate < _MOST:
                share = {"id": fee.commitment_id, "name": fee.commitment_name, "description": fee.description}
                for key in keys[where]:
                    placing.shares.setdefault(key, []).append({**share, "fee": fee.key, "rate": f"{rate:f}"})
    return placing


def know(lines: Lines, placing: Placing) -> None:
    """Gives the open file's engine the shares and what was placed, for `covered_pieces` and `placed_of_fee`."""
    shares = pa.table(
        {
            "key": pa.array(placing.shares, pa.string()),
            "shares": pa.array(placing.shares.values(), pa.list_(_SHARE)),
        }
    )
    placed = pa.table(
        {
            "key": pa.array(placing.placed, pa.string()),
            "amount": pa.array(placing.placed.values(), pa.decimal128(38, 12)),
        }
    )
    for name, table, column in (("_shares", shares, "shares"), ("_placed", placed, "amount")):
        lines.connection.register(name, table)
        lines.connection.execute(
            f"set variable {name} = (select map_from_entries(list(struct_pack(k := hash(key), v := {column}))) "
            f"from {name})"
        )


def look_at_placed(lines: Lines, ours: str, placing: Placing) -> None:
    """Adds up what a file's lines are given of each fee, to the last decimal."""
    found = lines.connection.execute(
        f"select {_fee_of('piece.fee', 'piece.id')}, sum(piece.amount) from (select unnest({covered(lines.names)}) "
        f"as piece from source where {ours} and {is_placed(lines.names)}) group by all"
    ).fetchall()
    for key, amount in found:
        placing.placed[key] = placing.placed.get(key, Decimal(0)) + amount


def is_placed(names: Names) -> str:
    """Whether a line has a discount that a fee can be laid on."""
    any_credit = " or ".join(f"{credit_sum(kind)} is not null" for kind in LEGACY_CREDITS)
    forward = f"{names.instant('usage_end_time')} > {names.instant('usage_start_time')}"
    return f"coalesce(({any_credit}) and _cost is not null and {forward}, false)"


def covered(names: Names) -> str:
    """SQL of a list: what of which fee a line is given, by each kind of its discounts."""
    lists = [
        f"list_transform(coalesce(getvariable('_shares')[hash({discount_key(names, kind)})], []), "
        "lambda share: struct_pack(id := share.id, name := share.name, description := share.description, "
        f"fee := share.fee, amount := cast(-{credit_sum(kind)} "
        "* cast(share.rate as decimal(16, 14)) as decimal(38, 12))))"
        for kind in LEGACY_CREDITS
    ]
    parts = [
        f"case when {credit_sum(kind)} is null then [] else {listed} end"
        for kind, listed in zip(LEGACY_CREDITS, lists, strict=True)
    ]
    return f"list_concat({', '.join(parts)})"


def placed_of_fee(fee_key: str) -> str:
    """SQL of what of a fee's line was laid on discounts; 0 where nothing was."""
    return f"coalesce(getvariable('_placed')[hash({_fee_of(fee_key, '_commitment_id')})], 0)"


def discount_key(names: Names, kind: str) -> str:
    """SQL of what the discounts of one kind that are added up together have in common."""
    return (
        f"concat_ws('|', '{kind}', coalesce({names.text('service.id')}, ''), "
        f"coalesce({names.text('sku.description')}, ''), coalesce({names.text('location.region')}, ''), "
        f"epoch_us({names.instant('usage_start_time')}), epoch_us({names.instant('usage_end_time')}))"
    )


def _fee_of(fee_key: str, commitment: str) -> str:
    return f"concat_ws('|', {commitment}, {fee_key})"
