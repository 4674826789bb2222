"""Statements and notices that came back: the reports in the sender's mailbox, matched to the outbox by message id.

A report stays told while it lies there: whoever has mended the address takes it out. Nothing is changed here.
"""

import mailbox
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.house import House
from pipelines.lake import LakeError
from pipelines.night.posting import outbox_of
from reports.bounces import LARGEST, Bounce, bounces_of
from reports.outbox import STORE_ERRORS, UNKNOWN_ID, Entry

_FAILED = "failed"


@dataclass(frozen=True)
class CameBack:
    """What lies in the mailbox: by the name in the outbox what came back; `unknown` are reports of other mails.

    What several mails report alike is one. `unread` are mails that are no report of a delivery; `problem` is why the
    mailbox, or the outbox beside it, could not be read.
    """

    bounces: tuple[tuple[str, Bounce], ...] = ()
    unknown: int = 0
    unread: int = 0
    problem: str = ""

    def lines(self) -> tuple[str, ...]:
        """What needs a person: each recipient whom a mail did not reach for good, once."""
        failed = [(name, bounce) for name, bounce in self.bounces if bounce.action == _FAILED]
        told = dict.fromkeys(f"{name}: came back from {bounce.recipient}: {bounce.reason}" for name, bounce in failed)
        return (*told, *filter(None, (self.problem,)))


def came_back(house: House, entries: Sequence[Entry] | None = None) -> CameBack:
    """Reads the mailbox that `mail.bounces` names; nothing came back where it names none.

    `entries` are the outbox's, where they are read already; else it is read where there is something to ask.
    It raises nothing: what comes back is told beside what a night has to say, and may not cost it.
    """
    place = house.config.mail.bounces if house.config.mail else None
    if place is None:
        return CameBack()
    folder = house.file.parent / place
    try:
        return _read(house, folder, entries)
    except OSError as error:
        return CameBack(problem=f"mail.bounces: {folder} cannot be read ({error}); who runs Farthing must be able to")
    except Exception as error:  # noqa: BLE001 - what it is goes into the problem; a mailbox may hold anything
        why = f"{type(error).__name__}: {error}"
        return CameBack(problem=f"mail.bounces: {folder} cannot be read ({why}); look whether it is a mailbox")


def _read(house: House, folder: Path, entries: Sequence[Entry] | None) -> CameBack:
    if not folder.exists():
        remedy = "let the mail server deliver there, or leave the setting out"
        return CameBack(problem=f"mail.bounces: {folder} is not there; {remedy}")
    reports = [bounces_of(content) for content in _mails(folder)]
    unread = sum(report is None for report in reports)
    found = list(dict.fromkeys(bounce for report in reports if report is not None for bounce in report))
    if not found:  # the outbox grows with every mail: it is asked only where there is something to ask
        return CameBack(unread=unread)
    try:
        sent = outbox_of(house).entries() if entries is None else entries
        names = {entry.message_id: entry.name for entry in sent if entry.message_id != UNKNOWN_ID}
    except (*STORE_ERRORS, LakeError) as error:
        what = f"the outbox cannot be read ({type(error).__name__}: {error})"
        remedy = "nobody knows whose they are: look at them there, and check that the lake can be read"
        return CameBack(
            unread=unread, problem=f"mail.bounces: {len(found)} reports lie in {folder}, and {what}; {remedy}"
        )
    known = tuple((names[bounce.message_id], bounce) for bounce in found if bounce.message_id in names)
    return CameBack(known, len(found) - len(known), unread)


def _mails(place: Path) -> Iterator[bytes]:
    """The beginning of every mail of a Maildir, an mbox file or a folder of .eml files, oldest name first."""
    if place.is_file():
        box = mailbox.mbox(place, create=False)
        try:
            for key in box.iterkeys():
                yield box.get_file(key).read(LARGEST)
        finally:
            box.close()
        return
    is_maildir = (place / "new").is_dir() and (place / "cur").is_dir()
    files = [*(place / "new").iterdir(), *(place / "cur").iterdir()] if is_maildir else place.glob("*.eml")
    for file in sorted(files):
        if file.is_file():
            with file.open("rb") as mail:
                yield mail.read(LARGEST)
