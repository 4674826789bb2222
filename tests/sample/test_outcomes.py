"""What came of the requests: the helpdesk's files tell what the truth counts, and nothing that may not be kept lands."""

import csv
from collections import Counter
from datetime import date

import pytest

from sample.company import days_until
from sample.outcomes import ticket_lives, ticket_of
from sample.traffic import Request, requests_of


@pytest.fixture(scope="module")
def traffic() -> dict[date, list[Request]]:
    return {day: requests_of(day, 1847) for day in days_until(date(2026, 11, 2))}


def test_the_export_tells_every_event_on_its_day_and_some_twice(october) -> None:
    lines = Counter[tuple[str, str, str]]()
    for file in sorted((october.directory / "exports/helpdesk").glob("*.csv")):
        for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
            assert row["changed_at"].startswith(file.stem.removeprefix("tickets-"))
            lines[row["ticket"], row["changed_at"], row["status"]] += 1
    assert set(lines.values()) == {1, 2}
    successes = sum(kind["successes"] for kind in october.truth["outcomes"]["ticket-resolved"].values())
    assert sum(status == "resolved" and ticket.startswith("T-") for ticket, _, status in lines) >= successes > 1000


def test_every_ticket_has_one_route_and_its_own_number(october, traffic) -> None:
    groups = {r.group_id for of_day in traffic.values() for r in of_day if ticket_of(r)}
    assert len({ticket_of(r) for of_day in traffic.values() for r in of_day} - {None}) == len(groups)
    told = october.truth["outcomes"]["ticket-resolved"]
    assert sum(counts["traces"] for counts in told.values()) == len(groups)


def test_outcomes_come_late_and_some_after_the_month(october, traffic) -> None:
    last = [life[-1].at.date() for _, life in ticket_lives(traffic, 1847) if life]
    assert any(day >= date(2026, 11, 1) for day in last)
    for kind in ("ticket-resolved", "document-parsed"):
        for route, counts in october.truth["outcomes"][kind].items():
            assert 0 <= counts["successes"] <= counts["outcomes"] <= counts["traces"]
            assert (counts["successes"] == 0) is (route == "unknown")
