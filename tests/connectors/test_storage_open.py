"""One way to open a store: the options' own key or, only where they say so, the machine's; never a mixture."""

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from obstore import list as list_store
from pydantic import ValidationError

from connectors.base import AuthenticationError, StoredSourceSettings
from connectors.storage_open import open_store, table_options
from tests.connectors.faulty_server import FaultyServer, serve_bucket

KEY = {"aws_access_key_id": "OWNKEY", "aws_secret_access_key": "own", "aws_region": "r", "aws_allow_http": "true"}
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "MACHINES", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "machines-token"}


@pytest.fixture
def at(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    serve_bucket(server, "lake", {})
    return {"aws_endpoint_url": server.url}


def test_the_key_of_the_options_is_used_without_the_token_of_the_machine(
    at: dict[str, str], server: FaultyServer
) -> None:
    list(list_store(open_store("s3://lake/x", {**KEY, **at})))
    (asked,) = server.requests
    assert "Credential=OWNKEY/" in asked.headers["authorization"]
    assert "x-amz-security-token" not in asked.headers


def test_the_machines_key_and_token_are_used_where_the_options_say_ambient(
    at: dict[str, str], server: FaultyServer
) -> None:
    bare = {"aws_region": "r", "aws_allow_http": "true", **at}
    with pytest.raises(AuthenticationError, match="credentials: ambient"):
        open_store("s3://lake/x", bare)
    list(list_store(open_store("s3://lake/x", {**bare, "credentials": "ambient"})))
    (asked,) = server.requests
    assert "Credential=MACHINES/" in asked.headers["authorization"]
    assert asked.headers["x-amz-security-token"] == "machines-token"


@pytest.mark.parametrize("options", [KEY, {"credentials": "ambient", "aws_region": "r", "aws_allow_http": "true"}])
def test_deltas_own_client_asks_as_the_store_does(
    options: dict[str, str], at: dict[str, str], server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_SESSION_TOKEN")  # beside a key of the options the configuration refuses it
    with pytest.raises(TableNotFoundError):
        DeltaTable("s3://lake/x", storage_options=table_options({**options, **at}))
    list(list_store(open_store("s3://lake/x", {**options, **at})))
    wanted = "MACHINES" if "credentials" in options else "OWNKEY"
    assert len(server.requests) >= 2
    for asked in server.requests:
        assert f"Credential={wanted}/" in asked.headers["authorization"]
        assert "x-amz-security-token" not in asked.headers


def test_what_is_ours_alone_does_not_reach_deltas_client() -> None:
    given = {"credentials": "ambient", "google_allow_http": "true", "aws_region": "r"}
    assert table_options(given) == {"aws_region": "r", "allow_http": "true"}
    assert table_options({"aws_allow_http": "false"}) == {}


def stored(storage: object) -> StoredSourceSettings:
    return StoredSourceSettings.model_validate({"name": "x", "kind": "x", "storage": storage})


def test_options_are_words_to_the_store_however_yaml_read_them() -> None:
    found = stored({"aws_allow_http": True, "aws_access_key_id": 1234, "aws_region": "r"}).store_options
    assert found == {"aws_allow_http": "true", "aws_access_key_id": "1234", "aws_region": "r"}


def test_no_option_shows_in_settings_or_in_their_errors() -> None:
    assert "hunter2" not in f"{stored({'aws_secret_access_key': 'hunter2'})!r}"
    for wrong in ({"aws_secret_access_key": ["hunter2"]}, {"credentials": "hunter2"}):
        with pytest.raises(ValidationError) as refused:
            stored(wrong)
        assert "hunter2" not in str(refused.value)
