"""The gateways' logs as files: a day of SpendLogs rows, and one StandardLoggingPayload for each European request.

Here belongs: names of files, what fills the templates, the one repeated and the one damaged row of the month.
"""

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sample.gateway_templates import Outcome, payload, spend_log
from sample.outcomes import document_of, ticket_of
from sample.traffic import Request, epoch_text

REPEATED_ROW_DAY = date(2026, 10, 6)
DAMAGED_ROW_DAY = date(2026, 10, 8)
# Rows reach the database a little after the call: the gateway writes them in batches.
WRITE_LAG = timedelta(seconds=41, milliseconds=314)


def write_spend_logs(folder: Path, day: date, requests: Sequence[Request]) -> int:
    """Writes the rows of one day as `spend_logs.jsonl.gz`. Returns how many lines the file has."""
    rows = [request for request in requests if request.workload.gateway == "us"]
    billed = [request for request in rows if request.is_billed]
    if day == REPEATED_ROW_DAY:
        rows.append(billed[0])
    if day == DAMAGED_ROW_DAY:
        rows.append(replace(billed[0], request_id="chatcmpl-damaged", tokens={"input_uncached": -40, "output_text": 7}))
    text = "".join(spend_log(request.workload, _outcome(request)) % _spend_log_values(request) for request in rows)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spend_logs.jsonl.gz").write_bytes(gzip.compress(text.encode(), 2, mtime=0))
    return len(rows)


def write_payloads(folder: Path, requests: Sequence[Request]) -> int:
    """Writes one object for each request of the European gateway. Returns how many."""
    rows = [request for request in requests if request.workload.gateway == "eu"]
    folder.mkdir(parents=True, exist_ok=True)
    for request in rows:
        text = payload(request.workload, _outcome(request)) % _payload_values(request)
        name = f"time-{request.started_at:%H-%M-%S-%f}_{request.request_id}.json"
        (folder / name).write_text(text, encoding="utf-8")
    return len(rows)


def _outcome(request: Request) -> Outcome:
    return Outcome(request.status, request.is_cache_hit, request.is_stream)


def _spend_log_values(request: Request) -> Mapping[str, str]:
    ended = request.started_at + timedelta(milliseconds=request.latency_ms)
    return _values(request) | {
        "start": _quoted(_database_time(request.started_at)),
        "end": _quoted(_database_time(ended)),
        "created": _quoted(_database_time(ended + WRITE_LAG)),
        "duration": str(request.latency_ms),
    }


def _payload_values(request: Request) -> Mapping[str, str]:
    ended = request.started_at + timedelta(milliseconds=request.latency_ms)
    return _values(request) | {
        "start": epoch_text(request.started_at),
        "end": epoch_text(ended),
        "seconds": f"{request.latency_ms // 1000}.{request.latency_ms % 1000:03d}",
    }


def _database_time(moment: datetime) -> str:
    """A `timestamp(3)` as the database prints it: no trailing zeros."""
    text = moment.isoformat(timespec="milliseconds")
    return text.rstrip("0").rstrip(".") if moment.microsecond else text[:-4]


def _values(request: Request) -> dict[str, str]:
    digest = hashlib.sha256(request.request_id.encode()).hexdigest()
    return {
        "id": _quoted(request.request_id),
        "call_id": _quoted(request.call_id or _uuid(digest)),
        "trace_id": _quoted(_uuid(request.group_id * 2)),
        "ticket": _quoted(ticket_of(request) or ""),
        "document": _quoted(document_of(request) or ""),
        "cache_key": _quoted(digest),
        **_token_values(request),
        **_cost_values(request),
    }


def _quoted(text: str) -> str:
    """JSON of a text that needs no escapes: ids, digests and times."""
    return f'"{text}"'


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def _token_values(request: Request) -> dict[str, str]:
    tokens = request.tokens
    return {
        "prompt": str(request.input_tokens),
        "completion": str(request.output_tokens),
        "total": str(request.input_tokens + request.output_tokens),
        "uncached": str(tokens.get("input_uncached", 0)),
        "read": str(tokens.get("cache_read", 0)),
        "written": str(tokens.get("cache_write_5m", 0)),
        "text": str(tokens.get("output_text", 0)),
        "reasoning": str(tokens.get("output_reasoning", 0)),
    }


def _cost_values(request: Request) -> dict[str, str]:
    """Costs as the gateway reports them, USD: nothing for failures, cache hits and models that it has no price for."""
    costs = (request.list_costs() if request.is_billed else None) or {}
    nothing = Decimal(0)
    read = costs.get("cache_read", nothing)
    written = costs.get("cache_write_5m", nothing) + costs.get("cache_write_1h", nothing)
    read_and_new = read + written + costs.get("input_uncached", nothing)
    output = costs.get("output_text", nothing) + costs.get("output_reasoning", nothing)
    return {
        "input_cost": _number(read_and_new),
        "output_cost": _number(output),
        "spend": _number(read_and_new + output + request.margin()),
        "original": _number(read_and_new + output),
        "margin": _number(request.margin()),
        "read_cost": _number(read),
        "written_cost": _number(written),
    }


def _number(cost: Decimal) -> str:
    return f"{cost.normalize():f}" if cost else "0"
