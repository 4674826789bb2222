"""A real Prometheus server that scrapes an exporter in every way that people configure, and is federated."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.base import Window
from connectors.dcgm import SOURCE, DcgmSettings
from connectors.windows import day_window
from tests.connectors.conformance import land
from tests.connectors.dcgm.written import HELD, SHARED, labels, line, page, settings
from tests.connectors.faulty_server import Answer, FaultyServer
from tests.connectors.prometheus_server import prometheus_server

ENERGY = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
CAPTURED = SHARED / "contracts/examples_gateway/prometheus_real/federate.txt"
OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
EXPORTER = "{namespace: gpu-operator, pod: nvidia-dcgm-exporter-abcde, container: nvidia-dcgm-exporter}"


def exporter() -> bytes:
    """Two GPUs, the first held."""
    gpus = [labels(0, **HELD), labels(1)]
    return page(
        *(line("DCGM_FI_DEV_GPU_UTIL", gpu, 40) for gpu in gpus),
        *(line(ENERGY, gpu, 27_611_585_559) for gpu in gpus),
        line("DCGM_FI_DEV_SM_CLOCK", gpus[0], 1980),
    )


def translated() -> bytes:
    """The same as a collector gives it out again: OpenMetrics, the counter renamed, an example, the end marked."""
    held = line("", labels(0, **HELD), "27611585559")
    example = ' # {trace_id="KOO5S4vxi0o"} 7 1790848800.5'
    return page(
        "# TYPE DCGM_FI_DEV_GPU_UTIL gauge",
        line("DCGM_FI_DEV_GPU_UTIL", labels(0, **HELD), 40),
        f"# TYPE {ENERGY} counter",
        f"{ENERGY}_total{held}{example}",
        f"{ENERGY}_created{line('', labels(0, **HELD), '1790800000.0')}",
        "# EOF",
    )


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that has scraped each target at least once."""
    with FaultyServer() as targets:
        targets.route("/metrics", Answer(exporter(), headers={"Content-Type": "text/plain; version=0.0.4"}))
        targets.route("/translated", Answer(translated(), headers=OPENMETRICS))
        at = targets.url.removeprefix("http://")
        job = "static_configs: [{targets: ['" + at + "'], labels: " + EXPORTER + "}]"
        config = (
            "global: {scrape_interval: 1s, external_labels: {cluster: from-the-server}}\n"
            "scrape_configs:\n"
            f"  - {{job_name: exported, {job}}}\n"
            f"  - {{job_name: honoured, honor_labels: true, {job}}}\n"
            f"  - {{job_name: translated, honor_labels: true, metrics_path: /translated, {job}}}\n"
        )
        with prometheus_server(tmp_path_factory.mktemp("prometheus"), config=config) as url:
            for name in ("exported", "honoured", "translated"):
                await_scrape(url, name)
            yield url


def await_scrape(url: str, job: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        asked = {"query": f'DCGM_FI_DEV_GPU_UTIL{{job="{job}"}}'}
        if httpx.get(f"{url}/api/v1/query", params=asked, trust_env=False).json()["data"]["result"]:
            return
        time.sleep(0.1)
    pytest.fail(f"the target {job} was not scraped in 20 s")


def federated(url: str, job: str) -> bytes:
    asked = {"match[]": f'{{job="{job}"}}'}
    return httpx.get(f"{url}/federate", params=asked, trust_env=False).content


def rows_of(content: bytes, day: datetime) -> list[dict[str, Any]]:
    (parsed,) = SOURCE.parse(settings(), day_window(day.date()), land([content]))
    assert (parsed.rejects, parsed.notices) == ((), ())
    return sorted(parsed.rows.to_pylist(), key=lambda row: row["gpu_index"])


@pytest.mark.parametrize("job", ["exported", "honoured"])
def test_a_federated_page_names_the_same_holders_whether_labels_are_honoured_or_exported(
    prometheus: str, job: str
) -> None:
    content = federated(prometheus, job)
    assert b"untyped" in content
    assert (b"exported_pod" in content) == (job == "exported")
    first, second = rows_of(content, scraped_at(content))
    assert (first["namespace"], first["pod"], first["container"]) == ("serving", "vllm-0", "vllm")
    assert (second["namespace"], second["pod"], second["container"]) == ("", "", "")
    assert (first["gpu_util_ratio"], first["energy_millijoules"]) == (0.4, 27_611_585_559)
    assert first["cluster"] == "prod-eu1", "the settings name the cluster, not the server's external labels"
    assert first["sampled_at"] == scraped_at(content)
    assert first["x_extra"] is None


def test_a_counter_that_a_collector_renamed_is_read_with_its_example_left_out(prometheus: str) -> None:
    content = federated(prometheus, "translated")
    assert f"{ENERGY}_total".encode() in content
    (row,) = rows_of(content, scraped_at(content))
    assert (row["energy_millijoules"], row["gpu_util_ratio"], row["pod"]) == (27_611_585_559, 0.4, "vllm-0")
    stamped = b"# scraped at 2026-10-01T10:15:00Z\n" + translated()
    (straight,) = rows_of(stamped, datetime(2026, 10, 1))
    assert (straight["energy_millijoules"], straight["sampled_at"]) == (27_611_585_559, datetime(2026, 10, 1, 10, 15))


@pytest.mark.parametrize("job", ["exported", "honoured", "translated"])
def test_the_servers_own_answers_name_the_same_holder(prometheus: str, job: str) -> None:
    given = settings(url=prometheus, step_seconds=5, chunk_hours=1, selector=f'job="{job}"')
    start = scraped_at(federated(prometheus, job)).replace(second=0, microsecond=0)
    rows = pulled(given, Window(start, start + timedelta(minutes=5)))
    held = {(row["pod"], row["energy_millijoules"]) for row in rows if row["gpu_index"] == 0}
    assert held == {("vllm-0", 27_611_585_559)}


def pulled(given: DcgmSettings, window: Window) -> list[dict[str, Any]]:
    """The window's rows, as soon as a step of the window lies behind the first scrape."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        pages = []
        for one in SOURCE.fetch(given, window):
            with one.body.open() as stream:
                pages.append(stream.read())
        (parsed,) = SOURCE.parse(given, window, land(pages))
        assert (parsed.rejects, parsed.notices) == ((), ())
        if parsed.rows.num_rows:
            return parsed.rows.to_pylist()
        time.sleep(0.1)
    pytest.fail("no step had a sample within 10 s")


def scraped_at(content: bytes) -> datetime:
    """The instant in the first line of a federated page, read by hand."""
    first = next(text for text in content.decode().splitlines() if text.startswith("DCGM_FI_DEV_GPU_UTIL"))
    seconds, thousandths = divmod(int(first.rsplit(" ", 1)[1]), 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, microsecond=thousandths * 1000)


@pytest.mark.skipif(not CAPTURED.is_file(), reason="the captured answers (../shared/contracts) are not here")
def test_the_captured_federated_page_parses_whole() -> None:
    content = CAPTURED.read_bytes()
    (parsed,) = SOURCE.parse(settings(), day_window(scraped_at(content).date()), land([content]))
    assert parsed.rejects == ()
    holders = {(row["gpu_index"], row["pod"]) for row in parsed.rows.to_pylist()}
    assert holders >= {(0, "vllm-llama8b-6c9d"), (1, "vllm-llama8b-6c9e"), (2, "")}
    assert not any("exporter" in pod for _, pod in holders)
