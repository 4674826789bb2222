"""A small organisation's reports, and a loopback API that answers for them with its pages and limits."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer

KEY = "sk-ant-admin01-canary-77"
USAGE_GROUPS = ["api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo"]
SONNET = "claude-sonnet-4-5-20250929"

Report = Mapping[str, Sequence[dict[str, Any]]]
"""Results by the start of their bucket, as `2026-09-03T00:00:00Z`."""


def usage(
    uncached: int = 10,
    read: int = 20,
    write_5m: int = 3,
    write_1h: int = 4,
    output: int = 5,
    searches: int = 0,
    **over: Any,
) -> dict[str, Any]:
    """One result of the usage report."""
    return {
        "uncached_input_tokens": uncached,
        "cache_creation": {"ephemeral_1h_input_tokens": write_1h, "ephemeral_5m_input_tokens": write_5m},
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": searches},
        "api_key_id": "apikey_01",
        "workspace_id": "wrkspc_01",
        "model": SONNET,
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "global",
        **over,
    }


def cost(amount: str, **over: Any) -> dict[str, Any]:
    """One result of the cost report, grouped by workspace and description."""
    return {
        "currency": "USD",
        "amount": amount,
        "workspace_id": "wrkspc_01",
        "description": "Claude Sonnet 4.5 Usage - Output Tokens",
        "cost_type": "tokens",
        "context_window": "0-200k",
        "model": SONNET,
        "service_tier": "standard",
        "token_type": "output_tokens",
        "inference_geo": "global",
        **over,
    }


def total(amount: str) -> dict[str, Any]:
    """One result of the cost report without groups."""
    names = ("workspace_id", "description", "cost_type", "context_window", "model", "service_tier", "token_type")
    return {"currency": "USD", "amount": amount, **dict.fromkeys(names), "inference_geo": None}


def instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def bucket(start: str, results: Sequence[Any], width: timedelta = timedelta(days=1)) -> dict[str, Any]:
    end = datetime.fromisoformat(start.removesuffix("Z")) + width
    return {"starting_at": start, "ending_at": instant(end), "results": list(results)}


def page(rows: Sequence[Any], next_page: str | None = None) -> bytes:
    return json.dumps({"data": list(rows), "has_more": next_page is not None, "next_page": next_page}).encode()


WIDTHS = {"1m": timedelta(minutes=1), "1h": timedelta(hours=1), "1d": timedelta(days=1)}
MOST = {"1m": 1440, "1h": 168, "1d": 31}


@dataclass(frozen=True)
class Api:
    """A bucketed report as the documentation describes it: buckets in order, at most `limit` of them on a page.

    `most` is what this server puts on a page, fewer than it is asked for.
    """

    report: Report
    widths: Sequence[str]
    most: int

    def __call__(self, request: Request) -> Answer:
        query = {name: values[0] for name, values in request.query.items()}
        width, limit = query.get("bucket_width", "1d"), int(query.get("limit", "7"))
        if width not in self.widths or not 1 <= limit <= MOST[width] or "starting_at" not in query:
            return json_answer(b'{"type":"error","error":{"type":"invalid_request_error","message":"no"}}', 400)
        start = datetime.fromisoformat(query.get("page", query["starting_at"]).removesuffix("Z"))
        end = datetime.fromisoformat(query["ending_at"].removesuffix("Z"))
        buckets = []
        while start < end and len(buckets) < min(limit, self.most):
            buckets.append(bucket(instant(start), self.report.get(instant(start), ()), WIDTHS[width]))
            start += WIDTHS[width]
        return json_answer(page(buckets, instant(start) if start < end else None))


def allowed(request: Request, *, key: str = KEY, beta: str | None = None) -> bool:
    """Whether the request carries the headers that the documentation demands."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return (
        headers.get("x-api-key") == key
        and headers.get("anthropic-version") == "2023-06-01"
        and headers.get("anthropic-beta") == beta
    )


REFUSED = json_answer(
    b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"request_id":"req_01"}', 401
)


def serve(server: FaultyServer, path: str, answers: Callable[[Request], Answer], beta: str | None = None) -> None:
    """Serves a report to who has the right headers; a request for one row, as a probe makes, finds none."""

    def respond(request: Request) -> Answer:
        if not allowed(request, beta=beta):
            return REFUSED
        return json_answer(page([])) if request.query.get("limit") == ["1"] else answers(request)

    server.route(f"/v1/organizations/{path}", respond)


def groups(request: Request) -> list[str]:
    return request.query.get("group_by[]", [])
