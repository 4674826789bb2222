"""Answers as OpenAI's organisation endpoints write them, small enough to add up by hand, and a server that pages them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from connectors.base import Parsed, Source, Window
from connectors.openai.costs import SOURCE as COSTS
from connectors.openai.settings import OpenAiCostsSettings, OpenAiUsageSettings
from connectors.openai.usage import SOURCE as USAGE
from connectors.windows import day_window, month_window
from tests.connectors.conformance import land
from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer

SHARED = Path(__file__).resolve().parents[4] / "shared"
EXAMPLES = SHARED / "contracts" / "examples_providers" / "openai"
DAY = date(2026, 9, 3)
WINDOW = day_window(DAY)
MONTH = month_window(DAY)
KEY = "sk-admin-canary-4711"


def usage_settings(**over: Any) -> OpenAiUsageSettings:
    given = {"name": "openai-usage", "account": "org-acme", **over}
    return OpenAiUsageSettings.model_validate(given if "location" in given else {"admin_key": KEY, **given})


def costs_settings(**over: Any) -> OpenAiCostsSettings:
    given = {"name": "openai-costs", "account": "org-acme", **over}
    return OpenAiCostsSettings.model_validate(given if "location" in given else {"admin_key": KEY, **given})


def epoch(day: date, hour: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp())


def bucket(results: Sequence[Any], start: int = epoch(DAY), seconds: int = 86_400) -> dict[str, Any]:
    return {"object": "bucket", "start_time": start, "end_time": start + seconds, "results": list(results)}


def page(*buckets: Any, next_page: str | None = None) -> bytes:
    found = {"object": "page", "data": list(buckets), "has_more": next_page is not None, "next_page": next_page}
    return json.dumps(found).encode()


def completion(**over: Any) -> dict[str, Any]:
    """1,000 input: 500 uncached (of it 30 audio), 400 cached, 100 written (60 for 30 minutes); 200 output, 20 audio."""
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": 1000,
        "output_tokens": 200,
        "input_cached_tokens": 400,
        "input_cache_write_tokens": 100,
        "input_cache_write_30m_tokens": 60,
        "input_cache_write_12h_tokens": 40,
        "input_uncached_tokens": 500,
        "input_text_tokens": 450,
        "input_audio_tokens": 30,
        "input_image_tokens": 20,
        "input_cached_text_tokens": 400,
        "input_cached_audio_tokens": 0,
        "input_cached_image_tokens": 0,
        "output_text_tokens": 170,
        "output_audio_tokens": 20,
        "output_image_tokens": 10,
        "num_model_requests": 7,
        "project_id": "proj_search",
        "user_id": None,
        "api_key_id": "key_a",
        "model": "gpt-6-astra",
        "batch": False,
        "service_tier": "default",
        "api_source": None,
        **over,
    }


def result(kind: str, **fields: Any) -> dict[str, Any]:
    return {"object": f"organization.usage.{kind}.result", "project_id": "proj_search", **fields}


def cost(value: Any, line_item: str | None = "gpt-6-astra, input", **over: Any) -> dict[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": "usd"},
        "line_item": line_item,
        "project_id": "proj_search",
        "api_key_id": None,
        "quantity": None,
        "quantity_unit": None,
        **over,
    }


def parse(source: Source, settings: Any, window: Window, *pages: bytes) -> Parsed:
    """The whole delivery; the tests here are far below one chunk."""
    (parsed,) = source.parse(settings, window, land(pages))
    return parsed


def usage(*results: Any, **over: Any) -> Parsed:
    """One page of one day's usage."""
    return parse(USAGE, usage_settings(**over), WINDOW, page(bucket(results)))


def costs(*results: Any, **over: Any) -> Parsed:
    """One page of one day's costs."""
    return parse(COSTS, costs_settings(**over), MONTH, page(bucket(results)))


class Organisation:
    """The documented exchange: answers `results` by path and bucket, `per_page` buckets at a time.

    It keeps to the documented limits: the Admin key, the most buckets of a page, and the range that was asked.
    """

    most_buckets: Mapping[str, int] = {"1m": 1440, "1h": 168, "1d": 31}

    def __init__(self, results: Mapping[str, Mapping[int, Sequence[Any]]], per_page: int = 1440) -> None:
        self.results = results
        self.per_page = per_page
        self.refused_grouping: str | None = None

    def install(self, server: FaultyServer) -> None:
        server.route("/v1/organization/", self.answer)

    def answer(self, request: Request) -> Answer:
        if request.headers["Authorization"] != f"Bearer {KEY}":
            return json_answer(b'{"error":{"message":"Missing scopes: api.usage.read."}}', 401)
        path = request.path.removeprefix("/v1/organization/")
        if path == "projects":
            return json_answer(self.projects(request.query.get("after", [None])[0]))
        width = request.query.get("bucket_width", ["1d"])[0]
        limit = int(request.query["limit"][0])
        assert limit <= (180 if path == "costs" else self.most_buckets[width]), "more buckets than the API allows"
        if self.refused_grouping in request.query.get("group_by[]", []):
            return json_answer(b'{"error":{"message":"Unsupported group_by combination"}}', 400)
        return json_answer(self.page(path, request, limit, {"1m": 60, "1h": 3600, "1d": 86_400}[width]))

    def page(self, path: str, request: Request, limit: int, seconds: int) -> bytes:
        start = int(request.query["start_time"][0])
        end = int(request.query.get("end_time", [str(start + seconds)])[0])
        starts = list(range(start, end, seconds))
        first = int(request.query.get("page", ["cursor-0"])[0].removeprefix("cursor-"))
        return self.page_of(path, starts, first, min(limit, self.per_page), seconds)

    def page_of(self, path: str, starts: Sequence[int], first: int, count: int, seconds: int) -> bytes:
        found = self.results.get(path, {})
        upto = first + count
        buckets = [bucket(found.get(at, ()), at, seconds) for at in starts[first:upto]]
        return page(*buckets, next_page=f"cursor-{upto}" if upto < len(starts) else None)

    @staticmethod
    def projects(after: str | None) -> bytes:
        """Two pages of one project each."""
        named = {"id": "proj_evals", "name": "offline evals"} if after else {"id": "proj_search", "name": "search"}
        found = {"object": "list", "data": [named], "last_id": named["id"], "has_more": after is None}
        return json.dumps(found).encode()
