"""What the gateway logged of a call becomes the attempt worked out by hand."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.azure_api_management.calls import allowed, attempt
from connectors.logs.attempt import RowError, staged_row
from connectors.logs.values import keyed_hash
from models.identity import identity_rows
from tests.connectors.azure_api_management.workspace import call, row, settings
from tests.connectors.stored_log import KEY, NO_COUNTS, LogFolder, places, planted

FILE = "WorkspaceResourceId=/subscriptions/s/y=2026/m=11/d=21/h=01/m=00/PT05M.json"
EXAMPLE = (
    Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/written/apim_gateway_llm_log.jsonl"
)
NOTHING = {"PromptTokens": 0, "CompletionTokens": 0, "TotalTokens": 0}


def read(found: dict[str, Any], **over: Any) -> dict[str, Any]:
    given = settings(**over)
    return staged_row(attempt(given, allowed(given).redact(found)), None, [])


def test_a_call_becomes_the_attempt_worked_out_by_hand() -> None:
    found = read(call())
    assert (found["request_id"], found["dedup_key"], found["status"]) == ("chatcmpl-1", "11aa", "success")
    assert found["started_at"] == 1_795_225_120_440_000
    assert (found["ended_at"] - found["started_at"], found["latency_seconds"]) == (1_001_000, 1.001)
    assert (found["input_uncached_tokens"], found["input_total_tokens"]) == (1200, 1200)
    assert (found["output_text_tokens"], found["output_total_tokens"]) == (300, 300)
    assert (found["provider"], found["billed_model"], found["deployment_id"]) == ("azure", "gpt-4o", "gpt4o-prod")
    assert (found["region_id"], found["call_type"], found["is_stream"]) == ("eastus", "ChatCompletions_Create", False)
    assert (found["gateway_team_id"], found["feature"], found["key_alias"]) == ("search", "answers", "team-search")
    assert found["key_id"] == keyed_hash(KEY)("team-search")
    assert found["user_hash"] == keyed_hash(KEY)("alice@corp.test")
    assert found["api_base"] == "https://acme.openai.azure.com/openai/deployments/gpt4o-prod/chat/completions"
    assert (found["organization_id"], found["source_reported_cost_usd"]) == ("azure-sub-1", None)


@pytest.mark.parametrize("column", ["ProductId", "ApimSubscriptionId", "ApiId", "BackendId"])
def test_the_settings_say_which_column_is_a_team(column: str) -> None:
    assert read(call(), team_id_field=column)["gateway_team_id"] == call()[column]


@pytest.mark.parametrize(
    ("address", "provider", "region"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai", None),
        ("https://swedencentral.api.cognitive.microsoft.com/openai", "azure", "swedencentral"),
        ("https://bedrock-runtime.us-west-2.amazonaws.com/model/x/converse", "bedrock", "us-west-2"),
        ("https://acme.services.ai.azure.com/models/chat/completions", "azure", "eastus"),
        ("https://api.openai.com.evil.test/v1", "azure", "eastus"),
        ("https://us-central1-aiplatform.googleapis.com/v1/projects/p", "vertex_ai", "us-central1"),
        ("http://vllm.models.svc:8000/v1", "self_hosted_openai", None),
        (None, "azure", "eastus"),
    ],
)
def test_the_backends_address_says_whose_model_it_was_and_where(address: Any, provider: str, region: Any) -> None:
    found = read(call(BackendUrl=address))
    assert (found["provider"], found["region_id"]) == (provider, region)


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"IsRequestSuccess": False}, "failure"),
        ({"IsRequestSuccess": None, "ResponseCode": 429, **NOTHING}, "failure"),
        ({"IsRequestSuccess": None, "ResponseCode": None}, "success"),
        ({"IsRequestSuccess": None, "ResponseCode": None, "IsStreamCompletion": 1, **NOTHING}, "success"),
    ],
)
def test_the_status_is_the_gateways_word_or_that_something_was_counted(over: dict[str, Any], status: str) -> None:
    assert read(call(**over))["status"] == status


def test_a_call_of_which_nobody_says_how_it_ended_is_refused() -> None:
    with pytest.raises(RowError, match="success or failure"):
        read(call(IsRequestSuccess=None, ResponseCode=None, **NOTHING))


def test_a_stream_without_usage_is_an_attempt_whose_tokens_are_unknown() -> None:
    found = read(call(IsStreamCompletion=1, **NOTHING))
    assert (found["usage_provenance"], found["input_total_tokens"], found["is_stream"]) == ("missing", None, True)


def test_an_answer_of_the_gateways_cache_is_a_hit() -> None:
    assert [read(call(Cache=word))["is_cache_hit"] for word in ("hit", "miss", "none")] == [True, False, False]


def test_a_call_split_over_rows_counts_once_and_not_their_sum(log: LogFolder) -> None:
    chunks = [row(SequenceNumber=number, ModelName="", DeploymentName="", **NOTHING) for number in (1, 2)]
    counted_again = row(SequenceNumber=3)
    log.file(FILE, [chunks[0], row(), counted_again, chunks[1]])
    night = log.night()
    (found,) = night.rows.to_pylist()
    assert (found["input_total_tokens"], found["output_total_tokens"], found["billed_model"]) == (1200, 300, "gpt-4o")
    assert (night.rejects, night.duplicate_count) == ((), 3)


def test_an_exported_call_is_the_queried_one_without_what_the_gateways_log_knows(log: LogFolder) -> None:
    log.file(FILE, [row()])
    (found,) = log.rows()
    queried = read(call(BackendUrl=None))
    of_the_gateway = {"ended_at", "latency_seconds", "key_id", "key_alias", "gateway_team_id", "user_hash", "feature"}
    same = set(queried) - of_the_gateway - {"x_extra", "started_at", "usage_date", "gateway"}
    assert {name: found[name] for name in same} == {name: queried[name] for name in same}
    assert found["started_at"] == datetime(2026, 11, 21, 1, 38, 40, 440000)
    assert {found[name] for name in of_the_gateway} == {None}


def test_the_models_of_the_log_are_those_of_the_price_book() -> None:
    found = identity_rows([("azure", "gpt-4o"), ("bedrock", "amazon.nova-pro-v1:0")], {})
    assert set(zip(found["provider_id"], found["identity_source"], strict=True)) == {
        ("azure", "genai-prices"),
        ("aws", "genai-prices"),
    }


def test_a_row_of_another_table_is_refused_and_leaves_nothing(log: LogFolder) -> None:
    log.file(FILE, [row(Type="ApiManagementGatewayLogs"), {"time": "2026-11-21T01:00:00Z", "properties": row()}])
    assert [reject.reason for reject in log.night().rejects] == ["unknown_format", "unknown_format"]
    assert b"a prompt" not in log.landed_bytes()


@pytest.mark.parametrize("secret", ["canary-5f3a", {"text": "canary-5f3a"}, ["canary-5f3a"], [[{"b": "1canary-5f3a"}]]])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(secret: Any, log: LogFolder) -> None:
    texts = {
        (name,)
        for name in (
            *("CorrelationId", "RequestId", "OperationName", "Region", "ModelName", "DeploymentName", "ApiVersion"),
            *("_ResourceId", "_SubscriptionId", "ApimSubscriptionId", "ProductId", "ApiId", "OperationId", "BackendId"),
            *("Cache", "Type", "BackendUrl"),  # an address: its path is text, its query is not
        )
    }
    given = {**call(), **row()}
    paths = [path for path in places(given) if path not in texts]
    rows = [planted(given, path, secret, name) for path in paths for name in ("text", "canary-5f3a")]
    log.file(FILE, rows)
    landed = log.landed_bytes()
    assert landed.count(b"\n") == len(rows)
    for word in (b"canary-5f3a", b"a prompt", b"an answer", b"alice", b"private", b"10.0.0.9"):
        assert word not in landed


@pytest.mark.parametrize("wrong", NO_COUNTS)
def test_no_number_ends_the_night(wrong: Any, log: LogFolder) -> None:
    given = {**call(), **row()}
    names = [name for name, value in given.items() if isinstance(value, int | float)]
    log.file(FILE, [{**given, "CorrelationId": name, name: wrong} for name in names])
    night = log.night()
    assert {found["dedup_key"] for found in night.rows.to_pylist()} | {
        json.loads(reject.payload)["CorrelationId"] for reject in night.rejects
    } == set(names)


def test_the_documented_rows_are_one_call(log: LogFolder) -> None:
    if not EXAMPLE.is_file():
        pytest.skip("the documented rows are not beside this checkout")
    log.raw(FILE, EXAMPLE.read_bytes())
    (found,) = log.rows()
    assert (found["request_id"], found["input_total_tokens"], found["output_total_tokens"]) == ("chatcmpl-1", 1200, 300)
