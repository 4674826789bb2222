"""What an earlier version had not published yet: named, so that nobody takes its absence for a zero.

Here belongs: naming it. Here does not belong: finding it out.
"""

from collections.abc import Sequence

from reports.tables import Row, Table
from reports.wording import clean

_CALLED = {
    "anomalies": "What was unusual",
    "bill_errata": "Known errors on bills",
    "budget_status": "Budgets",
    "chargeback_by_customer": "Whom it was for",
    "forecasts": "Where the month ends",
    "gpu_unjoined": "GPU machines that nobody knows",
    "gpu_waste": "GPU time by state",
    "host_matches": "Registered machines not found",
    "idle_gpu_holders": "Who held idle GPUs",
    "reconciliation_by_cause": "Why bill and log differ",
    "reconciliation_summary": "Bill and log compared",
    "restatements": "Bills restated after their month",
    "savings": "What could have cost less",
    "unit_costs": "What outcomes cost",
    "variance_bridge": "Why the month moved",
}


def lacking_table(tables: Sequence[str]) -> Table | None:
    """The published tables that the snapshot lacks, and what this page would tell from each; None without any."""
    if not tables:
        return None
    rows = tuple(Row(_CALLED.get(name, clean(name)), (clean(name),)) for name in sorted(tables))
    lead = "An earlier version published these figures without them: nothing is known of them before the next night."
    return Table("not-published", "Not published yet", ("What is missing", "Table"), rows, lead=lead)
