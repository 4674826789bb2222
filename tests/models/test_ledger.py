"""The ledger's rules on cases small enough to work out by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from models.ledger import check_conservation, post
from models.pools import Pool

D = Decimal
DAY = datetime(2026, 10, 5)
CHAT = Pool("chat", "llama", {"input_uncached": D("1"), "cache_read": D("0.1"), "output_text": D("4")})


def settle(rows, charges, usage=(), states=(), owners=(), pools=()):
    """Posts the case and proves that it balances; the postings."""
    bill = rows.charges(*charges)
    postings = post(
        charge_groups=bill,
        usage=rows.usage(*usage),
        gpu_states=rows.states(*states),
        pod_models=rows.pod_models(),
        gpu_labels=rows.labels(),
        owners=rows.owners(*owners),
        pools=list(pools),
    )
    assert check_conservation(bill, postings).is_empty()
    return postings


def resting(postings, *columns):
    """Effective cost where it rests, by account and the columns asked for."""
    final = postings.filter("is_final_account").select("to_account", *columns, "effective_cost")
    return {row[:-1] if columns else row[0]: row[-1] for row in final.sort(pl.all()).iter_rows()}


def test_every_charge_is_booked_from_the_bill_and_rests_unallocated_when_nobody_is_known(rows):
    postings = settle(rows, [{"cost": "12.50", "provider_name": "Acme"}])
    moves = postings.select("step", "rule_kind", "from_account", "to_account", "effective_cost", "cost_kind").rows()
    assert moves == [
        (1, "book", "bill:Acme", "pool:charges", D("12.50"), "other"),
        (4, "residual", "pool:charges", "residual:unallocated", D("12.50"), "other"),
    ]


def test_the_first_owner_rule_by_priority_takes_the_whole_charge(rows):
    owners = [
        {"match_kind": "sub_account", "match_value": "123", "team_id": "late", "priority": 9},
        {"match_value": "search", "team_id": "search", "priority": 2},
        {"match_kind": "resource", "match_value": "i-7", "team_id": "other", "priority": 3},
    ]
    charge = {"tags": '{"env":"prod","team":"search"}', "sub_account_id": "123", "resource_id": "i-7"}
    postings = settle(rows, [charge], owners=owners)
    assert resting(postings, "rule_id", "team_id") == {("team:search", "r1", "search"): D(1)}


def test_a_tag_without_a_value_is_matched_as_true(rows):
    owners = [{"match_key": "gpu-lab", "match_value": "true", "team_id": "lab"}]
    assert resting(settle(rows, [{"tags": '{"gpu-lab":true}'}], owners=owners)) == {"team:lab": D(1)}


@pytest.mark.parametrize("tags", ["team=search", '["team"]'])
def test_tags_that_are_no_object_are_refused_with_what_was_found(rows, tags):
    with pytest.raises(ValueError, match="are not as expected, a JSON object") as error:
        settle(rows, [{"tags": tags}])
    assert repr(tags) in str(error.value)


def test_an_owner_rule_holds_by_the_day_on_which_the_charge_starts(rows):
    rule = {"match_kind": "sub_account", "match_value": "123"}
    owners = [
        rule | {"team_id": "old", "valid_to": DAY.date()},
        rule | {"team_id": "new", "valid_from": DAY.date()},
    ]
    charges = [{"sub_account_id": "123"}, {"sub_account_id": "123", "charge_start": DAY - timedelta(days=1)}]
    postings = settle(rows, charges, owners=owners)
    assert resting(postings, "charge_group_id") == {("team:new", "g0"): D(1), ("team:old", "g1"): D(1)}


def test_an_api_line_of_a_class_follows_the_tokens_of_that_class_by_team_and_feature(rows):
    usage = [
        {"team_id": "a", "feature": "chat", "input_uncached_tokens": 600, "output_text_tokens": 1},
        {"team_id": "a", "feature": "search", "input_uncached_tokens": 100, "output_text_tokens": 999},
        {"team_id": "b", "input_uncached_tokens": 200},
        {"team_id": None, "feature": "chat", "input_uncached_tokens": 100},
        {"team_id": "b", "input_uncached_tokens": 5000, "usage_date": date(2026, 10, 6)},
        {"team_id": "b", "input_uncached_tokens": 5000, "is_self_hosted": True},
        {"team_id": "b", "input_uncached_tokens": 5000, "model_id": "other"},
    ]
    charge = {"cost": "10", "provider_id": "openai", "model_id": "gpt", "token_class": "input_uncached"}
    postings = settle(rows, [charge], usage)
    assert resting(postings, "feature", "rule_id") == {
        ("team:a", "chat", "priced_tokens:token_class"): D(6),
        ("team:a", "search", "priced_tokens:token_class"): D(1),
        ("team:b", None, "priced_tokens:token_class"): D(2),
        ("residual:unowned_usage", "chat", "priced_tokens:token_class"): D(1),
    }
    assert set(postings["cost_kind"]) == {"api"}


def test_a_line_of_a_tier_follows_the_tokens_of_that_tier_and_of_all_where_the_log_knows_none_of_it(rows):
    usage = [
        {"team_id": "batcher", "input_uncached_tokens": 100, "service_tier": "batch"},
        {"team_id": "online", "input_uncached_tokens": 300, "service_tier": "default"},
    ]
    line = {"provider_id": "openai", "model_id": "gpt", "token_class": "input_uncached"}
    charges = [line | {"cost": "4", "service_tier": tier} for tier in ("batch", "default", "priority", None)]
    postings = settle(rows, charges, usage)
    any_tier = "priced_tokens:token_class_of_any_tier"
    assert resting(postings, "charge_group_id", "rule_id") == {
        ("team:batcher", "g0", "priced_tokens:token_class"): D(4),
        ("team:online", "g1", "priced_tokens:token_class"): D(4),
        ("team:batcher", "g2", any_tier): D(1),
        ("team:online", "g2", any_tier): D(3),
        ("team:batcher", "g3", "priced_tokens:token_class"): D(1),
        ("team:online", "g3", "priced_tokens:token_class"): D(3),
    }


def test_a_line_of_a_tier_without_a_class_follows_what_that_tier_s_requests_cost(rows):
    usage = [
        {"team_id": "batcher", "priced_cost_usd": D(1), "service_tier": "batch"},
        {"team_id": "online", "priced_cost_usd": D(2), "service_tier": "default"},
    ]
    charge = {"provider_id": "openai", "model_id": "gpt", "cost": "4", "service_tier": "batch"}
    assert resting(settle(rows, [charge], usage)) == {"team:batcher": D(4)}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({"purchase_option": "provisioned"}, "api"),
        ({"purchase_option": "reserved", "service_tier": "provisioned"}, "api"),
        ({"purchase_option": "reserved"}, "other"),
        ({"service_category": "AI and Machine Learning"}, "other"),
    ],
)
def test_throughput_of_models_by_the_hour_is_a_model_api_s_cost_though_its_line_names_no_model(rows, line, kind):
    postings = settle(rows, [{"cost": "10", **line}])
    assert resting(postings, "cost_kind") == {("residual:unallocated", kind): D(10)}


def test_billed_output_is_weighed_with_reasoning_and_billed_reasoning_without_the_rest(rows):
    usage = [
        {"team_id": "a", "output_text_tokens": 100},
        {"team_id": "b", "output_text_tokens": 100, "output_reasoning_tokens": 200},
    ]
    api = {"cost": "4", "provider_id": "openai", "model_id": "gpt"}
    output = settle(rows, [api | {"token_class": "output_text"}], usage)
    assert resting(output) == {"team:a": D(1), "team:b": D(3)}
    reasoning = settle(rows, [api | {"token_class": "output_reasoning"}], usage)
    assert resting(reasoning) == {"team:b": D(4)}


@pytest.mark.parametrize(
    ("charge", "rule", "expected"),
    [
        ({"model_id": "gpt"}, "priced_tokens:model", {"team:a": D(3), "team:b": D(1)}),
        ({"model_id": "gpt", "token_class": "cache_read"}, "priced_tokens:model", {"team:a": D(3), "team:b": D(1)}),
        ({"model_id": "unlogged"}, "priced_tokens:provider", {"team:a": D(1), "team:b": D(3)}),
        ({"model_id": "gpt", "provider_id": "unlogged"}, "unallocated", {"residual:unallocated": D(4)}),
    ],
)
def test_an_api_line_falls_back_to_logged_cost_of_its_model_then_its_provider_then_nobody(rows, charge, rule, expected):
    usage = [
        {"team_id": "a", "priced_cost_usd": D("0.75"), "input_uncached_tokens": 1},
        {"team_id": "b", "priced_cost_usd": D("0.25"), "input_uncached_tokens": 9},
        {"team_id": "b", "priced_cost_usd": D("2.00"), "model_id": "dear"},
        {"team_id": "c", "priced_cost_usd": None, "model_id": "dear"},
    ]
    postings = settle(rows, [{"cost": "4", "provider_id": "openai"} | charge], usage)
    assert resting(postings) == expected
    assert set(postings.filter("is_final_account")["rule_id"]) == {rule}


def test_gpu_money_follows_the_seconds_of_owners_and_of_the_states_nobody_worked_in(rows):
    states = [
        {"namespace": "ml", "state": "effective", "state_seconds": 1000},
        {"namespace": "ml", "state": "allocated_idle", "state_seconds": 600},
        {"namespace": "lost", "state": "under_used", "state_seconds": 200},
        {"namespace": "ml", "state": "unknown", "state_seconds": 300},
        {"namespace": "lost", "state": "unknown", "state_seconds": 60},
        {"namespace": "", "state": "unknown", "state_seconds": 40},
        {"namespace": "", "state": "unallocated", "state_seconds": 1000},
        {"namespace": "ml", "state": "unhealthy", "state_seconds": 400},
        {"namespace": "ml", "state": "effective", "hour_start": DAY + timedelta(hours=1)},
    ]
    owners = [{"match_kind": "namespace", "match_value": "ml", "team_id": "ml"}]
    charge = {"cost": "3.60", "resource_id": "i-1", "charge_end": DAY + timedelta(hours=1)}
    postings = settle(rows, [charge], states=states, owners=owners)
    assert resting(postings, "gpu_state", "gpu_seconds", "rule_id") == {
        ("team:ml", "effective", 1000, "r0"): D("1.00"),
        ("team:ml", "allocated_idle", 600, "r0"): D("0.60"),
        ("residual:unowned_gpu", "under_used", 200, "gpu_seconds:no_owner"): D("0.20"),
        ("team:ml", "unknown", 300, "r0"): D("0.30"),
        ("residual:unowned_gpu", "unknown", 60, "gpu_seconds:no_owner"): D("0.06"),
        ("residual:unknown_gpu", "unknown", 40, "gpu_seconds:unknown"): D("0.04"),
        ("residual:idle", "unallocated", 1000, "gpu_seconds:unallocated"): D("1.00"),
        ("residual:unhealthy_gpu", "unhealthy", 400, "gpu_seconds:unhealthy"): D("0.40"),
    }
    assert set(postings["cost_kind"]) == {"gpu"}
    assert set(postings.filter("is_final_account")["rule_kind"]) == {"gpu_seconds"}


def test_lines_that_share_a_gpu_hour_are_split_alike_and_only_the_dearest_usage_carries_its_seconds(rows):
    states = [{"namespace": "ml", "state_seconds": 2700}, {"state": "unallocated", "state_seconds": 900}]
    owners = [{"match_kind": "namespace", "match_value": "ml", "team_id": "ml"}]
    hour = {"resource_id": "i-1", "charge_end": DAY + timedelta(hours=1)}
    charges = [
        hour | {"cost": "8"},
        hour | {"cost": "0.4", "service_name": "Storage"},
        hour | {"cost": "-80", "charge_category": "Credit"},
    ]
    postings = settle(rows, charges, states=states, owners=owners)
    assert resting(postings, "charge_group_id", "gpu_seconds") == {
        ("team:ml", "g0", 2700): D("6"),
        ("residual:idle", "g0", 900): D("2"),
        ("team:ml", "g1", None): D("0.3"),
        ("residual:idle", "g1", None): D("0.1"),
        ("team:ml", "g2", None): D("-60"),
        ("residual:idle", "g2", None): D("-20"),
    }


def test_a_tagged_gpu_line_belongs_to_its_owner_in_every_state(rows):
    states = [{"namespace": "ml", "state_seconds": 2700}, {"state": "unallocated", "state_seconds": 900}]
    owners = [
        {"match_value": "research", "team_id": "research"},
        {"match_kind": "namespace", "match_value": "ml", "team_id": "ml"},
    ]
    charge = {"cost": "4", "resource_id": "i-1", "tags": '{"team":"research"}'}
    postings = settle(rows, [charge], states=states, owners=owners)
    assert resting(postings, "gpu_state", "rule_kind", "rule_id", "team_id") == {
        ("team:research", "effective", "direct", "r0", "research"): D(3),
        ("team:research", "unallocated", "direct", "r0", "research"): D(1),
    }


def test_a_gpu_line_without_seconds_in_its_period_rests_unallocated(rows):
    states = [{"hour_start": DAY + timedelta(days=3)}]
    postings = settle(rows, [{"resource_id": "i-1"}], states=states)
    assert resting(postings, "cost_kind") == {("residual:unallocated", "gpu"): D(1)}


def test_what_is_logged_again_gives_nobody_a_larger_share(rows):
    charge = {"cost": "100", "provider_id": "openai", "model_id": "gpt", "token_class": "output_text"}
    once = {"team_id": "careful", "output_text_tokens": 300, "priced_cost_usd": D("3")}
    # 200 tokens, of which 100 are there twice
    twice = {"team_id": "hasty", "output_text_tokens": 200, "duplicate_output_text_tokens": 100}
    twice |= {"priced_cost_usd": D("2"), "duplicate_cost_usd": D("1"), "duplicate_count": 1}
    assert resting(settle(rows, [charge], usage=[once, twice])) == {"team:careful": D(75), "team:hasty": D(25)}
    by_model = charge | {"token_class": None}
    assert resting(settle(rows, [by_model], usage=[once, twice])) == {"team:careful": D(75), "team:hasty": D(25)}


def test_a_pool_is_carried_by_its_users_in_weighted_tokens_and_keeps_the_gpu_states(rows):
    states = [
        {"namespace": "serving", "state": "effective", "state_seconds": 2400},
        {"namespace": "serving", "state": "allocated_idle", "state_seconds": 1200},
    ]
    owners = [{"match_kind": "namespace", "match_value": "serving", "pool_id": "chat"}]
    hosted = {"is_self_hosted": True, "provider_id": "self-hosted", "model_id": "llama"}
    usage = [
        hosted | {"team_id": "a", "feature": "chat", "input_uncached_tokens": 100, "output_text_tokens": 25},
        hosted | {"team_id": "b", "cache_read_tokens": 1000, "input_uncached_tokens": 100, "output_text_tokens": 50},
        hosted | {"team_id": None, "output_reasoning_tokens": 50},
        hosted | {"team_id": "b", "model_id": "qwen", "output_text_tokens": 9999},
        {"team_id": "b", "model_id": "llama", "output_text_tokens": 9999},
    ]  # weights 200, 400, 200
    charge = {"cost": "6", "resource_id": "i-1"}
    postings = settle(rows, [charge], usage, states, owners, [CHAT])
    assert resting(postings, "gpu_state", "feature", "gpu_seconds", "model_id") == {
        ("team:a", "effective", "chat", 600, "llama"): D("1"),
        ("team:b", "effective", None, 1200, "llama"): D("2"),
        ("residual:unowned_usage", "effective", None, 600, "llama"): D("1"),
        ("team:a", "allocated_idle", "chat", 300, "llama"): D("0.5"),
        ("team:b", "allocated_idle", None, 600, "llama"): D("1"),
        ("residual:unowned_usage", "allocated_idle", None, 300, "llama"): D("0.5"),
    }
    assert set(postings.filter(pl.col("step") == 3)["from_account"]) == {"pool:chat"}


def test_a_pool_gives_what_it_got_so_that_the_journal_balances(rows):
    hosted = {"is_self_hosted": True, "model_id": "llama"}
    usage = [hosted | {"team_id": team, "input_uncached_tokens": n} for team, n in [("a", 25), ("b", 75)]]
    owners = [{"match_value": "shared", "pool_id": "chat"}]
    postings = settle(rows, [{"cost": "100", "tags": '{"team":"shared"}'}], usage, owners=owners, pools=[CHAT])
    assert resting(postings) == {"team:a": D(25), "team:b": D(75)}
    out_of_pool = postings.filter(pl.col("from_account") == "pool:chat")
    assert out_of_pool["effective_cost"].sum() == D(100)


def test_a_pool_without_users_rests_unallocated(rows):
    owners = [{"match_value": "shared", "pool_id": "chat"}]
    postings = settle(rows, [{"tags": '{"team":"shared"}'}], owners=owners, pools=[CHAT])
    moves = postings.select("step", "rule_kind", "from_account", "to_account").rows()
    assert moves[1:] == [
        (2, "direct", "pool:charges", "pool:chat"),
        (3, "residual", "pool:chat", "residual:unallocated"),
    ]


def test_billed_and_effective_cost_are_split_each_on_its_own(rows):
    usage = [{"team_id": team, "input_uncached_tokens": 1} for team in "abc"]
    charge = {
        "provider_id": "openai",
        "model_id": "gpt",
        "token_class": "input_uncached",
        "billed_cost": D("0"),
        "effective_cost": D("-0.000000000005"),
    }
    postings = settle(rows, [charge], usage)
    final = postings.filter("is_final_account").sort("to_account")
    assert final["effective_cost"].to_list() == [D("-2E-12"), D("-2E-12"), D("-1E-12")]
    assert final["billed_cost"].to_list() == [D(0)] * 3


def test_units_left_over_go_by_account_then_by_feature(rows):
    usage = [
        {"team_id": team, "feature": feature, "input_uncached_tokens": 1}
        for team, feature in [("b", "a"), ("a", "z"), ("a", "y"), ("b", "b")]
    ]
    charge = {"cost": "0.000000000003", "provider_id": "openai", "model_id": "gpt", "token_class": "input_uncached"}
    postings = settle(rows, [charge], usage)
    shares = {key: int(cost.scaleb(12)) for key, cost in resting(postings, "feature").items()}
    assert shares == {("team:a", "y"): 1, ("team:a", "z"): 1, ("team:b", "a"): 1, ("team:b", "b"): 0}


def test_a_pool_that_is_not_configured_is_named_with_the_remedy(rows):
    with pytest.raises(ValueError, match=r"pool 'ghost', which is not among the pools \(chat\): add it"):
        settle(rows, [{"tags": '{"team":"x"}'}], owners=[{"match_value": "x", "pool_id": "ghost"}], pools=[CHAT])


def test_tokens_of_a_class_without_weight_are_refused_not_weighed_as_nothing(rows):
    hosted = {"is_self_hosted": True, "model_id": "llama", "team_id": "a", "output_text_tokens": 7}
    owners = [{"match_value": "x", "pool_id": "chat"}]
    pool = Pool("chat", "llama", {"input_uncached": D(1)})
    with pytest.raises(ValueError, match="7 tokens of class output_text were used, but the class has no weight"):
        settle(rows, [{"tags": '{"team":"x"}'}], [hosted], owners=owners, pools=[pool])


def test_a_charge_group_that_comes_twice_is_refused(rows):
    with pytest.raises(ValueError, match="2 rows share their charge_group_id"):
        settle(rows, [{"charge_group_id": "same"}, {"charge_group_id": "same"}])


def test_an_empty_bill_has_no_postings(rows):
    assert settle(rows, []).is_empty()
