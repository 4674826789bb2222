"""Who holds the lake's lock, as written beside it, and what a refused run is told."""

import json
from dataclasses import asdict, dataclass

from pipelines.lake.root import Root


@dataclass(frozen=True)
class Holder:
    """Who writes. `expires_at` is None where the operating system ends the lock."""

    run_id: str
    host: str
    pid: int
    since: str
    expires_at: str | None = None

    def text(self) -> str:
        """The holder in words."""
        return f"run {self.run_id} (process {self.pid} on {self.host}, since {self.since} UTC)"


def written(holder: Holder) -> str:
    """The holder as text."""
    return json.dumps(asdict(holder))


def parsed(text: str) -> Holder | None:
    """The holder that the text names; None when it names none."""
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return None


def refusal(root: Root, holder: Holder | None, remedy: str) -> str:
    """What a run is told that may not write."""
    who = holder.text() if holder else "another run"
    return f"the lake {root.location} is being written by {who}; wait until it ends, or {remedy}"
