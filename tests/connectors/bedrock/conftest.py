"""Invocations such as Amazon Bedrock logs them, made by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.bedrock import SOURCE
from tests.connectors.stored_log import LogFolder

FOLDER = "2026/11/21/02"


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    (tmp_path / "log").mkdir()
    return LogFolder(tmp_path / "log", SOURCE, {"outcome_keys": ["ticket"]})


@pytest.fixture(scope="session")
def invocation() -> Callable[..., dict[str, Any]]:
    """Converse: 100 new tokens, 700 read from the cache, 400 written to it, 100 of them for an hour; 300 out."""

    def make(**over: Any) -> dict[str, Any]:
        return {
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
            "timestamp": "2026-11-21T02:00:00Z",
            "accountId": "111122223333",
            "identity": {"arn": "arn:aws:sts::111122223333:assumed-role/search-svc/alice@corp.test"},
            "region": "us-east-1",
            "inferenceRegion": "us-west-2",
            "requestId": "915a6a04",
            "operation": "Converse",
            "modelId": "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "requestMetadata": {"team": "search", "ticket": "T-1", "feature": "answer", "note": "private"},
            "input": {
                "inputContentType": "application/json",
                "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "a prompt"}]}]},
                "inputTokenCount": 100,
                "cacheReadInputTokenCount": 700,
                "cacheWriteInputTokenCount": 400,
            },
            "output": {
                "outputContentType": "application/json",
                "outputBodyJson": {
                    "output": {"message": {"content": [{"text": "an answer"}]}},
                    "usage": {
                        "inputTokens": 100,
                        "outputTokens": 300,
                        "totalTokens": 1500,
                        "cacheReadInputTokens": 700,
                        "cacheWriteInputTokens": 400,
                        "cacheDetails": [{"ttl": "5m", "inputTokens": 300}, {"ttl": "1h", "inputTokens": 100}],
                    },
                },
                "outputTokenCount": 300,
            },
            **over,
        }

    return make
