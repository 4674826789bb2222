"""Nothing that is not on the allow-list is ever landed."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.litellm import SOURCE
from connectors.litellm.allow_list import allowed
from connectors.litellm.settings import LiteLlmSettings
from connectors.litellm.source import LiteLlm
from connectors.logs.values import keyed_hash
from tests.connectors.litellm.conftest import DAY, KEY, Gateway
from tests.connectors.stored_log import places, planted

CANARY = "canary-5f3a"
# Free text that the allow-list lets through as it is: what the gateway's own configuration names, and ids.
OPEN = {
    "id", "litellm_call_id", "trace_id", "session_id", "call_type", "status", "custom_llm_provider", "model", "model_group",
    "model_id", "api_base", "request_id", "team_id", "organization_id", "service_tier", "error_code", "error_class",
    "user_api_key_alias", "user_api_key_team_id", "user_api_key_team_alias", "user_api_key_org_id", "user_api_key_project_id",
    "original_model_group", "feature", "environment", "request_tags",
}  # fmt: skip


def hashed(value: str) -> str:
    return keyed_hash(KEY)(value)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(chosen=st.data())
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(
    chosen: st.DataObject, payload: Callable[..., dict[str, Any]], gateway: Gateway
) -> None:
    row = payload(
        response={"choices": [{"message": {"content": "text"}}]},
        error_information={"error_code": "500", "error_message": "text"},
        model_parameters={"tools": [{"function": {"name": "f"}}], "stream": False},
        hidden_params={"additional_headers": {"authorization": "Bearer x"}},
    )
    path = chosen.draw(st.sampled_from([p for p in places(row) if not (set(p) & OPEN)]))
    name = chosen.draw(st.sampled_from(["content", "notes", "Authorization", CANARY]))
    secret = chosen.draw(st.sampled_from([CANARY, {"a": CANARY}, [CANARY], [[{"b": [CANARY]}]], f"1{CANARY}"]))
    gateway.file("2026-11-21/log.jsonl", [planted(row, path, secret, name)])
    window = LiteLlm().windows(gateway.settings(), DAY)[-1]
    for page in SOURCE.fetch(gateway.settings(), window):
        with page.body.open() as stream:
            assert CANARY.encode() not in stream.read()


def test_a_row_that_cannot_be_read_leaves_nothing_of_itself(gateway: Gateway) -> None:
    gateway.raw("2026-11-21/log.jsonl", b'{"id": "1"}\n{"messages": "' + CANARY.encode() + b"\n[1]\n")
    night = gateway.night()
    assert [(r.reason, CANARY in r.payload + r.detail) for r in night.rejects] == [
        ("unknown_format", False),
        ("not_json", False),
        ("not_an_object", False),
    ]
    assert "line 2 of 2026-11-21/log.jsonl" in night.rejects[1].detail


def test_people_are_keyed_hashes_that_another_key_does_not_give(
    payload: Callable[..., dict[str, Any]], gateway: Gateway
) -> None:
    gateway.file("2026-11-21/log.jsonl", [payload()])
    (row,) = gateway.rows()
    (other,) = gateway.rows(hash_key="another key of the tests")
    assert row["customer_hash"] == hashed("customer-7")
    assert row["user_hash"] == hashed("alice@corp.test")
    assert {row["customer_hash"], row["user_hash"]}.isdisjoint({other["customer_hash"], other["user_hash"]})


def test_a_key_that_the_gateway_did_not_hash_is_hashed(
    payload: Callable[..., dict[str, Any]], gateway: Gateway
) -> None:
    row = payload()
    row["metadata"]["user_api_key_hash"] = "sk-live-1234"
    gateway.file("2026-11-21/log.jsonl", [row])
    assert gateway.rows()[0]["key_id"] == hashed("sk-live-1234")


@given(st.floats(min_value=0, max_value=1e5, allow_nan=False))
def test_a_cost_is_landed_digit_for_digit_as_the_gateway_wrote_it(cost: float) -> None:
    made = LiteLlmSettings(name="gw", kind="litellm", location="/", hash_key=KEY)  # pyright: ignore[reportArgumentType]
    text = json.dumps({"id": "1", "metadata": {}, "response_cost": cost})
    landed = allowed(made).redact(orjson.loads(text))
    assert f'"response_cost": {landed["response_cost"]}' in text


def test_a_setting_that_is_refused_does_not_repeat_the_key() -> None:
    with pytest.raises(ValueError, match="hash_key") as refused:
        LiteLlmSettings.model_validate({"name": "gw", "kind": "litellm", "location": "/", "hash_key": "too-short"})
    assert "too-short" not in str(refused.value)
