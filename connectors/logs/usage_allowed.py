"""What of a provider's answer may be landed: the counts of its usage object, its model and its tier, by known names.

Here belongs: the names that `usage_families` and `usage_bodies` read. Texts, tools and whatever else an answer holds
have no name here.
"""

from collections.abc import Mapping
from typing import cast

from connectors.logs.values import Rule, count, json_value

_DEEPEST = 8


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


_OBJECTS = _words(
    "usage usageMetadata usage_metadata amazon-bedrock-invocationMetrics meta response message result x_groq "
    "billed_units tokens cache_creation server_tool_use serviceTier "
    "prompt_tokens_details completion_tokens_details input_tokens_details input_token_details output_tokens_details "
    "output_token_details cached_tokens_details cache_creation_token_details prompt_token_details "
    "promptTokensDetails toolUsePromptTokensDetails cacheTokensDetails candidatesTokensDetails responseTokensDetails "
    "cacheDetails results iterations"
)
_TEXTS = _words("model modelVersion model_version service_tier serviceTier trafficType type modality ttl object")
_COUNTS = _words(
    "prompt_tokens completion_tokens total_tokens input_tokens output_tokens reasoning_tokens thinking_tokens "
    "cached_tokens cache_write_tokens cache_creation_tokens cache_read_input_tokens cache_creation_input_tokens "
    "ephemeral_5m_input_tokens ephemeral_1h_input_tokens audio_tokens image_tokens video_tokens text_tokens "
    "accepted_prediction_tokens rejected_prediction_tokens num_cached_tokens citation_tokens num_search_queries "
    "prompt_cache_hit_tokens prompt_cache_miss_tokens prompt_audio_seconds web_search_requests "
    "search_units classifications images seconds tokenCount promptTokenCount candidatesTokenCount totalTokenCount "
    "responseTokenCount cachedContentTokenCount toolUsePromptTokenCount thoughtsTokenCount inputTokens outputTokens "
    "totalTokens cacheReadInputTokens cacheReadInputTokenCount cacheWriteInputTokens cacheWriteInputTokenCount "
    "inputTokenCount outputTokenCount inputTextTokenCount prompt_token_count generation_token_count"
)


def usage_rule(text: Rule) -> Rule:
    """The rule of a field that holds a provider's answer, or its usage alone, as an object or as JSON text.

    `text` is the rule of short texts (`Rules.text`). A count of the wrong kind is withheld; unknown names are dropped.
    """

    def rule(value: object) -> object:
        return _kept(json_value(value) if isinstance(value, str) else value, text, _DEEPEST) or None

    return rule


def _kept(found: object, text: Rule, deeper: int) -> object:
    if not deeper:
        return None
    if isinstance(found, list):
        return [kept for item in cast("list[object]", found) if (kept := _kept(item, text, deeper - 1))]
    if not isinstance(found, Mapping):
        return None
    kept = dict[str, object]()
    for name, value in cast("Mapping[str, object]", found).items():
        shown = _shown(name, value, text, deeper)
        if shown is not None:
            kept[name] = shown
    return kept


def _shown(name: str, value: object, text: Rule, deeper: int) -> object:
    if name in _OBJECTS and isinstance(value, Mapping | list):
        return _kept(cast("object", value), text, deeper - 1)
    if name in _TEXTS and isinstance(value, str):
        return text(value)
    return count(value) if name in _COUNTS else None
