"""A log of an ended day that comes anew and says something else is told: no invoice would."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from connectors.base import LandedPage, Parsed, SourceSettings, Window
from contracts import contract
from pipelines.lake import Delivery
from pipelines.lake.deliveries import Journal
from tests.lake.fakes import NOW, Clock, FakeSource, Place

Pull = Callable[..., Delivery]
Line = dict[str, Any]
CALL: Line = {"input": 7, "output": 2, "cost": "0.5"}


@dataclass
class FakeLog(FakeSource):
    """Delivers requests as JSON lines such as `CALL`."""

    fact: ClassVar[str] = "gateway_requests"

    def parse(self, settings: SourceSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        for page in pages:
            with page.body.open() as stream:
                lines = [json.loads(line) for line in stream.read().splitlines()]
            rows = [request(settings.name, window.slice_date, n, line) for n, line in enumerate(lines)]
            yield Parsed(pa.Table.from_pylist(rows, schema=contract(self.fact).arrow_schema()))


def request(source: str, day: date, number: int, line: Line) -> Line:
    blank: Line = dict.fromkeys(contract("gateway_requests").arrow_schema().names)
    return blank | {
        "request_id": f"r{number}",
        "dedup_key": f"r{number}",
        "started_at": datetime(day.year, day.month, day.day, 12),
        "usage_date": day,
        "gateway": "fake",
        "status": "success",
        "is_cache_hit": False,
        "usage_provenance": "provider",
        "input_semantics": "inclusive",
        "source_cost_basis": "list",
        "is_id_used_before": line.get("before"),
        "input_uncached_tokens": line["input"],
        "output_text_tokens": line["output"],
        "source_reported_cost_usd": Decimal(line["cost"]) if line["cost"] else None,
        "x_source": source,
        "x_slice_date": day,
        "x_page": "log",
        "x_row": number + 1,
    }


def log(*lines: Line) -> FakeLog:
    return FakeLog([("log.jsonl", list(lines))])


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (  # 15 calls of 9 tokens and USD 0.50; three of them are lost
            [CALL] * 12,
            "12 rows where 15 rows were, 108 tokens where 135 tokens were, USD 6.00 stated where USD 7.50 were",
        ),
        ([CALL] * 14 + [{**CALL, "input": 40}], "168 tokens where 135 tokens were"),
        ([CALL] * 14 + [{**CALL, "cost": None}], "USD 7.00 stated where USD 7.50 were"),
        ([{**CALL, "cost": None}] * 15, "no money stated where USD 7.50 were"),
        ([CALL] * 13 + [{**CALL, "input": 8}, {**CALL, "input": 6}], "some of its 15 rows say something else"),
    ],
)
def test_a_log_of_an_ended_day_that_says_something_else_is_told(pull: Pull, now: list[Line], told: str) -> None:
    pull(log(*[CALL] * 15))
    again = pull(log(*now))
    assert (again.status, again.message) == ("committed", f"changed since it was whole: {told}")
    assert (again.previous_row_count, again.previous_total_tokens) == (15, 135)


def test_the_same_rows_in_files_that_were_written_anew_are_no_change(pull: Pull) -> None:
    pull(log(*[CALL] * 2))
    again = pull(FakeLog([("log.jsonl", [{**CALL, "and": "another field"}] * 2)]))
    assert (again.status, again.message, again.lines_changed) == ("committed", None, False)


def test_a_log_that_grows_within_its_day_is_none_either(place: Place, settings: SourceSettings) -> None:
    place.clock = Clock(NOW)
    lake = place.open()
    window = Window(NOW.replace(hour=0), NOW.replace(hour=0).replace(day=2))
    for count in (10, 12):
        delivery = lake.ingest(log(*[CALL] * count), settings, window, "run-1")
    assert (delivery.row_count, delivery.previous_row_count, delivery.message) == (12, 10, None)
    assert delivery.lines_changed


def test_a_log_that_states_no_cost_states_none_and_not_zero(pull: Pull) -> None:
    delivery = pull(log({**CALL, "cost": None}))
    assert (delivery.total_cost, delivery.total_tokens) == (None, 9)
    assert pull(log({**CALL, "cost": None}, CALL)).previous_total_cost is None


@pytest.mark.parametrize(
    ("now", "status", "told"),
    [
        # 15 calls of 9 tokens; a quarter fewer, or half as many again, are believed of a call
        (
            [{"input": 4, "output": 2, "cost": "0.5"}] * 15,
            "suspicious_shrink",
            "15 calls that were there came with 90 tokens",
        ),
        ([{"input": 5, "output": 2, "cost": "0.5"}] * 15, "committed", "105 tokens where 135 tokens were"),
        (
            [{"input": 12, "output": 2, "cost": "0.5"}] * 15,
            "suspicious_growth",
            "15 calls that were there came with 210 tokens",
        ),
        ([{"input": 11, "output": 2, "cost": "0.5"}] * 15, "committed", "195 tokens where 135 tokens were"),
        (
            [{"input": None, "output": None, "cost": "0.5"}] * 15,
            "suspicious_shrink",
            "15 calls that were there came with 0 tokens",
        ),
        # calls that come late say nothing of those that were there, however large they are
        ([CALL] * 30, "committed", "30 rows where 15 rows were"),
        ([CALL] * 15 + [{**CALL, "input": 40}] * 15, "committed", "765 tokens where 135 tokens were"),
    ],
)
def test_calls_of_far_more_or_fewer_tokens_are_not_believed_until_somebody_says_so(
    pull: Pull, now: list[Line], status: str, told: str
) -> None:
    pull(log(*[CALL] * 15))
    again = pull(log(*now))
    assert again.status == status
    assert told in (again.message or "")
    if status != "committed":
        assert "where they had 135: what was there stays" in (again.message or "")
        assert "--confirm" in (again.message or "")


def test_a_log_that_has_tokens_at_last_is_believed(pull: Pull) -> None:
    pull(log(*[{"input": None, "output": None, "cost": None}] * 15))
    assert pull(log(*[CALL] * 15)).status == "committed"


def test_a_log_that_was_emptied_has_lost_all_that_it_had(pull: Pull) -> None:
    pull(log(*[CALL] * 10))
    emptied = pull(log(), confirmed=True)
    assert (emptied.total_tokens, emptied.previous_total_tokens) == (0, 90)
    assert (emptied.total_cost, emptied.previous_total_cost, emptied.currency) == (0, 5, "USD")
    back = pull(log(*[CALL] * 10))
    assert (back.previous_total_tokens, back.previous_total_cost) == (0, 0)
    assert "90 tokens where 0 tokens were, USD 5.00 stated where USD 0.00 were" in (back.message or "")


@pytest.mark.parametrize("cost", ["0.5", None])
def test_what_an_older_journal_does_not_have_was_not_nothing(
    pull: Pull, monkeypatch: pytest.MonkeyPatch, cost: str | None
) -> None:
    pull(log(*[{**CALL, "cost": cost}] * 15))
    served = Journal.served

    def older(journal: Journal, source: str, day: date) -> Delivery | None:
        found = served(journal, source, day)
        return found and replace(found, total_tokens=None, total_cost=found.total_cost or Decimal(0))

    monkeypatch.setattr(Journal, "served", older)
    again = pull(FakeLog([("log.jsonl", [{**CALL, "cost": cost, "and": "another field"}] * 15)]))
    assert (again.message, again.lines_changed, again.previous_total_tokens) == (None, False, 135)


def test_where_an_id_came_before_is_no_part_of_what_a_row_says(pull: Pull) -> None:
    pull(log({**CALL, "before": False}, {**CALL, "before": True}))
    again = pull(log({**CALL, "before": True}, {**CALL, "before": False}))
    assert (again.message, again.lines_changed) == (None, False)
