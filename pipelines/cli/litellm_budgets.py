"""Budgets in the form that LiteLLM enforces: a piece of its configuration, and the calls that its database needs.

Checked against LiteLLM 1.102 (docs.litellm.ai/docs/proxy/users, /provider_budget_routing, /team_budgets, 2026-11).
The company's budget and budgets of providers are configuration; teams and tags have theirs in the gateway's database,
which only its API writes. Budgets of tags in the configuration (`tag_budget_config`) need LiteLLM's Enterprise licence
(without one the gateway does not start), and are not used. What the gateway has no form for is named, never dropped.

Here belongs: the translation. Here does not belong: writing files, calling the gateway.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import orjson
import yaml

from models.scopes import Scope
from pipelines.calendar import next_month
from pipelines.config.budgets import Budget
from pipelines.config.schema import Config

MONTHLY = "1mo"
PROVIDERS: Mapping[str, str] = {"OpenAI": "openai", "Anthropic": "anthropic", "OpenRouter": "openrouter"}
"""LiteLLM's names of those who bill tokens and nothing else. A cloud's bill holds more than what the gateway sees."""

_HEAD = """\
# Farthing's budgets of {month} for LiteLLM: name this file under `include` of the gateway's configuration.
# The gateway counts in its own prices and needs its database; the bill may come to more, or less.
"""
Request = tuple[str, Mapping[str, object]]


@dataclass(frozen=True)
class Exported:
    """What the gateway is given: a configuration (YAML), calls of its API (JSON), and what neither can say."""

    config: str
    requests: str
    left_out: tuple[str, ...]


def exported(config: Config, month: date) -> Exported:
    """The budgets that hold in a month. Raises ValueError where the statements are not in dollars: LiteLLM's are."""
    if config.currency != "USD":
        raise ValueError(f"LiteLLM counts dollars, and these budgets are in {config.currency}: nothing was exported")
    held = [budget for budget in config.budgets if budget.valid_from <= month < budget.valid_to]
    settings: dict[str, dict[str, object]] = {}
    requests: list[Request] = []
    left_out: list[str] = []
    for budget in held:
        found = _translated(config, month, budget, settings)
        if isinstance(found, str):
            left_out.append(f"budget {budget.id}: {found}")
        else:
            requests += found
    head = _HEAD.format(month=f"{month:%Y-%m}") + "".join(f"# Left out: {told}\n" for told in left_out)
    body = yaml.dump(settings, Dumper=_Exact, sort_keys=False) if settings else "{}\n"
    return Exported(head + body, _json(requests), tuple(left_out))


def _translated(
    config: Config, month: date, budget: Budget, settings: dict[str, dict[str, object]]
) -> str | list[Request]:
    """Puts a budget into `settings`, or gives the calls that set it; a sentence where LiteLLM has no form for it."""
    amount, scope = budget.amount, budget.scope
    if amount is None:
        return "LiteLLM limits tokens by the minute, not by the month"
    if unknown := [_UNKNOWN[name] for name in scope.fixed if name in _UNKNOWN]:
        return unknown[0]
    if len(scope.fixed) > 1:
        return f"LiteLLM has no budget of {' and '.join(_WORDS[name] for name in scope.fixed)} together"
    if scope.provider_name:
        return _of_provider(scope.provider_name, amount, settings)
    if budget.team is not None:
        return _of_team(config, month, budget.team, amount)
    return _of_company(scope, amount, settings)


def _of_company(scope: Scope, amount: Decimal, settings: dict[str, dict[str, object]]) -> str | list[Request]:
    if scope.model_id:
        return "LiteLLM limits a deployment, in its own entry of model_list, not a model wherever it is served"
    month = {"max_budget": amount, "budget_duration": MONTHLY}
    if scope.feature:
        return [("/tag/new", {"name": scope.feature, **month})]
    settings.setdefault("litellm_settings", {}).update(month)
    return []


_UNKNOWN = {
    "outcome_kind": "LiteLLM knows no outcomes",
    "business_unit": "LiteLLM knows no business units; give its teams budgets of their own",
}
_WORDS = {"account": "team", "provider_name": "provider", "model_id": "model", "feature": "feature"}


def _of_provider(name: str, amount: Decimal, settings: dict[str, dict[str, object]]) -> str | list[Request]:
    known = PROVIDERS.get(name)
    if known is None:
        return f"what {name} bills is not known to be what LiteLLM sends to one of its providers"
    limits = settings.setdefault("router_settings", {}).setdefault("provider_budget_config", {})
    assert isinstance(limits, dict)  # noqa: S101 - set one line above: this is for the type checker
    limits[known] = {"budget_limit": amount, "time_period": MONTHLY}
    return []


def _of_team(config: Config, month: date, team: str, amount: Decimal) -> str | list[Request]:
    """A team has one budget: it is set where the gateway knows it, all the month or some of it, as one team."""
    rules = [owner for owner in config.owners if owner.valid_from < next_month(month) and owner.valid_to > month]
    known = sorted({owner.gateway_team for owner in rules if owner.team == team and owner.gateway_team})
    if not known:
        return f"no owner rule says as which team the gateway knows {team} in {month:%Y-%m} (gateway_team)"
    if len(known) > 1:
        return (
            f"the gateway knows {team} as {len(known)} teams ({', '.join(known)}), and its budget is for all together"
        )
    others = sorted({o.team or f"pool {o.pool}" for o in rules if o.gateway_team == known[0] and o.team != team})
    if others:
        return f"the gateway's team {known[0]} is {' and '.join(others)} too in {month:%Y-%m}, and has one budget"
    return [("/team/update", {"team_id": known[0], "max_budget": amount, "budget_duration": MONTHLY})]


class _Exact(yaml.SafeDumper):
    """Writes decimals as the numbers that they are."""


def _decimal(dumper: yaml.SafeDumper, value: Decimal) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", _number(value))


_Exact.add_representer(Decimal, _decimal)


def _number(value: Decimal) -> str:
    """With a point always: YAML's floats have one."""
    text = f"{value:f}"
    return text if "." in text else f"{text}.0"


def _json(requests: Sequence[Request]) -> str:
    return orjson.dumps(list(_calls(requests)), option=orjson.OPT_INDENT_2).decode() + "\n"


def _calls(requests: Sequence[Request]) -> Iterator[dict[str, object]]:
    for path, body in requests:
        told = {
            name: orjson.Fragment(_number(value)) if isinstance(value, Decimal) else value
            for name, value in body.items()
        }
        yield {"method": "POST", "path": path, "body": told}
