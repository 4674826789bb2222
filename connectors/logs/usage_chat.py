"""Usage in the dialect of OpenAI's chat completions, which most providers and gateways speak.

The same fields serve embeddings and old completions. What providers add to the dialect stands under names of their
own: cached input of Anthropic and Bedrock through LiteLLM, of Mistral, DeepSeek, Moonshot and xAI.

Here belongs: which of its fields means what. Here does not belong: arithmetic (`buckets`), whose usage it is.
"""

from connectors.logs.buckets import Counts
from connectors.logs.usage_fields import Usage, inner, most, part, without

PROVIDERS_READ_NAMES = (
    "cache_read_input_tokens",  # Anthropic through gateways
    "cached_tokens",  # Moonshot, Hugging Face's routers
    "prompt_cache_hit_tokens",  # DeepSeek
    "cached_prompt_text_tokens",  # xAI's first form
)
"""Where providers of the dialect count cached input beside `prompt_tokens_details`."""


def chat_counts(usage: Usage, read_names: tuple[str, ...] = PROVIDERS_READ_NAMES) -> Counts:
    """The counts of `prompt_tokens`, `completion_tokens` and their details.

    Args:
        usage: the usage object.
        read_names: names beside the details under which cached input may stand too; the largest figure counts.

    Raises:
        UsageError: a part is no count.
    """
    before, after = inner(usage, "prompt_tokens_details"), inner(usage, "completion_tokens_details")
    read = part(before, "cached_tokens")
    for name in read_names:
        read = max(read, part(usage, name))
    audio, cached_audio = part(before, "audio_tokens"), part(inner(before, "cached_tokens_details"), "audio_tokens")
    return Counts(
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        usage.get("total_tokens"),
        read,
        *_written(usage, before),
        input_audio_tokens=without(audio, cached_audio, "input_audio_tokens"),
        output_reasoning_tokens=part(after, "reasoning_tokens"),
        output_audio_tokens=part(after, "audio_tokens"),
    )


def _written(usage: Usage, before: Usage) -> tuple[int, int]:
    """Cached input written for five minutes, and for an hour."""
    by_duration = inner(before, "cache_creation_token_details")
    written_5m = part(by_duration, "ephemeral_5m_input_tokens")
    written_1h = part(by_duration, "ephemeral_1h_input_tokens")
    written = most(
        part(before, "cache_creation_tokens"),
        part(before, "cache_write_tokens"),
        part(usage, "cache_creation_input_tokens"),
    )
    return most(written - written_1h, written_5m), written_1h
