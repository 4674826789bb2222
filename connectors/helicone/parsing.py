"""Landed requests become rows of `gateway_requests`, whichever way they came."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from connectors.base import LandedPage, Parsed, Window
from connectors.helicone.requests import ESSENTIAL, allowed, attempt, original_of, reported_cost
from connectors.helicone.settings import HeliconeNames
from connectors.logs.latest import Versions, only_latest, records_of
from connectors.logs.staging import Reading, parse_log


def parse_requests(
    settings: HeliconeNames, window: Window, pages: Iterable[LandedPage], remedy: str
) -> Iterator[Parsed]:
    """See `parse_log`. Of a request that is filed twice the later one counts.

    A cached answer's avoided cost is what its original cost, where the delivery holds that.
    """
    landed = list(pages)
    versions = Versions(landed, "request_id", "updated_at")
    costs = _costs_of_originals(landed)

    read = only_latest(versions, lambda record: attempt(settings, record, costs))
    known = allowed(settings).known
    return parse_log(settings, window, landed, Reading(read, reported_cost, known, ESSENTIAL, remedy))


def _costs_of_originals(landed: Sequence[LandedPage]) -> Mapping[str, str | Decimal | None]:
    """Costs by request id, of those requests of the delivery that another one of it refers to."""
    wanted = {original for record in records_of(landed) if (original := original_of(record)) is not None}
    if not wanted:
        return {}
    return {
        name: reported_cost(record)
        for record in records_of(landed)
        if isinstance(name := record.get("request_id"), str) and name in wanted and original_of(record) is None
    }
