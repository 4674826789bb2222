"""What Amazon Bedrock logged of an invocation becomes the attempt worked out by hand."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.bedrock.models import Asked, asked_for
from connectors.logs.values import keyed_hash
from models.identity import identity_rows
from tests.connectors.bedrock.conftest import FOLDER
from tests.connectors.stored_log import KEY, LogFolder, places, planted

Invocation = Callable[..., dict[str, Any]]
SHARED = Path(__file__).resolve().parents[3] / "../shared/contracts"
BUCKETS = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_text_tokens",
    "output_reasoning_tokens",
)
TRIED = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/x1abc2def3"


def test_an_invocation_becomes_the_attempt_worked_out_by_hand(invocation: Invocation, log: LogFolder) -> None:
    log.file(f"{FOLDER}/20261121T020000Z_1.json.gz", [invocation()])
    (row,) = log.rows()
    assert tuple(row[name] for name in BUCKETS) == (100, 700, 300, 100, 300, 0)
    assert (row["input_total_tokens"], row["output_total_tokens"], row["input_semantics"]) == (1200, 300, "exclusive")
    assert row["started_at"] == datetime(2026, 11, 21, 2)
    assert (row["provider"], row["billed_model"]) == ("AWS", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert (row["region_id"], row["x_extra"]) == ("us-east-1", '{"inferenceRegion":"us-west-2"}')
    assert (row["gateway_team_id"], row["feature"], row["outcome_ids"]) == ("search", "answer", '{"ticket":"T-1"}')
    assert (row["organization_id"], row["key_alias"]) == ("111122223333", "search-svc")
    assert row["key_id"] == keyed_hash(KEY)("arn:aws:sts::111122223333:assumed-role/search-svc")
    assert row["user_hash"] == keyed_hash(KEY)("alice@corp.test")
    assert (row["status"], row["is_stream"], row["deployment_id"]) == ("success", False, None)
    assert (row["source_reported_cost_usd"], row["source_cost_basis"]) == (None, "unknown")


def test_what_was_delivered_twice_counts_once(invocation: Invocation, log: LogFolder) -> None:
    log.file(f"{FOLDER}/a.json.gz", [invocation(), invocation(requestId="other")])
    log.file("2026/11/21/03/b.json.gz", [invocation()])
    log.file("2026/11/22/00/c.json.gz", [invocation()])
    night = log.night()
    assert (night.rows.num_rows, night.duplicate_count) == (2, 2)
    assert [notice.partition(", such as ")[0] for notice in night.notices] == [
        "attempts that came again were counted once"
    ]


def test_the_log_alone_tells_its_tokens_where_bodies_are_not_logged(invocation: Invocation, log: LogFolder) -> None:
    log.file(f"{FOLDER}/a.json.gz", [invocation(output={"outputTokenCount": 300})])
    assert tuple(log.rows()[0][name] for name in BUCKETS) == (100, 700, 400, 0, 300, 0)


def test_an_answer_of_another_total_contradicts_the_counts_and_is_refused(
    invocation: Invocation, log: LogFolder
) -> None:
    wrong = invocation(
        output={"outputTokenCount": 300, "outputBodyJson": {"usage": {"inputTokens": 100, "totalTokens": 1400}}}
    )
    log.file(f"{FOLDER}/a.json.gz", [wrong, invocation(requestId="good")])
    night = log.night()
    assert night.rows["request_id"].to_pylist() == ["good"]
    assert [reject.reason for reject in night.rejects] == ["total_does_not_add_up"]


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({"errorCode": "ThrottlingException", "input": {}, "output": {}}, ("failure", TRIED, None, None)),
        ({"errorCode": "ThrottlingException", "input": {"inputTokenCount": 0}}, ("failure", TRIED, None, None)),
        (
            {"modelId": "amazon.titan-embed-text-v2:0", "input": {"inputTokenCount": 9}, "output": {}},
            ("success", "amazon.titan-embed-text-v2:0", 9, 0),
        ),
    ],
)
def test_what_has_no_output_is_unknown_where_it_failed_and_none_where_it_embeds(
    over: dict[str, Any], expected: tuple[Any, ...], invocation: Invocation, log: LogFolder
) -> None:
    log.file(f"{FOLDER}/a.json.gz", [invocation(**{"output": {}, **over})])
    (row,) = log.rows()
    assert (row["status"], row["billed_model"], row["input_total_tokens"], row["output_total_tokens"]) == expected


def test_a_success_without_its_output_is_half_a_usage_and_refused(invocation: Invocation, log: LogFolder) -> None:
    log.file(f"{FOLDER}/a.json.gz", [invocation(output={})])
    assert [reject.reason for reject in log.night().rejects] == ["half_usage"]


@pytest.mark.parametrize(
    ("over", "tier"),
    [
        ({}, None),
        ({"performanceConfig": {"latency": "optimized"}}, "latency-optimized"),
        ({"performanceConfig": {"latency": "standard"}}, None),
        ({"modelId": "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/p1"}, "provisioned"),
        ({"output": {"outputTokenCount": 1, "outputBodyJson": {"serviceTier": {"type": "flex"}}}}, "flex"),
    ],
)
def test_the_tier_is_what_changes_the_price(
    over: Any, tier: str | None, invocation: Invocation, log: LogFolder
) -> None:
    log.file(f"{FOLDER}/a.json.gz", [invocation(**over)])
    assert log.rows()[0]["service_tier"] == tier


@pytest.mark.parametrize(
    ("model_id", "profiles", "answered", "expected"),
    [
        ("amazon.nova-pro-v1:0", {}, None, Asked("amazon.nova-pro-v1:0")),
        ("arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0", {}, None, Asked("amazon.nova-pro-v1:0")),
        ("arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/us-gov.a.b", {}, None, Asked("us-gov.a.b")),
        (PROFILE, {"x1abc2def3": "amazon.nova-pro-v1:0"}, "seen", Asked("amazon.nova-pro-v1:0", PROFILE)),
        (PROFILE, {PROFILE: "amazon.nova-pro-v1:0"}, None, Asked("amazon.nova-pro-v1:0", PROFILE)),
        (PROFILE, {}, "claude-sonnet-4-5", Asked("claude-sonnet-4-5", PROFILE)),
        (PROFILE, {}, None, Asked("application-inference-profile/x1abc2def3", PROFILE)),
        (None, {}, None, Asked(None)),
    ],
)  # fmt: skip
def test_an_arn_leads_to_the_model_behind_it(
    model_id: str | None, profiles: dict[str, str], answered: str | None, expected: Asked
) -> None:
    assert asked_for(model_id, profiles, answered) == expected


def test_profiles_of_the_settings_name_the_model_and_the_arn_stays_for_owners(
    invocation: Invocation, log: LogFolder
) -> None:
    log.file(f"{FOLDER}/a.json.gz", [invocation(modelId=PROFILE)])
    (row,) = log.rows(profiles={"x1abc2def3": "global.anthropic.claude-sonnet-4-5-20250929-v1:0"})
    assert (row["billed_model"], row["deployment_id"]) == ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", PROFILE)


def test_the_models_of_logs_are_those_of_the_price_book() -> None:
    named = ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0"]
    found = identity_rows([("AWS", name) for name in named], {})
    assert set(found["provider_id"]) == {"aws"}
    assert set(found["identity_source"]) == {"genai-prices"}


def test_a_user_is_a_hash_and_so_is_the_name_of_a_session(invocation: Invocation, log: LogFolder) -> None:
    user = "arn:aws:iam::111122223333:user/alice.liddell"
    log.file(f"{FOLDER}/a.json.gz", [invocation(identity={"arn": user})])
    (row,) = log.rows()
    assert row["key_id"] == row["user_hash"] == keyed_hash(KEY)(user)
    assert row["key_alias"] is None
    assert b"alice" not in log.landed_bytes()


@pytest.mark.parametrize("secret", ["canary-5f3a", {"text": "canary-5f3a"}, ["canary-5f3a"], [[{"b": "1canary-5f3a"}]]])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(
    secret: Any, invocation: Invocation, log: LogFolder
) -> None:
    texts = {
        ("accountId",), ("region",), ("inferenceRegion",), ("requestId",), ("operation",), ("modelId",), ("schemaType",),
        ("requestMetadata", "team"), ("requestMetadata", "ticket"), ("requestMetadata", "feature"),
        *((("output", "outputBodyJson", "usage", "cacheDetails", n, "ttl")) for n in (0, 1)),
    }  # fmt: skip
    paths = [path for path in places(invocation()) if path not in texts]
    rows = [planted(invocation(), path, secret, name) for path in paths for name in ("text", "canary-5f3a")]
    log.file(f"{FOLDER}/a.json", rows)
    landed = log.landed_bytes(layout="{date:%Y/%m/%d}/*.json")
    assert landed.count(b"\n") == len(rows)
    for word in (b"canary-5f3a", b"a prompt", b"an answer", b"alice", b"private"):
        assert word not in landed


def test_a_record_of_another_kind_is_refused_and_leaves_nothing(invocation: Invocation, log: LogFolder) -> None:
    log.file(f"{FOLDER}/a.json.gz", [invocation(schemaType="AgentLog")])
    assert [reject.reason for reject in log.night().rejects] == ["unknown_format"]
    assert b"a prompt" not in log.landed_bytes()


@pytest.mark.parametrize(
    ("file", "day", "tokens"),
    [
        ("examples_gateway/written/bedrock_invocation_log.jsonl", datetime(2026, 11, 21), [1200, None]),
        ("examples_providers/aws/bedrock_model_invocation_log.jsonl", datetime(2026, 9, 3), [3812, 450, None]),
    ],
)
def test_documented_records_are_read(file: str, day: datetime, tokens: list[Any], log: LogFolder) -> None:
    if not (SHARED / file).is_file():
        pytest.skip("the documented records are not beside this checkout")
    content = (SHARED / file).read_bytes()
    log.raw(f"{day:%Y/%m/%d}/00/a.json.gz", content)
    rows = log.rows(day.date())
    assert [row["input_total_tokens"] for row in rows] == tokens
    assert [row["request_id"] for row in rows] == [json.loads(line)["requestId"] for line in content.splitlines()]
