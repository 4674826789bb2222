"""A gateway whose log lies in a folder, and the captures of a real one where they are at hand."""

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.base import LandedPage, Parsed
from connectors.litellm import SOURCE
from connectors.litellm.settings import LiteLlmSettings

CAPTURES = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/litellm_real"
DAY = date(2026, 11, 21)
KEY = "a key of the tests' own"


@pytest.fixture(scope="session")
def captures() -> Path:
    if not CAPTURES.is_dir():
        pytest.skip("the captures of a real gateway are not beside this checkout")
    return CAPTURES


class Gateway:
    """Files below a folder, and what the source makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def settings(self, **over: Any) -> LiteLlmSettings:
        return LiteLlmSettings(
            **{"name": "gateway", "kind": "litellm", "location": str(self.folder), "hash_key": KEY, **over}
        )

    def file(self, path: str, rows: Sequence[Any]) -> None:
        """Writes rows as JSON lines, gzipped where the name says so."""
        self.raw(path, b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    def raw(self, path: str, content: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content, mtime=0) if path.endswith(".gz") else content)

    def landed(self, day: date = DAY, **over: Any) -> list[LandedPage]:
        settings = self.settings(**over)
        window = SOURCE.windows(settings, day)[-1]
        pages = []
        for page in SOURCE.fetch(settings, window):
            with page.body.open() as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
            pages.append(LandedPage(page.name, digest, page.body))
        return pages

    def night(self, day: date = DAY, **over: Any) -> Parsed:
        """The whole delivery of a day, its chunks put together."""
        settings = self.settings(**over)
        window = SOURCE.windows(settings, day)[-1]
        chunks = list(SOURCE.parse(settings, window, self.landed(day, **over)))
        return Parsed(
            rows=pa.concat_tables([chunk.rows for chunk in chunks]),
            rejects=tuple(reject for chunk in chunks for reject in chunk.rejects),
            duplicate_count=sum(chunk.duplicate_count for chunk in chunks),
            notices=tuple(notice for chunk in chunks for notice in chunk.notices),
        )

    def rows(self, day: date = DAY, **over: Any) -> list[dict[str, Any]]:
        """The rows of a day that has nothing to refuse."""
        night = self.night(day, **over)
        assert night.rejects == ()
        return night.rows.to_pylist()


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
