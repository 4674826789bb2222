"""What registered changes saved, found anew every night from the settled days of the log."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pyarrow as pa

from contracts import contract
from models.anomaly_series import LOG_LAG_DAYS, SILENT_DAYS, settled_through
from models.frames import frame_of
from models.matched_days import Line
from models.money import SCALE, units_of
from models.old_prices import Key, Priced, price_changes
from models.registered_changes import Change, Told, Touched
from models.tokens import TOKEN_CLASSES
from models.verified_savings import TABLE as VERIFIED
from models.verified_savings import verified_row
from pipelines.calendar import month_start, next_month
from pipelines.house import House
from pipelines.night.build import SLICE_SOURCE, Built
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.stale import content_fingerprint

USAGE, HOURLY = "usage_by_team_daily", "usage_hourly"
_BOUGHT = ("provider_id", "model_id", "service_tier", "price_region_id")
_UNITS = 10**SCALE


def build_verified_savings(house: House, _first: date, _last: date) -> Built:
    """Judges every registered change again. It follows from what the lake holds, not from the night's days."""
    changes = tuple(entry.change for entry in house.config.changes)
    told = _told(house, changes)
    rows = [_row(house, change, told) for change in changes]
    output = contract(VERIFIED)
    table = pa.Table.from_pylist(rows, schema=output.arrow_schema())
    house.lake.replace_slice(VERIFIED, REFERENCE_DATE, SLICE_SOURCE, table, content_fingerprint(table))
    counts = Counter(str(row["verdict"]) for row in rows)
    note = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    return Built(VERIFIED, (REFERENCE_DATE,), table.num_rows, note=note)


def _told(house: House, changes: tuple[Change, ...]) -> Told:
    """The days that were told of and are over, and the last of them that hardly changes any more."""
    today = house.clock().date()
    days = frozenset(
        piece.slice_date for piece in house.lake.slices(USAGE) if piece.row_count and piece.slice_date < today
    )
    if not days or not changes:
        return Told(None, days, changes)
    newest = max(days)
    rows = frame_of(house.lake.read(USAGE, newest - timedelta(days=SILENT_DAYS), newest + timedelta(days=1)))
    settled = settled_through(rows.select("x_source", day="usage_date"), "x_source", LOG_LAG_DAYS)
    return Told(settled, days, changes)


def _row(house: House, change: Change, told: Told) -> dict[str, object]:
    first, last = change.before[0], min(change.after[1], told.settled or change.after[1])
    parts = (change.touched, change.control)
    frames = [_frame(house, first, last, part) for part in parts if part is not None]
    found = pl.concat(frames)
    changed = price_changes(_priced(house, first, last, found), change.switched_on) if found.height else {}
    lines = [list(_lines(frame, change, changed)) for frame in frames]
    # the day itself is on neither side, and neither are its attempts
    attempts = found.filter(pl.col("usage_date") != change.switched_on).select(
        pl.col("attempts").sum(), pl.col("unpriced_count").sum()
    )
    return verified_row(change, told, lines[0], lines[1] if len(lines) > 1 else [], attempts.row(0))


def _frame(house: House, first: date, last: date, touched: Touched) -> pl.DataFrame:
    """The attempts of some requests by day, kind and price, copies taken out; own models cost GPUs instead."""
    once = {name: pl.col(f"{name}_tokens") - pl.col(f"duplicate_{name}_tokens").fill_null(0) for name in TOKEN_CLASSES}
    kinds = ("usage_date", "team_id", "feature", "environment", *_BOUGHT)
    pieces: list[pl.DataFrame] = []
    for start, end in _months(first, last):
        rows = frame_of(house.lake.read(USAGE, start, end)).filter(~pl.col("is_self_hosted"), _is_touched(touched))
        pieces.append(
            rows.with_columns(pl.col("team_id", "price_region_id").fill_null(""))
            .group_by(kinds)
            .agg(
                attempts=(pl.col("request_count") - pl.col("duplicate_count").fill_null(0)).sum(),
                units=(units_of("priced_cost_usd").fill_null(0) - units_of("duplicate_cost_usd").fill_null(0)).sum(),
                unpriced_count=pl.col("unpriced_count").sum(),
                **{name: tokens.sum() for name, tokens in once.items()},
            )
        )
    return pl.concat(pieces).sort(kinds)


def _months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The days first..last, month by month: half-open ranges. A single empty one where there are none."""
    start, end = first, last + timedelta(days=1)
    while True:
        until = min(next_month(month_start(start)), max(end, start))
        yield start, until
        start = until
        if start >= end:
            return


def _is_touched(touched: Touched) -> pl.Expr:
    named = touched.named
    key = named.pop("key", None)
    fits = [pl.col(name).eq(pl.lit(value)).fill_null(value=False) for name, value in named.items()]
    if key is not None:
        fits.append((pl.col("key_alias") == key) | (pl.col("key_id") == key))
    return pl.all_horizontal(pl.lit(value=True), *fits)


def _priced(house: House, first: date, last: date, used: pl.DataFrame) -> Iterator[Priced]:
    """The house's tokens of what was used, by day and the price that they had, with the last hour that had it."""
    models = used.select("provider_id", "model_id").unique()
    keys = ["usage_date", *_BOUGHT, "input_tokens_from"]
    for start, end in _months(first, last):
        rows = frame_of(house.lake.read(HOURLY, start, end)).join(models, on=models.columns, how="semi")
        for name in TOKEN_CLASSES:
            price, tokens = f"{name}_usd_per_token", f"{name}_tokens"
            sums = rows.filter(pl.col(price).is_not_null(), pl.col(tokens) > 0).group_by(*keys, price)
            found = sums.agg(pl.col("usage_hour").max(), pl.col(tokens).sum())
            for day, *bought, band, each, hour, count in found.iter_rows():
                provider, model, tier, region = bought
                yield Priced(str(hour), day, (provider, model, tier, region), band, name, each, count)


def _lines(rows: pl.DataFrame, change: Change, changed: Mapping[Key, Fraction]) -> Iterator[Line]:
    """The rows as the comparison takes them: what they cost, and what at the last prices before the change."""
    kind = ("team_id", "feature", "environment", *(() if change.moves_models else _BOUGHT[:2]))
    for row in rows.iter_rows(named=True):
        cost = Fraction(row["units"], _UNITS)
        provider, model, tier, region = (row[name] for name in _BOUGHT)
        more = sum(
            (
                changed[key] * row[name]
                for name in TOKEN_CLASSES
                if (key := (row["usage_date"], (provider, model, tier, region), name)) in changed
            ),
            Fraction(0),
        )
        yield Line(row["usage_date"], "\x00".join(row[name] for name in kind), row["attempts"], cost, cost - more)
