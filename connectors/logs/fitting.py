"""A mapping held against rows of its files: paths that find nothing, rows and values that it would refuse.

Here belongs: counting and telling, one line a reason. Here does not belong: what makes a row refused (each source's own
reading says so, and is asked), and reading files (`probing`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.base import SourceError
from connectors.logs.attempt import RowError
from connectors.logs.buckets import UsageError
from connectors.logs.forms import shown, unread_instant
from connectors.logs.instants import Unit, day_of
from connectors.logs.lacking import absent, have_told, needed_told
from connectors.logs.listing import is_filed_within
from connectors.logs.paths import value_at
from connectors.logs.probing import Look, Row, Seen, Unread
from connectors.logs.settings import StoredRowsSettings
from connectors.logs.wording import in_own_words
from connectors.logs.words import TRUTHS, UnknownWordError, unexplained

_MOST_REASONS = 5
_ONE_WORD = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)  # no prompt, and nobody's address


class Tried(NamedTuple):
    """What becomes of a row: why it is refused, if it is, and the values that it is taken without."""

    refusals: Sequence[RowError | UsageError] = ()
    lost: Sequence[RowError | UsageError] = ()


@dataclass(frozen=True)
class Trial:
    """How a mapping is tried.

    `paths` are the log's own paths by landed field, `needed` those of them without which a file is not this log, and
    `optional` those of the other settings. `effect` says what it does that such a one finds nothing. `is_counted` says
    of a row whether it holds what the mapping is there for, such as usage, called `counted` in words. `there` is what
    words call the place of its own paths, `hint` what to do where rows lack what is needed, if that can be told.
    """

    paths: Mapping[str, str]
    needed: frozenset[str]
    optional: Mapping[str, str]
    tried: Callable[[Seen], Tried]
    is_counted: Callable[[Row], bool] = lambda row: True  # noqa: ARG005
    counted: str = ""
    effect: Callable[[str], str] = lambda setting: ""  # noqa: ARG005
    there: str = "in the log"
    hint: Callable[[Sequence[Row]], str] = lambda rows: ""  # noqa: ARG005


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
        say = "says" if look.row_count == 1 else "say"
        told = f"{look.where} {say} nothing under {needed_told(rows, lacking)}"
        raise SourceError(f"{location}: {told}: {trial.hint(rows) or 'correct `fields`'}")
    reasons: dict[tuple[str, str | None, bool], _Reason] = {}
    taken, is_any_counted, is_counted_taken = 0, False, False
    for seen in look.rows:
        refusals, lost = trial.tried(seen)
        is_counted = trial.is_counted(seen.row)
        taken += not refusals
        is_any_counted = is_any_counted or is_counted
        is_counted_taken = is_counted_taken or (is_counted and not refusals)
        for problem in refusals or lost:
            _count(reasons, seen, problem, is_whole_row=bool(refusals))
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


def every_refusal(
    read: Callable[[Mapping[str, object]], object], neutral: Mapping[str, Mapping[str, object]]
) -> list[RowError | UsageError]:
    """Why a row is refused, all of it where that can be told, so that one check finds what else there is to mend.

    `read` reads the row with some landed fields replaced. After each refusal that speaks of a field with `neutral`
    values the row is read again with those; of tokens that contradict each other, those of `usage`.
    """
    given, mended, found = dict[str, object](), set[str](), list[RowError | UsageError]()
    while True:
        try:
            read(given)
        except (RowError, UsageError) as refusal:
            found.append(refusal)
            field_name = "usage" if isinstance(refusal, UsageError) else refusal.column or ""
            if field_name in mended or field_name not in neutral:
                return found
            mended.add(field_name)
            given |= neutral[field_name]
        else:
            return found


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
    row: Row, paths: Mapping[str, str], unit: Unit, sorts: Mapping[str, str], problem: RowError | UsageError
) -> RowError | UsageError:
    """Of a value that is not landed, what can be shown of it: a check reads the row itself and keeps nothing."""
    column = problem.column
    if problem.reason != "unreadable_value" or column is None or column not in paths:
        return problem
    found = value_at(row, paths[column])
    sort = sorts.get(column)
    if sort == "flag" and isinstance(found, str) and _ONE_WORD.fullmatch(found):
        return UnknownWordError(problem.reason, column, found, TRUTHS, {})
    if sort == "instant":
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
    nowhere = set(absent(rows, trial.optional.values()))
    for setting, path in trial.optional.items():
        if path in nowhere:
            yield (
                f"{setting}: {path!r} finds nothing in {look.where}{have_told(rows, path)}{trial.effect(setting)}. "
                "Correct the path, or leave the line out where the log rightly has none"
            )
