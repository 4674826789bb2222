"""Clusters that one side of the file names and the other does not are told by `farthing check`."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.cli import commands
from pipelines.config.clusters import clusters_apart
from pipelines.config.load import ConfigError, load
from pipelines.config.positions import read

START = """\
company: Small
lake: lake
teams: [{id: x, name: X}, {id: y, name: Y}]
sources:
"""
DCGM = "  - {name: gpus, kind: dcgm, account: NAME, url: 'http://prometheus:9090'}\n"
PODS = "  - {name: pods, kind: kubernetes_allocations, account: NAME, url: 'http://prometheus:9090'}\n"
ENGINES = "  - {name: engines, kind: serving, account: NAME, url: 'http://prometheus:9090'}\n"
HOSTS = "hosts:\n  - {resource_id: i-1, hostname: node-1, cluster: NAME, gpus: 8}\n"
CLOUD = "  - {name: cloud, kind: aws_gpu_metrics, account: '1', regions: [us-east-1], credentials: ambient}\n"


def of(template: str, name: str) -> str:
    return template.replace("NAME", name)


def told(folder: Path, text: str) -> list[str]:
    """What is told of the file, each with its line."""
    file = folder / "farthing.yml"
    file.write_text(START + text, encoding="utf-8")
    config, _ = load(file)
    return [f"{p.line} {p.where}: {p.message}. {p.remedy}" for p in clusters_apart(read(file), config)]


@pytest.mark.parametrize(
    "text",
    [
        of(DCGM, "prod") + of(PODS, "prod") + of(HOSTS, "prod"),
        # two clusters, each with two sides
        of(DCGM, "a") + of(PODS, "b") + of(ENGINES, "a") + of(HOSTS, "b"),
        # a cloud's metrics are of the cluster of their machine
        CLOUD + of(DCGM, "prod") + of(PODS, "prod") + of(HOSTS, "elsewhere"),
        # nothing that it could meet
        of(DCGM, "a"),
        of(DCGM, "a") + of(DCGM, "b").replace("gpus", "more").replace("9090", "9091"),
        of(HOSTS, "b").replace("hosts:", "  - {name: bill, kind: focus, location: bills}\nhosts:"),
    ],
)
def test_clusters_that_meet_or_have_nobody_to_meet_are_nothing_to_tell(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text) == []


def test_samples_of_a_cluster_that_no_host_names_are_told_on_both_sides(tmp_path: Path) -> None:
    assert told(tmp_path, of(DCGM, "prdo") + of(HOSTS, "prod")) == [
        (
            "5 sources[0].account: cluster 'prdo' has samples of GPUs and nothing else, so they meet nobody: 'prod' has "
            "machines and their bill (hosts). Did you mean 'prod'? One cluster is one name: 'cluster' of hosts, "
            "'account' of its sources."
        ),
        (
            "7 hosts[0].cluster: cluster 'prod' has machines and their bill (hosts) and nothing else, so they meet "
            "nobody: 'prdo' has samples of GPUs. Did you mean 'prdo'? One cluster is one name: 'cluster' of hosts, "
            "'account' of its sources."
        ),
    ]


def test_an_account_that_was_left_out_is_a_cluster_of_its_own(tmp_path: Path) -> None:
    engines = of(ENGINES, "prod").replace("account: prod, ", "")
    (found,) = told(tmp_path, of(DCGM, "prod") + engines + of(HOSTS, "prod"))
    assert found.startswith("6 sources[1].account: cluster 'default' has serving engines and nothing else")


def test_a_rule_for_a_cluster_that_nothing_names_is_told(tmp_path: Path) -> None:
    rule = "warm_standby:\n  - {cluster: prdo, namespace: chat, replicas: 1}\n"
    assert told(tmp_path, of(DCGM, "prod") + of(HOSTS, "prod") + rule) == [
        (
            "9 warm_standby[0].cluster: no source and no host is of cluster 'prdo': the rule fits nobody. "
            "Did you mean 'prod'?"
        )
    ]


@pytest.mark.parametrize(("host_cluster", "expected"), [("prod", commands.OK), ("prdo", commands.WITH_PROBLEMS)])
def test_check_tells_it_without_trying_a_source(tmp_path: Path, host_cluster: str, expected: int) -> None:
    file = tmp_path / "farthing.yml"
    file.write_text(START + of(DCGM, "prod") + of(HOSTS, host_cluster), encoding="utf-8")
    out = StringIO()
    assert commands.check(Console(file=out, width=1000), file, offline=True) == expected
    assert (f"✗ {file}:7:" in out.getvalue()) == (expected == commands.WITH_PROBLEMS)


def owned(*rules: str) -> str:
    """A cluster `prod`, and owner rules, each with its line."""
    listed = "".join(f"  - {{{rule}}}\n" for rule in rules)
    return of(DCGM, "prod") + of(HOSTS, "prod") + "owners:\n" + listed


def test_an_owner_rule_for_a_cluster_that_nothing_names_is_told(tmp_path: Path) -> None:
    text = owned("id: a, namespace: ml, cluster: prd, team: x", "id: b, namespace: ml, cluster: prod, team: x")
    assert told(tmp_path, text) == [
        "9 owners[0].cluster: no source and no host is of cluster 'prd': the rule fits nobody. Did you mean 'prod'?"
    ]


def test_an_owner_rule_that_an_earlier_one_leaves_nothing_is_told_once(tmp_path: Path) -> None:
    text = owned(
        "id: a, namespace: ml, team: x",
        "id: b, namespace: ml, cluster: prod, team: y",
        "id: c, namespace: ml, team: y",
        "id: d, namespace: ml, team: x",
        "id: e, namespace: ml, cluster: prod, team: y, from: 2026-10-01",
        "id: f, namespace: ml, cluster: prod, team: x, from: 2026-10-01",
        "id: g, gateway_key: k, team: x",
        "id: h, gateway_key: k, team: y",
    )
    never = (
        "never matches: '{}' on line {} takes the same of the same clusters. Name the 'cluster' of one of them, give"
    )
    never += " each its days, or remove one."
    assert told(tmp_path, text) == [
        f"11 owners[2]: 'c' {never.format('a', 9)}",
        f"14 owners[5]: 'f' {never.format('b', 10)}",
    ]


def test_a_cluster_goes_with_rules_of_gpus_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'cluster' goes with namespace, pod_label, node_label, not with tag"):
        told(tmp_path, owned("id: a, tag: {key: k, value: v}, cluster: prod, team: x"))
