"""What several lines about one GPU mean together, and what is no reading."""

from datetime import datetime

import pytest

from tests.connectors.dcgm.written import HELD, answer, labels, line, page, parse, rows, series

UTIL, SM, POWER, ENERGY = (
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_PROF_SM_ACTIVE",
    "DCGM_FI_DEV_POWER_USAGE",
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
)


def test_a_percentage_becomes_a_ratio_and_everything_else_stays_as_it_is() -> None:
    (row,) = rows(
        page(
            "# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).",
            line(UTIL, labels(3, **HELD), 29, "10:00"),
            line(SM, labels(3, **HELD), "0.561600", "10:00"),
            line("DCGM_FI_PROF_GR_ENGINE_ACTIVE", labels(3, **HELD), 1, "10:00"),
            line("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", labels(3, **HELD), "1e-06", "10:00"),
            line("DCGM_FI_PROF_DRAM_ACTIVE", labels(3, **HELD), 0.39, "10:00"),
            line("DCGM_FI_DEV_FB_USED", labels(3, **HELD), 74000, "10:00"),
            line("DCGM_FI_DEV_FB_FREE", labels(3, **HELD), 7297, "10:00"),
            line(POWER, labels(3, **HELD), 319.214397, "10:00"),
            line(ENERGY, labels(3, **HELD), 27611585559, "10:00"),
            line("DCGM_FI_DEV_XID_ERRORS", labels(3, **HELD), 79, "10:00"),
            line("DCGM_FI_DEV_ENC_UTIL", labels(3, **HELD), 12, "10:00"),
            line("DCGM_FI_DEV_DEC_UTIL", labels(3, **HELD), 100, "10:00"),
        )
    )
    expected = {
        "sampled_at": datetime(2026, 10, 1, 10),
        "sample_date": datetime(2026, 10, 1).date(),
        "cluster": "prod-eu1",
        "hostname": "node-1",
        "gpu_uuid": "GPU-0001-0003",
        "gpu_index": 3,
        "gpu_instance_id": "",
        "mig_profile": None,
        "gpu_model_name": "NVIDIA H100 80GB HBM3",
        "namespace": "serving",
        "pod": "vllm-0",
        "container": "vllm",
        "sm_active_ratio": 0.5616,
        "gr_engine_active_ratio": 1.0,
        "tensor_active_ratio": 1e-06,
        "dram_active_ratio": 0.39,
        "gpu_util_ratio": 0.29,
        "encoder_active_ratio": 0.12,
        "decoder_active_ratio": 1.0,
        "instance_id": None,
        "holder_sm_ratio": None,
        "memory_used_mib": 74000.0,
        "memory_free_mib": 7297.0,
        "power_watts": 319.214397,
        "energy_millijoules": 27611585559,
        "xid_code": 79,
        "x_extra": None,
        "x_source": "gpu-prod",
        "x_slice_date": datetime(2026, 10, 1).date(),
        "x_row": 2,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("index", ["", "N/A", "99999999999", "²"])
def test_a_gpu_index_that_is_none_is_unknown(index: str) -> None:
    assert rows(page(line(UTIL, {**labels(0), "gpu": index}, 1, "10:00")))[0]["gpu_index"] is None


def test_a_missing_metric_is_null_and_not_zero() -> None:
    (row,) = rows(page(line(UTIL, labels(0), 0, "10:00")))
    assert row["gpu_util_ratio"] == 0.0
    unsaid = ("sm_active_ratio", "memory_used_mib", "power_watts", "energy_millijoules", "xid_code")
    assert [row[name] for name in unsaid] == [None] * 5


@pytest.mark.parametrize("metric", [UTIL, SM, POWER, ENERGY, "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_XID_ERRORS"])
@pytest.mark.parametrize(
    "blank",
    ["NaN", "9223372036854775794", "9223372036854775792", "9.223372036854776e+18", "9223372036854775795"],
)
def test_dcgms_word_for_nothing_is_null_without_a_reject(metric: str, blank: str) -> None:
    (row,) = rows(page(line(metric, labels(0), blank, "10:00")))
    assert all(
        value is None for name, value in row.items() if name.endswith(("ratio", "mib", "watts", "joules", "code"))
    )


@pytest.mark.parametrize("blank", ["2147483632", "2147483635", "140737488355328", "140737488355331.0"])
def test_the_smaller_blanks_are_null_where_no_gpu_can_read_so_much(blank: str) -> None:
    (row,) = rows(page(line(POWER, labels(0), blank, "10:00"), line(UTIL, labels(0), blank, "10:00")))
    assert (row["power_watts"], row["gpu_util_ratio"]) == (None, None)


def test_energy_that_happens_to_look_like_a_smaller_blank_is_a_reading() -> None:
    (row,) = rows(page(line(ENERGY, labels(0), 2147483632, "10:00")))
    assert row["energy_millijoules"] == 2147483632  # 0.6 kWh: an hour of one GPU


@pytest.mark.parametrize(
    ("metric", "value"), [(UTIL, "127"), (UTIL, "-1"), (SM, "1.2"), (SM, "+Inf"), (POWER, "-0.5"), (POWER, "1e400")]
)
def test_an_impossible_value_is_refused_and_the_sample_kept_without_it(metric: str, value: str) -> None:
    parsed = parse(page(line(metric, labels(0), value, "10:00"), line("DCGM_FI_DEV_FB_USED", labels(0), 5, "10:00")))
    (row,) = parsed.rows.to_pylist()
    assert (row["gpu_util_ratio"], row["sm_active_ratio"], row["power_watts"]) == (None, None, None)
    assert row["memory_used_mib"] == 5.0
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row) == ("out_of_range", 1)
    assert reject.payload == line(metric, labels(0), value, "10:00")
    assert reject.detail.startswith(f"{metric} of GPU-0001-0000 is {float(value):g}, which is no reading")
    assert reject.column_name in {"gpu_util_ratio", "sm_active_ratio", "power_watts"}


def test_mig_instances_share_the_uuid_of_their_gpu_and_are_samples_of_their_own() -> None:
    one = labels(3, GPU_I_PROFILE="1g.10gb", GPU_I_ID="7", namespace="research", pod="nb", container="c")
    two = labels(3, GPU_I_PROFILE="3g.40gb", GPU_I_ID="2", namespace="research", pod="train", container="c")
    found = rows(page(line(POWER, labels(3), 160.5, "10:00"), line(SM, one, 0.1, "10:00"), line(SM, two, 0.6, "10:00")))
    seen = [(r["gpu_instance_id"], r["mig_profile"], r["pod"], r["sm_active_ratio"], r["power_watts"]) for r in found]
    assert seen == [
        ("", None, "", None, 160.5),
        ("7", "1g.10gb", "nb", 0.1, None),
        ("2", "3g.40gb", "train", 0.6, None),
    ]
    assert {r["gpu_uuid"] for r in found} == {"GPU-0001-0003"}


def test_a_mig_profile_or_node_that_changes_within_the_day_is_of_its_instant() -> None:
    found = rows(
        page(
            line(SM, labels(0, GPU_I_PROFILE="1g.10gb", GPU_I_ID="1"), 0.1, "08:00"),
            line(SM, {**labels(0, GPU_I_PROFILE="2g.20gb", GPU_I_ID="1"), "Hostname": "node-9"}, 0.2, "20:00"),
        )
    )
    assert [(r["mig_profile"], r["hostname"]) for r in found] == [("1g.10gb", "node-1"), ("2g.20gb", "node-9")]


def test_the_devices_own_row_beside_its_holders_is_folded_into_them() -> None:
    a, b = ({"container": "c", "namespace": "ns", "pod": pod, "vgpu": pod} for pod in "ab")
    parsed = parse(
        page(
            line(UTIL, labels(0), 74, "10:00"),
            line(UTIL, labels(0, **a), 51, "10:00"),
            line(UTIL, labels(0, **b), 23, "10:00"),
            line(POWER, labels(0), 200, "10:00"),
            line(UTIL, labels(0), 0, "10:05"),
        )
    )
    seen = [(r["pod"], r["gpu_util_ratio"], r["power_watts"]) for r in parsed.rows.to_pylist()]
    assert seen == [("a", 0.51, 200.0), ("b", 0.23, 200.0), ("", 0.0, None)]  # at 10:05 nobody holds it
    assert parsed.duplicate_count == 1


def test_the_same_reading_twice_is_one_reading() -> None:
    parsed = parse(page(*(line(UTIL, labels(0, err_code=code), 60, "10:00") for code in ("0", "79"))))
    assert [r["gpu_util_ratio"] for r in parsed.rows.to_pylist()] == [0.6]
    assert parsed.notices == ()


def test_a_gpu_of_a_batch_job_is_held_by_the_job_in_a_namespace_of_its_own() -> None:
    jobs = page(*(line(UTIL, labels(0, hpc_job=job), 60, "10:00") for job in ("11", "12")))
    assert [(r["namespace"], r["pod"]) for r in rows(jobs)] == [("hpc-jobs", "11"), ("hpc-jobs", "12")]
    assert {r["namespace"] for r in rows(jobs, job_namespace="slurm")} == {"slurm"}
    in_pod = page(line(UTIL, labels(0, hpc_job="11", **HELD), 60, "10:00"))
    assert [(r["namespace"], r["pod"]) for r in rows(in_pod)] == [("serving", "vllm-0")]


def test_of_contradicting_readings_the_highest_is_kept_and_told() -> None:
    parsed = parse(page(*(line(UTIL, labels(0), value, "10:00") for value in (60, 80, 70))))
    assert [r["gpu_util_ratio"] for r in parsed.rows.to_pylist()] == [0.8]
    assert parsed.notices == (
        "2 readings were repeated with another value for the same GPU, holder and instant; the highest was kept",
    )


def test_a_sample_in_two_files_is_taken_once_and_counted() -> None:
    first = page(line(UTIL, labels(0), 10, "10:00"), line(UTIL, labels(0), 20, "10:05"))
    again = page(line(UTIL, labels(0), 20, "10:05"), line(UTIL, labels(0), 30, "10:10"))
    parsed = parse(first, again)
    assert sorted(r["gpu_util_ratio"] for r in parsed.rows.to_pylist()) == [0.1, 0.2, 0.3]
    assert parsed.duplicate_count == 1


def test_the_exported_labels_name_the_holder_and_the_exporters_own_pod_does_not() -> None:
    scraped = {"container": "exporter", "namespace": "gpu-operator", "pod": "nvidia-dcgm-exporter-abcde"}
    exported = {f"exported_{name}": value for name, value in HELD.items()}
    found = rows(
        page(line(UTIL, labels(0, **scraped, **exported), 89, "10:00"), line(UTIL, labels(1, **scraped), 0, "10:00"))
    )
    assert [(r["namespace"], r["pod"], r["container"]) for r in found] == [("serving", "vllm-0", "vllm"), ("", "", "")]


def test_the_names_of_older_and_newer_exporters_are_understood() -> None:
    old = {"gpu": "0", "uuid": "GPU-old", "pod_name": "p", "pod_namespace": "n", "container_name": "c"}
    new = {**labels(1), "hostname": "node-7"}
    del new["Hostname"]
    found = rows(page(line("dcgm_gpu_utilization", old, 50, "10:00"), line(ENERGY + "_total", new, 7, "10:00")))
    assert tuple(found[0][name] for name in ("gpu_uuid", "pod", "namespace", "container")) == ("GPU-old", "p", "n", "c")
    assert (found[1]["hostname"], found[1]["energy_millijoules"]) == ("node-7", 7)


def test_a_hostname_that_is_the_exporters_pod_gives_way_to_the_node() -> None:
    named = {**labels(0), "Hostname": "nvidia-dcgm-exporter-x7", "node": "ip-10-0-0-1"}
    assert rows(page(line(UTIL, named, 1, "10:00")))[0]["hostname"] == "ip-10-0-0-1"


def test_a_sample_outside_of_the_day_is_refused_once_whatever_the_number_of_its_readings() -> None:
    parsed = parse(page(*(line(metric, labels(0), 1, f"{at}:00") for metric in (UTIL, SM) for at in ("00", "23"))))
    assert parsed.rows.num_rows == 2
    late = page(*(line(metric, labels(0), 1) + " 1790899200000" for metric in (UTIL, SM)))  # 2026-10-02T00:00:00Z
    parsed = parse(late)
    assert parsed.rows.num_rows == 0
    (reject,) = parsed.rejects
    assert reject.reason == "outside_window"
    assert "2026-10-02T00:00:00Z" in reject.detail


def test_a_new_metric_is_kept_as_it_came_and_a_known_one_without_a_column_is_read_over() -> None:
    parsed = parse(
        page(
            line(UTIL, labels(0), 1, "10:00"),
            line("DCGM_FI_DEV_QUANTUM_FLUX", labels(0), "1.50", "10:00"),
            line("DCGM_FI_DEV_SM_CLOCK", labels(0), 1980, "10:00"),
            "go_goroutines 12",
            'up{job="dcgm"} 1',
        )
    )
    assert parsed.rows["x_extra"].to_pylist() == ['{"DCGM_FI_DEV_QUANTUM_FLUX":"1.50"}']
    assert parsed.notices == ("metrics that are new, kept in x_extra: DCGM_FI_DEV_QUANTUM_FLUX",)
    assert parsed.rejects == ()


def test_both_ways_in_give_the_same_samples() -> None:
    by_file = rows(page(line(UTIL, labels(0, **HELD), 50, "10:00"), line(SM, labels(0, **HELD), 0.25, "10:00")))
    by_server = rows(
        answer(series(UTIL, labels(0, **HELD), [("10:00", 50)]), series(SM, labels(0, **HELD), [("10:00", 0.25)])),
        url="http://prometheus",
    )
    assert [{**row, "x_page": ""} for row in by_file] == [{**row, "x_page": ""} for row in by_server]
