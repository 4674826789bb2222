from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from sample.company import RESEARCH, WORKLOADS, Match
from sample.gpu_states import Held
from sample.lines import Line
from sample.shares import Share, share_out, split_units
from sample.traffic import Request
from sample.usage import Holder, Usage, owner_of, tally_usage
from tests.sample.clouds import aws_billed, aws_rows, model_cost, of_type

DAY = date(2026, 10, 5)
NOON = datetime(2026, 10, 5, 12)
LINE = Line(
    provider_name="OpenAI",
    sub_account_id="proj_gateway",
    charge_category="Usage",
    description="",
    start=datetime(2026, 10, 5),
    end=datetime(2026, 10, 6),
    service_name="API",
    service_category="AI and Machine Learning",
    cost=Decimal("1.00"),
    list_cost=Decimal("1.00"),
    model="gpt-5-mini",
    token_class="input_uncached",
)

UNUSED_PLAN = 744 * Decimal("3.5") - 31 * 16 * Decimal("3.31")
UNUSED_UNITS = 3 * 744 * Decimal("0.35")  # 12 of 15 units of throughput were deployed
UNUSED_GPUS = (744 * 2 - 22 * 14) * Decimal("0.3528")


def request(feature: str, model: str, **tokens: int) -> Request:
    workload = next(w for w in WORKLOADS if (w.feature, w.model) == (feature, model))
    return Request(f"id-{feature}-{model}", "0" * 16, workload, NOON, 1, "success", False, False, tokens)


def usage_of(*requests: Request) -> Usage:
    return tally_usage({DAY: requests})


def share(line: Line, *requests: Request) -> dict[str, Decimal]:
    return {found.account: cost for found, cost in share_out([line], usage_of(*requests), {}).items()}


def test_every_cent_of_the_bills_rests_on_an_account(october):
    accounts = october.truth["effective_cost"]
    worth = sum(Decimal(bill["effective_cost"]) for bill in october.truth["bills"].values())
    assert sum(Decimal(kinds["total"]) for kinds in accounts.values()) == worth
    for kinds in accounts.values():
        parts = [Decimal(cost) for kind, cost in kinds.items() if kind != "total"]
        assert sum(parts) == Decimal(kinds["total"])


def test_kinds_of_cost_add_up_to_what_was_bought(october):
    kinds: Counter[str] = Counter()
    for account in october.truth["effective_cost"].values():
        for kind, cost in account.items():
            kinds[kind] += Decimal(cost)
    bills = october.truth["bills"]
    apis = sum(Decimal(bills[name]["billed_cost"]) for name in ("OpenAI", "Anthropic"))
    throughput = 12 * 744 * Decimal("0.35")  # units of it that were deployed, of Azure's models, by the hour
    assert kinds["api"] == apis + model_cost(october.directory) + throughput
    assert kinds["gpu"] == 16 * 744 * Decimal("1.99")
    worth = sum(Decimal(bill["effective_cost"]) for bill in bills.values())
    assert kinds["unused_commitment"] == UNUSED_PLAN + UNUSED_UNITS + UNUSED_GPUS
    assert kinds["other"] == worth - kinds["gpu"] - kinds["api"] - kinds["unused_commitment"]


def test_research_pays_for_its_idle_cluster_and_nobody_for_what_nobody_held(october):
    """1.99 USD an hour and GPU; hours of the story: nights of training, then a notebook on six GPUs for 22 days."""
    accounts = october.truth["effective_cost"]
    assert Decimal(accounts["team:research"]["gpu"]) == (8 * 9 * 10 + 6 * 22 * 24) * Decimal("1.99")
    assert Decimal(accounts["residual:idle"]["gpu"]) == (8 * 9 * 14 + 2 * 22 * 24 - 48) * Decimal("1.99")
    assert Decimal(accounts["residual:unowned_gpu"]["gpu"]) == 48 * Decimal("1.99")


def test_users_of_the_own_model_pay_for_the_hours_without_samples_in_which_its_pods_held_the_gpus(october):
    """All of the serving node but the day of maintenance, on which nobody used it."""
    accounts = october.truth["effective_cost"]
    assert "residual:unknown_gpu" not in accounts
    teams = [Decimal(found["gpu"]) for name, found in accounts.items() if name.startswith("team:") and "gpu" in found]
    research = (8 * 9 * 10 + 6 * 22 * 24) * Decimal("1.99")
    assert sum(teams) + Decimal(accounts["residual:unowned_usage"]["gpu"]) - research == 8 * 24 * 30 * Decimal("1.99")


def test_what_nobody_can_be_charged_with_are_fees_taxes_credits_unused_commitments_and_what_nobody_tagged(october):
    rest = october.truth["effective_cost"]["residual:unallocated"]
    assert Decimal(rest["gpu"]) == 8 * 24 * Decimal("1.99")
    nimbus = 450 + Decimal("621.11") - 750 + 31 * Decimal("2.10")
    (tax,) = of_type(aws_rows(october.directory), "Tax")
    aws = 31 * Decimal("41.25") * Decimal("0.023") - 60 + aws_billed(tax)
    assert Decimal(rest["other"]) == nimbus + aws + 22 * 3 * Decimal("0.526")
    assert Decimal(rest["api"]) == 0  # the purchase of units alone, whose worth is in their hours
    unused = october.truth["effective_cost"]["residual:unused_commitment"]
    assert Decimal(unused["unused_commitment"]) == UNUSED_PLAN + UNUSED_UNITS


def test_tags_accounts_and_registers_send_what_they_name_to_its_owners(october):
    accounts = october.truth["effective_cost"]
    scale_set = 22 * 16 * Decimal("0.526")
    assert Decimal(accounts["team:data-platform"]["other"]) == 31 * Decimal("14.40") + scale_set
    spot = [row for row in aws_rows(october.directory) if "SpotUsage" in (row["line_item_usage_type"] or "")]
    assert Decimal(accounts["team:research"]["other"]) == 31 * Decimal("6.25") + sum(map(aws_billed, spot))
    google = 22 * 14 * (Decimal("0.3528") + 48 * Decimal("0.002927") + 12 * Decimal("0.024988"))
    assert Decimal(accounts["team:search"]["other"]) == 31 * 16 * Decimal("3.31") + google
    assert Decimal(accounts["team:search"]["unused_commitment"]) == UNUSED_GPUS  # its project bought them
    assert "other" not in accounts["team:mobile"]  # its units of throughput are what a model's API costs


def test_list_cost_per_account_is_that_of_its_tokens(october):
    """Legal uses two models; mobile one: 1 USD input, 0.10 read, 1.25 written, 5 output, per million tokens."""
    mobile = october.truth["usage"]["team:mobile"]
    millionths = (
        mobile["input_uncached_tokens"]
        + mobile["cache_read_tokens"] * Decimal("0.1")
        + mobile["cache_write_5m_tokens"] * Decimal("1.25")
        + mobile["output_text_tokens"] * 5
    )
    assert Decimal(mobile["priced_cost_usd"]) == millionths / 1_000_000


def test_a_token_class_is_split_by_its_own_tokens():
    one = request("query-rewrite", "gpt-5-mini", input_uncached=300, output_text=1)
    two = request("campaign-copy", "gpt-5-mini", input_uncached=100, output_text=999)
    assert share(LINE, one, two) == {"team:search": Decimal("0.75"), "team:growth": Decimal("0.25")}


def test_billed_output_is_split_by_text_and_reasoning_together():
    one = request("query-rewrite", "gpt-5-mini", output_text=100, output_reasoning=200)
    two = request("campaign-copy", "gpt-5-mini", output_text=100)
    found = share(replace(LINE, token_class="output_text"), one, two)
    assert found == {"team:search": Decimal("0.75"), "team:growth": Decimal("0.25")}


def test_a_class_that_nobody_logged_is_split_by_the_cost_of_the_model():
    # 1000 input tokens of gpt-5-mini cost 0.00025 USD, 375 output tokens 0.00075 USD: one to three.
    one = request("query-rewrite", "gpt-5-mini", input_uncached=1000)
    two = request("campaign-copy", "gpt-5-mini", output_text=375)
    found = share(replace(LINE, token_class="cache_read"), one, two)
    assert found == {"team:search": Decimal("0.25"), "team:growth": Decimal("0.75")}


def test_a_model_that_nobody_logged_is_split_by_the_cost_of_the_provider():
    # 800 input tokens of gpt-5 cost 0.001 USD, 500 output tokens of gpt-5-mini cost the same.
    one = request("lead-agent", "gpt-5", input_uncached=800)
    two = request("query-rewrite", "gpt-5-mini", output_text=500)
    haiku = request("in-app-assistant", "haiku", output_text=500)
    found = share(replace(LINE, model="gpt-5-nano"), one, two, haiku)
    assert found == {"team:search": Decimal("0.5"), "team:growth": Decimal("0.5")}


def test_a_cloud_s_model_has_its_owner_or_none_whatever_the_gateways_logged():
    one = request("query-rewrite", "gpt-5-mini", input_uncached=1)
    bedrock = replace(
        LINE, provider_name="AWS", model="anthropic.claude-sonnet-4-6-v1:0", sub_account_id="999999999999"
    )
    assert share(bedrock, one) == {"residual:unallocated": Decimal(1)}
    assert share(replace(bedrock, sub_account_id="444455556666"), one) == {"team:support": Decimal(1)}


def test_accounts_carry_what_a_line_is_worth_not_what_is_billed():
    assert share(replace(LINE, effective=Decimal("0.25"))) == {"residual:unallocated": Decimal("0.25")}


def test_a_line_of_a_provider_that_nobody_used_stays_unallocated():
    haiku = request("in-app-assistant", "haiku", output_text=500)
    llama = request("answer-cards", "llama", output_text=500)
    assert share(LINE, haiku, llama) == {"residual:unallocated": Decimal(1)}


def test_failures_cache_hits_and_models_without_price_weigh_nothing():
    one = request("query-rewrite", "gpt-5-mini", input_uncached=1)
    hit = replace(request("campaign-copy", "gpt-5-mini", input_uncached=1000), is_cache_hit=True)
    failed = replace(request("campaign-copy", "gpt-5-mini"), status="failure")
    unknown = request("prototype", "prototype", input_uncached=1000)
    assert share(LINE, one, hit, failed, unknown) == {"team:search": Decimal(1)}


def test_use_without_owner_takes_its_part_under_its_own_name():
    one = request("playground", "gpt-5-mini", input_uncached=1)
    two = request("query-rewrite", "gpt-5-mini", input_uncached=3)
    assert share(LINE, one, two) == {"residual:unowned_usage": Decimal("0.25"), "team:search": Decimal("0.75")}


def test_a_direct_owner_comes_before_the_log():
    one = request("query-rewrite", "gpt-5-mini", input_uncached=1)
    assert share(replace(LINE, sub_account_id="proj_mobile_direct"), one) == {"team:mobile": Decimal(1)}
    assert share(replace(LINE, tags={"team": "data-platform"}), one) == {"team:data-platform": Decimal(1)}


def test_an_owner_rule_ends_on_the_day_on_which_the_next_begins():
    match = Match("sub_account", "proj_mobile_direct")
    assert owner_of([match], date(2026, 10, 15)) == "team:mobile"
    assert owner_of([match], date(2026, 10, 16)) == "team:growth"


def test_the_first_rule_wins_over_a_later_one_that_matches_too():
    assert owner_of([Match("gateway_team", "team-search"), Match("gateway_key", "batch-evals")], DAY) == "team:research"


def gpu_line(hours: int = 1) -> Line:
    end = datetime(2026, 10, 5, hours)
    return replace(LINE, model=None, token_class=None, resource_id=RESEARCH.resource_id, end=end)


def test_gpu_money_follows_the_seconds_of_its_own_hours():
    seconds = {
        (RESEARCH, datetime(2026, 10, 5, 0)): Counter({Held("research", "effective"): 3, Held("", "unallocated"): 1}),
        (RESEARCH, datetime(2026, 10, 5, 1)): Counter({Held("scratch", "effective"): 4}),
    }
    assert share_out([gpu_line()], usage_of(), seconds) == {
        Share("residual:idle", "gpu"): Decimal("0.25"),
        Share("team:research", "gpu"): Decimal("0.75"),
    }
    assert share_out([gpu_line(2)], usage_of(), seconds)[Share("residual:unowned_gpu", "gpu")] == Decimal("0.5")


def test_a_pool_is_carried_by_weighted_tokens_and_stays_unallocated_without_use():
    seconds = {(RESEARCH, datetime(2026, 10, 5, 0)): Counter({Held("serving", "under_used"): 1})}
    # An output token weighs as four of input, a cached one as a tenth: 1000 and 10 against 30.
    one = request("answer-cards", "llama", output_text=20, input_uncached=10, cache_read=100)
    two = request("ticket-triage", "llama", input_uncached=300)
    assert share_out([gpu_line()], usage_of(one, two), seconds) == {
        Share("team:search", "gpu"): Decimal("0.25"),
        Share("team:support", "gpu"): Decimal("0.75"),
    }
    assert share_out([gpu_line()], usage_of(), seconds) == {Share("residual:unallocated", "gpu"): Decimal(1)}


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (10, {"a": 4, "b": 3, "c": 3}),
        (-10, {"a": -4, "b": -3, "c": -3}),
        (2, {"a": 1, "b": 1, "c": 0}),
        (0, {"a": 0, "b": 0, "c": 0}),
    ],
)
def test_equal_weights_split_exactly_and_the_first_names_get_what_is_left(total, expected):
    weights = {Holder(name, ""): 1 for name in "cba"}
    assert {holder.account: part for holder, part in split_units(total, weights).items()} == expected
