"""What people must know of a table that a night built, beyond its rows and money: one sentence for each kind of table.

Here belongs: reading built rows, and putting them in words. Here does not belong: building them.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc

from connectors.wording import first_of

MONEY, CURRENCY = "effective_cost", "billing_currency"
EXACT = Context(prec=76)  # twice the 38 digits of an amount: no sum is rounded


def note(table: str, pieces: Sequence[pa.Table]) -> str:
    """What people must know of the slices of `table` that were just built; empty when there is nothing."""
    words = _WORDS.get(table)
    return words(pieces) if words else ""


def _contradicted(pieces: Sequence[pa.Table]) -> str:
    """Of which holders two sources say different things; empty when they agree."""
    holders = {
        f"{row['namespace']}/{row['pod']} on {row['hostname']}"
        for piece in pieces
        for row in piece.filter(pc.field("is_contradicted")).to_pylist()
    }
    named = first_of(sorted(holders))
    return f"sources differ in how many GPUs {named} had: the higher number counts" if named else ""


def _unjoined(pieces: Sequence[pa.Table]) -> str:
    """Whose bills have GPUs that no machine is known for, and for how much; empty when none has."""
    costs: dict[tuple[str, str], Decimal] = {}
    for piece in pieces:
        for row in piece.select(["provider_name", CURRENCY, MONEY]).to_pylist():
            key = (row["provider_name"], row[CURRENCY])
            costs[key] = EXACT.add(costs.get(key, Decimal(0)), row[MONEY])
    told = ", ".join(f"{provider} {currency} {cost:,.2f}" for (provider, currency), cost in sorted(costs.items()))
    return f"billed for GPUs of machines that nobody knows (hosts): {told}" if told else ""


def _seen_twice(pieces: Sequence[pa.Table]) -> str:
    """Which engines several sources observe; empty when each has one."""
    pods = {
        f"{row['namespace']}/{row['pod']}"
        for piece in pieces
        for row in piece.filter(pc.field("source_count") > 1).to_pylist()
    }
    named = first_of(sorted(pods))
    return (
        f"several sources observe the engines of {named}: each hour counts once, as the best covered tells"
        if named
        else ""
    )


def _impossible(pieces: Sequence[pa.Table]) -> str:
    """Which MIG instances cannot be what they are said to be; empty when all can."""
    profiles, gpus = set[str](), set[str]()
    for piece in pieces:
        for row in piece.filter(pc.field("mig_doubt").is_valid()).to_pylist():
            of_gpu = f"{row['gpu_uuid']} on {row['hostname']}"
            if row["mig_doubt"] == "impossible_profile":
                profiles.add(f"{row['mig_profile']} of {of_gpu}")
            else:
                gpus.add(of_gpu)
    told: list[str] = []
    if profiles:
        told.append(f"no such MIG profile: {first_of(sorted(profiles))}; its GPU's instances weigh equally")
    if gpus:
        told.append(f"MIG instances add up to more than the GPU: {first_of(sorted(gpus))}")
    return "; ".join(told)


def _unheard(pieces: Sequence[pa.Table]) -> str:
    """Of which billed nodes an hour of a GPU or more has no sample, most first; empty when none has."""
    silent: dict[str, int] = {}
    for piece in pieces:
        unknown = piece.filter((pc.field("state") == "unknown") & (pc.field("observed_seconds") == 0))
        for row in unknown.group_by(["cluster", "hostname"]).aggregate([("state_seconds", "sum")]).to_pylist():
            node = f"{row['hostname']} in {row['cluster']}"
            silent[node] = silent.get(node, 0) + row["state_seconds_sum"]
    ranked = sorted(silent.items(), key=lambda item: (-item[1], item[0]))
    named = first_of([f"{node} ({seconds / 3600:,.1f} h)" for node, seconds in ranked if seconds >= 3600])
    return f"billed GPU time of which no sample tells: {named}" if named else ""


def _crowded(pieces: Sequence[pa.Table]) -> str:
    """On which nodes more GPUs report than are billed, for a tenth of the billed time or more; empty when on none."""
    seen: dict[tuple[str, str, str], list[int]] = {}
    for piece in pieces:
        for row in _seen_and_billed(piece).to_pylist():
            sums = seen.setdefault((row["hostname"], row["cluster"], row["resource_id"]), [0, 0])
            sums[0] += row["seen_seconds_sum"]
            sums[1] += row["target_seconds_sum"]
    named = first_of(
        [
            f"{hostname} in {cluster}, '{resource}' ({has / 3600:,.1f} GPU-hours for {billed / 3600:,.1f} billed)"
            for (hostname, cluster, resource), (has, billed) in sorted(seen.items())
            if has * 10 > billed * 11
        ]
    )
    return f"more GPUs report than bill or hosts have: {named}; what each did is told in part" if named else ""


def _seen_and_billed(piece: pa.Table) -> pa.Table:
    sums = [("seen_seconds", "sum"), ("target_seconds", "sum")]
    return piece.group_by(["hostname", "cluster", "resource_id"]).aggregate(sums)


def _split_otherwise(pieces: Sequence[pa.Table]) -> str:
    """Which pods the bill gives GPUs that nobody saw with any, with the bill's money, or another time of them."""
    unseen: dict[str, list[Decimal | None]] = {}
    differing = set[str]()
    for piece in pieces:
        for row in piece.filter(pc.field("split_match") != "agrees").to_pylist():
            pod = f"{row['namespace']}/{row['pod']}" if row["namespace"] else row["pod"]
            if row["split_match"] == "only_on_bill":
                unseen.setdefault(f"{pod} {row[CURRENCY]}", []).append(row["split_cost"])
            elif row["split_match"] == "differs":
                differing.add(pod)
    told: list[str] = []
    if unseen:
        named = first_of([f"{name} {_known(costs)}" for name, costs in sorted(unseen.items())])
        told.append(f"the bill splits GPU nodes among pods that nobody saw there: {named}")
    if differing:
        told.append(f"the bill gives pods another time of GPUs than was seen: {first_of(sorted(differing))}")
    return f"{'; '.join(told)} (gpu_pod_splits)" if told else ""


def _known(costs: Sequence[Decimal | None]) -> str:
    """The sum of amounts in words, and whether it lacks some of which nobody knows how much they are."""
    known = [cost for cost in costs if cost is not None]
    if not known:
        return "unknown"
    total = Decimal(0)
    for cost in known:
        total = EXACT.add(total, cost)
    return f"{total:,.2f}" if len(known) == len(costs) else f"{total:,.2f} and an unknown amount"


def _unlike_the_counter(pieces: Sequence[pa.Table]) -> str:
    """Of which GPUs power and the energy counter tell different things; empty when they agree."""
    found: dict[str, list[float | None]] = {}
    for piece in pieces:
        for row in piece.filter(pc.field("is_doubtful")).to_pylist():
            found.setdefault(f"{row['gpu_uuid']} on {row['hostname'] or row['cluster']}", []).append(
                row["difference_ratio"]
            )
    named = first_of([f"{gpu} ({_furthest(ratios)})" for gpu, ratios in sorted(found.items())])
    return f"power and the energy counter differ by more than a tenth: {named} (gpu_energy)" if named else ""


def _furthest(ratios: Sequence[float | None]) -> str:
    """The greatest difference of several days, in words."""
    told = [ratio for ratio in ratios if ratio is not None]
    return f"{max(told, key=abs):+.0%}" if told else "the counter stands still"


def _unconverted(pieces: Sequence[pa.Table]) -> str:
    """Which currencies have no exchange rate in which month."""
    missing = {
        f"{row['billing_currency']} in {row['corrected_period'] or row['billing_period']:%Y-%m}"
        for piece in pieces
        for row in piece.filter(pc.field("reporting_effective_cost").is_null()).to_pylist()
    }
    return f"no exchange rate for {', '.join(sorted(missing))}" if missing else ""


def _unpriced(pieces: Sequence[pa.Table]) -> str:
    """Which models have used tokens without a price, most first; empty when none has."""
    tokens: dict[str, int] = {}
    for piece in pieces:
        for row in piece.select(["provider_id", "model_id", "unpriced_tokens"]).to_pylist():
            if row["unpriced_tokens"]:
                name = f"{row['provider_id']}/{row['model_id']}"
                tokens[name] = tokens.get(name, 0) + row["unpriced_tokens"]
    ranked = sorted(tokens.items(), key=lambda item: (-item[1], item[0]))
    named = first_of([f"{name} ({count:,} tokens)" for name, count in ranked])
    return f"no price for {named}" if named else ""


def _unlogged(pieces: Sequence[pa.Table]) -> str:
    """Which own models served tokens past the gateway, and what these cost; empty when none did."""
    costs: dict[tuple[str, str], Decimal] = {}
    for piece in pieces:
        for row in piece.select(["model_id", CURRENCY, "unlogged_cost"]).to_pylist():
            key = (row["model_id"], row[CURRENCY])
            costs[key] = EXACT.add(costs.get(key, Decimal(0)), row["unlogged_cost"] or Decimal(0))
    told = [f"{model} {currency} {cost:,.2f}" for (model, currency), cost in sorted(costs.items()) if round(cost, 2)]
    return f"tokens past the gateway cost, on own GPUs: {first_of(told)}" if told else ""


_WORDS: Mapping[str, Callable[[Sequence[pa.Table]], str]] = {
    # where requests first meet their prices: tables made from it say nothing new
    "usage_daily": _unpriced,
    "gpu_holdings": _contradicted,
    "gpu_unjoined": _unjoined,
    "gpu_shares": _impossible,
    "gpu_targets": _crowded,
    "gpu_states_hourly": _unheard,
    "gpu_pod_splits": _split_otherwise,
    "gpu_energy": _unlike_the_counter,
    "serving_hourly": _seen_twice,
    "self_hosted_costs": _unlogged,
    # where costs are converted to the statements' currency
    "chargeback": _unconverted,
}
