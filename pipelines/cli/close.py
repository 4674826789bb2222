"""`farthing close`: locks a month, or says what speaks against it."""

import getpass
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.house import House
    from pipelines.night.close import Finding
    from pipelines.night.statements import Rendered


@dataclass(frozen=True)
class CloseRequest:
    """What `farthing close` was asked for; without a month, the list of those that are locked."""

    month: date | None
    by: str | None = None
    reason: str | None = None
    dry_run: bool = False


def close_month(console: Console, file: Path, request: CloseRequest) -> int:
    """Locks a month, tries it, or lists what is locked. Returns the exit code."""
    from pipelines.cli.commands import FAILED, WRONG, stopped
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.close import CloseRefusedError, NotPublishedYetError, NotRenderedYetError
    from pipelines.night.run import new_run_id
    from reports.given import StatementError

    writing = request.month is not None and not request.dry_run
    try:
        if request.reason is not None and not request.reason.strip():
            raise _CallError("--accept needs a reason: it is kept with the month")
        by = _by(request, writing=writing)
        with open_house(file, new_run_id(), writing=writing) as house:
            if request.month is None:
                return _list(console, house)
            return _close(console, house, request.month, request, by)
    except (_CallError, ConfigError) as error:
        return stopped(console, str(error), WRONG)
    except CloseRefusedError as error:
        _tell(console, error.findings, request)
        return stopped(console, f"{request.month:%Y-%m} was not locked.", FAILED)
    except (NotPublishedYetError, NotRenderedYetError, LakeError, StatementError) as error:
        return stopped(console, str(error), FAILED)


class _CallError(Exception):
    """The call lacks what is kept with the month."""


def _by(request: CloseRequest, *, writing: bool) -> str:
    """Who locks the month: who is named, else who is logged in. Raises _CallError where the call says too little."""
    if request.by is not None and not request.by.strip():
        raise _CallError("--by needs a name: it is kept with the month")
    if not writing:
        return ""
    try:
        return request.by or getpass.getuser()
    except (KeyError, OSError, ImportError) as error:  # which of them depends on Python's version and the system
        raise _CallError("nobody with a name is logged in: say who locks the month with --by") from error


def _close(console: Console, house: "House", month: date, request: CloseRequest, by: str) -> int:
    from pipelines.cli.commands import FAILED, OK
    from pipelines.night.close import close, findings
    from pipelines.night.closings import locked_months

    known = month in locked_months(house)
    if request.dry_run:
        found = [] if known else findings(house, month)
        _tell(console, found, request)
        hindered = any(request.reason is None or not finding.can_be_accepted for finding in found)
        said = "is locked already" if known else "cannot be locked" if hindered else "can be locked"
        console.print(f"{month:%Y-%m} {said}; nothing was changed.", highlight=False)
        return FAILED if hindered else OK
    rendered = close(house, month, by=by, reason=request.reason)
    said = "was locked before" if known else f"is locked by {by}"
    made = f"{rendered.count} statements {'kept' if rendered.is_kept else 'written'}, {rendered.index}"
    console.print(escape(f"{month:%Y-%m} {said}: {made}"), highlight=False, soft_wrap=True)
    return _unmade(console, month, rendered) if rendered.problems else OK


def _unmade(console: Console, month: date, rendered: "Rendered") -> int:
    """Says what could not be rendered, or is lost of what was kept, and what to do. Returns the exit code."""
    from pipelines.cli.commands import WITH_PROBLEMS, stopped

    for problem in rendered.problems:
        console.print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)
    again = f"once that is mended: farthing report {month:%Y-%m}"
    if rendered.is_kept:
        return stopped(console, f"What is kept of {month:%Y-%m} is not all there; {again}", WITH_PROBLEMS)
    said = f"{month:%Y-%m} is locked and published; its statements are kept when all of them can be rendered"
    return stopped(console, f"{said}; {again}", WITH_PROBLEMS)


def _list(console: Console, house: "House") -> int:
    from pipelines.cli.commands import OK
    from pipelines.night.close import closings

    rows = closings(house)
    for row in rows:
        text = f"{row['billing_period']:%Y-%m}  locked {row['closed_at']:%Y-%m-%d %H:%M} UTC by {row['closed_by']}"
        if row["accepted_reason"]:
            text += f"; accepted ({row['accepted_reason']}): {row['accepted_findings']}"
        console.print(escape(text), highlight=False, soft_wrap=True)
    if not rows:
        console.print("No month is locked.", highlight=False)
    return OK


def _tell(console: Console, found: "Sequence[Finding]", request: CloseRequest) -> None:
    for finding in found:
        remedy = "" if not finding.can_be_accepted or request.reason else ' (--accept "why" locks it nevertheless)'
        console.print(f"[red]✗[/] {escape(finding.text + remedy)}", highlight=False, soft_wrap=True)
