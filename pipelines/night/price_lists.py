"""The prices that hold now, from every list that is read, and what that adds to what was known."""

from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.cloud_prices import cloud_price_rows
from models.frames import frame_of
from models.price_history import learn
from models.price_lines import EVERYWHERE
from models.pricing import ContractPrice, contract_price_rows, identity_rows, merge_prices, price_rows
from pipelines.calendar import midnight
from pipelines.config.schema import Config
from pipelines.house import House
from pipelines.night.list_readings import last_readings, listed_prices


@dataclass(frozen=True)
class LearnedPrices:
    """All of `prices`, and how many stated prices the book cannot hold, by list."""

    rows: pa.Table
    refused_list_prices: int
    refused_cloud_prices: int


def learned_prices(house: House) -> LearnedPrices:
    """What was known of prices, and what tonight's lists add: general list, clouds' lists, the company's own.

    A list that says the same as before adds nothing, so that what is built from prices stands. A run whose clock is
    behind an earlier run's has learned what it learned no earlier than that.
    """
    known = frame_of(house.lake.read("prices")).with_columns(pl.col("region_id").fill_null(EVERYWHERE))
    known_at = max(house.began_at, max(known["known_from"], default=house.began_at))
    listed, refused = price_rows(known_at)
    stated = listed_prices(house)
    meant = _identity(house, stated)
    cloud, refused_of_clouds = cloud_price_rows(stated, meant, known_at, listed, last_readings(house))
    merged = merge_prices(listed, cloud, contract_price_rows(_contracts(house.config), known_at))
    rows = conform(contract("prices"), learn(known, merged, known_at).to_arrow())
    return LearnedPrices(rows, len(refused), len(refused_of_clouds))


def identity_overrides(config: Config) -> dict[tuple[str, str], tuple[str | None, str, bool]]:
    """What the configuration says that model names mean."""
    return {(model.provider, model.model): (model.provider_id, model.id, model.self_hosted) for model in config.models}


def _identity(house: House, stated: pl.DataFrame) -> pl.DataFrame:
    pairs = stated.select("provider_name", "x_model_id").unique().rows()
    return identity_rows(pairs, identity_overrides(house.config))


def _contracts(config: Config) -> list[ContractPrice]:
    return [
        ContractPrice(
            provider_id=price.provider,
            model_id=price.model,
            service_tier=price.tier,
            valid_from=midnight(price.valid_from),
            valid_to=midnight(price.valid_to),
            usd_per_mtok={str(name): usd for name, usd in price.usd_per_mtok.items()},
            region_id=price.region or EVERYWHERE,
            input_tokens_from=price.input_tokens_from,
            input_tokens_to=price.input_tokens_to,
        )
        for price in config.prices
    ]
