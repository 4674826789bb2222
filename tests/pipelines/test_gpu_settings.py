"""What `farthing.yml` says of GPUs stands in the tables that their SQL reads."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.config import ConfigError, load
from pipelines.house import open_house
from pipelines.night.references import write_references
from tests.pipelines.small_company import write_company

GPUS = """\
gpu_idleness: {activity_below: 0.1, training_minutes: 45}
gpu_work:
  - {namespace: research, pod_prefix: nightly-, kind: batch}
warm_standby:
  - {cluster: prod, namespace: chat, workload: vllm-70b, replicas: 2}
"""


def company(folder: Path, more: str) -> Path:
    """The small company's file with more in it."""
    write_company(folder)
    file = folder / "farthing.yml"
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    return file


def test_rules_for_gpus_are_read_in_the_file_s_order(tmp_path: Path) -> None:
    with open_house(company(tmp_path, GPUS), "run-1") as house:
        write_references(house)
        (rules,) = house.lake.read("gpu_rules").to_pylist()
        work = sorted(house.lake.read("gpu_workload_rules").to_pylist(), key=lambda row: row["priority"])
    assert rules == {
        "idle_activity_ratio": Decimal("0.1"),
        "idle_utilisation_ratio": Decimal("0.01"),
        "full_activity_ratio": Decimal("0.8"),
        "interactive_idle_seconds": 900,
        "training_idle_seconds": 2700,
        "batch_idle_seconds": 300,
    }
    names = ("cluster", "namespace", "workload_name", "pod_prefix", "work_kind", "standby_replicas")
    assert [tuple(row[name] for name in names) for row in work] == [
        ("", "research", "", "nightly-", "batch", None),
        ("prod", "chat", "vllm-70b", "", None, 2),
    ]


def test_owner_rules_by_labels_stand_among_the_others_in_the_file_s_order(tmp_path: Path) -> None:
    file = company(tmp_path, "")
    rules = (
        "owners:\n  - {id: pods, pod_label: {key: team, value: x}, team: search, from: 2026-02-01, to: 2026-03-01}\n"
    )
    rules += "  - {id: lab, node_label: {key: karpenter.sh/nodepool, value: lab}, team: search}\n"
    sources = "".join(
        f"  - {{name: {kind[11:]}, kind: {kind}, account: c, url: 'http://prometheus:9090'}}\n"
        for kind in ("kubernetes_allocations", "kubernetes_nodes")
    )
    text = file.read_text(encoding="utf-8").replace("owners:\n", rules, 1)
    file.write_text(text.replace("sources:\n", f"sources:\n{sources}", 1), encoding="utf-8")
    with open_house(file, "run-1") as house:
        write_references(house)
        owners = sorted(house.lake.read("owners").to_pylist(), key=lambda row: row["priority"])
    named = ("rule_id", "match_kind", "match_key", "match_value", "team_id", "valid_from", "valid_to")
    assert [tuple(row[name] for name in named) for row in owners[:2]] == [
        ("pods", "pod_label", "team", "x", "search", date(2026, 2, 1), date(2026, 3, 1)),
        ("lab", "node_label", "karpenter.sh/nodepool", "lab", "search", date(1970, 1, 1), date(9999, 12, 31)),
    ]


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ("gpu_idleness: {activity_below: 5}", "activity_below"),
        ("gpu_idleness: {batch_minutes: 0}", "batch_minutes"),
        ("gpu_work: [{namespace: a, kind: sleeping}]", "kind"),
        ("warm_standby: [{namespace: a, replicas: 0}]", "replicas"),
        ("warm_standby: [{replicas: 1}]", "namespace"),
    ],
)
def test_a_rule_for_gpus_that_cannot_hold_is_told_with_its_place(tmp_path: Path, wrong: str, where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        load(company(tmp_path, wrong + "\n"), {})
