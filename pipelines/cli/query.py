"""`farthing query`: SQL on the published snapshot, read-only."""

import csv
import json
import sys
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

MAX_ROWS_ON_TERMINAL = 50


def run_query(console: Console, file: Path, sql: str, output: str) -> int:
    """Runs the query and prints its rows as a table, CSV or JSON. Returns the exit code."""
    import duckdb

    from pipelines.cli.commands import FAILED, OK, WRONG, refused, stopped
    from pipelines.cli.query_advice import advice
    from pipelines.clock import utc_now
    from pipelines.config import ConfigError
    from pipelines.config.place import lake_place
    from pipelines.lake import Lake, LakeError

    if output not in ("table", "csv", "json"):
        return stopped(console, f"--format is table, csv or json, not '{output}'", WRONG)
    if not sql.strip(" ;\n\t"):
        return stopped(console, "There is no query in that text. Try: select * from chargeback limit 5", WRONG)
    try:
        with Lake.open(*lake_place(file), utc_now).published().database() as database:
            try:
                cursor = database.execute(sql)
            except duckdb.BinderException as error:
                return stopped(console, advice(database, sql, error) or str(error), FAILED)
            names = [column[0] for column in cursor.description or []]
            rows = cursor.fetchall()
    except (ConfigError, LakeError, duckdb.Error) as error:
        return refused(console, error)
    _print(console, names, rows, output)
    return OK


def _print(console: Console, names: list[str], rows: list[tuple[object, ...]], output: str) -> None:
    if output == "json":
        records = [dict(zip(names, row, strict=True)) for row in rows]
        sys.stdout.write(json.dumps(records, default=_text, ensure_ascii=False) + "\n")
    elif output == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows([_text(value) if value is not None else "" for value in row] for row in rows)
    else:
        _print_table(console, names, rows)


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _print_table(console: Console, names: list[str], rows: list[tuple[object, ...]]) -> None:
    shown = Table(*names, header_style="bold")
    for row in rows[:MAX_ROWS_ON_TERMINAL]:
        shown.add_row(*(escape(_text(value)) for value in row))
    if not console.is_terminal:  # a file or a pipe has no width that columns would have to be cut for
        wanted = Measurement.get(console, console.options.update(max_width=10_000), shown).maximum
        console = Console(file=console.file, width=max(console.width, wanted))
    console.print(shown)
    if len(rows) > MAX_ROWS_ON_TERMINAL:
        console.print(f"{len(rows) - MAX_ROWS_ON_TERMINAL} more rows; use --format csv for all.", highlight=False)
