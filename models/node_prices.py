"""What of a machine's money is GPUs, what cores and what memory.

Where a bill charges each as a line of its own, its lines are the split. Elsewhere one price pays for the whole machine,
and is taken apart in proportion to what its parts would cost alone: both rules are that proportion, with other prices.
`aws_split_cost` weighs a GPU, a core and a GiB as AWS's split cost allocation does
(https://docs.aws.amazon.com/cur/latest/userguide/example-accelerated-instances.html), `opencost_base_prices` by
OpenCost's default prices (https://github.com/opencost/opencost, configs/default.json). Parts add up to the money, by
largest remainder at 1e-12.

Here belongs: the split. Here does not belong: what a machine cost, how large it is, who held its GPUs.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from models.allocation import largest_remainder
from models.frames import conform, require
from models.money import money_of, units_of

NODE_PRICE_RULES = "1"
"""Changes when the same money and sizes would give other parts."""

_TABLE = "gpu_node_costs"
_KEY = ["billing_period", "usage_date", "cluster", "hostname", "resource_id", "provider_name", "billing_currency"]
_LINES = ["machine_cost", "gpu_cost", "cpu_cost", "memory_cost", "other_cost"]
_LINE_KEY = ["billing_period", "usage_date", "resource_id", "provider_name", "billing_currency"]
_PLACES = 12

Row = Mapping[str, Any]


class Price(NamedTuple):
    """What one GPU, one core and one GiB of memory would cost, in any currency: only proportions count."""

    gpu: Decimal
    vcpu: Decimal
    memory_gib: Decimal


PRICES = {
    "aws_split_cost": Price(Decimal(9), Decimal("0.9"), Decimal("0.1")),
    "opencost_base_prices": Price(Decimal("0.95"), Decimal("0.031611"), Decimal("0.004237")),
}
"""By split_method_id."""

_METHOD_OF_PROVIDER = {"AWS": "aws_split_cost"}
_METHOD_ELSEWHERE = "opencost_base_prices"


class _Parts(NamedTuple):
    """Pico-units of each part; None is unknown."""

    gpu: int | None
    cpu: int | None
    memory: int | None
    other: int
    method: str | None


def split_by_base_costs(total: int, base_costs: Sequence[Decimal]) -> list[int]:
    """Splits whole units in proportion to what the parts would cost alone: base costs scaled to sum to the total.

    Raises ValueError when a base cost is negative, has more than twelve decimal places, or all are zero.
    """
    return largest_remainder(total, [_whole(cost) for cost in base_costs])


def node_costs(*, gpu_costs: pl.DataFrame, lines: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """The money of GPU nodes by part, in the shape of `gpu_node_costs`, ordered by its key.

    Args:
        gpu_costs: frame in the shape of `gpu_costs_hourly`: its money is what is split, all of it.
        lines: frame in the shape of `gpu_node_lines`: what the bill itself says of parts.
        sizes: frame in the shape of `gpu_node_sizes`.

    Raises ValueError when a frame does not keep its contract.
    """
    nodes = (
        require(gpu_costs, "gpu_costs_hourly")
        .group_by(_KEY)
        .agg(pl.col("gpu_seconds").sum(), total=units_of("effective_cost").sum())
        .join(require(sizes, "gpu_node_sizes"), on=["usage_date", "cluster", "hostname"], how="left")
        .join(
            require(lines, "gpu_node_lines").with_columns(units_of(name).alias(name) for name in _LINES),
            on=_LINE_KEY,
            how="left",
        )
        .with_columns(pl.col(name).fill_null(0) for name in _LINES)
        .sort(_KEY)
    )
    parts = pl.DataFrame(
        [_parts(row) for row in nodes.iter_rows(named=True)],
        schema={**dict.fromkeys(_Parts._fields[:-1], pl.Int128), "method": pl.String},
        orient="row",
    )
    costed = nodes.drop(_LINES).hstack(parts)
    return conform(
        costed.with_columns(
            effective_cost=money_of("total"),
            gpu_cost=money_of("gpu"),
            cpu_cost=money_of("cpu"),
            memory_cost=money_of("memory"),
            other_cost=money_of("other"),
            split_method_id=pl.col("method"),
        ),
        _TABLE,
    )


def _parts(node: Row) -> _Parts:
    total: int = node["total"]
    told = [node[name] for name in _LINES]
    if sum(told) != total:  # a line of several days, of several machines: its proportions are all that is known
        told = largest_remainder(total, told) if min(told) >= 0 < sum(told) else [total, 0, 0, 0, 0]
    machine, gpu, cpu, memory, other = told
    if gpu and (cpu or memory) and not machine:
        return _Parts(gpu, cpu, memory, other, "billed_lines")
    if not (node["gpu_count"] and node["vcpu_count"] and node["memory_gib"]):
        return _Parts(None, None, None, other, None)
    method = _METHOD_OF_PROVIDER.get(node["provider_name"], _METHOD_ELSEWHERE)
    price = PRICES[method]
    base_costs = (
        node["gpu_count"] * price.gpu, node["vcpu_count"] * price.vcpu, node["memory_gib"] * price.memory_gib
    )  # fmt: skip
    gpu, cpu, memory = split_by_base_costs(total - other, base_costs)
    return _Parts(gpu, cpu, memory, other, method)


def _whole(cost: Decimal) -> int:
    scaled = cost.scaleb(_PLACES)
    if scaled != (whole := int(scaled)):
        raise ValueError(f"a base cost of {cost} has more than {_PLACES} decimal places")
    return whole
