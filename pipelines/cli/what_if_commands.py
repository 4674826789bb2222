"""The commands of `farthing what-if`: last month's traffic under other assumptions."""

from typing import Annotated

import typer

from pipelines.cli.options import DEFAULT_FILE, ConfigFile, console

MOST = 10.0**9
"""Beyond any price, rate or count of hours: what is larger is a slip, and no double is left to compute with."""
MOST_MACHINES, MOST_PERCENT = 10**6, 10_000

app = typer.Typer(no_args_is_help=True, help="Last month's traffic under other assumptions.")


@app.command("self-host")
def self_host(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    model: Annotated[str, typer.Argument(help="A model of the log, in the price book's words.")],
    gpu_hour_cost: Annotated[float, typer.Option(help="Price of a GPU-hour, in US dollars.", min=0, max=MOST)],
    prefill_rate: Annotated[
        float,
        typer.Option(help="Input tokens that a replica computes a second, as measured.", min=0, max=MOST),
    ],
    decode_rate: Annotated[
        float,
        typer.Option(help="Output tokens that it generates a second, as measured.", min=0, max=MOST),
    ],
    gpus: Annotated[int, typer.Option(help="GPUs of a replica.", min=1, max=1024)] = 1,
    min_replicas: Annotated[int, typer.Option(help="Replicas that run at any hour.", min=0, max=10_000)] = 1,
    most_waiting: Annotated[
        float,
        typer.Option(help="Share of requests that may wait for a replica.", min=0.0001, max=0.9999),
    ] = 0.05,
    fixed_monthly_cost: Annotated[
        float, typer.Option(help="People and platform a month, in US dollars.", min=0, max=MOST)
    ] = 0.0,
    config: ConfigFile = DEFAULT_FILE,
    output: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """A model's traffic on GPUs of one's own, against its API: how busy they get, when it pays, how sure that is."""
    from pipelines.cli.what_if import Assumptions, what_if_self_host

    given = Assumptions(
        *(model, gpus, gpu_hour_cost, prefill_rate, decode_rate, min_replicas, most_waiting, fixed_monthly_cost)
    )
    raise typer.Exit(what_if_self_host(console(), config, given, output))


@app.command("spot")
def spot(
    instance_type: Annotated[str, typer.Argument(help="Machine type, such as p5.48xlarge.")],
    work_hours: Annotated[
        float,
        typer.Option(help="Hours that the job takes without interruptions.", min=0, max=MOST),
    ],
    interrupted_every: Annotated[
        float, typer.Option(help="Mean hours between interruptions, as observed.", min=0, max=MOST)
    ],
    checkpoint_minutes: Annotated[float, typer.Option(help="Minutes that saving takes.", min=0, max=MOST)] = 5.0,
    restart_minutes: Annotated[
        float,
        typer.Option(help="Minutes from an interruption until work goes on.", min=0, max=MOST),
    ] = 15.0,
    machines: Annotated[int, typer.Option(help="Machines of the job.", min=1, max=MOST_MACHINES)] = 1,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """A job on spot machines against on demand: how often to save it, how long it takes, what it costs."""
    from models.checkpointing import Interruptions
    from pipelines.cli.what_if_spot import Job, what_if_spot

    try:
        given = Interruptions(interrupted_every, checkpoint_minutes / 60, restart_minutes / 60)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    raise typer.Exit(what_if_spot(console(), config, Job(instance_type, work_hours, machines, given)))


@app.command("fit")
def fit(
    model: Annotated[str, typer.Argument(help="A model of open weights, such as llama-3.3-70b.")],
    tokens: Annotated[
        int,
        typer.Option(help="Tokens of all requests that are answered at once, prompts and answers.", min=1, max=10**9),
    ] = 100_000,
) -> None:
    """On how many GPUs of which type a model of open weights fits, by quantisation."""
    from pipelines.cli.what_if_fit import what_if_fit

    raise typer.Exit(what_if_fit(console(), model, tokens))


@app.command("provisioned")
def provisioned(
    model: Annotated[str, typer.Argument(help="A model of the log, in the price book's words.")],
    unit_hour_cost: Annotated[float, typer.Option(help="Price of a unit an hour, in US dollars.", min=0, max=MOST)],
    month: Annotated[str, typer.Option(help="Whose minutes, such as 2026-10.")],
    reserved_unit_hour_cost: Annotated[
        float | None,
        typer.Option(help="The same with a reservation, spread over its hours.", min=0, max=MOST),
    ] = None,
    scope: Annotated[str, typer.Option(help="global or regional: in which numbers units are sold.")] = "global",
    demand_percent: Annotated[
        int, typer.Option(help="Traffic, in per cent of the month's.", min=1, max=MOST_PERCENT)
    ] = 100,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Provisioned throughput for a model's minutes: how many units cost least, and what spills over at each number."""
    from pipelines.cli.options import month_of
    from pipelines.cli.what_if_provisioned import Asked, what_if_provisioned

    asked = Asked(model, month_of(month), scope, unit_hour_cost, reserved_unit_hour_cost, demand_percent)
    raise typer.Exit(what_if_provisioned(console(), config, asked))


@app.command("commitment")
def commitment(
    instance_type: Annotated[str, typer.Argument(help="Machine type of the bill, such as p5.48xlarge.")],
    machines: Annotated[
        int | None,
        typer.Option(help="Machines to commit to; without, the level that costs least.", min=0, max=MOST_MACHINES),
    ] = None,
    term_months: Annotated[int | None, typer.Option(help="Only terms of that many months.", min=1, max=120)] = None,
    committed_price: Annotated[
        float | None,
        typer.Option(help="An offer of your own: price of a committed machine an hour.", min=0, max=MOST),
    ] = None,
    demand_percent: Annotated[
        list[int] | None,
        typer.Option(help="Use in per cent of the last month's; may be given again.", min=0, max=MOST_PERCENT),
    ] = None,
    days: Annotated[int, typer.Option(help="How many of the last days are looked at.", min=1, max=90)] = 30,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """A commitment for a machine type on last month's hours: other levels, terms and demand, and bought in steps."""
    from pipelines.cli.what_if_commitment import Asked, what_if_commitment

    shifts = tuple(demand_percent or (70, 85, 100, 115))
    asked = Asked(instance_type, machines, term_months, committed_price, shifts, days)
    raise typer.Exit(what_if_commitment(console(), config, asked))


@app.command("forecast")
def forecast(
    month: Annotated[str | None, typer.Option(help="Month, such as 2026-10; without, the first not over.")] = None,
    requests_percent: Annotated[
        int, typer.Option(help="Requests, in per cent of what is forecast.", min=0, max=MOST_PERCENT)
    ] = 100,
    tokens_percent: Annotated[
        int, typer.Option(help="Tokens of a request, in per cent of what is forecast.", min=0, max=MOST_PERCENT)
    ] = 100,
    price_percent: Annotated[
        int, typer.Option(help="Price of a token, in per cent of what is forecast.", min=0, max=MOST_PERCENT)
    ] = 100,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Where a month ends, and how likely its budgets break, with other requests, lengths or prices from now on."""
    from pipelines.cli.options import month_of
    from pipelines.cli.what_if_forecast import Asked, what_if_forecast

    asked = Asked(None if month is None else month_of(month), requests_percent, tokens_percent, price_percent)
    raise typer.Exit(what_if_forecast(console(), config, asked))


@app.command("savings")
def savings(
    month: Annotated[str, typer.Argument(help="Month, such as 2026-10.")],
    account: Annotated[str | None, typer.Option(help="One account alone, such as team:search.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="A lever to switch off; may be given again.")] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(help="Another share of success: batch=0.5, or batch=0.25..0.75; may be given again."),
    ] = None,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """What a month could have cost less, with levers switched off or other shares of success, against as assumed."""
    from pipelines.cli.options import month_of
    from pipelines.cli.what_if_savings import Asked, read_shares, what_if_savings

    try:
        shares = read_shares(share or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    asked = Asked(month_of(month), account, tuple(without or ()), shares)
    raise typer.Exit(what_if_savings(console(), config, asked))
