"""One result of a usage report as rows of `provider_usage`: its tokens, and its web searches.

Anthropic's classes of input are disjoint, which the contract calls exclusive; reasoning is inside of the output and not
told apart.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from connectors.anthropic.answers import Entry, Fields
from connectors.anthropic.dimensions import (
    PROVIDER,
    fields_of,
    identity,
    leftovers,
    news,
    period,
    region,
    service_tier,
)
from connectors.base import Window
from connectors.fields import RowError, count, shown, text
from connectors.gathered import StagedRow, extra_json

Row = dict[str, Any]

_INPUTS = ("input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
_WRITES = {
    "ephemeral_5m_input_tokens": "cache_write_5m_tokens",
    "ephemeral_1h_input_tokens": "cache_write_1h_tokens",
}
_SEARCHES = "web_search_requests"
_DIMENSIONS = frozenset(
    {"account_id", "api_key_id", "context_window", "inference_geo", "model", "service_tier", "workspace_id"}
)
_FIGURES = frozenset(
    {
        *("uncached_input_tokens", "cache_creation", "cache_read_input_tokens", "output_tokens", "server_tool_use"),
        *("requests", "total_tokens"),
    }
)
_COMMITTED_TIER = "priority"
_CONTRADICTION = "rows whose classes of tokens do not make up the report's own total_tokens, which x_extra keeps"


def message_row(entry: Entry, window: Window, *, omits_committed: bool) -> StagedRow:
    """The tokens of one result. Raises RowError when they cannot be staged.

    `omits_committed`: the cost report beside this usage report leaves out the Priority Tier.
    """
    fields = fields_of(entry)
    writes, tools = _object(fields, "cache_creation"), _object(fields, "server_tool_use")
    tokens = _tokens(fields, writes)
    left = leftovers(fields, _DIMENSIONS | _FIGURES)
    nested = {
        "cache_creation": _counted(writes, _WRITES),
        "server_tool_use": _counted(tools, (_SEARCHES,)),
    }
    extra = {**left, **{part: counts for part, counts in nested.items() if counts}}
    is_contradicted = _contradicts(fields, tokens)
    if is_contradicted:
        extra["total_tokens"] = fields["total_tokens"]
    row = {
        **_where(entry, fields, window),
        **tokens,
        "operation": "messages",
        "request_count": count(fields, "requests"),
        "left_out_of_bill": "priority_tier" if omits_committed and service_tier(fields) == _COMMITTED_TIER else None,
        "x_extra": extra_json(extra),
    }
    new_fields = [*news(left), *(f"{part}.{name}" for part, counts in nested.items() for name in counts)]
    return StagedRow(
        row, ["messages", identity(entry, _FIGURES)], new_fields, [_CONTRADICTION] if is_contradicted else []
    )


def has_searches(entry: Entry) -> bool:
    """Whether the result says something of web searches, and not that there were none."""
    tools = (entry.fields or {}).get("server_tool_use")
    return isinstance(tools, dict) and tools.get(_SEARCHES) not in (None, 0)


def search_row(entry: Entry, window: Window) -> StagedRow:
    """The web searches of one result. Raises RowError when they cannot be staged."""
    fields = fields_of(entry)
    searches = count(_object(fields, "server_tool_use"), _SEARCHES)
    row = {
        **_where(entry, fields, window),
        "operation": "web_search",
        "quantity": None if searches is None else Decimal(searches),
        "quantity_unit": "requests",
    }
    return StagedRow(row, ["web_search", identity(entry, _FIGURES)])


def _where(entry: Entry, fields: Fields, window: Window) -> Row:
    start, end = period(entry, window)
    return {
        "usage_start": start,
        "usage_end": end,
        "usage_date": start.date(),
        "provider_name": PROVIDER,
        "sub_account_id": text(fields, "workspace_id"),
        "api_key_id": text(fields, "api_key_id"),
        "user_id": text(fields, "account_id"),
        "model": text(fields, "model"),
        "service_tier": service_tier(fields),
        "context_window": text(fields, "context_window"),
        "region_id": region(fields),
    }


def _tokens(fields: Fields, writes: Fields) -> Row:
    """Exclusive buckets and their sums; what the report leaves out is unknown, and so is a sum with it."""
    for name in ("uncached_input_tokens", "output_tokens"):
        if fields.get(name) is None:
            raise RowError("missing_value", f"expected {name}, as the usage report has it", name)
    tokens: Row = {
        "input_uncached_tokens": count(fields, "uncached_input_tokens"),
        "cache_read_tokens": count(fields, "cache_read_input_tokens"),
        **{column: count(writes, name) for name, column in _WRITES.items()},
        "output_text_tokens": count(fields, "output_tokens"),
    }
    inputs = [tokens[name] for name in _INPUTS]
    tokens["input_total_tokens"] = None if None in inputs else sum(inputs)
    tokens["output_total_tokens"] = tokens["output_text_tokens"]
    tokens["input_semantics"] = "exclusive"
    return tokens


def _contradicts(fields: Fields, tokens: Row) -> bool:
    """Whether the report's own total is another one than its classes make up."""
    total, inputs = count(fields, "total_tokens"), tokens["input_total_tokens"]
    return total is not None and (inputs is None or total != inputs + tokens["output_total_tokens"])


def _object(fields: Fields, name: str) -> Fields:
    found = fields.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RowError("unreadable_value", f"{name} is {shown(found)}; an object of counts was expected", name)
    return found


def _counted(found: Fields, known: Collection[str]) -> Row:
    """Counts inside of an object that nobody knows; zeros say nothing."""
    return {name: value for name, value in found.items() if name not in known and value not in (None, 0)}
