"""What an organisation was charged: to the last digit, in one currency, and never counted twice."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError, RefusedRequestError
from connectors.openai.costs import SOURCE, OpenAiCosts
from connectors.registry import source
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request
from tests.connectors.openai.written import (
    DAY,
    EXAMPLES,
    MONTH,
    Organisation,
    bucket,
    cost,
    costs,
    costs_settings,
    epoch,
    page,
    parse,
)

FIRST = epoch(date(2026, 9, 1))


def fetch(server: FaultyServer, **over: Any) -> list[bytes]:
    settings = costs_settings(**{"url": f"{server.url}/v1", **over})
    return [body(fetched) for fetched in OpenAiCosts(sleep=Clock().sleep).fetch(settings, MONTH)]


def body(fetched: Any) -> bytes:
    with fetched.body.open() as stream:
        return stream.read()


def total(parsed: Any) -> Decimal:
    return sum(parsed.rows["billed_cost"].to_pylist(), Decimal(0))


def test_the_example_adds_up_to_what_was_counted_by_hand() -> None:
    if not EXAMPLES.is_dir():
        pytest.skip("the provider's example answers are not in this checkout: ../shared/contracts unlocks this test")
    names = (EXAMPLES / "projects.json").read_bytes()
    parsed = parse(SOURCE, costs_settings(), MONTH, (EXAMPLES / "costs.json").read_bytes(), names)
    rows = parsed.rows.to_pylist()
    assert total(parsed) == Decimal("6.1075")  # 1.5 + 0.5 + 1.8 + 0.0675 + 0.09 + 0.05, and 2.1 of the next day
    of_first_day = [row["billed_cost"] for row in rows if row["charge_period_start"] == datetime(2026, 9, 3)]
    assert sum(of_first_day) == Decimal("4.0075")
    seen = {(r["x_model_id"], r["x_token_class"], r["x_service_tier"]): r["consumed_quantity"] for r in rows[:6]}
    assert seen == {
        ("gpt-4o-2024-08-06", "input_uncached", None): 600_000,
        ("gpt-4o-2024-08-06", "cache_read", None): 400_000,
        ("gpt-4o-2024-08-06", "output_text", None): 180_000,
        ("gpt-4o-mini-2024-07-18", "input_uncached", "batch"): 900_000,
        ("gpt-4o-mini-2024-07-18", "output_text", "batch"): 300_000,
        ("text-embedding-3-small", "input_uncached", None): 2_500_000,
    }
    assert {(row["sub_account_id"], row["sub_account_name"]) for row in rows} == {
        ("proj_Acme0Search", "search-assistant"),
        ("proj_Acme0Evals", "offline-evals"),
    }
    assert {row["consumed_unit"] for row in rows} == {"Tokens"}
    assert (parsed.rejects, parsed.notices, parsed.is_final) == ((), (), False)


def test_a_result_becomes_a_line_with_all_that_it_says() -> None:
    given = cost(
        "1.25",
        "priority | gpt-5.6-sol, output, long context",
        api_key_id="key_a",
        organization_name="Acme",
        project_name="search",
        quantity=2.5,
        quantity_unit="1000_tokens",
    )
    (row,) = costs(given).rows.to_pylist()
    expected = {
        "billing_account_id": "org-acme",
        "billing_account_name": "Acme",
        "sub_account_id": "proj_search",
        "sub_account_name": "search",
        "billing_currency": "USD",
        "billing_period_start": datetime(2026, 9, 1),
        "billing_period_end": datetime(2026, 10, 1),
        "charge_period_start": datetime(2026, 9, 3),
        "charge_period_end": datetime(2026, 9, 4),
        "charge_category": "Usage",
        "charge_class": None,
        "charge_description": "priority | gpt-5.6-sol, output, long context",
        "billed_cost": Decimal("1.25"),
        "effective_cost": Decimal("1.25"),
        "list_cost": None,
        "contracted_cost": None,
        "consumed_quantity": Decimal("2.5"),
        "consumed_unit": "1000 Tokens",
        "provider_name": "OpenAI",
        "invoice_issuer_name": "OpenAI",
        "invoice_id": None,
        "service_name": "OpenAI API",
        "sku_id": "priority | gpt-5.6-sol, output, long context",
        "sku_meter": "output",
        "resource_id": "key_a",
        "resource_type": "api_key",
        "x_model_id": "gpt-5.6-sol",
        "x_token_class": "output_text",
        "x_service_tier": "priority",
        "x_extra": '{"context":"long context"}',
        "x_source": "openai-costs",
        "x_slice_date": date(2026, 9, 1),
        "x_row": 1,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("written", "expected", "is_rounded"),
    [
        ("0.06", "0.06", False),
        ('"2.1000000000"', "2.1", False),
        ("0.34090000000000000", "0.3409", False),  # as the API writes some amounts: the zeros say nothing
        ("0.1", "0.1", False),
        ("1e-7", "0.0000001", False),
        ('"1E-12"', "1e-12", False),
        ("0.30000000000000004", "0.3", True),
        ("0.0000000000005", "1e-12", True),
        ("-0.0000000000005", "-1e-12", True),
        ("0.0000000000015", "2e-12", True),
        ("-0.0", "0", False),
        ("-3.25", "-3.25", False),
        ("12345678901234567890.123456789012", "12345678901234567890.123456789012", False),
        ("7", "7", False),
    ],
)
def test_amounts_are_exact_to_twelve_places_and_rounding_is_told(written: str, expected: str, is_rounded: bool) -> None:
    content = page(bucket([cost("AMOUNT")])).replace(b'"AMOUNT"', written.encode())
    parsed = parse(SOURCE, costs_settings(), MONTH, content)
    assert parsed.rows["billed_cost"].to_pylist() == [Decimal(expected)]
    assert parsed.rows["effective_cost"].to_pylist() == [Decimal(expected)]
    told = ("1 costs with more than 12 decimal places were rounded half away from zero",) if is_rounded else ()
    assert parsed.notices == told


@pytest.mark.parametrize(
    ("over", "reason", "known_cost"),
    [
        ({"amount": {"value": 5, "currency": "eur"}}, "wrong_currency", Decimal(5)),
        ({"amount": {"value": 5}}, "wrong_currency", None),
        ({"amount": {"value": 5, "currency": 840}}, "wrong_currency", None),
        ({"amount": {"value": "$5", "currency": "usd"}}, "unreadable_number", None),
        ({"amount": {"value": "1,234.50", "currency": "usd"}}, "unreadable_number", None),
        ({"amount": {"value": "NaN", "currency": "usd"}}, "unreadable_number", None),
        ({"amount": {"value": "Infinity", "currency": "usd"}}, "unreadable_number", None),
        ({"amount": {"value": "", "currency": "usd"}}, "unreadable_number", None),
        ({"amount": {"value": True, "currency": "usd"}}, "unreadable_number", None),
        ({"amount": {"value": 10**26, "currency": "usd"}}, "unreadable_number", None),
        ({"amount": {"value": "1e400", "currency": "usd"}}, "unreadable_number", None),
        ({"amount": {"value": None, "currency": "usd"}}, "missing_value", None),
        ({"amount": 5}, "missing_value", None),
        ({"amount": None}, "missing_value", None),
        ({"object": "organization.usage.images.result"}, "unknown_object", None),
        ({"project_id": 7}, "unreadable_text", Decimal("0.5")),
        ({"line_item": ["gpt"]}, "unreadable_text", Decimal("0.5")),
        ({"quantity": "many", "quantity_unit": "tokens"}, "unreadable_number", Decimal("0.5")),
    ],
)
def test_a_line_that_cannot_be_booked_is_refused_with_payload_and_cost(
    over: dict[str, Any], reason: str, known_cost: Decimal | None
) -> None:
    parsed = costs(cost(1), cost("0.50", **over))
    assert total(parsed) == 1
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row, reject.cost) == (reason, 2, known_cost)
    assert "line_item" in json.loads(reject.payload)
    assert reject.currency == ("EUR" if known_cost == 5 else None)


def test_a_line_of_another_month_is_refused_with_its_cost() -> None:
    content = page(bucket([cost("0.50")], epoch(date(2026, 10, 1))), bucket([cost(1)]))
    (reject,) = parse(SOURCE, costs_settings(), MONTH, content).rejects
    assert (reject.reason, reject.cost) == ("outside_window", Decimal("0.5"))


def test_credits_are_signed_and_named_so() -> None:
    parsed = costs(cost(10), cost("-3.25", "Promotional credit"))
    assert total(parsed) == Decimal("6.75")
    assert parsed.rows["charge_category"].to_pylist() == ["Usage", "Credit"]


def test_a_service_keeps_its_words_and_an_unknown_line_is_told() -> None:
    parsed = costs(
        cost(1, "web search tool calls"),
        cost(2, "gpt-9 enterprise thing"),
        cost(3, None),
        cost(4, None, project_id=None),
    )
    rows = parsed.rows.to_pylist()
    assert [row["service_name"] for row in rows] == [
        "web search tool calls",
        "gpt-9 enterprise thing",
        "OpenAI API",
        "OpenAI API",
    ]
    assert {(row["x_model_id"], row["x_token_class"]) for row in rows} == {(None, None)}
    assert rows[3]["sub_account_id"] is None
    assert parsed.notices == (
        "2 lines are not separated by line item",
        "1 lines have line items that no rule reads, and keep them as service: gpt-9 enterprise thing",
    )


def test_a_flood_of_unknown_lines_is_told_in_a_few_words() -> None:
    parsed = costs(*(cost(1, f"strange {n}") for n in range(50)))
    assert len(parsed.notices) == 21
    assert parsed.notices[-1] == "30 more remarks of these kinds"


def test_units_that_are_mixed_have_no_quantity() -> None:
    parsed = costs(cost(1, quantity=None, quantity_unit="tokens"), cost(1, quantity=3, quantity_unit="moons"))
    found = [(row["consumed_quantity"], row["consumed_unit"]) for row in parsed.rows.to_pylist()]
    assert found == [(None, None), (Decimal(3), "moons")]


def test_the_month_is_asked_for_as_a_whole_by_project_and_line_item(server: FaultyServer) -> None:
    Organisation({}).install(server)
    fetch(server)
    (request,) = server.requests
    assert request.query == {
        "start_time": [str(FIRST)],
        "end_time": [str(epoch(date(2026, 10, 1)))],
        "bucket_width": ["1d"],
        "limit": ["180"],
        "group_by[]": ["project_id", "line_item"],
    }


def test_keys_are_asked_for_when_wanted_and_left_out_where_the_organisation_refuses(server: FaultyServer) -> None:
    organisation = Organisation({"costs": {FIRST: [cost(1, api_key_id="key_a")]}})
    organisation.install(server)
    fetch(server, by_api_key=True)
    assert server.requests[-1].query["group_by[]"] == ["project_id", "line_item", "api_key_id"]
    organisation.refused_grouping = "api_key_id"
    pages = fetch(server, by_api_key=True)
    assert [r.query["group_by[]"][2:] for r in server.requests] == [["api_key_id"], ["api_key_id"], []]
    assert len(pages) == 1
    told = parse(SOURCE, costs_settings(by_api_key=True), MONTH, page(bucket([cost(1)]))).notices
    assert told == ("1 lines name no API key, though they were asked by it",)


def test_a_refusal_in_the_middle_never_mixes_two_groupings(server: FaultyServer) -> None:
    organisation = Organisation({}, per_page=10)

    def answer(request: Request) -> Answer:
        if "page" in request.query:
            organisation.refused_grouping = "api_key_id"
        return organisation.answer(request)

    server.route("/v1/organization/costs", answer)
    with pytest.raises(RefusedRequestError) as refused:
        fetch(server, by_api_key=True)
    assert refused.value.status == 400


def test_any_other_refusal_is_no_reason_to_ask_for_less(server: FaultyServer) -> None:
    with pytest.raises(RefusedRequestError):
        fetch(server, by_api_key=True)
    assert len(server.requests) == 1


def test_projects_are_read_to_their_last_page_archived_ones_too(server: FaultyServer) -> None:
    charged = [cost(1, project_id=project) for project in ("proj_search", "proj_evals", "proj_gone", None)]
    Organisation({"costs": {FIRST: charged}}).install(server)
    settings = costs_settings(url=f"{server.url}/v1", project_names=True)
    parsed = parse(SOURCE, settings, MONTH, *fetch(server, project_names=True))
    assert parsed.rows["sub_account_name"].to_pylist() == ["search", "offline evals", None, None]
    assert [r.query.get("after") for r in server.requests] == [None, ["proj_search"], None]
    assert server.requests[0].query["include_archived"] == ["true"]


def test_projects_whose_last_page_is_missing_are_an_incomplete_delivery() -> None:
    with pytest.raises(IncompleteDeliveryError, match="every page of projects"):
        parse(SOURCE, costs_settings(), MONTH, page(bucket([cost(1)])), Organisation.projects(None))


def test_saved_answers_give_the_rows_that_the_api_gives(server: FaultyServer, tmp_path: Path) -> None:
    Organisation({"costs": {FIRST: [cost("0.1")], epoch(DAY): [cost("0.2")]}}, per_page=10).install(server)
    pages = fetch(server, project_names=True)
    for number, content in enumerate(pages[:2], 1):
        save(tmp_path, "projects", number, content)
    for number, content in enumerate(pages[2:], 1):
        save(tmp_path, "costs", number, content)
    settings = costs_settings(location=str(tmp_path))
    saved = parse(SOURCE, settings, MONTH, *[body(fetched) for fetched in SOURCE.fetch(settings, MONTH)])
    by_api = parse(SOURCE, settings, MONTH, *pages)
    assert saved.rows.equals(by_api.rows)
    assert total(saved) == Decimal("0.3")
    (tmp_path / "2026-09" / "costs" / "page-3.json").unlink()
    with pytest.raises(IncompleteDeliveryError, match="announces another page"):
        parse(SOURCE, settings, MONTH, *[body(fetched) for fetched in SOURCE.fetch(settings, MONTH)])


def save(folder: Path, endpoint: str, number: int, content: bytes) -> None:
    path = folder / "2026-09" / endpoint / f"page-{number}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_two_downloads_in_one_folder_are_counted_once_or_not_at_all() -> None:
    earlier, longer = page(bucket([cost(1)])), page(bucket([cost(1)]), bucket([cost(2)], epoch(DAY) + 86_400))
    parsed = parse(SOURCE, costs_settings(), MONTH, earlier, longer)
    assert (total(parsed), parsed.duplicate_count) == (Decimal(3), 1)
    with pytest.raises(IncompleteDeliveryError, match="different numbers"):
        parse(SOURCE, costs_settings(), MONTH, earlier, page(bucket([cost("1.01")])))


@pytest.mark.parametrize(
    ("day", "trailing", "months"),
    [
        (date(2026, 9, 30), 35, ["2026-08", "2026-09"]),
        (date(2026, 9, 4), 35, ["2026-07", "2026-08", "2026-09"]),  # July ended 34 days ago
        (date(2026, 9, 5), 35, ["2026-08", "2026-09"]),
        (date(2026, 3, 7), 35, ["2026-01", "2026-02", "2026-03"]),
        (date(2026, 3, 8), 35, ["2026-02", "2026-03"]),
        (date(2026, 9, 1), 0, ["2026-09"]),
        (date(2027, 1, 1), 1, ["2026-12", "2027-01"]),
        (date(2027, 1, 2), 1, ["2027-01"]),
    ],
)
def test_a_month_is_read_again_as_long_as_it_may_be_restated(day: date, trailing: int, months: list[str]) -> None:
    windows = SOURCE.windows(costs_settings(trailing_days=trailing), day)
    assert [f"{w.slice_date:%Y-%m}" for w in windows] == months
    assert all(w.start.day == w.end.day == 1 for w in windows)


def test_the_registry_knows_the_source() -> None:
    assert source("openai_costs") is SOURCE
