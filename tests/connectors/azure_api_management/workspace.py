"""A Log Analytics workspace as documented: columns and rows, and a partial error beyond what an answer holds."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.azure_api_management.settings import ApiManagementSettings
from connectors.azure_api_management.source import ApiManagement
from connectors.http import Pace
from tests.connectors.azure.tokens import TOKEN, token_credential
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer
from tests.connectors.stored_log import KEY

WORKSPACE = "0f1e2d3c-1111-2222-3333-444455556666"


def call(**over: Any) -> dict[str, Any]:
    """A call as the query puts it together: 1,200 tokens in, 300 out."""
    return {
        "CorrelationId": "11aa",
        "TimeGenerated": "2026-11-21T01:38:40.44Z",
        "PromptTokens": 1200,
        "CompletionTokens": 300,
        "TotalTokens": 1500,
        "RequestId": "chatcmpl-1",
        "OperationName": "ChatCompletions_Create",
        "Region": "East US",
        "ModelName": "gpt-4o",
        "DeploymentName": "gpt4o-prod",
        "ApiVersion": "2024-10-21",
        "IsStreamCompletion": 0,
        "_ResourceId": "/subscriptions/s/resourcegroups/rg/providers/microsoft.apimanagement/service/apim1",
        "_SubscriptionId": "azure-sub-1",
        "ApimSubscriptionId": "team-search",
        "ProductId": "search",
        "ApiId": "answers",
        "OperationId": "chat",
        "BackendId": "pool-1",
        "BackendUrl": "https://acme.openai.azure.com/openai/deployments/gpt4o-prod/chat/completions?api-key=private",
        "UserId": "alice@corp.test",
        "IsRequestSuccess": True,
        "ResponseCode": 200,
        "TotalTime": 1001,
        "Cache": "none",
        **over,
    }


def row(**over: Any) -> dict[str, Any]:
    """The same call in the table itself, as an export writes it, with its messages."""
    kept = list(call())[: list(call()).index("_SubscriptionId") + 1]
    return {
        **{name: call()[name] for name in kept},
        "TimeGenerated": "2026-11-21T01:38:40.4400000Z",
        "IsStreamCompletion": False,
        "SequenceNumber": 0,
        "RequestMessages": [{"role": "user", "content": "a prompt"}],
        "ResponseMessages": [{"role": "assistant", "content": "an answer"}],
        "CallerIpAddress": "10.0.0.9",
        "Type": "ApiManagementGatewayLlmLog",
        **over,
    }


def settings(**over: Any) -> ApiManagementSettings:
    given = {"name": "apim", "kind": "azure_api_management", "credentials": "ambient", "workspace_id": WORKSPACE}
    return ApiManagementSettings.model_validate({**given, "hash_key": KEY, **over})


def source(clock: Clock) -> ApiManagement:
    return ApiManagement(token_credential, Pace(sleep=clock.sleep, monotonic=clock.monotonic))


def answer(rows: Sequence[dict[str, Any]], error: str | None = None) -> bytes:
    columns = [{"name": name, "type": "string"} for name in call()]
    table = {"name": "PrimaryResult", "columns": columns, "rows": [[found[name] for name in call()] for found in rows]}
    said = {"error": {"code": error, "message": "There were some errors when processing your query."}}
    return json.dumps({"tables": [table], **(said if error else {})}).encode()


@dataclass
class LogAnalytics:
    """Calls by the time that a question asks for. More than `most` of them are left out, with a partial error."""

    calls: Sequence[dict[str, Any]]
    most: int = 500
    queries: list[str] = field(default_factory=list[str])

    def install(self, server: FaultyServer, **over: Any) -> ApiManagementSettings:
        server.route(f"/v1/workspaces/{WORKSPACE}/query", self.query)
        return settings(endpoint=server.url, **over)

    def query(self, asked: Request) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return json_answer(b'{"error": {"code": "InvalidTokenError"}}', 401)
        query = json.loads(asked.body)["query"]
        self.queries.append(query)
        first, last = self.window(query)
        found = [one for one in self.calls if first <= datetime.fromisoformat(one["TimeGenerated"]) < last]
        return json_answer(answer(found[: self.most], "PartialError" if len(found) > self.most else None))

    def window(self, query: str) -> tuple[datetime, datetime]:
        """The time that the calls themselves are asked for; of a probe none."""
        found = re.findall(r"datetime\(([^)]*)\)", query)[:2] or ["2026-11-21T00:00:00Z"] * 2
        return datetime.fromisoformat(found[0]), datetime.fromisoformat(found[1])
