"""Which money and which tokens are a model's: every figure worked by hand."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from models.frames import schema_of
from models.pools import Pool
from models.self_hosted_costs import self_hosted_costs
from tests.models.conftest import DAY

D = Decimal
TODAY = DAY.date()
POOL = Pool("chat", "llama", {"input_uncached": D(1), "cache_read": D("0.5"), "output_text": D(4)})


def spent(**given):
    row = dict.fromkeys(schema_of("gpu_costs_hourly"), "")
    row |= {
        "billing_period": date(2026, 10, 1),
        "hour_start": DAY,
        "usage_date": TODAY,
        "cluster": "c1",
        "namespace": "llm",
        "pod": "p1",
        "model_id": "llama",
        "gpu_state": "effective",
        "is_warm_standby": False,
        "account": "team:red",
        "team_id": None,
        "holder_team_id": None,
        "gpu_seconds": 3600,
        "observed_seconds": 3000,
        "effective_cost": D("3.20"),
        "under_used_cost": D(0),
        "billing_currency": "USD",
    }
    return row | given


def costs_of(rows, costs, serving=(), logged=(), rates=None, pools=()):
    log = [
        {"usage_date": TODAY, "model_id": "llama", "request_count": 1, "unmeasured_count": 0, **row} for row in logged
    ]
    return self_hosted_costs(
        gpu_costs=rows.frame("gpu_costs_hourly", costs),
        serving=rows.serving(*serving),
        logged=rows.frame("self_hosted_usage", log),
        usd_rates=rates or {},
        pools=pools,
    )


COUNTED = {
    "prompt_tokens": 12_000_000,
    "cached_tokens": 800_000,
    "generated_tokens": 3_000_000,
    "prefill_seconds": 600.0,
    "decode_seconds": 600.0,
}
LOGGED = {"input_uncached_tokens": 600, "cache_read_tokens": 400, "output_tokens": 50}


def test_measured_seconds_part_a_pods_money(rows):
    row = costs_of(rows, [spent()], [COUNTED], [LOGGED]).row(0, named=True)
    assert (row["method"], row["token_source"]) == ("measured_seconds", "engine")
    assert (row["prefill_cost"], row["cached_cost"], row["decode_cost"]) == (D("1.60"), D(0), D("1.60"))
    assert row["input_cost_per_mtok"] == D("0.142857142857")
    assert row["output_cost_per_mtok"] == D("0.533333333333")
    assert row["blended_cost_per_mtok"] == D("0.213333333333")
    assert (row["cached_cost_per_mtok"], row["usd_rate"], row["logged_tokens"]) == (D(0), D(1), 1050)
    dollars = (row["input_usd_per_token"], row["cached_usd_per_token"], row["output_usd_per_token"])
    assert dollars == (D("0.000000142857"), D(0), D("0.000000533333"))
    # 3.20 less 600 of 11.2M computed prompts' 1.60 and 50 of 3M generated tokens' 1.60
    assert row["unlogged_cost"] == D("3.199887619048")


def test_what_no_log_has_costs_its_part_of_each_phase_and_nothing_is_unlogged_of_a_whole_log(rows):
    """Engines: 10M computed, 2M generated for $1.60 each. The log lacks 4M of the former and a half of the latter."""
    counted = {**COUNTED, "prompt_tokens": 10_000_000, "cached_tokens": 0, "generated_tokens": 2_000_000}
    half = {"input_uncached_tokens": 6_000_000, "cache_read_tokens": 0, "output_tokens": 1_000_000}
    whole = {"input_uncached_tokens": 10_000_000, "cache_read_tokens": 0, "output_tokens": 2_000_000}
    for logged, expected in ([half], D("0.64") + D("0.80")), ([whole], D(0)), ([], D("3.20")):
        row = costs_of(rows, [spent()], [counted], logged).row(0, named=True)
        assert (row["token_source"], row["unlogged_cost"]) == ("engine", expected)


def test_a_phase_without_a_token_is_not_past_the_gateway(rows):
    """Prompts alone: what generation cost while nothing was generated is nobody's token."""
    counted = {**COUNTED, "prompt_tokens": 1_000, "cached_tokens": 0, "generated_tokens": 0}
    row = costs_of(rows, [spent()], [counted]).row(0, named=True)
    assert (row["decode_cost"], row["unlogged_cost"]) == (D("1.60"), D("1.60"))
    idle = {**COUNTED, "prompt_tokens": 0, "cached_tokens": 0, "generated_tokens": 0, "prefill_seconds": 0.0}
    row = costs_of(rows, [spent()], [{**idle, "decode_seconds": 0.0}]).row(0, named=True)
    assert (row["method"], row["decode_cost"], row["unlogged_cost"]) == ("no_tokens", D("3.20"), D(0))


def test_idle_time_is_part_of_the_cost_and_told_apart(rows):
    costs = [
        spent(effective_cost=D(1)),
        spent(effective_cost=D(2), gpu_state="allocated_idle"),
        spent(effective_cost=D(4), gpu_state="allocated_idle", is_warm_standby=True),
        spent(effective_cost=D(8), gpu_state="unknown", account="residual:unknown_gpu"),
    ]
    row = costs_of(rows, costs, [COUNTED]).row(0, named=True)
    assert row["effective_cost"] == D(15)
    assert (row["idle_cost"], row["warm_standby_cost"], row["unknown_cost"]) == (D(2), D(4), D(8))
    assert (row["gpu_seconds"], row["observed_seconds"]) == (4 * 3600, 4 * 3000)


def test_without_counters_a_pools_money_meets_the_logged_tokens_at_the_pools_weights(rows):
    # weights 600 x 1 + 400 x 0.5 + 50 x 4 = 600 + 200 + 200 of 1000: 5.00 is 3.00, 1.00 and 1.00
    costs = [spent(model_id=None, account="pool:chat", effective_cost=D(5)), spent(model_id=None, pod="other")]
    frame = costs_of(rows, costs, logged=[LOGGED], pools=[POOL])
    assert frame.height == 1
    row = frame.row(0, named=True)
    assert (row["method"], row["token_source"]) == ("token_weights", "gateway_log")
    assert (row["prefill_cost"], row["cached_cost"], row["decode_cost"]) == (D(3), D(1), D(1))
    assert row["unlogged_cost"] is None  # nobody counted but the log
    assert row["input_cost_per_mtok"] == D(5000)
    assert row["cached_cost_per_mtok"] == D(2500)
    assert row["output_cost_per_mtok"] == D(20000)


def test_a_pod_of_two_models_is_parted_by_their_seconds(rows):
    serving = [
        {"prefill_seconds": 10.0, "decode_seconds": 20.0},
        {"source_model": "qwen", "model_id": "qwen", "prefill_seconds": 5.0, "decode_seconds": 5.0},
    ]
    frame = costs_of(rows, [spent(model_id=None, effective_cost=D(4))], serving)
    assert dict(frame.select("model_id", "effective_cost").rows()) == {"llama": D(3), "qwen": D(1)}
    assert dict(frame.select("model_id", "gpu_seconds").rows()) == {"llama": 2700, "qwen": 900}
    assert dict(frame.select("model_id", "observed_seconds").rows()) == {"llama": 2250, "qwen": 750}


def test_a_model_that_nobody_has_a_name_for_takes_its_part_of_the_pod_and_no_other_model_pays_it(rows):
    """llama 30 s and a name that the price book does not know 270 s of an hour of 4.00: a tenth is llama's."""
    serving = [
        {"prefill_seconds": 10.0, "decode_seconds": 20.0},
        {"source_model": "tuned", "model_id": None, "prefill_seconds": 90.0, "decode_seconds": 180.0},
    ]
    frame = costs_of(rows, [spent(model_id=None, effective_cost=D(4))], serving)
    assert frame.select("model_id", "effective_cost", "gpu_seconds").rows() == [("llama", D("0.4"), 360)]
    two = [serving[0] | {"prefill_seconds": None}, serving[1], serving[1] | {"source_model": "older"}]
    equal = costs_of(rows, [spent(model_id=None, effective_cost=D(3))], two)
    assert equal.select("model_id", "effective_cost", "model_share_method").rows() == [("llama", D(1), "equal")]
    # of a pod whose models nobody knows the money stays the pool's model's
    pool = spent(model_id=None, account="pool:chat", effective_cost=D(4))
    assert costs_of(rows, [pool], [serving[1]], pools=[POOL])["effective_cost"].to_list() == [D(4)]


def test_no_model_with_tokens_gets_nothing_because_its_engine_measures_no_seconds(rows):
    """llama computes 10 + 1,000 tokens and tells seconds, qwen 10 + 9,000,000 and tells none: parted by tokens."""
    known = {"prefill_seconds": 10.0, "decode_seconds": 20.0, "generated_tokens": 1000, "prompt_tokens": 10}
    other = {"engine_name": "sglang", "source_model": "qwen", "model_id": "qwen", "prompt_tokens": 10}
    for unmeasured in ({}, {"prefill_seconds": 0.0, "decode_seconds": 0.0}):
        serving = [known, {**other, "generated_tokens": 9_000_000, **unmeasured}]
        frame = costs_of(rows, [spent(model_id=None, effective_cost=D(4))], serving)
        found = dict(frame.select("model_id", "effective_cost").rows())
        assert found == {"llama": D("0.000448838021"), "qwen": D("3.999551161979")}  # 4 x 1010 / 9001020
        assert set(frame["model_share_method"]) == {"tokens"}
    silent = costs_of(rows, [spent(model_id=None, effective_cost=D(4))], [known, other])
    assert dict(silent.select("model_id", "effective_cost").rows()) == {"llama": D(2), "qwen": D(2)}
    assert set(silent["model_share_method"]) == {"equal"}


def test_counters_of_one_hour_do_not_price_a_day(rows):
    """$72 of 24 hours. Engines counted one of them, 2M tokens; the log has 48M: at the engines' rate requests cost 24 times that."""
    pool = [
        spent(model_id=None, account="pool:chat", pod="", effective_cost=D(3), hour_start=DAY + timedelta(hours=n))
        for n in range(24)
    ]
    counted = {"prompt_tokens": 1_000_000, "cached_tokens": 0, "generated_tokens": 1_000_000}
    logged = {"input_uncached_tokens": 24_000_000, "cache_read_tokens": 0, "output_tokens": 24_000_000}
    row = costs_of(rows, pool, [counted], [logged], pools=[POOL]).row(0, named=True)
    assert (row["token_source"], row["effective_cost"]) == ("gateway_log", D(72))
    assert priced(row, logged) == D("72.000000000000")
    alone = costs_of(rows, pool, [counted], pools=[POOL]).row(0, named=True)
    assert (alone["token_source"], alone["blended_cost_per_mtok"]) == ("gateway_log", None)
    standing = [row | {"gpu_state": "allocated_idle"} if n else row for n, row in enumerate(pool)]
    idle = costs_of(rows, standing, [counted], pools=[POOL]).row(0, named=True)
    assert (idle["token_source"], idle["blended_cost_per_mtok"]) == ("engine", D(36))
    unseen = [row | {"gpu_state": "unknown"} if n else row for n, row in enumerate(pool)]
    assert costs_of(rows, unseen, [counted], pools=[POOL]).row(0, named=True)["token_source"] == "engine"
    proven = [row | {"metric_used": "gr_engine_active_ratio"} if n else row for n, row in enumerate(unseen)]
    assert costs_of(rows, proven, [counted], pools=[POOL]).row(0, named=True)["token_source"] == "gateway_log"


def test_a_replica_without_counters_leaves_the_tokens_to_the_log(rows):
    logged = {"input_uncached_tokens": 20_000_000, "cache_read_tokens": 0, "output_tokens": 3_000_000}
    row = costs_of(rows, [spent()], [COUNTED], [logged]).row(0, named=True)
    assert (row["token_source"], row["method"], row["prompt_tokens"]) == ("gateway_log", "measured_seconds", 20_000_000)
    assert priced(row, logged) == D("3.199999")  # 3M at 0.533333 for a million


def test_requests_of_a_log_that_knows_no_caches_cost_no_more_than_the_gpus(rows):
    """Engines found 9 of 10M prompt tokens cached; the log has 10M as computed. $1.60 of prefill over 10M, not over 1M."""
    counted = {**COUNTED, "prompt_tokens": 10_000_000, "cached_tokens": 9_000_000}
    logged = {"input_uncached_tokens": 10_000_000, "cache_read_tokens": 0, "output_tokens": 3_000_000}
    row = costs_of(rows, [spent()], [counted], [logged]).row(0, named=True)
    assert (row["token_source"], row["input_cost_per_mtok"]) == ("engine", D("1.6"))
    assert row["input_usd_per_token"] == row["cached_usd_per_token"] == D("0.00000016")
    assert priced(row, logged) == D("1.60") + 3_000_000 * D("0.000000533333")
    assert row["unlogged_cost"] == 0


def priced(row, logged):
    """What the log's tokens cost at the day's prices."""
    prices = ("input_usd_per_token", "cached_usd_per_token", "output_usd_per_token")
    tokens = ("input_uncached_tokens", "cache_read_tokens", "output_tokens")
    return sum(row[price] * logged[name] for price, name in zip(prices, tokens, strict=True))


def test_a_model_without_a_token_has_a_cost_and_no_rate(rows):
    row = costs_of(rows, [spent(gpu_state="allocated_idle")]).row(0, named=True)
    assert (row["effective_cost"], row["decode_cost"]) == (D("3.20"), D("3.20"))
    assert row["output_cost_per_mtok"] is row["blended_cost_per_mtok"] is None


def test_an_hour_without_a_count_leaves_the_days_tokens_to_the_log(rows):
    serving = [COUNTED, {**COUNTED, "hour_start": DAY + timedelta(hours=1), "generated_tokens": None}]
    row = costs_of(rows, [spent()], serving, [LOGGED]).row(0, named=True)
    assert (row["token_source"], row["prompt_tokens"], row["generated_tokens"]) == ("gateway_log", 1000, 50)


@pytest.mark.parametrize(("rates", "expected"), [({}, None), ({("EUR", date(2026, 10, 1)): D("1.08")}, D("1.08"))])
def test_another_currency_has_the_months_rate_or_none(rows, rates, expected):
    frame = costs_of(rows, [spent(), spent(billing_currency="EUR")], [COUNTED], rates=rates)
    assert dict(frame.select("billing_currency", "usd_rate").rows()) == {"USD": D(1), "EUR": expected}
    # 0.142857142857 of a euro for a million tokens at 1.08 are 0.154285714286 dollars
    prices = dict(frame.select("billing_currency", "input_usd_per_token").rows())
    assert prices == {"USD": D("0.000000142857"), "EUR": D("0.000000154286") if expected else None}
    assert frame["input_cost_per_mtok"].n_unique() == 1


def test_days_stay_apart(rows):
    tomorrow = DAY + timedelta(days=1)
    costs = [spent(), spent(hour_start=tomorrow, usage_date=tomorrow.date(), effective_cost=D(9))]
    frame = costs_of(rows, costs, [COUNTED])
    assert frame.select("usage_date", "effective_cost", "token_source").rows() == [
        (TODAY, D("3.20"), "engine"),
        (tomorrow.date(), D(9), "gateway_log"),
    ]
    assert frame.filter(pl.col("usage_date") == TODAY)["prompt_tokens"].to_list() == [12_000_000]


def test_what_nobody_held_is_no_engine_s_that_has_no_pod(rows):
    """Scrapes in files may name no pod: money of GPUs that nobody held has none either."""
    nobody = {"namespace": "", "pod": ""}
    costs = [spent(model_id=None, gpu_state="unallocated", account="residual:idle", effective_cost=D(100), **nobody)]
    assert costs_of(rows, costs, [{**COUNTED, **nobody}]).is_empty()
