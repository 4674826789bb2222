"""Secrets: only references stand in the file, and what they lead to is never repeated, whatever is wrong with it."""

from pathlib import Path

import pytest

from connectors.registry import SOURCES, source
from pipelines.config import ConfigError, load
from pipelines.config.secrets import is_reference, is_secret_name
from tests.config.test_load import GOOD, complaint, line_of, written

SECRET = "https://admin:hunter2@prometheus.example.com"
BUCKET = """\
lake: s3://lake/x
storage:
  aws_region: eu-central-1
  aws_access_key_id: env:KEY_ID
  aws_secret_access_key: env:KEY
"""
ENVIRONMENT = {"HASH_KEY": "a-very-secret-value", "KEY_ID": "AKIA", "KEY": "hunter2hunter2"}


@pytest.mark.parametrize(
    "changed",
    [
        GOOD.replace("teams:", "  - {name: gpu, kind: dcgm, url: env:SECRET}\nteams:", 1),
        GOOD.replace("teams:", "  - {name: gpu, kind: env:SECRET, url: 'http://p'}\nteams:", 1),
        GOOD.replace("teams:", "  - {name: bill2, kind: focus, location: x, layout: env:SECRET}\nteams:", 1),
        GOOD.replace("teams:", "  - {name: bill2, kind: focus, location: x, manifests: env:SECRET}\nteams:", 1),
        GOOD.replace("team: search,", "team: env:SECRET,"),
        GOOD.replace("recipients: [a@example.com]", "recipients: [env:SECRET]"),
        GOOD.replace("id: support,", "id: env:SECRET,"),
        GOOD + "engine: env:SECRET\n",
        GOOD + "currency: env:SECRET\n",
        GOOD + "mail: {from: a@example.com, host: h, port: env:SECRET}\n",
        GOOD + "hosts: env:SECRET\n",
    ],
)
def test_what_a_reference_leads_to_is_not_repeated_in_any_complaint(tmp_path: Path, changed: str) -> None:
    assert "SECRET" in changed
    message = complaint(tmp_path, changed, {"HASH_KEY": "a-very-secret-value", "SECRET": SECRET})
    assert "hunter2" not in message
    assert f"farthing.yml:{line_of(changed, 'SECRET')}" in message


def test_a_value_with_odd_letters_is_not_repeated_in_another_spelling(tmp_path: Path) -> None:
    odd = "hunter2\\(\n"
    rules = "models: [{column: SkuMeter, pattern: env:ODD}]"
    text = GOOD.replace("teams:", f"  - {{name: bill2, kind: focus, location: x, {rules}}}\nteams:", 1)
    assert "hunter2" not in complaint(tmp_path, text, {**ENVIRONMENT, "ODD": odd})


def test_a_reference_that_leads_nowhere_is_one_problem_not_two(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, GOOD), {})
    (problem,) = caught.value.problems
    assert "HASH_KEY" in problem.message


def test_the_options_of_the_lakes_store_are_resolved_and_show_nowhere(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, GOOD.replace("lake: lake\n", BUCKET)), ENVIRONMENT)
    assert config.store_options["aws_secret_access_key"] == "hunter2hunter2"
    assert "hunter2" not in f"{config!r} {config.model_dump()} {config.storage}"


def test_ambient_credentials_can_be_asked_for_and_nothing_else_can_stand_there(tmp_path: Path) -> None:
    ambient = "lake: s3://lake/x\nstorage: {aws_region: r, credentials: ambient}\n"
    config, _ = load(written(tmp_path, GOOD.replace("lake: lake\n", ambient)), ENVIRONMENT)
    assert config.store_options == {"aws_region": "r", "credentials": "ambient"}
    bill = GOOD.replace("    location: exports/bill\n", "    location: s3://b/x\n    storage: {credentials: ambient}\n")
    assert load(written(tmp_path, bill), ENVIRONMENT)[0].sources[0].model_dump(include={"storage"})["storage"]
    message = complaint(tmp_path, GOOD + "storage: {credentials: hunter2}\n")
    assert "must not stand in this file" in message
    assert "hunter2" not in message


def test_a_secret_that_yaml_reads_as_a_number_must_not_stand_in_the_file_either(tmp_path: Path) -> None:
    message = complaint(tmp_path, GOOD + "storage: {aws_secret_access_key: 8675309}\n")
    assert "must not stand in this file" in message
    assert "8675309" not in message


def test_a_session_token_of_the_environment_is_not_mixed_with_the_files_key(tmp_path: Path) -> None:
    text = GOOD.replace("lake: lake\n", BUCKET)
    message = complaint(tmp_path, text, {**ENVIRONMENT, "AWS_SESSION_TOKEN": "machines-token"})
    assert "AWS_SESSION_TOKEN" in message
    assert "machines-token" not in message
    own = text.replace("  aws_region", "  aws_session_token: env:TOKEN\n  aws_region")
    environment = {**ENVIRONMENT, "AWS_SESSION_TOKEN": "machines-token", "TOKEN": "own-token"}
    assert load(written(tmp_path, own), environment)[0].store_options["aws_session_token"] == "own-token"


def test_an_address_of_a_file_is_no_reference(tmp_path: Path) -> None:
    text = GOOD.replace("lake: lake", f"lake: file://{tmp_path}/here").replace(
        "location: exports/bill", "location: file:///bills"
    )
    config, _ = load(written(tmp_path, text), ENVIRONMENT)
    assert config.lake == f"{tmp_path}/here"
    assert config.sources[0].model_dump()["location"] == "/bills"
    assert is_reference("file:/run/secrets/key")
    assert is_reference("file:key")
    assert not is_reference("file:///run/secrets/key")


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("token_class", False),
        ("token_classes", False),
        ("token_weights", False),
        ("input_tokens", False),
        ("output_tokens_per_day", False),
        ("bearer_token", True),
        ("access_token", True),
        ("aws_session_token", True),
        ("azure_storage_sas_token", True),
        ("aws_secret_access_key", True),
        ("hash_key", True),
        ("password", True),
        ("google_service_account_key", True),
        ("aws_region", False),
    ],
)
def test_a_token_is_a_secret_and_classes_of_tokens_are_not(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


@pytest.mark.parametrize("kind", SOURCES)
def test_every_secret_of_every_source_is_known_as_one_by_its_name(kind: str) -> None:
    """A secret that is not known as one may stand in the file, and in its messages."""
    fields = source(kind).settings_model.model_fields
    secret = {name for name, field in fields.items() if "SecretStr" in str(field.annotation) and name != "storage"}
    public = {"access_key_id"}  # says who asks; without its secret it opens nothing
    assert {name for name in secret - public if not is_secret_name(name)} == set()


def test_yes_and_no_are_no_secrets_whatever_they_are_called(tmp_path: Path) -> None:
    costs = "  - {name: costs, kind: openai_costs, location: saved, by_api_key: true}\nteams:"
    file = written(tmp_path, GOOD.replace("teams:", costs, 1))
    config, _ = load(file, {"HASH_KEY": "a-very-secret-value"})
    assert config.sources[-1].by_api_key is True  # type: ignore[attr-defined]


def test_a_variable_that_is_empty_is_not_told_as_one_that_is_not_set(tmp_path: Path) -> None:
    assert "environment variable HASH_KEY is empty" in complaint(tmp_path, GOOD, {"HASH_KEY": ""})
    assert "environment variable HASH_KEY is not set" in complaint(tmp_path, GOOD, {})


def test_a_secret_that_is_too_short_is_told_in_characters_and_not_repeated(tmp_path: Path) -> None:
    message = complaint(tmp_path, GOOD, {"HASH_KEY": "hunter2hunt"})
    assert "hash_key: needs at least 16 characters, it has 11." in message
    assert "hunter2" not in message
