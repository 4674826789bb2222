"""A token log of any length: thirty day files of `gateway_requests`, the same for the same number of rows.

Every value follows from a row's number by hashing, so the log is made in parallel and needs no seed. Rows lie in the
order in which they started, as gateways write them.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import contract

FIRST_DAY = date(2026, 1, 1)
DAYS = 30
MODELS = 12
KEYS = 200
PRICE_CHANGE = datetime(2026, 1, 16, 12)
FOREVER = datetime(9999, 12, 31)
CLASSES = {
    "input_uncached": 3,
    "cache_read": 1,
    "cache_write_5m": 4,
    "cache_write_1h": 6,
    "input_audio": 7,
    "output_text": 15,
    "output_reasoning": 15,
    "output_audio": 20,
}

# every fiftieth request is logged again, right after itself; every other fiftieth operation has a second try
_DRAW = "cast(hash(range - case when range % 50 = 1 then 1 else 0 end) % 1000000007 as bigint)"
# all over the day; one that is logged again is at the instant of the first
_SECOND = "greatest(range - case when range % 50 = 1 then 1 else 0 end - {first}, 0) * 86400 // {count}"
# every thousandth request comes under the id of another one
_IS_USED = "n % 1000 = 500"
_OPERATION = "n - case when n % 50 = 26 then 1 else 0 end"

_VALUES = {
    "request_id": f"'req-' || (n - case when {_IS_USED} then 7 else 0 end)",
    "is_id_used_before": _IS_USED,
    "dedup_key": "'req-' || n",
    "started_at": "cast($day as timestamp) + interval (second) second",
    "usage_date": "$day",
    "attempt_group_id": f"'operation-' || ({_OPERATION})",
    "gateway": "'litellm'",
    "call_type": "'completion'",
    "provider": "'provider-' || (model % 4)",
    "requested_model": "'alias-' || model",
    "billed_model": "'model-' || model || '-2026-01-01'",
    "key_id": "md5(cast(key as varchar))",
    "key_alias": "'key-' || key",
    "gateway_team_id": "'team-' || (key % 40)",
    "feature": "'feature-' || (key % 5 * 3 + draw % 3)",
    "environment": "case when key % 10 = 0 then 'staging' else 'production' end",
    "tags": """case when draw % 20 = 0 then '["batch","nightly"]' when draw % 3 = 0 then '["chat"]' end""",
    "is_stream": "draw % 2 = 0",
    "latency_seconds": "(hash(draw + 2) % 30000) / 1000",
    # one prompt in five is one of six hundred; half of the long ones tell their prefix, of which each key has eight
    "prompt_hash": "md5(cast(case when draw % 5 = 0 then draw % 3000 else draw end as varchar))",
    "prefix_hash": """case
        when draw % 2 = 0 and draw % 4000 >= 1000 then md5(cast(key * 8 + hash(draw + 3) % 8 as varchar))
    end""",
    "input_uncached_tokens": "50 + draw % 4000",
    "cache_read_tokens": "case when draw % 3 = 0 then draw % 8000 else 0 end",
    "cache_write_5m_tokens": "case when draw % 11 = 0 then 1024 else 0 end",
    "cache_write_1h_tokens": "0",
    "input_audio_tokens": "0",
    "output_text_tokens": "10 + draw % 900",
    "output_reasoning_tokens": "case when model % 3 = 0 then draw % 500 else 0 end",
    "output_audio_tokens": "0",
    "input_total_tokens": "0",
    "output_total_tokens": "0",
    "usage_provenance": "'provider'",
    "input_semantics": "'inclusive'",
    "status": "case when draw % 97 = 0 then 'failure' else 'success' end",
    "is_cache_hit": "draw % 53 = 0",
    "service_tier": "case when draw % 13 = 0 then 'batch' end",
    "source_reported_cost_usd": "case when draw % 101 = 0 then 0 else $cost end",
    "source_cost_basis": "'list'",
    "x_source": "'gateway'",
    "x_slice_date": "$day",
    "x_page": "'0123456789abcdef'",
    "x_row": "n",
}


def write_log(folder: Path, row_count: int) -> None:
    """Writes `gateway_requests/<day>.parquet`, `model_identity.parquet` and `prices.parquet` into the folder."""
    (folder / "gateway_requests").mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        first, last = row_count * number // DAYS, row_count * (number + 1) // DAYS
        target = folder / "gateway_requests" / f"{day}.parquet"
        connection.execute(f"copy ({_select(day, first, last)}) to '{target}' (format parquet, compression zstd)")
    connection.close()
    pq.write_table(_identities(), folder / "model_identity.parquet")
    pq.write_table(_prices(), folder / "prices.parquet")


def _select(day: date, first: int, last: int) -> str:
    columns = ",\n".join(
        f"cast({_value(column.name, day)} as "
        f"{'varchar' if column.type in {'string', 'json'} else column.type}) as {column.name}"
        for column in contract("gateway_requests").columns
    )
    rows = f"""
        select n, draw, second, draw % {MODELS} as model, cast(hash(draw) % {KEYS} as bigint) as key
        from (
            select range as n, {_DRAW} as draw, {_SECOND.format(first=first, count=last - first)} as second
            from range({first}, {last})
        )
    """
    totals = "input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens as input_total_tokens"
    outputs = "output_text_tokens + output_reasoning_tokens as output_total_tokens"
    return f"select * replace ({totals}, {outputs}) from (select {columns} from ({rows}))"


def _value(name: str, day: date) -> str:
    return _VALUES.get(name, "null").replace("$cost", _cost()).replace("$day", f"date '{day}' ")


def _cost() -> str:
    """What the request costs at the prices of `_prices`, in USD; nothing where it hits the cache or has no price."""
    change = f"case when {_VALUES['started_at']} >= timestamp '{PRICE_CHANGE}' then 1 else 0 end"
    is_batch = f"coalesce({_VALUES['service_tier']}, '') = 'batch'"
    sums = " + ".join(
        f"({_VALUES[f'{name}_tokens']}) * (({dollars} * (model + 1)) / case when {is_batch} then 2.0 else 1.0 end"
        f" + {change})"
        for name, dollars in CLASSES.items()
        if _VALUES[f"{name}_tokens"] != "0"
    )
    is_priced = f"model between 1 and {MODELS - 2} and not (model = 5 and {is_batch})"
    return f"case when {_VALUES['is_cache_hit']} then 0 when {is_priced} then ({sums}) / 1000000 end"


def _identities() -> pa.Table:
    rows = [
        {
            "source_provider": f"provider-{model % 4}",
            "source_model": f"model-{model}-2026-01-01",
            "provider_id": "self-hosted" if model == 0 else f"provider-{model % 4}",
            "model_id": f"model-{model}",
            "is_self_hosted": model == 0,
            "identity_source": "configuration",
        }
        for model in range(MODELS - 1)  # the last model is one that nobody knows
    ]
    return pa.Table.from_pylist(rows, schema=contract("model_identity").arrow_schema())


def _prices() -> pa.Table:
    rows = [
        {
            "provider_id": f"provider-{model % 4}",
            "model_id": f"model-{model}",
            "service_tier": tier,
            "region_id": "",
            "token_class": token_class,
            "input_tokens_from": 0,
            "input_tokens_to": 10**12,
            "valid_from": start,
            "valid_to": end,
            "known_from": datetime(2025, 12, 1),
            "usd_per_mtok": Decimal(dollars * (model + 1)) / (2 if tier == "batch" else 1) + change,
            "price_source": "benchmark",
            "price_basis": "own",
        }
        for model in range(1, MODELS - 1)
        for tier in ("default", "batch")
        for token_class, dollars in CLASSES.items()
        for start, end, change in ((datetime(2025, 1, 1), PRICE_CHANGE, 0), (PRICE_CHANGE, FOREVER, 1))
        if not (tier == "batch" and model == 5)  # one model has no batch price
    ]
    return pa.Table.from_pylist(rows, schema=contract("prices").arrow_schema())


def owners() -> pa.Table:
    """A rule for every second key, and one for every team of the gateway."""
    keys = [(f"key-{key}", "gateway_key", f"key-{key}", f"owner-{key % 20}") for key in range(0, KEYS, 2)]
    teams = [(f"team-{team}", "gateway_team", f"team-{team}", f"owner-{team % 20}") for team in range(40)]
    rows = [
        {
            "rule_id": rule_id,
            "priority": priority,
            "match_kind": kind,
            "match_key": "",
            "match_value": value,
            "team_id": team,
            "pool_id": None,
            "valid_from": date(1970, 1, 1),
            "valid_to": date(9999, 12, 31),
        }
        for priority, (rule_id, kind, value, team) in enumerate(keys + teams)
    ]
    return pa.Table.from_pylist(rows, schema=contract("owners").arrow_schema())
