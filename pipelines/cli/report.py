"""`farthing report`: a published month's statements again, to look at or to send."""

import webbrowser
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape


def report_month(
    console: Console, file: Path, period: date, *, send: bool, dry_run: bool = False, open_it: bool = False
) -> int:
    """Renders a published period again; mails it, says who would be mailed, or opens it. Returns the exit code."""
    from pipelines.cli.commands import OK, WITH_PROBLEMS, refused
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.delivery import deliver_period, to_be_sent
    from pipelines.night.run import new_run_id
    from pipelines.night.statements import render_period
    from reports.given import StatementError

    try:
        with open_house(file, new_run_id()) as house:
            rendered = render_period(house, period)
            console.print(f"{rendered.count} statements: {escape(rendered.index)}", highlight=False, soft_wrap=True)
            for problem in rendered.problems:
                console.print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)
            done = WITH_PROBLEMS if rendered.problems else OK
            if open_it:
                webbrowser.open(Path(rendered.index).resolve().as_uri())
            if dry_run:
                for line in to_be_sent(house, period):
                    console.print(escape(line), highlight=False, soft_wrap=True)
            if dry_run or not send:
                return done
            outcome = deliver_period(house, period)
    except (ConfigError, LakeError, StatementError) as error:
        return refused(console, error)
    console.print(escape(outcome.text()), highlight=False)
    for problem in outcome.problems:
        console.print(f"[red]✗[/] {escape(problem)}", highlight=False)
    return WITH_PROBLEMS if outcome.problems else done
