"""What a check says of a mapping before the first night: it is held against a file of the log."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.base import SourceError
from connectors.mapped_log import SOURCE
from tests.connectors.stored_log import LogFolder

Row = Callable[..., dict[str, Any]]
WRONG = "; without it tokens are priced wrongly, or rows are refused"
COLUMNS = "answer, at, cache, caller, geo, id, messages, price, result, took_ms, try, url, used, vendor"


def test_a_mapping_that_fits_is_said_to_fit(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl.gz", [row()])
    assert SOURCE.probe(log.settings()).endswith(
        "such as 2026-11-21/x.jsonl.gz; every field of the mapping was found in the first row of 2026-11-21/x.jsonl.gz"
    )
    assert SOURCE.doubts(log.settings()) == []


def test_a_path_that_finds_nothing_is_a_doubt_with_the_keys_that_rows_have_there(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [{**row(), "used": {"Out": 7, "kept": {}}, "price": None} for _ in range(2)])
    given = log.settings(fields={**log.given["fields"], "cost": "prise", "feature": "meta.of.feature"})
    assert SOURCE.probe(given).endswith("such as 2026-11-21/x.jsonl; looked at the first 2 rows of 2026-11-21/x.jsonl")
    found = SOURCE.doubts(given)
    there = "finds nothing in the first 2 rows of 2026-11-21/x.jsonl; "
    assert [doubt.partition(". Correct")[0] for doubt in found if "finds nothing" in doubt] == [
        f"fields.input_tokens: 'used.in' {there}at 'used' they have Out, kept{WRONG}",
        f"fields.output_tokens: 'used.out' {there}at 'used' they have Out, kept (is it Out?){WRONG}",
        f"fields.cache_read_tokens: 'used.cached' {there}at 'used' they have Out, kept{WRONG}",
        f"fields.output_reasoning_tokens: 'used.thought' {there}at 'used' they have Out, kept (is it Out?){WRONG}",
        f"fields.cost: 'prise' {there}they have {COLUMNS} (is it price?)",
        f"fields.feature: 'meta.of.feature' {there}they have {COLUMNS}",
    ]


def test_one_row_that_has_it_is_enough_and_a_list_is_entered_by_number(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(tries=[{"n": 1}, {"n": 2}]), row(id="r2", price=None)])
    given = log.settings(extras={"attempt": "tries.0.m"})
    (doubt,) = SOURCE.doubts(given)
    assert "extras.attempt: 'tries.0.m' finds nothing" in doubt
    assert "at 'tries.0' they have n. Correct the path, or leave the line out" in doubt


def test_words_that_the_mapping_does_not_take_are_named_with_their_number_and_the_first_row(
    row: Row, log: LogFolder
) -> None:
    rows = [row(id=str(number), result=word) for number, word in enumerate(["ok", "fine", "ok", "fine", "bad"])]
    log.file("2026-11-21/x.jsonl", [*rows, row(id="6", cache="COLD")])
    where = "of the first 6 rows of 2026-11-21/x.jsonl would be refused"
    assert "every field of the mapping was found in the first 6 rows of" in SOURCE.probe(log.settings())
    assert SOURCE.doubts(log.settings()) == [
        (
            f"3 {where} (the first: row 2): status is 'fine' (2 x), 'bad' (1 x); say what each means with words: "
            "{status: {fine: success, bad: failure}}, if that is what they mean; in the log status is 'result'"
        ),
        (
            f"1 {where} (the first: row 6): is_cache_hit is 'COLD'; say what it means with words: "
            "{is_cache_hit: {COLD: false}}, if that is what it means; in the log is_cache_hit is 'cache'"
        ),
    ]


def test_a_mapping_by_which_every_row_would_be_refused_is_a_fault(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(id=str(number)) for number in range(3)])
    with pytest.raises(
        SourceError, match=r"none of the first 3 rows .*\n.*3 of the first 3 rows .* status is 'ok'; say"
    ):
        SOURCE.probe(log.settings(words={"is_cache_hit": {"MISS": "false"}}))
    halves = {**log.given["fields"], "output_tokens": "used.ouput"}
    with pytest.raises(
        SourceError, match=r"one half is not known.*\n.*fields.output_tokens: 'used.ouput' finds.*is it out"
    ):
        SOURCE.probe(log.settings(fields=halves))


def test_embeddings_that_state_no_output_are_taken_and_the_absent_path_is_only_told(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(answer={"model": "text-embedding-3-small"}, used={"in": 12})])
    found = SOURCE.doubts(log.settings())
    assert [doubt.partition(":")[0] for doubt in found] == [
        "fields.output_tokens",
        "fields.cache_read_tokens",
        "fields.output_reasoning_tokens",
    ]
    (taken,) = log.rows()
    assert (taken["input_total_tokens"], taken["output_total_tokens"]) == (12, 0)


def test_a_field_that_every_attempt_needs_must_be_there(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [{name: value for name, value in row().items() if name != "result"}])
    with pytest.raises(SourceError, match=r"says nothing under result; they have answer, at,.*: correct `fields`"):
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
    assert SOURCE.doubts(log.settings()) == ()


def test_a_night_names_a_path_of_tokens_that_no_record_has_though_its_rows_are_taken(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(id=str(number)) for number in range(8)])
    night = log.night(fields={**log.given["fields"], "cache_read_tokens": "used.cache"})
    assert (night.rows.num_rows, night.rejects) == (8, ())
    (notice,) = night.notices
    assert notice == (
        "none of 8 records has anything at the path of cache_read_tokens ('used.cache'): correct `fields`, as farthing "
        "check says, or leave the line out where the log rightly has none"
    )
    assert log.night().notices == ()


def test_a_night_that_refuses_all_names_the_path_too(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(id=str(number)) for number in range(8)])
    night = log.night(fields={**log.given["fields"], "output_tokens": "used.outt"})
    assert (night.rows.num_rows, len(night.rejects)) == (0, 8)
    assert "none of 8 records has anything at the path of output_tokens ('used.outt')" in night.notices[0]


def test_of_few_records_none_need_have_been_cached(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(id=str(number), used={"in": 5, "out": 7}) for number in range(7)])
    assert log.night().notices == ()


def test_streams_without_usage_are_told_with_what_to_do_and_hits_and_failures_are_none(
    row: Row, log: LogFolder
) -> None:
    stream = {"stream": True, "used": {}}
    rows = [row(), row(id="2", **stream), row(id="3", **stream, cache="HIT"), row(id="4", **stream, result="err")]
    log.file("2026-11-21/x.jsonl", [*rows, row(id="5", stream=True), row(id="6", **stream)])
    (told,) = SOURCE.doubts(log.settings(fields={**log.given["fields"], "is_stream": "stream"}))
    assert told.startswith("2 of the first 6 rows of 2026-11-21/x.jsonl are streams without usage (the first: row 2): ")
    assert "{include_usage: true}" in told


def test_answers_without_usage_are_told_and_hits_and_failures_are_none(row: Row, log: LogFolder) -> None:
    empty = {"used": {}}
    rows = [row(), row(id="2", **empty), row(id="3", **empty, cache="HIT"), row(id="4", **empty, result="err")]
    log.file("2026-11-21/x.jsonl", rows)
    (told,) = SOURCE.doubts(log.settings())
    assert told.startswith(
        "1 of the first 4 rows of 2026-11-21/x.jsonl is an answer without usage (the first: row 2): "
    )


def test_a_mapping_of_which_nothing_can_be_priced_says_so(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(), row(id="2")])
    fields = {name: path for name, path in log.given["fields"].items() if not name.endswith("_tokens")}
    fields.pop("billed_model")
    model, tokens = SOURCE.doubts(log.settings(fields=fields, convention=None))
    assert model.startswith("fields.billed_model: no field says which model answered, so that nothing of this log has")
    assert tokens.startswith("fields.input_tokens, output_tokens: no field says how many there were")
    hits = log.settings(
        fields={name: path for name, path in fields.items() if name != "is_cache_hit"},
        constants={"is_cache_hit": True},
        convention=None,
        words={"status": log.given["words"]["status"]},
    )
    assert SOURCE.doubts(hits) == []


def test_two_counts_are_not_taken_from_one_place(log: LogFolder) -> None:
    with pytest.raises(ValueError, match=r"input_tokens and output_tokens are both 'used.in'; which of them"):
        log.settings(fields={**log.given["fields"], "output_tokens": "used.in"})


def test_a_table_in_utf_16_is_told_as_such(log: LogFolder) -> None:
    log.raw("2026-11-21/x.csv", "id,at,vendor\nr1,2026-11-21,openai\n".encode("utf-16"))
    with pytest.raises(SourceError, match="it looks like UTF-16: write it as UTF-8") as refused:
        SOURCE.probe(log.settings(layout="{date}/*.csv"))
    assert "\0" not in str(refused.value)
