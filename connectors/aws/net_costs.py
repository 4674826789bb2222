"""Whether a delivery of AWS has costs after negotiated discounts, or columns for them that nobody filled."""

from collections.abc import Sequence
from threading import Lock

from connectors.aws.bill_costs import COST
from connectors.base import LandedPage
from connectors.bills.files import open_lines


class NetCosts:
    """Whether a delivery has net costs: one line with one that is not zero shows it.

    Few deliveries have a line whose reading hangs on it (see `bill_costs.in_doubt`), and looking for it reads all
    files: it is found when it is first asked for, once for all of them.
    """

    def __init__(self, files: Sequence[LandedPage]) -> None:
        self._files = files
        self._lock = Lock()
        self.are_filled: bool | None = None

    def find(self) -> bool:
        """The answer. Raises IncompleteDeliveryError for a file that is not whole."""
        with self._lock:
            if self.are_filled is None:
                self.are_filled = any(map(_has_net_cost, self._files))
            return self.are_filled


def _has_net_cost(page: LandedPage) -> bool:
    with open_lines(page) as lines:
        net = lines.names.decimal(COST[0])
        if not lines.names.has(COST[0]):
            return False
        return lines.connection.execute(f"select 1 from lines where {net} <> 0 limit 1").fetchone() is not None
