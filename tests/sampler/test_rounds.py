"""What a round keeps of what the driver says, and what it makes of what the driver does not say."""

import pytest

from tests.sampler.node import CONTAINER, IN_JOB, IN_JOB_OF_OLD, IN_POD, ON_ITS_OWN, POD_UID, Node, gpu

TEN = "2026-10-01T10:00:00"
THEN = "2026-10-01T10:00:15"
LATER = "2026-10-01T10:00:30"


def last(node: Node) -> dict[str, object]:
    return node.samples_kept()[-1]


def test_a_line_holds_what_the_driver_said_in_the_drivers_units(node: Node) -> None:
    node.steps().at(TEN, THEN)
    first, second = node.samples_kept()
    assert second == {
        "v": 1,
        "at_ms": 1790848815000,
        "host": "node-1",
        "instance_id": "i-0abc",
        "gpu_index": 0,
        "gpu_uuid": "GPU-8f2f3a52-0001",
        "gpu_name": "NVIDIA H100 80GB HBM3",
        "mig_mode": 0,
        "mig_mode_pending": 0,
        "util_gpu_pct": 87,
        "util_memory_pct": 41,
        "util_encoder_pct": 0,
        "util_decoder_pct": 3,
        "gpm_graphics_pct": 99.5,
        "gpm_sm_pct": 56.16,
        "gpm_sm_occupancy_pct": 21.25,
        "gpm_tensor_pct": 12.5,
        "gpm_dram_pct": 39.0,
        "memory_total_bytes": 85_899_345_920,
        "memory_used_bytes": 76_941_361_152,
        "memory_free_bytes": 8_304_721_920,
        "memory_reserved_bytes": 653_262_848,
        "power_mw": 318_450,
        "energy_mj": 12_345_678_901_234,
        "holders": [],
    }
    # a mean needs two rounds; health is asked for at the first, and not at every one
    assert not any(name.startswith("gpm_") for name in first)
    assert (first["ecc_corrected"], first["ecc_uncorrected"], first["remapped_rows_uncorrected"]) == (2, 0, 1)
    assert first["errors"] == {"retired_pages": 3, "retirement": 3}


def test_what_the_driver_cannot_say_is_absent_with_its_error_code(node: Node) -> None:
    node.says({"gpu0.uuid": "GPU-bare", "gpu0.power": "!4", "gpu0.util": "!999", "gpu0.running": ""})
    node.steps().at(TEN, THEN)
    line = last(node)
    named = {"v", "at_ms", "host", "instance_id", "gpu_index", "gpu_uuid", "holders", "errors"}
    assert set(line) == named
    assert line["errors"] == {
        **dict.fromkeys(("name", "xid", "mig_mode", "encoder", "decoder", "gpm", "memory", "memory_v1", "energy"), 3),
        **dict.fromkeys(("running_shared", "running_graphics"), 3),
        "power": 4,
        "utilisation": 999,
    }


def test_zero_is_a_reading_and_stays_one(node: Node) -> None:
    node.says(gpu(0, util=0, power=0, gpm2=0, energy=0))
    node.steps().at(TEN, THEN)
    line = last(node)
    assert [line[name] for name in ("util_gpu_pct", "power_mw", "gpm_sm_pct", "energy_mj")] == [0, 0, 0, 0]


def test_a_driver_before_the_second_form_of_memory_does_not_tell_reserved_apart(node: Node) -> None:
    node.says(gpu(0, memory_v2="!13"))
    node.steps().at(TEN)
    line = last(node)
    assert line["memory_used_with_reserved_bytes"] == 76_941_361_152 + 653_262_848
    assert "memory_used_bytes" not in line
    assert "memory_reserved_bytes" not in line


def test_what_the_driver_refused_once_is_asked_for_again(node: Node) -> None:
    node.says(gpu(0, gpm="!4"))
    steps = node.steps()
    steps.at(TEN)
    assert last(node)["errors"]["gpm"] == 4  # type: ignore[index]
    node.changes(gpu0__gpm=1)
    steps.at(THEN, LATER)
    assert last(node)["gpm_sm_pct"] == 56.16


def test_a_gpu_without_performance_monitoring_says_so(node: Node) -> None:
    node.says(gpu(0, gpm=0))
    node.steps().at(TEN, THEN)
    assert last(node)["errors"] == {"gpm": 3}


def test_a_value_that_is_no_number_is_not_known(node: Node) -> None:
    node.says(gpu(0, gpm2="nan", gpm10="inf", gpm5="!999"))
    node.steps().at(TEN, THEN)
    line = last(node)
    assert [name for name in line if name.startswith("gpm_")] == ["gpm_graphics_pct", "gpm_sm_occupancy_pct"]
    assert line["errors"] == {"gpm_tensor_pct": 999}


def test_a_lost_gpu_keeps_its_line_under_its_own_name_and_the_others_theirs(node: Node) -> None:
    node.says(gpu(0), gpu(1))
    steps = node.steps()
    steps.at(TEN)
    node.changes(gpu0__lost=15)
    steps.at(THEN, LATER)
    said = steps.end()
    lost, well = node.samples_kept()[-2:]
    assert lost == {
        "v": 1,
        "at_ms": 1790848830000,
        "host": "node-1",
        "instance_id": "i-0abc",
        "gpu_index": 0,
        "gpu_uuid": "GPU-8f2f3a52-0001",
        "gpu_name": "NVIDIA H100 80GB HBM3",
        "errors": {"gpu": 15},
    }
    assert well["gpu_uuid"] == "GPU-8f2f3a52-0002"
    assert well["gpm_sm_pct"] == 56.16
    assert said.count("lost, by their index: GPU 0") == 1


def test_the_error_that_took_a_gpu_off_the_bus_is_told_on_its_line(node: Node) -> None:
    steps = node.steps()
    steps.at(TEN)
    node.changes(gpu0__lost=15, gpu0__uuid="!15", event="1:0:79:4294967295")
    steps.at(THEN, LATER)
    assert [(line.get("xid"), line["errors"]["gpu"]) for line in node.samples_kept()[1:]] == [(79, 15), (79, 15)]


def test_a_gpu_lost_within_a_round_says_nothing_more_and_holders_are_not_known(node: Node) -> None:
    node.says(gpu(0, util="!15", power="!15", energy="!15", running="!15", gpm1="!15"))
    node.steps().at(TEN)
    line = last(node)
    assert "holders" not in line
    assert {line["errors"][name] for name in ("utilisation", "power", "energy", "running")} == {15}


def test_an_energy_counter_that_fell_is_told(node: Node) -> None:
    steps = node.steps()
    steps.at(TEN)
    node.changes(gpu0__energy=5)
    steps.at(THEN, LATER)
    assert [line.get("energy_was_reset") for line in node.samples_kept()] == [None, True, None]
    assert last(node)["energy_mj"] == 5


def test_a_swapped_gpu_begins_anew(node: Node) -> None:
    steps = node.steps()
    steps.at(TEN, THEN)
    node.changes(gpu0__uuid="GPU-another", gpu0__energy=1)
    steps.at(LATER)
    line = last(node)
    assert (line["gpu_index"], line["gpu_uuid"]) == (0, "GPU-another")
    assert "energy_was_reset" not in line
    assert "gpm_sm_pct" not in line, "a mean over two GPUs"
    (note,) = node.notes()
    assert (note["note"], note["gone"], note["new"]) == ("gpus_changed", ["GPU-8f2f3a52-0001"], ["GPU-another"])


def test_a_gpu_that_the_driver_no_longer_counts_is_told(node: Node) -> None:
    node.says(gpu(0), gpu(1))
    steps = node.steps()
    steps.at(TEN)
    node.changes(count=1)
    steps.at(THEN, LATER)
    assert [line["gpu_index"] for line in node.samples_kept()] == [0, 1, 0, 0]
    assert steps.end() == "GPUs have changed: GPU-8f2f3a52-0002 gone, none new\n"
    assert [(note["gone"], note["new"]) for note in node.notes()] == [(["GPU-8f2f3a52-0002"], [])]


def test_the_last_critical_error_stays_until_the_gpu_begins_anew(node: Node) -> None:
    node.says(gpu(0), gpu(1))
    steps = node.steps()
    steps.at(TEN)
    node.changes(event="1:0:79:4294967295")
    steps.at(THEN, LATER)
    told = [(line["gpu_index"], line.get("xid"), line.get("new_xids")) for line in node.samples_kept()]
    assert told == [(0, None, None), (1, None, None), (0, 79, [79]), (1, None, None), (0, 79, None), (1, None, None)]
    node.changes(gpu0__energy=1)
    steps.at("2026-10-01T10:00:45", "2026-10-01T10:01:00")
    assert "xid" not in node.samples_kept()[-2]


MIG = gpu(
    0,
    mig_mode=1,
    util="!3",
    running="7:1000",  # of the whole the driver tells those of all instances, to whom it may
    **{"mig0.gi": 1, "mig0.uuid": "MIG-a", "mig0.name": "NVIDIA H100 80GB HBM3 MIG 3g.40gb", "mig0.running": "7:1000"},
    **{"mig0.total": 42_000_000_000, "mig0.used": 1_000_000_000, "gi1.gpm2": 12.5, "gi5.gpm2": 0},
    **{"mig2.gi": 5, "mig2.uuid": "MIG-b", "mig2.name": "NVIDIA H100", "mig2.slices": 1, "mig2.running": ""},
)


def test_a_partitioned_gpu_is_a_line_for_the_whole_and_one_for_each_instance(node: Node) -> None:
    node.says(MIG)
    node.runs(7, IN_POD)
    node.steps().at(TEN, THEN)
    whole, first, second = node.samples_kept()[-3:]
    assert (whole["mig_mode"], whole["holders"], whole["power_mw"]) == (1, [], 318_450)
    assert whole["errors"]["utilisation"] == 3
    assert [first[name] for name in ("mig_instance", "mig_profile", "mig_uuid", "gpm_sm_pct", "memory_used_bytes")] == [
        *(1, "3g.40gb", "MIG-a", 12.5, 1_000_000_000)
    ]
    assert first["gpu_uuid"] == whole["gpu_uuid"]
    assert [holder["pod_uid"] for holder in first["holders"]] == [POD_UID]
    assert "util_gpu_pct" not in first
    assert "power_mw" not in first
    assert (second["mig_instance"], second["mig_profile"], second["gpm_sm_pct"], second["holders"]) == (5, "1g", 0, [])


def test_instances_may_be_made_anew_while_the_sampler_runs(node: Node) -> None:
    node.says(MIG)
    node.runs(7, IN_POD)
    steps = node.steps()
    steps.at(TEN, THEN)
    node.changes(gpu0__mig0__gi=None, gpu0__mig2__gi=None, gpu0__mig4__gi=9, gpu0__mig4__name="X MIG 1c.7g.80gb")
    steps.at(LATER, "2026-10-01T10:00:45")
    assert [line.get("mig_instance") for line in node.samples_kept()[-4:]] == [None, 9, None, 9]
    assert last(node)["mig_profile"] == "7g.80gb"
    assert "holders" not in last(node), "the driver did not say who runs there"
    node.changes(gpu0__mig_mode=0, gpu0__util=50, gpu0__running="")
    steps.at("2026-10-01T10:01:00")
    assert (last(node)["mig_mode"], last(node)["util_gpu_pct"], last(node)["holders"]) == (0, 50, [])


def test_two_parts_of_an_instance_are_one_line_with_the_holders_of_both(node: Node) -> None:
    part = {"gi": 1, "name": "NVIDIA H100 MIG 1c.2g.20gb"}
    parts = {f"mig{n}.{key}": value for n in (0, 1) for key, value in part.items()}
    node.says(gpu(0, mig_mode=1, **parts, **{"mig0.running": "7:1000", "mig1.running": "8:500,9:30"}))
    node.runs(7, IN_POD)
    node.runs(8, IN_POD)
    node.runs(9, IN_JOB)
    node.steps().at(TEN)
    (_, instance) = node.samples_kept()
    assert instance["mig_profile"] == "2g.20gb"
    assert [(holder["kind"], holder["running"], holder["memory_bytes"]) for holder in instance["holders"]] == [
        ("job", 1, 30),
        ("pod", 2, 1500),
    ]


def test_holders_are_summed_over_their_programs_with_their_share_of_the_sms(node: Node) -> None:
    node.says(gpu(0, running="7:1000,8:500,9:2000,10:1", shares="7:1700:40:10,8:1800:20:5,9:1800:17:3"))
    for number, group in ((7, IN_POD), (8, IN_POD), (9, IN_JOB), (10, ON_ITS_OWN)):
        node.runs(number, group)
    node.logs(f"vllm-0_serving_vllm-{CONTAINER}.log")
    node.steps().at(TEN)
    none, job, pod = ({"encoder_pct": 0, "decoder_pct": 0, **of} for of in last(node)["holders"] for of in [dict(of)])  # type: ignore[attr-defined]
    job, none = (job, none) if job["kind"] == "job" else (none, job)
    shares = ("kind", "running", "memory_bytes", "sm_pct", "memory_pct")
    assert [pod[name] for name in shares] == ["pod", 2, 1500, 60, 15]
    assert [job[name] for name in shares] == ["job", 1, 2000, 17, 3]
    assert [none[name] for name in shares] == ["none", 1, 1, 0, 0]
    assert (pod["pod_uid"], pod["container_id"], job["job"]) == (POD_UID, CONTAINER, "4711")
    assert (pod["namespace"], pod["pod"], pod["container"]) == ("serving", "vllm-0", "vllm")


def test_shares_are_read_from_where_the_round_before_ended(node: Node) -> None:
    node.says(gpu(0, running="7:1000", shares="7:1700:40:10,7:1750:60:20"))
    node.runs(7, IN_POD)
    steps = node.steps()
    steps.at(TEN)
    assert last(node)["holders"][0]["sm_pct"] == 50  # type: ignore[index]
    steps.at(THEN)
    assert "sm_pct" not in last(node)["holders"][0], "an old measurement, told twice"  # type: ignore[index]
    assert last(node)["errors"] == {"running_shares": 6}
    node.changes(gpu0__shares="7:1750:60:20,7:1800:10:1")
    steps.at(LATER)
    assert last(node)["holders"][0]["sm_pct"] == 10  # type: ignore[index]


def test_programs_that_share_through_cudas_server_hold_the_gpu_and_the_server_does_not(node: Node) -> None:
    node.says(gpu(0, running="5:30,7:1000", sharing="7:1000,9:500"))
    node.runs(5, ON_ITS_OWN, name="nvidia-cuda-mps")
    node.runs(7, IN_POD)
    node.runs(9, IN_JOB)
    node.steps().at(TEN)
    assert sorted(holder["kind"] for holder in last(node)["holders"]) == ["job", "pod"]  # type: ignore[attr-defined]


def test_a_display_of_the_machine_holds_no_gpu_and_a_pod_that_draws_does(node: Node) -> None:
    node.says(gpu(0, drawing="5:30"), gpu(1, drawing="7:40"))
    node.runs(5, ON_ITS_OWN, name="Xorg")
    node.runs(7, IN_POD)
    node.steps().at(TEN)
    display, drawing = node.samples_kept()
    assert display["holders"] == []
    assert [(holder["kind"], holder["memory_bytes"]) for holder in drawing["holders"]] == [("pod", 40)]


def test_a_program_that_cannot_be_seen_is_a_holder_all_the_same(node: Node) -> None:
    node.says(gpu(0, running="7:0"))
    steps = node.steps()
    steps.at(TEN, THEN)
    assert last(node)["holders"] == [{"kind": "unseen", "running": 1}]  # its memory is not known either
    assert steps.end().count("hostPID") == 1


@pytest.mark.parametrize("group", [ON_ITS_OWN, IN_JOB_OF_OLD])
def test_the_number_of_a_user_does_not_leave_the_node(node: Node, group: str) -> None:
    node.says(gpu(0, running="7:1000"))
    node.runs(7, group)
    said = node.steps()
    said.at(TEN)
    written = "".join(path.read_text() for path in node.spool.glob("*/*"))
    assert "31337" not in written + said.end()
    assert ('"job":"4712"' in written) == (group == IN_JOB_OF_OLD)
