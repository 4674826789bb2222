"""`farthing board`: the organisation's year as one file."""

import webbrowser
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape


def write(console: Console, file: Path, period: date | None, *, open_it: bool) -> int:
    """Writes the board of the twelve months up to `period`, or to the newest. Returns the exit code."""
    from pipelines.cli.commands import FAILED, OK, refused, stopped
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.board import write_board
    from pipelines.night.run import new_run_id
    from reports.given import StatementError

    try:
        with open_house(file, new_run_id()) as house:
            written = write_board(house, period)
    except (ConfigError, LakeError, StatementError) as error:
        return refused(console, error)
    if written is None:
        return stopped(console, "the published snapshot has no costs: no board was written", FAILED)
    board = Path(written)
    console.print(f"the board: {escape(str(board))}", highlight=False, soft_wrap=True)
    if open_it:
        webbrowser.open(board.resolve().as_uri())
    return OK
