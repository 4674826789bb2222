"""The answer that a correct pipeline has to find, worked out by the generator while it still knows everything.

`truth.json` holds money as text with twelve decimals and counts as whole numbers; its keys are told in `build_truth`.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sample.azure_lines import DEPLOYMENT_ACCOUNT
from sample.bills import GATEWAY_ACCOUNT, PROVIDER_NAMES
from sample.calls import Served
from sample.commitment_terms import true_terms
from sample.commitments import Amounts, Held, held_commitments
from sample.company import COMPANY, MONTH, RESTATED_FROM, TOKEN_CLASSES
from sample.engine_truth import true_serving
from sample.gateway import DAMAGED_ROW_DAY, REPEATED_ROW_DAY
from sample.gpu_states import StateSeconds
from sample.lines import Line
from sample.shares import Share, share_out
from sample.traffic import Request
from sample.usage import Tally, Usage, tally_usage

Truth = dict[str, object]


class Gpus(NamedTuple):
    """What the GPUs did: seconds by node, hour and state, and the calls that engines on them answered."""

    seconds: StateSeconds
    served: Served


class Bills(NamedTuple):
    """All lines: as they are on the day, as they were first billed, and the API providers' as they were used."""

    current: Sequence[Line]
    first: Sequence[Line]
    used: Sequence[Line]


def build_truth(
    traffic: Mapping[date, Sequence[Request]],
    bills: Bills,
    gpus: Gpus,
    as_of: date,
) -> Truth:
    """The truth as of a day.

    Keys: `bills` (billed and effective cost and lines by provider), `restated` (by how much each provider's differ from
    those first billed), `effective_cost` (by final account and kind of cost, with a total), `commitments` (what was
    bought, used and not used, in all and in runs of equal hours), `commitment_terms` (what the clouds that were
    asked say of commitments and deployments), `provider_tokens` (that the API providers counted),
    `usage` (requests, tokens and list cost by account), `gpu_state_seconds` (by cluster), `engine_tokens` (that
    the engines of own models counted, by day), `unlogged_engine_tokens` (of these, what no gateway logged),
    `gpu_seconds_held` (by pod), `pod_replacement` (when the one was called last and released, when the other held GPUs
    and was called first; null until then), `deliveries` (what a log
    reader has to refuse or to count once), `log_defects` (what the log gets wrong), and what the figures are of.
    """
    lines = bills.current
    usage = tally_usage(traffic)
    return {
        "company": COMPANY,
        "currency": "USD",
        "billing_period": str(MONTH),
        "as_of": str(as_of),
        "is_restated": as_of >= RESTATED_FROM,
        "bills": _bills(lines),
        "restated": _restated(bills),
        "commitments": {name: _commitment(held) for name, held in sorted(held_commitments(lines).items())},
        "commitment_terms": true_terms(money(_deployed_cost(lines))),
        "provider_tokens": _provider_tokens(bills.used),
        "effective_cost": _accounts(share_out(lines, usage, gpus.seconds)),
        "usage": _usage(usage),
        "gpu_state_seconds": _state_totals(gpus.seconds),
        **true_serving(gpus.served, tuple(traffic)),
        "deliveries": {
            "repeated_rows": int(REPEATED_ROW_DAY in traffic),
            "rejected_rows": int(DAMAGED_ROW_DAY in traffic),
        },
        "log_defects": _log_defects(traffic, lines),
    }


def money(amount: Decimal) -> str:
    """An amount with all twelve decimals."""
    return f"{amount:.12f}"


def _log_defects(traffic: Mapping[date, Sequence[Request]], lines: Sequence[Line]) -> Mapping[str, object]:
    """Requests without a cost, with a margin in it, tried again, and what API keys beside the gateway's are billed."""
    requests = [request for of_day in traffic.values() for request in of_day if request.is_billed]
    margins = [request.margin() for request in requests if request.margin()]
    bypass: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.provider_name in PROVIDER_NAMES.values() and line.sub_account_id not in GATEWAY_ACCOUNT.values():
            bypass[line.provider_name] += line.cost
    return {
        "retry_as_request": {"requests": sum(bool(request.call_id) for request in requests)},
        "zero_cost": {"requests": sum(r.list_costs() is None and r.model.bill_name is not None for r in requests)},
        "margin_in_cost": {"requests": len(margins), "effect_usd": money(sum(margins, Decimal(0)))},
        "bypass_usd": {name: money(usd) for name, usd in sorted(bypass.items())},
    }


def _bills(lines: Sequence[Line]) -> Mapping[str, object]:
    counts = Counter(line.provider_name for line in lines)
    return {
        name: {"billed_cost": money(billed), "effective_cost": money(effective), "lines": counts[name]}
        for name, (billed, effective) in sorted(_totals(lines).items())
    }


def _totals(lines: Sequence[Line]) -> Mapping[str, tuple[Decimal, Decimal]]:
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    for line in lines:
        billed, effective = totals.get(line.provider_name, (Decimal(0), Decimal(0)))
        totals[line.provider_name] = billed + line.cost, effective + line.effective_cost
    return totals


def _restated(bills: Bills) -> Mapping[str, object]:
    before, after = _totals(bills.first), _totals(bills.current)
    return {
        name: {"billed_cost": money(after[name][0] - billed), "effective_cost": money(after[name][1] - effective)}
        for name, (billed, effective) in sorted(before.items())
        if after[name] != (billed, effective)
    }


def _commitment(held: Held) -> Mapping[str, object]:
    return {
        "provider_name": held.provider_name,
        "billed_purchase_cost": money(held.billed),
        **_amounts(held.total),
        "hours": [{"from": run.start.isoformat(), "count": run.hours, **_amounts(run.amounts)} for run in held.runs],
    }


def _deployed_cost(lines: Sequence[Line]) -> Decimal:
    """What the units that are deployed are worth: the account's lines that a commitment covers."""
    return sum(
        (line.effective_cost for line in lines if line.commitment and line.resource_id == DEPLOYMENT_ACCOUNT),
        Decimal(0),
    )


def _amounts(amounts: Amounts) -> Mapping[str, str]:
    return {f"{name}_cost": money(amount) for name, amount in amounts._asdict().items()}


def _provider_tokens(lines: Sequence[Line]) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        found[line.provider_name][line.token_class or ""] += int(line.quantity or 0)
    return {name: dict(sorted(tokens.items())) for name, tokens in sorted(found.items())}


def _accounts(shares: Mapping[Share, Decimal]) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for share, cost in shares.items():
        found[share.account][share.cost_kind] += cost
        found[share.account]["total"] += cost
    return {account: {kind: money(cost) for kind, cost in kinds.items()} for account, kinds in found.items()}


def _usage(usage: Usage) -> Mapping[str, object]:
    return {account: _tally(tally) for account, tally in sorted(usage.tallies.items())}


def _tally(tally: Tally) -> Mapping[str, object]:
    return {
        "request_count": tally.request_count,
        "failure_count": tally.failure_count,
        "cache_hit_count": tally.cache_hit_count,
        **{f"{name}_tokens": tally.tokens[name] for name in TOKEN_CLASSES},
        "priced_cost_usd": money(tally.list_cost_usd),
    }


def _state_totals(gpu_seconds: StateSeconds) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for (host, _), states in gpu_seconds.items():
        for held, seconds in states.items():
            found[host.cluster][held.state] += seconds
    return {cluster: dict(sorted(states.items())) for cluster, states in sorted(found.items())}
