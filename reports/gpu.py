"""Where GPU money went: hours and cost by state, in layers that add up.

Here belongs: the GPU table and the sentences about idle and under-used time. Here does not belong: deciding states.
"""

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from models.minor_units import minor_unit
from reports.breakdown import as_listed
from reports.money import EXACT, ZERO, apportion, exact_sum, format_money, format_number, format_ratio, round_to
from reports.tables import NO_VALUE, Row, Table
from reports.wording import GPU_STATE_LABELS, clean

STANDBY = "warm_standby"
_TENTH = Decimal("0.1")
_SECONDS_PER_HOUR = Decimal(3600)


def gpu_table(
    rows: pl.DataFrame, rates: Mapping[str, Decimal], gpu_cost: Decimal, printed: Decimal, currency: str
) -> Table | None:
    """Hours and cost by state; None without GPU rows or GPU cost.

    `rows` are of `gpu_waste` and converted at `rates`; `gpu_cost` is the exact GPU cost and `printed` what the table
    adds up to. Where the rows hold less or more, as with GPU time bought through a shared pool, the rest is a line of
    its own. Time charged in a currency without a rate has no cost to stand beside: it is named, not counted.
    """
    seconds, costs = _by_state(rows, rates)
    states = [*(s for s in GPU_STATE_LABELS if s in costs), *sorted(s for s in costs if s not in GPU_STATE_LABELS)]
    rest = EXACT.subtract(gpu_cost, exact_sum(costs.values()))
    has_rest = round_to(rest, minor_unit(currency)) != ZERO
    if not states and not has_rest:
        return None
    sums = [(GPU_STATE_LABELS.get(state, state), "", costs[state]) for state in states]
    sums += [("Not broken down", "Shares of pools, and charges without hours", rest)] if has_rest else []
    split = as_listed(sums, printed, currency)
    total_hours = round_to(_hours(sum(seconds.values())), _TENTH)
    hours = apportion([_hours(seconds[state]) for state in states], total_hours, _TENTH)
    shown = [f"{format_number(value)} h" for value in hours] + [NO_VALUE] * has_rest
    amounts = {state: line.amount for state, line in zip(states, split.lines, strict=False)}
    return Table(
        name="gpu",
        title="GPU time",
        headings=("State", "GPU hours", "Cost"),
        rows=tuple(
            Row(line.label, (hour, format_money(line.amount, currency)), line.note)
            for line, hour in zip(split.lines, shown, strict=True)
        ),
        total=Row("Total", (f"{format_number(total_hours)} h", format_money(printed, currency))),
        lead=_idle_sentence(amounts, _opportunity(rows, rates), printed, currency),
        remark=_left_out(rows, rates),
    )


def _by_state(rows: pl.DataFrame, rates: Mapping[str, Decimal]) -> tuple[dict[str, int], dict[str, Decimal]]:
    is_kept = pl.col("waste_layer") == STANDBY
    told_as = pl.when(is_kept).then(pl.lit(STANDBY)).otherwise("gpu_state").alias("told_as")
    sums = rows.group_by(told_as, "billing_currency").agg(pl.col("gpu_seconds").sum(), pl.col("effective_cost").sum())
    seconds: dict[str, int] = {}
    costs: dict[str, Decimal] = {}
    for state, charged_in, held, cost in sums.iter_rows():
        if charged_in in rates:
            seconds[state] = seconds.get(state, 0) + held
            costs[state] = EXACT.add(costs.get(state, ZERO), EXACT.multiply(cost, rates[charged_in]))
    return seconds, costs


def _left_out(rows: pl.DataFrame, rates: Mapping[str, Decimal]) -> str:
    apart = rows.filter(~pl.col("billing_currency").is_in(list(rates)))
    if apart.is_empty():
        return ""
    hours = format_number(round_to(_hours(sum(apart["gpu_seconds"].to_list())), _TENTH))
    names = ", ".join(map(clean, sorted(apart["billing_currency"].unique())))
    return f"Not in the table: {hours} h charged in {names}, for which there is no exchange rate."


def _opportunity(rows: pl.DataFrame, rates: Mapping[str, Decimal]) -> Decimal:
    """The cost of what activity left unfilled of under-used time."""
    sums = rows.group_by("billing_currency").agg(pl.col("under_used_cost").sum())
    return exact_sum(EXACT.multiply(cost, rates[name]) for name, cost in sums.iter_rows() if name in rates)


def _idle_sentence(amounts: Mapping[str, Decimal], unfilled: Decimal, total: Decimal, currency: str) -> str:
    """Idle time with its share; what work left unfilled apart from it, as an opportunity: the two are never added."""
    sentences: list[str] = []
    idle = amounts.get("allocated_idle", ZERO)
    if idle > 0 and total > 0:
        sentences.append(f"{format_money(idle, currency)} ({format_ratio(idle / total)} of GPU cost) was held idle.")
    unallocated = amounts.get("unallocated", ZERO)
    if unallocated > 0:
        sentences.append(f"{format_money(unallocated, currency)} was held by no team.")
    opportunity = round_to(unfilled, minor_unit(currency))
    if opportunity > 0:
        sentences.append(
            f"Work left {format_money(opportunity, currency)} of GPU time unfilled: an opportunity, not waste."
        )
    return " ".join(sentences)


def _hours(seconds: int) -> Decimal:
    return EXACT.divide(Decimal(seconds), _SECONDS_PER_HOUR)
