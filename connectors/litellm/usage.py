"""LiteLLM's usage as exclusive token buckets.

LiteLLM counts cached input and reasoning inside of `prompt_tokens` and `completion_tokens`, for Anthropic too
(100 + 400 written + 700 read are 1200). Providers that its own normalisation misses count outside; the stated total
tells the two apart.
"""

from typing import Any

from connectors.logs.buckets import Buckets, exclusive, of_call
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.usage_chat import chat_counts
from connectors.logs.usage_fields import Usage

_COLUMNS = ("prompt_tokens", "completion_tokens", "total_tokens")
_READ_NAMES = ("cache_read_input_tokens",)
_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def buckets(
    prompt: Any, completion: Any, total: Any, usage: Usage, *, is_stream: bool, call_type: object = None
) -> Buckets:
    """The exclusive buckets of one attempt. `usage` is the logged usage object, empty where there is none.

    Usage that is zero throughout was not counted and gives `MISSING`.
    Raises UsageError for negative, unreadable or contradictory counts.
    """
    counts = chat_counts({**dict(zip(_COLUMNS, (prompt, completion, total), strict=True)), **usage}, _READ_NAMES)
    cached = counts.cache_read_tokens or counts.cache_write_5m_tokens or counts.cache_write_1h_tokens
    # A streamed answer whose usage has no details was counted by the gateway's tokenizer: providers give details.
    is_estimate = is_stream and not cached and not any(usage.get(name) for name in _DETAILS)
    counts = of_call(counts, call_type)
    return exclusive(counts, CONVENTIONS["litellm"], "gateway_tokenizer" if is_estimate else "provider")
