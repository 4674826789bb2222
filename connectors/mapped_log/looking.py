"""What a mapping gives to doubt, by the beginnings of files: it is tried on rows of the log.

Here belongs: what of a mapped log is tried, and doubts of its own. Here does not belong: counting and telling
(`fitting`), reading files (`probing`), and what makes an attempt of a row (`reading`), which is asked and not repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

from connectors.logs.allow_list import Redactor
from connectors.logs.attempt import Attempt, RowError, staged_row, usd
from connectors.logs.buckets import Counts, UsageError
from connectors.logs.fitting import Fit, Trial, Tried, every_refusal, fit, require_filed, with_value
from connectors.logs.forms import example_instant, shown, unread_instant
from connectors.logs.instants import in_unit
from connectors.logs.lacking import names_there
from connectors.logs.paths import value_at
from connectors.logs.probing import Look, Row, Seen
from connectors.logs.withheld import take_out_withheld
from connectors.mapped_log.fields import SORTS
from connectors.mapped_log.reading import allowed, attempt, expected_forms, reported_cost
from connectors.mapped_log.settings import NEEDED, MappedLogSettings

_NO_LIST = "`records` finds no list there; correct it"
_NOTHING: Mapping[str, object] = {}
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
        tried=partial(_tried, mapping, _neutral(settings)),
        is_counted=lambda row: _has_usage(mapping.redact(row)),
        counted="usage",
        effect=_effect,
        hint=partial(_where_records_lie, settings),
    )
    return fit(trial, look, settings.location)


def own_doubts(settings: MappedLogSettings, look: Look, essential: frozenset[str]) -> list[str]:
    """Sentences on what is taken: a mapping of which nothing is priced, answers without usage, ends that are none."""
    mapping, streams, answers, ends = _mapping(settings, essential), list[Seen](), list[Seen](), list[Seen]()
    for seen in look.rows:
        try:
            read = _read(mapping, seen)
        except (RowError, UsageError):
            continue
        if _is_bought_without_usage(read.attempt):
            (streams if read.attempt.is_stream else answers).append(seen)
        if "ended_at" in read.landed and not _ends(settings, read):
            ends.append(seen)
    unmapped = _unmapped(settings)
    told = _streams_told(look, streams) + ([] if unmapped else _answers_told(look, answers))
    return [*look.cut_told(), *unmapped, *told, *_ends_told(settings, look, ends)]


def _unmapped(settings: MappedLogSettings) -> list[str]:
    """What has to be mapped for a price, and is not. Hits of a cache are bought from nobody."""
    named = {*settings.fields, *settings.constants}
    if "usage" in named or settings.constants.get("is_cache_hit") is True:
        return []
    told = []
    if "billed_model" not in named:
        told.append("billed_model: no field says which model answered, so that nothing of this log has a price")
    if not named & {"input_tokens", "output_tokens"}:
        told.append("input_tokens, output_tokens: no field says how many there were, so that nothing has a price")
    return [f"fields.{sentence}; map it where the log has it" for sentence in told]


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


def _answers_told(look: Look, answers: list[Seen]) -> list[str]:
    if not answers:
        return []
    are = "is an answer" if len(answers) == 1 else "are answers"
    told = look.told(len(answers), f"{are} without usage", answers[0])
    here = "no price is known of it here"
    remedy = "Map the field that has its tokens, or ask whoever writes the log for them"
    return [f"{told}: what it cost is on the bill alone, and {here}. {remedy}"]


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


def _is_bought_without_usage(found: Attempt) -> bool:
    is_bought = found.status == "success" and not found.is_cache_hit
    return is_bought and found.usage.usage_provenance == "missing"


def _ends(settings: MappedLogSettings, read: _Read) -> bool:
    """Whether the stated end is an instant, and not before the start."""
    end = in_unit(settings.time_unit, read.landed["ended_at"])
    return end is not None and end >= (read.attempt.started_at or 0)


def _tried(mapping: _Mapping, neutral: Mapping[str, Mapping[str, object]], seen: Seen) -> Tried:
    def shown_of(problems: Sequence[RowError | UsageError]) -> list[RowError | UsageError]:
        return [with_value(seen.row, settings.fields, settings.time_unit, SORTS, found) for found in problems]

    settings = mapping.settings
    if refusals := every_refusal(partial(_read, mapping, seen), neutral):
        return Tried(shown_of(refusals))
    return Tried(lost=shown_of(_read(mapping, seen).lost))


def _neutral(settings: MappedLogSettings) -> Mapping[str, Mapping[str, object]]:
    """By field, values with which a row is read on, to find what else is wrong with it."""
    no_usage = dict.fromkeys((*Counts._fields, "usage"))
    start = {"started_at": example_instant(settings.time_unit)}
    by_field = dict.fromkeys(no_usage, no_usage) | {name: {name: None} for name, of in SORTS.items() if of == "flag"}
    return {**by_field, "started_at": start, "status": {"status": "success"}, "request_id": {"request_id": "id"}}


def _read(mapping: _Mapping, seen: Seen, given: Mapping[str, object] = _NOTHING) -> _Read:
    """What a night would make of the row, or of the row with other values. Raises what it would refuse it for."""
    settings, landed = mapping.settings, {**mapping.redact(seen.row), **given}
    lost = take_out_withheld(landed, mapping.essential, mapping.forms)
    cost = usd(reported_cost(settings, landed), lost, "source_reported_cost_usd")
    found = attempt(settings, landed)
    staged_row(found, cost, lost)
    if "started_at" not in given:
        require_filed(settings, seen.path, found.started_at or 0, "started_at")
    return _Read(landed, found, lost)


def _has_usage(landed: Mapping[str, Any]) -> bool:
    return bool(landed.get("usage")) or any(landed.get(name) for name in Counts._fields)


def _effect(setting: str) -> str:
    return _WITHOUT_COUNT if SORTS.get(setting.removeprefix("fields.")) == "count" else ""


def _where_records_lie(settings: MappedLogSettings, rows: Sequence[Row]) -> str:
    """What to set for `records`, where a document holds the attempts in a list of its own."""
    if settings.records is not None:
        return "" if any(isinstance(value_at(row, settings.records), list) for row in rows) else _NO_LIST
    start = settings.fields["started_at"]
    for path in (place for name in names_there(rows, "") for place in (name, *_below(rows, name))):
        held = [value_at(row, f"{path}.0") for row in rows]
        if any(isinstance(first, Mapping) and value_at(cast("Row", first), start) is not None for first in held):
            return f"the attempts lie in a list there; set records: {path}"
    return ""


def _below(rows: Sequence[Row], name: str) -> list[str]:
    return [f"{name}.{inner}" for inner in names_there(rows, name) if not inner.isdecimal()]
