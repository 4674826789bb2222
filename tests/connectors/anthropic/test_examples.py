"""The documented answers, with totals that were added up by hand from them."""

import json
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

import pytest

from connectors.anthropic.costs import AnthropicCostsSource
from connectors.anthropic.settings import CostsSettings
from connectors.base import AuthenticationError
from connectors.windows import month_window
from models.identity import identity_rows
from tests.connectors.anthropic.conftest import DAY, parse_costs, parse_usage
from tests.connectors.anthropic.written import KEY, bucket, page
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, json_answer

Example = Callable[[str], bytes]


def test_the_usage_example_adds_up_to_its_tokens(example: Example) -> None:
    night = parse_usage([example("usage_report_messages_page1"), example("usage_report_messages_page2")])
    messages = [row for row in night.rows if row["operation"] == "messages"]
    assert night.rejects == ()
    assert len(messages) == 3
    assert sum(row["input_uncached_tokens"] for row in messages) == 2_340_000
    assert sum(row["cache_read_tokens"] for row in messages) == 4_000_000
    assert sum(row["cache_write_5m_tokens"] for row in messages) == 200_000
    assert sum(row["cache_write_1h_tokens"] for row in messages) == 50_000
    assert sum(row["output_text_tokens"] for row in messages) == 479_000
    assert sum(row["input_total_tokens"] for row in messages) == 6_590_000
    assert {row["input_semantics"] for row in messages} == {"exclusive"}
    assert {row["request_count"] for row in messages} == {None}
    assert [row["service_tier"] for row in messages] == ["default", "batch", "default"]


def test_web_searches_are_rows_of_their_own_and_carry_no_tokens(example: Example) -> None:
    night = parse_usage([example("usage_report_messages_page1"), example("usage_report_messages_page2")])
    (search,) = [row for row in night.rows if row["operation"] == "web_search"]
    assert search["quantity"] == 25
    assert search["quantity_unit"] == "requests"
    assert search["input_total_tokens"] is None
    assert search["input_semantics"] is None
    assert (search["sub_account_id"], search["api_key_id"]) == ("wrkspc_01Search", "apikey_01Acme")
    assert search["x_row"] == 2


def test_the_console_and_the_default_workspace_stay_null(example: Example) -> None:
    night = parse_usage([example("usage_report_messages_page1"), example("usage_report_messages_page2")])
    console = night.rows[-1]
    assert console["input_uncached_tokens"] == 40_000
    assert console["sub_account_id"] is None
    assert console["api_key_id"] is None
    assert console["region_id"] is None, "not_available is no place"
    assert {row["region_id"] for row in night.rows[:-1]} == {"global"}


def test_the_cost_example_is_thirteen_dollars_and_the_ungrouped_report_says_so(example: Example) -> None:
    night = parse_costs([example("cost_report"), example("cost_report_ungrouped")])
    assert night.rejects == ()
    assert len(night.rows) == 11
    assert night.total() == Decimal("13.255")
    assert night.stated_cost == Decimal("13.255")
    assert night.total("effective_cost") == Decimal("13.255")
    assert {row["list_cost"] for row in night.rows} == {None}
    assert not night.is_final


def test_the_cost_example_by_workspace_class_and_kind(example: Example) -> None:
    by: defaultdict[object, Decimal] = defaultdict(Decimal)
    for row in parse_costs([example("cost_report"), example("cost_report_ungrouped")]).rows:
        for column in ("sub_account_id", "x_token_class", "x_charge_type", "x_service_tier"):
            by[column, row[column]] += row["billed_cost"]
    assert by["sub_account_id", "wrkspc_01Search"] == Decimal("12.30")
    assert by["sub_account_id", "wrkspc_02Evals"] == Decimal("0.70")
    assert by["sub_account_id", None] == Decimal("0.255")
    assert by["x_token_class", "input_uncached"] == Decimal("5.02")
    assert by["x_token_class", "output_text"] == Decimal("5.685")
    assert by["x_token_class", "cache_read"] == Decimal("1.20")
    assert by["x_token_class", "cache_write_5m"] == Decimal("0.75")
    assert by["x_token_class", "cache_write_1h"] == Decimal("0.30")
    assert by["x_charge_type", "web_search"] == Decimal("0.25")
    assert by["x_charge_type", "code_execution"] == Decimal("0.05")
    assert by["x_service_tier", "batch"] == Decimal("0.70")


def test_the_cost_report_says_that_it_lacks_the_priority_tier(example: Example) -> None:
    (lacks,) = parse_costs([example("cost_report")]).not_covered
    assert "Priority Tier" in lacks
    assert parse_costs([example("analytics_cost")], api="analytics").not_covered == ()


def test_the_analytics_examples_know_requests_and_the_list_price(example: Example) -> None:
    messages, search = parse_usage([example("analytics_usage")], api="analytics").rows
    assert messages["request_count"] == 4100
    assert messages["input_total_tokens"] == 1_500_000 + 200_000 + 50_000 + 4_000_000
    assert messages["output_total_tokens"] == 350_000
    assert search["quantity"] == 25
    (charge,) = parse_costs([example("analytics_cost")], api="analytics").rows
    assert charge["billed_cost"] == charge["effective_cost"] == Decimal("11.685")
    assert charge["list_cost"] == Decimal("12.30")
    assert (charge["consumed_quantity"], charge["consumed_unit"]) == (4100, "requests")
    assert json.loads(charge["x_extra"]) == {"product": "api"}


def test_models_of_the_bill_are_found_in_the_price_book(example: Example) -> None:
    rows = parse_costs([example("cost_report")]).rows
    pairs = {(row["provider_name"], row["x_model_id"]) for row in rows if row["x_model_id"]}
    found = identity_rows(pairs, {}).to_dicts()
    assert {row["model_id"] for row in found} == {"claude-sonnet-4-5", "claude-haiku-4-5"}
    assert {row["provider_id"] for row in found} == {"anthropic"}


def recorded(content: bytes) -> Answer:
    wrapped = json.loads(content)
    return Answer(json.dumps(wrapped["body"]).encode(), wrapped["_http"]["status"], wrapped["_http"]["headers"])


def test_the_recorded_refusal_names_the_admin_key_and_the_recorded_limit_is_waited_out(
    example: Example, server: FaultyServer
) -> None:
    clock = Clock()
    source = AnthropicCostsSource(sleep=clock.sleep)
    settings = CostsSettings.model_validate({"name": "c", "kind": "anthropic_costs", "api_key": KEY, "url": server.url})
    server.route("/v1/organizations/cost_report", json_answer(page([bucket("2026-09-03T00:00:00Z", [])])))
    server.inject(recorded(example("error_429")), Answer(b'{"type":"error"}', 529), Answer(b'{"type":"error"}', 529))
    assert len(list(source.fetch(settings, month_window(DAY)))) == 1, "an empty report is one page, grouped or not"
    assert 30 <= clock.slept[0] <= 31
    assert len(clock.slept) == 3
    server.inject(recorded(example("error_401")))
    with pytest.raises(AuthenticationError, match="sk-ant-admin") as failure:
        list(source.fetch(settings, month_window(DAY)))
    assert KEY not in str(failure.value)
