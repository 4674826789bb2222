"""A mapping held against rows of its files: paths that find nothing, rows and values that it would refuse.

Here belongs: counting and telling, one line a reason. Here does not belong: what makes a row refused (each source's own
reading says so, and is asked), and reading files (`probing`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.base import SourceError
from connectors.logs.attempt import RowError
from connectors.logs.buckets import UsageError
from connectors.logs.forms import shown, unread_instant
from connectors.logs.instants import Unit, day_of
from connectors.logs.listing import is_filed_within
from connectors.logs.paths import names_at, value_at
from connectors.logs.probing import Look, Row, Seen, Unread, absent
from connectors.logs.settings import StoredRowsSettings
from connectors.logs.wording import in_own_words
from connectors.logs.words import UnknownWordError, unexplained
from connectors.names import nearest

_MOST_REASONS = 5
_MOST_NAMES = 20  # of an object that has a name for each of its customers, say
_LONGEST_NAME = 40


class Tried(NamedTuple):
    """What becomes of a row: why it is refused, if it is, and the values that it is taken without."""

    refusal: RowError | UsageError | None = None
    lost: Sequence[RowError | UsageError] = ()


@dataclass(frozen=True)
class Trial:
    """How a mapping is tried.

    `paths` are the log's own paths by landed field, `needed` those of them without which a file is not this log, and
    `optional` those of the other settings. `effect` says what it does that such a one finds nothing. `is_counted` says
    of a row whether it holds what the mapping is there for, such as usage, called `counted` in words. `there` is what
    words call the place of its own paths.
    """

    paths: Mapping[str, str]
    needed: frozenset[str]
    optional: Mapping[str, str]
    tried: Callable[[Seen], Tried]
    is_counted: Callable[[Row], bool] = lambda row: True  # noqa: ARG005
    counted: str = ""
    effect: Callable[[str], str] = lambda setting: ""  # noqa: ARG005
    there: str = "in the log"


@dataclass
class _Reason:
    """Rows that are refused, or values that are, for one reason: how many, the first, and the words it is about."""

    first: Seen | Unread
    refusal: RowError | UsageError
    is_whole_row: bool
    row_count: int = 0
    words: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True)
class Fit:
    """What came of a trial, in sentences, each with its remedy; `is_useless` where nothing of worth would be taken."""

    where: str
    is_useless: bool
    useless: str
    refused: Sequence[str]
    absences: Sequence[str]

    def told(self) -> str:
        """How much was looked at, and whether every path of the mapping was found in some row of it."""
        return f"looked at {self.where}" if self.absences else f"every field of the mapping was found in {self.where}"

    def require(self, location: str) -> None:
        """Raises SourceError where no row would be taken, or none of those that count."""
        if self.is_useless:
            told = "\n    ".join([self.useless, *self.refused, *self.absences])
            raise SourceError(f"{location}: {told}")


def fit(trial: Trial, look: Look, location: str) -> Fit:
    """Holds the mapping against the rows. Raises SourceError where a path that every row needs finds nothing."""
    rows = [seen.row for seen in look.rows]
    if lacking := absent(rows, sorted(trial.needed)):
        raise SourceError(f"{location}: {look.where} say nothing under {', '.join(lacking)}: correct `fields`")
    reasons: dict[tuple[str, str | None, bool], _Reason] = {}
    taken, is_any_counted, is_counted_taken = 0, False, False
    for seen in look.rows:
        refusal, lost = trial.tried(seen)
        is_counted = trial.is_counted(seen.row)
        taken += refusal is None
        is_any_counted = is_any_counted or is_counted
        is_counted_taken = is_counted_taken or (is_counted and refusal is None)
        for problem in lost if refusal is None else (refusal,):
            _count(reasons, seen, problem, is_whole_row=refusal is not None)
    for unread in look.unread:
        _count(reasons, unread, RowError(unread.reason, unread.reason), is_whole_row=True)
    counted = f" that has {trial.counted}" if taken else ""
    useless = f"none of {look.where}{counted} would be taken"
    return Fit(
        where=look.where,
        is_useless=taken == 0 or (is_any_counted and not is_counted_taken),
        useless=useless if look.row_count > 1 else f"{look.where} would not be taken",
        refused=list(_refused(trial, look, list(reasons.values()))),
        absences=list(_absences(trial, look)),
    )


def require_filed(settings: StoredRowsSettings, path: str, started_us: int, column: str) -> None:
    """Raises RowError where no night looks for the row's day in that file, so that it would be refused."""
    day = day_of(started_us)
    if not is_filed_within(settings, path, day):
        raise RowError(
            "outside_window",
            f"it is of {day} and lies in {path}: further away than folders_before ({settings.folders_before}) and "
            f"folders_after ({settings.folders_after}) reach. Correct the field, time_unit or layout, or raise them",
            column,
        )


def with_value(
    row: Row, paths: Mapping[str, str], unit: Unit, is_instant: Callable[[str], bool], problem: RowError | UsageError
) -> RowError | UsageError:
    """Of a value that is not landed, what can be shown of it: a check reads the row itself and keeps nothing."""
    column = problem.column
    if problem.reason != "unreadable_value" or column is None or column not in paths:
        return problem
    found = value_at(row, paths[column])
    if is_instant(column):
        return RowError(problem.reason, unread_instant(column, paths[column], unit, found), column)
    return RowError(problem.reason, f"{problem}; found {shown(found)}", column)


def _count(
    reasons: dict[tuple[str, str | None, bool], _Reason],
    seen: Seen | Unread,
    refusal: RowError | UsageError,
    *,
    is_whole_row: bool,
) -> None:
    key = (refusal.reason, refusal.column, is_whole_row)
    reason = reasons.setdefault(key, _Reason(seen, refusal, is_whole_row))
    reason.row_count += 1
    if isinstance(refusal, UnknownWordError):
        reason.words[refusal.word] += 1


def _refused(trial: Trial, look: Look, reasons: list[_Reason]) -> Iterator[str]:
    """One sentence a reason, the commonest first."""
    for reason in sorted(reasons, key=lambda found: -found.row_count)[:_MOST_REASONS]:
        fate = "refused" if reason.is_whole_row else f"taken without {reason.refusal.column}"
        told = look.told(reason.row_count, f"would be {fate}", reason.first)
        yield f"{told}: {_why(trial, reason)}"
    if (more := len(reasons) - _MOST_REASONS) > 0:
        yield f"rows of {look.where} would be refused for {more} {'reason' if more == 1 else 'reasons'} more"


def _why(trial: Trial, reason: _Reason) -> str:
    refusal = reason.refusal
    if isinstance(refusal, UnknownWordError) and len(reason.words) > 1:
        said = unexplained(str(refusal.column), reason.words, refusal.allowed, refusal.known)
        refusal = RowError(refusal.reason, said, refusal.column)
    return in_own_words(refusal, trial.paths, trial.there).detail


def _absences(trial: Trial, look: Look) -> Iterator[str]:
    """One sentence for each path that finds nothing in any row, with what the rows have at that level."""
    rows = [seen.row for seen in look.rows]
    for setting, path in trial.optional.items():
        if not any(path in row or value_at(row, path) is not None for row in rows):
            yield (
                f"{setting}: {path!r} finds nothing in {look.where}{_there(rows, path)}{trial.effect(setting)}. "
                "Correct the path, or leave the line out where the log rightly has none"
            )


def _there(rows: Sequence[Row], path: str) -> str:
    """What the rows have in the innermost object that the path enters, with the name that may be meant."""
    above, _, last = path.rpartition(".")
    while above and not (names := _names(rows, above)):
        above, _, last = above.rpartition(".")
    names = _names(rows, above)
    if not names:
        return ""
    meant = nearest(last, names)
    place = f"at {above!r} they have" if above else "they have"
    told = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..." for name in names[:_MOST_NAMES]]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"; {place} {', '.join(told)}{more}{f' (is it {meant}?)' if meant else ''}"


def _names(rows: Sequence[Row], path: str) -> list[str]:
    return sorted({name for row in rows for name in names_at(row, path)})
