"""`farthing withdraw`: takes a source that is no longer configured out of the lake, and publishes without it."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.house import House
    from pipelines.night.strays import Stray


def withdraw_source(console: Console, file: Path, name: str, *, agreed: bool) -> int:
    """Shows what would go, asks unless `agreed`, withdraws it and rebuilds what followed from it.

    Returns the exit code.
    """
    from pipelines.cli.commands import OK, WRONG, refused, stopped
    from pipelines.cli.terminal import TerminalProgress
    from pipelines.config import ConfigError
    from pipelines.house import Options, open_house
    from pipelines.lake import LakeError
    from pipelines.night.run import new_run_id
    from pipelines.night.strays import strays, withdraw

    progress = TerminalProgress(console)
    options = Options(only_sources=frozenset({name}))  # it has no settings: nothing is pulled
    try:
        with open_house(file, new_run_id(), options=options, progress=progress) as house:
            everything = strays(house)
            found = [stray for stray in everything if stray.name == name]
            if not found:
                return stopped(console, _unknown(house, name, everything), WRONG)
            for stray in found:
                console.print(escape(stray.text()), highlight=False, soft_wrap=True)
            if not agreed and not _confirmed(console, name):
                console.print("Nothing was withdrawn.", highlight=False)
                return WRONG
            gone = withdraw(house, found)
            count = "1 slice" if len(gone) == 1 else f"{len(gone)} slices"
            console.print(f"{count} of {escape(name)} withdrawn; landing keeps what came.", highlight=False)
            return _rebuilt(console, house, found) and OK
    except (ConfigError, LakeError) as error:
        return refused(console, error)
    finally:
        progress.close()


def _unknown(house: "House", name: str, everything: "Sequence[Stray]") -> str:
    from pipelines.config.problems import nearest

    if name in [settings.name for settings in house.config.sources]:
        return (
            f"'{name}' is configured, and the next night would pull it again: take it out of the configuration first, "
            "or give it the name that it should have"
        )
    names = [stray.name for stray in everything]
    if not names:
        return f"'{name}' has nothing in the lake, and every source that has is configured."
    return f"'{name}' has nothing in the lake. {nearest(name, names)}"


def _confirmed(console: Console, name: str) -> bool:
    if not console.is_terminal:
        console.print(f"To withdraw {escape(name)} without being asked: --yes", highlight=False)
        return False
    return typer.confirm(f"Take {name} out of every figure?", default=False)


def _rebuilt(console: Console, house: "House", found: "Sequence[Stray]") -> int:
    """Runs the night without its sources, over every slice that went."""
    from pipelines.calendar import next_month
    from pipelines.cli.commands import conclude
    from pipelines.night.run import run_night

    days = [day for stray in found for day in stray.slices]
    yesterday = house.clock().date() - timedelta(days=1)
    last = max(yesterday, next_month(max(days)) - timedelta(days=1))
    return conclude(console, run_night(house, min(days), last), [])
