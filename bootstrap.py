#!/usr/bin/env python3
"""Sets Farthing up and runs it, on a machine that has Python 3.11 or newer and nothing else.

    python3 bootstrap.py demo     the sample company through a whole nightly run, to a report
    python3 bootstrap.py test     the tests
    python3 bootstrap.py setup    only the environment, for development
    python3 bootstrap.py check    formatting, linting, types, generated documents

Everything goes into `.venv` beside this file; the system is left alone. Standard library only, on purpose.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
UV = "uv>=0.11,<1"
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("pyright",),
    ("sqlfluff", "lint", "--disable-progress-bar", "-q", "sql"),
    ("python", "-m", "pipelines.documents", "--check"),
)


def main(arguments: list[str]) -> int:
    """Runs one command; the rest of the arguments goes to it. Returns the exit code."""
    commands = {"demo": demo, "test": test, "setup": setup, "check": check}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what says so
        version = ".".join(map(str, sys.version_info[:3]))
        print(f"Farthing needs Python 3.11 or newer; this is {version}. Try: python3.11 bootstrap.py {arguments[0]}")
        return 2
    return commands[arguments[0]](arguments[1:])


def demo(arguments: list[str]) -> int:
    """The sample company through a whole nightly run."""
    install("run")
    return run(["farthing", "demo", *arguments])


def test(arguments: list[str]) -> int:
    """The tests, in parallel on the machine's cores."""
    install("dev")
    # In the order of tests/conftest.py, longest first: by itself loadscope begins with the module of the most tests.
    spread = ["-n", str(os.cpu_count() or 2), "--dist", "loadscope", "--no-loadscope-reorder"]
    return run(["python", "-m", "pytest", *spread, *arguments])


def setup(_: list[str]) -> int:
    """The development environment."""
    install("dev")
    print(f"Ready. Activate it with: . {os.path.relpath(BIN / 'activate')}")
    return 0


def check(_: list[str]) -> int:
    """Every check that is not a test; all of them run, the first failure decides the exit code."""
    install("dev")
    codes = [run(list(command)) for command in CHECKS]
    return next((code for code in codes if code), 0)


def install(lock: str) -> None:
    """Makes `.venv` hold at least what `requirements/<lock>.lock` says, this checkout, pip and uv.

    Does nothing when it does already. A development environment stays one: it holds all that a run needs. Nothing that
    is there is taken away, because a nightly run may be using it: what is missing comes on top.
    """
    mark = VENV / "installed"
    is_sound = environment_is_sound()
    installed = mark.read_text() if is_sound and mark.exists() else ""
    lock = "dev" if installed.startswith("dev ") else lock
    wanted = ROOT / "requirements" / f"{lock}.lock"
    content = wanted.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    current = f"{lock} {hashlib.sha256(content).hexdigest()}"
    if installed == current and (BIN / "farthing").exists():
        return
    started = time.monotonic()
    print("Setting up .venv (a minute the first time) ...", flush=True)
    if not is_sound:
        shutil.rmtree(VENV, ignore_errors=True)
    make_environment()
    environment = installer_environment()
    uv = [str(BIN / "python"), "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
    for step in ([*uv, "--require-hashes", "--requirements", str(wanted)], [*uv, "--editable", str(ROOT)]):
        if subprocess.run(step, env=environment, cwd=ROOT, check=False).returncode:
            raise SystemExit("The packages could not be installed; the lines above say why. Run this again afterwards.")
    mark.write_text(current)
    print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)


def environment_is_sound() -> bool:
    """Whether `.venv` has a Python, and packages for that very one: an upgrade of the system may have changed it."""
    if not (BIN / "python").exists():
        return False
    ask = [BIN / "python", "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
    found = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    return bool(found) and (VENV / "lib" / f"python{found}" / "site-packages").is_dir()


def installer_environment() -> dict[str, str]:
    """What uv is told: this environment's Python, the system's certificates, and the index that pip is set to."""
    environment = {**os.environ, "UV_COMPILE_BYTECODE": "1", "UV_PYTHON": str(BIN / "python")}
    environment.pop("VIRTUAL_ENV", None)
    environment.setdefault("UV_SYSTEM_CERTS", "true")  # companies put their own authority there
    ask = [BIN / "python", "-m", "pip", "config", "get", "global.index-url"]
    index = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    if index and "UV_INDEX_URL" not in environment:
        environment.setdefault("UV_DEFAULT_INDEX", index)
    return environment


def make_environment() -> None:
    """A virtual environment with uv in it. Debian keeps what this needs in python3-venv."""
    if not (BIN / "python").exists():
        try:
            venv.create(VENV, with_pip=True)
        except (subprocess.CalledProcessError, ImportError, OSError) as error:
            shutil.rmtree(VENV, ignore_errors=True)
            remedy = "On Debian and Ubuntu: apt-get install python3-venv"
            raise SystemExit(f"Python cannot make a virtual environment here ({error}). {remedy}") from None
    if subprocess.run([BIN / "python", "-m", "uv", "--version"], capture_output=True, check=False).returncode:
        if subprocess.run([BIN / "python", "-m", "pip", "--version"], capture_output=True, check=False).returncode:
            subprocess.run([BIN / "python", "-m", "ensurepip"], capture_output=True, check=False)
        pip = [BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]
        if subprocess.run(pip, check=False).returncode:
            raise SystemExit("uv could not be installed with pip; the lines above say why.")


def run(command: list[str]) -> int:
    """Runs a command of the environment in the checkout."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": str(VENV)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([str(BIN / command[0]), *command[1:]], env=environment, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
