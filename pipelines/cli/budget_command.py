"""The arguments of `farthing budgets`."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.options import DEFAULT_FILE, ConfigFile, console, month_of


def budgets(
    file: Annotated[Path | None, typer.Argument(help="Where an export goes.")] = None,
    config: ConfigFile = DEFAULT_FILE,
    month: Annotated[str | None, typer.Option("--month", help="Another month than the current: 2026-10.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Mail the thresholds that nobody was told of yet.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who would be told of what.")] = False,
    export: Annotated[str | None, typer.Option("--export", help="The gateway's own form: litellm.")] = None,
) -> None:
    """How the month stands against its budgets; who is to be told; the same for the gateway to enforce."""
    from pipelines.cli.budgets import BudgetsRequest, show_budgets

    period = None if month is None else month_of(month)
    request = BudgetsRequest(period, send=send, dry_run=dry_run, form=export, file=file)
    raise typer.Exit(show_budgets(console(), config, request))
