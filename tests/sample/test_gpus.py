import gzip
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

from sample.company import RESEARCH, SERVING
from sample.gpu_states import Held, state_seconds
from sample.gpus import Sample, gpu_samples, write_exposition
from tests.sample.scrapes import lines

RESEARCH_HOLDER = ("research", "notebook-2", "jupyter")


def exposition(directory: Path, cluster: str, day: date, hostname: str) -> list[tuple[str, dict[str, str], str, int]]:
    return lines(directory / "exports/dcgm" / cluster / str(day) / f"{hostname}.prom.gz")


def sample_at(step: int, activity: int, holder: tuple[str, str, str] | None = RESEARCH_HOLDER) -> Sample:
    return Sample(step, 0, holder, activity, 0, 0)


def hour_zero(samples: list[Sample]) -> Counter[Held]:
    day = date(2026, 10, 1)
    found = state_seconds({(RESEARCH, day): samples}, {})
    return found[RESEARCH, datetime(2026, 10, 1)]


def test_every_line_is_a_sample_with_a_timestamp_in_milliseconds_of_its_day(october):
    found = exposition(october.directory, "serving", date(2026, 10, 5), "serve-h100-01")
    assert len(found) == 6 * 8 * 288
    start = int((datetime(2026, 10, 5) - datetime(1970, 1, 1)) / timedelta(milliseconds=1))
    assert {stamp for *_, stamp in found} == {start + step * 300_000 for step in range(288)}
    assert {name for name, *_ in found} == {
        "DCGM_FI_DEV_GPU_UTIL",
        "DCGM_FI_PROF_SM_ACTIVE",
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
        "DCGM_FI_PROF_DRAM_ACTIVE",
        "DCGM_FI_DEV_FB_USED",
        "DCGM_FI_DEV_POWER_USAGE",
    }
    assert len({labels["UUID"] for _, labels, *_ in found}) == 8


def test_ratios_are_between_zero_and_one_and_utilisation_is_a_whole_percentage(october):
    for name, _, value, _ in exposition(october.directory, "serving", date(2026, 10, 5), "serve-h100-01"):
        if name.startswith("DCGM_FI_PROF"):
            assert 0 <= float(value) < 1
        if name == "DCGM_FI_DEV_GPU_UTIL":
            assert 0 <= int(value) <= 100


def test_only_held_gpus_carry_a_namespace(october):
    found = exposition(october.directory, "research", date(2026, 10, 20), "rsch-h100-01")
    holders = {(labels["gpu"], labels.get("namespace")) for _, labels, *_ in found}
    assert holders == {*((str(gpu), "research") for gpu in range(6)), ("6", None), ("7", None)}


def test_the_serving_node_has_a_gap_of_two_hours(october):
    found = exposition(october.directory, "serving", date(2026, 10, 14), "serve-h100-01")
    hours = {datetime.fromtimestamp(stamp / 1000).astimezone().utctimetuple().tm_hour for *_, stamp in found}
    assert hours == set(range(24)) - {3, 4}


def test_two_gpus_change_their_pod_and_rest_from_its_last_request_until_the_first_of_the_next(october):
    found = exposition(october.directory, "serving", date(2026, 10, 20), "serve-h100-01")
    for gpu in range(8):
        of_gpu = [(labels, value, stamp) for name, labels, value, stamp in found if labels["gpu"] == str(gpu)]
        pods = {labels["pod"]: stamp // 300_000 % 288 for labels, _, stamp in of_gpu}
        assert pods == ({"llm-house-3": 123, "llm-house-4": 287} if gpu >= 6 else {f"llm-house-{gpu // 2}": 287})
    active = {
        (labels["gpu"], stamp // 300_000 % 288): float(value)
        for name, labels, value, stamp in found
        if name.endswith("SM_ACTIVE")
    }
    for gpu in "67":
        assert all(active[gpu, step] < 0.05 for step in (108, 109, 110, *range(116, 127)))
        assert min(active[gpu, step] for step in (107, 111, 115, 128)) > 0.05


def test_the_serving_node_follows_the_day(october):
    found = exposition(october.directory, "serving", date(2026, 10, 6), "serve-h100-01")
    active = [(stamp // 3_600_000 % 24, float(value)) for name, _, value, stamp in found if name.endswith("SM_ACTIVE")]
    mean = {hour: sum(v for h, v in active if h == hour) / sum(h == hour for h, _ in active) for hour in (3, 9)}
    assert mean[9] > 2 * mean[3]


def test_the_seconds_of_the_truth_add_up_to_the_billed_gpu_hours(october):
    states = october.truth["gpu_state_seconds"]
    assert {cluster: sum(seconds.values()) for cluster, seconds in states.items()} == {
        "research": 8 * 744 * 3600,
        "serving": 8 * 744 * 3600,
    }
    assert states["serving"]["unknown"] == 8 * 7200
    # Maintenance; then, on two GPUs, a pod kept without work. A restart and the successor's loading take ten minutes to
    # the step with the first request: too short to be called idle.
    assert states["serving"]["allocated_idle"] == 8 * 86_400 + 2 * 2400
    # Nine nights of ten hours; a forgotten notebook on six GPUs for 22 days; a shell on one GPU for two days.
    assert states["research"]["effective"] == 8 * 9 * 10 * 3600
    assert states["research"]["allocated_idle"] == 6 * 22 * 86_400
    assert states["research"]["under_used"] == 2 * 86_400
    assert states["research"]["unallocated"] == (8 * 9 * 14 + 2 * 22 * 24 - 48) * 3600


def test_two_low_samples_are_a_lull_and_three_are_idleness():
    busy = [sample_at(step, 500_000) for step in range(12)]
    two = [*busy[:4], sample_at(4, 10_000), sample_at(5, 10_000), *busy[6:]]
    three = [*two[:6], sample_at(6, 10_000), *busy[7:]]
    missing = Held("", "unknown")
    assert hour_zero(two) == {Held("research", "under_used"): 3600, missing: 7 * 3600}
    assert hour_zero(three) == {
        Held("research", "under_used"): 2700,
        Held("research", "allocated_idle"): 900,
        missing: 7 * 3600,
    }


def test_a_gap_or_another_holder_ends_a_run_of_low_activity():
    other = ("scratch", "try-out-0", "shell")
    gap = [sample_at(step, 10_000) for step in (0, 1, 3, 4)]
    change = [sample_at(0, 10_000), sample_at(1, 10_000), sample_at(2, 10_000, other), sample_at(3, 10_000, other)]
    assert hour_zero(gap)[Held("research", "under_used")] == 1200
    assert hour_zero(change) == {
        Held("research", "under_used"): 600,
        Held("scratch", "under_used"): 600,
        Held("", "unknown"): 8 * 3600 - 1200,
    }


def test_a_gpu_without_holder_is_unallocated_however_busy_and_the_bounds_belong_to_the_upper_state():
    found = hour_zero([sample_at(0, 900_000, None), sample_at(1, 800_000), sample_at(2, 799_999), sample_at(3, 50_000)])
    assert found[Held("", "unallocated")] == 300
    assert found[Held("research", "effective")] == 300
    assert found[Held("research", "under_used")] == 600


def test_a_file_of_one_sample_reads_as_the_exporter_writes_it(tmp_path):
    write_exposition(tmp_path / "x.prom.gz", SERVING, date(2026, 10, 1), [sample_at(1, 123_456)])
    text = gzip.decompress((tmp_path / "x.prom.gz").read_bytes()).decode().splitlines()
    assert text[0] == "# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %)."
    assert text[1] == "# TYPE DCGM_FI_DEV_GPU_UTIL gauge"
    assert text[2].endswith('container="jupyter",namespace="research",pod="notebook-2"} 13 1790813100000')
    assert text[5].endswith(" 0.123456 1790813100000")


def test_samples_of_a_node_are_the_same_each_time_and_differ_by_seed():
    day = date(2026, 10, 3)
    assert gpu_samples(SERVING, day, 1) == gpu_samples(SERVING, day, 1)
    assert gpu_samples(SERVING, day, 1) != gpu_samples(SERVING, day, 2)
