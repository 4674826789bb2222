"""Azurite, the emulator of Azure's own blob storage, where it is installed: its account, and a container for blobs."""

import base64
import hashlib
import hmac
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import obstore
import pytest
from obstore.store import AzureStore

UNLOCK = "npm install --prefix .venv/azurite azurite@3.35.0"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # the emulator's own


@dataclass(frozen=True)
class Azurite:
    """A running emulator with one container."""

    address: str
    container: str

    def options(self, **over: str) -> dict[str, str]:
        """The storage options that a source's settings would hold."""
        return {
            "azure_storage_account_name": ACCOUNT,
            "azure_storage_account_key": KEY,
            "azure_storage_endpoint": f"{self.address}/{ACCOUNT}",
            "azure_allow_http": "true",
            **over,
        }

    def put(self, path: str, content: bytes) -> None:
        """Writes a blob, as Cost Management would."""
        store = AzureStore(
            self.container,
            account_name=ACCOUNT,
            account_key=KEY,
            endpoint=f"{self.address}/{ACCOUNT}",
            client_options={"allow_http": True},
        )
        obstore.put(store, path, content)


@contextmanager
def azurite_server(folder: Path) -> Generator[Azurite]:
    """Azurite, keeping its blobs in the folder. Skips, or fails, where it is not installed."""
    program = _program()
    if program is None:
        missing = f"Azurite is not installed; `{UNLOCK}` (Node.js 20) unlocks this test"
        pytest.fail(missing) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(missing)
    port = _free_port()
    command = [str(program), "--silent", "--location", str(folder), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    with subprocess.Popen(
        [*command, "--skipApiVersionCheck"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        try:
            _await(port, run)
            yield Azurite(f"http://127.0.0.1:{port}", _container(port, "msexports"))
        finally:
            run.terminate()


def _program() -> Path | None:
    root = Path(__file__).resolve().parents[3]
    folders = [Path(given) for given in [os.environ.get("FARTHING_AZURITE")] if given]
    for folder in (*folders, root / ".venv/azurite"):
        if (found := folder / "node_modules/.bin/azurite-blob").exists():
            return found
    found = shutil.which("azurite-blob")
    return Path(found) if found else None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _await(port: int, run: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and run.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("Azurite did not start within 30 s")


def _container(port: int, name: str) -> str:
    """Makes a container; the object store's client has no call for that."""
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"x-ms-date": date, "x-ms-version": "2021-12-02"}
    signed = "".join(f"{key}:{value}\n" for key, value in sorted(headers.items()))
    text = "PUT" + "\n" * 12 + signed + f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    answer = httpx.put(
        f"http://127.0.0.1:{port}/{ACCOUNT}/{name}?restype=container",
        headers={**headers, "Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": "0"},
    )
    assert answer.status_code == 201, answer.text
    return name
