"""Chargeback by customer: by hand, and against the same split in plain numbers; every team foots, to the last unit."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import customers
from models.customers import chargeback_by_customer, not_chargeback
from models.frames import schema_of

D = Decimal
UNIT = D(1).scaleb(-12)
OCTOBER = date(2026, 10, 1)
PROVIDERS = pl.DataFrame({"provider_name": ["OpenAI", "Azure"], "provider_id": ["openai", "azure"]})
EVERYWHERE = ("a", date(1970, 1, 1), date(9999, 12, 31), "Acme", "Web", "4100")


def charged(*rows):
    return pl.DataFrame([_charged(**row) for row in rows], schema=schema_of("chargeback"), orient="row")


def _charged(cost="1", **given):
    row = dict.fromkeys(schema_of("chargeback"))
    row |= {
        "billing_period": OCTOBER,
        "charge_date": date(2026, 10, 5),
        "account": "team:a",
        "team_id": "a",
        "organisation": "Acme",
        "business_unit": "Web",
        "cost_centre": "4100",
        "provider_name": "OpenAI",
        "service_name": "API",
        "model_id": "gpt",
        "feature": "chat",
        "cost_kind": "api",
        "rule_kind": "priced_tokens",
        "billing_currency": "USD",
        "reporting_currency": "USD",
        **{name: D(cost) for name in ("effective_cost", "billed_cost")},
        **{name: D(cost) for name in ("reporting_effective_cost", "reporting_billed_cost")},
        "period_state": "open",
    }
    return row | given


def called(*rows):
    schema = schema_of("usage_by_user_daily")
    return pl.DataFrame([_called(**row) for row in rows], schema=schema, orient="row")


def _called(customer="", user="", cost="1", **given):
    row = dict.fromkeys(schema_of("usage_by_user_daily"))
    row |= {
        "usage_date": date(2026, 10, 5),
        "team_id": "a",
        "feature": "chat",
        "is_self_hosted": False,
        "provider_id": "openai",
        "model_id": "gpt",
        "customer_hash": customer,
        "user_hash": user,
        "person_hash": customer or user,
        "request_count": 1,
        "failure_count": 0,
        "unpriced_count": 0,
        "priced_cost_usd": D(cost),
    }
    return row | given


def placed(*rows):
    return pl.DataFrame(rows or [EVERYWHERE], schema=schema_of("team_hierarchy"), orient="row")


def split(chargeback, usage, hierarchy=None):
    hierarchy = placed() if hierarchy is None else hierarchy
    found = chargeback_by_customer(chargeback=chargeback, usage=usage, hierarchy=hierarchy, providers=PROVIDERS)
    assert not_chargeback(chargeback, found).is_empty()
    return found


def costs(found, *columns):
    names = columns or ("naming", "customer_hash", "user_hash")
    sums = found.group_by(names).agg(pl.col("effective_cost").sum()).sort(names)
    return {row[:-1]: row[-1] for row in sums.iter_rows()}


def test_a_team_s_cost_is_its_customers_by_priced_tokens_and_what_no_call_names_stays_apart():
    calls = called(
        {"customer": "c1", "cost": "3"},
        {"customer": "c2", "user": "u1", "cost": "0.75"},
        {"customer": "c2", "user": "u2", "cost": "0.25"},
        {"user": "u9", "cost": "0.5"},
        {"cost": "0.5"},
        {"customer": "c1", "cost": "7", "team_id": "b"},
        {"customer": "c3", "cost": "7", "feature": "draft"},
        {"customer": "c4", "cost": "7", "provider_id": "azure"},
        {"customer": "c5", "cost": "0"},
    )
    bill = charged(
        {"cost": "10"},
        {"cost": "4", "model_id": "o1"},
        {"cost": "2", "cost_kind": "unused_throughput"},
        {"cost": "1", "cost_kind": "gpu", "model_id": ""},
        {"cost": "8", "account": "residual:unallocated", "team_id": None},
    )
    assert costs(split(bill, calls)) == {
        ("customer", "c1", ""): D(6),
        ("customer", "c2", "u1"): D("1.5"),
        ("customer", "c2", "u2"): D("0.5"),
        ("user", "", "u9"): D(1),
        ("unnamed_calls", "", ""): D(1),
        ("no_priced_calls", "", ""): D(4),
        ("not_by_call", "", ""): D(3),
    }


def test_what_does_not_divide_is_split_by_largest_remainder_between_customers_first():
    calls = called({"customer": "c1", "user": "u1"}, {"customer": "c1", "user": "u2"}, {"customer": "c2", "cost": "4"})
    # thirds of ten: c1 has 3.33 and the larger rest is c2's; c1's part of an odd last digit goes to its first user
    found = costs(split(charged({"cost": "10"}), calls))
    assert found == {
        ("customer", "c1", "u1"): D("1.666666666667"),
        ("customer", "c1", "u2"): D("1.666666666666"),
        ("customer", "c2", ""): D("6.666666666667"),
    }


def test_a_credit_goes_the_way_of_its_charge():
    calls = called({"customer": "c1", "cost": "3"}, {"customer": "c2"})
    found = split(
        charged({"cost": "10"}, {"cost": "-2", "rule_kind": "correction", "corrected_period": OCTOBER}), calls
    )
    by = costs(found, "corrected_period", "customer_hash")
    assert by == {
        (None, "c1"): D("7.5"),
        (None, "c2"): D("2.5"),
        (OCTOBER, "c1"): D("-1.5"),
        (OCTOBER, "c2"): D("-0.5"),
    }


def test_a_re_organisation_in_mid_month_bills_each_unit_for_the_customers_of_its_own_days():
    days = [OCTOBER + timedelta(days=n) for n in range(31)]
    moved = [{"business_unit": "Web" if day.day < 16 else "Commerce", "charge_date": day} for day in days]
    calls = called(
        *({"customer": "old" if day.day < 16 else "new", "usage_date": day, "cost": "2"} for day in days),
        {"customer": "both", "usage_date": days[0], "cost": "30"},
    )
    places = placed(
        ("a", date(1970, 1, 1), date(2026, 10, 16), "Acme", "Web", "4100"),
        ("a", date(2026, 10, 16), date(9999, 12, 31), "Acme", "Commerce", "4100"),
    )
    found = split(charged(*moved), calls, places)
    assert costs(found, "business_unit", "customer_hash") == {
        ("Commerce", "new"): D(16),
        ("Web", "both"): D("7.5"),
        ("Web", "old"): D("7.5"),
    }


def test_a_line_without_a_model_is_split_over_the_calls_of_its_own_place_too():
    """The team moves on the 16th: a line of the 3rd is not the customers' whom the new unit serves."""
    places = placed(
        ("a", date(1970, 1, 1), date(2026, 10, 16), "Acme", "Web", "4100"),
        ("a", date(2026, 10, 16), date(9999, 12, 31), "Acme", "Commerce", "4100"),
    )
    calls = called({"customer": "old"}, {"customer": "new", "usage_date": date(2026, 10, 20), "cost": "3"})
    no_model = {"cost": "4", "charge_date": date(2026, 10, 3), "model_id": ""}
    for kind in ({}, {"feature": "", "rule_kind": "direct"}):
        found = split(charged(no_model | kind), calls, places)
        assert costs(found, "business_unit", "customer_hash") == {("Web", "old"): D(4)}
        # without any call in its own place, those of the month are asked
        late = split(charged(no_model | kind), calls.filter(pl.col("customer_hash") == "new"), places)
        assert costs(late, "business_unit", "customer_hash") == {("Web", "new"): D(4)}


def test_a_charge_of_days_without_calls_is_split_by_those_of_the_month():
    """A line for the whole month stands on its first day, before the team moved; its only calls came after."""
    places = placed(
        ("a", date(1970, 1, 1), date(2026, 10, 2), "Acme", "Web", "4100"),
        ("a", date(2026, 10, 2), date(9999, 12, 31), "Acme", "Commerce", "4100"),
    )
    found = split(charged({"charge_date": OCTOBER, "cost": "3"}), called({"customer": "c1"}), places)
    assert costs(found, "business_unit", "customer_hash") == {("Web", "c1"): D(3)}
    other_month = called({"customer": "c1", "usage_date": date(2026, 9, 30)})
    found = split(charged({"cost": "3"}), other_month)
    assert costs(found, "naming") == {("no_priced_calls",): D(3)}


def test_a_charge_that_tells_no_feature_or_no_model_is_of_all_that_the_team_called():
    calls = called(
        {"customer": "c1"}, {"customer": "c2", "feature": "draft"}, {"customer": "c3", "feature": "", "cost": "2"}
    )
    named = [{"cost": "4", "feature": "", "rule_kind": "direct"}, {"cost": "5", "feature": ""}]
    found = split(charged(*named), calls)
    # the log tells no feature for c3: only the second line is of such calls alone
    assert costs(found, "customer_hash") == {("c1",): D(1), ("c2",): D(1), ("c3",): D(7)}
    more = called({"customer": "c1"}, {"customer": "c2", "model_id": "o1"}, {"customer": "c3", "feature": "draft"})
    found = split(charged({"cost": "6", "model_id": ""}), more)
    assert costs(found, "customer_hash") == {("c1",): D(3), ("c2",): D(3)}
    found = split(charged({"cost": "6", "model_id": "", "feature": "", "rule_kind": "direct"}), more)
    assert costs(found, "customer_hash") == {("c1",): D(2), ("c2",): D(2), ("c3",): D(2)}


def test_an_adjustment_of_calls_whose_feature_the_log_tells_as_empty_is_of_those_calls_alone():
    calls = called({"customer": "c1"}, {"customer": "c2", "feature": ""}, {"customer": "c3", "feature": "draft"})
    for rule_kind in ("adjustment", "correction", "pool"):
        late = {"cost": "6", "feature": "", "rule_kind": rule_kind, "corrected_period": OCTOBER}
        assert costs(split(charged(late | {"is_feature_told": True}), calls), "customer_hash") == {("c2",): D(6)}
        # what an owner rule gave to the team is of all that it called, and its correction is, too
        found = costs(split(charged(late | {"is_feature_told": False}), calls), "customer_hash")
        assert found == {("c1",): D(2), ("c2",): D(2), ("c3",): D(2)}


def test_own_models_are_charged_to_whom_they_served_and_to_no_one_else():
    own = {"is_self_hosted": True, "provider_id": "unknown", "model_id": "llama"}
    calls = called({"customer": "c1", **own}, {"customer": "c2", **own, "cost": "3"}, {"customer": "c3"})
    found = split(charged({"cost": "8", "cost_kind": "gpu", "model_id": "llama", "provider_name": "AWS"}), calls)
    assert costs(found, "customer_hash") == {("c1",): D(2), ("c2",): D(6)}


def test_a_currency_without_a_rate_stays_unknown_and_is_not_zero():
    euros = {"billing_currency": "EUR", "reporting_effective_cost": None, "reporting_billed_cost": None}
    found = split(charged({"cost": "4"}, {"cost": "4", **euros}), called({"customer": "c1"}, {"customer": "c2"}))
    sums = found.sort("billing_currency", "customer_hash").select("billing_currency", "reporting_effective_cost").rows()
    assert sums == [("EUR", None), ("EUR", None), ("USD", D(2)), ("USD", D(2))]


def test_a_unit_that_is_lost_is_found():
    bill, calls = charged({"cost": "4"}), called({"customer": "c1"}, {"customer": "c2"})
    found = split(bill, calls)
    less = found.with_columns(
        pl.when(pl.col("customer_hash") == "c1")
        .then(pl.lit(D(2) - UNIT, pl.Decimal(38, 12)))
        .otherwise("billed_cost")
        .alias("billed_cost")
    )
    assert not_chargeback(bill, less)["billed_difference"].to_list() == [-UNIT]
    assert not_chargeback(bill, found.filter(pl.col("customer_hash") == "c1")).height == 1
    unknown = found.with_columns(reporting_billed_cost=pl.lit(None, pl.Decimal(38, 12)))
    assert not_chargeback(bill, unknown).height == 1


def hamilton(total, weights):
    """Largest remainder in plain integers: name to part."""
    whole, size = sum(weights.values()), abs(total)
    parts = {name: size * weight // whole for name, weight in weights.items()}
    order = sorted(weights, key=lambda name: (-(size * weights[name] % whole), name))
    for name in order[: size - sum(parts.values())]:
        parts[name] += 1
    return {name: part if total >= 0 else -part for name, part in parts.items()}


def by_hand(bill, calls, place_of):
    """The method in plain numbers: line by line, call by call."""
    owed = defaultdict(int)
    for row in bill:
        if row["team_id"] is None:
            continue
        serves = row["cost_kind"] == "api" or (row["cost_kind"] == "gpu" and row["model_id"])
        is_told = row["is_feature_told"] if row["is_feature_told"] is not None else row["rule_kind"] == "priced_tokens"
        is_of_all = not row["feature"] and not is_told
        line = (row["team_id"], row["business_unit"], row["feature"])
        bought = (row["provider_name"], row["model_id"], row["cost_kind"] if serves else "", is_of_all)
        owed[line, bought] += int(row["effective_cost"].scaleb(12))
    found = defaultdict(int)
    for ((team, unit, feature), (provider, model, kind, is_of_all)), total in owed.items():
        served_by = {"OpenAI": "openai", "Azure": "azure"}[provider]
        narrow, wide = defaultdict(int), defaultdict(int)
        for call in calls if kind else ():
            own = call["is_self_hosted"]
            is_meant = (
                call["team_id"] == team
                and own == (kind == "gpu")
                and (own or call["provider_id"] == served_by)
                and (not model or call["model_id"] == model)
                and (is_of_all or call["feature"] == feature)
            )
            weight = int(call["priced_cost_usd"].scaleb(12)) if is_meant else 0
            who = (call["customer_hash"], call["user_hash"])
            wide[who] += weight
            narrow[who] += weight if place_of(team, call["usage_date"]) == unit else 0
        weights = narrow if any(narrow.values()) else wide
        if not any(weights.values()):
            reason = "no_priced_calls" if kind else "not_by_call"
            found[team, unit, feature, reason, "", ""] += total
            continue
        customers = defaultdict(dict)
        for (customer, user), weight in weights.items():
            if weight:
                customers[customer][user] = weight
        parts = hamilton(total, {name: sum(users.values()) for name, users in customers.items()})
        for customer, users in customers.items():
            for user, part in hamilton(parts[customer], users).items():
                naming = "customer" if customer else "user" if user else "unnamed_calls"
                found[team, unit, feature, naming, customer, user] += part
    return dict(found)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**9))
def test_the_frames_say_what_plain_numbers_say(seed):
    dice = Random(seed)
    turn = {team: OCTOBER + timedelta(days=dice.randint(0, 31)) for team in "ab"}

    def place_of(team, day):
        return "Old" if day < turn[team] else "New"

    def some_day():
        return OCTOBER + timedelta(days=dice.randint(0, 30))

    places = [
        row
        for team, day in turn.items()
        for row in (
            (team, date(1970, 1, 1), day, "Acme", "Old", "4100"),
            (team, day, date(9999, 12, 31), "Acme", "New", "4100"),
        )
    ]
    bill = []
    for _ in range(dice.randint(1, 12)):
        day, team = some_day(), dice.choice(["a", "a", "b", None])
        bill.append(
            _charged(
                cost=str(D(dice.randint(-(10**4), 10**14)).scaleb(-dice.choice([0, 2, 12]))),
                charge_date=day,
                team_id=team,
                account=f"team:{team}" if team else "residual:unallocated",
                business_unit=place_of(team, day) if team else None,
                provider_name=dice.choice(["OpenAI", "Azure"]),
                model_id=dice.choice(["gpt", "o1", ""]),
                feature=dice.choice(["chat", "draft", ""]),
                cost_kind=dice.choice(["api", "api", "gpu", "other", "unused_commitment"]),
                rule_kind=dice.choice(["priced_tokens", "direct", "adjustment"]),
                is_feature_told=dice.choice([True, False, None]),
            )
        )
    calls = [
        _called(
            customer=dice.choice(["c1", "c2", "c3", ""]),
            user=dice.choice(["u1", "u2", ""]),
            cost=str(D(dice.randint(0, 10**9)).scaleb(-9)),
            usage_date=some_day(),
            team_id=dice.choice(["a", "b", ""]),
            feature=dice.choice(["chat", "draft", ""]),
            is_self_hosted=dice.random() < 0.3,
            provider_id=dice.choice(["openai", "azure"]),
            model_id=dice.choice(["gpt", "o1"]),
        )
        for _ in range(dice.randint(0, 25))
    ]
    found = split(
        pl.DataFrame(bill, schema=schema_of("chargeback"), orient="row"),
        pl.DataFrame(calls, schema=schema_of("usage_by_user_daily"), orient="row"),
        placed(*places),
    )
    names = ["team_id", "business_unit", "feature", "naming", "customer_hash", "user_hash"]
    said = {row[:-1]: int(row[-1].scaleb(12)) for row in found.select(*names, "effective_cost").iter_rows()}
    assert said == by_hand(bill, calls, place_of)


def test_a_frame_that_is_not_a_chargeback_is_refused():
    with pytest.raises(ValueError, match="column account is missing"):
        split(charged({}).drop("account"), called())


def test_teams_that_are_weighed_one_after_the_other_come_to_what_they_come_to_together(monkeypatch):
    teams = {f"t{number}": {"team_id": f"t{number}", "account": f"team:t{number}"} for number in range(5)}
    bill = charged(*({**team, "cost": str(number + 1)} for number, team in enumerate(teams.values())))
    calls = called(
        *({"team_id": team, "customer": f"c{n}", "cost": str(n + 1)} for team in list(teams)[:4] for n in range(3))
    )
    places = placed(*((team, *EVERYWHERE[1:]) for team in teams))
    together = split(bill, calls, places)
    monkeypatch.setattr(customers, "CALLS_AT_ONCE", 4)
    assert split(bill, calls, places).equals(together)
    assert together.filter(team_id="t4")["naming"].to_list() == ["no_priced_calls"]


def test_calls_are_weighed_in_batches_of_which_none_is_above_what_is_held_but_for_a_single_team(monkeypatch):
    """Teams of 1, 5, 2, 2 and 1 calls, and one without any, of which 4 are held at once."""
    counts = {"a": 1, "b": 5, "c": 2, "d": 2, "e": 1}
    bill = charged(*({"team_id": team, "account": f"team:{team}"} for team in [*counts, "f"]))
    calls = called(*({"team_id": team, "customer": f"c{n}"} for team, count in counts.items() for n in range(count)))
    held, weights = list[int](), customers._weights

    def counted(usage, hierarchy):
        held.append(usage.height)
        return weights(usage, hierarchy)

    monkeypatch.setattr(customers, "_weights", counted)
    monkeypatch.setattr(customers, "CALLS_AT_ONCE", 4)
    found = split(bill, calls, placed(*((team, *EVERYWHERE[1:]) for team in [*counts, "f"])))
    assert held == [1, 5, 4, 1]
    assert set(found["team_id"]) == {*counts, "f"}
