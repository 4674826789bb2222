"""What the arguments of several commands are made of."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.cli.days import Days, parse_days, parse_month

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", envvar="FARTHING_CONFIG")]
DEFAULT_FILE = Path("farthing.yml")


def console() -> Console:
    """Where everything is said. Plain text stays what it is: `:100:` is a line number, not a picture."""
    return Console(emoji=False)


def month_of(text: str) -> date:
    """The month that a caller wrote. Raises BadParameter for another text."""
    try:
        return parse_month(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def days_of(text: str) -> Days:
    """The days that a caller wrote. Raises BadParameter for another text."""
    try:
        return parse_days(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
