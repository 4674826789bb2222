"""The commands of `farthing`. Each opens the house, asks for work, and turns what happened into an exit code.

Exit codes: 0 all is well; 1 nothing was published, or a command failed; 2 the configuration or the call is wrong;
3 published, but a source had problems.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import budget_command, commands, delivery_commands, export, hashes, what_if_commands
from pipelines.cli.options import DEFAULT_FILE, ConfigFile, console, days_of, month_of

app = typer.Typer(
    name="farthing",
    help="What every token and every GPU-hour cost, who caused it, what it bought, and the proof that it adds up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(what_if_commands.app, name="what-if")
app.add_typer(export.app, name="export")
app.command("budgets")(budget_command.budgets)
app.command("alerts")(delivery_commands.alerts)
app.command("outbox")(delivery_commands.outbox)
app.command("hashes")(hashes.hashes)


@app.command()
def demo(
    directory: Annotated[Path, typer.Option(help="Where the sample company goes.")] = Path("farthing-demo"),
    open_report: Annotated[bool, typer.Option("--open/--no-open", help="Open the report in a browser.")] = True,
) -> None:
    """The sample company's month through the whole nightly run, to an opened report."""
    from pipelines.cli.demo import run_demo

    raise typer.Exit(run_demo(console(), directory, open_report=open_report and sys.stdout.isatty()))


@app.command()
def run(
    days: Annotated[
        str, typer.Argument(help="A day (2026-10-31), a range (2026-10-01..2026-10-31) or 'last'.")
    ] = "last",
    config: ConfigFile = DEFAULT_FILE,
    source: Annotated[list[str] | None, typer.Option(help="Pull only this source; may be given again.")] = None,
    confirmed: Annotated[
        list[str] | None,
        typer.Option("--confirm", help="Accept that this source has nothing, or much less or more than before."),
    ] = None,
    full_refresh: Annotated[bool, typer.Option(help="Rebuild tables even where nothing has changed.")] = False,
) -> None:
    """Last night, a day or a range: pull, price, allocate, check, publish, state, mail."""
    request = commands.RunRequest(days_of(days), tuple(source or ()), tuple(confirmed or ()), full_refresh)
    raise typer.Exit(commands.run(console(), config, request))


@app.command()
def check(
    config: ConfigFile = DEFAULT_FILE,
    offline: Annotated[bool, typer.Option(help="Only read the file; try no source.")] = False,
) -> None:
    """Validate the configuration, then try every source and the mail server."""
    raise typer.Exit(commands.check(console(), config, offline=offline))


@app.command()
def withdraw(
    source: Annotated[str, typer.Argument(help="A source in the lake that the configuration no longer names.")],
    config: ConfigFile = DEFAULT_FILE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a removed or renamed source out of every figure; what it delivered is kept, the difference recorded."""
    from pipelines.cli.withdraw import withdraw_source

    raise typer.Exit(withdraw_source(console(), config, source, agreed=yes))


@app.command()
def report(
    month: Annotated[str, typer.Argument(help="The billing period, 2026-10.")],
    config: ConfigFile = DEFAULT_FILE,
    send: Annotated[bool, typer.Option("--send", help="Also mail what was not mailed yet.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who would be mailed.")] = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open the overview in a browser.")] = False,
) -> None:
    """Render a month's statements again from the published snapshot; with --send, mail them once."""
    from pipelines.cli.report import report_month

    period = month_of(month)
    raise typer.Exit(report_month(console(), config, period, send=send, dry_run=dry_run, open_it=open_it))


@app.command()
def board(
    month: Annotated[str | None, typer.Argument(help="The last month shown, 2026-10; else the newest.")] = None,
    config: ConfigFile = DEFAULT_FILE,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """The organisation's board: a year of the published snapshot as one page that needs no server and no network."""
    from pipelines.cli.board import write

    raise typer.Exit(write(console(), config, None if month is None else month_of(month), open_it=open_it))


@app.command()
def close(
    month: Annotated[str | None, typer.Argument(help="The billing period, 2026-10.")] = None,
    config: ConfigFile = DEFAULT_FILE,
    accept: Annotated[
        str | None, typer.Option("--accept", help="Why it is locked in spite of what was found; kept with it.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who locks it; else who is logged in.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what speaks against it.")] = False,
    show: Annotated[bool, typer.Option("--list", help="List the locked months.")] = False,
) -> None:
    """Lock a month: its statements stay as they are, later restatements are adjustments of an open month."""
    from pipelines.cli.close import CloseRequest, close_month

    if (month is None) != show:
        raise typer.BadParameter("name the month to lock, such as 2026-10, or ask for --list")
    request = CloseRequest(None if month is None else month_of(month), by, accept, dry_run)
    raise typer.Exit(close_month(console(), config, request))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="A query; tables are named as in the data dictionary.")],
    config: ConfigFile = DEFAULT_FILE,
    output: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
) -> None:
    """SQL on the published snapshot, read-only."""
    from pipelines.cli.query import run_query

    raise typer.Exit(run_query(console(), config, sql, output))


@app.command()
def explain(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    what: Annotated[str, typer.Argument(help="A month, 2026-10, or a table such as chargeback.")],
    rest: Annotated[
        list[str] | None, typer.Argument(help="After a month: a team or account, then a line of its statement.")
    ] = None,
    config: ConfigFile = DEFAULT_FILE,
    where: Annotated[
        list[str] | None, typer.Option(help="Only these rows: team=search,model=gpt-4o; may be given again.")
    ] = None,
    depth: Annotated[
        str, typer.Option(help="How far: lines, parts, postings, charges, weights, bill, deliveries or requests.")
    ] = "deliveries",
    figure: Annotated[str, typer.Option(help="Only what this column of the table is made of.")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, instead of the terminal.")] = None,
    form: Annotated[str, typer.Option("--format", help="text, json or csv; else as the file is called.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every group of rows, not only the largest.")] = False,
) -> None:
    """What a figure is made of: rules, bill lines and delivered files, each level adding up to it exactly.

    Down to single requests of the log, bill or no bill: explain usage_daily --where day=2026-10-31 --depth requests
    """
    from pipelines.cli.explain import ExplainRequest, explain_figure

    request = ExplainRequest(what, tuple(rest or ()), tuple(where or ()), depth, form, output, everything, figure)
    raise typer.Exit(explain_figure(console(), config, request))


@app.command(
    "sample-gpus",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def sample_gpus(context: typer.Context) -> None:
    """On a GPU node: sample its GPUs every few seconds, and keep the samples in files (kind nvml reads them)."""
    command = [sys.executable, "-P", "-m", "pipelines.sampler", *context.args]
    os.execv(sys.executable, command)  # noqa: S606 - it runs for months: without all that this program brings along


@app.command()
def init(file: Annotated[Path, typer.Argument(help="Where to write it.")] = DEFAULT_FILE) -> None:
    """Write a commented configuration to start from."""
    from pipelines.cli.init import write_starter

    raise typer.Exit(write_starter(console(), file))


@app.command()
def ui(
    config: ConfigFile = DEFAULT_FILE, port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000
) -> None:
    """Dagster's own pages: the graph, the schedule, the checks, every run."""
    raise typer.Exit(commands.ui(console(), config, port))


def main() -> None:
    """The entry point. Leaves without interpreter teardown: native libraries print noise there."""
    code = 0
    try:
        app(standalone_mode=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was published before is still published; the next run takes up the rest.\n")
        code = 130
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
