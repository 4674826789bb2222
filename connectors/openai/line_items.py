"""What the line item of a cost says: the model, the token class and the tier, where it bills a model's tokens.

A line item is words for people, not a schema. The shapes, as the provider's examples and published bills show them:
`gpt-4o-2024-08-06, cached input` · `gpt-6-astra, input_tokens` · `priority | gpt-5.6-sol, output, long context` ·
`gpt-audio-mini-2025-12-15 audio, input` · `gpt-4o-mini-2024-07-18, input, batch` · `ft-gpt-4o-2024-08-06, output` ·
`web search tool calls` · `assistants api | file search`.

Here belongs: the rules. A model is named only where its tokens are billed; a line that no rule knows keeps its words.
"""

import re
from typing import NamedTuple

_MODEL = r"[a-z0-9][a-z0-9._:/-]*"
_HEAD = re.compile(rf"(?P<model>{_MODEL})(?: (?P<modality>text|audio|image))?", re.IGNORECASE)
_KINDS = (
    (re.compile(r"(?:uncached )?input|input uncached|prompt"), "input_uncached"),
    (re.compile(r"cached input|input cached|(?:input )?cache reads?"), "cache_read"),
    (re.compile(r"(?:input )?cache writes?(?: 12h| \(12h\))"), "cache_write_1h"),
    (re.compile(r"(?:input )?cache writes?(?: 30m| \(30m\))?"), "cache_write_5m"),
    (re.compile(r"reasoning(?: output)?|output reasoning"), "output_reasoning"),
    (re.compile(r"output|completion"), "output_text"),
)
_OF_MODALITY = {("input_uncached", "audio"): "input_audio", ("output_text", "audio"): "output_audio"}
_MODALITIES = frozenset({"text", "audio", "image"})
_TIERS = {"batch": "batch", "flex": "flex", "priority": "priority", "scale": "provisioned", "scale tier": "provisioned"}
_SERVICES = re.compile(
    r"search|code interpreter|container|storage|vector|fine.?tun|training|image|dall-e|sora|video|audio|whisper|tts"
    r"|speech|transcri|moderation|embedding|realtime|assistants|evals|residency|scale tier|credit|grant|discount|refund"
    r"|adjustment|tax",
    re.IGNORECASE,
)
_CATEGORIES = (
    (re.compile(r"\b(?:credits?|grants?)\b", re.IGNORECASE), "Credit"),
    (re.compile(r"\b(?:refunds?|adjustments?|discounts?)\b", re.IGNORECASE), "Adjustment"),
    (re.compile(r"\b(?:tax|vat|gst)\b", re.IGNORECASE), "Tax"),
)


class LineItem(NamedTuple):
    """What was read of a line item. `meter` is what it measures; `is_known` whether a rule knew it at all.

    `context` and `surface` are words that say more: a long context, the product that used the model.
    """

    meter: str | None
    model: str | None = None
    token_class: str | None = None
    service_tier: str | None = None
    context: str | None = None
    surface: str | None = None
    is_known: bool = True


def read_line_item(words: str | None) -> LineItem:
    """Reads a line item; None is a cost that is not separated by any."""
    if words is None:
        return LineItem(None, is_known=False)
    *before, rest = words.split(" | ")
    head, *tail = [part.strip() for part in rest.split(",")]
    named = _HEAD.fullmatch(head)
    found = _tokens(named["modality"], tail) if named and tail else None
    if named is None or found is None:
        return LineItem(words, is_known=_SERVICES.search(words) is not None)
    tiers = [_TIERS[word] for word in (*map(str.lower, before), *found.rest) if word in _TIERS]
    others = [word for word in found.rest if word not in _TIERS]
    return LineItem(
        meter=", ".join(word for word in (named["modality"], tail[0]) if word),
        model=re.sub(r"^ft-", "ft:", named["model"]),
        token_class=found.token_class,
        service_tier=tiers[0] if tiers else None,
        context=", ".join(others) or None,
        surface=" | ".join(word for word in before if word.lower() not in _TIERS) or None,
    )


def charge_category(words: str | None) -> str:
    """The FOCUS category of a cost: usage, unless its words say otherwise."""
    return next((category for pattern, category in _CATEGORIES if words and pattern.search(words)), "Usage")


class _Tokens(NamedTuple):
    token_class: str
    rest: tuple[str, ...]


def _tokens(modality: str | None, tail: list[str]) -> _Tokens | None:
    """The token class that the words after the model name, and what else they say; None when they name none."""
    kind = re.sub(r"[_\s]+", " ", tail[0].lower()).removesuffix(" tokens").strip()
    words = kind.split(" ")
    spoken = next((word for word in words if word in _MODALITIES), None)
    kind = " ".join(word for word in words if word not in _MODALITIES)
    found = next((token_class for pattern, token_class in _KINDS if pattern.fullmatch(kind)), None)
    if found is None:
        return None
    of = (modality or spoken or "text").lower()
    return _Tokens(_OF_MODALITY.get((found, of), found), tuple(word.lower() for word in tail[1:]))
