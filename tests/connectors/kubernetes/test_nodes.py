"""What a cluster says of its nodes: which machine, how many GPUs, how it was bought, whether it takes work."""

import json
from decimal import Decimal

import pytest

from connectors.kubernetes.machines import instance_id, purchase_option
from connectors.kubernetes.nodes import SOURCE
from tests.connectors.kubernetes.written import (
    A100,
    ALLOCATABLE,
    CAPACITY,
    CORDONED,
    INFO,
    NODE_LABELS,
    Sampled,
    as_answer,
    intervals,
    parse,
    sampled,
    sighted,
    without,
)

AWS = "aws:///us-east-1a/i-0abc123def4567890"


def info(node: str, start: str, end: str, provider_id: str = AWS, **more: str) -> Sampled:
    labels = {
        "node": node,
        "kernel_version": "6.1.0",
        "provider_id": provider_id,
        "system_uuid": "ec2abc",
        "internal_ip": "10.0.12.34",
    }
    return sampled(INFO, {**labels, **more}, start, end)


def offers(
    node: str, start: str, end: str, gpus: object = 8, resource: str = "nvidia_com_gpu", metric: str = CAPACITY
) -> Sampled:
    return sampled(metric, {"node": node, "resource": resource, "unit": "integer"}, start, end, gpus)


def test_a_node_with_gpus_is_one_machine_for_as_long_as_nothing_changes() -> None:
    labels = {
        "node": "gpu-1",
        **A100,
        "label_karpenter_sh_capacity_type": "spot",
        "label_node_kubernetes_io_instance_type": "p4de.24xlarge",
    }
    cordoned = sampled(CORDONED, {"node": "gpu-1"}, "10:00", "12:00", 0)
    (row,) = sighted(
        [
            info("gpu-1", "10:00", "12:00"),
            offers("gpu-1", "10:00", "12:00"),
            sampled(NODE_LABELS, labels, "10:00", "12:00"),
            cordoned,
        ]
    )
    assert intervals([row]) == [("10:00:00", "12:00:00")]
    assert (row["hostname"], row["provider_id"], row["instance_id"]) == ("gpu-1", AWS, "i-0abc123def4567890")
    assert (row["system_uuid"], row["internal_ip"], row["cluster"]) == ("ec2abc", "10.0.12.34", "prod-eu1")
    assert (row["gpu_model_name"], row["gpu_capacity"], row["gpu_count"]) == ("NVIDIA-A100-SXM4-80GB", Decimal(8), 8)
    assert (row["gpu_replicas"], row["purchase_option"], row["is_cordoned"]) == (None, "spot", False)
    assert json.loads(row["labels"]) == {"node.kubernetes.io/instance-type": "p4de.24xlarge"}
    assert json.loads(row["x_extra"]) == {"capacity": {"nvidia_com_gpu": "8"}}


def test_a_node_without_gpus_is_no_row() -> None:
    assert sighted([info("cpu-1", "10:00", "11:00"), offers("cpu-1", "10:00", "11:00", 96, "cpu")]) == []


def test_cores_and_memory_of_a_node_with_gpus_are_told_and_make_no_node_of_another() -> None:
    def size(node: str, resource: str, unit: str, value: object, metric: str = CAPACITY) -> Sampled:
        return sampled(metric, {"node": node, "resource": resource, "unit": unit}, "10:00", "11:00", value)

    series = [
        offers("gpu-1", "10:00", "11:00"),
        size("gpu-1", "cpu", "core", 192),
        size("gpu-1", "memory", "byte", 2_147_483_648_000),
        size("gpu-1", "cpu", "core", 190, ALLOCATABLE),
        size("cpu-1", "cpu", "core", 64),
        size("cpu-1", "memory", "byte", 1 << 38),
    ]
    (row,) = sighted(series)
    assert (row["hostname"], row["vcpu_count"], row["memory_gib"]) == ("gpu-1", 192, 2000)
    assert json.loads(row["x_extra"]) == {"capacity": {"nvidia_com_gpu": "8"}}


def test_a_memory_beyond_all_machines_is_refused() -> None:
    labels = {"node": "gpu-1", "resource": "memory", "unit": "byte"}
    series = [offers("gpu-1", "10:00", "10:01"), sampled(CAPACITY, labels, "10:00", "10:01", 1 << 51)]
    parsed = parse(SOURCE, as_answer(series), url="http://p")
    assert [reject.reason for reject in parsed.rejects] == ["out_of_range"]
    assert parsed.rows["memory_gib"].to_pylist() == [None]


def test_a_node_that_has_gpus_and_cannot_offer_them_yet_is_a_row_without_capacity() -> None:
    labels = sampled(NODE_LABELS, {"node": "gpu-1", **A100}, "10:00", "11:00")
    rows = sighted([info("gpu-1", "10:00", "11:00"), labels, offers("gpu-1", "10:30", "11:00")])
    assert [row["gpu_capacity"] for row in rows] == [None, 8]
    assert intervals(rows) == [("10:00:00", "10:30:00"), ("10:30:00", "11:00:00")]


def test_a_node_that_is_cordoned_begins_another_interval_and_without_the_metric_it_is_unknown() -> None:
    states = [
        sampled(CORDONED, {"node": "gpu-1"}, "10:00", "10:30", 0),
        sampled(CORDONED, {"node": "gpu-1"}, "10:30", "11:00", 1),
    ]
    rows = sighted([offers("gpu-1", "10:00", "11:10"), *states])
    assert [row["is_cordoned"] for row in rows] == [False, True, None]
    assert intervals(rows) == [("10:00:00", "10:30:00"), ("10:30:00", "11:00:00"), ("11:00:00", "11:10:00")]


def test_a_name_that_another_machine_gets_is_two_sightings() -> None:
    series = [
        info("gpu-1", "10:00", "11:00"),
        info("gpu-1", "11:30", "12:00", provider_id="aws:///us-east-1a/i-0fff"),
        offers("gpu-1", "10:00", "11:00"),
        offers("gpu-1", "11:30", "12:00"),
    ]
    rows = sighted(series)
    assert [row["instance_id"] for row in rows] == ["i-0abc123def4567890", "i-0fff"]
    assert intervals(rows) == [("10:00:00", "11:00:00"), ("11:30:00", "12:00:00")]


def test_a_silence_beyond_five_minutes_is_unknown() -> None:
    series = without([info("gpu-1", "10:00", "11:00"), offers("gpu-1", "10:00", "11:00")], "10:20", "10:30")
    assert intervals(sighted(series)) == [("10:00:00", "10:20:00"), ("10:30:00", "11:00:00")]


def test_what_a_node_offers_is_added_up_over_whole_gpus_and_instances() -> None:
    series = [
        offers("gpu-1", "10:00", "11:00", 4),
        offers("gpu-1", "10:00", "11:00", 7, "nvidia_com_mig_1g_10gb"),
        offers("gpu-1", "10:00", "11:00", 3, metric=ALLOCATABLE),
    ]
    (row,) = sighted(series)
    assert row["gpu_capacity"] == 11
    assert json.loads(row["x_extra"]) == {
        "allocatable": {"nvidia_com_gpu": "3"},
        "capacity": {"nvidia_com_gpu": "4", "nvidia_com_mig_1g_10gb": "7"},
    }


def test_mig_instances_are_as_few_gpus_as_can_hold_them_where_no_label_counts_them() -> None:
    instances = "nvidia_com_mig_1g_10gb"
    (seven,) = sighted([offers("gpu-1", "10:00", "11:00", 7, instances)])
    (fifteen,) = sighted([offers("gpu-1", "10:00", "11:00", 15, instances), offers("gpu-1", "10:00", "11:00", 4)])
    assert (seven["gpu_count"], seven["gpu_capacity"]) == (1, 7)
    assert (fifteen["gpu_count"], fifteen["gpu_capacity"]) == (7, 19)


def test_instances_that_are_offered_as_gpus_are_known_by_the_product_s_label() -> None:
    labels = {"node": "gpu-1", "label_nvidia_com_gpu_product": "NVIDIA-A100-SXM4-80GB-MIG-3g.40gb"}
    (row,) = sighted([sampled(NODE_LABELS, labels, "10:00", "11:00"), offers("gpu-1", "10:00", "11:00", 4)])
    assert (row["gpu_count"], row["gpu_capacity"]) == (2, 4)
    (whole,) = sighted([offers("gpu-1", "10:00", "11:00", 4)])
    assert (whole["gpu_count"], whole["gpu_capacity"]) == (None, 4)


def test_a_time_sliced_node_says_as_how_many_shares_a_gpu_is_offered() -> None:
    labels = {
        **A100,
        "node": "gpu-1",
        "label_nvidia_com_gpu_replicas": "4",
        "label_nvidia_com_gpu_product": "NVIDIA-L4-SHARED",
    }
    (row,) = sighted([sampled(NODE_LABELS, labels, "10:00", "11:00"), offers("gpu-1", "10:00", "11:00", 32)])
    assert (row["gpu_replicas"], row["gpu_count"], row["gpu_capacity"]) == (4, 8, 32)
    assert row["gpu_model_name"] == "NVIDIA-L4"


def test_of_two_exporters_that_say_different_things_the_higher_number_counts() -> None:
    series = [
        offers("gpu-1", "10:00", "11:00", 8),
        offers("gpu-1", "10:00", "11:00", 7)._replace(
            labels={"node": "gpu-1", "resource": "nvidia_com_gpu", "unit": "integer", "instance": "ksm-1"}
        ),
    ]
    assert [row["gpu_capacity"] for row in sighted(series)] == [8]


def test_labels_that_are_new_are_kept_and_told_for_nodes_with_gpus_only() -> None:
    series = [
        info("gpu-1", "10:00", "11:00", rack="r7"),
        offers("gpu-1", "10:00", "11:00"),
        info("cpu-1", "10:00", "11:00", shelf="s1"),
    ]
    parsed = parse(SOURCE, as_answer(series), url="http://p")
    assert [json.loads(text)["rack"] for text in parsed.rows["x_extra"].to_pylist()] == ["r7"]
    assert parsed.notices == ("labels that are new, kept in x_extra: rack",)


@pytest.mark.parametrize(
    ("provider_id", "expected"),
    [
        (AWS, "i-0abc123def4567890"),
        ("aws:///us-east-1a/fargate-ip-10-0-1-2.ec2.internal", None),
        ("gce://my-project/us-central1-a/gke-gpu-pool-1a2b", "gke-gpu-pool-1a2b"),
        (
            "azure:///subscriptions/AAAA-1/resourceGroups/MC_rg/providers/Microsoft.Compute/virtualMachineScaleSets/aks-gpu-1-vmss/virtualMachines/3",
            "/subscriptions/aaaa-1/resourcegroups/mc_rg/providers/microsoft.compute/virtualmachinescalesets/aks-gpu-1-vmss/virtualmachines/3",
        ),
        ("ocid1.instance.oc1.iad.abc", "ocid1.instance.oc1.iad.abc"),
        ("oci://ocid1.instance.oc1.iad.abc", "ocid1.instance.oc1.iad.abc"),
        ("kind://docker/kind/kind-worker", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_machine_is_cut_out_of_the_providers_name(provider_id: str, expected: str | None) -> None:
    assert instance_id(provider_id) == expected


@pytest.mark.parametrize(
    ("label", "value", "expected"),
    [
        ("eks.amazonaws.com/capacityType", "SPOT", "spot"),
        ("eks.amazonaws.com/capacityType", "ON_DEMAND", "on_demand"),
        ("eks.amazonaws.com/capacityType", "CAPACITY_BLOCK", "reserved"),
        ("karpenter.sh/capacity-type", "spot", "spot"),
        ("karpenter.sh/capacity-type", "on-demand", "on_demand"),
        ("karpenter.sh/capacity-type", "reserved", "reserved"),
        ("cloud.google.com/gke-spot", "true", "spot"),
        ("cloud.google.com/gke-preemptible", "true", "spot"),
        ("cloud.google.com/gke-provisioning", "standard", "on_demand"),
        ("kubernetes.azure.com/scalesetpriority", "spot", "spot"),
        ("kubernetes.azure.com/scalesetpriority", "regular", "on_demand"),
        ("karpenter.sh/capacity-type", "something-new", None),
        ("example.com/spot", "true", None),
    ],
)
def test_how_a_machine_was_bought_is_read_off_its_clouds_label(label: str, value: str, expected: str | None) -> None:
    assert purchase_option({label: value}) == expected


def test_a_label_that_says_spot_wins_over_one_that_says_standard() -> None:
    assert (
        purchase_option({"cloud.google.com/gke-provisioning": "standard", "cloud.google.com/gke-spot": "true"})
        == "spot"
    )


@pytest.mark.parametrize("written", ["label_eks_amazonaws_com_capacity_type", "label_eks_amazonaws_com_capacityType"])
def test_a_label_is_found_in_either_form_that_kube_state_metrics_wrote(written: str) -> None:
    series = [sampled(NODE_LABELS, {"node": "gpu-1", **A100, written: "SPOT"}, "10:00", "11:00")]
    assert sighted(series)[0]["purchase_option"] == "spot"
