"""When a job held what it held: from its start to its end, or as long as the file can tell.

Here belongs: one job's stretch, and what several files say of the same one. Here does not belong: GPUs and nodes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.fields import RowError, shown
from connectors.slurm.columns import WITHHELD
from connectors.slurm.settings import SlurmSettings
from connectors.slurm.times import is_nothing, lasting, span

_RUNNING = frozenset(
    {"RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING", ""}
)
_NOTHING = timedelta(0)


@dataclass(frozen=True)
class Stretch:
    """A job's id and time on its nodes, UTC. `is_ended` is false where it still ran: `end` is what is known.

    `is_sure` and `fits` are those of its times (`times.Span`).
    """

    job_id: str
    start: datetime
    end: datetime
    is_ended: bool
    is_sure: bool
    fits: bool
    page_id: str
    row: int
    record: Mapping[str, Any]


def read_stretch(
    record: Mapping[str, Any], settings: SlurmSettings, file_date: date, page_id: str = "", row: int = 0
) -> Stretch | None:
    """The stretch of a landed job; None for one that held nothing: it never started, or ended as it began.

    Raises RowError for what cannot be read.
    """
    if withheld := sorted(name for name, found in record.items() if found == WITHHELD):
        raise RowError("unreadable_value", f"{withheld[0]} held another kind of value than it should", withheld[0])
    job_id = record.get("JobIDRaw") or record.get("JobID")
    if not job_id:
        raise RowError("no_job_id", "the job has no JobIDRaw, by which it is told from every other", "JobIDRaw")
    state = str(record.get("State", "")).partition(" ")[0].rstrip("+")
    started = record.get("Start")
    if started is None or is_nothing(started) or state == "PENDING":
        return None
    suspended = lasting(record.get("Suspended"), "Suspended") or _NOTHING
    ran = lasting(record.get("ElapsedRaw") or record.get("Elapsed"), "ElapsedRaw")
    took = None if ran is None else ran + suspended
    ended = None if is_nothing(record.get("End")) else record["End"]
    if ended is None and state not in _RUNNING:
        raise RowError("no_end", f"the job's state is {shown(state)} and its End is Unknown: it ended, when?", "End")
    found = span(started, ended, took, settings.zone)
    end = found.end or _known_until(found.start, took, settings, file_date)
    if end <= found.start:
        return None
    return Stretch(job_id, found.start, end, ended is not None, found.is_sure, found.fits, page_id, row, record)


def _known_until(start: datetime, took: timedelta | None, settings: SlurmSettings, file_date: date) -> datetime:
    """Until when a file can speak of a running job: the moment at which sacct was asked, else its day's end."""
    if took is not None:
        return start + took
    local = datetime.combine(file_date + timedelta(days=1), datetime.min.time(), settings.zone)
    return local.astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Merged:
    """Stretches of which none of one job overlaps another; what was the same, and what was cut."""

    stretches: list[Stretch]
    duplicate_count: int
    cut_count: int


def merged(stretches: Iterable[Stretch]) -> Merged:
    """Each job's time once, whatever the number of files that list it.

    The same start is the same run: that with an end is taken, else that which knows most. A requeued job runs again
    later, under the same id. A run that reaches into the next one (cut files beside whole ones) ends where that begins.
    """
    by_job = dict[str, dict[datetime, Stretch]]()
    duplicate_count = cut_count = 0
    for found in sorted(stretches, key=lambda s: (s.page_id, s.row)):
        runs = by_job.setdefault(found.job_id, {})
        before = runs.get(found.start)
        duplicate_count += before is not None
        if before is None or (found.is_ended, found.end) > (before.is_ended, before.end):
            runs[found.start] = found
    kept = list[Stretch]()
    for runs in by_job.values():
        last: Stretch | None = None
        for start in sorted(runs):
            found = runs[start]
            if last is not None and found.start < last.end:
                if found.end <= last.end and last.is_ended:
                    duplicate_count += 1
                    continue
                kept[-1] = replace(last, end=found.start)
                cut_count += 1
            kept.append(found)
            last = found
    return Merged(kept, duplicate_count, cut_count)
