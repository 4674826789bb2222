"""Landed observations become rows of `gateway_requests`, whichever way they came."""

from collections.abc import Iterable, Iterator

from connectors.base import LandedPage, Parsed, Window
from connectors.langfuse.observations import ESSENTIAL, allowed, attempt, reported_cost
from connectors.langfuse.settings import LangfuseNames
from connectors.logs.latest import Versions, only_latest
from connectors.logs.staging import Reading, parse_log


def parse_observations(
    settings: LangfuseNames, window: Window, pages: Iterable[LandedPage], remedy: str
) -> Iterator[Parsed]:
    """See `parse_log`. Of an observation that stands in two files, or was sent again, the later one counts."""
    landed = list(pages)
    read = only_latest(Versions(landed, "id", "updatedAt"), lambda record: attempt(settings, record))
    known = allowed(settings).known
    return parse_log(settings, window, landed, Reading(read, reported_cost, known, ESSENTIAL, remedy))
