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

Format = Literal["pdf", "xlsx", "parquet"]


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
            made[name] = rows_file(rows.chargeback)
            made[f"{name}.sha256"] = f"{hashlib.sha256(made[name]).hexdigest()}  {name}\n".encode()
    return made


def rows_file(chargeback: pl.DataFrame) -> bytes:
    """The team's rows of `chargeback`, every column, in an order of their own, with money as decimals."""
    stream = io.BytesIO()
    ordered = chargeback.sort(chargeback.columns, nulls_last=True)
    pq.write_table(ordered.to_arrow(), stream, compression="zstd")
    return stream.getvalue()
