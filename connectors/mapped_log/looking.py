"""What a mapping gives to doubt, by the beginnings of files: it is tried on rows of the log.

Here belongs: what of a mapped log is tried, and doubts of its own. Here does not belong: counting and telling
(`fitting`), reading files (`probing`), and what makes an attempt of a row (`reading`), which is asked and not repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from connectors.logs.allow_list import Redactor, UnlandableError
from connectors.logs.attempt import Attempt, NoAttemptError, RowError, staged_row, usd
from connectors.logs.buckets import Counts, UsageError
from connectors.logs.fitting import Fit, Trial, Tried, fit, require_filed, with_value
from connectors.logs.forms import shown, unread_instant
from connectors.logs.instants import in_unit
from connectors.logs.paths import value_at
from connectors.logs.probing import Look, Row, Seen
from connectors.logs.withheld import take_out_withheld
from connectors.mapped_log.fields import SORTS
from connectors.mapped_log.reading import allowed, attempt, expected_forms, reported_cost
from connectors.mapped_log.settings import NEEDED, MappedLogSettings

_WITHOUT_COUNT = "; without it tokens are priced wrongly, or rows are refused"


@dataclass(frozen=True)
class _Mapping:
    """A mapping ready to be tried: what of a row is landed, and which of its fields it needs."""

    settings: MappedLogSettings
    redact: Redactor
    forms: Mapping[str, str]
    essential: frozenset[str]


class _Read(NamedTuple):
    """What a row says: as it is landed, as an attempt, and the values that it is taken without."""

    landed: Mapping[str, Any]
    attempt: Attempt
    lost: Sequence[RowError]


def held(settings: MappedLogSettings, look: Look, essential: frozenset[str]) -> Fit:
    """The mapping held against rows; see `fitting.fit`. `essential` are fields without which a record means nothing."""
    mapping = _mapping(settings, essential)
    optional = {f"fields.{name}": path for name, path in settings.fields.items() if name not in NEEDED}
    optional |= {f"tags_from.{name}": path for name, path in settings.tags_from.items()}
    optional |= {f"extras.{name}": path for name, path in settings.extras.items()}
    trial = Trial(
        paths=settings.fields,
        needed=frozenset(path for name, path in settings.fields.items() if name in NEEDED),
        optional=optional,
        tried=partial(_tried, mapping),
        is_counted=lambda row: _has_usage(mapping.redact(row)),
        counted="usage",
        effect=_effect,
    )
    return fit(trial, look, settings.location)


def own_doubts(settings: MappedLogSettings, look: Look, essential: frozenset[str]) -> list[str]:
    """Sentences on rows that are taken: streams that state no usage, and ends that are no instants or too early."""
    mapping, streams, ends = _mapping(settings, essential), list[Seen](), list[Seen]()
    for seen in look.rows:
        try:
            read = _read(mapping, seen)
        except (RowError, UsageError, NoAttemptError, UnlandableError):
            continue
        if _is_unused_stream(read.attempt):
            streams.append(seen)
        if "ended_at" in read.landed and not _ends(settings, read):
            ends.append(seen)
    return [*_streams_told(look, streams), *_ends_told(settings, look, ends)]


def _mapping(settings: MappedLogSettings, essential: frozenset[str]) -> _Mapping:
    return _Mapping(settings, allowed(settings).redact, expected_forms(settings), essential)


def _streams_told(look: Look, streams: list[Seen]) -> list[str]:
    if not streams:
        return []
    are = "is a stream" if len(streams) == 1 else "are streams"
    told = look.told(len(streams), f"{are} without usage", streams[0])
    return [
        (
            f"{told}: what it cost is on the bill alone, as aborted_stream where a usage API has the tokens, else as "
            "unexplained. Let callers ask for usage (OpenAI: stream_options: {include_usage: true}), or map the field "
            "that has it"
        )
    ]


def _ends_told(settings: MappedLogSettings, look: Look, ends: list[Seen]) -> list[str]:
    """`latency` stands in where `ended_at` is unreadable, but nobody would know why."""
    if not ends:
        return []
    path = settings.fields["ended_at"]
    written = value_at(ends[0].row, path)
    why = f"{path!r} is {shown(written)}, before the attempt started; is it another field's?"
    if in_unit(settings.time_unit, written) is None:
        why = unread_instant("ended_at", path, settings.time_unit, written)
    have = "has" if len(ends) == 1 else "have"
    return [f"{look.told(len(ends), f'{have} no end', ends[0])}: {why}"]


def _is_unused_stream(found: Attempt) -> bool:
    is_bought = found.status == "success" and not found.is_cache_hit
    return is_bought and found.is_stream is True and found.usage.usage_provenance == "missing"


def _ends(settings: MappedLogSettings, read: _Read) -> bool:
    """Whether the stated end is an instant, and not before the start."""
    end = in_unit(settings.time_unit, read.landed["ended_at"])
    return end is not None and end >= (read.attempt.started_at or 0)


def _tried(mapping: _Mapping, seen: Seen) -> Tried:
    try:
        read = _read(mapping, seen)
    except (RowError, UsageError) as refusal:
        return Tried(_with_value(mapping.settings, seen.row, refusal))
    except (NoAttemptError, UnlandableError):
        return Tried()
    return Tried(None, [_with_value(mapping.settings, seen.row, problem) for problem in read.lost])


def _read(mapping: _Mapping, seen: Seen) -> _Read:
    """What a night would make of the row. Raises what it would refuse the row for."""
    settings, landed = mapping.settings, mapping.redact(seen.row)
    lost = take_out_withheld(landed, mapping.essential, mapping.forms)
    cost = usd(reported_cost(settings, landed), lost, "source_reported_cost_usd")
    found = attempt(settings, landed)
    staged_row(found, cost, lost)
    require_filed(settings, seen.path, found.started_at or 0, "started_at")
    return _Read(landed, found, lost)


def _with_value(settings: MappedLogSettings, row: Row, problem: RowError | UsageError) -> RowError | UsageError:
    return with_value(row, settings.fields, settings.time_unit, _is_instant, problem)


def _is_instant(name: str) -> bool:
    return SORTS.get(name) == "instant"


def _has_usage(landed: Mapping[str, Any]) -> bool:
    return bool(landed.get("usage")) or any(landed.get(name) for name in Counts._fields)


def _effect(setting: str) -> str:
    return _WITHOUT_COUNT if SORTS.get(setting.removeprefix("fields.")) == "count" else ""
