"""A day is asked for whole, in as many parts as answers can hold, and never with a message."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import IncompleteDeliveryError, RefusedRequestError, SourceError
from connectors.windows import day_window
from tests.connectors.azure_api_management.workspace import WORKSPACE, LogAnalytics, call, settings, source
from tests.connectors.faulty_server import Clock, FaultyServer, json_answer
from tests.connectors.stored_log import DAY

HOURS = [
    call(CorrelationId=f"c{hour:02d}", RequestId=f"r{hour:02d}", TimeGenerated=f"2026-11-21T{hour:02d}:30:00Z")
    for hour in range(24)
]


def fetched(workspace: LogAnalytics, server: FaultyServer, **over: Any) -> bytes:
    pages = source(Clock()).fetch(workspace.install(server, **over), day_window(DAY))
    return b"".join(page.body.open().__enter__().read() for page in pages)


def test_a_day_of_more_rows_than_an_answer_holds_is_asked_for_in_parts(server: FaultyServer) -> None:
    workspace = LogAnalytics(HOURS, most=6)
    landed = fetched(workspace, server)
    assert [landed.count(f'"r{hour:02d}"'.encode()) for hour in range(24)] == [1] * 24
    windows = [workspace.window(query) for query in workspace.queries]
    whole = [(first.hour, last.hour) for first, last in windows if last - first == timedelta(hours=6)]
    assert whole == [(0, 6), (6, 12), (12, 18), (18, 0)]
    assert len(windows) == 7


def test_messages_and_addresses_of_callers_are_never_asked_for(server: FaultyServer) -> None:
    workspace = LogAnalytics(HOURS)
    fetched(workspace, server)
    (query,) = workspace.queries
    for word in ("Messages", "Caller", "Headers", "Body", "sum("):
        assert word not in query
    for name in ("PromptTokens", "CompletionTokens", "TotalTokens"):
        assert f"{name} = max({name})" in query
    assert "ModelName = take_anyif(ModelName, isnotempty(ModelName))" in query
    assert query.endswith("on CorrelationId | project-away CorrelationId1")
    assert server.requests[0].headers["Prefer"] == "wait=600"


def test_what_the_gateways_log_knows_is_joined_by_the_calls_own_id_unless_it_is_not_kept(server: FaultyServer) -> None:
    joined, alone = LogAnalytics(HOURS), LogAnalytics(HOURS)
    fetched(joined, server)
    fetched(alone, server, gateway_log=False)
    assert "join kind=leftouter (ApiManagementGatewayLogs" in joined.queries[0]
    assert "ApimSubscriptionId" in joined.queries[0]
    assert "datetime(2026-11-20T23:00:00Z)" in joined.queries[0]  # an hour before: two writers, two clocks
    assert "ApiManagementGatewayLogs" not in alone.queries[0]


def test_a_second_of_more_rows_than_an_answer_holds_is_said_so(server: FaultyServer) -> None:
    crowd = [call(CorrelationId=f"c{number}", TimeGenerated="2026-11-21T02:00:00.5Z") for number in range(3)]
    with pytest.raises(SourceError, match="azure_api_management_export"):
        fetched(LogAnalytics(crowd, most=2), server)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"tables": []}', b'{"tables": [{"columns": [{"name": "a"}], "rows": [[1, 2]]}]}', b"[1]"]
)
def test_what_is_no_answer_is_no_delivery(body: bytes, server: FaultyServer) -> None:
    server.route(f"/v1/workspaces/{WORKSPACE}/query", json_answer(body))
    with pytest.raises(IncompleteDeliveryError, match="no answer of Log Analytics"):
        list(source(Clock()).fetch(settings(endpoint=server.url), day_window(DAY)))


def test_a_table_that_is_not_there_is_told_by_the_probe(server: FaultyServer) -> None:
    said = b'{"error": {"code": "BadArgumentError", "message": "Failed to resolve table ApiManagementGatewayLlmLog"}}'
    server.route(f"/v1/workspaces/{WORKSPACE}/query", json_answer(said, 400))
    with pytest.raises(RefusedRequestError, match="Failed to resolve table"):
        source(Clock()).probe(settings(endpoint=server.url))


def test_the_probe_looks_at_both_tables(server: FaultyServer) -> None:
    workspace = LogAnalytics(HOURS)
    assert "ApiManagementGatewayLlmLog and ApiManagementGatewayLogs" in source(Clock()).probe(workspace.install(server))
    assert workspace.queries == ["ApiManagementGatewayLlmLog | take 0", "ApiManagementGatewayLogs | take 0"]


@pytest.mark.parametrize("over", [{"credentials": None}, {"workspace_id": "a/b"}, {"endpoint": "ftp://x"}])
def test_settings_without_a_way_in_or_a_place_are_refused(over: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**over)
