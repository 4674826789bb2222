from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.sample.scrapes import series

MODEL = "llama-3.1-8b-instruct"
COUNTERS = {
    "vllm:prompt_tokens_total": "prompt_tokens",
    "vllm:prompt_tokens_cached_total": "cached_tokens",
    "vllm:generation_tokens_total": "generated_tokens",
    "vllm:request_success_total": "finished_requests",
    "vllm:request_prefill_time_seconds_sum": "prefill_seconds",
    "vllm:request_decode_time_seconds_sum": "decode_seconds",
}
STARTED = "process_start_time_seconds"
RESTARTED = datetime(2026, 10, 20, 9, 10)
Series = dict[tuple[str, str], dict[datetime, Decimal]]


@pytest.fixture(scope="session")
def engines(october) -> Series:
    return series(october.directory / "exports/vllm/serving")


def rises(values: dict[datetime, Decimal], starts: dict[datetime, Decimal]) -> list[tuple[datetime, Decimal]]:
    """By how much a counter rose until each instant: from zero where its process is another than before."""
    found: list[tuple[datetime, Decimal]] = []
    before: tuple[Decimal, Decimal] | None = None
    for at, value in values.items():
        if before is not None:
            found.append((at, value - before[0] if starts[at] == before[1] else value))
        before = value, starts[at]
    return found


def counted(engines: Series) -> dict[date, Counter[str]]:
    found: dict[date, Counter[str]] = defaultdict(Counter)
    for (metric, pod), values in engines.items():
        for at, rise in rises(values, engines[STARTED, pod]) if metric in COUNTERS else ():
            assert rise >= 0
            found[(at - timedelta(seconds=1)).date()][COUNTERS[metric]] += rise
    return found


def logged(of_day: list[dict[str, Any]]) -> dict[str, Any]:
    rows = {
        row["request_id"]: row
        for row in of_day
        if row["custom_llm_provider"] == "hosted_vllm" and row["status"] == "success" and row["prompt_tokens"] >= 0
    }.values()
    details = [row["metadata"]["usage_object"]["prompt_tokens_details"] for row in rows]
    return {
        "prompt_tokens": sum(row["prompt_tokens"] for row in rows),
        "cached_tokens": sum(detail["cached_tokens"] for detail in details),
        "generated_tokens": sum(row["completion_tokens"] for row in rows),
        "finished_requests": len(rows),
        "seconds": sum(Decimal(row["request_duration_ms"]) for row in rows) / 1000,
    }


def test_the_counters_rise_by_the_true_tokens_of_every_day(engines, october):
    truth = october.truth["engine_tokens"]
    found = counted(engines)
    assert len(truth) == 31
    for day, models in truth.items():
        of_day = found[date.fromisoformat(day)]
        assert {MODEL: {name: of_day[name] for name in models[MODEL]}} == models, day


def test_engines_count_what_the_gateway_logged_and_one_afternoon_of_calls_past_it(engines, october, log):
    past = october.truth["unlogged_engine_tokens"]
    assert list(past) == ["2026-10-22"]
    assert past["2026-10-22"][MODEL]["finished_requests"] == 48
    assert min(past["2026-10-22"][MODEL][name] for name in ("prompt_tokens", "generated_tokens")) > 20_000
    for day, of_day in counted(engines).items():
        expected = logged(log[day])
        seconds = expected.pop("seconds")
        unlogged = past.get(str(day), {}).get(MODEL, {})
        assert {name: of_day[name] - unlogged.get(name, 0) for name in expected} == expected, day
        if not unlogged:
            assert of_day["prefill_seconds"] + of_day["decode_seconds"] == seconds


def test_nothing_is_counted_on_the_maintenance_day(engines):
    assert set(counted(engines)[date(2026, 10, 25)].values()) == {0}


def test_cached_tokens_are_a_part_of_the_prompts_in_every_five_minutes(engines):
    for pod in {pod for _, pod in engines}:
        starts = engines[STARTED, pod]
        prompts, cached = (
            rises(engines[f"vllm:{name}_total", pod], starts) for name in ("prompt_tokens", "prompt_tokens_cached")
        )
        assert all(part <= whole for (_, whole), (_, part) in zip(prompts, cached, strict=True))


def test_one_process_starts_anew_and_its_counters_fall_to_zero_without_a_loss(engines):
    found = set()
    for (metric, pod), values in engines.items():
        for before, at in pairwise(values):
            if metric == STARTED and values[before] != values[at]:
                found.add((pod, at))
            if metric in COUNTERS and values[at] < values[before]:
                assert (pod, at, values[at]) == ("llm-house-3", RESTARTED, 0)
    assert found == {("llm-house-3", RESTARTED)}
    assert RESTARTED - timedelta(minutes=5) not in engines[STARTED, "llm-house-3"]


def test_one_pod_is_released_long_after_its_last_request_and_the_next_works_twelve_minutes_after_it_came(
    engines, october
):
    truth = october.truth["pod_replacement"]
    last, released, held, first = (
        datetime.fromisoformat(truth[name])
        for name in ("last_request_ended_at", "released_at", "held_from", "first_request_at")
    )
    assert released == held == datetime(2026, 10, 20, 10, 20)
    assert timedelta(minutes=40) <= released - last <= timedelta(minutes=50)
    assert timedelta(minutes=11) <= first - held <= timedelta(minutes=14)
    ends = {}
    for pod in (truth["released"], truth["started"]):
        requests = engines["vllm:request_success_total", pod]
        ends[pod] = [at for at, rise in rises(requests, engines[STARTED, pod]) if rise]
    assert 0 <= (ends["llm-house-3"][-1] - last).total_seconds() < 300
    assert 0 <= (ends["llm-house-4"][0] - first).total_seconds() < 300
    scraped = engines[STARTED, "llm-house-3"], engines[STARTED, "llm-house-4"]
    assert max(scraped[0]) == released - timedelta(minutes=5)
    assert min(scraped[1]) == held + timedelta(minutes=10)


def test_every_engine_is_scraped_at_each_step_and_as_its_file_is_closed(engines):
    midnight = datetime(2026, 10, 5)
    steps = [*(midnight + timedelta(minutes=5 * step) for step in range(288)), datetime(2026, 10, 5, 23, 59, 59)]
    for (metric, pod), values in engines.items():
        if pod != "llm-house-4":
            assert [at for at in values if at.date() == midnight.date()] == steps, (metric, pod)
    assert {metric for metric, _ in engines} == {
        *COUNTERS,
        STARTED,
        "vllm:num_requests_running",
        "vllm:num_requests_waiting",
    }


def test_no_scrape_meets_a_request_that_runs_or_waits(engines):
    for gauge in ("running", "waiting"):
        seen = [values for (metric, _), values in engines.items() if metric == f"vllm:num_requests_{gauge}"]
        assert len(seen) == 5
        assert {value for values in seen for value in values.values()} == {0}
