"""The real Phoenix server, and spans sent to it by OpenTelemetry's own exporter."""

import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

VERSION = "20.26.1"
UNLOCK = (
    f"the Phoenix server is not installed; `.venv/bin/uv venv .venv/phoenix && .venv/bin/uv pip install --python "
    f".venv/phoenix/bin/python 'arize-phoenix=={VERSION}'` unlocks this test (FARTHING_PHOENIX names another environment)"
)
START_SECONDS = 240  # the first start compiles all of it
TAKEN_IN_SECONDS = 120


def phoenix_environment() -> Path:
    """The environment that Phoenix is installed in. Skips, or fails, where there is none."""
    given = os.environ.get("FARTHING_PHOENIX")
    folder = Path(given) if given else Path(__file__).resolve().parents[3] / ".venv/phoenix"
    if not (folder / "bin/phoenix").exists():
        pytest.fail(UNLOCK) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(UNLOCK)
    return folder


@contextmanager
def running_phoenix(folder: Path) -> Generator[str]:
    """The address of a server with a database of its own, ready to be asked."""
    program, port = phoenix_environment() / "bin/phoenix", _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(_free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([str(program), "serve"], env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        _await(f"{address}/v1/projects", server, folder / "log")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def send_spans(address: str, project: str, seconds: int) -> None:
    """Sends the spans of `sender.py`, which start at that second since 1970, and waits until the server has taken them in."""
    sender = Path(__file__).parent / "sender.py"
    command = [str(phoenix_environment() / "bin/python"), str(sender), f"{address}/v1/traces", project, str(seconds)]
    subprocess.run(command, check=True, timeout=TAKEN_IN_SECONDS, capture_output=True)
    deadline = time.monotonic() + TAKEN_IN_SECONDS
    path = f"{address}/v1/projects/{project}/spans"
    while _held(path) < SENT:
        if time.monotonic() > deadline:
            pytest.fail(f"the server did not take the spans in within {TAKEN_IN_SECONDS} s")
        time.sleep(0.1)


SENT = 8


def _held(path: str) -> int:
    """How many spans the server shows: none while it has not made the project yet."""
    answer = httpx.get(path, trust_env=False, timeout=60)
    return len(answer.json()["data"]) if answer.status_code == 200 else 0


def _await(path: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"Phoenix ended with status {server.returncode} before it answered: {log.read_text()[-500:]}")
        try:
            if httpx.get(path, trust_env=False, timeout=60).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"Phoenix did not answer within {START_SECONDS} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
