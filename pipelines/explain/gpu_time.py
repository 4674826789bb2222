"""The GPU's own stretches and samples behind the time that a bill was split by, each with its part of the money.

Time goes down to the hours of each GPU, these to the stretches in which it did the same for the same holder, and these
name the samples that say so, as far as the lake still holds them. Time of which no sample tells stays as it is.

Here belongs: reading them as they were when the snapshot was made. Here does not belong: how states are told apart.
"""

from datetime import timedelta

import polars as pl

from models.money import money_of, units_of
from models.parts import parts_of
from pipelines.explain.evidence import Evidence
from pipelines.explain.journal import AMOUNTS
from pipelines.explain.weights import GPU, GPU_TIME, HELD, OF_SHARE, gpu_hours

MOST = 20_000
"""Stretches that are listed one by one, those of most money."""
HOURS = 100_000
"""Hours of GPUs whose stretches are read, those of most money: what is held at once has a bound."""
_SAMPLES = "gpu_samples"
_TOLD = ("started_at", "ended_at", "metric_used", "holder_source")
_SAMPLED = ("sample_count", "x_source", "x_page", "x_row")
_OF_GPU = ("hour_start", "resource_id", "gpu_uuid", "gpu_instance_id")
_PPM = 1_000_000


def gpu_time(evidence: Evidence, used: pl.DataFrame, most: int = MOST) -> pl.DataFrame:
    """Rows of GPU time by their stretches, with the part of each; all other rows as they are.

    Args:
        evidence: the open snapshot.
        used: rows of the level of weights.
        most: how many stretches are listed; of the others each row has one line, whose `note` says how many it is.

    Returns:
        The columns of `used`, the parts in place of its amounts, and of time: hour_start, resource_id, gpu_uuid,
        gpu_instance_id, `_TOLD`, sample_count, x_source, x_page and x_row (of the first of these samples), note.
    """
    numbered = used.with_row_index("use").with_columns(pl.col("use").cast(pl.Int64))
    held = numbered.filter(basis=GPU_TIME) if "gpu_state" in used.columns else numbered.clear()
    if held.is_empty():
        return used
    hours = _parts(held, _hours(evidence, held), "use", "microseconds")
    kept, smaller = _largest(hours, HOURS, "hours")
    read = kept.sort("use", "hour_start", "resource_id", *GPU)
    stretched = _stretches(evidence, read.with_row_index("hour").with_columns(pl.col("hour").cast(pl.Int64)))
    bounded = pl.concat([_bounded(stretched, most), smaller], how="diagonal_relaxed")
    listed = _sampled(evidence, bounded.sort("use", maintain_order=True))
    rest = numbered.join(hours.select("use").unique(), on="use", how="anti")
    own = [name for name in held.columns if name not in (*AMOUNTS, *listed.columns)]
    told = listed.join(held.select("use", *own), on="use", maintain_order="left")
    return pl.concat([told, rest], how="diagonal_relaxed").sort("use", maintain_order=True).drop("use")


def _hours(evidence: Evidence, held: pl.DataFrame) -> pl.DataFrame:
    """The hours of each GPU behind each row."""
    on = [*OF_SHARE, "usage_date", *HELD]
    found = [
        gpu_hours(evidence, period, own)
        .with_columns(pl.col("hour_start").dt.date().alias("usage_date"))
        .join(own.select("use", *on), on=on, nulls_equal=True)
        for (period,), own in held.group_by("period", maintain_order=True)
    ]
    known = pl.concat(found).filter(pl.col("microseconds") > 0)
    return known.select("use", "cluster", "gpu_state", *GPU, "hour_start", "resource_id", "microseconds").sort(
        "use", "hour_start", "resource_id", *GPU
    )


def _parts(above: pl.DataFrame, below: pl.DataFrame, of: str, weight: str) -> pl.DataFrame:
    """The rows below, each with its part of the amounts of the one above, to the last unit."""
    amounts = {row[0]: row[1:] for row in above.select(of, *(units_of(name) for name in AMOUNTS)).rows()}
    parts: dict[str, list[int]] = {name: [] for name in AMOUNTS}
    for (number,), own in below.group_by(of, maintain_order=True):
        for name, part in zip(AMOUNTS, amounts[int(str(number))], strict=True):
            parts[name] += parts_of(own[weight].to_list(), part)
    split = below.with_columns(pl.Series(name, parts[name], pl.Int128) for name in AMOUNTS)
    return split.with_columns(money_of(name) for name in AMOUNTS).drop(weight)


def _stretches(evidence: Evidence, hours: pl.DataFrame) -> pl.DataFrame:
    """The stretches of each hour, by the time that each adds to the state; an hour without any stays whole."""
    if not evidence.has("gpu_stretches"):
        return hours.drop("hour").with_columns(note=pl.lit("no stretches are published"))
    equal = " and ".join(f"s.{name} = h.{name}" for name in ("cluster", *GPU))
    found = evidence.rows(
        f"""
        with met as (
            select
                h.hour, {", ".join(f"s.{name}" for name in _TOLD)},
                cast(epoch(s.ended_at) - epoch(s.started_at) as bigint) as seconds, s.unfilled_seconds, h.gpu_state,
                s.share_weight * {_PPM} // s.share_total as share_ppm
            from hours h
            join gpu_stretches s on {equal} and date_trunc('hour', s.started_at) = h.hour_start
                and s.state = case when h.gpu_state in ('effective', 'under_used') then 'in_use' else h.gpu_state end
        )
        select
            hour, {", ".join(_TOLD)},
            share_ppm * case
                when gpu_state = 'under_used' then unfilled_seconds
                when gpu_state = 'effective' then seconds - unfilled_seconds
                else seconds
            end as weight
        from met where weight > 0 order by hour, started_at
        """,
        hours=hours,
    )
    with_any = hours.join(found.select("hour").unique(), on="hour", how="semi")
    about = with_any.drop(AMOUNTS)
    split = _parts(with_any, about.join(found, on="hour", maintain_order="left_right"), "hour", "weight")
    whole = hours.join(with_any, on="hour", how="anti").with_columns(note=pl.lit("no sample tells of it"))
    return pl.concat([split, whole], how="diagonal_relaxed").sort("hour", maintain_order=True).drop("hour")


def _bounded(stretches: pl.DataFrame, most: int) -> pl.DataFrame:
    """The largest ones; the others of a row are one line of their sum."""
    missing = [pl.lit(None, pl.String).alias("note")] if "note" not in stretches.columns else []
    noted = stretches.with_columns(missing).with_row_index("_number")
    listed, sums = _largest(noted, most, "stretches")
    both = [listed.sort("_number").drop("_number"), sums]
    return pl.concat(both, how="diagonal_relaxed").sort("use", maintain_order=True)


def _largest(rows: pl.DataFrame, most: int, what: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of most money, in that order, and of each use the sum of the others, with how many they are."""
    by_size = rows.sort(pl.col(AMOUNTS[0]).abs(), descending=True, maintain_order=True)
    counted = pl.concat_str(pl.len().cast(pl.String), pl.lit(f" {what} of smaller cost, together"))
    smaller = by_size.slice(most).group_by("use", maintain_order=True)
    return by_size.head(most), smaller.agg(*(pl.col(name).sum() for name in AMOUNTS), note=counted)


def _sampled(evidence: Evidence, stretches: pl.DataFrame) -> pl.DataFrame:
    """With how many samples fall into each, and where the first of them stands."""
    numbered = stretches.with_row_index("number")
    known = numbered.filter(pl.col("started_at").is_not_null()) if "started_at" in stretches.columns else None
    version = evidence.versions.get(_SAMPLES)
    if known is None or known.is_empty() or version is None or not evidence.slices_at(_SAMPLES, version):
        return stretches
    days = known["started_at"].dt.date().to_list()
    samples = evidence.lake.dataset_at(_SAMPLES, version, min(days), max(days) + timedelta(days=1))
    where = "struct_pack(at := g.sampled_at, x_source := g.x_source, x_page := g.x_page, x_row := g.x_row)"
    found = evidence.rows(
        f"""
        with met as (
            select k.number, count(distinct g.sampled_at) as sample_count, min({where}) as first_one
            from known k
            join samples g on g.cluster = k.cluster and g.gpu_uuid = k.gpu_uuid
                and g.gpu_instance_id = k.gpu_instance_id and g.sampled_at >= k.started_at and g.sampled_at < k.ended_at
            group by k.number
        )
        select number, sample_count, first_one.x_source, first_one.x_page, first_one.x_row from met
        """,
        known=known.select("number", "cluster", "gpu_uuid", "gpu_instance_id", "started_at", "ended_at"),
        samples=samples,
    ).with_columns(pl.col("number").cast(pl.UInt32))
    return numbered.join(found, on="number", how="left", maintain_order="left").drop("number")
