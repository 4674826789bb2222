"""What samplers note of themselves between samples: files dropped, rounds lost, drivers gone, clocks set.

Here belongs: counting notes and putting them in words. Here does not belong: samples.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.fields import printable, shown
from connectors.wording import first_of

_WORDS = {
    "dropped_files": "files of a spool were dropped by its sampler for lack of room",
    "lost_rounds": "rounds were lost because a spool could not be written",
    "torn_line": "lines were torn by a sudden end and cut off",
    "driver_lost": "times a GPU driver stopped answering",
    "gpus_changed": "times the GPUs of a node changed while it was sampled",
    "clock_set": "times a node's clock was set while it was sampled",
}
_SILENT = frozenset({"driver_found"})


@dataclass
class Notes:
    """The notes of one delivery. The same note in two files counts once."""

    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _hosts: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    _seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def take(self, line: Mapping[str, Any]) -> None:
        """Takes a line that is a note."""
        kind, host = printable(str(line["note"])), printable(str(line.get("host")))
        whole = (host, shown(dict(line)))
        if kind in _SILENT or whole in self._seen:
            return
        self._seen.add(whole)
        number = line.get("rounds", line.get("files", 1))
        self._counts[kind] = self._counts.get(kind, 0) + (number if isinstance(number, int) else 1)
        self._hosts.setdefault(kind, set()).add(host)

    def words(self) -> Iterator[str]:
        """One sentence for each kind of note."""
        for kind, number in sorted(self._counts.items()):
            hosts = first_of(sorted(self._hosts[kind]))
            yield f"{number:,} {_WORDS.get(kind, f'notes of a new kind, {kind}')}: {hosts}"
