"""`farthing init`: a commented configuration to start from, never over one that exists."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

STARTER = Path(__file__).with_name("starter.yml")


def write_starter(console: Console, file: Path) -> int:
    """Writes the starter configuration. Returns the exit code."""
    from pipelines.cli.commands import OK, WRONG

    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(STARTER.read_text(encoding="utf-8"))
    except FileExistsError:
        console.print(f"[red]{escape(str(file))} exists already; it was left as it is.[/]", highlight=False)
        return WRONG
    except OSError as error:
        console.print(
            f"[red]{escape(str(file))} cannot be written: {escape(error.strerror or str(error))}[/]", highlight=False
        )
        return WRONG
    console.print(
        f"Wrote {escape(str(file))}. Fill it in, then: farthing check -c {escape(str(file))}", highlight=False
    )
    return OK
