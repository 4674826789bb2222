"""The real gateway, end to end: what its provider answered and what it computed itself is what the lake holds, and nothing else.

The gateway, its logger and its database's writer are LiteLLM's own; the provider behind it is this test's.
"""

import gzip
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import obstore
import pyarrow.parquet as pq
import pytest

from connectors.base import Source
from connectors.litellm import SOURCE
from connectors.litellm.database import SOURCE as DATABASE
from connectors.litellm.settings import LiteLlmSettings
from connectors.storage_open import open_store
from connectors.windows import day_window
from pipelines.lake import Lake
from tests.connectors.azure.emulator import Azurite
from tests.connectors.litellm.proxy import BUCKET, FOLDER
from tests.connectors.litellm.spend_table import SpendTable
from tests.connectors.litellm.traffic import OBJECTS, ROWS, Traffic

BUCKETS = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_text_tokens",
    "output_reasoning_tokens",
)


def answered(traffic: Traffic, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the provider answered to the attempt of a logged row; None for a failure."""
    known, found = traffic.proxy.upstream.answered, row["request_id"].partition("_cache_hit")[0]
    if row["status"] == "failure":
        return None
    if found in known:
        return known[found]
    if row["call_type"] == "aembedding":
        return known["text-embedding-3-small"]
    # LiteLLM gives Anthropic's answers in OpenAI's shape an id of its own
    logged = {entry["row"]["request_id"] for entry in traffic.captured}
    (only,) = [usage for key, usage in known.items() if key.startswith("msg_") and key not in logged]
    return only


def exclusive(usage: Mapping[str, Any] | None) -> tuple[int | None, ...]:
    """The exclusive classes of a provider's own usage, by each provider's own documentation."""
    if usage is None:
        return (None,) * len(BUCKETS)
    if "input_tokens" in usage:
        by_duration = usage["cache_creation"]
        return (
            usage["input_tokens"],
            usage["cache_read_input_tokens"],
            by_duration["ephemeral_5m_input_tokens"],
            by_duration["ephemeral_1h_input_tokens"],
            usage["output_tokens"],
            0,
        )
    cached = usage.get("prompt_tokens_details", {}).get("cached_tokens", 0)
    reasoning = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
    return (usage["prompt_tokens"] - cached, cached, 0, 0, usage.get("completion_tokens", 0) - reasoning, reasoning)


def settings_of(traffic: Traffic) -> LiteLlmSettings:
    given = {
        "name": "gateway", "kind": "litellm", "location": f"s3://{BUCKET}/{FOLDER}", "layout": "*/{date}/*",
        "storage": traffic.proxy.store.options, "hash_key": "a key of the tests' own", "environment_key": "env",
        "outcome_keys": ["ticket_id"],
    }  # fmt: skip
    return LiteLlmSettings.model_validate(given)


def days_of(traffic: Traffic) -> list[date]:
    """The UTC days of the requests: two when midnight came between."""
    return sorted({date.fromisoformat(entry["row"]["startTime"][:10]) for entry in traffic.captured})


def into_the_lake(source: Source, settings: Any, days: list[date], folder: Path) -> list[dict[str, Any]]:
    """The rows of the days after a whole ingestion, read back from the lake's own files."""
    lake = Lake.open(str(folder), {}, lambda: datetime(2026, 11, 22))
    for day in days:
        delivery = lake.ingest(source, settings, day_window(day), "test")
        assert (delivery.status, delivery.reject_count) == ("committed", 0), delivery.message
    files = [path for path in folder.rglob("*.parquet") if "gateway_requests" in str(path)]
    return [row for path in files for row in pq.ParquetFile(path).read().to_pylist() if "request_id" in row]


def test_the_lake_holds_the_tokens_that_the_provider_answered_and_the_cost_that_the_gateway_told(
    traffic: Traffic, tmp_path: Path
) -> None:
    rows = into_the_lake(SOURCE, settings_of(traffic), days_of(traffic), tmp_path)
    assert len(rows) == len(traffic.objects) == OBJECTS
    for row in rows:
        assert tuple(row[name] for name in BUCKETS) == exclusive(answered(traffic, row)), row["request_id"]
    told = {key: Decimal(cost).quantize(Decimal("1e-12")) for key, cost in traffic.proxy.costs.items()}
    found = {"text-embedding-3-small" if row["call_type"] == "aembedding" else row["request_id"]: row for row in rows}
    checked = [key for key in told if key in found]
    assert {key: found[key]["source_reported_cost_usd"] for key in checked} == {key: told[key] for key in checked}
    assert len(checked) >= 6
    assert all(told[key] > 0 for key in checked)


def test_what_the_gateway_says_beside_the_figures_is_kept(traffic: Traffic, tmp_path: Path) -> None:
    rows = into_the_lake(SOURCE, settings_of(traffic), days_of(traffic), tmp_path)
    (marked,) = [row for row in rows if row["outcome_ids"]]
    assert (marked["feature"], marked["environment"], marked["gateway_team_id"]) == (
        "search",
        "production",
        "team-search",
    )
    assert json.loads(marked["outcome_ids"]) == {"ticket_id": "T-1"}
    (failed,) = [row for row in rows if row["status"] == "failure" and row["requested_model"] == "flaky"]
    (fallback,) = [
        row for row in rows if row["attempt_group_id"] == failed["attempt_group_id"] and row["status"] == "success"
    ]
    assert (failed["requested_model"], fallback["requested_model"]) == ("flaky", "gpt-4o")
    (hit,) = [row for row in rows if row["is_cache_hit"]]
    assert hit["source_reported_cost_usd"] == 0
    assert hit["avoided_cost_usd"] > 0
    assert {row["billed_model"] for row in rows} == {
        "gpt-4o", "gpt-5", "claude-sonnet-4-5", "text-embedding-3-small", "always-500",
    }  # fmt: skip
    assert [row["is_stream"] for row in rows].count(True) == 1


@pytest.mark.parametrize("way", ["objects", "database"])
def test_no_canary_of_any_field_reaches_the_lakes_disk(
    way: str, traffic: Traffic, table: SpendTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if way == "objects":
        given: tuple[Source, Any] = (SOURCE, settings_of(traffic))
        logged = b"".join(
            traffic.proxy.store.client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in traffic.objects
        )
    else:
        table.write(traffic.captured)
        given = (DATABASE, table.settings())
        logged = json.dumps([entry["row"] for entry in traffic.captured]).encode()
    lake = tmp_path_factory.mktemp("lake")  # the lake names its own folder, and this test's has the word in it
    assert len(into_the_lake(*given, days_of(traffic), lake)) == (OBJECTS if way == "objects" else ROWS)
    # the log itself is full of them, or the test would show nothing
    there = ("canary-user", "canary-note", *(("canary-prompt", "canary-completion") if way == "objects" else ()))
    assert all(canary.encode() in logged for canary in there)
    files = [path for path in lake.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert b"canary" not in plain(path), path


def plain(path: Path) -> bytes:
    """All that a file says: as it is, unpacked, and of Parquet its values."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content += gzip.decompress(content)
    if content[:4] == b"PAR1":
        content += json.dumps(pq.ParquetFile(path).read().to_pylist(), default=str).encode()
    return content


def test_the_database_tells_the_same_of_the_same_attempts_as_the_objects(
    traffic: Traffic, table: SpendTable, tmp_path: Path
) -> None:
    table.write(traffic.captured)
    objects = into_the_lake(SOURCE, settings_of(traffic), days_of(traffic), tmp_path / "objects")
    database = into_the_lake(DATABASE, table.settings(), days_of(traffic), tmp_path / "database")
    assert len(database) == ROWS
    same = (
        *BUCKETS, "source_reported_cost_usd", "source_cost_basis", "status", "billed_model", "requested_model", "provider",
        "key_id", "key_alias", "gateway_team_id", "organization_id", "user_hash", "customer_hash", "feature",
        "environment", "outcome_ids", "is_cache_hit", "call_type", "deployment_id", "api_base", "tags", "gateway",
    )  # fmt: skip

    def by_identity(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        return {
            (row["attempt_group_id"], row["status"], row["is_cache_hit"]): tuple(row[name] for name in same)
            for row in rows
        }

    made_good = [row for row in objects if row["requested_model"] == "flaky"]
    assert len(made_good) == 1
    assert by_identity(database) == by_identity([row for row in objects if row not in made_good])


def test_the_gateways_own_daily_table_agrees_with_the_log_that_was_landed(traffic: Traffic, table: SpendTable) -> None:
    table.write(traffic.captured)
    counted = table.connection.execute('select sum(api_requests), sum(failed_requests) from "LiteLLM_DailyUserSpend"')
    assert counted.fetchone() == (ROWS, 1)
    assert [notice for day in days_of(traffic) for notice in table.night(day).notices] == []


# ---- the other object loggers write the same payloads in other layouts ------------------------------------------------


def laid_out(traffic: Traffic, logger: str) -> dict[str, bytes]:
    """Objects as LiteLLM's loggers for Google Cloud Storage and Azure Blob Storage name and write them."""
    client = traffic.proxy.store.client
    written = [client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in traffic.objects]
    texts = {str(json.loads(content)["id"]): content for content in written}
    day = days_of(traffic)[0]
    if logger == "gcs-batched":
        return {f"{day}/batch-1795270231000-0a1b2c3d.ndjson": b"\n".join(texts.values())}
    if logger == "gcs":
        return {f"{day}/{key}": text for key, text in texts.items()}
    if logger == "azure-key":
        return {f"{day}/{key}.json": text for key, text in texts.items()}
    return {f"{key}.json": text + b"\n" for key, text in texts.items()}  # with Entra ID: at the container's root


LAYOUTS = {
    "gcs-batched": "{date}/*",
    "gcs": "{date}/*",
    "azure-key": "{date}/*",
    "azure-entra": "*.json",
}


@pytest.mark.parametrize("logger", LAYOUTS)
def test_the_layouts_of_the_other_loggers_give_the_same_rows(
    logger: str, traffic: Traffic, azurite: Azurite, tmp_path: Path
) -> None:
    prefix = f"{logger}-log"
    store = open_store(f"az://{azurite.container}/{prefix}", azurite.options())
    for name, content in laid_out(traffic, logger).items():
        obstore.put(store, name, content)
    given = settings_of(traffic).model_dump() | {
        "location": f"az://{azurite.container}/{prefix}", "storage": azurite.options(), "layout": LAYOUTS[logger],
    }  # fmt: skip
    given["hash_key"] = given["hash_key"].get_secret_value()
    rows = into_the_lake(SOURCE, LiteLlmSettings.model_validate(given), days_of(traffic), tmp_path / "there")
    expected = into_the_lake(SOURCE, settings_of(traffic), days_of(traffic), tmp_path / "s3")
    told = ("request_id", "started_at", *BUCKETS, "source_reported_cost_usd")
    assert sorted(str([row[name] for name in told]) for row in rows) == sorted(
        str([row[name] for name in told]) for row in expected
    )
