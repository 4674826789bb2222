"""What `farthing.yml` says of GPUs stands in the tables that their SQL reads."""

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
