"""What a team's month could have cost less: the three largest levers, each with its grade and the rows behind it.

Here belongs: rows of `savings` as a table. Here does not belong: their figures; docs/savings.md says how they come.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from models.minor_units import minor_unit
from reports.given import Period
from reports.money import EXACT, ZERO, format_money, round_to
from reports.tables import Row, Table
from reports.wording import clean

_MOST = 3
LEVERS: Mapping[str, str] = {
    "failed_attempts": "Attempts that failed",
    "night_tests": "Tests at night",
    "unallocated_gpus": "GPUs that nobody held",
    "idle_gpus": "GPUs held idle",
    "zombie_keys": "Keys that no owner names",
    "output_cap": "Answers longer than they need be",
    "prompt_bloat": "Prompts longer than they need be",
    "long_context": "Requests above a model's dearer length",
    "quantisation": "GPUs that a smaller number format spares",
    "cheaper_place": "The same model where it costs less",
    "cheaper_model": "A cheaper model that the team already uses",
    "model_review": "One model alone answers a feature",
    "exact_repeats": "The same prompt again within the hour",
    "prompt_cache": "Prompts from the provider's cache",
    "batch": "Bunched jobs at the batch price",
    "unused_commitments": "Commitments that nobody used",
    "commitments": "Commitments for GPUs on demand",
}
"""Every lever of `savings` in words."""
_LEAD = (
    "At least: what nine of ten draws reach (P10). Savings of several lines do not add up, because each acts on what "
    "those before it leave."
)
_GRADES = (
    "Grade A is arithmetic on observed rows, B rests on an assumption about what else would have happened, C needs a "
    "test of quality."
)


def savings_table(
    rows: Sequence[Mapping[str, Any]], rates: Mapping[str, Decimal], period: Period, currency: str
) -> Table | None:
    """The three largest savings by P10, in their own currencies; None where nothing is known to be saved.

    `rows` are the team's of `savings`; `rates` order amounts of several currencies, one without a rate comes last.
    """
    found = [row for row in rows if row["billing_period"] == period.start and _is_told(row)]

    def rank(row: Mapping[str, Any]) -> tuple[bool, Decimal, int]:
        rate = Decimal(1) if row["billing_currency"] == currency else rates.get(row["billing_currency"])
        return rate is None, -EXACT.multiply(row["saving_p10"], rate or Decimal(1)), row["lever_order"]

    largest = sorted(found, key=rank)[:_MOST]
    if not largest:
        return None
    headings = ("Lever", "Grade", "At least")
    return Table(
        "savings", "What it could have cost less", headings, tuple(map(_row, largest)), lead=_LEAD, remark=_GRADES
    )


def _is_told(row: Mapping[str, Any]) -> bool:
    amount = row["saving_p10"]
    return amount is not None and round_to(amount, minor_unit(row["billing_currency"])) > ZERO


def _row(row: Mapping[str, Any]) -> Row:
    lever = row["lever"]
    currency = row["billing_currency"]
    count = row["evidence_row_count"]
    note = (
        f"Half of the draws reach {format_money(row['saving_p50'], currency)}, one in ten "
        f"{format_money(row['saving_p90'], currency)}. {clean(row['assumption'], 300)} "
        f"Evidence: {count:,} row{'' if count == 1 else 's'}."
    )
    return Row(
        LEVERS.get(lever, clean(lever.replace("_", " ")).capitalize()),
        (row["confidence"], format_money(row["saving_p10"], currency)),
        note,
        ask=f'farthing query "{clean(row["evidence"], 400)}"',
    )
