"""Observations such as Langfuse tells them, made by hand, and a project that answers for them."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer

HASH_KEY = "a key of the tests' own"
PUBLIC, SECRET = "pk-lf-1", "sk-lf-secret"
OBSERVATIONS = "/api/public/v2/observations"
SCORES = "/api/public/v3/scores"


def observation(**over: Any) -> dict[str, Any]:
    """gpt-4o: 176 new tokens, 1,024 read from the cache, 300 out; 0.00472 USD."""
    return {
        "id": "obs-1",
        "traceId": "tr-1",
        "startTime": "2026-11-21T01:38:40.440Z",
        "endTime": "2026-11-21T01:38:41.441Z",
        "projectId": "proj-1",
        "parentObservationId": None,
        "type": "GENERATION",
        "isRootObservation": True,
        "name": "chat step",
        "level": "DEFAULT",
        "statusMessage": None,
        "environment": "production",
        "userId": "alice@corp.test",
        "sessionId": "sess-1",
        "metadata": {"team": "search", "ticket": "T-1", "note": "private"},
        "providedModelName": "gpt-4o-2024-08-06",
        "internalModelId": "clruwn3pc00010al7bl611c8o",
        "modelParameters": {"temperature": 0.2},
        "usageDetails": {"input": 176, "input_cached_tokens": 1024, "output": 300, "total": 1500},
        "costDetails": {"input": 0.00044, "input_cached_tokens": 0.00128, "output": 0.003, "total": 0.00472},
        "totalCost": 0.00472,
        "usagePricingTierName": "Standard",
        "latency": 1.001,
        "timeToFirstToken": 0.31,
        "modelId": "clruwn3pc00010al7bl611c8o",
        "inputPrice": "0.0000025",
        "outputPrice": "0.00001",
        "totalPrice": None,
        "traceName": "chat",
        "tags": ["feature:summarize", "env:prod"],
        "release": "v12",
        **over,
    }


class Project:
    """A Langfuse project: rows by address, given out in pages along a cursor that only the project understands."""

    def __init__(self, *, loops: bool = False) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {OBSERVATIONS: [], SCORES: []}
        self.time_fields = {OBSERVATIONS: ("startTime", "fromStartTime", "toStartTime")}
        self.time_fields[SCORES] = ("timestamp", "fromTimestamp", "toTimestamp")
        self.most = {OBSERVATIONS: 1000, SCORES: 100}
        self.loops = loops

    def install(self, server: FaultyServer) -> None:
        for path in self.rows:
            server.route(path, self.answer)

    def answer(self, request: Request) -> Answer:
        known = {name.lower(): value for name, value in request.headers.items()}
        if known.get("authorization") != f"Basic {base64.b64encode(f'{PUBLIC}:{SECRET}'.encode()).decode()}":
            return json_answer(b'{"message": "Invalid credentials"}', 401)
        asked = {name: values[0] for name, values in request.query.items()}
        limit = int(asked.get("limit", "50"))
        if limit > self.most[request.path]:
            return json_answer(b'{"message": "limit"}', 400)
        found = [row for row in self.rows[request.path] if self.is_asked_for(request.path, row, asked)]
        first = int(base64.b64decode(asked["cursor"])) if "cursor" in asked else 0
        meta: dict[str, Any] = {}
        if self.loops or first + limit < len(found):
            following = 0 if self.loops and first else first + limit
            meta["cursor"] = base64.b64encode(str(following).encode()).decode()
        return json_answer(json.dumps({"data": found[first : first + limit], "meta": meta}).encode())

    def is_asked_for(self, path: str, row: dict[str, Any], asked: dict[str, str]) -> bool:
        field, since, before = self.time_fields[path]
        names = asked.get("name", "")
        return (
            asked.get(since, "") <= row[field]
            and (before not in asked or row[field] < asked[before])
            and ("type" not in asked or row["type"] == asked["type"])
            and (not names or row["name"] in names.split(","))
        )


def page(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as they are landed: compact, keys in order."""
    return b"".join(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n" for row in rows)


def score(**over: Any) -> dict[str, Any]:
    """A judge found the answer of a trace helpful."""
    return {
        "id": "score-1",
        "projectId": "proj-1",
        "name": "helpful",
        "value": 0.75,
        "dataType": "NUMERIC",
        "source": "EVAL",
        "timestamp": "2026-11-21T10:00:00.000Z",
        "environment": "production",
        "createdAt": "2026-11-21T10:00:01.000Z",
        "updatedAt": "2026-11-21T10:00:01.000Z",
        "subject": {"kind": "trace", "id": "tr-1"},
        **over,
    }
