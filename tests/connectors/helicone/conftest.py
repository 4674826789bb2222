"""A Helicone to read from, and a folder with rows of its table."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.base import Parsed
from connectors.helicone import Helicone
from connectors.helicone.table import SOURCE as TABLE
from tests.connectors.conformance import land
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.helicone.written import API_KEY, HASH_KEY, Organisation
from tests.connectors.stored_log import DAY, LogFolder


class Reader:
    """The source and the organisation's server: `night` is what a day gives, `pages` what reaches disk of it."""

    def __init__(self, server: FaultyServer) -> None:
        self.server = server
        self.organisation = Organisation([])
        self.organisation.install(server)
        self.source = Helicone(sleep=Clock().sleep)

    def settings(self, **over: Any) -> Any:
        given = {"name": "log", "kind": "helicone", "url": self.server.url, "api_key": API_KEY, "hash_key": HASH_KEY}
        return self.source.settings_model.model_validate({**given, "outcome_keys": ["ticket"], **over})

    def pages(self, rows: list[dict[str, Any]], day: date = DAY, **over: Any) -> list[bytes]:
        self.organisation.rows = rows
        settings = self.settings(**over)
        window = self.source.windows(settings, day)[-1]
        return [page.body.open().__enter__().read() for page in self.source.fetch(settings, window)]

    def night(self, rows: list[dict[str, Any]], **over: Any) -> Parsed:
        settings = self.settings(**over)
        window = self.source.windows(settings, DAY)[-1]
        chunks = list(self.source.parse(settings, window, land(self.pages(rows, **over))))
        return Parsed(
            rows=pa.concat_tables([chunk.rows for chunk in chunks]),
            rejects=tuple(reject for chunk in chunks for reject in chunk.rejects),
            duplicate_count=sum(chunk.duplicate_count for chunk in chunks),
            notices=tuple(notice for chunk in chunks for notice in chunk.notices),
        )

    def row(self, told: dict[str, Any], **over: Any) -> dict[str, Any]:
        """The one row of one request, with nothing refused."""
        night = self.night([told], **over)
        assert night.rejects == ()
        (row,) = night.rows.to_pylist()
        return row


@pytest.fixture
def reader() -> Iterator[Reader]:
    with FaultyServer() as server:
        yield Reader(server)


@pytest.fixture
def table(tmp_path: Path) -> LogFolder:
    (tmp_path / "table").mkdir()
    return LogFolder(tmp_path / "table", TABLE, {"outcome_keys": ["ticket"], "layout": "{date}/*"})
