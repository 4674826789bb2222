"""Both kinds, asked over HTTP, survive what every connector must survive; so do both ways of asking."""

import json
from datetime import datetime
from typing import Any

from connectors.anthropic.costs import AnthropicCostsSource
from connectors.anthropic.settings import CostsSettings, UsageSettings
from connectors.anthropic.usage import AnthropicUsageSource
from connectors.base import Window
from connectors.windows import day_window, month_window
from tests.connectors.anthropic.written import (
    KEY,
    SONNET,
    USAGE_GROUPS,
    WIDTHS,
    Api,
    bucket,
    cost,
    groups,
    instant,
    page,
    serve,
    total,
    usage,
)
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer

NEW = "x_from_the_future"
DAY = datetime(2026, 9, 3)


class TestUsage(ConnectorConformance):
    source = AnthropicUsageSource(sleep=Clock().sleep)
    secrets = (KEY,)

    def settings(self, **over: Any) -> UsageSettings:
        return UsageSettings(**{"name": "claude-usage", "kind": "anthropic_usage", "api_key": KEY, **over})

    def window(self) -> Window:
        return day_window(DAY.date())

    def report(self) -> dict[str, list[dict[str, Any]]]:
        return {
            instant(DAY.replace(hour=1)): [usage(), usage(7, service_tier="batch", api_key_id="apikey_02", searches=3)],
            instant(DAY.replace(hour=15)): [usage(workspace_id=None, api_key_id=None, inference_geo="not_available")],
            instant(DAY.replace(hour=23)): [usage(uncached=0, read=0, write_5m=0, write_1h=0, output=0)],
        }

    def pages(self) -> list[bytes]:
        hours = [instant(DAY.replace(hour=hour)) for hour in range(24)]
        buckets = [bucket(hour, self.report().get(hour, ()), WIDTHS["1h"]) for hour in hours]
        return [page(buckets[:10], hours[10]), page(buckets[10:20], hours[20]), page(buckets[20:])]

    def count_source_rows(self, pages: list[bytes]) -> int:
        results = [r for content in pages for b in json.loads(content)["data"] for r in b["results"]]
        return len(results) + sum(r["server_tool_use"]["web_search_requests"] > 0 for r in results)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"output_tokens"', f'"{NEW}": 1, "output_tokens"'.encode(), 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"uncached_input_tokens": 10', b'"uncached_input_tokens": -10', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-20]

    def empty_pages(self) -> list[bytes]:
        return [page([bucket(instant(DAY), [])])]

    def served(self, server: FaultyServer) -> UsageSettings:
        api = Api(self.report(), ("1m", "1h", "1d"), most=10)

        def respond(request: Request) -> Answer:
            assert groups(request) == USAGE_GROUPS
            assert request.query["bucket_width"] == ["1h"]
            assert request.query["limit"] == ["168"]
            return api(request)

        serve(server, "usage_report/messages", respond)
        return self.settings(url=server.url)

    def served_loop(self, server: FaultyServer) -> UsageSettings:
        serve(server, "usage_report/messages", lambda _: json_answer(page([], "page_again")))
        return self.settings(url=server.url)


class TestCosts(ConnectorConformance):
    source = AnthropicCostsSource(sleep=Clock().sleep)
    secrets = (KEY,)

    def settings(self, **over: Any) -> CostsSettings:
        return CostsSettings(**{"name": "claude-costs", "kind": "anthropic_costs", "api_key": KEY, **over})

    def window(self) -> Window:
        return month_window(DAY.date())

    def report(self) -> dict[str, list[dict[str, Any]]]:
        return {
            instant(DAY): [
                cost("123.45"),
                cost("0.000001", token_type="uncached_input_tokens", description="Input"),
                cost("25", cost_type="web_search", model=None, token_type=None, description="Web Search Usage"),
            ],
            instant(DAY.replace(day=30)): [cost("-3.5", workspace_id=None), cost("0", service_tier="batch")],
        }

    def totals(self) -> dict[str, list[dict[str, Any]]]:
        return {instant(DAY): [total("148.450001")], instant(DAY.replace(day=30)): [total("-3.5")]}

    def pages(self) -> list[bytes]:
        days = [instant(DAY.replace(day=day)) for day in range(1, 31)]
        lines, sums = ([bucket(day, report.get(day, ())) for day in days] for report in (self.report(), self.totals()))
        return [page(lines[:20], days[20]), page(lines[20:]), page(sums[:20], days[20]), page(sums[20:])]

    def count_source_rows(self, pages: list[bytes]) -> int:
        results = [r for content in pages for b in json.loads(content)["data"] for r in b["results"]]
        return sum(r["description"] is not None for r in results)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"currency"', f'"{NEW}": 1, "currency"'.encode(), 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"123.45"', b'"a lot"', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [page([bucket(instant(DAY), [])])]

    def served(self, server: FaultyServer) -> CostsSettings:
        lines, sums = Api(self.report(), ("1d",), most=20), Api(self.totals(), ("1d",), most=20)

        def respond(request: Request) -> Answer:
            assert groups(request) in (["workspace_id", "description"], [])
            assert request.query["limit"] == ["31"]
            return (lines if groups(request) else sums)(request)

        serve(server, "cost_report", respond)
        return self.settings(url=server.url)

    def served_loop(self, server: FaultyServer) -> CostsSettings:
        serve(server, "cost_report", lambda _: json_answer(page([], "page_again")))
        return self.settings(url=server.url)


BETA = "analytics-usage-cost-2026-08-24"


class Flat:
    """Flat rows in the order that was asked for, two on a page."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def pages(self) -> list[bytes]:
        count = max(len(self.rows), 1)
        return [page(self.rows[n : n + 2], f"row-{n + 2}" if n + 2 < count else None) for n in range(0, count, 2)]

    def __call__(self, request: Request) -> Answer:
        assert request.query["order_by"] == ["time"]
        assert request.query["order"] == ["asc"]
        assert request.query["limit"] == ["1000"]
        assert request.query["ending_at"]
        assert len(set(groups(request)) - {"cost_type", "token_type"}) <= 5
        (cursor,) = request.query.get("page", ["row-0"])
        return json_answer(self.pages()[int(cursor.removeprefix("row-")) // 2])


GROUP = {
    "api_key_id": "apikey_01",
    "workspace_id": "wrkspc_01",
    "model": SONNET,
    "service_tier": "standard",
    "context_window": "0-200k",
    "inference_geo": None,
}


class TestAnalyticsUsage(TestUsage):
    def settings(self, **over: Any) -> UsageSettings:
        return super().settings(**{"api": "analytics", "bucket_width": "1d", **over})

    def flat(self) -> Flat:
        figures = {name: value for name, value in usage(searches=2).items() if name not in GROUP}
        span = {"starting_at": "2026-09-03T00:00:00Z", "ending_at": "2026-09-04T00:00:00Z"}
        keys = ("apikey_01", "apikey_02", None)
        return Flat(
            [
                {
                    **span,
                    "group": {**GROUP, "api_key_id": key},
                    "usage": {**figures, "requests": 4, "total_tokens": 42, "uncached_input_tokens": 10},
                }
                for key in keys
            ]
        )

    def pages(self) -> list[bytes]:
        return self.flat().pages()

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(2 * len(json.loads(content)["data"]) for content in pages)

    def empty_pages(self) -> list[bytes]:
        return [page([])]

    def served(self, server: FaultyServer) -> UsageSettings:
        serve(server, "analytics/usage", self.flat(), beta=BETA)
        return self.settings(url=server.url)

    def served_loop(self, server: FaultyServer) -> UsageSettings:
        serve(server, "analytics/usage", lambda _: json_answer(page([], "page_again")), beta=BETA)
        return self.settings(url=server.url)


class TestAnalyticsCosts(TestCosts):
    def settings(self, **over: Any) -> CostsSettings:
        return super().settings(**{"api": "analytics", **over})

    def flat(self, *, grouped: bool) -> Flat:
        span = {"starting_at": "2026-09-03T00:00:00Z", "ending_at": "2026-09-04T00:00:00Z"}
        none = {**dict.fromkeys(GROUP), "cost_type": None, "token_type": None}
        tokens = {**GROUP, "cost_type": "tokens", "token_type": "output_tokens"}
        searches = {**none, "api_key_id": "apikey_01", "cost_type": "web_search"}
        rows = [
            (tokens, "123.45", "130"),
            ({**tokens, "token_type": "cache_read_input_tokens"}, "0.55", "0.6"),
            (searches, "1", "1"),
        ]
        if not grouped:
            rows = [(none, "125.00", "131.6")]
        return Flat(
            [
                {**span, "group": group, "cost": {"currency": "USD", "amount": amount, "list_amount": listed}}
                for group, amount, listed in rows
            ]
        )

    def pages(self) -> list[bytes]:
        return [*self.flat(grouped=True).pages(), *self.flat(grouped=False).pages()]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(any(row["group"].values()) for content in pages for row in json.loads(content)["data"])

    def empty_pages(self) -> list[bytes]:
        return [page([])]

    def served(self, server: FaultyServer) -> CostsSettings:
        serve(server, "analytics/cost", lambda r: self.flat(grouped=bool(groups(r)))(r), beta=BETA)
        return self.settings(url=server.url)

    def served_loop(self, server: FaultyServer) -> CostsSettings:
        serve(server, "analytics/cost", lambda _: json_answer(page([], "page_again")), beta=BETA)
        return self.settings(url=server.url)
