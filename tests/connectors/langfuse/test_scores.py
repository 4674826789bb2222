"""Scores of the names that are asked for become outcomes that join to requests by their trace."""

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from connectors.base import SourceError, SourceSettings, Window
from connectors.langfuse.scores import LangfuseScores
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer, json_answer
from tests.connectors.langfuse.conftest import Reader
from tests.connectors.langfuse.written import HASH_KEY, PUBLIC, SCORES, SECRET, Project, observation, page, score
from tests.connectors.stored_log import LogFolder, places, planted

CANARY = "canary-5f3a"
KEYS = {"public_key": PUBLIC, "secret_key": SECRET}
NAMED = {
    "name": "outcomes",
    "kind": "langfuse_scores",
    "hash_key": HASH_KEY,
    "names": ["helpful", "resolved", "verdict"],
}
WINDOW = Window(datetime(2026, 11, 21), datetime(2026, 11, 22))


def told() -> list[dict[str, Any]]:
    return [
        score(),
        score(id="score-2", name="resolved", dataType="BOOLEAN", value=True, subject={"kind": "session", "id": "s-1"}),
        score(id="score-3", name="verdict", dataType="CATEGORICAL", value="correct", source="ANNOTATION",
              subject={"kind": "observation", "id": "obs-1", "traceId": "tr-1"}),
        score(id="other", name="toxicity"),
        score(id="tomorrow", timestamp="2026-11-22T00:00:00.000Z"),
    ]  # fmt: skip


def landed(number: int, **over: Any) -> dict[str, Any]:
    return {
        "dataType": "NUMERIC",
        "environment": "production",
        "id": f"score-{number}",
        "name": "helpful",
        "source": "EVAL",
        "timestamp": "2026-11-21T10:00:00.000Z",
        "traceId": "tr-1",
        "updatedAt": "2026-11-21T10:00:01.000Z",
        "value": "0.75",
        **over,
    }


class TestScores(ConnectorConformance):
    source = LangfuseScores(sleep=Clock().sleep)
    secrets = (SECRET,)
    inapplicable: ClassVar = {}

    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.logs.landing.ROWS_PER_PAGE", 2)
        monkeypatch.setattr("connectors.langfuse.scores._MOST_ROWS", "2")

    def settings(self, **over: Any) -> SourceSettings:
        return self.source.settings_model.model_validate({**NAMED, **KEYS, **over})

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        resolved = landed(2, name="resolved", dataType="BOOLEAN", value="1", sessionId="s-1")
        verdict = landed(3, name="verdict", dataType="CATEGORICAL", stringValue="correct", source="ANNOTATION")
        verdict["observationId"] = "obs-1"
        del resolved["traceId"], verdict["value"]
        return [page([landed(1), resolved]), page([verdict])]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"dataType"', b'"x_from_the_future":1,"dataType"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"score-1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]

    def served(self, server: FaultyServer) -> SourceSettings:
        return self._project(server, Project())

    def served_loop(self, server: FaultyServer) -> SourceSettings:
        return self._project(server, Project(loops=True))

    def _project(self, server: FaultyServer, project: Project) -> SourceSettings:
        project.rows[SCORES] = told()
        project.install(server)
        return self.settings(url=server.url)


def night(server: FaultyServer, rows: list[dict[str, Any]]) -> Any:
    project = Project()
    project.rows[SCORES] = rows
    project.install(server)
    suite = TestScores()
    return suite.parse(suite.fetch(suite.settings(url=server.url)))


def test_a_score_has_the_value_of_its_kind_and_the_ids_of_its_subject(server: FaultyServer) -> None:
    found = night(server, told()).rows.to_pylist()
    names = ("score_id", "score_name", "data_type", "score_value", "score_category", "score_source")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("score-1", "helpful", "numeric", 0.75, None, "eval"),
        ("score-2", "resolved", "boolean", 1.0, None, "eval"),
        ("score-3", "verdict", "categorical", None, "correct", "annotation"),
    ]
    assert [(row["trace_id"], row["observation_id"], row["session_id"]) for row in found] == [
        ("tr-1", None, None),
        (None, None, "s-1"),
        ("tr-1", "obs-1", None),
    ]
    assert {str(row["scored_at"]) for row in found} == {"2026-11-21 10:00:00"}


def test_a_score_joins_the_calls_of_its_trace(reader: Reader) -> None:
    calls = reader.night([observation(), observation(id="obs-2"), observation(id="obs-3", traceId="tr-2")]).rows
    scores = night(reader.server, [score(name="resolved", dataType="BOOLEAN", value=True)]).rows
    with duckdb.connect() as engine:
        engine.register("calls", calls)
        engine.register("scores", scores)
        joined = engine.sql("""
            select sum(source_reported_cost_usd), count(*) from calls
            inner join scores on scores.trace_id = json_extract_string(calls.x_extra, '$.trace_id')
            where scores.score_name = 'resolved' and scores.score_value = 1
        """).fetchall()
    assert [(str(cost), count) for cost, count in joined] == [("0.009440000000", 2)]  # two calls of 0.00472 USD


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"id": None}, "missing_id"),
        ({"value": None}, "no_value"),
        ({"value": "a text"}, "unreadable_value"),
        ({"value": "1e999"}, "no_value"),
        ({"value": 1000000.5}, "beyond_scale"),
        ({"value": -5000000000}, "beyond_scale"),
        ({"timestamp": "yesterday"}, "unreadable_value"),
    ],
)
def test_a_score_that_cannot_be_read_is_refused_beside_the_others(
    over: dict[str, Any], reason: str, server: FaultyServer
) -> None:
    class Whole(Project):
        def is_asked_for(self, path: str, row: dict[str, Any], asked: dict[str, str]) -> bool:
            return True

    project = Whole()
    project.rows[SCORES] = [score(**over), score(id="score-2")]
    project.install(server)
    suite = TestScores()
    delivery = suite.parse(suite.fetch(suite.settings(url=server.url)))
    assert [reject.reason for reject in delivery.rejects] == [reason]
    assert delivery.rows["score_id"].to_pylist() == ["score-2"]


def test_only_named_scores_with_a_value_are_asked_for(server: FaultyServer) -> None:
    night(server, [])
    (asked,) = [request.query for request in server.requests]
    assert asked["name"] == ["helpful,resolved,verdict"]
    assert asked["dataType"] == ["NUMERIC,BOOLEAN,CATEGORICAL"]
    assert asked["fields"] == ["subject"]  # no comment, no metadata, nobody who scored


def test_an_older_langfuse_is_named_with_what_to_do(server: FaultyServer) -> None:
    server.route(SCORES, json_answer(b'{"message": "not found"}', 404))
    source, settings = TestScores.source, TestScores().settings(url=server.url)
    for ask in (lambda: list(source.fetch(settings, WINDOW)), lambda: source.probe(settings)):
        with pytest.raises(SourceError, match="blob export"):
            ask()


def test_the_way_in_is_the_keys_or_the_export() -> None:
    for given in (
        {},
        {"public_key": PUBLIC},
        {**KEYS, "location": "/exports"},
        {"public_key": PUBLIC, "location": "/x"},
    ):
        with pytest.raises(ValidationError, match="location"):
            LangfuseScores.settings_model.model_validate({**NAMED, **given})


@pytest.mark.parametrize("secret", [CANARY, {"a": CANARY}, [CANARY], f"1{CANARY}"])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(secret: Any, server: FaultyServer) -> None:
    whole = score(comment="said alice", authorUserId="alice@corp.test", metadata={"note": "private"}, configId="c-1")
    texts = {"id", "name", "dataType", "source", "environment", "timestamp", "kind"}
    rows = list[dict[str, Any]]()
    for path in [path for path in places(whole) if not (set(path) & texts)]:
        rows += [planted(whole, path, secret, name) for name in ("content", CANARY)]
    project = Project()
    project.rows[SCORES] = rows
    project.install(server)
    suite = TestScores()
    content = b"".join(suite.fetch(suite.settings(url=server.url)))
    assert content.count(b"\n") == len(rows) > 20
    for word in (CANARY, "alice", "private"):
        assert word.encode() not in content


def exported(**over: Any) -> dict[str, Any]:
    return {
        "id": "score-1",
        "timestamp": "2026-11-21 10:00:00.000000",
        "project_id": "proj-1",
        "environment": "production",
        "trace_id": "tr-1",
        "observation_id": None,
        "session_id": None,
        "name": "helpful",
        "value": 0.75,
        "source": "EVAL",
        "comment": CANARY,
        "data_type": "NUMERIC",
        "string_value": None,
        "updated_at": "2026-11-21 10:00:01.000000",
        **over,
    }


@pytest.fixture
def export(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path, LangfuseScores(), {"names": NAMED["names"]})


def test_the_export_s_scores_are_the_api_s(export: LogFolder) -> None:
    resolved = exported(id="score-2", name="resolved", data_type="BOOLEAN", value=1, string_value="True", trace_id=None)
    verdict = exported(id="score-3", name="verdict", data_type="CATEGORICAL", value=0, string_value="correct")
    text = exported(id="text", name="verdict", data_type="TEXT", value=0, string_value=CANARY)
    rows = [exported(), resolved | {"session_id": "s-1"}, verdict, text, exported(id="other", name="toxicity")]
    export.file("scores/2026-11-21T11-00-00.jsonl.gz", rows)
    found = export.rows()
    assert [(row["score_id"], row["data_type"], row["score_value"], row["score_category"]) for row in found] == [
        ("score-1", "numeric", 0.75, None),
        ("score-2", "boolean", 1.0, None),
        ("score-3", "categorical", None, "correct"),
    ]
    assert [(row["trace_id"], row["session_id"]) for row in found] == [("tr-1", None), (None, "s-1"), ("tr-1", None)]
    assert CANARY.encode() not in export.landed_bytes()


def test_a_score_that_was_revised_counts_once_as_it_stands_now(export: LogFolder) -> None:
    late = {"timestamp": "2026-11-21 23:59:59.999000"}
    export.file("scores/2026-11-22T00-00-00.jsonl", [exported(**late, value=0.1)])
    revised = exported(**late, value=0.9, updated_at="2026-11-22 00:05:00.000000")
    export.file("scores/2026-11-22T00-20-00.jsonl", [revised])
    delivery = export.night()
    assert (delivery.rows["score_value"].to_pylist(), delivery.duplicate_count) == ([0.9], 1)


def test_an_exported_table_of_csv_or_parquet_is_read_too(export: LogFolder, tmp_path: Path) -> None:
    header, row = zip(*[(name, "" if value is None else str(value)) for name, value in exported().items()], strict=True)
    export.raw("scores/2026-11-21T11-00-00.csv", f"{','.join(header)}\n{','.join(row)}\n".encode())
    pq.write_table(pa.Table.from_pylist([exported(id="score-2")]), tmp_path / "scores/2026-11-21T12-00-00.parquet")
    assert [(row["score_id"], row["score_value"]) for row in export.rows()] == [("score-1", 0.75), ("score-2", 0.75)]
    assert CANARY.encode() not in export.landed_bytes()
