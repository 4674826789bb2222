"""One log entry: the calls of models in it, and what of it may be landed.

An entry tells of one request to the gateway. Each AI plugin that called a model for it has a level of its own below
`ai`: `proxy` today, the plugin's name before Kong 3.8, none in the first versions. Calls that a plugin made for the one
that it is beside (a judge's, the embedding that a prompt is enriched by) stand inside of that one's level.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from connectors.kong.settings import KongSettings
from connectors.logs.allow_list import (
    AllowList,
    Fields,
    UnlandableError,
    allow,
    compiled,
    each_of,
    object_rule,
    rules_of,
)
from connectors.logs.calls import length, number, operation
from connectors.logs.usage_allowed import usage_rule
from connectors.logs.values import Rule, count, instant, money

NO_LEVEL = "ai"
EMBEDDED = "rag-inject"
"""The level that tells of an embedding, under names of its own."""

_NO_CALLS = ("meta", "usage", "payload")
"""What a level has of its own call: `payload` is a prompt and an answer, whatever somebody decoded them to."""
_LEVEL = re.compile(r"[a-z][a-z0-9-]{0,40}", re.ASCII)
_META = "provider_name request_model response_model request_mode azure_deployment_id"
_FIRST_NAMES = {"prompt_token": "prompt_tokens", "completion_token": "completion_tokens"}
"""What the first versions call the counts; the README says which they are."""


def calls(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A record for each call of a model: the entry, with that call as `call` and its level's name as `level`.

    Entries of requests that no AI plugin served give none.
    """
    found = row.get("ai")
    if not isinstance(found, Mapping):
        return
    levels = cast("Mapping[str, object]", found)
    rest = {name: value for name, value in row.items() if name not in ("ai", "call", "level")}
    for name, level in ((NO_LEVEL, levels), *levels.items()):
        if _is_call(name, level):
            yield {**rest, "level": name, "call": level}
    for outer, level in levels.items():
        for name, call in _inner_calls(level) if outer not in _NO_CALLS else ():
            yield {**rest, "level": name, "call": call}


def _is_call(name: str, level: object) -> bool:
    is_level = _LEVEL.fullmatch(name) is not None and name not in _NO_CALLS
    return is_level and isinstance(level, Mapping) and bool({"meta", "usage"} & level.keys())


def _inner_calls(level: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, inner in cast("Mapping[str, object]", level if isinstance(level, Mapping) else {}).items():
        if name == EMBEDDED and isinstance(inner, Mapping):
            told = cast("Mapping[str, Any]", inner)
            if told.get("embeddings_tokens") is not None:
                meta = {"provider_name": told.get("embeddings_provider"), "request_model": told.get("embeddings_model")}
                yield name, {"meta": meta, "usage": {"prompt_tokens": told["embeddings_tokens"]}}
        elif _is_call(name, inner):
            yield name, cast("Mapping[str, Any]", inner)


def allowed(settings: KongSettings) -> AllowList:
    """The fields of a call and of the request around it, without its payloads."""
    rules = rules_of(settings.hash_key)
    text = rules.text
    fields: Fields = {
        "started_at": instant,
        "level": text,
        "call": {
            "meta": each_of(_META, text),
            "usage": _usage_rule(text),
            "cache": {"cache_status": text},
        },
        "request": {"id": text, "uri": operation, "headers": each_of(settings.asked_keys, text)},
        "response": {"status": count},
        "consumer": {"username": text},
        "latencies": {"request": number},
        "tries": length,
    }
    allow(fields, settings.team_id_field, text)
    allow(fields, settings.key_id_field, rules.key)
    for path in (settings.user_field, settings.customer_field):
        if path:
            allow(fields, path, rules.person)
    redact = compiled(fields)

    def entry(row: Mapping[str, Any]) -> dict[str, Any]:
        if "call" not in row:
            raise UnlandableError("unknown_format")
        return redact(row)

    return AllowList(entry, frozenset(fields))


def _usage_rule(text: Rule) -> Rule:
    """The counts, as providers write them, and Kong's own cost."""
    counted, priced = usage_rule(text), object_rule({"cost": money})

    def usage(value: object) -> object:
        if not isinstance(value, Mapping):
            return priced(value)
        named = _todays_names(cast("Mapping[str, Any]", value))
        found = {**cast("dict[str, Any]", counted(named) or {}), **cast("dict[str, Any]", priced(named) or {})}
        return found or None

    return usage


def _todays_names(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The counts under the names that providers have for them, whatever this version of Kong calls them."""
    named = {_FIRST_NAMES.get(name, name): value for name, value in usage.items()}
    details = named.get("input_tokens_details")
    if isinstance(details, Mapping) and "audio_tokens_count" in details:
        named["input_tokens_details"] = {**details, "audio_tokens": details["audio_tokens_count"]}
    return named
