"""What a run says while it works: the interface, and the one that says nothing. The terminal's lives with the CLI."""

from typing import Protocol


class Progress(Protocol):
    """Told when a step starts and ends."""

    def start(self, step: str) -> None:
        """A step begins."""
        ...

    def finish(self, step: str, summary: str, problems: tuple[str, ...] = (), notices: tuple[str, ...] = ()) -> None:
        """A step ended; `problems` are for people to act on, `notices` for them to know."""
        ...


class Silent:
    """Says nothing."""

    def start(self, step: str) -> None:
        """Nothing."""

    def finish(self, step: str, summary: str, problems: tuple[str, ...] = (), notices: tuple[str, ...] = ()) -> None:
        """Nothing."""
