"""What each family of providers says in its usage object: counts in plain names, and what no token class can say.

Here belongs: which field of which family means what; one function each. Here does not belong: which family a body is
of (`usage_bodies`), arithmetic (`buckets`), where a class is counted (`conventions`).
"""

from collections.abc import Mapping
from typing import NamedTuple

from connectors.logs.buckets import Counts, UsageError
from connectors.logs.usage_chat import chat_counts
from connectors.logs.usage_fields import Usage, inner, items, most, part, without


class Read(NamedTuple):
    """Counts, and other billed quantities by name: searches, and tokens of kinds that are inside of a text class."""

    counts: Counts
    beside: Mapping[str, int]


def chat(usage: Usage) -> Read:
    """OpenAI's chat completions, embeddings and old completions, and everybody who speaks that dialect."""
    counts = chat_counts(usage)
    if counts.output_tokens is None and counts.total_tokens in (None, counts.input_tokens):
        counts = counts._replace(output_tokens=0)  # embeddings and moderations have input alone
    reasoning = most(counts.output_reasoning_tokens or 0, part(usage, "reasoning_tokens"))
    before, after = inner(usage, "prompt_tokens_details"), inner(usage, "completion_tokens_details")
    beside = {
        "web_searches": part(usage, "num_search_queries"),
        "citation_tokens": part(usage, "citation_tokens"),
        # Hits of Mistral's engine, of any length; what it bills as cached stands in the details, in whole blocks.
        "engine_cached_tokens": part(usage, "num_cached_tokens"),
        "input_image_tokens": part(before, "image_tokens"),
        "input_video_tokens": part(before, "video_tokens"),
        "output_image_tokens": part(after, "image_tokens"),
    }
    return Read(counts._replace(output_reasoning_tokens=reasoning), _some(beside))


def responses(usage: Usage, *, speaks: bool = False) -> Read:
    """OpenAI's responses, images, transcriptions and realtime. `speaks`: all output is audio, and the usage is silent.

    Details are called `input_token_details` by the audio surfaces and `input_tokens_details` by the others.
    """
    before = inner(usage, "input_tokens_details", "input_token_details")
    after = inner(usage, "output_tokens_details", "output_token_details")
    cached_audio = part(inner(before, "cached_tokens_details"), "audio_tokens")
    audio_out = part(usage, "output_tokens") if speaks else part(after, "audio_tokens")
    counts = Counts(
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        total_tokens=usage.get("total_tokens"),
        cache_read_tokens=most(part(before, "cached_tokens"), part(before, "cache_read_input_tokens")),
        cache_write_5m_tokens=most(part(before, "cache_write_tokens"), part(before, "cache_creation_input_tokens")),
        input_audio_tokens=without(part(before, "audio_tokens"), cached_audio, "input_audio_tokens"),
        output_reasoning_tokens=part(after, "reasoning_tokens"),
        output_audio_tokens=audio_out,
    )
    images = {"input_image_tokens": part(before, "image_tokens"), "output_image_tokens": part(after, "image_tokens")}
    return Read(counts, _some({**images, "audio_seconds": part(usage, "seconds")}))


def anthropic(usage: Usage) -> Read:
    """Anthropic's messages, wherever they are served. `cache_creation` splits the writes by duration."""
    by_duration = inner(usage, "cache_creation")
    written_1h = part(by_duration, "ephemeral_1h_input_tokens")
    counts = Counts(
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        cache_read_tokens=part(usage, "cache_read_input_tokens"),
        cache_write_5m_tokens=_five_minutes(
            part(usage, "cache_creation_input_tokens"), part(by_duration, "ephemeral_5m_input_tokens"), written_1h
        ),
        cache_write_1h_tokens=written_1h,
        output_reasoning_tokens=part(inner(usage, "output_tokens_details"), "thinking_tokens"),
    )
    tools = inner(usage, "server_tool_use")
    return Read(counts, _some({"web_searches": part(tools, "web_search_requests")}))


def gemini(usage: Usage) -> Read:
    """Google's Gemini, in its own interface and on Vertex. The prompt of tools is input beside the prompt.

    Counts of zero are left out of an answer. Live sessions say `responseTokenCount`.
    """
    prompt = items(usage, "promptTokensDetails") + items(usage, "toolUsePromptTokensDetails")
    cached = items(usage, "cacheTokensDetails")
    answer = items(usage, "candidatesTokensDetails", "responseTokensDetails")
    counts = Counts(
        input_tokens=part(usage, "promptTokenCount") + part(usage, "toolUsePromptTokenCount"),
        output_tokens=most(part(usage, "candidatesTokenCount"), part(usage, "responseTokenCount")),
        total_tokens=usage.get("totalTokenCount"),
        cache_read_tokens=part(usage, "cachedContentTokenCount"),
        input_audio_tokens=without(_modality(prompt, "AUDIO"), _modality(cached, "AUDIO"), "input_audio_tokens"),
        output_reasoning_tokens=part(usage, "thoughtsTokenCount"),
        output_audio_tokens=_modality(answer, "AUDIO"),
    )
    beside = {
        "input_tool_tokens": part(usage, "toolUsePromptTokenCount"),
        "input_image_tokens": _modality(prompt, "IMAGE") + _modality(prompt, "DOCUMENT"),  # pages are read as images
        "input_video_tokens": _modality(prompt, "VIDEO"),
        "cached_audio_tokens": _modality(cached, "AUDIO"),
        "output_image_tokens": _modality(answer, "IMAGE"),
    }
    return Read(counts, _some(beside))


def bedrock(usage: Usage) -> Read:
    """Amazon Bedrock's Converse, whichever model answered. `cacheDetails` splits the writes by duration."""
    written_1h = sum(part(item, "inputTokens") for item in items(usage, "cacheDetails") if item.get("ttl") == "1h")
    written_5m = sum(part(item, "inputTokens") for item in items(usage, "cacheDetails") if item.get("ttl") == "5m")
    counts = Counts(
        input_tokens=usage.get("inputTokens"),
        output_tokens=usage.get("outputTokens", 0),  # embedding models of Nova answer without it
        total_tokens=usage.get("totalTokens"),
        cache_read_tokens=_either(usage, "cacheReadInputTokens", "cacheReadInputTokenCount"),
        cache_write_5m_tokens=_five_minutes(
            _either(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount"), written_5m, written_1h
        ),
        cache_write_1h_tokens=written_1h,
    )
    return Read(counts, {})


def bedrock_invoke(usage: Usage) -> Read:
    """Bedrock's own metrics of an invocation, and the bodies of Titan and Llama, which have their own names."""
    results = items(usage, "results")
    answered = sum(part(result, "tokenCount") for result in results) + part(usage, "generation_token_count")
    counts = Counts(
        input_tokens=most(*(part(usage, name) for name in _INVOKED_INPUT)),
        output_tokens=most(part(usage, "outputTokenCount"), answered),
        cache_read_tokens=part(usage, "cacheReadInputTokenCount"),
        cache_write_5m_tokens=part(usage, "cacheWriteInputTokenCount"),
    )
    return Read(counts, {})


_INVOKED_INPUT = ("inputTokenCount", "inputTextTokenCount", "prompt_token_count")


def cohere(usage: Usage) -> Read:
    """Cohere: what is billed, not what the model saw; `tokens` serves where nothing is stated as billed."""
    billed = inner(usage, "billed_units")
    counted = billed if {"input_tokens", "output_tokens"} & billed.keys() else inner(usage, "tokens")
    counts = Counts(part(counted, "input_tokens"), part(counted, "output_tokens"))
    beside = {
        "search_units": part(billed, "search_units"),
        "classifications": part(billed, "classifications"),
        "images": part(billed, "images"),
    }
    return Read(counts, _some(beside))


def _five_minutes(written: int, written_5m: int, written_1h: int) -> int:
    """Cached for five minutes: what is stated by duration, or all of it where no duration is stated."""
    by_duration = written_5m + written_1h
    if written and by_duration and written != by_duration:
        raise UsageError(
            "cache_writes_do_not_add_up",
            f"{written} tokens were written to the cache, {written_5m} for five minutes and {written_1h} for an hour",
            "cache_write_5m_tokens",
        )
    return written_5m if by_duration else written


def _either(usage: Usage, *names: str) -> int:
    return most(*(part(usage, name) for name in names))


def _modality(details: list[Usage], modality: str) -> int:
    return sum(part(item, "tokenCount") for item in details if item.get("modality") == modality)


def _some(counts: Mapping[str, int]) -> Mapping[str, int]:
    return {name: count for name, count in counts.items() if count}
