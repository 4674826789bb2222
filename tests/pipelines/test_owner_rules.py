"""An owner rule that matches nothing is told with its line and the nearest there is, wherever people may look."""

from datetime import date, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.cli.commands import WITH_PROBLEMS, check
from pipelines.house import House, open_house
from pipelines.night.idle_rules import idle_rules
from pipelines.night.shared_namespaces import shared_namespaces
from tests.pipelines.conftest import night
from tests.pipelines.small_company import CONFIG, DAY, write_company
from tests.sql.golden import filled

OCTOBER = date(2026, 10, 1)
SINCE = "since 2026-06-01"  # a hundred days before October the 1st are the 23rd of June
RULES = (
    "{id: a, tag: {key: team, value: search}}",
    "{id: b, tag: {key: tem, value: search}}",
    "{id: c, tag: {key: team, value: serach}}",
    "{id: d, sub_account: project-1}",
    "{id: e, sub_account: projct-1}",
    "{id: f, resource: i-1}",
    "{id: g, resource: elsewhere}",
    "{id: h, gateway_key: alias}",
    "{id: i, gateway_key: hash}",
    "{id: j, gateway_key: aliass}",
    "{id: k, gateway_team: them}",
    "{id: l, feature: answers}",
    "{id: m, feature: anwers}",
    "{id: n, feature: anwers, to: 2026-01-01}",
    "{id: o, namespace: ml}",
    "{id: p, pod_label: {key: team, value: search}}",
    "{id: q, pod_label: {key: pool, value: blue}}",
    "{id: r, node_label: {key: pool, value: blue}}",
    "{id: s, node_label: {key: pool, value: red}}",
)
PROMETHEUS = "account: c, url: 'http://127.0.0.1:9090'"
HEAD = CONFIG[: CONFIG.index("owners:\n")].replace(
    "sources:\n",
    "sources:\n"
    f"  - {{name: pods, kind: kubernetes_allocations, {PROMETHEUS}, pod_labels: [team, pool]}}\n"
    f"  - {{name: nodes, kind: kubernetes_nodes, {PROMETHEUS}, node_labels: [pool]}}\n",
)


def company(folder: Path) -> Path:
    write_company(folder)
    rules = "".join(f"  - {rule[:-1]}, team: search}}\n" for rule in RULES)
    (folder / "farthing.yml").write_text(HEAD + "owners:\n" + rules, encoding="utf-8")
    return folder / "farthing.yml"


def put(house: House, table: str, day: date, *rows: dict[str, str]) -> None:
    house.lake.replace_slice(table, day, "farthing", filled(table, list(rows)), f"{table} {rows}")


def test_each_kind_of_rule_is_held_against_what_bills_and_logs_name(tmp_path: Path) -> None:
    config = company(tmp_path)
    with open_house(config, "filling", clock=lambda: datetime(2026, 10, 31)) as house:
        assert idle_rules(house) == []  # nothing was delivered: nothing can match
        bill = {"billing_period": str(OCTOBER), "charge_group_id": "1", "sub_account_id": "project-1"}
        put(
            house,
            "charge_groups",
            OCTOBER,
            bill | {"resource_id": "i-1", "tags": '{"team": "search", "stage": "live"}'},
            bill | {"charge_group_id": "2"},
        )
        used = {"usage_date": str(OCTOBER), "key_alias": "alias", "key_id": "hash", "gateway_team_id": ""}
        put(house, "usage_by_team_daily", OCTOBER, used | {"feature": "answers"})
        pod, node = {"namespace": "ml", "pod": "p-1"}, {"hostname": "n-1", "namespace": "", "pod": ""}
        put(
            house,
            "gpu_labels",
            OCTOBER,
            {"usage_date": str(OCTOBER), "labels": '{"team": "search"}', **pod},
            {"usage_date": str(OCTOBER), "labels": '{"pool": "blue"}', **node},
        )
        told = [(rule.rule_id, rule.line, rule.message, rule.remedy) for rule in idle_rules(house)]
    first = HEAD.count("\n") + 2
    lines = {rule[5]: first + index for index, rule in enumerate(RULES)}
    assert told == [
        ("b", lines["b"], f"no bill line has a tag 'tem' {SINCE}", "Did you mean 'team'?"),
        ("c", lines["c"], f"no bill line has a tag 'team' that is 'serach' {SINCE}", "Did you mean 'search'?"),
        ("e", lines["e"], f"no bill line is of the sub-account 'projct-1' {SINCE}", "Did you mean 'project-1'?"),
        ("g", lines["g"], f"no bill line is of the resource 'elsewhere' {SINCE}", "Expected one of: i-1."),
        ("j", lines["j"], f"no logged request has the key 'aliass' {SINCE}", "Did you mean 'alias'?"),
        (
            "k",
            lines["k"],
            f"no logged request has the gateway's team 'them' {SINCE}",
            "Nothing of that kind has a name.",
        ),
        ("m", lines["m"], f"no logged request names the feature 'anwers' {SINCE}", "Did you mean 'answers'?"),
        ("q", lines["q"], f"no pod or job has a label 'pool' {SINCE}", "Expected one of: team."),
        ("s", lines["s"], f"no node has a label 'pool' that is 'red' {SINCE}", "Expected one of: blue."),
    ]  # of namespaces nothing: no GPU was sampled; and n has ended


def test_a_rule_for_one_cluster_is_held_against_that_cluster(tmp_path: Path) -> None:
    config = company(tmp_path)
    rules = ("a, namespace: ml, cluster: east", "b, namespace: ml, cluster: west", "c, namespace: ml")
    rules += ("d, pod_label: {key: pool, value: blue}, cluster: east",)
    listed = "".join(f"  - {{id: {rule}, team: search}}\n" for rule in rules)
    config.write_text(HEAD + "owners:\n" + listed, encoding="utf-8")
    with open_house(config, "filling", clock=lambda: datetime(2026, 10, 31)) as house:
        put(house, "gpu_states_hourly", OCTOBER, {"usage_date": str(OCTOBER), "cluster": "east", "namespace": "ml"})
        pod = {"usage_date": str(OCTOBER), "namespace": "ml", "pod": "p-1", "labels": '{"pool": "blue"}'}
        put(house, "gpu_labels", OCTOBER, pod | {"cluster": "west"})
        assert [(rule.rule_id, rule.message) for rule in idle_rules(house)] == [
            ("b", f"no GPU was held by the namespace 'ml' in cluster 'west' {SINCE}"),
            ("d", f"no pod or job has a label 'pool' in cluster 'east' {SINCE}"),
        ]


def test_a_namespace_of_several_clusters_under_one_rule_is_a_hint_of_check(tmp_path: Path) -> None:
    config = company(tmp_path)
    held = [{"usage_date": str(OCTOBER), "cluster": name, "namespace": "ml"} for name in ("a", "b", "c")]
    held += [{"usage_date": str(OCTOBER), "cluster": "a", "namespace": "web"}]

    def hints(*rules: str) -> list[str]:
        listed = "".join(f"  - {{id: {rule}, team: search}}\n" for rule in rules)
        config.write_text(HEAD + "owners:\n" + listed, encoding="utf-8")
        with open_house(config, "filling", clock=lambda: datetime(2026, 10, 31)) as house:
            put(house, "gpu_states_hourly", OCTOBER, *held)
            return shared_namespaces(house)

    told = (
        "owner rule 'x' takes namespace 'ml' of clusters {} for one. If it is not the same team's in each, give each "
    )
    told += "cluster a rule with 'cluster'."
    assert hints("x, namespace: ml", "y, namespace: web") == [told.format("a, b, c")]
    assert hints("x, namespace: ml", "y, namespace: ml, cluster: b") == [told.format("a, c")]
    assert hints("x, namespace: ml", "y, namespace: ml, cluster: b", "z, namespace: ml, cluster: c") == []


@pytest.fixture
def ended(tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    """A company with a slip in a rule, after its night, and what that told."""
    config = write_company(tmp_path)
    config.write_text(CONFIG.replace("key: owner", "key: ownr"), encoding="utf-8")
    found = night(config, DAY)
    assert (found.result.published, found.problems) == (True, "")
    return config, tuple(found.told.notices)


def test_a_slip_in_a_rule_is_told_by_the_night_the_overview_and_check(ended: tuple[Path, tuple[str, ...]]) -> None:
    config, notices = ended
    line = CONFIG[: CONFIG.index("id: formula-tag")].count("\n") + 1
    told = (
        f"farthing.yml:{line}: owner rule 'formula-tag' matches nothing: no bill line has a tag 'ownr' since "
        "2026-07-01. Did you mean 'owner'?"
    )
    assert told in notices
    overview = (config.parent / "reports" / "2026-10" / "index.html").read_text(encoding="utf-8")
    assert "Owner rules that match nothing" in overview
    assert "no bill line has a tag &#39;ownr&#39; since 2026-07-01. Did you mean &#39;owner&#39;?" in overview
    statements = config.parent.glob("reports/2026-10/*.txt")
    assert all("ownr" not in statement.read_text(encoding="utf-8") for statement in statements)
    console = Console(file=StringIO(), width=1000)
    assert check(console, config, offline=False) == WITH_PROBLEMS
    assert isinstance(console.file, StringIO)
    assert told in console.file.getvalue()
