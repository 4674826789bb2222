"""The ledger against a second one in plain Python: no frames, no joins, fractions instead of integers."""

import json
import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

from models.ledger import check_conservation, post
from models.pools import Pool

DAY = datetime(2026, 10, 5)
UNIT = Fraction(1, 10**12)
WEIGHTS = {"input_uncached": Decimal(1), "cache_read": Decimal("0.1"), "output_text": Decimal("4.25")}
CLASSES = ["input_uncached", "cache_read", "output_text", "output_reasoning"]
NOBODY = {"unallocated": "residual:idle", "unknown": "residual:unknown_gpu", "unhealthy": "residual:unhealthy_gpu"}


def shares_of(total, weights):
    """Largest remainder over sorted keys, by its definition: floors of the quotas, then the largest remainders."""
    whole = sum(weights.values())
    quotas = {key: abs(total) * Fraction(weight, whole) / UNIT for key, weight in weights.items()}
    units = {key: quota.numerator // quota.denominator for key, quota in quotas.items()}
    left = int(abs(total) / UNIT) - sum(units.values())
    queue = sorted(weights, key=lambda key: (units[key] - quotas[key], key))
    for key in queue[:left]:
        units[key] += 1
    return {key: (1 if total >= 0 else -1) * count * UNIT for key, count in units.items()}


def tree_shares(total, weights):
    """From above: between the first names of the keys, then within each of them between the next, to the last."""
    if not next(iter(weights)):
        return {(): total}
    branches = defaultdict(dict)
    for key, weight in weights.items():
        branches[key[0]][key[1:]] = weight
    parts = shares_of(total, {name: sum(branch.values()) for name, branch in branches.items()})
    return {
        (name, *rest): part
        for name, branch in branches.items()
        for rest, part in tree_shares(parts[name], branch).items()
    }


def owner_of(owners, day, matches):
    found = [o for o in owners if o["valid_from"] <= day < o["valid_to"] and matches(o)]
    return min(found, key=lambda o: (o["priority"], o["rule_id"]), default=None)


def account_of(owner):
    return f"team:{owner['team_id']}" if owner["team_id"] else f"pool:{owner['pool_id']}"


def charge_owner(charge, owners):
    tags = json.loads(charge["tags"] or "{}")
    return owner_of(
        owners,
        charge["charge_date"],
        lambda o: {
            "tag": tags.get(o["match_key"]) == o["match_value"],
            "sub_account": charge["sub_account_id"] == o["match_value"],
            "resource": charge["resource_id"] == o["match_value"],
        }.get(o["match_kind"], False),
    )


def touches(charge, start, length):
    end = max(charge["charge_end"], charge["charge_start"] + timedelta(microseconds=1))
    return start < end and start + length > charge["charge_start"]


def days_used(charge, usage):
    midnight = datetime.min.time()
    return [u for u in usage if touches(charge, datetime.combine(u["usage_date"], midnight), timedelta(days=1))]


def account_and_feature(row):
    return (f"team:{row['team_id']}" if row["team_id"] else "residual:unowned_usage", row["feature"])


def weigh(rows, weight):
    found = defaultdict(Fraction)
    for row in rows:
        found[account_and_feature(row)] += weight(row)
    return {key: value for key, value in found.items() if value > 0}


def api_weights(charge, usage):
    logged = [u for u in days_used(charge, usage) if not u["is_self_hosted"]]
    provider = [u for u in logged if u["provider_id"] == charge["provider_id"]]
    model = [u for u in provider if u["model_id"] == charge["model_id"]]
    token_class = charge["token_class"]
    names = ["output_text", "output_reasoning"] if token_class == "output_text" else [token_class]
    found = weigh(model, lambda u: Fraction(sum(u[f"{n}_tokens"] for n in names))) if token_class else {}

    def cost(u):
        return Fraction(u["priced_cost_usd"] or 0)

    return found or weigh(model, cost) or weigh(provider, cost)


def pool_weights(charge, usage, model_id):
    weights = WEIGHTS | {"output_reasoning": WEIGHTS["output_text"]}
    logged = [u for u in days_used(charge, usage) if u["is_self_hosted"] and u["model_id"] == model_id]
    return weigh(logged, lambda u: sum(Fraction(weights[c]) * u[f"{c}_tokens"] for c in CLASSES))


def gpu_weights(charge, states, owners, direct):
    found = defaultdict(int)
    for s in states:
        if s["resource_id"] != charge["resource_id"] or not touches(charge, s["hour_start"], timedelta(hours=1)):
            continue
        holder = owner_of(
            owners,
            s["usage_date"],
            lambda o, s=s: o["match_kind"] == "namespace" and o["match_value"] == s["namespace"],
        )
        if direct:
            account, rule = account_of(direct), direct["rule_id"]
        elif s["state"] in NOBODY and (s["state"] != "unknown" or not s["namespace"]):
            account, rule = NOBODY[s["state"]], f"gpu_seconds:{s['state']}"
        elif holder:
            account, rule = account_of(holder), holder["rule_id"]
        else:
            account, rule = "residual:unowned_gpu", "gpu_seconds:no_owner"
        found[account, "", (rule, s["state"])] += s["state_seconds"]
    return found


def settle(charge, usage, states, owners):
    """What one charge leaves in each (account, feature, gpu state), for billed and effective cost."""
    direct = charge_owner(charge, owners)
    is_gpu = any(s["resource_id"] == charge["resource_id"] for s in states)
    weights = gpu_weights(charge, states, owners, direct) if is_gpu else {}
    if not weights and direct:
        weights = {(account_of(direct), "", ("", "")): 1}
    if not weights and not is_gpu and charge["model_id"]:
        weights = {(account, feature, ("", "")): w for (account, feature), w in api_weights(charge, usage).items()}
    if not weights:
        weights = {("residual:unallocated", "", ("", "")): 1}
    found = defaultdict(Fraction)
    for kind in ("billed_cost", "effective_cost"):
        for (account, feature, (_, state)), cost in tree_shares(Fraction(charge[kind]), weights).items():
            users = pool_weights(charge, usage, "llama") if account == "pool:chat" else {}
            if users:
                for (user, used_for), part in tree_shares(cost, users).items():
                    found[kind, user, used_for, state] += part
            else:
                resting = "residual:unallocated" if account == "pool:chat" else account
                found[kind, resting, feature, state] += cost
    return {key: value for key, value in found.items() if value}


def case(rows, seed):
    """A random month of a small company, as frames."""
    dice = random.Random(seed)

    def tokens():
        return dice.choice([0, 0, 1, dice.randint(1, 10**7)])

    charges = []
    for _ in range(dice.randint(1, 12)):
        start = DAY + timedelta(hours=dice.choice([0, 0, 5, 24]), minutes=dice.choice([0, 0, 0, 30]))
        billed = Decimal(dice.randint(-(10**13), 10**14)).scaleb(-12)
        charges.append(
            {
                "charge_start": start,
                "charge_end": start + timedelta(hours=dice.choice([0, 1, 24, 48])),
                "billed_cost": billed,
                "effective_cost": dice.choice([billed, Decimal(dice.randint(0, 9)).scaleb(-12)]),
                "provider_id": dice.choice(["openai", "anthropic", "openai", None]),
                "model_id": dice.choice(["gpt", "gpt", "mini", None]),
                # often the class whose weights are those of two
                "token_class": dice.choice([*CLASSES, *["output_text"] * 6, None]),
                "resource_id": dice.choice([None, None, "i-1", "i-2", "i-3"]),
                "sub_account_id": dice.choice([None, "123"]),
                "tags": dice.choice([None, None, None, "{}", '{"team":"red"}', '{"other":"red","team":"blue"}']),
            }
        )
    for charge in charges:
        charge["model_id"] = charge["model_id"] if charge["provider_id"] else None
        charge["provider_id"] = charge["provider_id"] if charge["model_id"] else None
    usage = [
        {
            "usage_date": (DAY + timedelta(days=dice.randint(-1, 3))).date(),
            "provider_id": dice.choice(["openai", "openai", "anthropic"]),
            "model_id": dice.choice(["gpt", "llama"]),
            "is_self_hosted": dice.random() < 0.4,
            "team_id": dice.choice(["red", "blue", "red green", None]),
            "feature": dice.choice(["", "chat", "search"]),
            "service_tier": dice.choice(["default", "batch"]),
            "priced_cost_usd": dice.choice([None, Decimal(0), Decimal(dice.randint(0, 10**15)).scaleb(-12)]),
            **{f"{name}_tokens": tokens() for name in CLASSES},
        }
        for _ in range(dice.randint(0, 15))
    ]
    states = [
        {
            "hour_start": DAY + timedelta(hours=dice.choice([0, 1, 5, 23, 24, 30])),
            "resource_id": dice.choice(["i-1", "i-2"]),
            "gpu_uuid": f"GPU-{number}",
            "namespace": dice.choice(["", "ml", "serving", "lost"]),
            "state": dice.choice(["effective", "allocated_idle", "under_used", *NOBODY]),
            "state_seconds": dice.randint(1, 3600),
        }
        for number in range(dice.randint(0, 10))
    ]
    owners = [
        {"match_kind": "namespace", "match_value": "ml", "team_id": "red", "valid_to": date(2026, 10, 6)},
        {"match_kind": "namespace", "match_value": "ml", "team_id": "blue"},
        {"match_kind": "namespace", "match_value": "serving", "pool_id": "chat"},
        {"match_value": "red", "team_id": "red"},
        {"match_value": "blue", "pool_id": "chat"},
        {"match_kind": "sub_account", "match_value": "123", "team_id": "green", "priority": dice.choice([0, 99])},
        {"match_kind": "resource", "match_value": "i-3", "team_id": "blue", "priority": 3},
    ]
    return {
        "charge_groups": rows.charges(*charges),
        "usage": rows.usage(*usage),
        "gpu_states": rows.states(*states),
        "pod_models": rows.pod_models(),
        "gpu_labels": rows.labels(),
        "owners": rows.owners(*dice.sample(owners, dice.randint(0, len(owners)))),
    }


def posted(frames):
    return post(**frames, pools=[Pool("chat", "llama", WEIGHTS)])


@pytest.mark.parametrize("seed", range(60))
def test_the_ledger_posts_what_a_plain_second_ledger_posts(rows, seed):
    frames = case(rows, seed)
    postings = posted(frames)
    assert check_conservation(frames["charge_groups"], postings).is_empty()
    charges, usage, states, owners = (
        frames[name].to_dicts() for name in ("charge_groups", "usage", "gpu_states", "owners")
    )
    expected = {
        (charge["charge_group_id"], *key): cost
        for charge in charges
        for key, cost in settle(charge, usage, states, owners).items()
    }
    found = defaultdict(Fraction)
    for row in postings.filter("is_final_account").to_dicts():
        for kind in ("billed_cost", "effective_cost"):
            key = (row["to_account"], row["feature"] or "", row["gpu_state"] or "")
            found[row["charge_group_id"], kind, *key] += Fraction(row[kind])
    assert {key: cost for key, cost in found.items() if cost} == expected


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_the_inputs_does_not_matter(rows, seed):
    frames = case(rows, seed)
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in frames.items()}
    assert posted(shuffled).equals(posted(frames))


@pytest.mark.parametrize("seed", range(10))
def test_every_posting_has_an_id_of_its_own_that_a_second_run_gives_again(rows, seed):
    frames = case(rows, seed)
    postings = posted(frames)
    assert postings["posting_id"].is_unique().all()
    assert postings["posting_id"].to_list() == posted(frames)["posting_id"].to_list()


@pytest.mark.parametrize("seed", range(10))
def test_gpu_seconds_that_rest_are_those_of_the_billed_hours_each_once(rows, seed):
    frames = case(rows, seed)
    resting = posted(frames).filter("is_final_account")["gpu_seconds"].sum()
    charges = frames["charge_groups"].to_dicts()
    billed = [
        s["state_seconds"]
        for s in frames["gpu_states"].to_dicts()
        if any(
            c["resource_id"] == s["resource_id"] and touches(c, s["hour_start"], timedelta(hours=1)) for c in charges
        )
    ]
    assert resting == sum(billed)


def test_a_team_without_usage_changes_nothing_for_the_others(rows):
    frames = case(rows, 3)
    idle_team = rows.usage({"team_id": "new", "usage_date": DAY.date()})
    with_idle = frames | {"usage": pl.concat([frames["usage"], idle_team])}
    assert posted(with_idle).equals(posted(frames))
