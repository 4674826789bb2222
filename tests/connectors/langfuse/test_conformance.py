"""The sources of Langfuse's observations keep what every connector promises, by the API and as files."""

from datetime import datetime
from typing import Any, ClassVar

import pytest

from connectors.base import SourceSettings, Window
from connectors.langfuse import Langfuse
from connectors.langfuse.export import LangfuseExport
from connectors.logs.values import keyed_hash
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.langfuse.written import HASH_KEY, PUBLIC, SECRET, Project, observation, page


def told() -> list[dict[str, Any]]:
    """Five calls: the last is an embedding, one has failed; a span and a call of the next day are beside them."""
    failed = observation(id="obs-4", level="ERROR", usageDetails={}, costDetails={}, totalCost=None)
    embedding = observation(id="obs-5", type="EMBEDDING", usageDetails={"input": 8, "total": 8})
    return [
        *(observation(id=f"obs-{n}") for n in (1, 2, 3)),
        failed,
        observation(id="span", type="SPAN"),
        embedding,
        observation(id="tomorrow", startTime="2026-11-22T00:00:00.000Z"),
    ]


def landed(number: int, **over: Any) -> dict[str, Any]:
    return {
        "completionStartTime": None,
        "costDetails": {"input": "0.00044", "input_cached_tokens": "0.00128", "output": "0.003", "total": "0.00472"},
        "endTime": "2026-11-21T01:38:41.441Z",
        "environment": "production",
        "id": f"obs-{number}",
        "internalModelId": "clruwn3pc00010al7bl611c8o",
        "level": "DEFAULT",
        "metadata": {"team": "search", "ticket": "T-1"},
        "modelId": "clruwn3pc00010al7bl611c8o",
        "projectId": "proj-1",
        "providedModelName": "gpt-4o-2024-08-06",
        "sessionId": "sess-1",
        "startTime": "2026-11-21T01:38:40.440Z",
        "tags": ["feature:summarize", "env:prod"],
        "timeToFirstToken": "0.31",
        "totalCost": "0.00472",
        "traceId": "tr-1",
        "type": "GENERATION",
        "usageDetails": {"input": 176, "input_cached_tokens": 1024, "output": 300, "total": 1500},
        "usagePricingTierName": "Standard",
        "userId": keyed_hash(HASH_KEY)("alice@corp.test"),
        **over,
    }


def pages() -> list[bytes]:
    failed = landed(4, level="ERROR", usageDetails={}, costDetails=None, totalCost=None)
    embedding = landed(5, type="EMBEDDING", usageDetails={"input": 8, "total": 8})
    rows = [landed(1), landed(2), landed(3), failed, embedding]
    kept = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return [page(kept[:2]), page(kept[2:4]), page(kept[4:])]


class LangfuseConformance(ConnectorConformance):
    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        return pages()

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"costDetails"', b'"x_from_the_future":1,"costDetails"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"obs-1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]


class TestLangfuse(LangfuseConformance):
    source = Langfuse(sleep=Clock().sleep)
    secrets = (SECRET,)

    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.logs.landing.ROWS_PER_PAGE", 2)

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": "langfuse", "public_key": PUBLIC, "secret_key": SECRET, "hash_key": HASH_KEY}
        given |= {"outcome_keys": ["ticket"], "rows_per_page": 2}
        return self.source.settings_model.model_validate({**given, **over})

    def served(self, server: FaultyServer) -> SourceSettings:
        project = Project()
        project.rows["/api/public/v2/observations"] = told()
        project.install(server)
        return self.settings(url=server.url)

    def served_loop(self, server: FaultyServer) -> SourceSettings:
        project = Project(loops=True)
        project.rows["/api/public/v2/observations"] = told()
        project.install(server)
        return self.settings(url=server.url)


class TestLangfuseExport(LangfuseConformance):
    source = LangfuseExport()
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": "langfuse_export", "location": "/", "hash_key": HASH_KEY}
        return self.source.settings_model.model_validate({**given, "outcome_keys": ["ticket"], **over})
