"""Reports with a stretch of time missing are no whole delivery: time without use has empty buckets."""

from datetime import datetime
from typing import Any

import pytest

from connectors.anthropic.answers import Report, read_answer
from connectors.base import IncompleteDeliveryError
from connectors.windows import month_window
from tests.connectors.anthropic.written import bucket, cost, page
from tests.connectors.conformance import land

MONTH = month_window(datetime(2026, 9, 1).date())


def report(*pages: bytes) -> Report:
    found = Report()
    for one in land(pages):
        found.add(read_answer(one))
    found.require_whole(MONTH)
    return found


def day(number: int, *results: Any) -> dict[str, Any]:
    return bucket(f"2026-09-0{number}T00:00:00Z", results)


def test_a_day_that_is_missing_between_others_is_refused() -> None:
    for pages in ([page([day(1, cost("1")), day(3)])], [page([day(1)], "b"), page([day(3, cost("1"))])]):
        with pytest.raises(IncompleteDeliveryError, match="no bucket from 2026-09-02 00:00:00 to 2026-09-03"):
            report(*pages)


def test_days_without_use_are_there_and_empty() -> None:
    assert report(page([day(1, cost("1")), day(2)], "b"), page([day(3)])).reaches == datetime(2026, 9, 4)


def test_a_bucket_that_stands_twice_in_one_page_is_refused() -> None:
    with pytest.raises(IncompleteDeliveryError, match="begins 2026-09-02 00:00:00 stands twice in one page"):
        report(page([day(1), day(2, cost("1")), day(2, cost("1"))]))
