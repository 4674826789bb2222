"""What a mapping gives to doubt, by the beginning of a file: paths that find nothing, and rows that it would refuse.

Here belongs: holding rows of the log against the mapping, in words for who writes it. Here does not belong: reading
files (`probing`), and what makes an attempt of a row (`reading`), which is asked and not repeated.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from connectors.logs.allow_list import UnlandableError
from connectors.logs.attempt import NoAttemptError, RowError, staged_row
from connectors.logs.buckets import UsageError
from connectors.logs.paths import names_at, value_at
from connectors.logs.withheld import take_out_withheld
from connectors.logs.wording import in_own_words
from connectors.mapped_log.fields import SORTS
from connectors.mapped_log.reading import allowed, attempt, reported_cost
from connectors.mapped_log.settings import NEEDED, MappedLogSettings
from connectors.names import nearest

Row = Mapping[str, Any]

_MOST_NAMES = 20  # of an object that has a name for each of its customers, say
_LONGEST_NAME = 40
_WITHOUT_COUNT = "; without it tokens are priced wrongly, or rows are refused"


def lacking_fields(settings: MappedLogSettings, rows: Sequence[Row], where: str) -> list[str]:
    """One sentence for each path that finds nothing in any row, with what the rows have at that level.

    Fields that every attempt needs are not among them: without those the file is not this log at all.
    """
    paths = {f"fields.{name}": path for name, path in settings.fields.items() if name not in NEEDED}
    paths |= {f"tags_from.{name}": path for name, path in settings.tags_from.items()}
    paths |= {f"extras.{name}": path for name, path in settings.extras.items()}
    return [
        f"{setting}: {path!r} finds nothing in the first {_rows(len(rows))} of {where}{_there(rows, path)}"
        f"{_effect(setting)}. Correct the path, or leave the line out where the log rightly has none"
        for setting, path in paths.items()
        if not any(path in row or value_at(row, path) is not None for row in rows)
    ]


class Refusal(NamedTuple):
    """Why rows would be refused: how many, the first of them (from 1), and the reason with its remedy."""

    row_count: int
    first: int
    reason: str

    def told(self, rows: int, where: str) -> str:
        """The sentence."""
        of = f"{self.row_count} of the first {_rows(rows)} of {where}"
        return f"{of} would be refused (the first: row {self.first}): {self.reason}"


def refusals(settings: MappedLogSettings, rows: Sequence[Row], essential: frozenset[str]) -> list[Refusal]:
    """Why the mapping would refuse rows, the commonest reason first.

    Words that it does not take, tokens that contradict each other, values of another kind. `essential` are fields
    without which a record means nothing.
    """
    redact = allowed(settings).redact
    numbers: dict[str, list[int]] = {}
    for number, row in enumerate(rows, start=1):
        if reason := _refusal(settings, redact(row), essential):
            numbers.setdefault(reason, []).append(number)
    found = [Refusal(len(of_reason), of_reason[0], reason) for reason, of_reason in numbers.items()]
    return sorted(found, key=lambda refusal: (-refusal.row_count, refusal.first))


def streams_without_usage(settings: MappedLogSettings, rows: Sequence[Row], where: str) -> list[str]:
    """A sentence on streams that went well and state no usage, where there are any; rows that are refused are none."""
    redact = allowed(settings).redact
    found = [number for number, row in enumerate(rows, start=1) if _is_unused_stream(settings, redact(row))]
    if not found:
        return []
    are = "is a stream" if len(found) == 1 else "are streams"
    told = (
        f"{len(found)} of the first {_rows(len(rows))} of {where} {are} without usage (the first: row {found[0]}): "
        "what it cost is on the bill alone, as aborted_stream where a usage API has the tokens, else as unexplained. "
        "Let callers ask for usage (OpenAI: stream_options: {include_usage: true}), or map the field that has it"
    )
    return [told]


def _is_unused_stream(settings: MappedLogSettings, landed: dict[str, Any]) -> bool:
    try:
        found = attempt(settings, landed)
    except (RowError, UsageError, NoAttemptError):
        return False
    is_bought = found.status == "success" and not found.is_cache_hit
    return is_bought and found.is_stream is True and found.usage.usage_provenance == "missing"


def _refusal(settings: MappedLogSettings, landed: dict[str, Any], essential: frozenset[str]) -> str | None:
    try:
        take_out_withheld(landed, essential)
        staged_row(attempt(settings, landed), reported_cost(settings, landed), [])
    except (RowError, UsageError) as refusal:
        return in_own_words(refusal, settings.fields).detail
    except (NoAttemptError, UnlandableError):
        return None
    return None


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
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..." for name in names[:_MOST_NAMES]]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"; {place} {', '.join(shown)}{more}{f' (is it {meant}?)' if meant else ''}"


def _names(rows: Sequence[Row], path: str) -> list[str]:
    return sorted({name for row in rows for name in names_at(row, path)})


def _effect(setting: str) -> str:
    return _WITHOUT_COUNT if SORTS.get(setting.removeprefix("fields.")) == "count" else ""


def _rows(count: int) -> str:
    return "row" if count == 1 else f"{count} rows"
