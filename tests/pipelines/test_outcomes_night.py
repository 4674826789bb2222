"""Outcomes over whole nights: an outcome that comes later, or is taken back, changes the day of its requests alone."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.house import open_house
from pipelines.night.outcomes import build_outcome_events, build_unit_costs
from tests.pipelines.conftest import Night, night, published
from tests.pipelines.small_company import CONFIG, line, write_bill, write_company
from tests.sql.golden import filled

DAY = date(2026, 10, 29)
COST = Decimal("0.0035")  # 1,000 tokens at 2.50 and 100 at 10 dollars a million
OUTCOMES = """
outcomes:
  - {name: ticket, features: [reply], trace: ticket_id, successes: [resolved], reversals: [reopened],
     maturity_days: 1, least_successes: 1}
  - {name: draft, from: gateway, features: [reply], trace: ticket_id, least_successes: 1}
"""
DESK = """\
  - name: desk
    kind: outcomes_file
    location: desk
    layout: "{date}.csv"
    hash_key: file:key
    trailing_days: 3
    constants: {outcome_kind: ticket}
    fields: {outcome_id: id, occurred_at: at, result: state}
teams:
"""


def attempt(ticket: str, at: datetime, *, fails: bool = False) -> dict[str, Any]:
    tokens = (0, 0) if fails else (1000, 100)
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    started = at.replace(tzinfo=UTC).timestamp()
    said = {"feature": "reply", "ticket_id": ticket}
    return {
        "id": f"{ticket}-{at:%d%H%M}",
        "trace_id": f"tr-{ticket}",
        "call_type": "acompletion",
        "status": "failure" if fails else "success",
        "custom_llm_provider": "openai",
        "model": "gpt-4o",
        "model_group": "gpt-4o",
        "startTime": started,
        "endTime": started + 1,
        **usage,
        "metadata": {"user_api_key_alias": "support", "usage_object": usage, "requester_metadata": said},
    }


def write_attempts(folder: Path, day: date, attempts: list[dict[str, Any]]) -> None:
    target = folder / "log" / day.isoformat()
    target.mkdir(parents=True, exist_ok=True)
    (target / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in attempts), encoding="utf-8")


def write_events(folder: Path, day: date, *events: str) -> None:
    (folder / "desk").mkdir(exist_ok=True)
    text = "id,at,state\n" + "".join(f"{event}\n" for event in events)
    (folder / "desk" / f"{day}.csv").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tickets on a day, one of them with a failed attempt, and a third on the next."""
    folder = tmp_path_factory.mktemp("outcomes")
    write_company(folder)
    text = CONFIG.replace("trailing_days: 0}", "trailing_days: 0, outcome_keys: [ticket_id]}")
    (folder / "farthing.yml").write_text(text.replace("teams:\n", DESK) + OUTCOMES, encoding="utf-8")
    write_bill(
        folder / "bills", [line(ChargePeriodStart="2026-10-29T00:00:00Z", ChargePeriodEnd="2026-11-01T00:00:00Z")]
    )
    noon = datetime(2026, 10, 29, 12)
    tried = [attempt("T-1", noon, fails=True), attempt("T-1", noon + timedelta(minutes=1)), attempt("T-2", noon)]
    write_attempts(folder, DAY, tried)
    write_attempts(folder, DAY + timedelta(days=1), [attempt("T-3", noon + timedelta(days=1))])
    write_attempts(folder, DAY + timedelta(days=2), [])
    write_events(folder, DAY, "T-1,2026-10-29T15:00:00Z,resolved", "X-9,2026-10-29T16:00:00Z,resolved")
    return folder


def told(company: Path, day: date = DAY, kind: str = "ticket") -> dict[str, Any]:
    """The day's row of the kind."""
    with published(company / "lake") as database:
        found = database.execute(
            "select * from unit_costs where period_kind = 'day' and level = 'kind' and period_start = ? "
            "and outcome_kind = ?",
            [day, kind],
        )
        names = [column[0] for column in found.description or ()]
        (row,) = found.fetchall()
    return dict(zip(names, row, strict=True))


def run(company: Path, day: date) -> Night:
    found = night(company / "farthing.yml", day)
    assert found.result.published
    return found


def test_outcomes_come_later_are_taken_back_and_stay_with_the_day_of_their_requests(company: Path) -> None:
    run(company, DAY)
    first = told(company)
    assert (first["request_count"], first["failure_count"], first["trace_count"]) == (3, 1, 2)
    assert (first["priced_cost_usd"], first["attributed_cost_usd"]) == (2 * COST, COST)
    assert (first["outcome_count"], first["unmatched_count"], first["match_ratio"]) == (1, 1, 0.5)
    assert first["reason"] == "immature"

    write_events(company, DAY + timedelta(days=1), "T-2,2026-10-30T09:00:00Z,resolved")
    run(company, DAY + timedelta(days=1))
    second = told(company)
    assert (second["success_count"], second["cost_per_success_usd"]) == (2, COST)
    assert second["unattributed_cost_usd"] == 0
    assert told(company, DAY + timedelta(days=1))["unattributed_cost_usd"] == COST

    write_events(company, DAY + timedelta(days=2), "T-1,2026-10-31T09:00:00Z,reopened")
    run(company, DAY + timedelta(days=2))
    third = told(company)
    assert (third["success_count"], third["reversed_count"], third["success_ratio"]) == (1, 1, 0.5)
    assert third["cost_per_success_usd"] == 2 * COST
    assert third["priced_cost_usd"] == first["priced_cost_usd"]


def test_the_log_tells_of_its_own_what_was_tried_and_what_succeeded(company: Path) -> None:
    draft = told(company, kind="draft")
    assert (draft["outcome_count"], draft["success_count"], draft["maturity_ratio"]) == (2, 2, 1.0)
    assert draft["cost_per_success_usd"] == COST


def test_a_night_of_several_days_says_the_same_as_one_night_each(company: Path, tmp_path: Path) -> None:
    for name in ("log", "desk", "bills", "other", "key", "farthing.yml"):
        (tmp_path / name).symlink_to(company / name)
    found = night(tmp_path / "farthing.yml", DAY, DAY + timedelta(days=2))
    assert found.result.published
    with published(company / "lake") as one, published(tmp_path / "lake") as other:
        for table in ("unit_costs", "outcome_cohorts"):
            rows = [sorted(map(repr, of.execute(f"select * from {table}").fetchall())) for of in (one, other)]
            assert rows[0] == rows[1]


def test_a_kind_that_nobody_declares_and_one_that_nothing_serves_are_named(company: Path, tmp_path: Path) -> None:
    text = (company / "farthing.yml").read_text(encoding="utf-8")
    text = text.replace("{name: ticket, features: [reply]", "{name: other, features: [rply]")
    (tmp_path / "farthing.yml").write_text(text, encoding="utf-8")
    (tmp_path / "key").symlink_to(company / "key")
    with open_house(tmp_path / "farthing.yml", "run", clock=lambda: datetime(2026, 10, 30, 5)) as house:
        event = {"outcome_kind": "ticket", "x_slice_date": DAY, "occurred_at": "2026-10-29 09:00:00"}
        house.lake.replace_slice("outcomes", DAY, "desk", filled("outcomes", [event]), "a")
        house.lake.replace_slice("gateway_requests", DAY, "gateway", filled("gateway_requests", []), "a")
        (counted,) = build_outcome_events(house, DAY, DAY).problems
        assert counted.startswith("outcomes: events of the kind 'ticket' are counted nowhere: declare it")
        served = build_unit_costs(house, DAY, DAY).problems
        assert [told.split(":")[1] for told in served] == [" no request serves 'other'", " no request serves 'draft'"]


def test_reversals_that_come_too_late_are_counted_aloud(company: Path, tmp_path: Path) -> None:
    (tmp_path / "farthing.yml").write_text((company / "farthing.yml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "key").symlink_to(company / "key")
    with open_house(tmp_path / "farthing.yml", "run", clock=lambda: datetime(2026, 10, 30, 5)) as house:
        told_on = {DAY: ("T-9", "reopened"), DAY - timedelta(days=36): ("T-9", "resolved")}
        for day, (ticket, result) in told_on.items():
            event = {"outcome_kind": "ticket", "outcome_id": ticket, "result": result, "x_slice_date": day}
            event["occurred_at"] = f"{day} 09:00:00"
            house.lake.replace_slice("outcomes", day, "desk", filled("outcomes", [event]), "a")
        built = build_outcome_events(house, DAY, DAY)
        assert built.note == "1 reversals come more than 35 days after what they take back, or without it"
        rows = house.lake.read("outcome_events", DAY, DAY + timedelta(days=1)).to_pylist()
        assert [(row["outcome_id"], row["is_success"], row["is_reversed"]) for row in rows] == [("T-9", False, True)]
