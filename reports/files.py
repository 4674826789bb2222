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

from reports.given import StatementError, TeamRows
from reports.pdf import render_pdf
from reports.statement import Statement
from reports.wording import clean
from reports.workbook import render_workbook

STATEMENT = b"farthing.statement"
_BY_CUSTOMER = "customers.parquet"
Format = Literal["pdf", "xlsx", "parquet"]


def file_names(page: str, formats: Sequence[Format], *, has_customers: bool = False) -> tuple[str, ...]:
    """The names of a statement's page, its text twin and its files, in this order.

    `has_customers`: whether what was for whom is known, and a file of its own where there is a Parquet file.
    """
    beside = (_BY_CUSTOMER,) if has_customers else ()
    kinds = [end for kind in formats for end in (kind, *(beside if kind == "parquet" else ()))]
    names = [str(PurePath(page).with_suffix(f".{kind}")) for kind in ("txt", *kinds)]
    sums = [f"{name}.sha256" for name in names if name.endswith(".parquet")]
    return (page, *names, *sums)


def statement_files(
    statement: Statement, rows: TeamRows, page: str, formats: Sequence[Format], *, for_mail: bool = False
) -> dict[str, bytes]:
    """The files of a statement by name, beside its `page`, such as statement-2026-07-search.html.

    Parquet has the lines of `chargeback` and, where they are known, those of `chargeback_by_customer`. Each of its
    files has its SHA-256 beside it, as `sha256sum --check` reads it. The same statement and rows give the same bytes.
    What is `for_mail` is without those of customers: there may be a million, and no mail server takes that.

    Raises StatementError where one of them cannot be made, whatever it fails of: a team's file stops no other team's.
    """
    made: dict[str, bytes] = {}
    for kind in formats:
        try:
            made |= _files_of(kind, statement, rows, page, for_mail=for_mail)
        except StatementError:
            raise
        except Exception as error:
            raise StatementError(
                f"the {kind} file of {clean(statement.team_name)} cannot be made ({type(error).__name__}: "
                f"{clean(str(error), 300)}); leave '{kind}' out of `reports` in the configuration until that is mended"
            ) from error
    return made


def _files_of(kind: Format, statement: Statement, rows: TeamRows, page: str, *, for_mail: bool) -> dict[str, bytes]:
    name = str(PurePath(page).with_suffix(f".{kind}"))
    if kind == "pdf":
        return {name: render_pdf(statement)}
    if kind == "xlsx":
        return {name: render_workbook(statement, rows)}
    made = _with_hash(name, rows_file(rows.chargeback, statement.number))
    if rows.customers is not None and not for_mail:
        beside = str(PurePath(page).with_suffix(f".{_BY_CUSTOMER}"))
        made |= _with_hash(beside, rows_file(rows.customers, statement.number))
    return made


def _with_hash(name: str, content: bytes) -> dict[str, bytes]:
    """A file, and its SHA-256 beside it."""
    return {name: content, f"{name}.sha256": f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()}


def rows_file(rows_of_team: pl.DataFrame, number: str) -> bytes:
    """The team's rows of a table, every column, in an order of their own, with money as decimals.

    The statement's number stands in the file's own metadata, under `farthing.statement`.
    """
    stream = io.BytesIO()
    ordered = rows_of_team.sort(rows_of_team.columns, nulls_last=True)
    rows = ordered.to_arrow()
    told = {**(rows.schema.metadata or {}), STATEMENT: number.encode()}
    pq.write_table(rows.replace_schema_metadata(told), stream, compression="zstd")
    return stream.getvalue()
