"""Each engine's own names, labels and traps. Numbers by hand: every counter is read at 10:00 and at 10:05."""

import pytest

from contracts import contract
from tests.connectors.serving.written import VLLM, counter, parse, rows, scrape

POD = {"namespace": "serving", "pod": "engine-0", "instance": "10.0.0.2:8080"}


def rise(metric: str, named: dict[str, str], low: object, high: object) -> list[str]:
    return counter(metric, named, [("10:00", low), ("10:05", high)])


def test_vllm_counts_tokens_sources_requests_and_seconds() -> None:
    by_source = "vllm:prompt_tokens_by_source_total"
    done = "vllm:request_success_total"
    page = scrape(
        *rise("vllm:prompt_tokens_total", VLLM, 1000, 4000),
        *rise(by_source, {**VLLM, "source": "local_compute"}, 600, 1800),
        *rise(by_source, {**VLLM, "source": "local_cache_hit"}, 300, 1700),
        *rise(by_source, {**VLLM, "source": "external_kv_transfer"}, 100, 500),
        *rise("vllm:prompt_tokens_cached_total", VLLM, 0, 1),  # by source says it better
        *rise("vllm:prefix_cache_queries_total", VLLM, 0, 90000),
        *rise("vllm:prefix_cache_hits_total", VLLM, 0, 45000),
        *rise("vllm:generation_tokens_total", VLLM, 200, 950),
        *rise(done, {**VLLM, "finished_reason": "stop"}, 10, 16),
        *rise(done, {**VLLM, "finished_reason": "length"}, 1, 3),
        *rise(done, {**VLLM, "finished_reason": "abort"}, 0, 2),
        *rise("vllm:request_prefill_time_seconds_sum", VLLM, 1.5, 4.0),
        *rise("vllm:request_decode_time_seconds_sum", VLLM, 10.25, 42.5),
        *rise("vllm:request_prefill_time_seconds_count", VLLM, 1, 4),
        'vllm:request_prefill_time_seconds_bucket{model_name="llama-8b",engine="0",le="0.3"} 12 1790848800000',
    )
    (row,) = rows(page)
    assert (row["prompt_tokens"], row["cached_tokens"], row["generated_tokens"]) == (3000, 1800, 750)
    assert (row["finished_requests"], row["aborted_requests"]) == (10, 2)
    assert (row["prefill_seconds"], row["decode_seconds"]) == (2.5, 32.25)
    assert (row["engine_name"], row["model_name"], row["engine_replica"]) == ("vllm", "llama-8b", "0")
    assert (row["namespace"], row["pod"], row["hostname"]) == ("serving", "vllm-0", None)
    assert row["x_extra"] == '{"prefix_cache_hit_tokens":45000,"prefix_cache_queried_tokens":90000}'


def test_engines_of_one_pod_stay_apart() -> None:
    page = scrape(
        *rise("vllm:prompt_tokens_total", VLLM, 0, 100),
        *rise("vllm:prompt_tokens_total", {**VLLM, "engine": "1"}, 0, 7),
    )
    assert [(row["engine_replica"], row["prompt_tokens"]) for row in rows(page)] == [("0", 100), ("1", 7)]


def test_pods_of_one_name_in_two_namespaces_stay_apart() -> None:
    other = {**VLLM, "namespace": "research"}
    page = scrape(*rise("vllm:prompt_tokens_total", VLLM, 0, 100), *rise("vllm:prompt_tokens_total", other, 0, 7))
    found = {(row["namespace"], row["pod"], row["prompt_tokens"]) for row in rows(page)}
    assert found == {("research", "vllm-0", 7), ("serving", "vllm-0", 100)}
    assert {"namespace", "engine_name"} <= set(contract("serving_counters").key)


def test_servers_on_two_ports_of_one_pod_stay_apart() -> None:
    other = {**VLLM, "instance": "10.0.0.1:8001"}
    page = scrape(*rise("vllm:prompt_tokens_total", VLLM, 0, 100), *rise("vllm:prompt_tokens_total", other, 0, 7))
    assert [(row["engine_replica"], row["prompt_tokens"]) for row in rows(page)] == [("0:8000", 100), ("0:8001", 7)]


def test_what_an_engine_does_not_count_is_null_and_never_zero() -> None:
    (row,) = rows(scrape(*rise("vllm:generation_tokens_total", VLLM, 0, 100)))
    absent = ("prompt_tokens", "cached_tokens", "finished_requests", "aborted_requests", "prefill_seconds",
              "decode_seconds", "running_requests_max", "waiting_requests_max", "engine_started_at")  # fmt: skip
    assert {row[column] for column in absent} == {None}


@pytest.mark.parametrize("name", ["vllm:gpu_cache_usage_perc", "vllm:kv_cache_usage_perc", "vllm_kv_cache_usage_perc"])
def test_names_of_older_releases_are_known(name: str) -> None:
    page = scrape(*rise("vllm:prompt_tokens", VLLM, 0, 100), *rise(name, VLLM, 0.25, 0.5))
    assert rows(page)[0]["x_extra"] == '{"kv_cache_ratio_max":0.25}'


def test_sglang_ranks_that_work_together_count_once() -> None:
    named = {**POD, "model_name": "qwen-72b", "engine_type": "unified"}
    page = scrape(
        *rise("sglang:realtime_tokens_total", {**named, "mode": "prefill_compute", "tp_rank": "0"}, 0, 400),
        *rise("sglang:realtime_tokens_total", {**named, "mode": "prefill_compute", "tp_rank": "1"}, 0, 400),
        *rise("sglang:realtime_tokens_total", {**named, "mode": "prefill_cache", "tp_rank": "0"}, 0, 100),
        *rise("sglang:realtime_tokens_total", {**named, "mode": "decode", "tp_rank": "0"}, 0, 60),
        *rise("sglang:realtime_tokens_total", {**named, "mode": "decode", "tp_rank": "1"}, 0, 60),
        *rise("sglang:num_running_reqs", {**named, "tp_rank": "0", "dp_rank": "0"}, 5, 5),
        *rise("sglang:num_running_reqs", {**named, "tp_rank": "1", "dp_rank": "0"}, 5, 5),
        *rise("sglang:num_running_reqs", {**named, "tp_rank": "0", "dp_rank": "1"}, 3, 3),
    )
    (row,) = rows(page)
    assert (row["prompt_tokens"], row["cached_tokens"], row["generated_tokens"]) == (500, 100, 60)
    assert row["running_requests_max"] == 8.0


def test_sglang_requests_are_summed_over_streaming_or_not() -> None:
    named = {**POD, "model_name": "qwen-72b"}
    page = scrape(
        *rise("sglang:prompt_tokens_total", {**named, "is_streaming": "true"}, 0, 400),
        *rise("sglang:prompt_tokens_total", {**named, "is_streaming": "false"}, 0, 50),
        *rise("sglang:generation_tokens_total", {**named, "is_streaming": "true"}, 0, 90),
        *rise("sglang:cached_tokens_total", {**named, "cache_source": "device"}, 0, 120),
        *rise("sglang:cached_tokens_total", {**named, "cache_source": "host"}, 0, 30),
        *rise("sglang:num_requests_total", named, 0, 12),
        *rise("sglang:num_aborted_requests_total", named, 0, 2),
        *rise("sglang:realtime_tokens_total", {**named, "mode": "decode", "tp_rank": "0"}, 0, 99999),
    )
    (row,) = rows(page)
    assert (row["prompt_tokens"], row["cached_tokens"], row["generated_tokens"]) == (450, 150, 90)
    assert (row["finished_requests"], row["aborted_requests"]) == (12, 2)


def test_tgi_has_no_model_and_takes_it_from_the_settings() -> None:
    page = scrape(
        *rise("tgi_request_input_length_sum", POD, 100, 350),
        *rise("tgi_request_generated_tokens_sum", POD, 0, 80),
        *rise("tgi_request_success", POD, 3, 8),
        *rise("tgi_request_failure", {**POD, "err": "overloaded"}, 0, 1),
        *rise("tgi_batch_inference_duration_sum", {**POD, "method": "prefill"}, 0, 2.5),
        *rise("tgi_batch_inference_duration_sum", {**POD, "method": "decode"}, 0, 9.5),
        *rise("tgi_queue_size", POD, 4, 0),
    )
    (row,) = rows(page, models={"^serving/engine-": "mistral-7b"})
    assert (row["engine_name"], row["model_name"]) == ("tgi", "mistral-7b")
    assert (row["prompt_tokens"], row["cached_tokens"], row["generated_tokens"]) == (250, None, 80)
    assert (row["finished_requests"], row["aborted_requests"], row["waiting_requests_max"]) == (6, None, 4.0)
    assert row["x_extra"] == '{"batch_decode_seconds":9.5,"batch_prefill_seconds":2.5}'
    parsed = parse(page)
    assert parsed.rows["model_name"].to_pylist() == [""]
    assert "1 engines do not name their model: set 'models', with a pattern of NAMESPACE/POD" in parsed.notices


def test_triton_counts_requests_and_seconds_and_no_tokens() -> None:
    named = {**POD, "model": "reranker"}
    page = scrape(
        *rise("nv_inference_request_success", {**named, "version": "1"}, 10, 30),
        *rise("nv_inference_request_success", {**named, "version": "2"}, 0, 5),
        *rise("nv_inference_request_failure", {**named, "version": "1", "reason": "CANCELED"}, 0, 2),
        *rise("nv_inference_request_failure", {**named, "version": "1", "reason": "OTHER"}, 0, 1),
        *rise("nv_inference_compute_infer_duration_us", {**named, "version": "1"}, 1_000_000, 3_500_000),
        *rise("nv_gpu_utilization", {**POD, "gpu_uuid": "GPU-1"}, 0.5, 0.5),
    )
    (row,) = rows(page)
    assert (row["engine_name"], row["model_name"], row["prompt_tokens"]) == ("triton", "reranker", None)
    assert (row["finished_requests"], row["aborted_requests"]) == (28, 2)
    assert row["x_extra"] == '{"compute_seconds":2.5}'


def test_ray_serve_replicas_stay_apart() -> None:
    named = {**POD, "model_name": "llama-8b", "engine": "0", "deployment": "LLM", "WorkerId": "w"}
    page = scrape(
        *rise("ray_vllm_prompt_tokens_total", {**named, "ReplicaId": "a"}, 0, 40),
        *rise("ray_vllm_prompt_tokens_total", {**named, "ReplicaId": "b"}, 0, 50),
    )
    assert [(row["engine_name"], row["engine_replica"], row["prompt_tokens"]) for row in rows(page)] == [
        ("ray_serve", "a/0", 40),
        ("ray_serve", "b/0", 50),
    ]


def test_names_without_a_prefix_are_nims_only_where_a_model_is_named() -> None:
    page = scrape(
        *rise("prompt_tokens_total", {**POD, "model_name": "meta/llama-3.1-8b"}, 0, 40),
        *rise("prompt_tokens_total", {"instance": "somebody-else:1"}, 0, 999),
    )
    (row,) = rows(page)
    assert (row["engine_name"], row["model_name"], row["prompt_tokens"]) == ("nim", "meta/llama-3.1-8b", 40)


def test_engines_that_the_settings_leave_out_are_not_read() -> None:
    page = scrape(*rise("vllm:prompt_tokens_total", VLLM, 0, 100), *rise("tgi_request_success", POD, 0, 1))
    assert [row["engine_name"] for row in rows(page, engines=["tgi"])] == ["tgi"]


def test_more_cached_tokens_than_tokens_of_prompts_are_unknown_and_told() -> None:
    page = scrape(
        *rise("vllm:prompt_tokens_total", VLLM, 0, 100), *rise("vllm:prompt_tokens_cached_total", VLLM, 0, 130)
    )
    parsed = parse(page)
    (row,) = parsed.rows.to_pylist()
    assert (row["prompt_tokens"], row["cached_tokens"], row["x_extra"]) == (100, None, '{"cached_tokens":130}')
    assert any("more cached tokens than tokens of prompts" in notice for notice in parsed.notices)


def test_scrapes_of_two_engines_without_labels_are_told_apart_by_their_files() -> None:
    named = {"model_name": "llama-8b", "engine": "0"}
    pages = [
        scrape(
            f'vllm:prompt_tokens_total{{model_name="{named["model_name"]}",engine="0"}} {value}', target=target, at=at
        )
        for target, low, high in (("vllm-0", 0, 100), ("vllm-1", 5000, 5007))
        for at, value in (("10:00:00", low), ("10:05:00", high))
    ]
    assert [(row["pod"], row["prompt_tokens"]) for row in rows(*pages)] == [("vllm-0", 100), ("vllm-1", 7)]
