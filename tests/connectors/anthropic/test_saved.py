"""Answers that another job saved become the very rows that the API would have given."""

import hashlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.anthropic.costs import SOURCE as COSTS
from connectors.anthropic.settings import CostsSettings, UsageSettings
from connectors.anthropic.usage import SOURCE as USAGE
from connectors.base import IncompleteDeliveryError, LandedPage, Page, SourceError
from connectors.windows import day_window, month_window
from tests.connectors.anthropic.conftest import DAY, Night, parse_costs, parse_usage, together
from tests.connectors.anthropic.written import bucket, cost, page, total, usage

START = "2026-09-03T00:00:00Z"


def put(folder: Path, path: str, content: bytes) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def landed(pages: list[Page]) -> list[LandedPage]:
    found = []
    for fetched in pages:
        with fetched.body.open() as stream:
            found.append(LandedPage(fetched.name, hashlib.sha256(stream.read()).hexdigest(), fetched.body))
    return found


def costs(folder: Path, day: date = DAY, **over: Any) -> Night:
    settings = CostsSettings(**{"name": "c", "kind": "anthropic_costs", "location": str(folder), **over})
    window = month_window(day)
    return together(list(COSTS.parse(settings, window, landed(list(COSTS.fetch(settings, window))))))


def usages(folder: Path, **over: Any) -> Night:
    settings = UsageSettings(**{"name": "u", "kind": "anthropic_usage", "location": str(folder), **over})
    window = day_window(DAY)
    return together(list(USAGE.parse(settings, window, landed(list(USAGE.fetch(settings, window))))))


def test_the_documented_answers_saved_are_the_documented_answers(
    tmp_path: Path, example: Callable[[str], bytes]
) -> None:
    put(tmp_path, "2026-09/cost_report/page-1.json", example("cost_report"))
    put(tmp_path, "2026-09/cost_report_total/page-1.json", example("cost_report_ungrouped"))
    for number in (1, 2):
        put(
            tmp_path,
            f"2026-09-03/usage_report/messages/page-{number}.json",
            example(f"usage_report_messages_page{number}"),
        )
    assert costs(tmp_path) == parse_costs([example("cost_report"), example("cost_report_ungrouped")])
    names = [example(f"usage_report_messages_page{number}") for number in (1, 2)]
    assert usages(tmp_path) == parse_usage(names)
    (tmp_path / "2026-09-03/usage_report/messages/page-2.json").unlink()
    with pytest.raises(IncompleteDeliveryError, match="no last page"):
        usages(tmp_path)


def test_answers_of_the_analytics_api_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    span = {"starting_at": START, "ending_at": "2026-09-04T00:00:00Z"}
    line = {**span, "group": {"model": "m", "cost_type": "tokens"}, "cost": {"currency": "USD", "amount": "7"}}
    put(tmp_path, "2026-09/analytics/cost/page-1.json", page([line]))
    put(tmp_path, "2026-09/analytics/cost_total/page-1.json", page([{**line, "group": {}}]))
    night = costs(tmp_path, api="analytics")
    assert night.total() == night.stated_cost == Decimal("0.07")
    with pytest.raises(SourceError, match="cost_report/page-1"):
        costs(tmp_path)


def test_a_month_that_was_saved_day_by_day_is_one_month(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        start = f"2026-09-{day:02}T00:00:00Z"
        put(tmp_path, f"2026-09/cost_report/page-{day}.json", page([bucket(start, [cost(str(day))])]))
        put(tmp_path, f"2026-09/cost_report_total/page-{day}.json", page([bucket(start, [total(str(day))])]))
    night = costs(tmp_path)
    assert night.total() == night.stated_cost == Decimal("0.06")


def test_a_month_that_was_not_saved_is_unknown(tmp_path: Path) -> None:
    put(tmp_path, "2026-08/cost_report/page-1.json", page([]))
    with pytest.raises(SourceError, match="not zero"):
        costs(tmp_path)
    assert costs(tmp_path, date(2026, 7, 1)).rows == []


def test_the_probe_says_what_was_saved(tmp_path: Path) -> None:
    put(tmp_path, "2026-09/cost_report/page-1.json", page([]))
    put(tmp_path, "2026-09-03/usage_report/messages/page-1.json", page([bucket(START, [usage()])]))
    assert COSTS.probe(CostsSettings(name="c", kind="anthropic_costs", location=str(tmp_path))).endswith("2026-09")
    found = USAGE.probe(UsageSettings(name="u", kind="anthropic_usage", location=str(tmp_path)))
    assert "answers of 1 days, 2026-09-03 to 2026-09-03" in found
