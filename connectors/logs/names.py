"""Names that logs write in more than one way."""

from typing import Any


def without_provider(model: Any, provider: Any) -> str | None:
    """The model's name without the provider that a gateway puts before it: `openai/gpt-5` of `openai` is `gpt-5`."""
    if not model:
        return None
    prefix, slash, rest = str(model).partition("/")
    # `vertex_ai/gemini-...` is answered by the provider `vertex_ai-language-models`.
    return rest if slash and provider and (provider == prefix or str(provider).startswith(f"{prefix}-")) else str(model)
