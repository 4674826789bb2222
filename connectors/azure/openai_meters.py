"""Which model, token class and tier a meter of Azure's model services means: `gpt 4.1 cached Inp glbl Tokens`.

Meter names are words without a grammar: the model, the direction, the deployment's reach and the tier, abbreviated
differently from one model to the next. Each word is looked up in one table; what no table knows belongs to the model's
name. Words and abbreviations: Azure's public price list.

Here belongs: words of meters. Here does not belong: prices, quantities, and what a model is called elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

SERVICES = frozenset(
    {"azure openai", "azure openai service", "foundry models", "azure ai foundry models", "azure ai foundry"}
)
"""Meter categories that hold model meters and nothing else, in small letters; the category was renamed repeatedly."""
SHARED_SERVICE = "cognitive services"
"""The older category, which model meters shared with speech and vision: their subcategory tells them."""

Role = Literal["write", "cached", "input", "output", "audio", "image", "text"]
Tier = Literal["default", "batch", "priority", "flex", "provisioned"]

SCOPES: Mapping[str, tuple[str, ...]] = {
    "Global": ("global", "glbl", "glb", "gl"),
    "Data Zone": ("datazone", "dzone", "dzn", "dz"),
    "Regional": ("regional", "regnl", "rgnl", "regn"),
}
_TIERS: Mapping[Tier, tuple[str, ...]] = {
    "batch": ("batch",),
    "priority": ("pp", "priority"),
    "flex": ("flex", "fl"),
    "provisioned": ("provisioned", "ptu"),
}
_ROLES: Mapping[Role, tuple[str, ...]] = {
    "write": ("wr", "write"),
    "cached": ("cached", "cchd", "ccchd", "cd", "ch", "cache"),
    "input": ("inp", "inpt", "input", "in", "prompt"),
    "output": ("outp", "outpt", "output", "opt", "out", "completion"),
    "audio": ("aud", "audio"),
    "image": ("img", "image"),
    "text": ("txt", "text"),
}
_TUNING = frozenset(
    {"ft", "finetuned", "finetuning", "training", "trng", "hosting", "hstng", "grader", "rft", "dev", "tuned"}
)
_LONG_CONTEXT = frozenset({"longco", "loco"})
_NOISE = frozenset({"std", "standard", "shortco", "shco", "1m", "1k", "1000", "new", "az", "token", "tokens"})
_COUNTED = frozenset(
    {"unit", "units", "second", "seconds", "hour", "image", "images", "page", "pages", "characters", "megapixel"}
)
_ABBREVIATED: Mapping[str, tuple[str, ...]] = {
    "mn": ("mini",),
    "rt": ("realtime",),
    "rtime": ("realtime",),
    "trscb": ("transcribe",),
    "tcrb": ("transcribe",),
    "gpt4o": ("gpt", "4o"),
    "gpt4omini": ("gpt", "4o", "mini"),
    "35": ("3.5",),
}
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("grok", "grok"),
    ("deepseek", "deepseek"),
    ("kimi", "kimi"),
    ("mistral", "mistral"),
    ("llama", "llama"),
    ("phi", "phi"),
    ("mai models", "mai"),
)
"""Words of a product, and the family that its meters leave out of their names."""

_VERSIONS: Mapping[tuple[str, str], str] = {
    ("gpt-4o", "0513"): "2024-05-13",
    ("gpt-4o", "0806"): "2024-08-06",
    ("gpt-4o", "1120"): "2024-11-20",
    ("gpt-4o-mini", "0718"): "2024-07-18",
    ("gpt-4-turbo", "0409"): "2024-04-09",
    ("o1", "1217"): "2024-12-17",
    ("o1-mini", "0912"): "2024-09-12",
    ("o1-preview", "0912"): "2024-09-12",
    ("o3", "0416"): "2025-04-16",
    ("o3-mini", "0131"): "2025-01-31",
    ("o4-mini", "0416"): "2025-04-16",
    ("gpt-4.1", "0414"): "2025-04-14",
    ("gpt-4.1-mini", "0414"): "2025-04-14",
    ("gpt-4.1-nano", "0414"): "2025-04-14",
}
"""Months and days in meters of models that had more than one version, and the date that their identifiers bear."""

_EMBEDDINGS: Mapping[str, str] = {
    "embedding-ada": "text-embedding-ada-002",
    "embedding-3-small": "text-embedding-3-small",
    "embedding-3-large": "text-embedding-3-large",
}
_MONTH_DAY, _WITH_YEAR = re.compile(r"(0[1-9]|1[0-2])[0-3]\d"), re.compile(r"\d{8}")
_WORD_OF: Mapping[str, Role] = {word: role for role, words in _ROLES.items() for word in words}
_SCOPE_OF = {word: scope for scope, words in SCOPES.items() for word in words}
_TIER_OF = {word: tier for tier, words in _TIERS.items() for word in words}


@dataclass(frozen=True)
class Meter:
    """What a meter's words say; None where they do not. `is_tuning`: fine-tuning, of a model that nobody else has."""

    model: str | None = None
    token_class: str | None = None
    tier: str | None = None
    scope: str | None = None
    is_tuning: bool = False
    is_long_context: bool = False


def is_model_service(category: str, subcategory: str) -> bool:
    """Whether meters of that category and subcategory are those of language models."""
    category = category.strip().lower()
    return category in SERVICES or (category == SHARED_SERVICE and "openai" in subcategory.lower())


def read_meter(name: str, product: str = "") -> Meter:
    """What a meter of a model service means.

    Args:
        name: The meter's name.
        product: Its subcategory or product: it tells the family where the name leaves it out.
    """
    words = _words(name)
    scope = next((_SCOPE_OF[word] for word in words if word in _SCOPE_OF), None)
    tier = next((_TIER_OF[word] for word in words if word in _TIER_OF), None)
    if tier == "provisioned":
        return Meter(tier=tier, scope=scope)
    if _TUNING.intersection(words):
        return Meter(scope=scope, is_tuning=True)
    stem, roles, version = _sorted_out(words)
    model = _model(stem, version, product)
    token_class = _token_class(stem, roles)
    return Meter(
        model=model,
        token_class=token_class,
        tier=(tier or "default") if model else tier,
        scope=scope,
        is_long_context=bool(_LONG_CONTEXT.intersection(words)),
    )


def _words(name: str) -> list[str]:
    text = name.lower().replace("data zone", "datazone")
    text = re.sub(r"batch(?=inp|outp)", "batch ", text)
    text = re.sub(r"(mini|aud|txt)(?=\d{4}\b)", r"\1 ", text)
    text = re.sub(r"\bgpt(?=\d)(?!4o)", "gpt ", text)
    words = [word for word in re.split(r"[\s\-_/]+", text) if word]
    return [part for word in words for part in _ABBREVIATED.get(word, (word,))]


def _sorted_out(words: list[str]) -> tuple[list[str], set[Role], str | None]:
    """The words of the model, the roles of the others, and a version's month and day."""
    stem, roles, version = list[str](), set[Role](), None
    for word in words:
        if word in ("aud", "audio", "img", "image") and stem == ["gpt"]:  # gpt-audio and gpt-image are models
            role = _WORD_OF[word]
            stem.append(role)
            roles.add(role)
        elif word in _WORD_OF:
            roles.add(_WORD_OF[word])
        elif _MONTH_DAY.fullmatch(word) or _WITH_YEAR.fullmatch(word):
            version = word
        elif not (word in _SCOPE_OF or word in _TIER_OF or word in _NOISE | _COUNTED | _LONG_CONTEXT):
            stem.append(word)
    return stem, roles, version


def _token_class(stem: list[str], roles: set[Role]) -> str | None:
    """The exclusive token class. Order matters: a cache write is cached input too, and cached input is input."""
    is_audio = "audio" in roles and "text" not in roles
    if "image" in roles and "text" not in roles:
        return None  # image tokens have no class of their own
    if "write" in roles:
        return "cache_write_5m"
    if "cached" in roles and "output" not in roles:
        return "cache_read"
    if "input" in roles or ("embedding" in stem and "output" not in roles):
        return "input_audio" if is_audio else "input_uncached"
    if "output" in roles:
        return "output_audio" if is_audio else "output_text"
    return None


def _model(stem: list[str], version: str | None, product: str) -> str | None:
    if not stem:
        return None
    name = "-".join(stem)
    name = _EMBEDDINGS.get(name, name)
    if not name.startswith(tuple(family for _, family in _FAMILIES)):
        family = next((family for word, family in _FAMILIES if word in product.lower()), None)
        if family:
            name = f"{family}-{name}"
        elif name[0].isdigit():
            name = f"gpt-{name}"
    dated = _VERSIONS.get((name, version or ""))
    return f"{name}-{dated}" if dated else name
