"""What of one value may be landed, by the kind of value that its field holds."""

import pytest

from connectors.logs.values import WITHHELD, address_rule, keyed_hash, text_rule
from tests.connectors.stored_log import KEY


def hashed(value: str) -> str:
    return keyed_hash(KEY)(value)


@pytest.mark.parametrize(
    ("written", "landed"),
    [
        ("user:alice@corp.test", f"user:{hashed('alice@corp.test')}"),
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet@20240620"),  # a model's name, no address
        ("a\u202eb\u0000c", "abc"),
        ("e\u0301", "é"),
        ("\ud800", "?"),
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 223 + "~" + hashed("x" * 257)),
    ],
)
def test_text_is_short_printable_and_without_addresses(written: str, landed: str) -> None:
    assert text_rule(hashed)(written) == landed


@pytest.mark.parametrize(
    ("written", "landed"),
    [
        ("https://user:pw@host:8000/v1/?key=secret#x", "https://host:8000/v1"),
        ("http://[::1", WITHHELD),
        ("user:pw@host/v1", "host/v1"),
        ("", None),
    ],
)
def test_an_endpoint_is_landed_without_credentials(written: str, landed: str | None) -> None:
    assert address_rule(text_rule(hashed))(written) == landed
