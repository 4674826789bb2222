"""Scrapes of real GPUs, captured answers, and a real Prometheus server."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import pytest

from connectors.base import SourceError, Window
from connectors.dcgm import SOURCE
from connectors.prometheus.settings import MOST_POINTS
from tests.connectors.conformance import land
from tests.connectors.dcgm.written import HELD, SHARED, epoch, labels, settings
from tests.connectors.prometheus_server import prometheus_server

SCRAPES = SHARED / "data/dcgm_scrapes"
CAPTURED = SHARED / "contracts/examples_gateway/prometheus_real"
STAMP = b"# scraped at 2026-10-01T10:15:00Z\n"
WINDOW = Window(datetime(2026, 10, 1), datetime(2026, 10, 2))

needs_scrapes = pytest.mark.skipif(not SCRAPES.is_dir(), reason="the published scrapes (../shared/data) are not here")
needs_captures = pytest.mark.skipif(
    not CAPTURED.is_dir(), reason="the captured answers (../shared/contracts) are not here"
)


@needs_scrapes
@pytest.mark.parametrize(
    ("name", "expected"),
    [  # read off the files by hand
        ("kops", ("NVIDIA L4", "i-030791dc5a37cd257", 22563.0, 16.365, 4742776, 0.0)),
        ("rafay", ("Tesla T4", "ip-10-200-3-41", 14912.0, 14.512, 48287135, 1e-06)),
        ("upcloud", ("NVIDIA L40S", "gpu1-wl8sg", 45459.0, 35.686, 5551899580, 0.000131)),
    ],
)
def test_a_real_scrape_is_one_sample_of_its_idle_gpu(name: str, expected: tuple[object, ...]) -> None:
    (file,) = SCRAPES.glob(f"*{name}*.prom")
    (parsed,) = SOURCE.parse(settings(), WINDOW, land([STAMP + file.read_bytes()]))
    (row,) = parsed.rows.to_pylist()
    columns = [
        "gpu_model_name",
        "hostname",
        "memory_free_mib",
        "power_watts",
        "energy_millijoules",
        "dram_active_ratio",
    ]
    assert tuple(row[column] for column in columns) == expected
    assert (row["gpu_util_ratio"], row["memory_used_mib"], row["gr_engine_active_ratio"]) == (0.0, 0.0, 0.0)
    assert (row["sm_active_ratio"], row["xid_code"], row["x_extra"], row["pod"]) == (None, None, None, "")
    assert (parsed.rejects, parsed.notices) == ((), ())


@needs_captures
def test_the_same_exporter_scraped_with_and_without_honor_labels_names_the_same_holders() -> None:
    holders = []
    for name, metric in (
        ("query_range_gpu_util_honor_false", "gpu_util_ratio"),
        ("query_range_gr_engine_active_honor_true", "gr_engine_active_ratio"),
    ):
        captured = Window(datetime(2026, 11, 21), datetime(2026, 11, 22))
        (parsed,) = SOURCE.parse(settings(url="http://p"), captured, land([(CAPTURED / f"{name}.json").read_bytes()]))
        assert parsed.rejects == ()
        rows = parsed.rows.to_pylist()
        assert all(row[metric] is not None for row in rows)
        holders.append(
            {(r["gpu_index"], r["pod"], r["container"]) for r in rows if not r["gpu_instance_id"]} - {(3, "", "")}
        )
    assert holders[0] == {(0, "vllm-llama8b-6c9d", "vllm"), (1, "vllm-llama8b-6c9e", "vllm"), (2, "", "")}
    assert holders[1] == holders[0]


def openmetrics() -> str:
    """Ten minutes of one held GPU every 15 s, and a gap until 11:00; energy as a counter; a foreign metric.

    SMs work in one reading of each minute, which is never the last; a blank lies in the second minute and in the third.
    """
    held = ",".join(
        f'{name}="{value}"' for name, value in {**labels(0), **{f"exported_{k}": v for k, v in HELD.items()}}.items()
    )
    own = f'{{{held},pod="nvidia-dcgm-exporter-abc",namespace="gpu-operator",container="exporter",job="dcgm-exporter"}}'
    seconds = [*range(0, 600, 15), 3600]
    lines = []
    for metric, value in (
        (
            "DCGM_FI_PROF_SM_ACTIVE",
            lambda s: {105: 9223372036854775794, 165: 2147483632}.get(s, 1 if s % 60 == 30 else 0),
        ),
        ("DCGM_FI_DEV_GPU_UTIL", lambda s: min(s // 15, 100)),
        ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", lambda s: 27_611_585_559 + s * 700_000),
        ("node_load1", lambda s: 1),
    ):
        lines.append(f"# TYPE {metric} gauge")
        lines += [f"{metric}{own} {value(s)} {epoch('10:00') + s}" for s in seconds]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that holds `openmetrics()`."""
    with prometheus_server(tmp_path_factory.mktemp("prometheus"), openmetrics=openmetrics()) as url:
        yield url


def pulled(prometheus: str, **over: object) -> list[dict[str, object]]:
    given = settings(url=prometheus, **over)
    pages = []
    for page in SOURCE.fetch(given, WINDOW):
        with page.body.open() as stream:
            pages.append(stream.read())
    (parsed,) = SOURCE.parse(given, WINDOW, land(pages))
    assert (parsed.rejects, parsed.notices, parsed.duplicate_count) == ((), (), 0)
    return sorted(parsed.rows.to_pylist(), key=lambda row: row["sampled_at"])


def test_a_real_server_gives_the_readings_of_each_step(prometheus: str) -> None:
    first_ten = pulled(prometheus)[:10]
    ten = datetime(2026, 10, 1, 10)
    assert [row["sampled_at"] for row in first_ten] == [ten + timedelta(minutes=n) for n in range(10)]
    # the mean of four readings of a minute: of 1, 2, 3 and 4 % to begin with; a counter as it stands at the minute's end
    means = [0.0, 0.025, 0.065, 0.105, 0.145, 0.185, 0.225, 0.265, 0.305, 0.345]
    assert [row["gpu_util_ratio"] for row in first_ten] == pytest.approx(means)
    assert [row["energy_millijoules"] for row in first_ten] == [27_611_585_559 + n * 42_000_000 for n in range(10)]
    assert {(row["namespace"], row["pod"], row["hostname"]) for row in first_ten} == {("serving", "vllm-0", "node-1")}


def test_work_between_two_steps_is_seen_and_no_blank_is_averaged_in(prometheus: str) -> None:
    """Read at each minute's end, the GPU would seem to rest all the time."""
    ratios = [row["sm_active_ratio"] for row in pulled(prometheus)[:7]]
    # one of four readings, but for the two minutes with a blank: these have their last one
    assert ratios == [0.0, 0.25, 0.0, 0.0, 0.25, 0.25, 0.25]


def test_a_gap_is_missing_rows_and_never_zeros(prometheus: str) -> None:
    instants = [row["sampled_at"] for row in pulled(prometheus)]
    # the last reading, of 10:09:45, is carried for up to five minutes, and that of 11:00 likewise
    assert instants[10:15] == [datetime(2026, 10, 1, 10, minute) for minute in range(10, 15)]
    assert instants[15] == datetime(2026, 10, 1, 11)
    assert all(instant < datetime(2026, 10, 1, 11, 6) for instant in instants)


def test_a_real_server_answers_the_densest_settings_that_are_allowed(prometheus: str) -> None:
    dense = pulled(prometheus, step_seconds=5, chunk_hours=12)
    assert [row["sampled_at"].second for row in dense[:4]] == [0, 5, 10, 15]  # type: ignore[union-attr]
    assert [row["gpu_util_ratio"] for row in dense[:4]] == [0.0, 0.0, 0.0, 0.01]


def test_the_probe_names_the_metrics_that_the_server_holds(prometheus: str) -> None:
    said = SOURCE.probe(settings(url=prometheus))
    names = "DCGM_FI_DEV_GPU_UTIL, DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION, DCGM_FI_PROF_SM_ACTIVE"
    assert said == f"{prometheus} holds 3 metrics of dcgm-exporter: {names}"


@pytest.mark.parametrize(("points", "status"), [(11_001, 200), (11_002, 400)])
def test_a_real_server_refuses_more_points_than_the_settings_allow(prometheus: str, points: int, status: int) -> None:
    start = epoch("00:00")
    asked = {"query": "up", "start": start, "end": start + (points - 1) * 5, "step": 5}
    answered = httpx.get(f"{prometheus}/api/v1/query_range", params=asked, trust_env=False)
    assert answered.status_code == status
    assert MOST_POINTS < 11_001, "the settings stay below the server's limit"


def test_what_a_real_server_says_of_a_query_that_it_cannot_read_is_told(prometheus: str) -> None:
    with pytest.raises(SourceError, match="400"):
        pulled(prometheus, selector="cluster=prod")
