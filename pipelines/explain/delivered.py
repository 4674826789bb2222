"""The delivered files that bill lines stand in: by which source they came, when, and where in landing they lie."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import polars as pl

from connectors.base import Window
from contracts import Contract
from pipelines.explain.evidence import Evidence
from pipelines.explain.journal import AMOUNTS
from pipelines.lake.paths import landed_page
from pipelines.lake.snapshot_files import file_sizes

_FILE = ("version", "period", "x_source", "x_page")
_SHOWN = ("x_source", "x_account", "slice_date", "sha256", "landing_file", "received_at", "run_id", "delivery_id")
_TOLD = ("x_source", "x_account", "slice_date", "received_at", "run_id", "delivery_id")
_STANDS = ("fact", "period", "x_source", "x_page")
MOST_FILES = 1_000
"""Files of logs and samples that are told one by one: a scrape may be a file."""
_SCHEMA = {name: pl.String() for name in _SHOWN} | {"slice_date": pl.Date(), "received_at": pl.Datetime("us")}


def deliveries(evidence: Evidence, lines: pl.DataFrame) -> pl.DataFrame:
    """Every file that the lines stand in, with what part of it is asked about.

    Returns:
        `_SHOWN` (sha256 and landing_file are NULL where the file is not in landing any more), line_count,
        billing_currency, effective_cost, billed_cost.
    """
    sums = lines.group_by(*_FILE, "billing_currency", maintain_order=True).agg(
        *(pl.col(name).sum() for name in AMOUNTS), line_count=pl.len()
    )
    files = sums.select(_FILE).unique(maintain_order=True)
    told = [{**file, **_told(evidence, "charges", file)} for file in files.iter_rows(named=True)]
    schema = {**files.schema, **_SCHEMA}
    found = pl.DataFrame(told, schema=schema, orient="row") if told else pl.DataFrame(schema=schema)
    return sums.join(found, on=list(_FILE)).select(*_SHOWN, "line_count", "billing_currency", *AMOUNTS)


def fact_deliveries(evidence: Evidence, fact: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """Every file that rows of a staged fact stand in, as the snapshot was made from it.

    Args:
        evidence: the open snapshot.
        fact: the fact's contract.
        rows: its rows, each once.

    Returns:
        `_SHOWN`, row_count: how many of the rows stand in the file.
    """
    files = rows.group_by("x_source", "x_page", pl.col("x_slice_date").alias("period"), maintain_order=True).agg(
        row_count=pl.len()
    )
    at = pl.lit(evidence.versions[fact.table], pl.Int64).alias("version")
    told = [_told(evidence, fact.table, file) for file in files.with_columns(at).iter_rows(named=True)]
    return pl.DataFrame(told, schema={name: _SCHEMA[name] for name in _SHOWN}, orient="row").with_columns(
        files["row_count"]
    )


def log_files(evidence: Evidence, rows: pl.DataFrame, most: int = MOST_FILES) -> pl.DataFrame:
    """Every file that listed requests and samples stand in, with what part of the figure they are; the rest in a row.

    Args:
        evidence: the open snapshot.
        rows: of the level of requests; of a stretch of GPU time its first sample counts.
        most: files that are told one by one, those of most money.

    Returns:
        `_SHOWN`, row_count, note, billing_currency, effective_cost, billed_cost.
    """
    missing = [
        pl.lit(None, pl.String).alias(name) for name in ("x_source", "x_page", "note") if name not in rows.columns
    ]
    count = pl.col("request_count") if "request_count" in rows.columns else pl.lit(None, pl.Int64)
    day = "usage_date" if "usage_date" in rows.columns else pl.lit(None, pl.Date)
    named = rows.with_columns(missing).with_columns(
        fact=pl.when(pl.col("x_page").is_not_null()).then(
            pl.when(count.is_not_null()).then(pl.lit("gateway_requests")).otherwise(pl.lit("gpu_samples"))
        ),
        period=day,
    )
    by_file = named.filter(pl.col("x_page").is_not_null()).group_by(*_STANDS, "billing_currency", maintain_order=True)
    sums = [*(pl.col(name).sum() for name in AMOUNTS), pl.len().alias("row_count")]
    files = by_file.agg(sums).sort(pl.col(AMOUNTS[0]).abs(), descending=True, maintain_order=True)
    shown, others = files.head(most), files.slice(most)
    told = [{**file, **_told(evidence, str(file["fact"]), file)} for file in _versioned(evidence, shown)]
    schema = {**shown.schema, **_SCHEMA}
    found = pl.DataFrame(told, schema=schema, orient="row") if told else pl.DataFrame(schema=schema)
    rest = [
        others.group_by("billing_currency").agg(
            *(pl.col(name).sum() for name in (*AMOUNTS, "row_count")),
            note=pl.concat_str(pl.len().cast(pl.String), pl.lit(" more files")),
        ),
        named.filter(pl.col("x_page").is_null())
        .group_by("billing_currency", maintain_order=True)
        .agg(sums)
        .with_columns(note=pl.lit("no row of a file is listed for it")),
    ]
    both = pl.concat([found, *rest], how="diagonal_relaxed")
    noted = [] if "note" in both.columns else [pl.lit(None, pl.String).alias("note")]
    return both.with_columns(noted).select(*_SHOWN, "row_count", "note", "billing_currency", *AMOUNTS)


def _versioned(evidence: Evidence, files: pl.DataFrame) -> Iterator[dict[str, object]]:
    for file in files.iter_rows(named=True):
        yield {**file, "version": evidence.versions.get(file["fact"])}


def _told(evidence: Evidence, fact: str, file: dict[str, object]) -> dict[str, object]:
    period, version, source, page = file["period"], file["version"], str(file["x_source"]), str(file["x_page"])
    assert isinstance(period, date)  # noqa: S101 - the frame's own types
    assert isinstance(version, int)  # noqa: S101
    key = (fact, version, period, source)
    if key not in evidence.files_told:
        evidence.files_told[key] = _delivery(evidence, fact, version, period, source)
    told, digests = evidence.files_told[key]
    digest = next((name for name in digests if name.startswith(page)), None)
    landed = None if digest is None else f"{told['folder']}/{digest}"
    return {name: told[name] for name in _TOLD} | {"sha256": digest, "landing_file": landed}


def _delivery(
    evidence: Evidence, fact: str, version: int, period: date, source: str
) -> tuple[Mapping[str, object], Sequence[str]]:
    """What is known of the delivery that a slice was made from, and the names of its files in landing."""
    slices = evidence.slices_at(fact, version)
    delivery = next((s.fingerprint for s in slices if (s.slice_date, s.slice_source) == (period, source)), None)
    attempts = evidence.stored("deliveries").filter(delivery_id=delivery, status="committed").sort("attempted_at")
    if attempts.is_empty():
        return dict.fromkeys(_TOLD, None) | {"x_source": source, "slice_date": period, "delivery_id": delivery}, []
    attempt = attempts.row(-1, named=True)
    window = Window(attempt["window_start"], attempt["window_end"])
    folder = landed_page(attempt["x_source"], attempt["x_account"], window, "").rstrip("/")
    told = {name: attempt[name] for name in ("x_source", "x_account", "slice_date", "run_id", "delivery_id")}
    return {**told, "received_at": attempt["attempted_at"], "folder": folder}, sorted(
        file_sizes(evidence.lake.root, folder)
    )
