"""How a run looks on a terminal: a line a step, colour and spinner only where there is one."""

import time

from rich.console import Console
from rich.markup import escape
from rich.status import Status

MAX_LINES_SHOWN = 8


class TerminalProgress:
    """Shows steps as they end; on a terminal the one that runs spins. Keeps the problems for the summary."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._started: dict[str, float] = {}
        self.problems: list[str] = []

    def start(self, step: str) -> None:
        """A step begins."""
        self._started.setdefault(step, time.monotonic())
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status("")
            self._status.start()
        self._status.update(f"[dim]{escape(step)} ...[/]")

    def finish(self, step: str, summary: str, problems: tuple[str, ...] = (), notices: tuple[str, ...] = ()) -> None:
        """A step ended."""
        now = time.monotonic()
        seconds = now - self._started.pop(step, now)
        mark = "[yellow]![/]" if problems else "[green]✓[/]"
        line = f"  {mark} {escape(step):<26} {escape(summary)} [dim]{seconds:.1f} s[/]"
        self._console.print(line, highlight=False, soft_wrap=True)
        self._list(problems, "yellow")
        self._list(notices, "dim")
        self.problems += problems

    def _list(self, lines: tuple[str, ...], style: str) -> None:
        for line in lines[:MAX_LINES_SHOWN]:
            self._console.print(f"      [{style}]{escape(line)}[/]", highlight=False, soft_wrap=True)
        if len(lines) > MAX_LINES_SHOWN:
            self._console.print(f"      [{style}]and {len(lines) - MAX_LINES_SHOWN} more[/]", highlight=False)

    def close(self) -> None:
        """Stops the spinner."""
        if self._status is not None:
            self._status.stop()
            self._status = None
