"""The engines' metrics, as a table: which name, of which engine, counts what. Names changed with the releases.

vLLM: https://docs.vllm.ai/en/latest/usage/metrics.html (a name is hidden one minor release after its deprecation).
SGLang: https://docs.sglang.ai/references/production_metrics.html. TGI: its docs, "Monitoring TGI". Triton:
https://docs.nvidia.com/deeplearning/triton-inference-server (metrics). Ray Serve exports vLLM's as `ray_vllm_...`.
NIM serves vLLM's names, in older releases without their prefix.

Here belongs: names and what they count. Here does not belong: labels, values, and arithmetic.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

Engine = Literal["vllm", "tgi", "sglang", "triton", "ray_serve", "nim"]
Shape = Literal["counter", "gauge", "started"]


class Metric(NamedTuple):
    """What a metric counts. `only` is a label with the values that count; `per` divides the value (microseconds)."""

    counts: str
    shape: Shape
    name: str
    only: tuple[str, tuple[str, ...]] | None = None
    per: float = 1


_VLLM = (
    Metric("prompt_tokens", "counter", "prompt_tokens(_total)?"),
    Metric("generated_tokens", "counter", "generation_tokens(_total)?"),
    Metric("tokens_by_source", "counter", "prompt_tokens_by_source(_total)?"),
    Metric("cached_tokens", "counter", "prompt_tokens_cached(_total)?"),
    Metric("finished_requests", "counter", "request_success(_total)?"),
    Metric("prefill_seconds", "counter", "request_prefill_time_seconds_sum"),
    Metric("decode_seconds", "counter", "request_decode_time_seconds_sum"),
    Metric("running_requests", "gauge", "num_requests_running"),
    Metric("waiting_requests", "gauge", "num_requests_waiting"),
    Metric("kv_cache_ratio", "gauge", "(gpu|kv)_cache_usage_perc"),
    Metric("prefix_cache_queried_tokens", "counter", "(gpu_)?prefix_cache_queries(_total)?"),
    Metric("prefix_cache_hit_tokens", "counter", "(gpu_)?prefix_cache_hits(_total)?"),
    Metric("preempted_requests", "counter", "num_preemptions(_total)?"),
)
_SGLANG = (
    Metric("prompt_tokens", "counter", "prompt_tokens(_total)?"),
    Metric("generated_tokens", "counter", "generation_tokens(_total)?"),
    Metric("cached_tokens", "counter", "cached_tokens(_total)?"),
    Metric("realtime_tokens", "counter", "realtime_tokens(_total)?"),
    Metric("finished_requests", "counter", "num_requests(_total)?"),
    Metric("aborted_requests", "counter", "num_aborted_requests(_total)?"),
    Metric("running_requests", "gauge", "num_running_reqs"),
    Metric("waiting_requests", "gauge", "num_queue_reqs"),
    Metric("kv_cache_ratio", "gauge", "token_usage"),
)
_TGI = (
    Metric("prompt_tokens", "counter", "request_input_length_sum"),
    Metric("generated_tokens", "counter", "request_generated_tokens_sum"),
    Metric("finished_requests", "counter", "request_(success|failure)(_total)?"),
    Metric("batch_prefill_seconds", "counter", "batch_inference_duration_sum", ("method", ("prefill",))),
    Metric("batch_decode_seconds", "counter", "batch_inference_duration_sum", ("method", ("decode", "next_token"))),
    Metric("running_requests", "gauge", "batch_current_size"),
    Metric("waiting_requests", "gauge", "queue_size"),
)
_TRITON = (
    Metric("finished_requests", "counter", "inference_request_(success|failure)"),
    Metric("inferences", "counter", "inference_count"),
    Metric("compute_seconds", "counter", "inference_compute_infer_duration_us", per=1e6),
    Metric("request_seconds", "counter", "inference_request_duration_us", per=1e6),
    Metric("waiting_requests", "gauge", "inference_pending_request_count"),
)
STARTED = Metric("started", "started", "process_start_time_seconds")

TABLE: Mapping[Engine, tuple[str, tuple[Metric, ...]]] = MappingProxyType(
    {
        "vllm": ("vllm[:_]", _VLLM),
        "ray_serve": ("ray_vllm[:_]", _VLLM),
        "sglang": ("sglang[:_]", _SGLANG),
        "tgi": ("tgi_", _TGI),
        "triton": ("nv_", _TRITON),
        "nim": ("", _VLLM),
    }
)
"""Of each engine: how its names begin, and its metrics."""

TOKENS = ("prompt_tokens", "cached_tokens", "generated_tokens")
COUNTED_BESIDE = (
    *("prefix_cache_queried_tokens", "prefix_cache_hit_tokens", "preempted_requests"),
    *("batch_prefill_seconds", "batch_decode_seconds", "inferences", "compute_seconds", "request_seconds"),
)
"""Counters that have no column: they are kept in x_extra."""

_PATTERNS: list[tuple[re.Pattern[str], Engine, Metric]] = [
    (re.compile(prefix + metric.name), engine, metric)
    for engine, (prefix, metrics) in TABLE.items()
    for metric in metrics
]


class Named(NamedTuple):
    """What a metric's name says: the engine (None for what any process tells), and what it may count."""

    engine: Engine | None
    metrics: tuple[Metric, ...]


@lru_cache(4096)
def named(name: str) -> Named | None:
    """What the name says; None for a metric of something else."""
    if name == STARTED.name:
        return Named(None, (STARTED,))
    found: list[tuple[Engine, Metric]] = [
        (engine, metric) for pattern, engine, metric in _PATTERNS if pattern.fullmatch(name)
    ]
    return Named(found[0][0], tuple(metric for _, metric in found)) if found else None


def name_patterns(engines: tuple[Engine, ...]) -> list[str]:
    """Regular expressions of the metrics' names, for a server's query."""
    patterns = list[str]()
    for engine in engines:
        prefix, metrics = TABLE[engine]
        patterns.append(f"{prefix}({'|'.join(dict.fromkeys(metric.name for metric in metrics))})")
    return patterns
