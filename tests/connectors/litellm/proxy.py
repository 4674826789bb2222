"""The real LiteLLM gateway in front of a provider of this machine's own, logging into an S3 server of this machine's own."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.connectors.litellm.upstream import Upstream, upstream_server
from tests.moto_s3 import KEY_ID, SECRET, ObjectStore, object_store

VERSION = "1.102.4"
UNLOCK = (
    f"the LiteLLM gateway is not installed; `python3 -m venv .venv/litellm && .venv/litellm/bin/pip install "
    f"'litellm[proxy]=={VERSION}'` unlocks this test (FARTHING_LITELLM names another environment)"
)
BUCKET, FOLDER = "llm-logs", "gateway"


def litellm_environment() -> Path:
    """The environment that LiteLLM is installed in. Skips, or fails, where there is none."""
    given = os.environ.get("FARTHING_LITELLM")
    folder = Path(given) if given else Path(__file__).resolve().parents[3] / ".venv/litellm"
    if not (folder / "bin/litellm").exists():
        pytest.fail(UNLOCK) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(UNLOCK)
    return folder


def migrations() -> list[Path]:
    """LiteLLM's own statements that make its database, in their order."""
    (folder,) = litellm_environment().glob("lib/python*/site-packages/litellm_proxy_extras/migrations")
    return sorted(folder.glob("*/migration.sql"))


@dataclass
class Proxy:
    """A running gateway, what is behind it, and where it logs."""

    address: str
    upstream: Upstream
    store: ObjectStore
    capture: Path
    costs: dict[str, str] = field(default_factory=dict)  # by the answer's id: the cost that the gateway itself told

    def ask(self, path: str, body: dict[str, Any], key: str = "sk-team-search", **headers: str) -> httpx.Response:
        """One request of a caller; what the gateway says that it cost is kept."""
        sent = {"Authorization": f"Bearer {key}", "x-canary": "canary-header", **headers}
        answer = httpx.post(f"{self.address}{path}", json=body, headers=sent, timeout=60, trust_env=False)
        if answer.status_code == 200 and "x-litellm-response-cost" in answer.headers:
            self.costs[answer.json().get("id") or body["model"]] = answer.headers["x-litellm-response-cost"]
        return answer

    def chat(self, model: str, key: str = "sk-team-search", **over: Any) -> httpx.Response:
        """A chat completion."""
        messages = [{"role": "system", "content": "canary-system"}, {"role": "user", "content": "canary-prompt"}]
        return self.ask("/v1/chat/completions", {"model": model, "messages": messages, **over}, key)

    def captured(self, count: int) -> list[dict[str, Any]]:
        """What the gateway's own writer made of `count` attempts."""
        _await(lambda: self.capture.exists() and self.capture.read_bytes().count(b"\n") >= count, "the gateway's rows")
        return [json.loads(line) for line in self.capture.read_text().splitlines()]

    def objects(self, count: int) -> list[str]:
        """The keys of `count` objects that the gateway has written."""

        def listed() -> list[str]:
            found = self.store.client.list_objects_v2(Bucket=BUCKET)
            return [entry["Key"] for entry in found.get("Contents", [])]

        _await(lambda: len(listed()) >= count, "the gateway's objects")
        return listed()


@contextmanager
def running_proxy(folder: Path) -> Generator[Proxy]:
    """The gateway, ready to be asked."""
    program = litellm_environment() / "bin/litellm"
    for name in ("gateway_auth.py", "gateway_capture.py"):
        shutil.copy(Path(__file__).parent / "gateway" / name, folder)
    with upstream_server() as upstream, object_store(BUCKET) as store:
        config, port, capture = folder / "config.yaml", _free_port(), folder / "capture.jsonl"
        config.write_text(yaml.safe_dump(_config(upstream, store)))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # prices of its own: nothing is downloaded
            "DEFAULT_S3_FLUSH_INTERVAL_SECONDS": "1",
            "GATEWAY_CAPTURE": str(capture),
            "LITELLM_TELEMETRY": "False",
            "TZ": "UTC",
        }
        command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        with (folder / "log").open("wb") as log:
            gateway = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            proxy = Proxy(f"http://127.0.0.1:{port}", upstream, store, capture)
            _await(lambda: _answers(proxy.address, gateway), f"the gateway ({folder / 'log'})", 120)
            yield proxy
        finally:
            gateway.terminate()
            gateway.wait(20)


def _config(upstream: Upstream, store: ObjectStore) -> dict[str, Any]:
    openai = {"api_base": f"{upstream.address}/v1", "api_key": "sk-canary-provider-key"}
    models = {
        "gpt-4o": {"model": "openai/gpt-4o", **openai},
        "gpt-5": {"model": "openai/gpt-5", **openai},
        "claude-sonnet": {**openai, "model": "anthropic/claude-sonnet-4-5", "api_base": upstream.address},
        "flaky": {"model": "openai/always-500", **openai},
        "broken": {"model": "openai/always-500", **openai},
        "text-embedding-3-small": {"model": "openai/text-embedding-3-small", **openai},
    }
    return {
        "model_list": [
            {"model_name": name, "litellm_params": given, "model_info": {"id": f"deployment-{name}"}}
            for name, given in models.items()
        ],
        "router_settings": {"num_retries": 0, "fallbacks": [{"flaky": ["gpt-4o"]}]},
        "litellm_settings": {
            "callbacks": ["s3_v2", "gateway_capture.capture"],
            "cache": True,
            "cache_params": {"type": "local", "mode": "default_off", "supported_call_types": ["acompletion"]},
            "s3_callback_params": {
                "s3_bucket_name": BUCKET,
                "s3_region_name": "us-east-1",
                "s3_endpoint_url": store.address,
                "s3_aws_access_key_id": KEY_ID,
                "s3_aws_secret_access_key": SECRET,
                "s3_path": FOLDER,
                "s3_use_team_prefix": True,
            },
        },
        "general_settings": {"custom_auth": "gateway_auth.user_api_key_auth", "master_key": "sk-canary-master"},
    }


def _answers(address: str, gateway: "subprocess.Popen[bytes]") -> bool:
    if gateway.poll() is not None:
        pytest.fail(f"the gateway ended with status {gateway.returncode} before it answered")
    try:
        return httpx.get(f"{address}/health/liveliness", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _await(is_there: Any, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
