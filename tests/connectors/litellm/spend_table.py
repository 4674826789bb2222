"""LiteLLM's database on a real server: rows are put in as its writer puts them, and read by the source."""

import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from connectors.base import LandedPage
from connectors.litellm.database import SOURCE
from tests.connectors.stored_log import DAY, LogNights
from tests.postgres_server import Postgres

_NAMES = itertools.count()
_DIMENSIONS = ("user_id", "date", "api_key", "model", "model_group", "custom_llm_provider", "endpoint")


class SpendTable(LogNights):
    """A database of one's own, made from `litellm`, and what the source makes of its days."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.name = f"gateway_{next(_NAMES)}"
        server.run("postgres", f"create database {self.name} template litellm")
        self.connection = psycopg.connect(server.dsn(self.name), autocommit=True)
        given = {"name": "gateway", "dsn": server.dsn(self.name), "tls": "disable"}
        super().__init__(SOURCE, {**given, "environment_key": "env", "outcome_keys": ["ticket_id"]})

    def close(self) -> None:
        self.connection.close()
        self.server.run("postgres", f"drop database {self.name} with (force)")

    def run(self, statement: str) -> None:
        self.connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]

    def add(self, **row: Any) -> None:
        """One attempt, as `get_logging_payload` writes it; what is left out is an ordinary answer's."""
        started = row.get("startTime", "2026-11-21 10:00:00")
        row = {
            "request_id": "r1", "call_type": "acompletion", "api_key": "ab" * 32, "spend": 0.001,
            "total_tokens": 120, "prompt_tokens": 100, "completion_tokens": 20, "endTime": started,
            "model": "openai/gpt-4o", "custom_llm_provider": "openai", "status": "success", "cache_hit": "False",
            "metadata": "{}", **row, "startTime": started,
        }  # fmt: skip
        self._insert("LiteLLM_SpendLogs", row)

    def add_daily(self, **row: Any) -> None:
        """One row of the daily table."""
        row = {"id": f"d{next(_NAMES)}", "date": "2026-11-21", "api_key": "ab" * 32, "model": "openai/gpt-4o",
               "updated_at": "2026-11-22", **row}  # fmt: skip
        self._insert("LiteLLM_DailyUserSpend", row)

    def write(self, captured: list[dict[str, Any]]) -> None:
        """What a gateway's own writers made of attempts: the log, and the daily amounts added up as they do it."""
        for entry in captured:
            times = ("startTime", "endTime", "completionStartTime")
            row = entry["row"]
            utc = {name: row[name].replace("+00:00", "") for name in times if row.get(name) not in (None, "None")}
            self._insert("LiteLLM_SpendLogs", {**row, **utc})
        days: dict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for entry in captured:
            daily = {"user_id": entry["row"]["user"], **entry["daily"]}
            amounts = {name: value for name, value in daily.items() if isinstance(value, int | float)}
            for name, value in amounts.items():
                days[tuple(daily[name] for name in _DIMENSIONS)][name] += value
        for dimensions, amounts in days.items():
            self.add_daily(**dict(zip(_DIMENSIONS, dimensions, strict=True)), **amounts)

    def ids(self, day: date = DAY, **over: Any) -> list[str]:
        night = self.night(day, **over)
        assert night.rejects == ()
        return night.rows["request_id"].to_pylist()

    def _insert(self, name: str, row: Mapping[str, Any]) -> None:
        columns = [key for key, value in row.items() if value is not None]
        question = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(name),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(sql.Placeholder() * len(columns)),
        )
        written = [json.dumps(row[key]) if isinstance(row[key], dict | list) else row[key] for key in columns]
        self.connection.execute(question, written)


def landed_text(pages: list[LandedPage]) -> bytes:
    """All that was landed."""
    found = b""
    for page in pages:
        with page.body.open() as stream:
            found += stream.read()
    return found
