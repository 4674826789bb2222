"""Jobs for processes of their own, which can only be handed functions of a module."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import BinaryIO

from connectors.base import RefusedRequestError


def write_text(text: str, sink: BinaryIO) -> None:
    sink.write(text.encode())


def write_modules(beside: object, sink: BinaryIO) -> None:
    """The names of all packages that the process has imported, for `beside` too."""
    sink.write(" ".join({name.partition(".")[0] for name in sys.modules}).encode())


def write_how_it_was_started(sink: BinaryIO) -> None:
    sink.writelines(Path(f"/proc/self/{name}").read_bytes() for name in ("cmdline", "environ"))


def refuse(message: str, sink: BinaryIO) -> None:
    raise RefusedRequestError(404, message)


def stumble(sink: BinaryIO) -> None:
    sink.write(str({}["absent"]).encode())


def be_killed(sink: BinaryIO) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def be_killed_elsewhere(here: int, sink: BinaryIO) -> None:
    if os.getpid() != here:
        be_killed(sink)


def sleep_for_ever(mark: str, sink: BinaryIO) -> None:
    Path(mark).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)
