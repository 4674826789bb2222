"""A log that exists nowhere, declared as the charter of `connectors.logs` says that any log is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.base import SourceSettings
from connectors.logs.allow_list import AllowList, allow_list, each_of, rules_of
from connectors.logs.attempt import Attempt, Record
from connectors.logs.buckets import Counts, exclusive
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.files import Csv
from connectors.logs.instants import microseconds
from connectors.logs.settings import StoredLogSettings
from connectors.logs.source import StoredLog
from connectors.logs.values import count, flag, instant, money
from tests.connectors.stored_log import LogFolder


class Acme(StoredLog[StoredLogSettings]):
    """Nine fields."""

    kind: ClassVar[str] = "acme"
    settings_model: ClassVar[type[SourceSettings]] = StoredLogSettings
    essential: ClassVar[frozenset[str]] = frozenset({"request_id", "startTime"})

    def allow_list(self, settings: StoredLogSettings) -> AllowList:
        text = rules_of(settings.hash_key).text
        counts = each_of("input_tokens output_tokens", count)
        return allow_list(
            {**each_of("request_id model status", text), **counts, "startTime": instant, "hit": flag}
            | each_of("cost saved", money)
        )

    def started(self, settings: StoredLogSettings, row: Mapping[str, Any]) -> int | None:
        return microseconds(row.get("startTime"))

    def csv(self, settings: StoredLogSettings) -> Csv:
        return Csv(frozenset({"request_id", "startTime"}))

    def cost(self, settings: StoredLogSettings, record: Record) -> str | None:
        return record.get("cost")

    def read(self, settings: StoredLogSettings, record: Record) -> Attempt:
        counts = Counts(record.get("input_tokens"), record.get("output_tokens"))
        return Attempt(
            request_id=record.get("request_id"),
            started_at=microseconds(record.get("startTime")),
            status=record.get("status", "success"),
            usage=exclusive(counts, CONVENTIONS["openai"]),
            billed_model=record.get("model"),
            is_cache_hit=record.get("hit") is True,
            avoided_cost=record.get("saved"),
            source_cost_basis="list",
        )


@pytest.fixture(scope="session")
def acme() -> Acme:
    return Acme()


@pytest.fixture
def log(tmp_path: Path, acme: Acme) -> LogFolder:
    (tmp_path / "log").mkdir()
    return LogFolder(tmp_path / "log", acme)


@pytest.fixture(scope="session")
def row() -> Callable[..., dict[str, Any]]:
    def make(**over: Any) -> dict[str, Any]:
        return {
            "request_id": "r",
            "startTime": 1795226400.25,  # 2026-11-21 02:00:00.25 UTC
            "model": "gpt-5-mini",
            "input_tokens": 1000,
            "output_tokens": 50,
            "cost": 0.000215,
            "messages": [{"role": "user", "content": "a prompt " * 40}],
            **over,
        }

    return make
