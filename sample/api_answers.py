"""What the two API providers answer when an administrator asks for usage and costs, saved page by page.

Shapes: OpenAI's organisation usage and costs endpoints, Anthropic's usage and cost reports, as both document them.
`<folder>/<day or month>/<endpoint>/page-<N>.json`. Costs follow from the bill's lines, usage from their tokens.

Here belongs: the two providers' JSON. Here does not belong: what was used and what it cost.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from sample.company import month_of
from sample.lines import Line

ONE_DAY = timedelta(days=1)
LINE_ITEMS = {"input_uncached": "input", "cache_read": "cached input", "output_text": "output"}
TOKEN_TYPES = {
    "input_uncached": "uncached_input_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write_5m": "cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h": "cache_creation.ephemeral_1h_input_tokens",
    "output_text": "output_tokens",
}
_DAYS_A_PAGE = 16  # of costs, so that a month takes two
_NUMBER = re.compile(r'"number:(-?[0-9.]+)"')

Json = dict[str, object]


class Used(NamedTuple):
    """A model, as billed, in a project or workspace on a day."""

    day: date
    project: str
    model: str


def write_openai_costs(folder: Path, month: date, lines: Sequence[Line]) -> None:
    """A month's costs by project and line item, in two pages that name each other."""
    by_day = _by_day(lines)
    days = sorted(by_day)
    pages = [days[start : start + _DAYS_A_PAGE] for start in range(0, len(days), _DAYS_A_PAGE)]
    for number, page in enumerate(pages, 1):
        buckets = [_openai_bucket(day, [_openai_cost(line) for line in by_day[day]]) for day in page]
        _write(_page(folder, f"{month:%Y-%m}", "costs", number), _openai_page(buckets, number, len(pages), month))


def write_openai_usage(folder: Path, lines: Sequence[Line], requests: Mapping[Used, int]) -> None:
    """Every day's completions, by project, key and model: the company uses nothing else."""
    for day, used in _usage_by_day(lines).items():
        results = [_openai_used(key, tokens, requests.get(key, 0)) for key, tokens in sorted(used.items())]
        _write(
            _page(folder, str(day), "completions"), _openai_page([_openai_bucket(day, results)], 1, 1, month_of(day))
        )


def write_anthropic_costs(folder: Path, month: date, lines: Sequence[Line]) -> None:
    """A month's cost report by workspace and description, and the same without groups."""
    by_day = _by_day(lines)
    grouped = [_anthropic_bucket(day, [_anthropic_cost(line) for line in by_day[day]]) for day in sorted(by_day)]
    totals = [_anthropic_bucket(day, [_anthropic_total(by_day[day])]) for day in sorted(by_day)]
    _write(_page(folder, f"{month:%Y-%m}", "cost_report"), _anthropic_page(grouped))
    _write(_page(folder, f"{month:%Y-%m}", "cost_report_total"), _anthropic_page(totals))


def write_anthropic_usage(folder: Path, lines: Sequence[Line]) -> None:
    """Every day's messages, by workspace and model."""
    for day, used in _usage_by_day(lines).items():
        results = [_anthropic_used(key, tokens) for key, tokens in sorted(used.items())]
        page = _anthropic_page([_anthropic_bucket(day, results)])
        _write(_page(folder, str(day), "usage_report/messages"), page)


def _by_day(lines: Sequence[Line]) -> Mapping[date, Sequence[Line]]:
    found: dict[date, list[Line]] = defaultdict(list)
    for line in lines:
        found[line.start.date()].append(line)
    return found


def _usage_by_day(lines: Sequence[Line]) -> Mapping[date, Mapping[Used, Counter[str]]]:
    found: dict[date, dict[Used, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for line in lines:
        day = line.start.date()
        tokens = found[day][Used(day, line.sub_account_id, line.model or "")]
        tokens[line.token_class or ""] += int(line.quantity or 0)
    return found


def _openai_cost(line: Line) -> Json:
    return {
        "object": "organization.costs.result",
        "amount": {"value": _number(line.cost), "currency": "usd"},
        "line_item": f"{line.model}, {LINE_ITEMS[line.token_class or '']}",
        "project_id": line.sub_account_id,
        "api_key_id": None,
        "user_id": None,
        "quantity": _number(line.quantity or Decimal(0)),
        "quantity_unit": "tokens",
    }


def _openai_used(used: Used, tokens: Counter[str], request_count: int) -> Json:
    uncached, cached, output = tokens["input_uncached"], tokens["cache_read"], tokens["output_text"]
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": uncached + cached,
        "input_cached_tokens": cached,
        "input_uncached_tokens": uncached,
        "output_tokens": output,
        "num_model_requests": request_count or uncached // 4000 + 1,
        "project_id": used.project,
        "api_key_id": f"key_{used.project}",
        "user_id": None,
        "model": used.model,
        "batch": False,
        "service_tier": "default",
    }


def _openai_bucket(day: date, results: Sequence[Json]) -> Json:
    start = int(datetime.combine(day, time(), UTC).timestamp())
    return {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": list(results)}


def _openai_page(buckets: Sequence[Json], number: int, count: int, month: date) -> Json:
    more = number < count
    return {
        "object": "page",
        "data": list(buckets),
        "has_more": more,
        "next_page": f"page_{month:%Y%m}_{number + 1}" if more else None,
    }


def _anthropic_cost(line: Line) -> Json:
    return {
        "currency": "USD",
        "amount": f"{line.cost * 100:f}",
        "workspace_id": line.sub_account_id,
        "description": line.description,
        "cost_type": "tokens",
        "context_window": "0-200k",
        "model": line.model,
        "service_tier": "standard",
        "token_type": TOKEN_TYPES[line.token_class or ""],
        "inference_geo": "global",
    }


def _anthropic_total(lines: Iterable[Line]) -> Json:
    total = sum((line.cost for line in lines), Decimal(0))
    nothing = ("workspace_id", "description", "cost_type", "context_window", "model", "service_tier", "token_type")
    return {"currency": "USD", "amount": f"{total * 100:f}", **dict.fromkeys((*nothing, "inference_geo"))}


def _anthropic_used(used: Used, tokens: Counter[str]) -> Json:
    return {
        "uncached_input_tokens": tokens["input_uncached"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens["cache_write_5m"],
            "ephemeral_1h_input_tokens": tokens["cache_write_1h"],
        },
        "cache_read_input_tokens": tokens["cache_read"],
        "output_tokens": tokens["output_text"],
        "server_tool_use": {"web_search_requests": 0},
        "api_key_id": f"apikey_{used.project}",
        "workspace_id": used.project,
        "model": used.model,
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "global",
    }


def _anthropic_bucket(day: date, results: Sequence[Json]) -> Json:
    start = datetime.combine(day, time())
    return {
        "starting_at": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "ending_at": f"{start + ONE_DAY:%Y-%m-%dT%H:%M:%SZ}",
        "results": list(results),
    }


def _anthropic_page(buckets: Sequence[Json]) -> Json:
    return {"data": list(buckets), "has_more": False, "next_page": None}


def _page(folder: Path, window: str, endpoint: str, number: int = 1) -> Path:
    return folder / window / endpoint / f"page-{number}.json"


def _number(value: Decimal) -> str:
    """A JSON number with all its digits, which Python's JSON cannot write: `_write` takes the quotes off."""
    return f"number:{value:f}"


def _write(file: Path, answer: Json) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_NUMBER.sub(r"\1", json.dumps(answer)) + "\n", encoding="utf-8")
