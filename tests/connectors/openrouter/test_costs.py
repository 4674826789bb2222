"""The credits that a month cost: exact, and never a month that lost its first days."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.openrouter.costs import SOURCE, OpenRouterCosts
from connectors.registry import source
from connectors.windows import month_window
from tests.connectors.faulty_server import SERVICE_UNAVAILABLE, Answer, Clock, FaultyServer, Request, json_answer
from tests.connectors.openrouter.written import DAY, MONTH, SHARED, Account, costs, costs_settings, page, parse, row

FIRST = date(2026, 9, 1)


def fetch(server: FaultyServer, month: date = FIRST, **over: Any) -> list[bytes]:
    found = costs_settings(**{"url": f"{server.url}/api/v1", **over})
    return [body(fetched) for fetched in OpenRouterCosts(sleep=Clock().sleep).fetch(found, month_window(month))]


def body(fetched: Any) -> bytes:
    with fetched.body.open() as stream:
        return stream.read()


def total(parsed: Any) -> Decimal:
    return sum(parsed.rows["billed_cost"].to_pylist(), Decimal(0))


def days(count: int, first: date = FIRST) -> dict[date, list[dict[str, Any]]]:
    return {first + timedelta(days=n): [row(first + timedelta(days=n), usage=f"0.{n + 1:02}")] for n in range(count)}


def test_the_providers_example_is_a_line_of_its_credits() -> None:
    found = SHARED / "contracts" / "examples_providers" / "openrouter" / "activity.json"
    if not found.is_file():
        pytest.skip("the provider's example answers are not in this checkout: ../shared/contracts unlocks this test")
    parsed = parse(SOURCE, costs_settings(), MONTH, found.read_bytes())
    assert total(parsed) == Decimal("1.2345")
    assert parsed.notices == ()


def test_a_row_becomes_a_line_with_all_that_it_says() -> None:
    (found,) = costs(row(usage=0.015, workspace_id="ws-1")).rows.to_pylist()
    expected = {
        "billing_account_id": "acme",
        "sub_account_id": "ws-1",
        "billing_currency": "USD",
        "billing_period_start": datetime(2026, 9, 1),
        "billing_period_end": datetime(2026, 10, 1),
        "charge_period_start": datetime(2026, 9, 3),
        "charge_period_end": datetime(2026, 9, 4),
        "charge_category": "Usage",
        "billed_cost": Decimal("0.015"),
        "effective_cost": Decimal("0.015"),
        "list_cost": None,
        "consumed_quantity": Decimal(175),
        "consumed_unit": "Tokens",
        "provider_name": "OpenRouter",
        "invoice_issuer_name": "OpenRouter",
        "invoice_id": None,
        "service_name": "OpenRouter API",
        "sku_id": "openai/gpt-4.1-2025-04-14",
        "x_model_id": "openai/gpt-4.1",
        "x_token_class": None,
        "x_slice_date": FIRST,
        "x_row": 1,
    }
    assert {name: found[name] for name in expected} == expected
    assert json.loads(found["x_extra"]) == {
        "byok_usage_inference": "0",
        "completion_tokens": 125,
        "endpoint_id": "endpoint-1",
        "prompt_tokens": 50,
        "provider_name": "OpenAI",
        "reasoning_tokens": 25,
        "requests": 5,
    }


def test_what_own_keys_paid_elsewhere_is_told_and_not_charged() -> None:
    parsed = costs(
        row(usage=0.015, byok_usage_inference=0.012),
        row(endpoint_id="b", usage=1, byok_usage_inference="0.003"),
        row(endpoint_id="c"),
    )
    assert total(parsed) == Decimal("1.03")
    (told,) = parsed.notices
    assert told.startswith("0.015 USD of 2 rows were paid to the models' providers directly")


@pytest.mark.parametrize(
    ("written", "expected", "is_rounded"),
    [
        ("1.2345", "1.2345", False),
        ("3e-9", "0.000000003", False),
        ('"0.5"', "0.5", False),
        ("0.30000000000000004", "0.3", True),
        ("-0.25", "-0.25", False),
        ("0", "0", False),
    ],
)
def test_credits_are_exact_to_twelve_places_and_rounding_is_told(written: str, expected: str, is_rounded: bool) -> None:
    content = page(row(usage="AMOUNT")).replace(b'"AMOUNT"', written.encode())
    parsed = parse(SOURCE, costs_settings(), MONTH, content)
    assert parsed.rows["billed_cost"].to_pylist() == [Decimal(expected)]
    assert len(parsed.notices) == is_rounded


@pytest.mark.parametrize(
    ("over", "reason", "known_cost"),
    [
        ({"usage": None}, "missing_value", None),
        ({"usage": "1,5"}, "unreadable_number", None),
        ({"usage": [1]}, "unreadable_number", None),
        ({"model": 7}, "unreadable_text", Decimal("0.5")),
        ({"byok_usage_inference": "free"}, "unreadable_number", Decimal("0.5")),
        ({"prompt_tokens": -4}, "bad_count", Decimal("0.5")),
        ({"date": "2026-10-01"}, "outside_window", Decimal("0.5")),
        ({"date": "soon"}, "unreadable_time", Decimal("0.5")),
    ],
)
def test_a_row_that_cannot_be_booked_is_refused_with_its_cost(
    over: dict[str, Any], reason: str, known_cost: Decimal | None
) -> None:
    parsed = costs(row(usage=1), row(**{"usage": 0.5, **over}))
    assert total(parsed) == 1
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row, reject.cost) == (reason, 2, known_cost)


def test_tokens_that_are_half_known_are_no_quantity() -> None:
    (found,) = costs(row(completion_tokens=None, reasoning_tokens=None)).rows.to_pylist()
    assert (found["consumed_quantity"], found["consumed_unit"]) == (None, None)


def test_every_day_that_is_over_is_read_and_no_other(server: FaultyServer) -> None:
    rows = days(10)
    Account({**rows, date(2026, 8, 31): [row(date(2026, 8, 31), usage=99)]}, completed=date(2026, 9, 10)).install(
        server
    )
    pages = fetch(server)
    asked = [r.query["date"][0] for r in server.requests]
    assert asked == [f"2026-09-{day:02}" for day in range(1, 12)]  # the eleventh is refused: it is not over
    parsed = parse(SOURCE, costs_settings(), MONTH, *pages)
    assert total(parsed) == Decimal("0.55")  # 0.01 + ... + 0.10
    assert (parsed.is_final, parsed.notices) == (False, ())


def test_a_month_of_thirty_days_is_whole_on_its_last_night(server: FaultyServer) -> None:
    Account(days(30), completed=date(2026, 9, 30)).install(server)
    assert SOURCE.windows(costs_settings(), date(2026, 9, 30)) == [MONTH]
    assert total(parse(SOURCE, costs_settings(), MONTH, *fetch(server))) == Decimal("4.65")  # 0.01 + ... + 0.30


def test_a_month_that_lost_its_first_day_is_never_delivered(server: FaultyServer) -> None:
    Account(days(30), completed=date(2026, 10, 1)).install(server)
    with pytest.raises(SourceError, match=r"2026-09-01 seems to be none.*What was delivered of it before stands"):
        fetch(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("said", ["Invalid parameter: group_by", "Date must be written YYYY-MM-DD", ""])
def test_a_refusal_for_another_reason_does_not_end_the_month_but_fails_it(server: FaultyServer, said: str) -> None:
    account = Account(days(10), completed=date(2026, 9, 10))

    def answer(request: Request) -> Answer:
        if request.query["date"][0] < "2026-09-05":
            return account.answer(request)
        return json_answer(json.dumps({"error": {"code": 400, "message": said}}).encode(), 400)

    server.route("/api/v1/activity", answer)
    with pytest.raises(SourceError, match="answered HTTP 400"):
        fetch(server)
    assert [r.query["date"][0] for r in server.requests][-1] == "2026-09-05"


def test_a_server_that_fails_in_the_middle_of_the_month_delivers_nothing_of_it(server: FaultyServer) -> None:
    Account(days(10), completed=date(2026, 9, 10)).install(server)
    delivered = OpenRouterCosts(sleep=Clock().sleep).fetch(costs_settings(url=f"{server.url}/api/v1"), MONTH)
    assert next(delivered).name == "activity/2026-09-01"
    server.inject_always(SERVICE_UNAVAILABLE)
    with pytest.raises(SourceError, match="did not deliver"):
        list(delivered)


@pytest.mark.parametrize(
    ("night", "months"),
    [
        (date(2026, 9, 1), ["2026-09"]),
        (date(2026, 9, 30), ["2026-09"]),
        (date(2026, 8, 30), ["2026-08"]),
        (date(2026, 8, 31), []),  # of a month of 31 days the first is out of reach before the last is over
        (date(2026, 3, 1), ["2026-02", "2026-03"]),
        (date(2026, 3, 2), ["2026-02", "2026-03"]),
        (date(2026, 3, 3), ["2026-03"]),
        (date(2028, 3, 1), ["2028-02", "2028-03"]),
        (date(2028, 3, 2), ["2028-03"]),
    ],
)
def test_a_month_is_listed_while_the_api_tells_of_its_first_day(night: date, months: list[str]) -> None:
    assert [f"{w.slice_date:%Y-%m}" for w in SOURCE.windows(costs_settings(), night)] == months


def test_saved_answers_know_no_such_limit() -> None:
    windows = SOURCE.windows(costs_settings(location="x"), date(2026, 9, 5))
    assert [f"{w.slice_date:%Y-%m}" for w in windows] == ["2026-08", "2026-09"]
    assert [w.slice_date for w in SOURCE.windows(costs_settings(location="x"), date(2026, 8, 31))] == [date(2026, 8, 1)]


def test_a_month_of_31_days_says_what_it_lacks() -> None:
    august = month_window(date(2026, 8, 1))
    parsed = costs(row(date(2026, 8, 3)), window=august)
    (lacks,) = parsed.not_covered
    assert lacks.startswith("2026-08-31: OpenRouter tells of 30 days at once")
    saved = costs(row(date(2026, 8, 3)), window=august, location="x")
    assert (saved.not_covered, saved.notices) == ((), ())
    assert costs(row()).not_covered == ()


def save(folder: Path, rows: dict[date, list[dict[str, Any]]]) -> None:
    for day, found in rows.items():
        path = folder / day.isoformat() / "activity" / "page-1.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(page(*found))


def saved_total(folder: Path, month: date) -> Decimal:
    found, window = costs_settings(location=str(folder)), month_window(month)
    return total(parse(SOURCE, found, window, *[body(fetched) for fetched in SOURCE.fetch(found, window)]))


def test_a_saved_month_is_made_of_its_saved_days(tmp_path: Path) -> None:
    save(tmp_path, days(31, date(2026, 8, 1)))
    save(tmp_path, days(3))
    assert saved_total(tmp_path, date(2026, 8, 1)) == Decimal("4.96")  # 0.01 + ... + 0.31
    assert saved_total(tmp_path, FIRST) == Decimal("0.06")


def test_saving_may_have_begun_in_the_middle_of_a_month(tmp_path: Path) -> None:
    save(tmp_path, days(2, date(2026, 9, 20)))
    assert saved_total(tmp_path, FIRST) == Decimal("0.03")
    assert saved_total(tmp_path, date(2026, 8, 1)) == 0


def test_a_saved_month_with_a_gap_is_incomplete(tmp_path: Path) -> None:
    rows = days(5)
    del rows[DAY]
    save(tmp_path, rows)
    with pytest.raises(IncompleteDeliveryError, match="2026-09-03 has no saved answer, and 2026-09-05 has one"):
        saved_total(tmp_path, FIRST)


def test_a_month_of_which_nothing_is_saved_is_unknown_and_not_zero(tmp_path: Path) -> None:
    save(tmp_path, days(1))
    with pytest.raises(SourceError, match="no saved answer of 2026-10"):
        saved_total(tmp_path, date(2026, 10, 1))


def test_the_registry_knows_the_source() -> None:
    assert source("openrouter_costs") is SOURCE
