"""Prices learned tonight for days so far back that a night leaves them as they were priced: told, with the remedy."""

from datetime import date

import polars as pl
import pyarrow.dataset as ds

from connectors.wording import first_of
from models.frames import frame_of
from pipelines.calendar import midnight
from pipelines.house import House
from pipelines.night.price_lists import PRICES
from pipelines.night.stale import reach

USAGE = "usage_daily"
_MODEL = ["provider_id", "model_id"]


def out_of_reach(house: House, first: date) -> list[str]:
    """One sentence where prices that this run learned hold on days with usage that a run from `first` on leaves out."""
    earliest = reach(first)
    days = [piece.slice_date for piece in house.lake.slices(USAGE) if piece.row_count and piece.slice_date < earliest]
    if not days:
        return []
    is_news = (ds.field("known_from") >= house.began_at) & (ds.field("valid_from") < midnight(earliest))
    known = house.lake.dataset(PRICES).to_table(columns=[*_MODEL, "valid_from", "valid_to"], filter=is_news)
    news = frame_of(known)
    stored = house.lake.dataset(USAGE, min(days), earliest)
    models = ds.field("model_id").isin(news["model_id"].unique().to_list())
    used = frame_of(stored.to_table(columns=["usage_date", *_MODEL], filter=models)).unique()
    found = used.join(news, on=_MODEL).filter(
        pl.col("usage_date") >= pl.col("valid_from").dt.date(), pl.col("usage_date") <= pl.col("valid_to").dt.date()
    )
    if found.is_empty():
        return []
    names = first_of(found.select(pl.concat_str(_MODEL, separator="/")).to_series().unique().sort().to_list())
    start, end = found["usage_date"].min(), found["usage_date"].max()
    told = (
        f"new prices of {names} hold on days from {start} to {end} too, which stay as they were priced, "
        f"because a night rebuilds none before {earliest}: `farthing run {start}..{end}` prices them anew and shows "
        "the difference"
    )
    return [told]
