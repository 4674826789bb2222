"""`farthing budgets`: how a month stands against its budgets, who is to be told, and the gateway's own form of them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from pipelines.house import House
    from pipelines.night.budget_alerts import Alerted

LITELLM = "litellm"
FORMS = (LITELLM,)


@dataclass(frozen=True)
class BudgetsRequest:
    """What `farthing budgets` was asked for: a month (none: those that are not over), mails, or an export."""

    month: date | None = None
    send: bool = False
    dry_run: bool = False
    form: str | None = None
    file: Path | None = None


def show_budgets(console: Console, file: Path, request: BudgetsRequest) -> int:
    """Shows, mails or exports. Returns the exit code."""
    from pipelines.cli.commands import refused
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.run import new_run_id

    try:
        if request.form is not None:
            return _export(console, file, request)
        with open_house(file, new_run_id(), writing=request.send and not request.dry_run) as house:
            _show(console, house, request.month)
            return _tell(console, house, request) if request.send or request.dry_run else 0
    except (ConfigError, LakeError) as error:
        return refused(console, error)


def _show(console: Console, house: "House", month: date | None) -> None:
    from models.open_months import shown_months
    from pipelines.night.budget_alerts import forecast_months, status_rows
    from reports.budget_lines import budget_lines, month_label

    rows = status_rows(house)
    current = (row["billing_period"] for row in rows if row["is_current"])
    months = [month] if month else shown_months(current, forecast_months(house.lake.published()) if rows else [])
    for period in months:
        lines = budget_lines(rows, period)
        if not lines:
            console.print(f"Of {month_label(period)} nothing is published that a budget could be held against.")
            continue
        table = Table(title=f"Budgets of {month_label(period)}", title_justify="left")
        for heading in ("budget", "of", "a month", "spent", "expected to date", "month's end", "chance to exceed"):
            table.add_column(heading, overflow="fold")
        for line in lines:
            end = f"{line.month_end}\n({line.interval})" if line.interval else line.month_end
            spent = f"{line.spent}\n{line.unsettled}" if line.unsettled else line.spent
            shown = (line.budget_id, line.of_what, line.budget, spent, line.expected, end, line.chance)
            table.add_row(*map(escape, shown), style="red" if line.is_overspent else None)
        console.print(table)
    if not months:
        console.print("The published snapshot holds no month's budgets.", highlight=False)


def _tell(console: Console, house: "House", request: BudgetsRequest) -> int:
    from pipelines.cli.commands import OK, WITH_PROBLEMS
    from pipelines.night.budget_alerts import deliver_alerts, recipients

    outcome: Alerted = deliver_alerts(house, dry_run=request.dry_run)
    if request.dry_run:
        for alert in outcome.due:
            to = ", ".join(recipients(house, alert)) or "nobody: it has no recipients"
            console.print(escape(f"would tell {to}: budget {alert.budget_id}: {alert.said}"), highlight=False)
    said = f"{len(outcome.due)} due" if request.dry_run else outcome.note or f"{outcome.sent} told"
    console.print(escape(said), highlight=False)
    for problem in outcome.problems:
        console.print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)
    return WITH_PROBLEMS if outcome.problems else OK


def _export(console: Console, file: Path, request: BudgetsRequest) -> int:
    """Writes the gateway's configuration, and the calls of its API beside it."""
    from pipelines.calendar import month_start
    from pipelines.cli.commands import OK, WITH_PROBLEMS, WRONG, stopped
    from pipelines.cli.litellm_budgets import exported
    from pipelines.clock import utc_now
    from pipelines.config import load

    if request.form not in FORMS or request.file is None:
        return stopped(console, f"Say what to export and where: --export {LITELLM} budgets.yaml", WRONG)
    config, _ = load(file)
    try:
        found = exported(config, request.month or month_start(utc_now().date()))
    except ValueError as error:
        return stopped(console, str(error), WRONG)
    calls = request.file.with_suffix(".requests.json")
    request.file.write_text(found.config, encoding="utf-8")
    calls.write_text(found.requests, encoding="utf-8")
    console.print(escape(f"{request.file}: for `include` of the gateway's configuration"), highlight=False)
    console.print(escape(f"{calls}: calls of the gateway's API, for teams and tags"), highlight=False)
    for told in found.left_out:
        console.print(f"[red]✗[/] {escape(told)}", highlight=False, soft_wrap=True)
    return WITH_PROBLEMS if found.left_out else OK
