"""A team's statement as files beside its page: PDF, workbook, and its rows as Parquet with a hash.

Here belongs: which files there are, by name. Here does not belong: what is in them.
"""

import hashlib
import io
from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

import polars as pl
import pyarrow.parquet as pq

from reports.given import TeamRows
from reports.pdf import render_pdf
from reports.statement import Statement
from reports.workbook import render_workbook

STATEMENT = b"farthing.statement"
Format = Literal["pdf", "xlsx", "parquet"]


def file_names(page: str, formats: Sequence[Format]) -> tuple[str, ...]:
    """The names of a statement's page, its text twin and its files, in this order."""
    names = [str(PurePath(page).with_suffix(f".{kind}")) for kind in ("txt", *formats)]
    sums = [f"{name}.sha256" for name in names if name.endswith(".parquet")]
    return (page, *names, *sums)


def statement_files(statement: Statement, rows: TeamRows, page: str, formats: Sequence[Format]) -> dict[str, bytes]:
    """The files of a statement by name, beside its `page`, such as statement-2026-07-search.html.

    A Parquet file has its SHA-256 beside it, as `sha256sum --check` reads it. The same statement and rows give the same
    bytes.
    """
    made: dict[str, bytes] = {}
    for kind in formats:
        name = str(PurePath(page).with_suffix(f".{kind}"))
        if kind == "pdf":
            made[name] = render_pdf(statement)
        elif kind == "xlsx":
            made[name] = render_workbook(statement, rows)
        else:
            made[name] = rows_file(rows.chargeback, statement.number)
            made[f"{name}.sha256"] = f"{hashlib.sha256(made[name]).hexdigest()}  {name}\n".encode()
    return made


def rows_file(chargeback: pl.DataFrame, number: str) -> bytes:
    """The team's rows of `chargeback`, every column, in an order of their own, with money as decimals.

    The statement's number stands in the file's own metadata, under `farthing.statement`.
    """
    stream = io.BytesIO()
    ordered = chargeback.sort(chargeback.columns, nulls_last=True)
    rows = ordered.to_arrow()
    told = {**(rows.schema.metadata or {}), STATEMENT: number.encode()}
    pq.write_table(rows.replace_schema_metadata(told), stream, compression="zstd")
    return stream.getvalue()
