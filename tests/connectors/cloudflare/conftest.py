"""A gateway of the tests' own, and what the source makes of a day of it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from connectors.cloudflare import CloudflareAiGateway
from tests.connectors.cloudflare.api import ACCOUNT, GATEWAY, TOKEN, Gateway
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.stored_log import LogNights


class Nights(LogNights):
    """Nights over a gateway."""

    def __init__(self, server: FaultyServer) -> None:
        self.clock = Clock()
        given = {"account_id": ACCOUNT, "gateway_id": GATEWAY, "api_token": TOKEN, "outcome_keys": ["ticket"]}
        super().__init__(CloudflareAiGateway(sleep=self.clock.sleep), {**given, "url": f"{server.url}/client/v4"})


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
