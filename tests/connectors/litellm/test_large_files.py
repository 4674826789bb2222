"""A file too large to be held is read as it comes; what it says, and where it breaks, stays the same."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError
from connectors.logs import landing
from tests.connectors.litellm.conftest import Gateway

Payload = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "_SMALL_BYTES", 0)


def lines(payload: Payload, count: int) -> bytes:
    return b"".join(json.dumps(payload(id=f"r{n}", messages="x" * 2000)).encode() + b"\n" for n in range(count))


def test_a_large_file_gives_what_a_small_one_gives(
    payload: Payload, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.raw("2026-11-21/log.jsonl.gz", lines(payload, 3000))
    large = [page.digest for page in gateway.landed()]
    monkeypatch.setattr(landing, "_SMALL_BYTES", 2**30)
    assert large == [page.digest for page in gateway.landed()]
    assert len(gateway.rows()) == 3000


@pytest.mark.parametrize("cut", [4, 8, 300])
def test_a_large_file_that_is_cut_off_is_an_incomplete_delivery(cut: int, payload: Payload, gateway: Gateway) -> None:
    gateway.raw("2026-11-21/log", gzip.compress(lines(payload, 3000))[:-cut])
    with pytest.raises(IncompleteDeliveryError, match="2026-11-21/log"):
        gateway.landed()


def test_a_large_file_that_is_damaged_is_an_incomplete_delivery(payload: Payload, gateway: Gateway) -> None:
    content = bytearray(gzip.compress(lines(payload, 3000)))
    content[len(content) // 2] ^= 0xFF
    gateway.raw("2026-11-21/log", bytes(content))
    with pytest.raises(IncompleteDeliveryError, match="2026-11-21/log"):
        gateway.landed()
