"""The company's own prices that price nothing: of a provider or model that neither a list nor a log or bill names.

A misspelt name is no error of the file, because a model may be used for the first time tomorrow; but nobody should
find out from the cost that a negotiated price was never applied.
"""

from collections.abc import Iterator

from genai_prices.data import providers as listed_providers

from models.pricing import identity_rows
from pipelines.config.problems import nearest
from pipelines.house import House
from pipelines.night.list_readings import LISTED
from pipelines.night.price_lists import identity_overrides


def useless_prices(house: House) -> Iterator[str]:
    """One sentence for each of the configuration's prices that applies to nothing known, with the nearest name."""
    known = _known(house)
    told: set[tuple[str, str]] = set()
    for entry in house.config.prices:
        pair = (entry.provider, entry.model)
        if pair in known or pair in told:
            continue
        told.add(pair)
        models = [model for provider, model in known if provider == entry.provider]
        if models:
            missing, remedy = f"model '{entry.model}' of '{entry.provider}'", nearest(entry.model, models)
        else:
            missing, remedy = f"provider '{entry.provider}'", nearest(entry.provider, (name for name, _ in known))
        yield f"prices: {missing} is in no price list, log or bill: its contract price has no effect. {remedy}"


def _known(house: House) -> set[tuple[str, str]]:
    """Providers and models in the price book's words: of the general list, of clouds' lists, of logs and bills."""
    known = {(provider.id, model.id) for provider in listed_providers for model in provider.models}
    known |= {(row["provider_id"], row["model_id"]) for row in house.lake.read("model_identity").to_pylist()}
    listed = {
        (row["provider_name"], row["x_model_id"])
        for row in house.lake.read(LISTED).select(["provider_name", "x_model_id"]).to_pylist()
    }
    # a model may be listed under a provider that resells it: asking for its identity finds it there
    asked = sorted(listed | {(entry.provider, entry.model) for entry in house.config.prices})
    for row in identity_rows(asked, identity_overrides(house.config)).iter_rows(named=True):
        if row["identity_source"] != "as-is" or (row["source_provider"], row["source_model"]) in listed:
            known.add((row["provider_id"], row["model_id"]))
    return known
