"""What a line of a spool means, and what is no reading."""

import json
from datetime import datetime

import pytest

from tests.connectors.nvml.written import (
    CONTAINER,
    JOB,
    NAMED,
    POD,
    POD_UID,
    held,
    milliseconds,
    note,
    packed,
    page,
    parse,
    rows,
    sample,
)

METRICS = {
    "gpm_sm_pct": 56.16,
    "gpm_graphics_pct": 100,
    "gpm_tensor_pct": 12.5,
    "gpm_dram_pct": 39.0,
    "util_encoder_pct": 2,
    "util_decoder_pct": 3,
    "util_gpu_pct": 87,
    "memory_used_bytes": 1 << 30,
    "memory_free_bytes": 1 << 20,
    "power_mw": 318_450,
    "energy_mj": 8_999_999_999_999_999,
    "xid": 79,
}


def test_the_drivers_units_become_the_houses() -> None:
    (row,) = rows(page(sample("10:00:00.123", gpu=3, instance_id="i-0abc", **METRICS)))
    expected = {
        "sampled_at": datetime(2026, 10, 1, 10, 0, 0, 123_000),
        "sample_date": datetime(2026, 10, 1).date(),
        "cluster": "prod-eu1",
        "hostname": "node-1",
        "instance_id": "i-0abc",
        "gpu_uuid": "GPU-0003",
        "gpu_index": 3,
        "gpu_instance_id": "",
        "mig_profile": None,
        "gpu_model_name": "NVIDIA H100 80GB HBM3",
        "namespace": "",
        "pod": "",
        "container": "",
        "sm_active_ratio": 56.16 / 100,
        "gr_engine_active_ratio": 1.0,
        "tensor_active_ratio": 0.125,
        "dram_active_ratio": 0.39,
        "encoder_active_ratio": 0.02,
        "decoder_active_ratio": 0.03,
        "gpu_util_ratio": 0.87,
        "memory_used_mib": 1024.0,
        "memory_free_mib": 1.0,
        "power_watts": 318.45,
        "energy_millijoules": 8_999_999_999_999_999,
        "holder_sm_ratio": None,
        "xid_code": 79,
        "x_extra": None,
        "x_source": "gpu-nodes",
        "x_slice_date": datetime(2026, 10, 1).date(),
        "x_row": 1,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["energy_millijoules"] == 8_999_999_999_999_999


def test_a_missing_reading_is_null_and_zero_is_zero() -> None:
    (row,) = rows(page(sample(util_gpu_pct=0, power_mw=0)))
    assert (row["gpu_util_ratio"], row["power_watts"]) == (0.0, 0.0)
    unsaid = ("sm_active_ratio", "memory_used_mib", "energy_millijoules", "xid_code", "encoder_active_ratio")
    assert [row[name] for name in unsaid] == [None] * 5


def test_what_has_no_column_is_kept_beside_with_the_error_codes() -> None:
    (row,) = rows(page(sample(errors={"power": 4}, memory_reserved_bytes=7, new_xids=[79], energy_was_reset=True)))
    kept = {"errors": {"power": 4}, "memory_reserved_bytes": 7, "new_xids": [79], "energy_was_reset": True}
    assert json.loads(row["x_extra"]) == kept


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        ("util_gpu_pct", 127, "gpu_util_ratio"),
        ("util_gpu_pct", -1, "gpu_util_ratio"),
        ("gpm_sm_pct", 100.5, "sm_active_ratio"),
        ("gpm_sm_pct", "50", "sm_active_ratio"),
        ("gpm_sm_pct", True, "sm_active_ratio"),
        ("energy_mj", 18_446_744_073_709_551_615, "energy_millijoules"),
        ("energy_mj", 9_223_372_036_854_775_794, "energy_millijoules"),
        ("power_mw", 2_147_483_632, "power_watts"),
        ("memory_used_bytes", 18_446_744_073_709_551_615, "memory_used_mib"),
        ("power_mw", [1], "power_watts"),
        ("xid", 79.5, "xid_code"),
    ],
)
def test_an_impossible_value_is_refused_and_the_sample_kept_without_it(field: str, value: object, column: str) -> None:
    line = sample(**{"util_memory_pct": 5, field: value})
    parsed = parse(page(line))
    (row,) = parsed.rows.to_pylist()
    assert row[column] is None
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row, reject.column_name) == ("out_of_range", 1, column)
    assert json.loads(reject.payload) == line


def test_each_holder_is_a_row_with_the_gpus_readings_and_its_own_share() -> None:
    found = rows(page(sample(util_gpu_pct=77, holders=[dict(NAMED, sm_pct=60), dict(JOB, sm_pct=17)])))
    assert [(*held(row), row["gpu_util_ratio"], row["holder_sm_ratio"], row["x_row"]) for row in found] == [
        ("serving", "vllm-0", "vllm", 0.77, 0.6, 1),
        ("hpc-jobs", "4711", "", 0.77, 0.17, 1),
    ]
    assert json.loads(found[0]["x_extra"])["holder"]["pod_uid"] == POD_UID


def test_shares_of_more_than_the_whole_are_refused_and_not_cut() -> None:
    parsed = parse(page(sample(holders=[dict(NAMED, sm_pct=101)])))
    assert parsed.rows["holder_sm_ratio"].to_pylist() == [None]
    assert [(reject.reason, reject.column_name) for reject in parsed.rejects] == [("out_of_range", "holder_sm_ratio")]


def test_a_holder_without_a_name_has_its_uid_and_the_settings_namespace() -> None:
    lines = page(
        sample(
            holders=[
                POD,
                {"kind": "container", "container_id": CONTAINER, "running": 1},
                {"kind": "none", "running": 3},
                {"kind": "unseen", "running": 1},
            ]
        )
    )
    short = CONTAINER[:12]
    assert [held(row) for row in rows(lines)] == [
        ("unnamed-pods", POD_UID, short),
        ("unnamed-processes", "", short),
        ("unnamed-processes", "", ""),
        ("unnamed-processes", "unseen", ""),
    ]
    named = rows(lines, pod_namespace="pods", process_namespace="bare", job_namespace="slurm")
    assert [row["namespace"] for row in named] == ["pods", "bare", "bare", "bare"]


def test_hosts_may_have_namespaces_of_their_own_for_holders_without_a_name() -> None:
    lines = page(sample(holders=[POD, NAMED, JOB, {"kind": "none"}]), sample(gpu=1, host="other", holders=[POD]))
    found = rows(lines, namespaces={"node-*": "research", "*": "rest"})
    assert [row["namespace"] for row in found] == ["research", "serving", "hpc-jobs", "research", "rest"]


def test_a_gpu_of_which_nobody_knows_who_holds_it_is_not_one_that_nobody_holds() -> None:
    parsed = parse(page(sample(holders=None, errors={"running": 4}), sample("10:01")))
    assert [held(row) for row in parsed.rows.to_pylist()] == [("unnamed-processes", "unknown", ""), ("", "", "")]
    assert parsed.notices == (
        "1 samples do not tell who holds the GPU: the driver did not say; they are of 'unnamed-processes'",
    )


def test_a_lost_gpu_is_a_row_of_nothing_but_its_name_and_is_told() -> None:
    parsed = parse(page(sample(holders=None, errors={"gpu": 15})))
    (row,) = parsed.rows.to_pylist()
    assert (row["gpu_uuid"], row["gpu_util_ratio"], json.loads(row["x_extra"])) == (
        "GPU-0000",
        None,
        {"errors": {"gpu": 15}},
    )
    assert parsed.notices[0] == "GPUs that their driver called lost: node-1 GPU-0000"


def test_programs_that_their_sampler_could_not_see_are_told() -> None:
    notices = parse(page(sample(holders=[{"kind": "unseen"}]))).notices
    assert notices == (
        "1 holders could not be seen by their sampler: it must share the machine's process numbers (hostPID)",
    )


def test_mig_instances_share_the_uuid_of_their_gpu_and_are_samples_of_their_own() -> None:
    found = rows(
        page(
            sample(mig_mode=1, power_mw=160_500),
            sample(mig_instance=0, mig_profile="3g.40gb", gpm_sm_pct=60, holders=[NAMED]),
            sample(mig_instance=7, mig_profile="1g.10gb", gpm_sm_pct=10),
        )
    )
    seen = ("gpu_instance_id", "mig_profile", "pod", "sm_active_ratio", "power_watts")
    assert [tuple(row[name] for name in seen) for row in found] == [
        ("", None, "", None, 160.5),
        ("0", "3g.40gb", "vllm-0", 0.6, None),
        ("7", "1g.10gb", "", 0.1, None),
    ]


def test_a_profile_a_uuid_or_a_node_that_changes_within_the_day_is_of_its_instant() -> None:
    found = rows(
        page(
            sample("08:00", mig_instance=1, mig_profile="1g.10gb"),
            sample("09:00", mig_instance=1, mig_profile="2g.20gb"),
            sample("10:00", gpu_uuid="GPU-swapped"),
            sample("11:00", host="node-9"),
        )
    )
    assert [(row["mig_profile"], row["gpu_uuid"], row["hostname"]) for row in found] == [
        ("1g.10gb", "GPU-0000", "node-1"),
        ("2g.20gb", "GPU-0000", "node-1"),
        (None, "GPU-swapped", "node-1"),
        (None, "GPU-0000", "node-9"),
    ]


def test_counters_that_begin_anew_are_kept_as_they_came() -> None:
    found = rows(page(*(sample(at, energy_mj=mj) for at, mj in (("10:00", 900), ("10:01", 5), ("10:02", 6)))))
    assert [row["energy_millijoules"] for row in found] == [900, 5, 6]


def test_lines_out_of_order_are_all_taken() -> None:
    found = rows(page(sample("10:02"), sample("10:00"), sample("10:01")))
    assert sorted(row["sampled_at"].minute for row in found) == [0, 1, 2]


def test_a_file_that_lies_there_plain_and_packed_counts_once() -> None:
    lines = (sample("10:00", util_gpu_pct=1, holders=[NAMED, JOB]), sample("10:01"), note("torn_line", bytes=5))
    parsed = parse(page(*lines[:2]), packed(*lines))
    assert parsed.rows.num_rows == 3
    assert parsed.duplicate_count == 3
    assert parsed.rejects == ()


def test_of_contradicting_lines_the_first_is_kept_and_told() -> None:
    parsed = parse(page(*(sample(util_gpu_pct=value) for value in (60, 80, 60))))
    assert parsed.rows["gpu_util_ratio"].to_pylist() == [0.6]
    assert parsed.duplicate_count == 2
    assert parsed.notices == (
        "1 samples were repeated with other values for the same GPU, holder and instant; the first was kept",
    )


def test_a_line_that_is_still_being_written_is_refused_alone() -> None:
    whole = page(sample("10:00"), sample("10:01"))
    parsed = parse(whole[:-20])
    assert [row["sampled_at"].minute for row in parsed.rows.to_pylist()] == [0]
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row) == ("torn_line", 2)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not_json"),
        ("[1]", "not_an_object"),
        ("\x00\x00\x00", "not_json"),
        (sample(v=2), "unknown_format"),
        (sample(v=None), "unknown_format"),
        (sample(gpu_uuid=None, errors={"gpu": 15}), "no_gpu_uuid"),
        (sample(host=None), "no_host"),
        (sample(at_ms=None), "no_time"),
        (sample(at_ms="today"), "bad_count"),
        (sample(at_ms=-5), "bad_count"),
        (sample(gpu_index=1.5), "bad_count"),
        (sample(gpu_index=2**40), "bad_count"),
        (json.dumps(sample())[:-1] + ', "deep": ' + "[" * 300 + "]" * 300 + "}", "unreadable_fields"),
        (sample(holders={"kind": "pod"}), "unreadable_holders"),
        (sample(holders=[1]), "unreadable_holders"),
        (sample(holders=5), "unreadable_holders"),
        (sample(holders=[{"kind": []}]), "unreadable_text"),
        (sample(holders=[{"kind": 5}]), "unreadable_text"),
        (sample(host=["node"]), "unreadable_text"),
        (sample(at_ms=milliseconds("00:00") - 1), "outside_window"),
        (sample(at_ms=milliseconds("00:00") + 86_400_000), "outside_window"),
        (sample(at_ms=10**15), "outside_window"),
    ],
)
def test_a_line_that_says_nothing_is_refused_with_its_words_and_the_others_stay(line: object, reason: str) -> None:
    parsed = parse(page(sample("09:59"), line, sample("10:01")))  # type: ignore[arg-type]
    assert parsed.rows.num_rows == 2
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row) == (reason, 2)
    assert reject.payload.strip("\x00") or line == "\x00\x00\x00"


def test_notes_of_samplers_are_told_in_words_and_each_once() -> None:
    notes = (
        note("dropped_files", files=3, bytes=1, first="a", last="c"),
        note("dropped_files", files=2, bytes=1, first="d", last="e", host="node-2"),
        note("lost_rounds", rounds=12),
        note("driver_lost", code=9),
        note("driver_found"),
        note("clock_set", seconds=-3600.0),
        note("torn_line", bytes=7, file="x"),
        note("sun_spot"),
        note("gpus_changed", gone=["GPU-0"], new=[]),
    )
    parsed = parse(page(*notes), packed(*notes))
    assert (parsed.rows.num_rows, parsed.rejects, parsed.duplicate_count) == (0, (), 0)
    assert parsed.notices == (
        "1 times a node's clock was set while it was sampled: node-1",
        "1 times a GPU driver stopped answering: node-1",
        "5 files of a spool were dropped by its sampler for lack of room: node-1, node-2",
        "1 times the GPUs of a node changed while it was sampled: node-1",
        "12 rounds were lost because a spool could not be written: node-1",
        "1 notes of a new kind, sun_spot: node-1",
        "1 lines were torn by a sudden end and cut off: node-1",
    )
