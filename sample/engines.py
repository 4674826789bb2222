"""What the engines of the company's own model counted, as vLLM tells it: one file for each pod and day.

An engine's counters begin at zero with its process, and are scraped every five minutes. Answers take seconds: no scrape
met one that ran or waited.
"""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from operator import add
from pathlib import Path
from typing import NamedTuple

from sample.calls import COUNTED, MS_PER_TOKEN, Call
from sample.company import MONTH, SERVING
from sample.exposition import Metric, instants, label_text, milliseconds, write_lines
from sample.pods import NAMESPACE, Pod, Run
from sample.traffic import EPOCH

ENGINE_MODEL = "meta-llama/Llama-3.1-8B-Instruct"
"""What the engines call the model: the first of the names that they were started with, not the gateways'."""

CLOSED_AT = time(23, 59, 59)
_METRICS = {
    "prompt_tokens": Metric("vllm:prompt_tokens_total", "counter", "Number of prefill tokens processed."),
    "cached_tokens": Metric("vllm:prompt_tokens_cached_total", "counter", "Number of cached prompt tokens."),
    "generated_tokens": Metric("vllm:generation_tokens_total", "counter", "Number of generation tokens processed."),
    "finished_requests": Metric("vllm:request_success_total", "counter", "Count of successfully processed requests."),
    "prefill_ms": Metric(
        "vllm:request_prefill_time_seconds_sum", "counter", "Histogram of time spent in PREFILL phase for request."
    ),
    "decode_ms": Metric(
        "vllm:request_decode_time_seconds_sum", "counter", "Histogram of time spent in DECODE phase for request."
    ),
}
_RUNNING = Metric("vllm:num_requests_running", "gauge", "Number of requests in model execution batches.")
_WAITING = Metric("vllm:num_requests_waiting", "gauge", "Number of requests waiting to be processed.")
_STARTED = Metric("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.")


class Scrape(NamedTuple):
    """An engine's counters at one instant, in the order of `COUNTED`."""

    at: datetime
    run: Run
    counts: tuple[int, ...]


def write_engine(file: Path, pod: Pod, scrapes: Sequence[Scrape]) -> None:
    """Writes a pod's scrapes of one day."""
    where = {"instance": pod.address, "namespace": NAMESPACE, "node": SERVING.hostname, "pod": pod.name}
    engine = {"engine": "0", "model_name": ENGINE_MODEL}
    write_lines(file, _lines(where, engine, scrapes))


def _lines(where: Mapping[str, str], engine: Mapping[str, str], scrapes: Sequence[Scrape]) -> Iterator[str]:
    stamps = [milliseconds(scrape.at) for scrape in scrapes]
    for position, (name, metric) in enumerate(_METRICS.items()):
        reason = {"finished_reason": "stop"} if name == "finished_requests" else {}
        labels, is_time = label_text(**engine, **reason, **where), name.endswith("_ms")
        values = (scrape.counts[position] for scrape in scrapes)
        texts = (f"{value // 1000}.{value % 1000:03d}" if is_time else f"{value}.0" for value in values)
        yield from metric.lines(f"{labels} {text} {stamp}" for text, stamp in zip(texts, stamps, strict=True))
    labels = label_text(**engine, **where)
    for gauge in (_RUNNING, _WAITING):
        yield from gauge.lines(f"{labels} 0.0 {stamp}" for stamp in stamps)
    starts = (((scrape.run.started_at - EPOCH) // timedelta(seconds=1), milliseconds(scrape.at)) for scrape in scrapes)
    yield from _STARTED.lines(f"{label_text(**where)} {start}.0 {stamp}" for start, stamp in starts)


def scrapes_of(pod: Pod, calls: Sequence[Call], days: Iterable[date], seed: int) -> Iterator[tuple[date, list[Scrape]]]:
    """The scrapes of each day, and one more as its file is closed. Days on which nothing answers are left out."""
    counts, run, left = _counted_before(pod, seed), pod.runs[0], deque(calls)
    for day in days:
        found: list[Scrape] = []
        for at in [*instants(day), datetime.combine(day, CLOSED_AT)]:
            answering = pod.run_at(at)
            if answering is None:
                continue
            if answering is not run:
                counts, run = (0,) * len(COUNTED), answering
            while left and left[0].ended_at <= at:
                counts = tuple(map(add, counts, left.popleft().counts))
            found.append(Scrape(at, run, counts))
        if found:
            yield day, found


def _counted_before(pod: Pod, seed: int) -> tuple[int, ...]:
    """What an engine had counted before the month: three days' worth."""
    if pod.runs[0].started_at.date() >= MONTH:
        return (0,) * len(COUNTED)
    requests = random.Random(f"{seed}:before:{pod.name}").randrange(300, 500)  # noqa: S311  (a seeded story)
    return tuple(requests * each for each in (2_100, 400, 170, 1, 500, 170 * MS_PER_TOKEN))
