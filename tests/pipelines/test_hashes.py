"""`farthing hashes`: whoever holds the key finds a customer, and nobody else."""

from hashlib import blake2b
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from tests.pipelines.small_company import write_company


def expected(key: str, name: str) -> str:
    """Keyed BLAKE2b of sixteen bytes, under the key's own hash."""
    return blake2b(name.encode(), key=blake2b(key.encode()).digest(), digest_size=16).hexdigest()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_company(tmp_path)


def test_names_come_back_with_their_hashes_in_the_order_given(config: Path) -> None:
    key = (config.parent / "key").read_text(encoding="utf-8").strip()
    shown = CliRunner().invoke(app, ["hashes", "globex", 'a "b", Ltd', "-c", str(config)])
    assert shown.exit_code == 0
    quoted = 'a "b", Ltd'
    told = f'"a ""b"", Ltd",{expected(key, quoted)}'
    assert shown.stdout.splitlines() == ["name,hash", f"globex,{expected(key, 'globex')}", told]


def test_a_list_of_names_is_read_from_stdin(config: Path) -> None:
    shown = CliRunner().invoke(app, ["hashes", "-c", str(config)], input="u-1\n\nu-2\r\n")
    assert [row.partition(",")[0] for row in shown.stdout.splitlines()] == ["name", "u-1", "u-2"]


def test_sources_with_different_keys_have_to_be_named(config: Path) -> None:
    (config.parent / "other-key").write_text("another-key-of-sixteen", encoding="utf-8")
    entry = "  - {name: gateway, kind: litellm,"
    text = config.read_text(encoding="utf-8")
    second = (
        text[text.index(entry) :].splitlines()[0].replace("gateway", "second").replace("file:key", "file:other-key")
    )
    config.write_text(text.replace(entry, f"{second}\n{entry}", 1), encoding="utf-8")
    refused = CliRunner().invoke(app, ["hashes", "globex", "-c", str(config)])
    assert refused.exit_code == 2
    assert "have different keys. Say which is meant: --source second" in refused.output
    shown = CliRunner().invoke(app, ["hashes", "globex", "-c", str(config), "--source", "second"])
    assert shown.stdout.splitlines()[1] == f"globex,{expected('another-key-of-sixteen', 'globex')}"


def test_a_source_without_a_key_is_no_answer(config: Path) -> None:
    refused = CliRunner().invoke(app, ["hashes", "globex", "-c", str(config), "--source", "bill"])
    assert (refused.exit_code, "no source 'bill' with a hash_key" in refused.output) == (2, True)
