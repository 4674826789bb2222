"""A PostgreSQL of one's own: a real server on this machine, empty, as fast as it goes because nobody keeps what it holds."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

UNLOCK = "PostgreSQL's server is not installed; `apt-get install postgresql` unlocks this test"
PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class Postgres:
    """A running server. Its administrator is `postgres`; everybody needs a password."""

    port: int
    folder: Path

    def dsn(self, database: str = "postgres", user: str = "postgres", password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def put(self, name: str, content: bytes) -> None:
        """A file that the server alone may read, in its folder."""
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")

    def run(self, database: str, *statements: str) -> None:
        """Runs statements as the administrator."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]


@contextmanager
def postgres_server(*settings: str) -> Generator[Postgres]:
    """A server with those settings (`name=value`). Skips, or fails, where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        pytest.fail(UNLOCK) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(UNLOCK)
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres", "postgres")
        _as_postgres(
            programs / "initdb", "-D", str(folder / "data"), "-U", "postgres", "--pwfile", str(folder / "password"),
            "--auth=scram-sha-256", "--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C",
        )  # fmt: skip
        port = _free_port()
        given = [
            "fsync=off",
            "full_page_writes=off",
            "wal_level=minimal",
            "max_wal_senders=0",
            "listen_addresses=127.0.0.1",
            *settings,
        ]
        options = " ".join(f"-c {setting}" for setting in [f"unix_socket_directories={folder}", *given])
        control = (programs / "pg_ctl", "-D", str(folder / "data"), "-w", "-s")
        _as_postgres(*control, "-l", str(folder / "log"), "-o", f"-p {port} {options}", "start")
        try:
            yield Postgres(port, folder)
        finally:
            _as_postgres(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _as_postgres(program: Path, *arguments: str) -> None:
    who = {"user": "postgres", "group": "postgres", "extra_groups": ()} if os.geteuid() == 0 else {}
    subprocess.run(
        [str(program), *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **who
    )


def _programs() -> Path | None:
    """Debian keeps the server's programs of each version in a folder of their own."""
    found: Sequence[Path] = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]), reverse=True
    )
    which = shutil.which("initdb")
    path = found[0] if found else Path(which) if which else None
    if path is None or (os.geteuid() == 0 and not _has_user()):
        return None
    return path.parent


def _has_user() -> bool:
    return any(entry.pw_name == "postgres" for entry in pwd.getpwall())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
