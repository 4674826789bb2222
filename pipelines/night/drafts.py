"""A team's mail as it is rendered: whole where every form can be made, else with the name of what is missing."""

from collections.abc import Collection
from dataclasses import dataclass
from email.message import EmailMessage

from pipelines.config.schema import Team as TeamEntry
from pipelines.house import House
from pipelines.night.editions import Edition, statement_of
from reports.filenames import statement_filename
from reports.files import Format, statement_files
from reports.given import StatementError
from reports.mail import draft
from reports.statement import Statement


@dataclass(frozen=True)
class Drafted:
    """A team's mail without its addresses. `problems`: why forms are missing from it; it names them itself."""

    message: EmailMessage
    problems: tuple[str, ...] = ()


def mail_draft(house: House, entry: TeamEntry, edition: Edition, mark: str) -> Drafted:
    """A team's mail as it is rendered now, without its addresses; its boundaries come from `mark`.

    A form that cannot be made, attached or beside the page, is named as missing and keeps no mail from anybody. Raises
    StatementError where there is no statement at all.
    """
    statement, attached, problems = _mailed(entry, edition, house.config.reports.attached)
    served = house.config.reports.url
    url = f"{served.rstrip('/')}/{edition.period.start:%Y-%m}" if served else ""
    return Drafted(draft(statement, mark, attached, url), problems)


def _mailed(
    entry: TeamEntry, edition: Edition, attached: tuple[Format, ...], missing: tuple[Format, ...] = ()
) -> tuple[Statement, dict[str, bytes], tuple[str, ...]]:
    """The statement as its mail tells it, the files that go with it, and why those that are missing are.

    What is not attached is made, too: whether it lies in the folder decides whether the mail lists it.
    """
    formats = _but(edition.formats, missing)
    page, rows = statement_filename(entry.id, edition.period), edition.view.team_rows(entry.id)
    statement = statement_of(entry, edition, formats, missing)
    files: dict[str, bytes] = {}
    for kind in (*_but(attached, missing), *_but(formats, attached)):
        try:
            made = statement_files(statement, rows, page, (kind,), for_mail=kind in attached)
        except StatementError as error:  # what was made by now lists it: all is made anew, and names it as missing
            statement, files, problems = _mailed(entry, edition, attached, (*missing, kind))
            return statement, files, (str(error), *problems)
        files |= made if kind in attached else {}
    return statement, files, ()


def _but(kinds: tuple[Format, ...], those: Collection[str]) -> tuple[Format, ...]:
    left: list[Format] = [kind for kind in kinds if kind not in those]
    return tuple(left)
