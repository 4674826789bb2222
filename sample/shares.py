"""Who carries every line of the bills: the ledger's rules worked out a second time, in whole 1e-12 units.

Here belongs: the rules, written for reading and not for speed. Here does not belong: anything taken from the ledger.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

from sample.bills import PRICED_AS, PROVIDER_NAMES
from sample.company import HOSTS, Match
from sample.gpu_states import Held, StateSeconds
from sample.lines import Line
from sample.usage import PICO, UNOWNED_USAGE, Holder, Usage, Used, owner_of

UNALLOCATED, UNUSED_COMMITMENT = "residual:unallocated", "residual:unused_commitment"
RESIDUAL_OF_STATE = {
    "unallocated": "residual:idle",
    "unknown": "residual:unknown_gpu",
    "unhealthy": "residual:unhealthy_gpu",
}
PROVIDER_IDS = {name: provider for provider, name in PROVIDER_NAMES.items()}
_ONE_HOUR = timedelta(hours=1)

__all__ = ["UNALLOCATED", "UNOWNED_USAGE", "Share", "share_out", "split_units"]


class Share(NamedTuple):
    """What one account carries of one kind of cost."""

    account: str
    cost_kind: str


def split_units(total: int, weights: Mapping[Holder, int]) -> dict[Holder, int]:
    """Whole units between accounts, then each account's between what it holds. Sums exactly."""
    accounts: Counter[str] = Counter()
    for holder, weight in weights.items():
        accounts[holder.account] += weight
    parts: dict[Holder, int] = {}
    for account, part in _split(total, accounts).items():
        held = {holder: weight for holder, weight in weights.items() if holder.account == account}
        parts |= _split(part, held) if accounts[account] else dict.fromkeys(held, 0)
    return parts


_Name = TypeVar("_Name", str, Holder)


def _split(total: int, weights: Mapping[_Name, int]) -> dict[_Name, int]:
    """Largest remainder: floors first, then one unit each to the largest remainders, ties by name. Sums exactly."""
    whole = sum(weights.values())
    names = sorted(weights)
    parts = {name: abs(total) * weights[name] // whole for name in names}
    left = abs(total) - sum(parts.values())
    for name in sorted(names, key=lambda name: (-(abs(total) * weights[name] % whole), name))[:left]:
        parts[name] += 1
    return {name: part if total >= 0 else -part for name, part in parts.items()}


def share_out(lines: Iterable[Line], usage: Usage, gpu_seconds: StateSeconds) -> dict[Share, Decimal]:
    """Effective cost by account and kind of cost; it adds up to the lines."""
    units: Counter[Share] = Counter()
    gpu_resources = {host.resource_id for host in HOSTS}
    for line in lines:
        kind = "gpu" if line.resource_id in gpu_resources else "api" if line.model or line.is_throughput else "other"
        unused = int(line.commitment.unused.scaleb(PICO)) if line.commitment else 0
        if unused:
            owner = owner_of(_line_matches(line), line.start.date())
            units[Share(owner or UNUSED_COMMITMENT, "unused_commitment")] += unused
            if unused == int(line.effective_cost.scaleb(PICO)):
                continue
        for holder, part in _line_parts(line, kind, usage, gpu_seconds, less=unused):
            units[Share(holder.account, kind)] += part
    return {share: Decimal(total).scaleb(-PICO) for share, total in sorted(units.items())}


def _line_parts(
    line: Line, kind: str, usage: Usage, gpu_seconds: StateSeconds, less: int
) -> Iterator[tuple[Holder, int]]:
    """What a line costs, less what of it nobody used."""
    total = int(line.effective_cost.scaleb(PICO)) - less
    owner = owner_of(_line_matches(line), line.start.date())
    if owner:
        yield Holder(owner, ""), total
    elif kind == "gpu":
        yield from _gpu_parts(line, total, usage, gpu_seconds)
    else:
        weights = _api_weights(line, usage) if line.model else Counter[Holder]()
        yield from split_units(total, weights or {Holder(UNALLOCATED, ""): 1}).items()


def _line_matches(line: Line) -> Iterator[Match]:
    yield Match("sub_account", line.sub_account_id)
    if line.resource_id:
        yield Match("resource", line.resource_id)
    for key, value in (line.tags or {}).items():
        yield Match("tag", value, key)


def _api_weights(line: Line, usage: Usage) -> Mapping[Holder, int]:
    """By tokens of the class; if nobody logged any, by cost of the model; if that is unknown too, of the provider.

    No gateway calls the models of the clouds: nobody logged them.
    """
    if line.provider_name not in PROVIDER_IDS:
        return {}
    used = Used(line.start.date(), PROVIDER_IDS[line.provider_name], PRICED_AS[line.model or ""])
    for weights in (
        usage.class_weights(used, line.token_class or ""),
        usage.model_cost_weights(used),
        usage.provider_cost_weights(used),
    ):
        if any(weights.values()):
            return +weights
    return {}


def _gpu_parts(line: Line, total: int, usage: Usage, gpu_seconds: StateSeconds) -> Iterator[tuple[Holder, int]]:
    """By seconds of the line's hours: states go to residuals or to owners of namespaces, pools on to their users."""
    host = next(host for host in HOSTS if host.resource_id == line.resource_id)
    hours = range(int((line.end - line.start) / _ONE_HOUR))
    held: Counter[Holder] = Counter()
    for hour in hours:
        for name, seconds in gpu_seconds[host, line.start + hour * _ONE_HOUR].items():
            held[_gpu_holder(name, line)] += seconds
    for holder, part in split_units(total, held).items():
        if not holder.account.startswith("pool:"):
            yield holder, part
            continue
        users = usage.pool_weights(line.start.date())
        yield from split_units(part, +users or {Holder(UNALLOCATED, ""): 1}).items()


def _gpu_holder(held: Held, line: Line) -> Holder:
    """The account of a state; the state stands in the feature's place, because pools are split state by state."""
    is_holder_known = held.state == "unknown" and held.namespace
    residual = None if is_holder_known else RESIDUAL_OF_STATE.get(held.state)
    owner = owner_of([Match("namespace", held.namespace)], line.start.date())
    return Holder(residual or owner or "residual:unowned_gpu", held.state)
