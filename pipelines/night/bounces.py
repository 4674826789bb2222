"""Statements and notices that came back: the reports in the sender's mailbox, matched to the outbox by message id.

A report stays told while it lies there: whoever has mended the address takes it out. Nothing is changed here.
"""

import mailbox
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.house import House
from pipelines.night.posting import outbox_of
from reports.bounces import Bounce, bounces_of

_LARGEST = 64 * 2**20  # bytes; a mail that came back may have its files with it
_FAILED = "failed"


@dataclass(frozen=True)
class CameBack:
    """What lies in the mailbox: by the name in the outbox what came back; `unknown` are reports of other mails.

    `unread` are mails that are no report of a delivery; `problem` is why the mailbox could not be read.
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


def came_back(house: House) -> CameBack:
    """Reads the mailbox that `mail.bounces` names; nothing came back where it names none."""
    place = house.config.mail.bounces if house.config.mail else None
    if place is None:
        return CameBack()
    folder = house.file.parent / place
    if not folder.exists():
        remedy = "let the mail server deliver there, or leave the setting out"
        return CameBack(problem=f"mail.bounces: {folder} is not there; {remedy}")
    try:
        reports = [bounces_of(content) for content in _mails(folder)]
        names = {entry.message_id: entry.name for entry in outbox_of(house).entries()}
    except OSError as error:
        return CameBack(problem=f"mail.bounces: {folder} cannot be read ({error}); who runs Farthing must be able to")
    found = [bounce for report in reports if report is not None for bounce in report]
    known = tuple((names[bounce.message_id], bounce) for bounce in found if bounce.message_id in names)
    return CameBack(known, len(found) - len(known), sum(report is None for report in reports))


def _mails(place: Path) -> Iterator[bytes]:
    """Every mail of a Maildir, an mbox file or a folder of .eml files, oldest name first; one that is too large not."""
    if place.is_file():
        box = mailbox.mbox(place, create=False)
        try:
            yield from (box.get_bytes(key) for key in box.iterkeys())
        finally:
            box.close()
        return
    is_maildir = (place / "new").is_dir() and (place / "cur").is_dir()
    files = [*(place / "new").iterdir(), *(place / "cur").iterdir()] if is_maildir else place.glob("*.eml")
    for file in sorted(files):
        if file.is_file() and file.stat().st_size <= _LARGEST:
            yield file.read_bytes()
