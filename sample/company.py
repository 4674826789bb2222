"""The story: who Alder & Finch are, which teams they have, what each of them calls, and what they pay.

Here belongs: the invented company as constants. Here does not belong: chance, which is in `traffic` and `gpus`.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

COMPANY = "Alder & Finch"
MONTH_BEFORE, MONTH, NEXT_MONTH = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
RESTATED_FROM = date(2026, 11, 5)
AWS_INVOICED_FROM = date(2026, 11, 4)
DOMAIN = "alder-finch.example"

# Accounts, projects and subscriptions in the clouds; the numbers are those that AWS keeps for examples.
AWS_PAYER, SUPPORT_AWS_ACCOUNT = "111122223333", "444455556666"
SEARCH_AWS_ACCOUNT, RESEARCH_AWS_ACCOUNT = "123456789012", "777788889999"
GROWTH_PROJECT, SEARCH_PROJECT = "alder-growth-ai", "alder-search-gpu"
LEGAL_SUBSCRIPTION, SHARED_SUBSCRIPTION = (f"4b0c7a52-1847-4000-8000-00000000a00{n}" for n in (1, 2))

TOKEN_CLASSES = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output_text", "output_reasoning")
INPUT_CLASSES = TOKEN_CLASSES[:4]
OUTPUT_CLASSES = TOKEN_CLASSES[4:]


@dataclass(frozen=True)
class Team:
    """A team as the configuration names it."""

    team_id: str
    name: str
    business_unit: str
    cost_centre: str

    @property
    def gateway_team_id(self) -> str:
        """What the gateway calls it."""
        return f"team-{self.team_id}"


TEAMS = (
    Team("search", "Search", "Product", "CC-110"),
    Team("support", "Customer Support", "Operations", "CC-210"),
    Team("growth", "Growth", "Product", "CC-120"),
    Team("research", "Research", "Technology", "CC-310"),
    Team("data-platform", "Data Platform", "Technology", "CC-320"),
    Team("mobile", "Mobile", "Product", "CC-130"),
    Team("legal", "Legal", "Operations", "CC-220"),
)


@dataclass(frozen=True)
class Model:
    """A model behind the gateway: `alias` is what callers ask for, `name` what the log and the price list say."""

    alias: str
    provider: str
    name: str
    bill_name: str | None
    deployment_id: str
    api_base: str

    @property
    def logged_name(self) -> str:
        """The model as the gateway logs it, with the provider in front."""
        return f"{self.provider}/{self.name}"


_OPENAI = "https://api.openai.com/v1"
_ANTHROPIC = "https://api.anthropic.com/v1/messages"
SELF_HOSTED = "llama-3.1-8b-instruct"
MODELS = {
    "gpt-5": Model("gpt-5", "openai", "gpt-5", "gpt-5", "dep-gpt5", _OPENAI),
    "gpt-5-mini": Model("gpt-5-mini", "openai", "gpt-5-mini", "gpt-5-mini", "dep-gpt5-mini", _OPENAI),
    "sonnet": Model(
        "claude-sonnet", "anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "dep-sonnet", _ANTHROPIC
    ),
    "opus": Model("claude-opus", "anthropic", "claude-opus-4-5", "claude-opus-4-5-20251101", "dep-opus", _ANTHROPIC),
    "haiku": Model(
        "claude-haiku", "anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", "dep-haiku", _ANTHROPIC
    ),
    "llama": Model(
        "llama-house", "hosted_vllm", SELF_HOSTED, None, "dep-llama-serving", "http://llm.serving.svc:8000/v1"
    ),
    # An alias that nobody registered: billed as gpt-5-mini, logged under a name that no price list knows.
    "prototype": Model("finch-x", "openai", "finch-x", "gpt-5-mini", "dep-finch-x", _OPENAI),
}


@dataclass(frozen=True)
class Workload:
    """One feature calling one model with one virtual key. Medians are of log-normal lengths."""

    key_alias: str
    team_id: str | None
    feature: str
    model: str
    requests_per_weekday: int
    input_tokens: int
    output_tokens: int
    cached_share: float = 0.0
    reasoning_tokens: int = 0
    weekend_factor: float = 0.25
    gateway: str = "us"


WORKLOADS = (
    Workload("search-prod", "search", "query-rewrite", "gpt-5-mini", 420, 900, 120, 0.0, 96, 0.7),
    Workload("search-prod", "search", "answer-cards", "llama", 260, 1800, 250, 0.3, 0, 0.7),
    Workload("batch-evals", "search", "ranking-evals", "haiku", 40, 6000, 500, 0.4, 0, 0.1),
    Workload("support-prod", "support", "reply-draft", "sonnet", 220, 40000, 600, 0.7, 0, 0.4),
    Workload("support-prod", "support", "ticket-triage", "llama", 240, 900, 60, 0.2, 0, 0.4),
    Workload("growth-prod", "growth", "campaign-copy", "gpt-5-mini", 110, 2500, 700, 0.0, 0, 0.1),
    Workload("growth-agent", "growth", "lead-agent", "gpt-5", 60, 30000, 900, 0.4, 700, 0.1),
    Workload("research-lab", "research", "paper-digest", "opus", 70, 80000, 2500, 0.1, 0, 0.2),
    Workload("research-lab", "research", "eval-harness", "gpt-5", 90, 40000, 6000, 0.0, 4000, 0.6),
    Workload("data-tools", "data-platform", "sql-assistant", "gpt-5", 110, 40000, 600, 0.6, 400),
    Workload("data-tools", "data-platform", "doc-tagging", "llama", 150, 2200, 90, 0.0, 0, 0.5),
    Workload("data-tools", "data-platform", "prototype", "prototype", 3, 1500, 200),
    Workload("mobile-app", "mobile", "in-app-assistant", "haiku", 180, 3500, 220, 0.5, 0, 1.3),
    Workload("shared-playground", None, "contract-review", "gpt-5-mini", 6, 12000, 900),
    Workload("shared-playground", None, "playground", "gpt-5-mini", 20, 1200, 400),
    Workload("shared-playground", None, "playground", "llama", 6, 1200, 400),
    Workload("legal-eu", "legal", "contract-review", "opus", 14, 60000, 1500, 0.3, 0, 0.1, "eu"),
    Workload("support-eu", "support", "reply-draft", "gpt-5-mini", 13, 9000, 400, 0.5, 128, 0.4, "eu"),
)

# What the gateway adds to the cost of a key's requests in its own log, as a share; nobody is billed for it.
MARGINS = {"growth-prod": Decimal("0.1")}

# The agent that would not stop: over a weekend a loop multiplies what the team uses.
RUNAWAY_DAYS = (date(2026, 10, 17), date(2026, 10, 18))
RUNAWAY = Workload("growth-agent", "growth", "lead-agent", "gpt-5", 570, 90000, 1800, 0.1, 1400, 1.0)
# The self-hosted model was unloaded for maintenance: its GPUs idled, and nobody used them.
MAINTENANCE_DAY = date(2026, 10, 25)


def names(text: str) -> list[str]:
    """The words of a list that is written as prose."""
    return text.split()


class Match(NamedTuple):
    """What an owner rule compares: one kind, and for tags a key."""

    kind: str
    value: str
    key: str = ""


@dataclass(frozen=True)
class OwnerRule:
    """A rule of the configuration; the first that matches wins. `account` is `team:<id>` or `pool:<id>`."""

    rule_id: str
    match: Match
    account: str
    valid_from: date = date(1970, 1, 1)
    valid_to: date = date(9999, 12, 31)

    def holds(self, day: date) -> bool:
        """Whether the rule is valid on `day`."""
        return self.valid_from <= day < self.valid_to


_HANDOVER = date(2026, 10, 16)
OWNERS = (
    OwnerRule("evals-are-research", Match("gateway_key", "batch-evals"), "team:research"),
    *(
        OwnerRule(f"gateway-{team.team_id}", Match("gateway_team", team.gateway_team_id), f"team:{team.team_id}")
        for team in TEAMS
    ),
    OwnerRule("contracts-are-legal", Match("feature", "contract-review"), "team:legal"),
    OwnerRule("mobile-direct-key", Match("sub_account", "proj_mobile_direct"), "team:mobile", valid_to=_HANDOVER),
    OwnerRule("mobile-key-to-growth", Match("sub_account", "proj_mobile_direct"), "team:growth", valid_from=_HANDOVER),
    OwnerRule("legal-direct-key", Match("sub_account", "wrkspc_legal_direct"), "team:legal"),
    OwnerRule("tagged-data-platform", Match("tag", "data-platform", "team"), "team:data-platform"),
    OwnerRule("tagged-mobile", Match("tag", "mobile", "team"), "team:mobile"),
    OwnerRule("aws-tagged-search", Match("tag", "search", "user_team"), "team:search"),
    OwnerRule("aws-tagged-research", Match("tag", "research", "user_team"), "team:research"),
    OwnerRule("aws-account-of-support", Match("sub_account", SUPPORT_AWS_ACCOUNT), "team:support"),
    OwnerRule("google-project-of-growth", Match("sub_account", GROWTH_PROJECT), "team:growth"),
    OwnerRule("google-project-of-search", Match("sub_account", SEARCH_PROJECT), "team:search"),
    OwnerRule("azure-subscription-of-legal", Match("sub_account", LEGAL_SUBSCRIPTION), "team:legal"),
    OwnerRule("research-scratch", Match("resource", "nimbus-vol-scratch-7"), "team:research"),
    OwnerRule("serving-is-shared", Match("namespace", "serving"), "pool:serving"),
    OwnerRule("research-namespace", Match("namespace", "research"), "team:research"),
)
POOL_WEIGHTS = {"input_uncached": 10, "cache_read": 1, "output_text": 40, "output_reasoning": 40}


@dataclass(frozen=True)
class Host:
    """A GPU node as the bill and the exporter name it."""

    resource_id: str
    hostname: str
    cluster: str
    gpus: int = 8
    gpu_model: str = "NVIDIA H100 80GB HBM3"
    vcpus: int = 192
    memory_gib: int = 2000
    usd_per_gpu_hour: Decimal = field(default=Decimal("1.99"))
    list_usd_per_gpu_hour: Decimal = field(default=Decimal("2.49"))


SERVING = Host("nimbus-gpu-0a17", "serve-h100-01", "serving")
RESEARCH = Host("nimbus-gpu-0b42", "rsch-h100-01", "research")
HOSTS = (SERVING, RESEARCH)


def days_until(as_of: date, since: date = MONTH) -> tuple[date, ...]:
    """The days from `since` on that are over on the morning of `as_of`. Raises ValueError when none is of the month."""
    end = min(as_of, NEXT_MONTH)
    if end <= MONTH:
        raise ValueError(f"as_of is {as_of}, but the sample month starts on {MONTH}: choose a later day")
    return tuple(since + timedelta(days=day) for day in range((end - since).days))


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def month_after(month: date) -> date:
    """The first day of the month after."""
    return month_of(month + timedelta(days=31))
