"""A gateway of the tests' own, and what the source makes of a day of it."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from connectors.base import LandedPage, Parsed
from connectors.cloudflare import CloudflareAiGateway
from tests.connectors.cloudflare.api import ACCOUNT, GATEWAY, TOKEN, Gateway
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.stored_log import DAY, KEY


class Nights:
    """Nights over a gateway."""

    def __init__(self, server: FaultyServer) -> None:
        self.server = server
        self.clock = Clock()
        self.source = CloudflareAiGateway(sleep=self.clock.sleep)

    def settings(self, **over: Any) -> Any:
        given = {"name": "log", "kind": "cloudflare_ai_gateway", "account_id": ACCOUNT, "gateway_id": GATEWAY}
        keys = {"api_token": TOKEN, "hash_key": KEY, "url": f"{self.server.url}/client/v4", "outcome_keys": ["ticket"]}
        return self.source.settings_model.model_validate({**given, **keys, **over})

    def landed(self, day: date = DAY, **over: Any) -> list[LandedPage]:
        settings = self.settings(**over)
        pages = list(self.source.fetch(settings, self.source.windows(settings, day)[-1]))
        contents = [page.body.open().__enter__().read() for page in pages]
        return [
            LandedPage(page.name, hashlib.sha256(content).hexdigest(), page.body)
            for page, content in zip(pages, contents, strict=True)
        ]

    def landed_bytes(self, day: date = DAY, **over: Any) -> bytes:
        return b"".join(page.body.open().__enter__().read() for page in self.landed(day, **over))

    def night(self, day: date = DAY, **over: Any) -> Parsed:
        settings = self.settings(**over)
        window = self.source.windows(settings, day)[-1]
        chunks = list(self.source.parse(settings, window, self.landed(day, **over)))
        return Parsed(
            rows=pa.concat_tables([chunk.rows for chunk in chunks]),
            rejects=tuple(reject for chunk in chunks for reject in chunk.rejects),
            duplicate_count=sum(chunk.duplicate_count for chunk in chunks),
            notices=tuple(notice for chunk in chunks for notice in chunk.notices),
        )

    def rows(self, day: date = DAY, **over: Any) -> list[dict[str, Any]]:
        night = self.night(day, **over)
        assert night.rejects == ()
        return night.rows.to_pylist()


Served = Callable[..., Gateway]


@pytest.fixture
def nights(server: FaultyServer) -> Nights:
    return Nights(server)


@pytest.fixture
def served(server: FaultyServer) -> Served:
    """Serves a gateway that holds those rows."""

    def serve(rows: list[dict[str, Any]], kept: Mapping[str, Any] | None = None) -> Gateway:
        gateway = Gateway(rows, kept)
        gateway.serve(server)
        return gateway

    return serve
