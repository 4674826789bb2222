"""Whose GPU time is: rules by namespace, by labels of pods and by labels of nodes, worked by hand."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from models.conservation import check_conservation
from models.gpu_costs import gpu_costs
from models.ledger import post
from tests.models.conftest import DAY

D = Decimal
HOUR = timedelta(hours=1)
POD = {"namespace": "ml", "pod": "p-1"}
OTHER = {"namespace": "ml", "pod": "p-2"}
TEAM_RED = {"match_kind": "pod_label", "match_key": "team", "match_value": "red", "team_id": "red"}
ML_IS_BLUE = {"match_kind": "namespace", "match_value": "ml", "team_id": "blue"}
NODE_IS_LAB = {"match_kind": "node_label", "match_key": "nodepool", "match_value": "lab", "team_id": "lab"}


def paid(rows, states, labels, owners, cost="2", hours=2, **charge):
    """What each account pays of a node's bill by the hour's holder and state, and that the ledger says the same."""
    frames = {
        "charge_groups": rows.charges(
            {"resource_id": "i-1", "cost": cost, "charge_end": DAY + hours * HOUR, "charge_start": DAY, **charge}
        ),
        "gpu_states": rows.states(*states),
        "pod_models": rows.pod_models(),
        "gpu_labels": rows.labels(*labels),
        "owners": rows.owners(*owners),
    }
    postings = post(**frames, usage=rows.usage(), pools=[])
    assert check_conservation(frames["charge_groups"], postings).is_empty()
    sums = pl.col("effective_cost").sum()
    costs = gpu_costs(**frames).group_by("account", "gpu_state").agg(sums).rows()
    final = postings.filter("is_final_account").group_by("to_account", "gpu_state").agg(sums).rows()
    assert sorted(costs) == sorted(final)
    return {row[:-1]: row[-1] for row in costs}


def test_a_pods_label_names_its_owner_and_pods_without_it_are_their_namespaces(rows):
    states = [POD | {"state_seconds": 1800}, OTHER | {"state_seconds": 1800}, {"hour_start": DAY + HOUR} | OTHER]
    labels = [POD | {"labels": '{"app":"x","team":"red"}'}, OTHER | {"labels": '{"team":"green"}'}]
    assert paid(rows, states, labels, [TEAM_RED, ML_IS_BLUE]) == {
        ("team:red", "effective"): D("0.5"),
        ("team:blue", "effective"): D("1.5"),
    }


def test_the_first_rule_of_the_file_wins_whatever_it_matches_by(rows):
    states = [POD, {"hour_start": DAY + HOUR, "state": "unallocated"}]
    labels = [POD | {"labels": '{"team":"red"}'}, {"hostname": "n1", "labels": '{"nodepool":"lab"}'}]
    for first in (TEAM_RED, ML_IS_BLUE, NODE_IS_LAB):
        rules = [first, *(rule for rule in (NODE_IS_LAB, ML_IS_BLUE, TEAM_RED) if rule is not first)]
        assert paid(rows, states, labels, rules) == {
            (f"team:{first['team_id']}", "effective"): D(1),
            ("team:lab", "unallocated"): D(1),
        }


def test_a_node_of_a_team_is_its_also_while_nobody_holds_it_and_another_node_is_a_residual(rows):
    """Three hours of two nodes: one pod without an owner, free time and a fault on each."""
    hours = ({"namespace": "x", "pod": "q"}, {"state": "unallocated"}, {"state": "unhealthy"} | POD)
    states = [
        row | {"hour_start": DAY + n * HOUR, "hostname": name, "gpu_uuid": name}
        for n, row in enumerate(hours)
        for name in ("n1", "n2")
    ]
    labels = [{"hostname": "n1", "labels": '{"nodepool":"lab"}'}, {"hostname": "n2", "labels": '{"nodepool":"web"}'}]
    assert paid(rows, states, labels, [NODE_IS_LAB], cost="6", hours=3) == {
        ("team:lab", "effective"): D(1),
        ("team:lab", "unallocated"): D(1),
        ("team:lab", "unhealthy"): D(1),
        ("residual:unowned_gpu", "effective"): D(1),
        ("residual:idle", "unallocated"): D(1),
        ("residual:unhealthy_gpu", "unhealthy"): D(1),
    }


def test_a_label_holds_while_it_is_told_and_a_rule_on_its_days(rows):
    """The label moves from red to green at two; the rule for red ends with the day, and the next hours are nobody's."""
    states = [POD | {"hour_start": DAY + n * HOUR} for n in (0, 1, 2, 24)]
    labels = [
        POD | {"labels": '{"team":"red"}', "told_to": DAY + 2 * HOUR},
        POD | {"labels": '{"team":"green"}', "told_from": DAY + 2 * HOUR},
        POD | {"labels": '{"team":"red"}', "told_from": DAY + 24 * HOUR, "told_to": DAY + 48 * HOUR},
    ]
    owners = [TEAM_RED | {"valid_to": date(2026, 10, 6)}, TEAM_RED | {"match_value": "green", "team_id": "green"}]
    assert paid(rows, states, labels, owners, cost="4", hours=25) == {
        ("team:red", "effective"): D(2),
        ("team:green", "effective"): D(1),
        ("residual:unowned_gpu", "effective"): D(1),
    }


def test_labels_of_a_pod_of_that_name_elsewhere_do_not_count(rows):
    labels = [
        POD | {"labels": '{"team":"red"}', "cluster": "c2"},
        POD | {"labels": '{"team":"red"}', "namespace": "web"},
        POD
        | {"labels": '{"team":"red"}', "usage_date": date(2026, 10, 4), "told_from": DAY - 24 * HOUR, "told_to": DAY},
    ]
    assert paid(rows, [POD], labels, [TEAM_RED]) == {("residual:unowned_gpu", "effective"): D(2)}


def test_an_owner_of_the_bill_line_goes_before_labels(rows):
    labels = [POD | {"labels": '{"team":"red"}'}]
    owners = [TEAM_RED, {"match_kind": "resource", "match_value": "i-1", "team_id": "blue"}]
    assert paid(rows, [POD], labels, owners) == {("team:blue", "effective"): D(2)}


IN_EACH = ({"cluster": "east"}, {"cluster": "west", "gpu_uuid": "gpu-2", "hostname": "n2"})


def test_one_namespace_of_two_clusters_is_each_cluster_s_own_teams(rows):
    """An hour of a pod in each: the rule for one cluster stands before its like for any, also when written later."""
    both = [POD | {"hour_start": DAY, **there} for there in IN_EACH]
    west = ML_IS_BLUE | {"cluster": "west", "team_id": "green"}
    for rules in ([ML_IS_BLUE, west], [west, ML_IS_BLUE]):
        assert paid(rows, both, [], rules) == {("team:blue", "effective"): D(1), ("team:green", "effective"): D(1)}
    east = ML_IS_BLUE | {"cluster": "east"}
    assert paid(rows, both, [], [east]) == {
        ("team:blue", "effective"): D(1),
        ("residual:unowned_gpu", "effective"): D(1),
    }


def test_a_rule_for_a_cluster_takes_the_place_of_its_like_and_no_other_s(rows):
    """The label's rule stands between: before the namespace where it is first, and behind where the namespace is."""
    both = [POD | {"hour_start": DAY, **there} for there in IN_EACH]
    labels = [POD | {"labels": '{"team":"red"}', "cluster": there["cluster"]} for there in IN_EACH]
    west = ML_IS_BLUE | {"cluster": "west", "team_id": "green"}
    assert paid(rows, both, labels, [TEAM_RED, ML_IS_BLUE, west]) == {("team:red", "effective"): D(2)}
    assert paid(rows, both, labels, [ML_IS_BLUE, TEAM_RED, west]) == {
        ("team:blue", "effective"): D(1),
        ("team:green", "effective"): D(1),
    }
    # a rule that has ended holds no place
    ended = ML_IS_BLUE | {"valid_to": date(2026, 10, 1)}
    assert paid(rows, both, labels, [ended, TEAM_RED, west]) == {("team:red", "effective"): D(2)}


def test_labels_of_pods_and_nodes_may_be_limited_to_a_cluster_too(rows):
    free = {"state": "unallocated", "hour_start": DAY + HOUR}
    states = [row | there for there in IN_EACH for row in (POD | {"hour_start": DAY}, free)]
    labels = [POD | {"labels": '{"team":"red"}', "cluster": there["cluster"]} for there in IN_EACH]
    labels += [
        {"hostname": n, "cluster": c, "labels": '{"nodepool":"lab"}'} for n, c in (("n1", "east"), ("n2", "west"))
    ]
    rules = [TEAM_RED | {"cluster": "east"}, NODE_IS_LAB | {"cluster": "west"}]
    assert paid(rows, states, labels, rules, cost="4") == {
        ("team:red", "effective"): D(1),
        ("residual:idle", "unallocated"): D(1),
        ("team:lab", "effective"): D(1),
        ("team:lab", "unallocated"): D(1),
    }
