"""Answers with a stretch of time missing are no whole delivery: time without use has empty buckets."""

from datetime import date, datetime

import pytest

from connectors.base import IncompleteDeliveryError
from connectors.openai.costs import SOURCE as COSTS
from connectors.openai.usage import SOURCE as USAGE
from tests.connectors.openai.written import (
    MONTH,
    WINDOW,
    bucket,
    completion,
    cost,
    costs_settings,
    epoch,
    page,
    parse,
    result,
    usage_settings,
)


def day(number: int, *results: object) -> dict[str, object]:
    return bucket(results, epoch(date(2026, 9, number)))


def test_a_day_that_is_missing_between_others_is_refused_in_one_page_and_between_pages() -> None:
    for pages in ([page(day(1, cost(1)), day(3, cost(2)))], [page(day(1), next_page="b"), page(day(3, cost(2)))]):
        with pytest.raises(IncompleteDeliveryError, match="no bucket from 2026-09-02 00:00 UTC to 2026-09-03 00:00"):
            parse(COSTS, costs_settings(), MONTH, *pages)


def test_a_day_without_use_has_an_empty_bucket_and_how_far_the_answers_go_is_told() -> None:
    parsed = parse(COSTS, costs_settings(), MONTH, page(day(1, cost(1)), day(2)), page(day(3, cost(2)), day(4)))
    assert (parsed.rows.num_rows, parsed.reaches) == (2, datetime(2026, 9, 5))


def test_a_bucket_that_stands_twice_in_one_page_is_refused() -> None:
    with pytest.raises(IncompleteDeliveryError, match="stands 2 times in one page"):
        parse(COSTS, costs_settings(), MONTH, page(day(1), day(2, cost(1)), day(2, cost(1))))


def test_an_hour_of_usage_may_not_be_missing_from_one_operation_where_another_has_it() -> None:
    hours = [epoch(date(2026, 9, 3), hour) for hour in range(4)]
    whole = page(*(bucket([result("embeddings", input_tokens=1)], start, 3600) for start in hours))
    some = page(*(bucket([completion()], start, 3600) for start in (hours[0], hours[1], hours[3])))
    settings = usage_settings(bucket_width="1h")
    with pytest.raises(IncompleteDeliveryError, match=r"completions.*no bucket from 2026-09-03 02:00 UTC"):
        parse(USAGE, settings, WINDOW, whole, some)
    assert parse(USAGE, settings, WINDOW, whole, whole).reaches == datetime(2026, 9, 3, 4)
