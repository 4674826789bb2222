"""Vertex AI's SKU descriptions: which model, token class, service tier and unit a line bills.

The bill has no columns for them: a description such as `Gemini 2.5 Flash GA Thinking Text Output - Predictions` says it
in words. Tables, first match wins; what no table knows stays NULL, and is told.
"""

import re
from dataclasses import dataclass

GENERATIVE_SERVICES = frozenset({"Vertex AI", "Generative Language API", "Gemini API", "Agent Platform"})
PROVISIONED = "provisioned"

_MODEL_WORDS = re.compile(
    r"\b(?P<family>gemini|claude|llama|mistral|codestral|jamba|deepseek|qwen3?|gpt-oss|gemma|grok|kimi|glm)\b"
    r"(?P<rest>(?:[ -](?:v?\d+(?:\.\d+)*|\d+[a-z]|pro|flash|lite|ultra|nano|opus|sonnet|haiku|instant|large"
    r"|medium|small|maverick|scout|instruct|coder|thinking(?= \d)|embedding|image(?! input| output)|live|cyber|tts|r1"
    r"|k2|nemo|mini))*)",
    re.IGNORECASE,
)
_EMBEDDING = re.compile(r"\b(gemini|text|multimodal)[ -]embedding(?:[ -](\d{3}))?", re.IGNORECASE)

_NO_TOKENS = re.compile(
    r"caching storage|cache storage|grounding|search quer|\bveo\b|\bimagen\b|\blyria\b|tuning|training|memory bank"
    r"|image (?:generation|output)|video",
    re.IGNORECASE,
)
_CLASSES = (
    (re.compile(r"cach(?:e|ed|ing).*\bwrite.*\b1 ?h|cache write.*hour", re.IGNORECASE), "cache_write_1h"),
    (re.compile(r"cache[ -]write|\bcach(?:e|ing)\b.*\bwrite", re.IGNORECASE), "cache_write_5m"),
    (re.compile(r"audio.*(?:cached|caching|cache read|cache hit)|(?:cached|caching).*audio", re.IGNORECASE), None),
    (
        re.compile(r"input.*caching|caching.*input|cached .*input|input.*cached|cache[ -](?:read|hit)", re.IGNORECASE),
        "cache_read",
    ),
    (re.compile(r"audio[ -]output|output[ -]audio|audio output", re.IGNORECASE), "output_audio"),
    (re.compile(r"audio[ -]input|input[ -]audio", re.IGNORECASE), "input_audio"),
    (re.compile(r"\b(?:thinking|reasoning)\b.*output", re.IGNORECASE), "output_reasoning"),
    (re.compile(r"\boutput\b", re.IGNORECASE), "output_text"),
    (re.compile(r"\binput\b|embedding", re.IGNORECASE), "input_uncached"),
)
_LONG = re.compile(r"\blong\b", re.IGNORECASE)
_OTHER_PRICE = re.compile(r"\bimage (?:input|output)|\bvideo\b", re.IGNORECASE)
_TIERS = (
    (re.compile(r"provisioned throughput|\bPT\b|\bGSU\b", re.IGNORECASE), PROVISIONED),
    (re.compile(r"\bbatch\b", re.IGNORECASE), "batch"),
    (re.compile(r"\bpriority\b", re.IGNORECASE), "priority"),
    (re.compile(r"\bflex\b|\boffpeak\b", re.IGNORECASE), "flex"),
)
_COUNTED_IN_CHARACTERS = re.compile(r"\b(?:gemini (?:1\.0|1\.5|pro|ultra)|palm|bison|gecko|unicorn)\b", re.IGNORECASE)


@dataclass(frozen=True)
class ModelLine:
    """What a description says; None where it does not say, or says nothing that a table knows.

    `is_plain`: text or audio, not images or video, whose tokens are of the same class and cost something else.
    `is_long_context`: in a long context, where they cost something else, too.
    """

    model_id: str | None
    token_class: str | None
    service_tier: str | None
    unit: str | None
    is_plain: bool = True
    is_long_context: bool = False

    @property
    def is_read(self) -> bool:
        """Whether the line is placed: a model with a class or a tier of its own."""
        return self.model_id is not None and (self.token_class is not None or self.service_tier == PROVISIONED)


def is_generative(service: str | None) -> bool:
    """Whether a service bills language models."""
    return service in GENERATIVE_SERVICES


def is_expected_to_be_read(description: str) -> bool:
    """Whether a description names a model's text: one that cannot be placed is told."""
    return bool(_MODEL_WORDS.search(description)) and not _NO_TOKENS.search(description)


def read_description(description: str, unit: str | None) -> ModelLine:
    """The model, class and tier of a line of a generative service.

    Args:
        description: `sku.description`.
        unit: `usage.unit` or the list's unit: `count` is tokens or, of the models of 2023 and 2024, characters.

    Characters are no tokens: such a line has its unit and no token class.
    """
    tier = next((name for pattern, name in _TIERS if pattern.search(description)), "default")
    model = _model(description)
    counted = None if tier == PROVISIONED else _unit(description, unit)
    token_class = None
    if model and counted and "token" in counted.lower() and not _NO_TOKENS.search(description):
        token_class = next((name for pattern, name in _CLASSES if pattern.search(description)), None)
    if model is None:
        return ModelLine(None, None, None, unit)
    if token_class is None and counted == "Tokens" and _NO_TOKENS.search(description):
        counted = unit
    is_plain, is_long = not _OTHER_PRICE.search(description), bool(_LONG.search(description))
    return ModelLine(model, token_class, tier, counted or unit, is_plain, is_long)


def _model(description: str) -> str | None:
    if found := _EMBEDDING.search(description):
        return "-".join(filter(None, (found[1].lower(), "embedding", found[2])))
    found = _MODEL_WORDS.search(description)
    if found is None or not found["rest"]:
        return None
    name = re.sub(r"[ -]+", "-", f"{found['family']}{found['rest']}".lower())
    if name.startswith("claude"):
        return name.replace(".", "-")
    return re.sub(r"^gemini-([3-9])\.0(?=-|$)", r"gemini-\1", name)


def _unit(description: str, unit: str | None) -> str | None:
    words = (unit or "").lower()
    if "char" in words:
        return "Characters"
    if "token" in words:
        return unit
    if words != "count":
        return None
    return "Characters" if _COUNTED_IN_CHARACTERS.search(description) else "Tokens"
