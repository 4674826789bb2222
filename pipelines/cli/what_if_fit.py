"""`farthing what-if fit`: on how many GPUs of which type a model of open weights fits, by quantisation."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.memory_fit import BITS, Fit, Shape, fit


def what_if_fit(console: Console, model: str, tokens: int) -> int:
    """Prints the fewest GPUs of each type for each quantisation. Returns the exit code."""
    from pipelines.cli.commands import OK, WRONG, stopped
    from pipelines.gpu_types import gpu_memory
    from pipelines.open_models import open_models

    known = open_models().get(model)
    if known is None:
        return stopped(console, f"'{model}' is no open model of the list. It has: {', '.join(open_models())}.", WRONG)
    shape = known.memory_shape
    console.print(
        f"{escape(model)}: {shape.parameters / 1e9:,.1f} billion parameters, {shape.bytes_per_token / 2**20:.3f} MiB "
        f"kept for each token, room for {tokens:,} tokens at once"
    )
    console.print(_table(shape, gpu_memory(), tokens))
    console.print(
        "GPUs of a replica, and the tokens that then have room. Weights and a fifth, in nine tenths of the memory; "
        f"what is kept of tokens stays at 16 bits. Quantised weights may answer otherwise: test. ({known.repository})"
    )
    return OK


def _table(shape: Shape, memory: dict[str, int], tokens: int) -> Table:
    table = Table("GPU")
    for name in BITS:
        table.add_column(name, justify="right")
    for gpu, size in sorted(memory.items(), key=lambda entry: (entry[1], entry[0])):
        table.add_row(escape(gpu), *(_told(fit(shape, name, size, tokens)) for name in BITS))
    return table


def _told(found: Fit) -> str:
    return "no" if found.gpus is None else f"{found.gpus} ({found.room_tokens:,})"
