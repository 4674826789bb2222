"""Cents become dollars exactly, lines make up the report's own total, and nothing is lost that was said."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.anthropic.costs import SOURCE, AnthropicCostsSource
from connectors.anthropic.settings import CostsSettings
from connectors.base import IncompleteDeliveryError, SourceError, Window
from connectors.windows import month_window
from tests.connectors.anthropic.conftest import DAY, Night, parse_costs
from tests.connectors.anthropic.written import KEY, bucket, cost, groups, page, serve, total
from tests.connectors.faulty_server import Clock, FaultyServer, Request, json_answer

START = "2026-09-03T00:00:00Z"
EXACT = Context(prec=100)
TWELVE = Decimal("1e-12")


def month(results: Sequence[Any], stated: str | None = None, **over: Any) -> Night:
    pages = [page([bucket(START, results)])]
    if stated is not None:
        pages.append(page([bucket(START, [total(stated)])]))
    return parse_costs(pages, **over)


def only(*results: Any, **over: Any) -> dict[str, Any]:
    (row,) = month(results, **over).rows
    return row


@pytest.mark.parametrize(
    ("cents", "usd"),
    [("123.45", "1.2345"), ("0", "0"), ("-0.5", "-0.005"), ("1e2", "1"), ("0.0000000001", "0.000000000001")],
)
def test_an_amount_is_cents(cents: str, usd: str) -> None:
    row = only(cost(cents))
    assert row["billed_cost"] == row["effective_cost"] == Decimal(usd)


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=10).map(lambda d: f"{d:f}")


@given(st.lists(amounts, min_size=1, max_size=20))
def test_every_cent_is_a_hundredth_of_a_dollar_exactly_and_the_sum_holds(cents: list[str]) -> None:
    written = sum((Decimal(text) for text in cents), Decimal(0))
    night = month([cost(text, description=str(n)) for n, text in enumerate(cents)], f"{written:f}")
    assert [row["billed_cost"] * 100 for row in night.rows] == [Decimal(text) for text in cents]
    assert night.total() * 100 == written
    assert night.stated_cost == night.total()
    assert "rounded" not in night.notices


fine_amounts = st.decimals(min_value=-1000, max_value=1000, places=25, allow_nan=False).map(lambda d: f"{d:f}")


@given(st.lists(fine_amounts, min_size=1, max_size=20))
def test_what_is_too_fine_is_rounded_one_by_one_and_the_total_is_still_held_exactly(cents: list[str]) -> None:
    written = Decimal(0)
    for text in cents:
        written = EXACT.add(written, Decimal(text))
    lines = [cost(text, description=str(n)) for n, text in enumerate(cents)]
    night = month(lines, f"{written:f}")
    oracle = [EXACT.divide(Decimal(text), Decimal(100)).quantize(TWELVE, ROUND_HALF_UP, EXACT) for text in cents]
    assert [row["billed_cost"] for row in night.rows] == oracle
    assert night.stated_cost == sum(oracle)
    off = month(lines, f"{EXACT.add(written, Decimal('0.0000000001')):f}")
    assert off.stated_cost == EXACT.add(sum(oracle, Decimal(0)), TWELVE), "a line's worth less is seen"


def test_a_month_without_lines_says_too_that_the_priority_tier_is_in_none() -> None:
    (lacks,) = parse_costs([page([bucket(START, [])])]).not_covered
    assert "Priority Tier" in lacks


def test_rounding_is_told() -> None:
    night = month([cost("0.00000000005"), cost("0.00000000015", description="b")], "0.0000000002")
    assert [row["billed_cost"] for row in night.rows] == [Decimal("1E-12"), Decimal("2E-12")]
    assert night.stated_cost == Decimal("3E-12")
    assert "2 amounts in dollars with more than 12 decimal places" in night.notices


def test_a_json_number_is_taken_digit_for_digit_and_told() -> None:
    content = page([bucket(START, [cost("AMOUNT")])]).replace(b'"AMOUNT"', b"0.1000000000000000055")
    (row,) = parse_costs([content]).rows
    assert row["billed_cost"] == Decimal("0.001")
    night = parse_costs([content.replace(b"0.1000000000000000055", b"12345678901234567.89")])
    assert night.total() == Decimal("123456789012345.6789"), "a float has no such number"
    assert "1 amounts that came as JSON numbers" in night.notices


@pytest.mark.parametrize("amount", ["a lot", "NaN", "1,234.50", "$5", True, [], {}, "1e30", None])
def test_an_amount_that_is_none_is_refused_with_its_payload(amount: Any) -> None:
    night = month([cost("1"), cost(amount)], "2")
    (reject,) = night.rejects
    assert reject.reason in {"unreadable_number", "missing_value"}
    assert reject.cost is None
    assert json.loads(reject.payload)["amount"] == amount
    assert night.total() == Decimal("0.01")
    assert night.stated_cost == Decimal("0.02"), "the lake holds the rows to it, and takes nothing in"


def test_a_line_outside_of_its_month_is_refused_with_its_cost() -> None:
    early = bucket("2026-08-31T00:00:00Z", [cost("5")])
    night = parse_costs([page([early, bucket(START, [cost("1")])]), page([early | {"results": [total("5")]}])])
    (reject,) = night.rejects
    assert (reject.reason, reject.cost) == ("outside_window", Decimal("0.05"))
    assert night.total() == Decimal("0.01")


@pytest.mark.parametrize("bounds", [{"starting_at": None}, {"ending_at": "soon"}, {"ending_at": START}])
def test_a_bucket_without_readable_bounds_refuses_its_lines(bounds: dict[str, Any]) -> None:
    night = parse_costs([page([{**bucket(START, [cost("1"), cost("2")]), **bounds}])])
    assert [(reject.reason, reject.cost) for reject in night.rejects] == [
        ("unreadable_time", Decimal("0.01")),
        ("unreadable_time", Decimal("0.02")),
    ]


@pytest.mark.parametrize(
    ("written", "currency", "told"),
    [
        ("123.45", "EUR", (Decimal("1.2345"), "EUR")),  # cents
        ("100", "JPY", (None, None)),  # the yen has no hundredth
        ("100", None, (None, None)),
        ("", "EUR", (None, None)),
    ],
)
def test_another_currency_is_refused_with_its_amount_and_its_name(
    written: str, currency: str | None, told: tuple[Decimal | None, str | None]
) -> None:
    night = month([cost(written, currency=currency), cost("100")])
    (reject,) = night.rejects
    assert (reject.cost, reject.currency) == told
    assert night.total() == Decimal(1)


@pytest.mark.parametrize("result", [None, 5, "text", []])
def test_a_result_that_is_no_object_is_refused(result: Any) -> None:
    night = month([cost("1"), result])
    assert [reject.reason for reject in night.rejects] == ["not_an_object"]
    assert len(night.rows) == 1


def test_every_field_finds_its_column() -> None:
    row = only(cost("1", service_tier="batch", inference_geo="us", context_window="200k-1M"), account="acme")
    assert row["billing_account_id"] == "acme"
    assert row["sub_account_id"] == "wrkspc_01"
    assert row["provider_name"] == row["invoice_issuer_name"] == "Anthropic"
    assert row["invoice_id"] is None
    assert row["charge_description"] == "Claude Sonnet 4.5 Usage - Output Tokens"
    assert (row["x_token_class"], row["sku_meter"]) == ("output_text", "output_tokens")
    assert (row["x_charge_type"], row["x_cost_class"]) == ("tokens", None)
    assert (row["x_service_tier"], row["region_id"]) == ("batch", "us")
    assert json.loads(row["x_extra"]) == {"context_window": "200k-1M"}
    assert (row["billing_period_start"], row["billing_period_end"]) == (datetime(2026, 9, 1), datetime(2026, 10, 1))
    assert (row["charge_period_start"], row["charge_period_end"]) == (datetime(2026, 9, 3), datetime(2026, 9, 4))
    assert (row["x_slice_date"], row["x_row"]) == (date(2026, 9, 1), 1)


def test_a_kind_of_token_that_is_new_keeps_its_money_and_is_told() -> None:
    night = month([cost("1", token_type="cache_creation.ephemeral_12h_input_tokens", cost_type="tokens")])
    (row,) = night.rows
    assert (row["billed_cost"], row["x_token_class"]) == (Decimal("0.01"), None)
    assert json.loads(row["x_extra"])["token_type"] == "cache_creation.ephemeral_12h_input_tokens"
    assert "1 lines with a token_type that is new" in night.notices


def test_session_time_and_kinds_of_cost_that_are_new_are_charges_too() -> None:
    night = month([cost("1", cost_type=kind, token_type=None, model=None) for kind in ("session_usage", "seance")])
    assert [row["x_charge_type"] for row in night.rows] == ["session_usage", "seance"]
    assert night.total() == Decimal("0.02")


def test_a_total_that_differs_is_stated_so_that_nothing_is_taken_in() -> None:
    night = month([cost("1"), cost("2")], "3.5")
    assert night.total() == Decimal("0.03")
    assert night.stated_cost == Decimal("0.035")


def test_a_difference_within_the_tolerance_is_taken_in_and_told() -> None:
    night = month([cost("1"), cost("2")], "3.01", total_tolerance_usd="0.0001")
    assert night.stated_cost == night.total() == Decimal("0.03")
    assert "0.0001 USD off" in night.notices
    assert month([cost("1")], "1.02", total_tolerance_usd="0.0001").stated_cost == Decimal("0.0102")


def test_without_the_ungrouped_report_it_is_told_that_nothing_was_checked() -> None:
    assert "held against no total" in month([cost("1")]).notices
    assert "held against no total" not in month([]).notices


def test_only_a_total_is_no_bill() -> None:
    night = parse_costs([page([bucket(START, [total("5")])])])
    assert night.rows == []
    assert night.stated_cost == Decimal("0.05"), "the lake misses the lines"


def test_a_total_with_a_field_that_is_new_is_no_line() -> None:
    night = parse_costs([page([bucket(START, [cost("5")])]), page([bucket(START, [{**total("5"), "new": 1}])])])
    assert night.total() == night.stated_cost == Decimal("0.05")


def test_a_total_that_cannot_be_read_is_an_incomplete_delivery() -> None:
    with pytest.raises(IncompleteDeliveryError, match="own total"):
        month([cost("5")], "five")


def test_the_last_page_must_be_there() -> None:
    first = page([bucket(START, [cost("1")])], "page_2")
    with pytest.raises(IncompleteDeliveryError, match="no last page"):
        parse_costs([first])
    with pytest.raises(IncompleteDeliveryError, match="no last page"):
        parse_costs([first, page([bucket(START, [total("1")])])])
    last = page([bucket("2026-09-04T00:00:00Z", [])])
    assert parse_costs([first, last, page([bucket(START, [total("1")])])]).total() == Decimal("0.01")


def test_a_line_on_two_pages_counts_once_in_rows_and_in_the_check() -> None:
    buckets = [bucket(START, [cost("1")]), bucket("2026-09-04T00:00:00Z", [cost("2")])]
    stated = page([bucket(START, [total("3")])])
    night = parse_costs([page(buckets[:1], "2"), page(buckets[1:]), page(buckets), stated])
    assert night.duplicate_count == 2
    assert night.total() == night.stated_cost == Decimal("0.03")


def test_a_line_that_two_pages_tell_differently_is_an_incomplete_delivery() -> None:
    with pytest.raises(IncompleteDeliveryError, match="different numbers"):
        parse_costs([page([bucket(START, [cost("1")])]), page([bucket(START, [cost("2")])])])


def test_an_error_that_was_saved_as_a_page_is_no_empty_month() -> None:
    with pytest.raises(SourceError, match="overloaded"):
        parse_costs([b'{"type":"error","error":{"type":"overloaded_error","message":"overloaded"}}'])


def flat(amount: str | None, listed: Any = None, **group: Any) -> dict[str, Any]:
    spans = {"starting_at": START, "ending_at": "2026-09-04T00:00:00Z"}
    return {**spans, "group": group, "cost": {"currency": "USD", "amount": amount, "list_amount": listed}}


def test_analytics_tells_the_cost_of_a_key_and_holds_it_against_the_total() -> None:
    lines = [
        flat(
            "50", "60", api_key_id="apikey_01", cost_type="tokens", token_type="output_tokens", model="claude-opus-4-5"
        ),
        flat("25.5", "25.5", api_key_id="apikey_01", cost_type="web_search"),
        flat("10", None, api_key_id=None, cost_type="session_usage", agent_id="agent_01"),
    ]
    night = parse_costs([page(lines), page([flat("85.5", "95.5")])], api="analytics")
    assert night.rejects == ()
    assert [row["resource_id"] for row in night.rows] == ["apikey_01", "apikey_01", None]
    assert [row["resource_type"] for row in night.rows] == ["api_key", "api_key", None]
    assert [row["list_cost"] for row in night.rows] == [Decimal("0.6"), Decimal("0.255"), None]
    assert night.total() == night.stated_cost == Decimal("0.855")
    assert json.loads(night.rows[2]["x_extra"]) == {"agent_id": "agent_01"}
    assert night.notices == ""


def test_a_list_amount_that_cannot_be_read_refuses_the_line_with_its_cost() -> None:
    (reject,) = parse_costs([page([flat("50", "dear", cost_type="tokens")])], api="analytics").rejects
    assert (reject.reason, reject.cost) == ("unreadable_number", Decimal("0.5"))


def api_settings(server: FaultyServer, **over: Any) -> CostsSettings:
    return CostsSettings(**{"name": "c", "kind": "anthropic_costs", "api_key": KEY, "url": server.url, **over})


def moving(server: FaultyServer, stated: Sequence[str]) -> None:
    """A report whose ungrouped answer is, one question after the other, what `stated` says; the lines are 3 cents."""
    left = list(stated)

    def respond(request: Request) -> Any:
        results = [cost("1"), cost("2")] if groups(request) else [total(left.pop(0))]
        return json_answer(page([bucket(START, results)]))

    serve(server, "cost_report", respond)


def test_a_report_that_moves_while_it_is_read_is_asked_again_a_minute_later(server: FaultyServer, clock: Clock) -> None:
    moving(server, ["3.5", "3"])
    pages = list(AnthropicCostsSource(sleep=clock.sleep).fetch(api_settings(server), month_window(DAY)))
    assert [found.name for found in pages] == [
        "2026-09/cost_report/page-1.json",
        "2026-09/cost_report_total/page-1.json",
    ]
    assert clock.slept == [60.0]
    assert len(server.requests) == 4


def test_a_report_that_never_adds_up_is_an_incomplete_delivery(server: FaultyServer, clock: Clock) -> None:
    moving(server, ["3.5", "3.5", "3.5"])
    with pytest.raises(IncompleteDeliveryError, match=r"2026-09 is 0\.005 USD off its lines, 3 times"):
        list(AnthropicCostsSource(sleep=clock.sleep).fetch(api_settings(server), month_window(DAY)))
    assert clock.slept == [60.0, 60.0]


def test_a_tolerance_holds_when_fetching_too(server: FaultyServer, clock: Clock) -> None:
    moving(server, ["3.5"])
    settings = api_settings(server, total_tolerance_usd="0.005")
    assert len(list(AnthropicCostsSource(sleep=clock.sleep).fetch(settings, month_window(DAY)))) == 2


def test_lines_whose_total_is_empty_are_an_incomplete_delivery(server: FaultyServer, clock: Clock) -> None:
    serve(
        server,
        "cost_report",
        lambda request: json_answer(page([bucket(START, [cost("1")] if groups(request) else [])])),
    )
    with pytest.raises(IncompleteDeliveryError, match="off its lines"):
        list(AnthropicCostsSource(sleep=clock.sleep).fetch(api_settings(server), month_window(DAY)))


def test_the_month_before_is_read_again_through_the_fifteenth() -> None:
    settings = CostsSettings(name="c", kind="anthropic_costs", location="/")
    september, october = (Window(datetime(2026, n, 1), datetime(2026, n + 1, 1)) for n in (9, 10))
    assert SOURCE.windows(settings, date(2026, 10, 15)) == [september, october]
    assert SOURCE.windows(settings, date(2026, 10, 16)) == [october]
