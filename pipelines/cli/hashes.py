"""`farthing hashes`: the keyed hashes under which the log and every mart know customers and users."""

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipelines.cli.options import DEFAULT_FILE, ConfigFile, console

if TYPE_CHECKING:
    from pipelines.config.schema import Config


def hashes(
    names: Annotated[
        list[str] | None, typer.Argument(help="Customers or users as the log names them; without any, lines of stdin.")
    ] = None,
    config: ConfigFile = DEFAULT_FILE,
    source: Annotated[str | None, typer.Option(help="The source whose hash_key is meant, where they differ.")] = None,
) -> None:
    """The hashes that stand for customers and users, as CSV: name, hash. Nothing is stored."""
    given = names or (line.rstrip("\r\n") for line in sys.stdin)
    raise typer.Exit(show_hashes(console(), config, source, given))


def show_hashes(console: Console, file: Path, source: str | None, names: Iterable[str]) -> int:
    """Writes each name with its hash to stdout, in the order given. Returns the exit code."""
    from connectors.logs.values import keyed_hash
    from pipelines.cli.commands import OK, WRONG, refused, stopped
    from pipelines.config import ConfigError, load

    try:
        config, _ = load(file)
    except ConfigError as error:
        return refused(console, error)
    keys = _keys(config, source)
    if len(set(keys.values())) != 1:
        return stopped(console, _undecided(source, list(keys)), WRONG)
    hashed = keyed_hash(next(iter(keys.values())))
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["name", "hash"])
    rows.writerows([name, hashed(name)] for name in names if name)
    return OK


def _keys(config: "Config", source: str | None) -> dict[str, str]:
    """The hash key of each source that has one, of the named source alone where one is named."""
    keys = {settings.name: getattr(settings, "hash_key", None) for settings in config.sources}
    return {name: key.get_secret_value() for name, key in keys.items() if key is not None and source in (None, name)}


def _undecided(source: str | None, names: Sequence[str]) -> str:
    if names:
        return f"The sources {', '.join(names)} have different keys. Say which is meant: --source {names[0]}"
    if source is not None:
        return f"There is no source '{source}' with a hash_key in the configuration."
    return "No source of the configuration has a hash_key: nobody's name was hashed."
