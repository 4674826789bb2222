"""What a usage type of Amazon Bedrock means: `USE1-Claude4.6Sonnet-cache-read-input-token-count-cross-region-global`.

Three spellings are in use side by side: words after a billing name (above), the mantle endpoint's
(`USE1-openai.gpt-oss-120b-mantle-input-tokens-flex`), and the marketplace's, which leaves the model to the product's
name (`USE1-MP:USE1_CacheWrite1hInputTokenCount_Global-Units`). All are words around the one that says "token"; each
word is looked up in one table. Patterns: Amazon Bedrock's guide to its entries in the Cost and Usage Report, and its
price list.

Here belongs: words of usage types, units of tokens. Here does not belong: names of models (`bedrock_models`), prices.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connectors.aws.bedrock_models import Routing, model_id

Tier = Literal["default", "batch", "priority", "flex", "provisioned", "latency-optimized"]

_TOKEN = frozenset({"token", "tokens"})
_NOISE = frozenset({"mantle", "million", "count", "units", "understanding", "generation", "cross", "region"})
_SPLIT: Mapping[str, tuple[str, ...]] = {
    "cacheread": ("cache", "read"),
    "cachewrite": ("cache", "write"),
    "writes": ("write",),
    "hour": ("1h",),
}
_ROLES = frozenset({"cache", "read", "write", "input", "output", "text", "5m", "1h", "30m", "1"})
_AUDIO, _PICTURES = frozenset({"speech", "audio"}), frozenset({"image", "video"})
_TIERS: Mapping[str, Tier] = {
    "standard": "default",
    "batch": "batch",
    "flex": "flex",
    "priority": "priority",
    "latency": "latency-optimized",
    "optimized": "latency-optimized",
}
_ROUTES: Mapping[str, Routing] = {"global": "global", "geo": "geo"}
_VARIANTS: Mapping[str, str] = {
    "long": "long-context",
    "ctx": "long-context",
    "lctx": "long-context",
    "context": "long-context",
    "custom": "custom-model",
    "model": "custom-model",
}
_OF_KIND = _NOISE | _ROLES | _AUDIO | _PICTURES | _SPLIT.keys() | _TIERS.keys() | _ROUTES.keys()
_REGION = re.compile(r"([A-Z]{2,4}\d?)-(?=.)")
_MARKETPLACE = re.compile(r"MP:(?:[A-Z]{2,4}\d?_)?(.+?)(?:-Units)?")
_RESERVED = re.compile(r"(?:^|[-_])(?:ProvisionedThroughput|Reserved)(?=$|[-_])", re.IGNORECASE)
_CAMEL = re.compile(r"LCtx|\d+[a-z]*|[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_UNIT = re.compile(r"([\d,]*[km]?|million) ?(?:(?:batch|input|output|cache|read|write) )*tokens?")
_UNITS: Mapping[str, int] = {
    "": 1, "1": 1, "1k": 1_000, "1000": 1_000, "1m": 1_000_000, "1000000": 1_000_000, "million": 1_000_000,
}  # fmt: skip


@dataclass(frozen=True)
class BedrockMeter:
    """What a usage type says; None where it does not.

    `region_code` is AWS's code of billing (USE1). `billing_name` is the model as it is billed and `model_id` the same
    in the price list's words, where they are known; the marketplace's usage types name none: the product does, and
    `bedrock_models.model_id(product, routing)` reads it. `token_class` is None for what has no class of ours (images,
    caches kept for half an hour, throughput). `service_tier` is None where an unknown word might change it. `variants`
    are what changes the price besides: long context, a customised model, and words that are new.
    """

    region_code: str | None
    billing_name: str | None
    model_id: str | None
    token_class: str | None
    service_tier: Tier | None
    routing: Routing | None
    variants: tuple[str, ...] = ()

    @property
    def price_tier(self) -> str | None:
        """Tier and variants in one name: prices that differ differ in it."""
        return self.service_tier and "+".join((self.service_tier, *self.variants))


def read_usage_type(usage_type: str) -> BedrockMeter | None:
    """What a usage type of Amazon Bedrock's means; None when it is none of tokens or of reserved throughput."""
    region = _REGION.match(usage_type)
    code, rest = (region[1], usage_type[region.end() :]) if region else (None, usage_type)
    market = _MARKETPLACE.fullmatch(rest)
    name, kind = (None, _CAMEL.findall(market[1])) if market else _named(rest)
    if reserved := _RESERVED.search(market[1] if market else rest):
        billed = None if market else rest[: reserved.start()].strip("-") or None
        return _meter(code, billed, None, "provisioned", _route(_CAMEL.findall(rest.lower())), ())
    words = [part for word in kind for part in _SPLIT.get(word.lower(), (word.lower(),))]
    token = next((place for place, word in enumerate(words) if word in _TOKEN), None)
    if token is None or not {"input", "output", "cache"}.intersection(words) or (market is None and name is None):
        return None
    return _read(code, name, words)


def tokens_per_unit(pricing_unit: str) -> int | None:
    """How many tokens a unit is: `1K tokens`, `1M tokens`, `1000 Tokens`, or in a description `Million Input Tokens`.

    None for a unit of something else. The same model has been billed per thousand and per million: the unit is the
    line's, never the model's.
    """
    found = _UNIT.fullmatch(pricing_unit.strip().lower())
    return _UNITS.get(found[1].replace(",", "")) if found else None


def _named(rest: str) -> tuple[str | None, list[str]]:
    """The billing name, and the words after it: those that reach back from "token" without leaving the table."""
    parts = rest.split("-")
    token = next((place for place in reversed(range(len(parts))) if parts[place] in _TOKEN), None)
    if token is None:
        return None, []
    start = token
    while start > 1 and parts[start - 1] in _OF_KIND:  # names are written with capitals, except mantle's
        start -= 1
        if parts[start] == "mantle":
            break
    return "-".join(parts[:start]) or None, parts[start:]


def _read(code: str | None, name: str | None, words: Sequence[str]) -> BedrockMeter:
    told = set(words) - _NOISE - _TOKEN - _ROLES - _AUDIO - _PICTURES
    tiers: set[Tier] = {_TIERS[word] for word in told if word in _TIERS}
    if len(tiers) != 1:
        tiers.discard("default")
    unknown = sorted(word for word in told if not (word in _TIERS or word in _ROUTES or word in _VARIANTS))
    variants = (*sorted({_VARIANTS[word] for word in told if word in _VARIANTS}), *unknown)
    tier: Tier | None = None
    if not unknown and len(tiers) < 2:
        tier = tiers.pop() if tiers else "default"
    return _meter(code, name, _token_class(set(words)), tier, _route(words), variants)


def _meter(
    code: str | None,
    name: str | None,
    token_class: str | None,
    tier: Tier | None,
    route: Routing | None,
    variants: tuple[str, ...],
) -> BedrockMeter:
    return BedrockMeter(code, name, model_id(name, route) if name else None, token_class, tier, route, variants)


def _token_class(words: set[str]) -> str | None:
    """The exclusive token class. Order matters: what the cache reads and writes is input, too."""
    if words & _PICTURES or "30m" in words:
        return None
    if "cache" in words:
        if "read" in words:
            return "cache_read"
        if "write" in words:
            return "cache_write_1h" if "1h" in words else "cache_write_5m"
        return None
    if "input" in words:
        return "input_audio" if words & _AUDIO else "input_uncached"
    return "output_audio" if words & _AUDIO else "output_text"


def _route(words: Iterable[str]) -> Routing | None:
    return next((_ROUTES[word] for word in words if word in _ROUTES), None)
