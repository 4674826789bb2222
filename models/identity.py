"""Which provider and model of the price book a name in a log or on a bill means.

Here belongs: matching names. Here does not belong: prices. A model that the list does not know keeps its own name under
its provider: it has no price, and bill and log still meet. A pair whose provider is unknown too has no row.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import polars as pl
from genai_prices.data import providers as listed_providers
from genai_prices.data_snapshot import find_provider_by_id
from genai_prices.types import Provider

from contracts.words import OWN_ADDRESS
from models.frames import conform, schema_of

SELF_HOSTED = "self-hosted"
"""Provider of the company's own deployments."""

_SELF_HOSTED_NAMES = frozenset(
    {
        "self-hosted",
        "self_hosted",
        "hosted_vllm",
        "vllm",
        "sglang",
        "tgi",
        "triton",
        "ray_serve",
        "nim",
        "ollama",
        "ollama_chat",
        "llamafile",
        "llama_cpp",
        "lm_studio",
        "localai",
        "xinference",
        "docker_model_runner",
    }
)
"""Names under which gateways log servers that their owner runs."""

_PROVIDER_NAMES: Mapping[str, str] = {
    "fireworks_ai": "fireworks",
    "fireworks ai": "fireworks",
    "moonshot": "moonshotai",
    "x_ai": "x-ai",
    "z-ai": "zai",
    "z_ai": "zai",
    "github_copilot": "github-copilot",
    OWN_ADDRESS: "openai",
}
"""Names that the price list does not match by itself."""

_CLOUDS: Mapping[str, str] = {
    "azure": "azure",
    "microsoft": "azure",
    "az.ai": "azure",
    "vertex": "google",
    "gcp.": "google",
    "bedrock": "aws",
}
"""Parts of names that say whose cloud answered, whoever made the model: `Azure OpenAI`, `vertex_ai-anthropic_models`.

The list's own rules would read these two as OpenAI and Anthropic.
"""

_RESOURCE = re.compile(
    r"(?P<arn>arn:aws[^:]*:bedrock:)|(?:(?:projects/[^/]+/locations/[^/]+/)?publishers/[^/]+/)?models/(?=.)"
)
"""Beginnings of a cloud's own address of a model: Amazon's resource names, and Google's paths."""

Override = tuple[str | None, str, bool]
"""Provider in the price book's words (None: find it), model identity, whether it is self-hosted."""


def identity_rows(
    pairs: Iterable[tuple[str | None, str | None]], overrides: Mapping[tuple[str, str], Override]
) -> pl.DataFrame:
    """What every pair of names means, in the shape of `model_identity`; pairs that mean nothing known have no row.

    Args:
        pairs: (provider, model) as sources write them; None is the empty string. Repetitions are welcome.
        overrides: what configuration says a pair means; a pair with an empty provider holds for every provider.
    """
    wanted = sorted({(provider or "", model) for provider, model in pairs if model})
    found = [(*pair, *identity) for pair in wanted if (identity := _identity(*pair, overrides)) is not None]
    return conform(pl.DataFrame(found, schema=schema_of("model_identity"), orient="row"), "model_identity")


def _identity(
    source_provider: str, source_model: str, overrides: Mapping[tuple[str, str], Override]
) -> tuple[str, str, bool, str] | None:
    override = overrides.get((source_provider, source_model)) or overrides.get(("", source_model))
    if override is not None:
        provider_id, model_id, is_self_hosted = override
        if provider_id is None and is_self_hosted:
            provider_id = SELF_HOSTED
        if provider_id is None:
            provider = _provider(source_provider, model_id)
            provider_id = provider.id if provider else None
        return None if provider_id is None else (provider_id, model_id, is_self_hosted, "configuration")
    provider, name = _addressed(source_provider.strip().lower(), source_model.strip())
    prefix, _, rest = name.partition("/")
    if provider in _SELF_HOSTED_NAMES or (not provider and rest and prefix.lower() in _SELF_HOSTED_NAMES):
        return SELF_HOSTED, rest if rest and prefix.lower() in _SELF_HOSTED_NAMES else name, True, "as-is"
    return _listed_identity(provider, name)


def _addressed(provider: str, name: str) -> tuple[str, str]:
    """Provider and name, with what the address of a cloud's own resource says of them."""
    found = _RESOURCE.match(name)
    if found is None:
        return provider, name
    provider = provider or ("aws" if found["arn"] else "google")
    return provider, name if found["arn"] else name[found.end() :]


def _listed_identity(provider_name: str, name: str) -> tuple[str, str, bool, str] | None:
    for who, what in _attempts(provider_name, name.lower()):
        provider = _provider(who, what)
        model = provider.find_model(what, all_providers=listed_providers) if provider else None
        if provider and model:
            return provider.id, model.id, False, "genai-prices"
    unlisted = _provider(provider_name, name.lower()) if provider_name else None
    if unlisted is None:
        return None
    is_self_hosted = provider_name == OWN_ADDRESS
    provider_id = SELF_HOSTED if is_self_hosted else unlisted.id
    return provider_id, _without_provider(name, unlisted), is_self_hosted, "as-is"


def _attempts(provider: str, name: str) -> Iterator[tuple[str, str]]:
    """What the pair may mean, the likeliest first. Gateways write routes before a name: `azure/eu/gpt-4o`.

    The first part says the provider where the provider itself is not given. A version after `@` is the last to go.
    """
    yield provider, name
    first, _, rest = name.partition("/")
    who, names = (provider, [name]) if provider else (first, [])
    while rest:
        yield who, rest
        names.append(rest)
        rest = rest.partition("/")[2]
    yield from ((who, bare) for found in names if (bare := found.partition("@")[0]) != found)


def _without_provider(name: str, provider: Provider) -> str:
    """The name without its own provider's before it, so that log and bill meet in a model that no list knows."""
    prefix, _, rest = name.partition("/")
    named = _provider(prefix, rest) if rest and ":" not in prefix else None  # resource names of Amazon stay whole
    return _without_provider(rest, provider) if named and named.id == provider.id else name


def _provider(name: str, model_name: str) -> Provider | None:
    key = name.strip().lower()
    if not key:
        return next((p for p in listed_providers if p.model_match and p.model_match.is_match(model_name)), None)
    cloud = next((provider for part, provider in _CLOUDS.items() if part in key), None)
    return find_provider_by_id(listed_providers, cloud or _PROVIDER_NAMES.get(key, key))
