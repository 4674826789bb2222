"""What Portkey logged of a request becomes the attempt worked out by hand."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.logs.values import keyed_hash
from connectors.portkey.requests import moment
from models.identity import identity_rows
from tests.connectors.portkey.exchange import request
from tests.connectors.stored_log import DAY, KEY, NO_COUNTS, LogFolder, places, planted

FILE = f"{DAY}/a.jsonl"
EXAMPLE = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/written/portkey_log_export.jsonl"


def of_a_private_cloud(**over: Any) -> dict[str, Any]:
    """The same request in the file of a private cloud: other names, parallel arrays, numbers as floats."""
    given = request()
    for name in ("req_units", "res_units", "total_units", "response_time", "response_status_code"):
        given[name] = float(given[name])
    metadata = given["metadata"]
    return {
        **given,
        "is_success": 1.0,
        "metadata": {"key": list(metadata), "value": list(metadata.values())},
        "cache_status": "MISS",
        "retry_success_count": 2.0,
        "last_used_option_index": 1.0,
        "virtual_key": "openai-prod",
        "workspace_slug": "ws-acme",
        "organisation_id": "org-1",
        "api_key_id": "key-1",
        "stream_mode": 1.0,
        "request_method": "POST",
        **over,
    }


@pytest.mark.parametrize(("said", "is_stream"), [("TRUE", True), ("FALSE", False), (True, True), (0, False)])
def test_whether_it_was_a_stream_is_a_word_in_portkeys_own_list_of_columns(
    said: object, is_stream: bool, log: LogFolder
) -> None:
    log.file(FILE, [of_a_private_cloud(stream_mode=said)])
    night = log.night()
    assert (night.rejects, night.rows["is_stream"].to_pylist()) == ((), [is_stream])


def test_a_request_becomes_the_attempt_worked_out_by_hand(log: LogFolder) -> None:
    log.file(FILE, [request()])
    (row,) = log.rows()
    assert (row["request_id"], row["attempt_group_id"], row["status"]) == ("0e9f-1", "trace-1", "success")
    assert row["started_at"] == datetime(2026, 11, 21, 1, 38, 40, 440000)
    assert row["ended_at"] == datetime(2026, 11, 21, 1, 38, 41, 441000)
    assert (row["input_uncached_tokens"], row["output_text_tokens"]) == (1200, 300)
    assert (row["input_total_tokens"], row["output_total_tokens"]) == (1200, 300)
    assert (row["provider"], row["billed_model"], row["call_type"]) == ("openai", "gpt-4o", "chat/completions")
    assert row["source_reported_cost_usd"] == Decimal("0.00472")
    assert row["source_cost_basis"] == "list"
    assert (row["gateway_team_id"], row["outcome_ids"]) == ("search", '{"ticket":"T-1"}')
    assert row["user_hash"] == keyed_hash(KEY)("alice@corp.test")
    assert row["api_base"] == "https://api.openai.com/v1/chat/completions"
    assert row["x_extra"] == '{"config":"pc-abc","mode":"fallback","response_status_code":200}'


def test_a_file_of_a_private_cloud_tells_the_same_and_more(log: LogFolder) -> None:
    log.file(FILE, [of_a_private_cloud()])
    (row,) = log.rows()
    log.file(FILE, [request()])
    (same,) = log.rows()
    more = {"deployment_id", "organization_id", "key_id", "is_stream", "x_extra", "x_page"}
    assert {name for name in row if row[name] != same[name]} == more
    assert (row["deployment_id"], row["organization_id"], row["is_stream"]) == ("openai-prod", "org-1", True)
    assert row["key_id"] == keyed_hash(KEY)("key-1")
    assert '"retry_success_count":2' in row["x_extra"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"metadata.key": ["team", "_user"], "metadata.value": ["search", "alice"]},
        {"metadataKey": ["team", "_user"], "metadataValue": ["search", "alice"]},
        {"metadata": '{"team": "search", "_user": "alice"}'},
        {"metadata": {"key": ["team", "_user", "lone"], "value": ["search", "alice"]}},
    ],
)
def test_metadata_is_read_in_every_form_that_it_is_written_in(metadata: dict[str, Any], log: LogFolder) -> None:
    row = request()
    del row["metadata"]
    log.file(FILE, [{**row, **metadata}])
    (read,) = log.rows()
    assert (read["gateway_team_id"], read["user_hash"]) == ("search", keyed_hash(KEY)("alice"))


def test_fields_go_by_their_other_names(log: LogFolder) -> None:
    other = {"ai_org": "ai_provider", "req_units": "request_tokens", "res_units": "response_tokens",
             "total_units": "total_tokens", "response_status_code": "status_code"}  # fmt: skip
    log.file(FILE, [{other.get(name, name): value for name, value in request().items()}])
    (renamed,) = log.rows()
    log.file(FILE, [request()])
    (usual,) = log.rows()
    assert renamed == usual


def test_a_request_without_a_team_is_its_workspaces(log: LogFolder) -> None:
    log.file(FILE, [of_a_private_cloud(metadata={"key": [], "value": []})])
    assert log.rows()[0]["gateway_team_id"] == "ws-acme"


def test_a_model_without_a_price_costs_nobody_knows_what(log: LogFolder) -> None:
    log.file(FILE, [request(cost=0)])
    (row,) = log.rows()
    assert (row["source_reported_cost_usd"], row["source_cost_basis"]) == (0, "unknown")


@pytest.mark.parametrize(("unit", "cost"), [({}, "0.000105"), ({"cost_unit_usd": 1}, "0.0105")])
def test_the_unit_of_a_files_costs_is_what_the_settings_say(unit: dict[str, Any], cost: str, log: LogFolder) -> None:
    log.file(FILE, [request(cost=0.0105)])
    assert log.rows(**unit)[0]["source_reported_cost_usd"] == Decimal(cost)


def test_a_cost_in_another_currency_is_kept_beside(log: LogFolder) -> None:
    log.file(FILE, [request(cost_currency="EUR")])
    (row,) = log.rows()
    assert row["source_reported_cost_usd"] is None
    assert '"reported_cost":"0.472","reported_currency":"EUR"' in row["x_extra"]


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"is_success": False, "response_status_code": 200}, "failure"),
        ({"is_success": None, "response_status_code": 429}, "failure"),
        ({"is_success": None, "response_status_code": 246}, "success"),
        ({"is_success": None, "response_status_code": 446}, "failure"),
        ({"is_success": "true"}, "success"),
    ],
)
def test_the_status_is_portkeys_word_or_else_the_answers(over: dict[str, Any], status: str, log: LogFolder) -> None:
    log.file(FILE, [request(**over)])
    assert log.rows()[0]["status"] == status


@pytest.mark.parametrize(
    ("word", "is_hit"), [("HIT", True), ("SEMANTIC HIT", True), ("MISS", False), ("DISABLED", False)]
)
def test_a_hit_of_the_gateways_cache_is_one(word: str, is_hit: bool, log: LogFolder) -> None:
    log.file(FILE, [request(cache_status=word, cost=0)])
    assert log.rows()[0]["is_cache_hit"] is is_hit


def test_traces_of_whole_workflows_group_no_attempts(log: LogFolder) -> None:
    log.file(FILE, [request()])
    (row,) = log.rows(trace_is_one_operation=False)
    assert row["attempt_group_id"] is None
    assert '"trace_id":"trace-1"' in row["x_extra"]


def test_a_total_that_contradicts_its_parts_is_refused(log: LogFolder) -> None:
    log.file(FILE, [request(total_units=1400)])
    night = log.night()
    assert [(reject.reason, reject.cost) for reject in night.rejects] == [("total_does_not_add_up", Decimal("0.00472"))]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Sat Nov 21 2026 01:38:40 GMT+0000 (Coordinated Universal Time)", "2026-11-21T01:38:40+00:00"),
        ("Sat Nov 21 2026 03:38:40 GMT+0200", "2026-11-21T03:38:40+02:00"),
        ("2026-11-21T01:38:40.440Z", "2026-11-21T01:38:40.440Z"),
        ("2026-11-21 01:38:40", "2026-11-21 01:38:40"),
    ],
)
def test_points_in_time_are_read_as_javascript_prints_them_too(written: str, read: str) -> None:
    assert moment(written) == read


@pytest.mark.parametrize("written", ["Sat Nov 99 2026 01:38:40 GMT+0000", "Sat Nov 21 2026 (a prompt)", {"a": 1}])
def test_what_is_no_point_in_time_is_withheld(written: Any) -> None:
    assert str(moment(written)).startswith("(withheld")


def test_portkeys_names_of_providers_and_models_are_known_to_the_price_book() -> None:
    named = [("openai", "gpt-4o"), ("azure-openai", "gpt-4o"), ("vertex-ai", "gemini-2.5-pro"),
             ("bedrock", "amazon.nova-pro-v1:0"), ("anthropic", "claude-sonnet-4-5")]  # fmt: skip
    found = identity_rows(named, {})
    assert dict(zip(found["source_provider"], found["provider_id"], strict=True)) == {
        "openai": "openai", "azure-openai": "azure", "vertex-ai": "google", "bedrock": "aws", "anthropic": "anthropic",
    }  # fmt: skip


@pytest.mark.parametrize("secret", ["canary-5f3a", {"text": "canary-5f3a"}, ["canary-5f3a"], [[{"b": "1canary-5f3a"}]]])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(secret: Any, log: LogFolder) -> None:
    texts = {
        *((name,) for name in ("id", "trace_id", "ai_org", "ai_model", "cost_currency", "mode", "config")),
        *((name,) for name in ("prompt_slug", "cache_status", "virtual_key", "workspace_slug", "organisation_id")),
        *((name,) for name in ("request_url",)),  # an address: its path is text, its query is not
        ("metadata", "team"), ("metadata", "ticket"),
        *(("metadata", "value", number) for number in (1, 2)),
        ("metadata", "key"),  # names what stands at its place among the values
    }  # fmt: skip
    rows = []
    for given in (request(), of_a_private_cloud()):
        paths = [path for path in places(given) if path not in texts]
        rows += [planted(given, path, secret, name) for path in paths for name in ("text", "canary-5f3a")]
    log.file(FILE, rows)
    landed = log.landed_bytes()
    assert landed.count(b"\n") == len(rows)
    for word in (b"canary-5f3a", b"a prompt", b"an answer", b"alice", b"private"):
        assert word not in landed


@pytest.mark.parametrize("wrong", NO_COUNTS)
def test_no_number_ends_the_night(wrong: Any, log: LogFolder) -> None:
    names = [name for name, value in of_a_private_cloud().items() if isinstance(value, int | float)]
    log.file(FILE, [of_a_private_cloud(**{"id": name, name: wrong}) for name in names])
    night = log.night()
    assert {row["request_id"] for row in night.rows.to_pylist()} | {
        json.loads(reject.payload)["id"] for reject in night.rejects
    } == set(names)


def test_the_documented_export_is_read(log: LogFolder) -> None:
    if not EXAMPLE.is_file():
        pytest.skip("the documented export is not beside this checkout")
    log.raw(FILE, EXAMPLE.read_bytes())
    priced, unpriced = sorted(log.rows(), key=lambda row: str(row["started_at"]))
    assert (priced["source_reported_cost_usd"], priced["input_total_tokens"]) == (Decimal("0.00472"), 1200)
    assert (unpriced["source_cost_basis"], unpriced["output_total_tokens"]) == ("unknown", 5)
    assert priced["attempt_group_id"] == unpriced["attempt_group_id"] == "trace_1"
