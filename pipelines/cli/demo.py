"""`farthing demo`: two months of the sample company through two nights, the second with restated bills, to a report."""

import shutil
import socket
import webbrowser
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from pipelines.cli.days import Days
from pipelines.cli.terminal import TerminalProgress

LOOPBACK = "127.0.0.1"
MAILBOX = "mailbox"
TRUTH = "truth.json"
LEFT_BEHIND = ("exports", "lake", MAILBOX, "reports")
SINCE = date(2026, 9, 1)
NIGHTS = (
    (date(2026, 11, 2), Days(SINCE, date(2026, 10, 31)), "September and October, as one backfill"),
    (
        date(2026, 11, 5),
        Days(date(2026, 10, 31), date(2026, 10, 31)),
        "Three days on, the bills of OpenAI and AWS were restated",
    ),
)


def run_demo(console: Console, directory: Path, *, open_report: bool) -> int:
    """Writes the sample company below `directory` and runs its nights. Returns the exit code."""
    from pipelines.cli.commands import FAILED, OK, WRONG

    if not _cleared(directory):
        console.print(f"[red]{escape(str(directory))} holds something else; name another with --directory[/]")
        return WRONG
    for as_of, days, headline in NIGHTS:
        console.print(f"\n[bold]{headline}[/] (clock at {as_of}, days {days})", highlight=False, soft_wrap=True)
        if not _night(console, directory, as_of, days):
            return FAILED
    report = directory / "reports" / "2026-10" / "index.html"
    console.print(_next_steps(directory, report), highlight=False, soft_wrap=True)
    if open_report:
        webbrowser.open(report.resolve().as_uri())
    return OK


def _cleared(directory: Path) -> bool:
    """Removes what an earlier demo left, so that each starts from nothing. False where the folder is not a demo's."""
    if not directory.exists() or not any(directory.iterdir()):
        return True
    if not (directory / TRUTH).exists():
        return False
    for name in LEFT_BEHIND:
        shutil.rmtree(directory / name, ignore_errors=True)
    return True


@contextmanager
def _mailbox(folder: Path) -> Generator[int]:
    """A mail server on this machine that files what it is given under `folder`/new. Yields its port."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Mailbox

    with socket.create_server((LOOPBACK, 0)) as free:
        port: int = free.getsockname()[1]
    folder.parent.mkdir(parents=True, exist_ok=True)
    controller = Controller(Mailbox(folder), hostname=LOOPBACK, port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def _night(console: Console, directory: Path, as_of: date, days: Days) -> bool:
    with _mailbox(directory / MAILBOX) as port:
        return _night_with_mail(console, directory, as_of, days, port)


def _night_with_mail(console: Console, directory: Path, as_of: date, days: Days, port: int) -> bool:
    import sample
    from pipelines.house import open_house
    from pipelines.night.run import new_run_id, run_night

    progress = TerminalProgress(console)
    progress.start("sample company")
    written = sample.write(directory, as_of=as_of, since=SINCE, mail_port=port)
    progress.finish("sample company", f"raw exports in {directory / 'exports'}")
    try:
        clock_at = datetime.combine(as_of, time(5, 30))
        with open_house(written.config, new_run_id(), clock=lambda: clock_at, progress=progress) as house:
            result = run_night(house, days.first, days.last)
    finally:
        progress.close()
    for failure in result.failures:
        console.print(f"[red]✗[/] {escape(failure)}", highlight=False)
    return result.published and not result.failures


def _next_steps(directory: Path, report: Path) -> str:
    config = escape(str(directory / "farthing.yml"))
    question = "select account, sum(reporting_effective_cost) as usd from chargeback group by 1 order by 2 desc"
    return "\n".join(
        (
            "",
            f"[bold]The report:[/] {escape(str(report))}",
            f"The board:    {escape(str(report.with_name('board.html')))}",
            f"The mail:     {escape(str(directory / MAILBOX / 'new'))} (one statement a team)",
            f"The snapshot: {escape(str(directory / 'lake' / 'published' / 'farthing.duckdb'))}",
            f'Ask it:       .venv/bin/farthing query -c {config} "{question}"',
            f"Go on:        .venv/bin/farthing check --offline -c {config}",
            f"              .venv/bin/farthing ui -c {config}",
        )
    )
