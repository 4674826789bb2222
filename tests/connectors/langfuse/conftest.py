"""A Langfuse project to read from, and a folder with its export."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.base import Parsed
from connectors.langfuse import Langfuse
from connectors.langfuse.export import SOURCE as EXPORT
from tests.connectors.conformance import land
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.langfuse.written import HASH_KEY, OBSERVATIONS, PUBLIC, SECRET, Project
from tests.connectors.stored_log import DAY, LogFolder

Night = Callable[..., Parsed]


class Reader:
    """The source and the project's server: `night` is what a day gives, `landed` what reaches disk of it."""

    def __init__(self, server: FaultyServer) -> None:
        self.server = server
        self.project = Project()
        self.project.install(server)
        self.source = Langfuse(sleep=Clock().sleep)

    def settings(self, **over: Any) -> Any:
        given = {"name": "log", "kind": "langfuse", "url": self.server.url, "public_key": PUBLIC, "secret_key": SECRET}
        given |= {"hash_key": HASH_KEY, "outcome_keys": ["ticket"]}
        return self.source.settings_model.model_validate({**given, **over})

    def pages(self, rows: list[dict[str, Any]], day: date = DAY, **over: Any) -> list[bytes]:
        self.project.rows[OBSERVATIONS] = rows
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
        """The one row of one observation, with nothing refused."""
        night = self.night([told], **over)
        assert night.rejects == ()
        (row,) = night.rows.to_pylist()
        return row


@pytest.fixture
def reader() -> Iterator[Reader]:
    with FaultyServer() as server:
        yield Reader(server)


@pytest.fixture
def export(tmp_path: Path) -> LogFolder:
    (tmp_path / "export").mkdir()
    return LogFolder(tmp_path / "export", EXPORT, {"outcome_keys": ["ticket"]})
