"""Which pods held GPUs, and when: only those that ran, only as long as somebody saw it."""

import json
from decimal import Decimal

import pytest

from connectors.kubernetes.allocations import SOURCE
from tests.connectors.dcgm.written import epoch
from tests.connectors.kubernetes.written import (
    A100,
    CLAIMS,
    INIT_REQUESTS,
    NODE_LABELS,
    OWNER,
    PHASE,
    POD_LABELS,
    REQUESTS,
    Sampled,
    allocated,
    as_answer,
    as_page,
    at,
    held,
    intervals,
    parse,
    pod,
    request,
    running,
    sampled,
    without,
)

OTHERS = held("other", "00:00", "24:00")  # a pod that is there all day: the source is not silent


def of(rows: list[dict[str, object]], name: str) -> list[dict[str, object]]:
    return [row for row in rows if row["pod"] == name]


def test_samples_of_one_pod_are_one_interval_with_what_was_asked_for() -> None:
    (row,) = allocated(held("vllm", "10:00", "12:00", gpus=2))
    assert (row["started_at"], row["ended_at"], row["allocation_date"]) == (
        at("10:00"),
        at("12:00"),
        at("10:00").date(),
    )
    assert (row["allocated_gpus"], row["resource_name"], row["is_shared"]) == (Decimal(2), "nvidia_com_gpu", False)
    assert (row["allocation_id"], row["namespace"], row["pod"], row["container"], row["hostname"]) == (
        "uid-vllm", "serving", "vllm", "main", "gpu-1",
    )  # fmt: skip
    assert (row["gpu_uuid"], row["gpu_index"], row["gpu_instance_id"]) == ("", -1, "")
    assert (row["holder_kind"], row["cluster"], row["x_source"]) == ("pod", "prod-eu1", "cluster")


def test_a_pod_that_ended_goes_on_asking_and_holds_nothing() -> None:
    rows = allocated([request("train", "09:00", "13:00"), running("train", "09:10", "12:00")])
    assert intervals(rows) == [("09:10:00", "12:00:00")]


def phase(name: str, word: str, start: str, end: str, value: int = 1) -> Sampled:
    return sampled(PHASE, pod(name, phase=word), start, end, value=value)


def test_a_pod_that_is_in_another_phase_holds_nothing() -> None:
    gone = [phase("train", "Running", "10:00", "11:00", value=0), phase("train", "Succeeded", "09:00", "11:00")]
    assert allocated([request("train", "09:00", "11:00"), *gone]) == []


def test_a_pod_that_pulls_its_image_on_a_node_holds_and_one_that_waits_for_a_node_does_not() -> None:
    series = [
        request("vllm", "10:00", "10:10", node=""),
        request("vllm", "10:10", "11:00", gpus=2),
        phase("vllm", "Pending", "10:00", "10:25"),
        phase("vllm", "Running", "10:25", "11:00"),
    ]
    rows = allocated(series)
    assert intervals(rows) == [("10:10:00", "10:25:00"), ("10:25:00", "11:00:00")]
    assert {(row["hostname"], row["allocated_gpus"]) for row in rows} == {("gpu-1", 2)}


@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        ([4], [1, 2], {"side-0": 1, "side-1": 2, "first-0": 1}),  # the pod has 4: three are its containers'
        ([3], [1, 2], {"side-0": 1, "side-1": 2}),
        ([2, 8], [1], {"side-0": 1, "first-1": 7}),
        ([2], [], {"first-0": 2}),
    ],
)
def test_a_pod_holds_what_its_first_containers_need_or_the_others_together_whichever_is_more(
    first: list[int], then: list[int], kept: dict[str, int]
) -> None:
    asked = [request("a", "10:00", "11:00", gpus=n, container=f"side-{i}") for i, n in enumerate(then)]
    asked += [
        request("a", "10:00", "11:00", gpus=n, container=f"first-{i}")._replace(metric=INIT_REQUESTS)
        for i, n in enumerate(first)
    ]
    rows = allocated([*asked, phase("a", "Pending", "10:00", "10:20"), phase("a", "Running", "10:20", "11:00")])
    for start in ("10:00", "10:20"):
        of_start = {row["container"]: row["allocated_gpus"] for row in rows if row["started_at"] == at(start)}
        assert of_start == kept
    assert len(rows) == 2 * len(kept)


def test_pods_that_hold_devices_by_claims_alone_are_told() -> None:
    claim = sampled(CLAIMS, pod("dra", claim_name="gpu", resourceclaim_name="dra-gpu-x7"), "10:00", "11:00")
    series = [
        claim,
        running("dra", "10:00", "11:00"),
        *held("vllm", "10:00", "11:00"),
        running("web", "10:00", "11:00"),
    ]
    parsed = parse(SOURCE, as_answer(series), url="http://p")
    assert parsed.rows["pod"].to_pylist() == ["vllm"]
    (notice,) = parsed.notices
    assert notice.startswith("1 pods hold devices by claims and request no GPU")


def test_a_silence_of_the_source_of_five_minutes_is_bridged_and_a_longer_one_is_unknown() -> None:
    bridged = without(held("vllm", "10:00", "11:00"), "10:10", "10:14")
    assert intervals(allocated(bridged)) == [("10:00:00", "11:00:00")]
    unknown = without(held("vllm", "10:00", "11:00"), "10:10", "10:15")
    assert intervals(allocated(unknown)) == [("10:00:00", "10:10:00"), ("10:15:00", "11:00:00")]


def test_a_pod_that_is_missing_while_the_source_speaks_of_others_holds_nothing_meanwhile() -> None:
    rows = allocated([*OTHERS, *without(held("vllm", "10:00", "11:00"), "10:10", "10:12")])
    assert intervals(of(rows, "vllm")) == [("10:00:00", "10:10:00"), ("10:12:00", "11:00:00")]
    assert intervals(of(rows, "other")) == [("00:00:00", "24:00:00")]


def test_an_interval_ends_at_midnight() -> None:
    assert intervals(allocated(held("vllm", "23:58", "24:00"))) == [("23:58:00", "24:00:00")]


def test_the_last_scrape_of_a_day_does_not_reach_into_the_next() -> None:
    lines = [
        Sampled(one.metric, one.labels, [(s + 37, v) for s, v in one.samples]) for one in held("a", "23:57", "24:00")
    ]
    (row,) = parse(SOURCE, as_page(lines)).rows.to_pylist()
    assert intervals([row]) == [("23:57:37", "24:00:00")]


def test_scrapes_hold_as_long_as_they_are_apart_whatever_the_settings_say() -> None:
    scrapes = [one._replace(samples=one.samples[::2]) for one in held("a", "10:00", "10:10")]
    (row,) = parse(SOURCE, as_page(scrapes), step_seconds=30).rows.to_pylist()
    assert intervals([row]) == [("10:00:00", "10:10:00")]


def test_scrapes_far_apart_each_hold_for_five_minutes() -> None:
    scrapes = [one._replace(samples=one.samples[::20]) for one in held("a", "10:00", "11:00")]
    rows = parse(SOURCE, as_page(scrapes)).rows.to_pylist()
    assert intervals(rows) == [("10:00:00", "10:05:00"), ("10:20:00", "10:25:00"), ("10:40:00", "10:45:00")]


def test_scrapes_that_come_a_little_late_are_no_gaps() -> None:
    late = [
        one._replace(samples=[(second + (second // 60) % 3 * 5, value) for second, value in one.samples])
        for one in [*OTHERS, *held("a", "10:00", "10:30")]
    ]
    rows = of(parse(SOURCE, as_page(late)).rows.to_pylist(), "a")
    assert len(rows) == 1


def test_a_change_between_scrapes_that_are_nearer_than_usual_is_seen_at_once_and_nothing_holds_twice() -> None:
    early = [
        *held("a", "10:00", "10:20"),
        sampled(POD_LABELS, pod("a", label_team="search"), "10:00", "10:10"),
        sampled(POD_LABELS, pod("a", label_team="ads"), "10:10", "10:20"),
    ]
    early = [one._replace(samples=[(s - 7 * (s >= epoch("10:10")), v) for s, v in one.samples]) for one in early]
    rows = sorted(parse(SOURCE, as_page(early)).rows.to_pylist(), key=lambda row: row["started_at"])
    assert intervals(rows) == [("10:00:00", "10:09:53"), ("10:09:53", "10:19:53")]
    assert [json.loads(row["labels"])["team"] for row in rows] == ["search", "ads"]


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("ReplicaSet", "vllm-llama-6c9d7f5b8d", ("Deployment", "vllm-llama")),
        ("ReplicaSet", "my-workers", ("ReplicaSet", "my-workers")),
        ("StatefulSet", "notebook", ("StatefulSet", "notebook")),
        ("RayCluster", "train-7", ("RayCluster", "train-7")),
        ("Job", "eval-29384756", ("Job", "eval-29384756")),
        ("<none>", "<none>", ("Pod", "vllm")),
        ("", "", ("Pod", "vllm")),
    ],
)
def test_what_made_the_pod_is_named(kind: str, name: str, expected: tuple[str, str]) -> None:
    owner = pod("vllm", owner_kind=kind, owner_name=name, owner_is_controller="true")
    (row,) = allocated([*held("vllm", "10:00", "11:00"), sampled(OWNER, owner, "10:00", "11:00")])
    assert (row["workload_kind"], row["workload_name"]) == expected


def test_of_several_owners_the_one_that_controls_is_named_and_without_any_it_is_unknown() -> None:
    owners = [
        sampled(OWNER, pod("vllm", owner_kind=kind, owner_name=kind, owner_is_controller=controls), "10:00", "11:00")
        for kind, controls in (("AppWrapper", "false"), ("PyTorchJob", "true"))
    ]
    assert allocated([*held("vllm", "10:00", "11:00"), *owners])[0]["workload_kind"] == "PyTorchJob"
    assert allocated(held("vllm", "10:00", "11:00"))[0]["workload_kind"] is None


def test_only_labels_that_the_settings_let_through_are_kept_and_one_names_the_model() -> None:
    labels = pod("vllm", label_team="search", label_owner_mail="a@b.c", label_served_model="llama-3.1-8b",
                 label_kueue_x_k8s_io_queue_name="gold", label_app_kubernetes_io_name="")  # fmt: skip
    series = [*held("vllm", "10:00", "11:00"), sampled(POD_LABELS, labels, "10:00", "11:00")]
    (row,) = allocated(series, model_label="served-model")
    assert json.loads(row["labels"]) == {"team": "search", "kueue.x-k8s.io/queue-name": "gold"}
    assert row["model_name"] == "llama-3.1-8b"
    (row,) = allocated(series, pod_labels=("owner-mail",))
    assert (json.loads(row["labels"]), row["model_name"]) == ({"owner-mail": "a@b.c"}, None)


def test_a_label_that_changes_begins_another_interval() -> None:
    series = [
        *held("vllm", "10:00", "12:00"),
        sampled(POD_LABELS, pod("vllm", label_team="search"), "10:00", "11:00"),
        sampled(POD_LABELS, pod("vllm", label_team="ads"), "11:00", "12:00"),
    ]
    rows = allocated(series)
    assert intervals(rows) == [("10:00:00", "11:00:00"), ("11:00:00", "12:00:00")]
    assert [json.loads(row["labels"])["team"] for row in rows] == ["search", "ads"]


def test_a_label_that_is_not_let_through_begins_none() -> None:
    series = [
        *held("vllm", "10:00", "12:00"),
        sampled(POD_LABELS, pod("vllm", label_step="1"), "10:00", "11:00"),
        sampled(POD_LABELS, pod("vllm", label_step="2"), "11:00", "12:00"),
    ]
    assert intervals(allocated(series)) == [("10:00:00", "12:00:00")]


def test_a_claim_of_dynamic_resource_allocation_stands_among_the_labels() -> None:
    claim = pod("vllm", claim_name="gpu", resourceclaim_name="vllm-gpu-x7", resourceclaim_template_name="gpu")
    (row,) = allocated([*held("vllm", "10:00", "11:00"), sampled(CLAIMS, claim, "10:00", "11:00")])
    assert json.loads(row["labels"]) == {"resourceclaims": "vllm-gpu-x7"}


def test_a_request_that_is_resized_in_place_begins_another_interval() -> None:
    series = [
        request("a", "10:00", "11:00", gpus=1),
        request("a", "11:00", "12:00", gpus=2),
        running("a", "10:00", "12:00"),
    ]
    parsed = parse(SOURCE, as_answer(series), url="http://p")
    rows = sorted(parsed.rows.to_pylist(), key=lambda row: row["started_at"])
    assert [(row["started_at"], row["allocated_gpus"]) for row in rows] == [(at("10:00"), 1), (at("11:00"), 2)]
    assert parsed.notices == ("1 containers asked for different numbers of GPUs; of two at once the higher counts",)


def test_two_exporters_that_say_the_same_are_one_and_of_two_sizes_the_higher_counts() -> None:
    twice = [
        one._replace(labels={**one.labels, "instance": instance})
        for one in held("a", "10:00", "11:00")
        for instance in ("ksm-0", "ksm-1")
    ]
    assert intervals(allocated(twice)) == [("10:00:00", "11:00:00")]
    (row,) = allocated([*twice, request("a", "10:00", "11:00", gpus=3, instance="ksm-2")])
    assert row["allocated_gpus"] == 3


@pytest.mark.parametrize(
    ("resource", "profile", "shared"),
    [
        ("nvidia_com_gpu", None, False),
        ("nvidia_com_gpu_shared", None, True),
        ("nvidia_com_mig_1g_10gb", "1g.10gb", False),
        ("nvidia_com_mig_1g_10gb_me", "1g.10gb+me", False),
        ("nvidia_com_mig_3g_40gb_shared", "3g.40gb", True),
    ],
)
def test_a_resource_says_its_mig_profile_and_whether_it_is_shared(resource: str, profile: str, shared: bool) -> None:
    (row,) = allocated(held("a", "10:00", "11:00", resource=resource))
    assert (row["mig_profile"], row["is_shared"], row["resource_name"]) == (profile, shared, resource)


def test_resources_that_are_no_gpus_are_read_over_and_others_can_be_named() -> None:
    amd = held("a", "10:00", "11:00", resource="amd_com_gpu")
    assert allocated([*amd, *held("b", "10:00", "11:00", resource="cpu")]) == []
    assert allocated(amd, resource_pattern="amd_com_gpu")[0]["resource_name"] == "amd_com_gpu"


@pytest.mark.parametrize(
    ("more", "shared"),
    [
        ({}, False),
        ({"label_nvidia_com_gpu_replicas": "4"}, True),
        ({"label_nvidia_com_gpu_sharing_strategy": "mps"}, True),
        ({"label_nvidia_com_gpu_sharing_strategy": "none"}, False),
        ({"label_nvidia_com_gpu_product": "NVIDIA-A100-SXM4-80GB-SHARED"}, True),
    ],
)
def test_a_time_sliced_node_shares_its_gpus_and_names_its_model(more: dict[str, str], shared: bool) -> None:
    node = sampled(NODE_LABELS, {"node": "gpu-1", **A100, **more}, "10:00", "11:00")
    (row,) = allocated([*held("a", "10:00", "11:00"), node])
    assert (row["is_shared"], row["gpu_model_name"]) == (shared, "NVIDIA-A100-SXM4-80GB")


def test_a_node_that_is_cut_into_instances_of_one_profile_says_so_in_its_product() -> None:
    labels = {"node": "gpu-1", "label_nvidia_com_gpu_product": "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb"}
    (row,) = allocated([*held("a", "10:00", "11:00"), sampled(NODE_LABELS, labels, "10:00", "11:00")])
    assert (row["mig_profile"], row["gpu_model_name"]) == ("1g.10gb", "NVIDIA-A100-SXM4-80GB")


def test_without_honor_labels_the_exported_labels_are_the_pods() -> None:
    target = {"namespace": "monitoring", "pod": "ksm-0", "container": "kube-state-metrics", "job": "ksm"}
    series = [
        one._replace(labels={**{f"exported_{k}" if k in target else k: v for k, v in one.labels.items()}, **target})
        for one in [*held("a", "10:00", "11:00"), sampled(POD_LABELS, pod("a", label_team="x"), "10:00", "11:00")]
    ]
    (row,) = allocated(series)
    assert (row["namespace"], row["pod"], row["container"]) == ("serving", "a", "main")
    assert (json.loads(row["labels"]), row["x_extra"]) == ({"team": "x"}, None)


def test_pods_without_a_uid_are_told_apart_by_namespace_and_name() -> None:
    series = [
        one._replace(labels={k: v for k, v in one.labels.items() if k != "uid"})
        for one in [*held("a", "10:00", "11:00"), request("b", "10:00", "11:00")]
    ]
    assert [row["allocation_id"] for row in allocated(series)] == ["serving/a"]


def test_a_request_of_nothing_holds_nothing_and_a_fraction_is_kept() -> None:
    assert allocated(held("a", "10:00", "11:00", gpus=0)) == []
    assert allocated(held("a", "10:00", "11:00", gpus=0.3))[0]["allocated_gpus"] == Decimal("0.300000")


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "1e300"])
def test_a_value_that_counts_nothing_is_refused_with_its_words(value: str) -> None:
    series = [
        Sampled(
            REQUESTS,
            request("a", "10:00", "10:01").labels,
            [(s, value) for s, _ in running("a", "10:00", "10:01").samples],
        )
    ]
    parsed = parse(SOURCE, as_answer(series), url="http://p")
    assert parsed.rows.num_rows == 0
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row, json.loads(reject.payload)["pod"]) == ("out_of_range", 1, "a")


def test_samples_of_another_day_are_refused_once_for_each_instant() -> None:
    shifted = [
        one._replace(samples=[(second + 86_400, 1) for second, _ in one.samples]) for one in held("a", "10:00", "10:02")
    ]
    parsed = parse(SOURCE, as_page([*shifted, *held("a", "10:00", "10:02")]))
    assert intervals(parsed.rows.to_pylist()) == [("10:00:00", "10:02:00")]
    assert [reject.reason for reject in parsed.rejects] == ["outside_window"] * 2


def test_requests_without_any_phase_are_told() -> None:
    parsed = parse(SOURCE, as_answer([request("a", "10:00", "11:00")]), url="http://p")
    assert parsed.rows.num_rows == 0
    (notice,) = parsed.notices
    assert notice.startswith("1 containers ask for GPUs and no pod runs by kube_pod_status_phase")


def test_a_row_says_where_its_request_was_first_seen() -> None:
    page = as_page([running("a", "10:00", "10:05"), request("a", "10:00", "10:05")])
    (row,) = parse(SOURCE, page).rows.to_pylist()
    assert row["x_row"] == 6  # after five lines of the phase
