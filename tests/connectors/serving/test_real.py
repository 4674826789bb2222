"""A real Prometheus server that holds an afternoon of two engines: a restart, a gap, a counter made late.

vllm-0 is scraped every 30 s from 13:00 to 15:00. It counts 2 tokens of prompts and 1 generated token a second. It restarts
at 14:00:15 and has counted nothing before 14:00:15 again, so that the sample of 14:00:30 reads 30. No scrape came
between 14:20:00 and 14:50:00. From 13:30:15 on requests are aborted, one a minute.
tgi-0 is scraped from 13:00 to 13:10, counts 5 tokens of prompts a second, and does not say when it started.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError
from connectors.serving import SOURCE
from tests.connectors.conformance import land
from tests.connectors.prometheus_server import prometheus_server
from tests.connectors.serving.written import VLLM, WINDOW, answer, epoch, instant, line, settings

TGI = {"namespace": "chat", "pod": "tgi-0", "instance": "10.0.0.9:80", "job": "tgi"}
STARTED, RESTARTED = epoch("12:59:30"), epoch("14:00:15")


def openmetrics() -> str:
    vllm = {**VLLM, "job": "vllm"}
    times = [s for s in range(epoch("13:00"), epoch("15:00") + 1, 30) if not epoch("14:20") < s < epoch("14:50")]
    runs = [(s, RESTARTED if s >= RESTARTED else STARTED) for s in times]
    late = [(s, started) for s, started in runs if s >= epoch("13:30:30")]
    short = range(epoch("13:00"), epoch("13:10") + 1, 30)
    lines = [
        "# TYPE vllm:prompt_tokens counter",
        *(f"{line('vllm:prompt_tokens_total', vllm, 2 * (s - started))} {s}" for s, started in runs),
        "# TYPE vllm:generation_tokens counter",
        *(f"{line('vllm:generation_tokens_total', vllm, s - started)} {s}" for s, started in runs),
        "# TYPE vllm:request_success counter",
        *(
            f"{line('vllm:request_success_total', {**vllm, 'finished_reason': 'abort'}, aborted(s))} {s}"
            for s, _ in late
        ),
        "# TYPE vllm:num_requests_running gauge",
        *(f"{line('vllm:num_requests_running', vllm, 3 if s < epoch('13:05') else 1)} {s}" for s, _ in runs),
        "# TYPE process_start_time_seconds gauge",
        *(f"{line('process_start_time_seconds', process(vllm), started)} {s}" for s, started in runs),
        *(f"{line('process_start_time_seconds', {'instance': 'somebody:1'}, 5)} {s}" for s, _ in runs),
        "# TYPE tgi_request_input_length_sum gauge",
        *(f"{line('tgi_request_input_length_sum', TGI, 5 * (s - epoch('12:00')))} {s}" for s in short),
        "# TYPE node_load1 gauge",
        *(f"node_load1 1 {s}" for s in times),
    ]
    return "\n".join([*lines, "# EOF", ""])


def aborted(second: int) -> int:
    """One a minute since 13:30:15; since the restart from zero."""
    since = epoch("13:30:15") if second < RESTARTED else RESTARTED
    return (second - since) // 60 + (second < RESTARTED)


def process(labels: dict[str, str]) -> dict[str, str]:
    return {name: found for name, found in labels.items() if name not in ("model_name", "engine")}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_server(tmp_path_factory.mktemp("prometheus"), openmetrics=openmetrics()) as address:
        yield address


def pulled(prometheus: str, **over: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows of each pod, oldest first."""
    given = settings(url=prometheus, **{"step_seconds": 30, "interval_seconds": 3600, **over})
    pages = []
    for page in SOURCE.fetch(given, WINDOW):
        with page.body.open() as stream:
            pages.append(stream.read())
    (parsed,) = SOURCE.parse(given, WINDOW, land(list(dict.fromkeys(pages))))
    assert parsed.rejects == ()
    found = dict[str, list[dict[str, Any]]]()
    for row in parsed.rows.to_pylist():
        found.setdefault(row["pod"], []).append(row)
    return found


def test_hours_of_an_engine_are_those_computed_by_hand(prometheus: str) -> None:
    before, first, second, after = pulled(prometheus)["vllm-0"]
    # 12:59:30 to 14:00: all but the first half minute, which lies in the hour before
    assert (first["interval_start"], first["prompt_tokens"], first["generated_tokens"]) == (
        instant("13:00"),
        7200,
        3600,
    )
    # 14:00:15 to 15:00: the fifteen seconds before the restart are lost, the gap's tokens are not
    assert (second["interval_start"], second["prompt_tokens"], second["generated_tokens"]) == (
        instant("14:00"),
        7170,
        3585,
    )
    assert (first["aborted_requests"], second["aborted_requests"]) == (30, 59)
    assert (first["reset_count"], second["reset_count"]) == (0, 1)
    assert (before["interval_start"], before["prompt_tokens"]) == (instant("12:00"), 60)
    # the reading of 15:00 is asked for twice: 30 s of it, or 60 s where a server counts both ends of a range
    assert after["prompt_tokens"] == 0
    assert after["covered_seconds"] in (30, 60)


def test_the_half_minute_before_the_first_sample_is_the_hour_befores(prometheus: str) -> None:
    every = pulled(prometheus, interval_seconds=300)["vllm-0"]
    assert (every[0]["interval_start"], every[0]["prompt_tokens"]) == (instant("12:55"), 60)


@pytest.mark.parametrize(("step", "interval"), [(15, 300), (30, 300), (30, 60), (60, 900), (300, 3600)])
def test_the_days_tokens_are_the_same_at_every_length_of_intervals(prometheus: str, step: int, interval: int) -> None:
    every = pulled(prometheus, step_seconds=step, interval_seconds=interval)["vllm-0"]
    assert sum(row["prompt_tokens"] for row in every) == 60 + 7200 + 7170
    assert sum(row["reset_count"] for row in every) == 1


def test_a_gap_is_not_covered_and_the_engines_start_is_told(prometheus: str) -> None:
    _, first, second, _ = pulled(prometheus)["vllm-0"]
    assert first["covered_seconds"] == 3600
    assert second["covered_seconds"] in (3600 - 1800 + 30, 3600 - 1800 + 60)  # that of 14:20 likewise
    assert first["engine_started_at"] == instant("12:59:30")
    assert second["engine_started_at"] == instant("14:00:15")
    assert first["running_requests_max"] == 3.0


def test_an_engine_that_does_not_say_when_it_started_counts_from_its_first_sample(prometheus: str) -> None:
    (row,) = pulled(prometheus, models={"chat/": "mistral-7b"})["tgi-0"]
    assert (row["prompt_tokens"], row["model_name"], row["namespace"]) == (3000, "mistral-7b", "chat")
    assert row["engine_started_at"] is None


def test_only_processes_of_engines_are_asked_for_their_start(prometheus: str) -> None:
    pages = b"".join(page.body.open().__enter__().read() for page in SOURCE.fetch(settings(url=prometheus), WINDOW))
    assert b"somebody:1" not in pages
    assert b"node_load1" not in pages
    assert b"process_start_time_seconds" in pages


def test_the_probe_names_the_metrics_that_the_server_holds(prometheus: str) -> None:
    said = SOURCE.probe(settings(url=prometheus))
    assert said.startswith(f"{prometheus} holds 5 metrics of a serving engine: ")
    assert "vllm:prompt_tokens_total" in said


def test_a_partial_answer_fails() -> None:
    pages = land([answer(warnings=["a store is missing"])])
    with pytest.raises(IncompleteDeliveryError, match="partial"):
        list(SOURCE.parse(settings(url="http://p"), WINDOW, pages))
