"""Answers as OpenRouter's activity endpoint writes them, and a server that tells of the last thirty completed days."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from connectors.base import Parsed, Source, Window
from connectors.openrouter.costs import SOURCE as COSTS
from connectors.openrouter.settings import OpenRouterCostsSettings, OpenRouterUsageSettings
from connectors.openrouter.usage import SOURCE as USAGE
from connectors.windows import day_window, month_window
from tests.connectors.conformance import land
from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer

SHARED = Path(__file__).resolve().parents[4] / "shared"
DAY = date(2026, 9, 3)
WINDOW = day_window(DAY)
MONTH = month_window(DAY)
KEY = "sk-or-canary-4711"


def usage_settings(**over: Any) -> OpenRouterUsageSettings:
    given = {"name": "openrouter-usage", "account": "acme", **over}
    return OpenRouterUsageSettings.model_validate(given if "location" in given else {"management_key": KEY, **given})


def costs_settings(**over: Any) -> OpenRouterCostsSettings:
    given = {"name": "openrouter-costs", "account": "acme", **over}
    return OpenRouterCostsSettings.model_validate(given if "location" in given else {"management_key": KEY, **given})


def row(day: date = DAY, **over: Any) -> dict[str, Any]:
    return {
        "date": day.isoformat(),
        "model": "openai/gpt-4.1",
        "model_permaslug": "openai/gpt-4.1-2025-04-14",
        "endpoint_id": "endpoint-1",
        "provider_name": "OpenAI",
        "usage": 0.015,
        "byok_usage_inference": 0,
        "requests": 5,
        "prompt_tokens": 50,
        "completion_tokens": 125,
        "reasoning_tokens": 25,
        **over,
    }


def page(*rows: Any) -> bytes:
    return json.dumps({"data": list(rows)}).encode()


def parse(source: Source, settings: Any, window: Window, *pages: bytes) -> Parsed:
    """The whole delivery; the tests here are far below one chunk."""
    (parsed,) = source.parse(settings, window, land(pages))
    return parsed


def usage(*rows: Any, **over: Any) -> Parsed:
    return parse(USAGE, usage_settings(**over), WINDOW, page(*rows))


def costs(*rows: Any, window: Window = MONTH, **over: Any) -> Parsed:
    return parse(COSTS, costs_settings(**over), window, page(*rows))


class Account:
    """The documented exchange: `rows` by day, on the day after `completed`."""

    def __init__(self, rows: Mapping[date, Sequence[Any]], completed: date) -> None:
        self.rows = rows
        self.served = [completed - timedelta(days=back) for back in range(30)]

    def install(self, server: FaultyServer) -> None:
        server.route("/api/v1/activity", self.answer)

    def answer(self, request: Request) -> Answer:
        if request.headers["Authorization"] != f"Bearer {KEY}":
            return json_answer(b'{"error":{"code":403,"message":"Only management keys can do this"}}', 403)
        asked = request.query.get("date")
        if asked is None:
            return json_answer(page(*(found for day in self.served for found in self.rows.get(day, ()))))
        day = date.fromisoformat(asked[0])
        if day not in self.served:
            said = {"error": {"code": 400, "message": "Date must be within the last 30 (completed) UTC days"}}
            return json_answer(json.dumps(said).encode(), 400)
        return json_answer(page(*self.rows.get(day, ())))
