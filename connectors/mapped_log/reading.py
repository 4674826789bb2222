"""A landed record of a mapped log as an attempt: words, units and tokens as the settings declare them.

Landed records name the mapping's fields, not the log's: `started_at`, `tag:region`, `extra:similarity`.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b
from typing import Any

from connectors.logs.allow_list import AllowList, Fields, allow, at, each_of, named, object_rule, rules_of
from connectors.logs.attempt import NOTHING, Attempt, Record, RowError, json_text
from connectors.logs.buckets import MISSING, Buckets, Counts, exclusive, of_call
from connectors.logs.forms import unread_instant
from connectors.logs.instants import PER_SECOND, in_unit
from connectors.logs.metadata import asked
from connectors.logs.names import without_provider
from connectors.logs.paths import value_at
from connectors.logs.regions import region_of
from connectors.logs.usage_bodies import NativeUsage, read_body, service_tier
from connectors.logs.values import Rule, flag
from connectors.logs.words import ENDS, TRUTHS, UnknownWordError, translated
from connectors.mapped_log.fields import SORTS, expected_form, landing_rule
from connectors.mapped_log.settings import MappedLogSettings

_HASHED = tuple(name for name, sort in SORTS.items() if sort in ("person", "key", "content"))
_PASSED_ON = (
    *_HASHED,
    *("response_id", "trace_id", "attempt_group_id"),
    *("gateway", "call_type", "deployment_id", "key_alias", "organization_id", "requested_model"),
)


def allowed(settings: MappedLogSettings) -> AllowList:
    """The mapping as an allow-list: what it names, by the sort of value that the field holds; nothing else."""
    rules = rules_of(settings.hash_key)
    metadata: Fields = each_of(settings.asked_keys, rules.text)
    allow(metadata, settings.team_id_field, rules.text)
    wanted: list[tuple[str, str, Rule]] = [
        (name, path, _rule(settings, name, object_rule(metadata))) for name, path in settings.fields.items()
    ]
    for mark, paths in (("tag", settings.tags_from), ("extra", settings.extras)):
        wanted += [(f"{mark}:{name}", path, _scalar_rule(rules.text)) for name, path in paths.items()]
    return named(wanted)


def _rule(settings: MappedLogSettings, name: str, metadata: Rule) -> Rule:
    rules = rules_of(settings.hash_key)
    is_number = settings.time_unit != "iso"
    return landing_rule(SORTS[name], rules, metadata, is_translated=name in settings.words, is_number=is_number)


def _scalar_rule(text: Rule) -> Rule:
    """Short text; a number or a truth value as it would be written."""

    def scalar(value: object) -> object:
        return text(str(value)) if isinstance(value, bool | float) else text(value)

    return scalar


def expected_forms(settings: MappedLogSettings) -> Mapping[str, str]:
    """What was expected in each landed field, with the remedy; see `connectors.logs.forms`."""
    marked = [*(f"tag:{name}" for name in settings.tags_from), *(f"extra:{name}" for name in settings.extras)]
    return {name: expected_form(name, settings.time_unit) for name in (*settings.fields, *marked)}


def started(settings: MappedLogSettings, row: Mapping[str, Any]) -> int | None:
    """When a row of a file started, in microseconds since 1970; None where it cannot be read."""
    return in_unit(settings.time_unit, value_at(row, settings.fields["started_at"]))


def reported_cost(settings: MappedLogSettings, record: Record) -> Decimal | None:
    """What the record says that the attempt cost, in USD; None for another currency."""
    return _usd(settings, record, "cost")


def attempt(settings: MappedLogSettings, landed: Record) -> Attempt:
    """The attempt that a landed record tells of. Raises RowError and UsageError for what cannot be."""
    record: dict[str, Any] = {**settings.constants, **translated(settings.words, landed)}
    used = _used(settings, record)
    metadata: Record = record.get("metadata") or NOTHING
    tags = [*record.get("tags", ()), *(f"{name}:{tag}" for name, tag in _marked(record, "tag"))]
    said = asked(settings, (metadata,), tags)
    start = in_unit(settings.time_unit, record.get("started_at"))
    if start is None:
        told = unread_instant("started_at", settings.fields["started_at"], settings.time_unit, record.get("started_at"))
        raise RowError("unreadable_start", told, "started_at")
    provider = record.get("provider")
    passed_on: dict[str, Any] = {name: record.get(name) for name in _PASSED_ON}
    found = Attempt(
        request_id=record.get("request_id") or (None if "request_id" in settings.fields else _content_id(landed)),
        started_at=start,
        ended_at=_end(settings, record, start),
        status=_status(settings, record),
        usage=used.buckets,
        **passed_on,
        provider=provider,
        billed_model=without_provider(record.get("billed_model") or used.model, provider),
        api_base=record.get("api_base"),
        region_id=record.get("region_id") or region_of(record.get("api_base")),
        gateway_team_id=record.get("gateway_team_id") or at(metadata, settings.team_id_field),
        feature=record.get("feature") or said.feature,
        environment=record.get("environment") or said.environment,
        outcome_ids=said.outcome_ids,
        tags=tags,
        is_cache_hit=_truth(settings, record, "is_cache_hit") is True,
        is_stream=_truth(settings, record, "is_stream"),
        has_begun=_truth(settings, record, "has_begun"),
        service_tier=service_tier(record.get("service_tier")) or used.service_tier,
        source_cost_basis=settings.cost_basis,
        stated_margin=_usd(settings, record, "margin"),
        stated_discount=_usd(settings, record, "discount"),
        avoided_cost=_usd(settings, record, "avoided_cost"),
        extra=_extra(settings, record, used),
    )
    if not used.further:
        return found
    found = found._replace(attempt_group_id=found.attempt_group_id or found.request_id)
    return found._replace(further=_further(found, used))


def _further(found: Attempt, used: NativeUsage) -> tuple[Attempt, ...]:
    """Other models' parts of the answer, such as an advisor's: attempts of the same operation, without a cost."""
    return tuple(
        found._replace(
            request_id=f"{found.request_id}:{number}" if found.request_id else None,
            response_id=None,
            usage=part.buckets,
            requested_model=part.model or found.requested_model,
            billed_model=without_provider(part.model, found.provider) or found.billed_model,
            service_tier=part.service_tier,
            source_cost_basis="unknown",
            stated_margin=None,
            stated_discount=None,
            avoided_cost=None,
            extra=part.beside,
        )
        for number, part in enumerate(used.further, start=1)
    )


def _used(settings: MappedLogSettings, record: Record) -> NativeUsage:
    if "usage" in settings.fields:
        return read_body(record["usage"]) if record.get("usage") else NativeUsage(MISSING, None, None, {})
    counts = Counts(*(record.get(name) for name in Counts._fields))
    counts = of_call(counts, *(record.get(name) for name in ("call_type", "requested_model", "billed_model")))
    buckets: Buckets = exclusive(counts, settings.counting, settings.counted_by)
    return NativeUsage(buckets, None, None, {})


def _status(settings: MappedLogSettings, record: Record) -> str:
    """Success or failure; a status code of HTTP or a truth value says it too."""
    word = record.get("status")
    if word is None:
        raise RowError(
            "unknown_status", "the row has no status; map a field that says how each attempt ended", "status"
        )
    text = str(word).strip().lower()
    if text.isdecimal() and len(text) == 3:
        return "success" if text < "400" else "failure"
    found = {"true": "success", "false": "failure"}.get(text, text)
    if found not in ENDS:
        raise UnknownWordError("unknown_status", "status", str(word), ENDS, settings.words.get("status", NOTHING))
    return found


def _end(settings: MappedLogSettings, record: Record, start: int) -> int | None:
    if (end := in_unit(settings.time_unit, record.get("ended_at"))) is not None:
        return end
    latency = _decimal(record.get("latency"))
    if latency is None or latency < 0:
        return None
    lasting = latency * 1_000_000 / PER_SECOND[settings.latency_unit]
    return start + int(lasting.to_integral_value(ROUND_HALF_EVEN))


def _amount(settings: MappedLogSettings, record: Record, name: str) -> Decimal | None:
    stated = _decimal(record.get(name, settings.constants.get(name)))
    return None if stated is None else stated * settings.cost_unit


def _usd(settings: MappedLogSettings, record: Record, name: str) -> Decimal | None:
    return _amount(settings, record, name) if settings.currency == "USD" else None


def _decimal(value: Any) -> Decimal | None:
    """A number, or text of one, exactly as it is written."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def _truth(settings: MappedLogSettings, record: Record, name: str) -> bool | None:
    word = record.get(name)
    found = flag(word)
    if found is None or isinstance(found, bool):
        return found
    raise UnknownWordError("unknown_word", name, str(word), TRUTHS, settings.words.get(name, NOTHING))


def _extra(settings: MappedLogSettings, record: Record, used: NativeUsage) -> dict[str, Any]:
    kept: dict[str, Any] = {**used.beside, **dict(_marked(record, "extra"))}
    if settings.currency != "USD":
        for name in ("cost", "margin", "discount", "avoided_cost"):
            if (amount := _amount(settings, record, name)) is not None:
                kept |= {f"reported_{name}": format(amount, "f"), "reported_currency": settings.currency}
    return kept


def _marked(record: Record, mark: str) -> list[tuple[str, Any]]:
    return [(name[len(mark) + 1 :], value) for name, value in record.items() if name.startswith(f"{mark}:")]


def _content_id(landed: Record) -> str:
    """The id of a row in a log that gives none: rows of the very same content are one."""
    return blake2b(json_text(landed).encode(), digest_size=16).hexdigest()
