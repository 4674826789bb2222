"""The prices that hold now, from every list that is read, and what that adds to what was known.

What prices were learned from stands in their fingerprint: the rules, the general list and the company's own prices as
one hash, and the last link of the chain over the readings of clouds' lists. A night without news of these looks at
nothing else; where only readings came, it learns the models of which they say something new.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.cloud_bands import with_bands
from models.cloud_prices import cloud_price_rows
from models.frames import frame_of
from models.price_history import learn
from models.price_lines import EVERYWHERE, PRICE_ORDER
from models.pricing import PRICE_RULES, ContractPrice, contract_price_rows, identity_rows, merge_prices, price_rows
from pipelines.calendar import midnight
from pipelines.config.schema import Config
from pipelines.house import House
from pipelines.night.list_readings import ListReadings, last_readings, list_readings, listed_prices
from pipelines.night.stale import HALF, content_fingerprint

PRICES = "prices"
_MODEL = ["provider_id", "model_id"]
Models = Collection[tuple[str, str]]


@dataclass(frozen=True)
class LearnedPrices:
    """All of `prices`, and how many stated prices of what was looked at the book cannot hold, by list."""

    rows: pa.Table
    fingerprint: str
    refused_list_prices: int = 0
    refused_cloud_prices: int = 0


def learned_prices(house: House) -> LearnedPrices:
    """What was known of prices, and what tonight's lists add: general list, clouds' lists, the company's own.

    A list that says the same as before adds nothing, so that what is built from prices stands. A run whose clock is
    behind an earlier run's has learned what it learned no earlier than that.
    """
    readings = list_readings(house)
    stated = listed_prices(house, readings)
    rows = house.lake.read(PRICES)
    kept = [piece.fingerprint for piece in house.lake.slices(PRICES)]
    made = _made_from(house)
    before = kept[0] if len(kept) == 1 else ""
    changed = None if house.options.full_refresh else _changed(house, stated, readings, before, made)
    if changed is not None and not changed:
        return LearnedPrices(rows, kept[0])
    known = frame_of(rows).with_columns(pl.col("region_id").fill_null(EVERYWHERE))
    known_at = max(house.began_at, max(known["known_from"], default=house.began_at))
    of_models = known if changed is None else _of(known, changed)
    others = known.join(of_models, on=_MODEL, how="anti")
    now, refused, refused_of_clouds = _held(house, stated, known_at, changed)
    learned = pl.concat([others, learn(of_models, now, known_at)]).sort(PRICE_ORDER)
    found = conform(contract(PRICES), learned.to_arrow())
    return LearnedPrices(found, f"{made}-{readings.last_link}-{content_fingerprint(found)}", refused, refused_of_clouds)


def identity_overrides(config: Config) -> dict[tuple[str, str], tuple[str | None, str, bool]]:
    """What the configuration says that model names mean."""
    return {(model.provider, model.model): (model.provider_id, model.id, model.self_hosted) for model in config.models}


def _made_from(house: House) -> str:
    """A hash of what prices are learned from, but for the readings of lists."""
    contracts = [asdict(price) for price in _contracts(house.config)]
    overrides = sorted(identity_overrides(house.config).items())
    parts = [PRICE_RULES, version("genai-prices"), contracts, overrides, sorted(last_readings(house).items())]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:HALF]


def _changed(house: House, stated: pl.DataFrame, readings: ListReadings, fingerprint: str, made: str) -> Models | None:
    """The models of which readings since the prices were learned say something new; None where all are to be learned.

    A statement is new where its run of readings began or ended with one of these.
    """
    before, _, rest = fingerprint.partition("-")
    since = readings.since(rest.partition("-")[0]) if before == made else None
    if since is None:
        return None
    news = pl.DataFrame(sorted(since), schema={"x_source": pl.String, "day": pl.Date}, orient="row")
    runs = [
        stated.join(news, left_on=["x_source", column], right_on=["x_source", "day"], how="semi")
        for column in ("first_read_on", "missed_on")
    ]
    return _meant(house, pl.concat(runs)).select(_MODEL).unique().rows()


def _of(rows: pl.DataFrame, models: Models) -> pl.DataFrame:
    wanted = pl.DataFrame(sorted(models), schema=dict.fromkeys(_MODEL, pl.String), orient="row")
    return rows.join(wanted, on=_MODEL, how="semi")


def _held(
    house: House, stated: pl.DataFrame, known_at: datetime, models: Models | None
) -> tuple[pl.DataFrame, int, int]:
    """The book of those models, all unless given, and the stated prices that it cannot hold by list."""
    meant = _meant(house, stated)
    own = _contracts(house.config)
    if models is not None:
        meant = _of(meant, models)
        names = {"provider_name": "source_provider", "x_model_id": "source_model"}
        stated = stated.join(meant, left_on=list(names), right_on=list(names.values()), how="semi")
        own = [price for price in own if (price.provider_id, price.model_id) in models]
    listed, refused = price_rows(known_at, None if models is None else with_bands(models))
    cloud, refused_of_clouds = cloud_price_rows(stated, meant, known_at, listed, last_readings(house))
    book = listed if models is None else _of(listed, models)
    merged = merge_prices(book, cloud, contract_price_rows(own, known_at))
    return merged, len(refused), len(refused_of_clouds)


def _meant(house: House, stated: pl.DataFrame) -> pl.DataFrame:
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
