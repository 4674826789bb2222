"""How sources count tokens: which classes stand inside of which stated figure, as data.

Here belongs: one line for every way of counting that a source is known to have. Here does not belong: arithmetic
(`buckets`), the names of a source's fields (its own reader).
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Place = Literal["inside", "outside", "unstated"]
"""Where a class is counted. `unstated`: the source does not say or does both, and each record's figures decide: it is
inside, unless the stated total says otherwise, or cached input is more than the input that would hold it."""


class Convention(NamedTuple):
    """Where each class stands: cached and audio input against the stated input, the rest against the stated output.

    `total` says what a stated total is the sum of: `everything`, or input and output `as_named`, whatever is outside
    of them.
    """

    cache_read: Place
    cache_write: Place
    reasoning: Place
    input_audio: Place = "inside"
    output_audio: Place = "inside"
    total: Literal["everything", "as_named"] = "everything"


_INCLUSIVE = Convention("inside", "inside", "inside")
_EXCLUSIVE = Convention("outside", "outside", "inside")
_FIGURES_DECIDE = Convention("unstated", "unstated", "unstated")
# These name input and output as the provider counts them: see `as_provider`. Cached input that they do not name stands
# among the uncached of providers that count it inside, which is the most that it can have cost; of those that count it
# outside it is missing. Either way the reconciliation finds the class.
_AS_THE_PROVIDER = _FIGURES_DECIDE
_COUNT_OUTSIDE = ("anthropic", "bedrock")
"""What the names of providers have in them that count cached input beside the input."""

CONVENTIONS: Mapping[str, Convention] = {
    # What providers answer.
    "openai": _INCLUSIVE,
    # The chat dialect of many providers: xAI counts reasoning beside the completion, others inside of it.
    "chat": Convention("inside", "inside", "unstated"),
    "perplexity": Convention("inside", "inside", "outside", total="as_named"),
    "anthropic": _EXCLUSIVE,
    "bedrock": _EXCLUSIVE,
    "gemini": Convention("inside", "inside", "outside"),
    "cohere": _INCLUSIVE,
    # What gateways and observability logs write.
    # LiteLLM counts inside, for Anthropic too; providers that its normalisation misses count outside.
    "litellm": _FIGURES_DECIDE,
    "langfuse": Convention("outside", "outside", "outside", "outside", "outside"),
    "langfuse_free_form": _FIGURES_DECIDE,
    # Phoenix prices it so; older instrumentations of Anthropic leave cached input outside.
    "openinference": Convention("unstated", "unstated", "inside"),
    # The text says that parts SHOULD be inside; older instrumentations of Anthropic leave them outside.
    "otel_genai": _FIGURES_DECIDE,
    "envoy": Convention("inside", "unstated", "inside"),
    "kong": _AS_THE_PROVIDER,
    "portkey": _AS_THE_PROVIDER,
    # Versions differ; the audio columns are split off the prompt's.
    "helicone": _FIGURES_DECIDE,
    "cloudflare": _AS_THE_PROVIDER,
    "openrouter": _INCLUSIVE,
    "bedrock_invocation_log": _EXCLUSIVE,
    "azure_apim": _AS_THE_PROVIDER,
}
"""Every known convention, by source. `Convention` itself serves declared mappings."""


def as_provider(source: str, provider: str | None) -> Convention:
    """The convention of a source that states no total, and counts as its provider does: who that is decides."""
    is_outside = any(name in (provider or "").lower() for name in _COUNT_OUTSIDE)
    return _EXCLUSIVE if is_outside else CONVENTIONS[source]
