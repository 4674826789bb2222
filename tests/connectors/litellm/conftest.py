"""A gateway whose log lies in a folder, and the captures of a real one where they are at hand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.litellm import SOURCE
from tests.connectors.litellm.proxy import migrations, running_proxy
from tests.connectors.litellm.spend_table import SpendTable
from tests.connectors.litellm.traffic import Traffic, drive
from tests.connectors.stored_log import DAY, KEY, LogFolder
from tests.postgres_server import Postgres, postgres_server

__all__ = ["DAY", "KEY", "Gateway"]

CAPTURES = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/litellm_real"


@pytest.fixture(scope="session")
def captures() -> Path:
    if not CAPTURES.is_dir():
        pytest.skip("the captures of a real gateway are not beside this checkout")
    return CAPTURES


class Gateway(LogFolder):
    """A gateway's log."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SOURCE, {"name": "gateway"})


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    (tmp_path / "log").mkdir()
    return Gateway(tmp_path / "log")


@pytest.fixture(scope="session")
def payload() -> Callable[..., dict[str, Any]]:
    """A payload such as the S3 logger writes, made by hand: 1000 tokens in, of which 600 cached, 50 out."""

    def make(**over: Any) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "litellm_call_id": "call-1",
            "trace_id": "trace-1",
            "call_type": "acompletion",
            "status": "success",
            "cache_hit": None,
            "stream": None,
            "custom_llm_provider": "openai",
            "model": "openai/gpt-5-mini",
            "model_group": "small",
            "model_id": "deployment-1",
            "api_base": "https://api.example.com/v1",
            "startTime": 1795226400.25,  # 2026-11-21 02:00:00.25 UTC
            "endTime": 1795226401.75,
            "response_cost": 0.000215,
            "cost_breakdown": {"original_cost": 0.000215, "total_cost": 0.000215},
            "prompt_tokens": 1000,
            "completion_tokens": 50,
            "total_tokens": 1050,
            "request_tags": ["feature:search", "User-Agent: curl"],
            "end_user": "customer-7",
            "messages": [{"role": "user", "content": "a prompt"}],
            "metadata": {
                "user_api_key_hash": "0" * 64,
                "user_api_key_alias": "search-key",
                "user_api_key_team_id": "team-search",
                "user_api_key_user_id": "alice@corp.test",
                "usage_object": {
                    "prompt_tokens": 1000,
                    "completion_tokens": 50,
                    "total_tokens": 1050,
                    "prompt_tokens_details": {"cached_tokens": 600},
                    "completion_tokens_details": {"reasoning_tokens": 20},
                },
            },
            **over,
        }

    return make


@pytest.fixture(scope="session")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    """What callers asked of a real gateway, what its provider answered, and what it logged."""
    with running_proxy(tmp_path_factory.mktemp("proxy")) as proxy:
        yield drive(proxy)


# each test has a copy of the database; the tables that nobody reads would make most of its work
_WITHOUT_OTHERS = """do $$ declare name text; begin
for name in select tablename from pg_tables where schemaname = 'public'
    and tablename not in ('LiteLLM_SpendLogs', 'LiteLLM_DailyUserSpend', 'LiteLLM_DailyTagSpend')
loop execute format('drop table %I cascade', name); end loop; end $$"""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server whose database `litellm` LiteLLM's own statements have made."""
    statements = [path.read_text() for path in migrations()]
    with postgres_server() as server:
        server.run("postgres", "create database litellm")
        server.run("litellm", *statements, _WITHOUT_OTHERS)
        yield server


@pytest.fixture
def table(postgres: Postgres) -> Iterator[SpendTable]:
    """LiteLLM's database, without a row."""
    found = SpendTable(postgres)
    yield found
    found.close()
