"""The delivered files that bill lines stand in: by which source they came, when, and where in landing they lie."""

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


def _told(evidence: Evidence, fact: str, file: dict[str, object]) -> dict[str, object]:
    period, version, source, page = file["period"], file["version"], file["x_source"], str(file["x_page"])
    assert isinstance(period, date)  # noqa: S101 - the frame's own types
    assert isinstance(version, int)  # noqa: S101
    slices = evidence.slices_at(fact, version)
    delivery = next((s.fingerprint for s in slices if (s.slice_date, s.slice_source) == (period, source)), None)
    attempts = evidence.stored("deliveries").filter(delivery_id=delivery, status="committed").sort("attempted_at")
    if attempts.is_empty():
        return dict.fromkeys(_SCHEMA, None) | {"x_source": source, "slice_date": period, "delivery_id": delivery}
    attempt = attempts.row(-1, named=True)
    window = Window(attempt["window_start"], attempt["window_end"])
    folder = landed_page(attempt["x_source"], attempt["x_account"], window, "").rstrip("/")
    digest = next((name for name in sorted(file_sizes(evidence.lake.root, folder)) if name.startswith(page)), None)
    return {
        **{name: attempt[name] for name in ("x_source", "x_account", "slice_date", "run_id", "delivery_id")},
        "sha256": digest,
        "landing_file": None if digest is None else f"{folder}/{digest}",
        "received_at": attempt["attempted_at"],
    }
