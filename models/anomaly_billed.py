"""What made a story of cost that the log does not explain: GPUs, or one service on the bill.

Here belongs: names and evidence from the bill alone. Here does not belong: what a log shows (`anomaly_causes`).
"""

from decimal import Decimal

import polars as pl

from models.anomaly_comparison import NONE, sums_of

MOST_OF_IT = Decimal("0.5")
"""The share of a change that its cause has to carry: a starting point, without a published source."""
GPU_COST, NOT_LOGGED = "gpu_cost", "not_logged"


def billed_change(lines: pl.DataFrame) -> Decimal:
    """What the bill asks more on the story's days than was usual. `lines` is what `compared` returns of the bill."""
    return sum((after - before for before, after in sums_of(lines, ["cost_kind"], "cost_units").values()), Decimal(0))


def billed_cause(lines: pl.DataFrame, logged_change: Decimal | None) -> tuple[str, str] | None:
    """The name and the evidence of a cause that is only on the bill; None where no one part carries most of it.

    Args:
        lines: what `compared` returns of the bill.
        logged_change: what the log's attempts cost more; None where nothing was logged.
    """
    change = billed_change(lines)
    if change <= 0:
        return None
    before, after = sums_of(lines, ["cost_kind"], "cost_units").get(("gpu",), (Decimal(0), Decimal(0)))
    if after - before >= MOST_OF_IT * change:
        return GPU_COST, f"GPUs cost {after - before:,.2f} more."
    rises = {
        names: after - before
        for names, (before, after) in sums_of(lines, ["service_name", "provider_name"], "cost_units").items()
    }
    (service, provider), rise = max(rises.items(), key=lambda pair: (pair[1], pair[0]))
    if rise < MOST_OF_IT * change:
        return None
    log = "nothing of it is in the log" if logged_change is None else f"what was logged, {logged_change:,.2f}"
    return NOT_LOGGED, f"{service or NONE} of {provider or NONE} cost {rise:,.2f} more; {log}."
