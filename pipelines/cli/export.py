"""`farthing export`: what is published, in forms that others read."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from pipelines.cli.days import parse_month

app = typer.Typer(help="What is published, as a file in a form that others read.", no_args_is_help=True)


@app.command()
def focus(
    month: Annotated[str, typer.Option(help="The billing period, 2026-10.")],
    output: Annotated[Path, typer.Option(help="The file: its name ends in .parquet or .csv.")],
    version: Annotated[str, typer.Option(help="The version of FOCUS: 1.2, 1.3 or 1.4.")] = "1.2",
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration file.", envvar="FARTHING_CONFIG")
    ] = Path("farthing.yml"),
) -> None:
    """A month's charges as FOCUS Cost and Usage, and which values that the standard wants nobody knows."""
    try:
        period = parse_month(month)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--month") from None
    raise typer.Exit(export_focus(Console(emoji=False), config, period, version, output))


def export_focus(console: Console, file: Path, month: date, version: str, output: Path) -> int:
    """Writes the file. Returns the exit code: 3 where a bill lacks what the standard wants, or contradicts it."""
    from contracts.focus import FOCUS, focus_mapping
    from models.focus_needs import contradictions, unknown_values
    from models.frames import frame_of
    from pipelines.calendar import next_month
    from pipelines.cli.commands import FAILED, OK, WITH_PROBLEMS, WRONG, refused, stopped
    from pipelines.clock import utc_now
    from pipelines.config import ConfigError
    from pipelines.config.place import lake_place
    from pipelines.focus_file import FocusFileError, write_focus
    from pipelines.lake import Lake, LakeError

    known = focus_mapping().versions
    if version not in known:
        return stopped(console, f"--version is {', '.join(known)}, not '{version}'", WRONG)
    try:
        snapshot = Lake.open(*lake_place(file), utc_now).published()
        rows = snapshot.read(FOCUS, month, next_month(month))
        if not rows.num_rows:
            return stopped(console, _nothing(month, snapshot.months(FOCUS)), FAILED)
        write_focus(rows, version, output)
    except (ConfigError, LakeError, FocusFileError) as error:
        return refused(console, error)
    lacking, contradicted = unknown_values(frame_of(rows), version), contradictions(frame_of(rows))
    console.print(escape(f"{output}: {rows.num_rows:,} rows of FOCUS {version}"), highlight=False, soft_wrap=True)
    for unknown in lacking:
        sources = ", ".join(unknown.sources)
        told = (
            f"{unknown.column} is not known on {unknown.row_count:,} of the {unknown.needed_count:,} rows that need it"
        )
        console.print(f"[yellow]![/] {escape(f'{told} ({sources})')}", highlight=False, soft_wrap=True)
    for said in contradicted:
        console.print(f"[yellow]![/] against the standard, as billed: {escape(said)}", highlight=False, soft_wrap=True)
    return WITH_PROBLEMS if lacking or contradicted else OK


def _nothing(month: date, months: list[date]) -> str:
    there = ", ".join(f"{found:%Y-%m}" for found in months)
    return (
        f"nothing of {month:%Y-%m} is published in FOCUS; {f'there are {there}' if there else 'no month is'}. "
        "A month that was locked before Farthing kept it has none."
    )
