"""Known errors on bills: what is taken off whom, worked out by hand, and that the ledger balances with them."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errata import Erratum, Standing, judge
from models.ledger import check_conservation, post
from models.policy import Policy
from models.pools import Pool, Split
from tests.models.conftest import DAY, Rows

D = Decimal
OCTOBER = date(2026, 10, 1)
OWNERS = [{"match_kind": "sub_account", "match_value": name, "team_id": name} for name in ("search", "support")]


def erratum(billed="10", change="-4", **given):
    return Erratum("double", OCTOBER, "OpenAI", "USD", D(billed), D(change), **given)


def settle(rows, charges, *errata, **given):
    bill = rows.charges(*charges)
    frames = {"usage": (), "owners": OWNERS, "states": ()} | given
    postings = post(
        charge_groups=bill,
        usage=rows.usage(*frames["usage"]),
        gpu_states=rows.states(*frames["states"]),
        pod_models=rows.pod_models(),
        gpu_labels=rows.labels(),
        owners=rows.owners(*frames["owners"]),
        pools=given.get("pools", []),
        policy=Policy(errata=errata),
    )
    assert check_conservation(bill, postings).is_empty()
    return postings


def corrections(postings, *columns):
    moves = postings.filter(rule_kind="correction").sort("to_account", "charge_group_id")
    return moves.select("to_account", *columns, "effective_cost").rows()


def test_the_bill_is_posted_as_it_is_and_a_last_step_takes_the_error_off_its_owner(rows):
    charges = [{"cost": "10", "sub_account_id": "search"}]
    without = settle(rows, charges)
    postings = settle(rows, charges, erratum())
    assert postings.filter(~(postings["rule_kind"] == "correction")).equals(without)
    moves = postings.filter(rule_kind="correction").select(
        "step", "rule_id", "from_account", "to_account", "effective_cost", "billed_cost", "is_final_account"
    )
    assert sorted(moves.rows()) == [
        (5, "double", "pool:errata", "residual:errata", D(4), D(4), True),
        (5, "double", "pool:errata", "team:search", D(-4), D(-4), True),
    ]


def test_who_carries_the_lines_is_corrected_in_proportion_to_the_last_unit(rows):
    # 10 is 7 and 3, of which -1 takes 0.7 and 0.3; the other service is not meant
    charges = [
        {"cost": "7", "sub_account_id": "search"},
        {"cost": "3", "sub_account_id": "support"},
        {"cost": "5", "sub_account_id": "search", "service_name": "Other"},
    ]
    postings = settle(rows, charges, erratum(change="-1", match={"service_name": "API"}))
    assert corrections(postings) == [
        ("residual:errata", D("0.7")),
        ("residual:errata", D("0.3")),
        ("team:search", D("-0.7")),
        ("team:support", D("-0.3")),
    ]


def test_what_a_shared_pool_gave_to_three_teams_is_taken_off_all_three(rows):
    pool = Pool("shared", split=Split.EVEN, shares={"team:a": 1, "team:b": 1, "team:c": 1})
    owners = [{"match_kind": "sub_account", "match_value": "platform", "team_id": None, "pool_id": "shared"}]
    postings = settle(
        rows, [{"cost": "9", "sub_account_id": "platform"}], erratum("9", "-1"), owners=owners, pools=[pool]
    )
    assert corrections(postings) == [
        ("residual:errata", D(1)),
        ("team:a", D("-0.333333333334")),
        ("team:b", D("-0.333333333333")),
        ("team:c", D("-0.333333333333")),
    ]


def test_the_effective_cost_changes_in_proportion_to_the_billed(rows):
    charge = {"cost": "10", "sub_account_id": "search"} | {"effective_cost": D("2.5")}
    moves = settle(rows, [charge], erratum()).filter(to_account="team:search", rule_kind="correction")
    assert moves.select("billed_cost", "effective_cost").rows() == [(D(-4), D(-1))]


def test_a_purchase_without_effective_cost_is_corrected_as_billed_alone(rows):
    charge = {"cost": "10", "sub_account_id": "search"} | {"effective_cost": D(0)}
    moves = settle(rows, [charge], erratum()).filter(to_account="team:search", rule_kind="correction")
    assert moves.select("billed_cost", "effective_cost").rows() == [(D(-4), D(0))]


def test_a_credit_among_the_lines_carries_nothing_of_the_error(rows):
    charges = [{"cost": "12", "sub_account_id": "search"}, {"cost": "-2", "sub_account_id": "support"}]
    assert corrections(settle(rows, charges, erratum())) == [("residual:errata", D(4)), ("team:search", D(-4))]


def test_what_was_credited_too_much_is_taken_back_from_who_has_the_credit(rows):
    charges = [{"cost": "-10", "sub_account_id": "search"}]
    assert corrections(settle(rows, charges, erratum("-10", "3"))) == [
        ("residual:errata", D(-3)),
        ("team:search", D(3)),
    ]


def test_a_bill_that_changed_is_not_corrected_and_a_cent_is_no_change(rows):
    def standing(cost):
        (found,) = judge(rows.charges({"cost": cost}), [erratum()])
        return found.standing, found.line_count, found.billed_cost

    assert standing("10.01") == (Standing.APPLIED, 1, D("10.01"))
    assert standing("9.99") == (Standing.APPLIED, 1, D("9.99"))
    assert standing("10.010000000001") == (Standing.BILL_CHANGED, 1, D("10.010000000001"))
    assert standing("6") == (Standing.BILL_CHANGED, 1, D(6))
    assert settle(rows, [{"cost": "6"}], erratum()).filter(rule_kind="correction").is_empty()


def test_a_cent_that_is_no_longer_on_the_bill_is_a_change_not_a_tolerance(rows):
    # 0 or -0.005 are within a cent of 0.01, and nobody is charged what could be taken off
    for charges in (["2", "-2"], ["0"], ["-0.005"]):
        bill = [{"cost": cost, "sub_account_id": "search"} for cost in charges]
        (found,) = judge(rows.charges(*bill), [erratum("0.01", "-0.01")])
        assert found.standing is Standing.BILL_CHANGED, charges
        assert settle(rows, bill, erratum("0.01", "-0.01")).filter(rule_kind="correction").is_empty()
    (found,) = judge(rows.charges({"cost": "0.005"}), [erratum("0.01", "-0.01")])
    assert found.standing is Standing.APPLIED


def test_a_line_is_corrected_once_by_the_first_erratum_that_applies(rows):
    # the second names the same 100 by its machine: both would leave search with 100 - 100 - 100 = -100
    bill = [
        {"cost": "100", "sub_account_id": "search", "resource_id": "i-1", "invoice_id": "INV-1"},
        {"cost": "30", "sub_account_id": "search", "resource_id": "i-2", "invoice_id": "INV-2"},
    ]
    by_invoice, by_machine, apart = (
        replace(erratum(billed, f"-{billed}", match=match), erratum_id=name)
        for name, billed, match in (
            ("by-invoice", "100", {"invoice_id": "INV-1"}),
            ("by-machine", "100", {"resource_id": "i-1"}),
            ("apart", "30", {"resource_id": "i-2"}),
        )
    )
    found = judge(rows.charges(*bill), [by_invoice, by_machine, apart])
    assert [(one.standing, one.overlapped_id, one.billed_cost) for one in found] == [
        (Standing.APPLIED, None, D(100)),
        (Standing.OVERLAPS, "by-invoice", D(100)),
        (Standing.APPLIED, None, D(30)),
    ]
    postings = settle(rows, bill, by_invoice, by_machine, apart)
    assert sorted(corrections(postings, "rule_id")) == [
        ("residual:errata", "apart", D(30)),
        ("residual:errata", "by-invoice", D(100)),
        ("team:search", "apart", D(-30)),
        ("team:search", "by-invoice", D(-100)),
    ]


def test_an_erratum_that_moves_nothing_leaves_its_lines_to_the_next(rows):
    # of the first the bill has changed (10 where 8 was reviewed); the second is right
    charges = [{"cost": "10", "sub_account_id": "search"}]
    changed, right = (
        replace(erratum("8", "-8"), erratum_id="changed"),
        replace(erratum("10", "-4"), erratum_id="right"),
    )
    found = judge(rows.charges(*charges), [changed, right])
    assert [one.standing for one in found] == [Standing.BILL_CHANGED, Standing.APPLIED]
    assert corrections(settle(rows, charges, changed, right)) == [("residual:errata", D(4)), ("team:search", D(-4))]


@pytest.mark.parametrize(
    "match",
    [
        {"service_name": "Another"},
        {"resource_id": "i-1"},
        {"charge_date": date(2026, 10, 6)},
        {"invoice_id": "INV-1"},
    ],
)
def test_an_erratum_that_names_what_is_not_there_moves_nothing(rows, match):
    (found,) = judge(rows.charges({"cost": "10"}), [erratum(match=match)])
    assert (found.standing, found.line_count) == (Standing.UNMATCHED, 0)
    assert settle(rows, [{"cost": "10"}], erratum(match=match)).filter(rule_kind="correction").is_empty()


def test_another_provider_month_or_currency_is_not_meant(rows):
    meant = {"cost": "10"}
    for change in ({"provider_name": "AWS"}, {"billing_period": date(2026, 9, 1)}, {"billing_currency": "EUR"}):
        (found,) = judge(rows.charges(meant | change), [erratum()])
        assert found.standing is Standing.UNMATCHED


def test_of_gpu_money_every_state_is_corrected_and_the_states_keep_their_sum(rows):
    states = [
        {"state": "effective", "seconds": 2700, "namespace": "search"},
        {"state": "under_used", "seconds": 900, "namespace": "search", "under_used": 450},
    ]
    charge = {"cost": "8", "resource_id": "i-1", "charge_end": DAY + timedelta(hours=1)}
    owners = [{"match_kind": "namespace", "match_value": "search", "team_id": "search"}]
    postings = settle(rows, [charge], erratum("8", "-4"), states=states_of(states), owners=owners)
    found = postings.filter(rule_kind="correction").select(
        "to_account", "gpu_state", "effective_cost", "under_used_cost", "gpu_seconds"
    )
    assert sorted(found.rows()) == [
        ("residual:errata", "effective", D(3), D(0), None),
        ("residual:errata", "under_used", D(1), D("0.5"), None),
        ("team:search", "effective", D(-3), D(0), None),
        ("team:search", "under_used", D(-1), D("-0.5"), None),
    ]


def states_of(given):
    return [
        {
            "resource_id": "i-1",
            "state": row["state"],
            "namespace": row["namespace"],
            "pod": "p",
            "state_seconds": row["seconds"],
            "observed_seconds": row["seconds"],
            "state_microseconds": row["seconds"] * 10**6,
            "under_used_seconds": row.get("under_used", 0),
            "under_used_microseconds": row.get("under_used", 0) * 10**6,
        }
        for row in given
    ]


@given(
    costs=st.lists(st.decimals("-50", "50", places=2), min_size=1, max_size=6),
    change=st.decimals("-20", "20", places=12),
)
def test_whatever_is_corrected_the_ledger_balances_and_the_change_arrives_to_the_last_unit(costs, change):
    rows = Rows()
    teams = ["search", "support", "nobody"]
    charges = [{"cost": str(cost), "sub_account_id": teams[i % 3]} for i, cost in enumerate(costs)]
    total = sum(costs, D(0))
    if not total:
        return
    postings = settle(rows, charges, erratum(str(total), str(change)))
    moved = postings.filter(rule_kind="correction")
    assert sum(moved["effective_cost"]) == 0
    waiting = moved.filter(to_account="residual:errata")
    assert sum(waiting["effective_cost"]) == -change
