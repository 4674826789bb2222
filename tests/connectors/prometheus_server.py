"""A real Prometheus server: with a history that promtool made out of OpenMetrics, or with targets that it scrapes."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

IDLE = "global: {scrape_interval: 1h}\n"


@contextmanager
def prometheus_server(folder: Path, *, openmetrics: str | None = None, config: str = IDLE) -> Iterator[str]:
    """The address of a server that holds `openmetrics` and does as `config` says.

    Skips where Prometheus is not installed; fails instead where FARTHING_REQUIRE_SERVERS is set.
    """
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        missing = "prometheus and promtool are not installed (Debian package: prometheus)"
        pytest.fail(missing) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(missing)
    (folder / "prometheus.yml").write_text(config)
    if openmetrics is not None:
        (folder / "given.om").write_text(openmetrics)
        blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "given.om", folder / "tsdb"]
        subprocess.run(blocks, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stderr=log)
        try:
            _await_ready(f"http://{address}/-/ready")
            yield f"http://{address}"
        finally:
            server.terminate()
            server.wait(10)


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"{url} did not become ready in 20 s")
