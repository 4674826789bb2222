"""A database's certificate is looked at unless the settings say otherwise."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.base import SourceError
from connectors.litellm.database import SOURCE
from connectors.litellm.settings import LiteLlmDatabaseSettings
from tests.postgres_server import Postgres, postgres_server


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, Path]]:
    """A server that speaks TLS with a certificate that it signed itself, and that certificate."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=database",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key"), "-out", str(folder / "certificate")],
        check=True, capture_output=True,
    )  # fmt: skip
    with postgres_server() as server:
        for name in ("key", "certificate"):
            server.put(name, (folder / name).read_bytes())
        server.run(
            "postgres",
            f"alter system set ssl_cert_file = '{server.folder}/certificate'",
            f"alter system set ssl_key_file = '{server.folder}/key'",
            "alter system set ssl = on",
            "select pg_reload_conf()",
            'create table "LiteLLM_SpendLogs" (request_id text, "startTime" timestamp)',
        )
        yield server, folder / "certificate"


def settings(server: Postgres, **over: object) -> LiteLlmDatabaseSettings:
    given = {"name": "gateway", "kind": "litellm_database", "dsn": server.dsn(), "hash_key": "sixteen letters!", **over}
    return LiteLlmDatabaseSettings.model_validate(given)


def test_a_certificate_of_nobody_trusted_is_refused(encrypted: tuple[Postgres, Path]) -> None:
    with pytest.raises(SourceError, match=r"certificate is not trusted.*tls_root_certificate"):
        SOURCE.probe(settings(encrypted[0]))


def test_a_certificate_of_a_named_authority_is_taken(encrypted: tuple[Postgres, Path]) -> None:
    server, certificate = encrypted
    assert "can be read" in SOURCE.probe(settings(server, tls_root_certificate=str(certificate)))


def test_a_certificate_of_another_host_is_refused(encrypted: tuple[Postgres, Path]) -> None:
    server, certificate = encrypted
    elsewhere = server.dsn().replace("127.0.0.1", "localhost")
    with pytest.raises(SourceError, match="certificate is not trusted"):
        SOURCE.probe(settings(server, dsn=elsewhere, tls_root_certificate=str(certificate)))


def test_encryption_alone_can_be_asked_for(encrypted: tuple[Postgres, Path]) -> None:
    assert "can be read" in SOURCE.probe(settings(encrypted[0], tls="require"))
