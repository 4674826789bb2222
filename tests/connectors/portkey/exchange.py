"""Portkey's exports as documented: drafted with a count, started, waited for, downloaded from a signed link."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.http import Pace
from connectors.portkey.export_log import PortkeyLog
from connectors.portkey.settings import PortkeySettings
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer
from tests.connectors.stored_log import KEY

API_KEY = "pk-canary-4711"
SIGNATURE = "sig+canary/4711=="


def request(**over: Any) -> dict[str, Any]:
    """1,200 tokens in, 300 out, at 0.472 cents; bodies, headers and more metadata than anybody asked for."""
    return {
        "id": "0e9f-1",
        "trace_id": "trace-1",
        "created_at": "2026-11-21T01:38:40.440Z",
        "request": {"messages": [{"role": "user", "content": "a prompt"}]},
        "response": {"choices": [{"message": {"content": "an answer"}}]},
        "is_success": True,
        "ai_org": "openai",
        "ai_model": "gpt-4o",
        "req_units": 1200,
        "res_units": 300,
        "total_units": 1500,
        "request_url": "https://api.openai.com/v1/chat/completions?key=private",
        "cost": 0.472,
        "cost_currency": "USD",
        "response_time": 1001,
        "response_status_code": 200,
        "mode": "fallback",
        "config": "pc-abc",
        "prompt_slug": "",
        "metadata": {"_user": "alice@corp.test", "team": "search", "ticket": "T-1", "note": "private"},
        **over,
    }


def settings(**over: Any) -> PortkeySettings:
    given = {"name": "gateway", "kind": "portkey", "api_key": API_KEY, "workspace": "ws-acme", "hash_key": KEY}
    return PortkeySettings.model_validate({**given, "outcome_keys": ["ticket"], **over})


def source(clock: Clock) -> PortkeyLog:
    return PortkeyLog(Pace(sleep=clock.sleep, monotonic=clock.monotonic))


@dataclass
class Workspace:
    """What a workspace logged. A window longer than `most_hours` is announced with more rows than an export holds."""

    rows: Sequence[dict[str, Any]]
    most_hours: float = 24.0
    polls: int = 1
    status: str = "success"
    lost: int = 0
    drafts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    started: list[int] = field(default_factory=list[int])
    cancelled: list[int] = field(default_factory=list[int])
    asked: dict[int, int] = field(default_factory=dict[int, int])

    def install(self, server: FaultyServer, **over: Any) -> PortkeySettings:
        self.server = server
        server.route("/v1/logs/exports", self.exports)
        server.route("/v1/logs/exports/", self.export)
        server.route("/bucket/", self.bucket)
        return settings(url=f"{server.url}/v1", **over)

    def exports(self, asked: Request) -> Answer:
        if (refused := self._refused(asked)) is not None:
            return refused
        if asked.method == "GET":
            return json_answer(json.dumps({"object": "list", "total": len(self.drafts), "data": []}).encode())
        draft = json.loads(asked.body)
        if not draft.get("description"):
            return json_answer(b'{"success": false, "message": "description is required"}', 400)
        self.drafts.append(draft)
        number = len(self.drafts) - 1
        said = {"id": f"export-{number}", "total": self.total(draft), "object": "export"}
        return json_answer(json.dumps(said).encode())

    def total(self, draft: dict[str, Any]) -> int:
        first, last = self.window(draft)
        is_large = (last - first).total_seconds() > self.most_hours * 3600
        return 60_000 if is_large else len(self.within(draft))

    def window(self, draft: dict[str, Any]) -> tuple[datetime, datetime]:
        asked = draft["filters"]
        first, last = asked["time_of_generation_min"], asked["time_of_generation_max"]
        return datetime.fromisoformat(first), datetime.fromisoformat(last)

    def within(self, draft: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = self.window(draft)
        named = set(draft["requested_data"])
        return [
            {name: value for name, value in row.items() if name in named}
            for row in self.rows
            if first <= datetime.fromisoformat(row["created_at"]) < last
        ]

    def export(self, asked: Request) -> Answer:
        if (refused := self._refused(asked)) is not None:
            return refused
        name, _, verb = asked.path.removeprefix("/v1/logs/exports/").partition("/")
        number = int(name.removeprefix("export-"))
        if verb == "cancel":
            self.cancelled.append(number)
            return json_answer(b'{"message": "Log export cancelled successfully", "object": "export"}')
        if verb == "start":
            if number in self.started:
                return json_answer(b'{"success": false, "message": "already started"}', 400)
            self.started.append(number)
            return json_answer(b'{"message": "Log export queued successfully", "object": "export"}')
        if verb == "download":
            link = f"{self.server.url}/bucket/{number}.jsonl?X-Amz-Signature={SIGNATURE.replace('+', '%2B')}"
            return json_answer(json.dumps({"signed_url": link}).encode())
        self.asked[number] = self.asked.get(number, 0) + 1
        is_ready = self.asked[number] > self.polls
        status = "draft" if number not in self.started else self.status if is_ready else "in_progress"
        return json_answer(json.dumps({"id": name, "status": status, "object": "export"}).encode())

    def bucket(self, asked: Request) -> Answer:
        if asked.query.get("X-Amz-Signature") != [SIGNATURE] or "x-portkey-api-key" in asked.headers:
            return Answer(b"<Error><Code>AccessDenied</Code></Error>", 403)
        number = int(asked.path.removeprefix("/bucket/").removesuffix(".jsonl"))
        rows = self.within(self.drafts[number])
        rows = rows[: len(rows) - self.lost]
        return Answer(b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    def _refused(self, asked: Request) -> Answer | None:
        if asked.headers.get("x-portkey-api-key") == API_KEY:
            return None
        return json_answer(b'{"success": false, "message": "Unauthorised"}', 401)
