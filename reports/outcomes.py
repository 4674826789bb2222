"""What a team's outcomes cost in a month, as a section of a statement shows it: one line a kind, its routes beneath.

Here belongs: which rows of `unit_costs` are told, and in which words. Here does not belong: how the section looks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

ROUTES: Mapping[str, str] = MappingProxyType(
    {"api": "by API", "self_hosted": "on own GPUs", "mixed": "by both", "unknown": "failed throughout", "": "all"}
)
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no_outcomes": "nothing came of it yet",
        "few_outcomes": "too few outcomes to tell",
        "few_successes": "too few successes to tell",
        "unpriced": "the cost of too many requests is not known",
        "immature": "too early to tell",
    }
)
NOWCAST = "estimate: more outcomes are expected"


@dataclass(frozen=True)
class OutcomeLine:
    """One kind of outcome, or one of its routes. Costs are in USD; `told` says why a cost is missing or is an estimate.

    `cost_per_success` is None where it is not told; `low` and `high` are its 95 % interval, None where there is none.
    """

    kind: str
    route: str
    cases: int
    successes: Decimal
    success_ratio: float | None
    cost: Decimal
    cost_per_success: Decimal | None
    low: Decimal | None
    high: Decimal | None
    told: str


def outcome_lines(rows: Iterable[Mapping[str, Any]], month: date) -> Sequence[OutcomeLine]:
    """The month's lines of the whole company: kinds by name, each followed by its routes where it has several.

    `rows` are those of `unit_costs`, of any level and period. Rows without requests are left out: nothing was spent.
    """
    found = [
        row for row in rows if (row["period_kind"], row["period_start"]) == ("month", month) and row["trace_count"]
    ]
    kinds = sorted((row for row in found if row["level"] == "kind"), key=lambda row: row["outcome_kind"])
    lines: list[OutcomeLine] = []
    for kind in kinds:
        routes = [r for r in found if r["level"] == "route" and r["outcome_kind"] == kind["outcome_kind"]]
        lines.append(_line(kind))
        if len(routes) > 1:
            lines += [_line(row) for row in sorted(routes, key=lambda row: row["route"])]
    return lines


def team_outcome_lines(rows: Iterable[Mapping[str, Any]], month: date, team_id: str) -> Sequence[OutcomeLine]:
    """The month's lines of one team: what its requests cost for each kind that they serve, and what came of them."""
    found = (
        row
        for row in rows
        if (row["period_kind"], row["period_start"], row["level"]) == ("month", month, "team")
        and row["team_id"] == team_id
        and row["trace_count"]
    )
    return [_line(row) for row in sorted(found, key=lambda row: row["outcome_kind"])]


def _line(row: Mapping[str, Any]) -> OutcomeLine:
    reason = row["reason"]
    is_told = row["cost_per_success_usd"] is not None
    return OutcomeLine(
        kind=row["outcome_kind"],
        route=ROUTES[row["route"]],
        cases=row["trace_count"],
        successes=row["success_count"],
        success_ratio=row["success_ratio"],
        cost=row["priced_cost_usd"],
        cost_per_success=row["cost_per_success_usd"],
        low=row["cost_per_success_low_usd"],
        high=row["cost_per_success_high_usd"],
        told=REASONS[reason] if reason and not is_told else NOWCAST if row["is_nowcast"] else "",
    )
