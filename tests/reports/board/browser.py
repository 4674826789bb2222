"""A headless Chromium that is spoken to: opens a file, presses keys, clicks, and keeps what the page complained of."""

import json
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PATIENCE = 60.0
KEYS = {"Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "Tab": 9} | {
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}
LOADED = "document.getElementById('board')?.getAttribute('data-drawn')"


class Page:
    """One page. `complaints` has every exception, error and warning; `asked` every address that it wanted to load."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []
        self.asked: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Asks the browser for something, and reads what happened until it answers."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._keep(answer)

    def _keep(self, event: dict[str, Any]) -> None:
        told = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])
        is_said = event["method"] == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning", "assert"}
        if is_said or event["method"] in {"Runtime.exceptionThrown", "Log.entryAdded"}:
            self.complaints.append(json.dumps(told)[:500])

    def run(self, script: str) -> Any:
        """What a script on the page comes to. Promises are waited for."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def size(self, width: int, height: int = 900) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, file: Path, view: str = "") -> None:
        """Opens a board and waits until it is drawn."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=file.as_uri() + (f"#{view}" if view else ""))
        self.until(LOADED)

    def until(self, script: str) -> Any:
        """Waits until a script comes to something that is not false."""
        end = time.monotonic() + PATIENCE
        while not (found := self.run(script)):
            assert time.monotonic() < end, f"still not so: {script}; complaints: {self.complaints}"
            time.sleep(0.02)
        return found

    def act(self, script: str) -> None:
        """Does something that changes the view, and waits until the page is drawn anew."""
        self.run("document.getElementById('board').removeAttribute('data-drawn')")
        self.run(script)
        self.until(LOADED)

    def press(self, key: str, *, changes: bool = False) -> None:
        if changes:
            self.run("document.getElementById('board').removeAttribute('data-drawn')")
        code = {"key": key, "windowsVirtualKeyCode": KEYS[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", **code, **({"text": "\r"} if key == "Enter" else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **code)
        if changes:
            self.until(LOADED)

    def text(self, selector: str) -> str:
        return self.run(f"document.querySelector({json.dumps(selector)}).textContent")

    def texts(self, selector: str) -> list[str]:
        return self.run(f"Array.from(document.querySelectorAll({json.dumps(selector)}), x => x.textContent)")

    def focused(self) -> str | None:
        return self.run("document.activeElement.getAttribute('data-focus')")

    def downloaded(self, folder: Path, script: str) -> bytes:
        """The file that a script makes the page write."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.run(script)
        end = time.monotonic() + PATIENCE
        while not (
            found := [f for f in folder.iterdir() if f.suffix == ".csv" and f.stat().st_size]
        ):  # there before it is filled
            assert time.monotonic() < end, "nothing was downloaded"
            time.sleep(0.02)
        return found[0].read_bytes()


@contextmanager
def browser(program: str, profile: Path) -> Generator[Page]:
    """A browser with a profile of its own, ended afterwards with all of its processes."""
    switches = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0")
    command = [program, *switches, "--no-first-run", f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        with connect(_address(profile), max_size=None) as socket:
            yield Page(socket)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)
        shutil.rmtree(profile, ignore_errors=True)


def _address(profile: Path) -> str:
    told = profile / "DevToolsActivePort"
    end = time.monotonic() + PATIENCE
    while not (told.exists() and "\n" in told.read_text()):
        assert time.monotonic() < end, "the browser did not start"
        time.sleep(0.02)
    port = told.read_text().splitlines()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as answer:
        pages = [page for page in json.load(answer) if page["type"] == "page"]
    return pages[0]["webSocketDebuggerUrl"]
