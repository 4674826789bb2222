"""Cloudflare's API for one gateway, as it is documented: envelopes, filters, order, pages of at most 50 rows."""

import json
from collections.abc import Mapping
from typing import Any

from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer

ACCOUNT, GATEWAY, TOKEN = "acc1", "production", "secret-token-of-the-tests"
PATH = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{GATEWAY}"
MOST_ROWS = 50


def row(number: int, **over: Any) -> dict[str, Any]:
    """1,200 tokens in and 300 out for 0.006 USD, in the early morning of November 21."""
    return {
        "id": f"01J{number:05d}",
        "created_at": f"2026-11-21T01:{number // 60:02d}:{number % 60:02d}.250Z",
        "provider": "openai",
        "model": "gpt-4o",
        "model_type": "llm",
        "path": "chat/completions",
        "request_type": "chat/completions",
        "duration": 1001,
        "status_code": 200,
        "success": True,
        "cached": False,
        "tokens_in": 1200,
        "tokens_out": 300,
        "cost": 0.006,
        "custom_cost": False,
        "metadata": '{"team":"search","user":"alice@corp.test","note":"private"}',
        "step": 0,
        "request_content_type": "application/json",
        "response_content_type": "application/json",
        **over,
    }


class Gateway:
    """A gateway that holds rows. `kept` are its settings; `counts_all` makes its totals those of the whole log."""

    def __init__(self, rows: list[dict[str, Any]], kept: Mapping[str, Any] | None = None) -> None:
        self.rows = rows
        self.kept = {"id": GATEWAY, "log_management": None, "log_management_strategy": None, **(kept or {})}
        self.counts_all = False
        self.filters = True
        self.turns = True

    def serve(self, server: FaultyServer) -> None:
        server.route(PATH, lambda _request: enveloped(self.kept))
        server.route(f"{PATH}/logs", self.logs)

    def logs(self, request: Request) -> Answer:
        asked = {name: values[0] for name, values in request.query.items()}
        assert asked.pop("order_by") == "created_at"
        direction = asked.pop("order_by_direction")
        page, size = int(asked.pop("page")), min(int(asked.pop("per_page")), MOST_ROWS)
        found = sorted(self.rows, key=lambda held: held["created_at"], reverse=direction == "desc")
        for rule in json.loads(asked.pop("filters", "[]")) if self.filters else []:
            found = [held for held in found if _passes(held, rule)]
        assert set(asked) <= {"filters"}, "a parameter that the API does not know"
        part = found[(page - 1) * size : page * size] if self.turns else found[:size]
        about = {"count": len(part), "page": page, "per_page": size}
        return enveloped(part, {**about, "total_count": len(self.rows if self.counts_all else found)})


def enveloped(result: Any, about: Mapping[str, int] | None = None, **over: Any) -> Answer:
    said = {"result": result, "success": True, "errors": [], "messages": [], **over}
    return json_answer(json.dumps(said if about is None else {**said, "result_info": about}).encode())


def _passes(held: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    """Times are compared as instants; `gt` and `lt` leave the bound itself out."""
    value, (bound,) = held[rule["key"]], rule["value"]
    return {"gt": value > bound, "lt": value < bound}[rule["operator"]]
