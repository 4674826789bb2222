"""The source of Cloudflare AI Gateway's log keeps what every connector promises."""

import json
from datetime import datetime
from typing import Any

from connectors.base import SourceSettings, Window
from connectors.cloudflare import CloudflareAiGateway
from connectors.logs.values import keyed_hash
from tests.connectors.cloudflare.api import ACCOUNT, GATEWAY, TOKEN, Gateway, row
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer

KEY = "sixteen letters!"
FULL = {"log_management": 122, "log_management_strategy": "STOP_INSERTING"}


def landed(number: int) -> dict[str, Any]:
    """What the allow-list leaves of a row: that the answer was no stream, and of the metadata the team and the user's hash."""
    kept = {name: value for name, value in row(number).items() if not name.endswith(("_content_type", "request_type"))}
    kept |= {"cost": "0.006", "response_content_type": False}
    return {**kept, "metadata": {"team": "search", "user": keyed_hash(KEY)("alice@corp.test")}}


class TestCloudflareAiGateway(ConnectorConformance):
    source = CloudflareAiGateway(sleep=Clock().sleep)
    secrets = (TOKEN,)

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": "cloudflare_ai_gateway", "account_id": ACCOUNT, "gateway_id": GATEWAY}
        keys = {"api_token": TOKEN, "hash_key": KEY}
        return self.source.settings_model.model_validate({**given, **keys, **over})

    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        """122 rows, which the API gives in three pages, and the gap that the full log leaves."""
        gap = {"day": "2026-11-21", "deletes": False, "edge": "2026-11-21T01:02:01.250Z", "most_rows": 122}
        rows = [landed(number) for number in range(122)]
        lines = [json.dumps(found, sort_keys=True, separators=(",", ":")).encode() + b"\n" for found in rows]
        order = ("day", "most_rows", "deletes", "edge")
        told = json.dumps({"gap": {name: gap[name] for name in order}}, separators=(",", ":")).encode() + b"\n"
        return [b"".join(lines), told]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b'"created_at"') for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"cached"', b'"x_from_the_future":1,"cached"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"01J00001"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-3]

    def empty_pages(self) -> list[bytes]:
        return [b""]

    def served(self, server: FaultyServer) -> SourceSettings:
        Gateway([row(number) for number in range(122)], FULL).serve(server)
        return self.settings(url=f"{server.url}/client/v4")

    def served_loop(self, server: FaultyServer) -> SourceSettings:
        gateway = Gateway([row(number) for number in range(122)])
        gateway.turns = False
        gateway.serve(server)
        return self.settings(url=f"{server.url}/client/v4")
