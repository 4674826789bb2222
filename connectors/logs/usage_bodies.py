"""A provider's own answer, or its usage object alone, as exclusive token buckets with model and service tier.

The family is recognised by the names in the usage object: gateways pass bodies of many providers on under one roof, and
their name for the provider is not always the one that answered.

Here belongs: finding the usage in a body, its family, model and tier. Here does not belong: fields of a family
(`usage_families`), prices, logs.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from connectors.logs import usage_families as families
from connectors.logs.buckets import MISSING, Buckets, UsageError, exclusive
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.usage_families import Read
from connectors.logs.usage_fields import Usage, inner, items


class NativeUsage(NamedTuple):
    """What one answer used.

    `beside` are quantities that no token class can tell: searches, and image tokens, which are inside of the text
    classes. `further` are other models' parts of the same answer (advisors, compactions), not inside of `buckets`.
    """

    buckets: Buckets
    model: str | None
    service_tier: str | None
    beside: Mapping[str, int]
    further: tuple["NativeUsage", ...] = ()


class _Family(NamedTuple):
    convention: str
    marks: frozenset[str]
    read: Callable[[Usage], Read]


def _family(convention: str, read: Callable[[Usage], Read], *marks: str) -> _Family:
    return _Family(convention, frozenset(marks), read)


# The first whose marks are among the names is the one: the order matters where names are shared.
_FAMILIES = (
    _family("gemini", families.gemini, "promptTokenCount", "candidatesTokenCount", "totalTokenCount"),
    _family("bedrock", families.bedrock, "inputTokens", "outputTokens"),
    _family(
        "bedrock",
        families.bedrock_invoke,
        "inputTokenCount",
        "outputTokenCount",
        "inputTextTokenCount",
        "prompt_token_count",
    ),
    _family("cohere", families.cohere, "billed_units", "tokens"),
    _family("perplexity", families.chat, "citation_tokens", "num_search_queries"),
    _family("chat", families.chat, "prompt_tokens", "completion_tokens"),
    _family(
        "anthropic",
        families.anthropic,
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "cache_creation",
        "server_tool_use",
    ),
    _family("openai", families.responses, "input_tokens", "output_tokens", "seconds"),
)

_WRAPPERS = ("response", "message", "result", "x_groq")  # of stream events, batches and Cloudflare's answers
_USAGE_NAMES = ("usage", "usageMetadata", "usage_metadata", "amazon-bedrock-invocationMetrics")
_MODEL_NAMES = ("model", "modelVersion", "model_version")
_TIERS: Mapping[str, str | None] = {
    "standard": "default",
    "auto": "default",
    "on_demand": "default",
    "on_demand_priority": "priority",
    "on_demand_flex": "flex",
    "provisioned_throughput": "provisioned",
    "scale": "provisioned",
    "reserved": "provisioned",
    "traffic_type_unspecified": None,
    "": None,
}
"""Providers' words for the price book's tiers; other words are kept."""


def read_body(body: Usage) -> NativeUsage:
    """What a provider's answer says that it used.

    Args:
        body: the answer, an event of a stream that carries usage, or the usage object alone, as parsed from JSON.

    Returns:
        Buckets that are `MISSING` where the body has no usage, or usage in units other than tokens.

    Raises:
        UsageError: the usage is of no known family, or contradicts itself.
    """
    whole = inner(body, *(name for name in _WRAPPERS if _usage_of(inner(body, name)))) or body
    usage = _usage_of(whole) or (whole if _family_of(whole) else {})
    model = next((str(whole[name]) for name in _MODEL_NAMES if whole.get(name)), None)
    tier = _tier(whole, usage)
    if not usage:
        return NativeUsage(MISSING, model, tier, {})
    family, found = _read(whole, usage)
    buckets = exclusive(found.counts, CONVENTIONS[family.convention])
    return NativeUsage(buckets, model, tier, found.beside, _further(usage, model, tier))


def service_tier(word: object) -> str | None:
    """A provider's word for a service tier in the price book's: default, batch, priority, flex or provisioned."""
    if not isinstance(word, str):
        return None
    key = word.strip().lower()
    return _TIERS.get(key, key)


def _usage_of(whole: Usage) -> Usage:
    meta = inner(whole, "meta")  # Cohere's; others say other things there
    return inner(whole, *_USAGE_NAMES) or (meta if _family_of(meta) else {})


def _family_of(usage: Usage) -> _Family | None:
    names = {name for name, value in usage.items() if value is not None}
    return next((family for family in _FAMILIES if family.marks & names), None)


def _read(whole: Usage, usage: Usage) -> tuple[_Family, Read]:
    family = _family_of(usage)
    if family is None:
        raise UsageError("unknown_usage", f"none of the {len(usage)} fields of the usage is a known provider's")
    if family.read is families.responses and str(whole.get("type", "")).startswith("speech."):
        return family, families.responses(usage, speaks=True)
    return family, family.read(usage)


def _tier(whole: Usage, usage: Usage) -> str | None:
    stated = (
        whole.get("service_tier"),
        inner(whole, "serviceTier").get("type"),
        usage.get("service_tier"),
        usage.get("serviceTier"),
        usage.get("trafficType"),
    )
    return next((tier for word in stated if (tier := service_tier(word)) is not None), None)


def _further(usage: Usage, model: str | None, tier: str | None) -> tuple[NativeUsage, ...]:
    """Iterations that Anthropic's totals leave out: those that are not the model's own messages."""
    found: list[NativeUsage] = []
    for item in items(usage, "iterations"):
        if item.get("type") != "message":
            counts, beside = families.anthropic(item)
            buckets = exclusive(counts, CONVENTIONS["anthropic"])
            found.append(NativeUsage(buckets, str(item.get("model") or model or "") or None, tier, beside))
    return tuple(found)
