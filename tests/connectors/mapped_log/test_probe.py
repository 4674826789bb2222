"""What a check says of a mapping before the first night: it is held against a file of the log."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.base import SourceError
from connectors.mapped_log import SOURCE
from tests.connectors.stored_log import LogFolder

Row = Callable[..., dict[str, Any]]


def test_a_mapping_that_fits_is_said_to_fit(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl.gz", [row()])
    assert SOURCE.probe(log.settings()).endswith("such as 2026-11-21/x.jsonl.gz; it has every field of the mapping")


def test_fields_that_no_row_has_are_named_with_those_that_may_be_meant(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [{**row(), "used": {"in": 5}, "prices": 1, "price": None} for _ in range(2)])
    given = log.settings(fields={**log.given["fields"], "cost": "prise"})
    told = SOURCE.probe(given)
    assert "the first 2 rows of 2026-11-21/x.jsonl say nothing under" in told
    assert "prise (is it price?), used.cached, used.out, used.thought" in told


def test_a_field_that_every_attempt_needs_must_be_there(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [{name: value for name, value in row().items() if name != "result"}])
    with pytest.raises(SourceError, match=r"say nothing under result.*: correct `fields`"):
        SOURCE.probe(log.settings())


def test_a_table_without_a_needed_column_is_told(log: LogFolder) -> None:
    log.raw("2026-11-21/x.csv", b"id,when,result\nr1,2026-11-21T02:00:00Z,ok\n")
    with pytest.raises(SourceError, match="it has no column at"):
        SOURCE.probe(log.settings())


def test_a_layout_that_fits_no_file_is_told_with_a_path_that_lies_there(row: Row, log: LogFolder) -> None:
    log.file("2026/11/21/x.jsonl", [row()])
    with pytest.raises(SourceError, match=r"'\{date\}.jsonl' fits none of its 1 files, such as 2026/11/21/x.jsonl"):
        SOURCE.probe(log.settings(layout="{date}.jsonl"))
    assert "{date:%Y/%m/%d}/* fits its files" in SOURCE.probe(log.settings(layout="{date:%Y/%m/%d}/*"))


def test_a_location_where_nothing_lies_yet_is_no_fault(log: LogFolder) -> None:
    assert "nothing lies there yet" in SOURCE.probe(log.settings())
