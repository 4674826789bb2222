"""Which provider and model of the price book a name in a log or on a bill means.

Here belongs: matching names. Here does not belong: prices. A model that the list does not know keeps its own name under
its provider: it has no price, and bill and log still meet. A pair whose provider is unknown too has no row.
"""

from collections.abc import Iterable, Mapping

import polars as pl
from genai_prices.data import providers as listed_providers
from genai_prices.data_snapshot import find_provider_by_id
from genai_prices.types import Provider

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
        "ollama",
        "ollama_chat",
        "llamafile",
    }
)
"""Names under which gateways log servers that their owner runs."""

_PROVIDER_NAMES: Mapping[str, str] = {
    "fireworks_ai": "fireworks",
    "fireworks ai": "fireworks",
    "moonshot": "moonshotai",
}
"""Names that the price list does not match by itself."""

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
    if source_provider.strip().lower() in _SELF_HOSTED_NAMES:
        return SELF_HOSTED, source_model, True, "as-is"
    return _listed_identity(source_provider, source_model)


def _listed_identity(source_provider: str, source_model: str) -> tuple[str, str, bool, str] | None:
    name = source_model.strip().lower()
    prefix, _, rest = name.partition("/")
    # Gateways also write "provider/model": the prefix says the provider where the provider itself is not given.
    attempts = [(source_provider, name)]
    if rest:
        attempts += [(source_provider, rest)] if source_provider else [(prefix, rest)]
    for provider_name, model_name in attempts:
        provider = _provider(provider_name, model_name)
        model = provider.find_model(model_name, all_providers=listed_providers) if provider else None
        if provider and model:
            return provider.id, model.id, False, "genai-prices"
    unlisted = _provider(source_provider, name) if source_provider else None
    return (unlisted.id, source_model, False, "as-is") if unlisted else None


def _provider(name: str, model_name: str) -> Provider | None:
    key = name.strip().lower()
    if not key:
        return next((p for p in listed_providers if p.model_match and p.model_match.is_match(model_name)), None)
    if "azure" in key or "microsoft" in key:  # before the list's own rules, which read "Azure OpenAI" as OpenAI
        key = "azure"
    return find_provider_by_id(listed_providers, _PROVIDER_NAMES.get(key, key))
