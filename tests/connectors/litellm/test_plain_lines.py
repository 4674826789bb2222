"""A plain payload is landed without becoming a row; what is landed is the same, byte for byte."""

import copy
import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.litellm import allow_list
from connectors.litellm.settings import LiteLlmSettings
from connectors.logs.allow_list import UnlandableError
from connectors.logs.plain_lines import plain_lines
from connectors.logs.values import json_value
from tests.connectors.litellm.conftest import KEY

Payload = Callable[..., dict[str, Any]]
GIVEN = {"name": "gateway", "kind": "litellm", "location": "/log", "hash_key": KEY, "outcome_keys": ["ticket-id"]}
SETTINGS = LiteLlmSettings.model_validate(GIVEN)
REDACT = allow_list.allowed(SETTINGS).redact
FORM = allow_list.plain_payload(SETTINGS)
QUICK_FOR = plain_lines(FORM)
PLAIN = QUICK_FOR(lambda _: True)
VALUES = [
    *(None, True, False, 0, 1, -1, 7, 2**63 - 1, 2**63, -(2**63), 0.0, 5.0, 0.5, 1e-7, 1e22, 1795226400),
    *("", "a", "0.5", "1e-7", "gpt-4o", "False", "sk-1", "0" * 64, "x" * 256, "x" * 257, "a\x7fb", 'a"b', "a\\b", "é"),
    *("bob@corp.test", "https://u:p@host/v1/", "User-Agent: curl", "2026-11-21T02:00:00Z", '{"a": 1}', "a:\n"),
    *("{}", ":{}", ":{},", "a:{}", "prompt_version:{}", ":", ["prompt_version:{}"], [":{}", "a:{},b"], {"feature": ":{}", "ticket-id": ""}),
    *([], {}, [None], ["a"], ["a", ""], [1], {"a": {}}, {"cached_tokens": 5}, [{}], {"feature": "", "ticket-id": "T-1"}),
]  # fmt: skip


def by_the_rules(line: bytes) -> bytes | None:
    """What the rules land of a line; None for what is no payload."""
    row = json_value(line)
    if not isinstance(row, dict):
        return None
    try:
        return orjson.dumps(REDACT(row), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    except UnlandableError:
        return None


def put(row: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    holder: Any = row
    for step in path[:-1]:
        holder = holder.get(step) if isinstance(holder, dict) else None
        if holder is None:
            return
    if isinstance(holder, dict):
        holder[path[-1]] = value


def paths_of(fields: Any, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, rule in fields.items():
        found.append((*before, name))
        if isinstance(rule, dict):
            found += paths_of(rule, (*before, name))
    return found


PATHS = [*paths_of(FORM.fields), ("request_id",), ("messages",), ("metadata", "notes")]


def check(row: dict[str, Any]) -> None:
    for line in (json.dumps(row).encode(), json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()):
        landed = PLAIN(line)
        assert landed is None or landed == by_the_rules(line)


def test_whatever_stands_in_one_place_a_plain_payload_is_landed_as_the_rules_land_it(payload: Payload) -> None:
    for path in PATHS:
        for value in VALUES:
            row = payload()
            put(row, path, copy.deepcopy(value))
            check(row)


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(VALUES)), max_size=4))
def test_whatever_stands_in_some_places_it_is_landed_as_the_rules_land_it(
    changes: list[tuple[tuple[str, ...], Any]], payload: Payload
) -> None:
    row = payload()
    for path, value in changes:
        put(row, path, copy.deepcopy(value))
    check(row)


def test_what_a_gateway_commonly_writes_is_plain(payload: Payload) -> None:
    rows = [payload(), payload(session_id="", stream=True, error_information=None), payload(messages="é@\\\n\x7f")]
    assert [PLAIN(orjson.dumps(row)) for row in rows] == [by_the_rules(orjson.dumps(row)) for row in rows]


def test_braces_in_a_text_are_landed_as_they_are_beside_objects_that_hold_nothing(payload: Payload) -> None:
    rows = [
        payload(request_tags=["prompt_version:{}", ":{}"], model_group=":{},x", error_information={"error_class": ""}),
        payload(request_tags=["{}:{}"], model=":{}", model_parameters={}, session_id=""),
    ]
    landed = [PLAIN(orjson.dumps(row)) for row in rows]
    assert landed == [by_the_rules(orjson.dumps(row)) for row in rows]
    assert orjson.loads(landed[0] or b"")["request_tags"] == ["prompt_version:{}", ":{}"]


def test_a_sum_beyond_sixty_four_bits_keeps_its_digits(payload: Payload) -> None:
    landed = PLAIN(json.dumps(payload(response_cost=10**30 + 1)).encode())
    assert landed is not None
    assert f'"response_cost":"{10**30 + 1}"'.encode() in landed


def test_a_row_of_another_day_is_left_where_it_lies(payload: Payload) -> None:
    asked: list[int | None] = []
    line = orjson.dumps(payload())
    assert QUICK_FOR(lambda started: bool(asked.append(started)))(line) == b""
    assert asked == [1795226400250000]


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"null", b'{"id": "1"}', b'{"id": "1", "metadata": {}', b'{"id": "1", "metadata": {}, "request_id": null}',
     b'{"id": "1", "metadata": {}, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"],
    ids=["nothing", "list", "null", "no metadata", "torn", "a row of the table", "too deep"],
)  # fmt: skip
def test_what_is_no_plain_payload_is_left_to_the_rules(line: bytes) -> None:
    assert PLAIN(line) is None
