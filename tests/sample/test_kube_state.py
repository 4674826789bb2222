from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

import pytest

from tests.sample.scrapes import Reading, lines, readings

REPLACED = datetime(2026, 10, 20, 10, 20)
STEP = timedelta(minutes=5)


@pytest.fixture(scope="session")
def said(october) -> dict[str, list[Reading]]:
    found: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings(october.directory / "exports/kube-state-metrics/serving"):
        found[reading.metric].append(reading)
    return found


def running(said) -> set[tuple[str, datetime]]:
    return {
        (labels["pod"], at)
        for _, labels, value, at in said["kube_pod_status_phase"]
        if labels["phase"] == "Running" and value == 1
    }


def test_gpu_seconds_of_running_pods_are_those_of_the_truth(said, october):
    runs, held = running(said), Counter()
    for _, labels, value, at in said["kube_pod_container_resource_requests"]:
        if (labels["pod"], at) in runs:
            held[labels["pod"]] += int(value) * 300
    assert held == october.truth["gpu_seconds_held"]
    # Eight GPUs for a month, nobody waiting; two of them changed hands after 19 days, ten hours and twenty minutes.
    assert held.total() == 8 * 31 * 86_400
    assert held["llm-house-3"] == 2 * (19 * 86_400 + 37_200)


def test_a_pod_that_waits_asks_for_gpus_without_a_node(said):
    asked = said["kube_pod_container_resource_requests"]
    waiting = [(labels["pod"], at) for _, labels, _, at in asked if not labels["node"]]
    assert waiting == [("llm-house-4", REPLACED - STEP)]
    assert {labels["node"] for _, labels, *_ in asked} == {"", "serve-h100-01"}
    pending = [
        (labels["pod"], at)
        for _, labels, value, at in said["kube_pod_status_phase"]
        if labels["phase"] == "Pending" and value == 1
    ]
    assert pending == waiting
    assert not {*waiting} & running(said)


def test_running_pods_are_those_that_hold_the_gpus_by_their_own_samples(said, october):
    runs: dict[datetime, Counter[str]] = defaultdict(Counter)
    for pod, at in running(said):
        runs[at][pod] = 2
    day = date(2026, 10, 20)
    held: dict[datetime, Counter[str]] = defaultdict(Counter)
    for name, labels, _, stamp in lines(october.directory / f"exports/dcgm/serving/{day}/serve-h100-01.prom.gz"):
        if name == "DCGM_FI_DEV_GPU_UTIL":
            held[datetime(1970, 1, 1) + timedelta(milliseconds=stamp)][labels["pod"]] += 1
    assert len(held) == 288
    assert held == {at: pods for at, pods in runs.items() if at.date() == day}


def test_every_pod_has_an_owner_and_a_model_and_an_identity_of_its_own(said):
    owners = {(labels["owner_kind"], labels["owner_name"]) for _, labels, *_ in said["kube_pod_owner"]}
    assert owners == {("ReplicaSet", "llm-house-7c9f6b5d48")}
    assert {labels["label_model"] for _, labels, *_ in said["kube_pod_labels"]} == {"llama-3.1-8b-instruct"}
    identities = {(labels["pod"], labels["uid"]) for _, labels, *_ in said["kube_pod_owner"]}
    assert len(identities) == len({uid for _, uid in identities}) == 5


def test_the_node_is_the_machine_on_the_bill_and_offers_its_eight_gpus(said, october):
    (info,) = {tuple(labels.items()) for _, labels, *_ in said["kube_node_info"]}
    bill = (october.directory / "exports/gpucloud/2026-10/nimbus-2026-10.csv").read_text()
    machine = dict(info)["provider_id"].rpartition("/")[2]
    assert f",{machine}," in bill
    for name in ("capacity", "allocatable"):
        assert {int(reading.value) for reading in said[f"kube_node_status_{name}"]} == {8}
    assert {int(reading.value) for reading in said["kube_node_spec_unschedulable"]} == {0}
    assert len(said["kube_node_info"]) == 31 * 288
