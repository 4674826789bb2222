"""The usage endpoints: what each counts, and by what its figures can be told apart.

Here belongs: the table. Source: the organisation usage section of the provider's API reference (openai 3.52.0).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_OWNERS = ("project_id", "api_key_id")
_CALLS = (*_OWNERS, "model")


@dataclass(frozen=True)
class Endpoint:
    """`path` below /organization/usage, also the row's operation; `result` the answers' own word for its rows.

    `group_by` is everything that separates a price or an owner. `measure` is the field that counts what is used, where
    that is not tokens, in `unit`; `tokens` says whether it counts input, input and output, or none.
    """

    path: str
    result: str
    group_by: tuple[str, ...]
    measure: str | None = None
    unit: str | None = None
    tokens: tuple[str, ...] = ()

    def grouping(self, *, by_user: bool) -> list[str]:
        """The dimensions to ask for; users are known where keys are."""
        return [*self.group_by, "user_id"] if by_user and "api_key_id" in self.group_by else list(self.group_by)


_ALL = (
    Endpoint("completions", "completions", (*_CALLS, "batch", "service_tier"), tokens=("input", "output")),
    Endpoint("embeddings", "embeddings", _CALLS, tokens=("input",)),
    Endpoint("moderations", "moderations", _CALLS, tokens=("input",)),
    Endpoint("images", "images", (*_CALLS, "size", "source"), "images", "images"),
    Endpoint("audio_speeches", "audio_speeches", _CALLS, "characters", "characters"),
    Endpoint("audio_transcriptions", "audio_transcriptions", _CALLS, "seconds", "seconds"),
    Endpoint("vector_stores", "vector_stores", ("project_id",), "usage_bytes", "bytes"),
    Endpoint("code_interpreter_sessions", "code_interpreter_sessions", ("project_id",), "num_sessions", "sessions"),
    Endpoint("file_search_calls", "file_searches", (*_OWNERS, "vector_store_id"), "num_requests", "calls"),
    Endpoint("web_search_calls", "web_searches", (*_CALLS, "context_level"), "num_requests", "calls"),
)
ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType({endpoint.path: endpoint for endpoint in _ALL})
BY_RESULT: Mapping[str, Endpoint] = MappingProxyType(
    {f"organization.usage.{endpoint.result}.result": endpoint for endpoint in _ALL}
)
