"""What a check finds by rows of several files: how many would be refused for what, and what their instants are."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.base import SourceError
from connectors.mapped_log import SOURCE
from tests.connectors.stored_log import LogFolder

Row = Callable[..., dict[str, Any]]
SECONDS = 1_795_226_400  # 2026-11-21T02:00:00Z


def fault(log: LogFolder, **over: Any) -> str:
    with pytest.raises(SourceError) as refused:
        SOURCE.probe(log.settings(**over))
    return str(refused.value).removeprefix(f"{log.folder}: ")


def test_rows_that_differ_in_a_value_only_are_one_line_with_their_number_and_the_unit_that_would_read_them(
    row: Row, log: LogFolder
) -> None:
    log.file("2026-11-21/x.jsonl", [row(id=str(number), at=SECONDS + number) for number in range(12)])
    assert fault(log, time_unit="ms").splitlines() == [
        "none of the first 12 rows of 2026-11-21/x.jsonl would be taken",
        ("    12 of the first 12 rows of 2026-11-21/x.jsonl would be refused (the first: row 1): 'at' is 1795226400, which "
        "time_unit: ms reads as 1970-01-21; instants of 2015 to 2099 are taken; did you mean time_unit: s (2026-11-21)?"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "unit", "said"),
    [
        (SECONDS * 1000, "iso", "reads as a year beyond 9999; instants of 2015 to 2099 are taken; did you mean time_unit: ms (2026-11-21)?"),
        (str(SECONDS), "iso", "'at' is 1795226400, which time_unit: iso does not read; did you mean time_unit: s (2026-11-21)?"),
        ("2026-11-21T02:00:00Z", "s", "is '2026-11-21T02:00:00Z', which time_unit: s does not read; time_unit: s expects a number since 1970, such as 1795226400.25. Set time_unit to what the log counts (s, ms, us or ns), or to iso where it writes ISO 8601"),
        ("21/11/2026 02:00", "iso", "'at' is '21/11/2026 02:00', which time_unit: iso does not read; time_unit: iso expects ISO 8601, such as"),
        ("Nov 21, 2026 2 am", "iso", "'at' is a text of the form 'aaa 99, 9999 9 aa', which time_unit: iso does not read"),
        ("1970-01-21T18:40:26.400", "iso", "'1970-01-21T18:40:26.400', before any log was written; its numbers seem to count another unit than the column says (2026-11-21 then)"),
        (0, "s", "'at' is 0, which time_unit: s reads as 1970-01-01; instants of 2015 to 2099 are taken; time_unit: s expects"),
        (True, "iso", "'at' is true, which time_unit: iso does not read"),
    ],
)  # fmt: skip
def test_an_instant_that_cannot_be_is_told_with_the_expected_form_or_the_unit_that_was_meant(
    written: Any, unit: str, said: str, row: Row, log: LogFolder
) -> None:
    log.file("2026-11-21/x.jsonl", [row(at=written)])
    assert said in fault(log, time_unit=unit)


def test_a_column_of_parquet_in_a_wrong_unit_is_doubted(log: LogFolder) -> None:
    (log.folder / "2026-11-21").mkdir()
    at = pa.array([SECONDS], pa.timestamp("ms"))
    pq.write_table(pa.table({"id": ["r1"], "at": at, "state": [200]}), log.folder / "2026-11-21/x.parquet")
    given: dict[str, Any] = {"fields": {"request_id": "id", "started_at": "at", "status": "state"}, "convention": None}
    given |= {name: {} for name in ("words", "tags_from", "extras")}
    assert datetime(1970, 1, 21, 18, 40, 26, 400_000).isoformat() in fault(log, **given)
    assert "(2026-11-21 then): write the column in its own unit" in fault(log, **given)


def test_where_only_rows_without_usage_would_be_taken_nothing_of_worth_is(row: Row, log: LogFolder) -> None:
    failed = [row(id=f"f{number}", result="err", used={"in": 0}) for number in range(5)]
    halves = [row(id=f"r{number}", used={"in": 7 + number}) for number in range(3)]
    log.file("2026-11-21/x.jsonl", [*failed, *halves])
    told = fault(log).splitlines()
    assert told[0] == "none of the first 8 rows of 2026-11-21/x.jsonl that has usage would be taken"
    assert told[1].startswith(
        "    3 of the first 8 rows of 2026-11-21/x.jsonl would be refused (the first: row 6): input 7, output None"
    )
    log.file("2026-11-21/x.jsonl", [*failed, *halves, row()])
    assert "looked at" in SOURCE.probe(log.settings()) or "found in" in SOURCE.probe(log.settings())


def test_the_first_and_the_newest_file_are_looked_at_and_it_is_said_how_much(row: Row, log: LogFolder) -> None:
    for day in range(1, 10):
        log.file(f"2026-11-0{day}/x.jsonl", [row(id=f"{day}.{n}", at=f"2026-11-0{day}T02:00:00Z") for n in range(300)])
    odd = [row(id=str(number), at="2026-11-10T02:00:00Z", result="odd") for number in range(2)]
    log.file("2026-11-10/x.jsonl", odd)
    log.raw("2026-11-10/y.jsonl", b"")  # an empty file is none of them
    where = "the first 752 rows of 4 files (2026-11-01/x.jsonl to 2026-11-10/x.jsonl)"
    assert SOURCE.probe(log.settings()).endswith(f"; every field of the mapping was found in {where}")
    (told,) = SOURCE.doubts(log.settings())
    assert told.startswith(
        f"2 of {where} would be refused (the first: row 1 of 2026-11-10/x.jsonl): status is 'odd'; say what it means"
    )


def test_rows_that_no_night_would_look_for_in_their_file_are_told(row: Row, log: LogFolder) -> None:
    days = ("2026-11-20T23:00:00Z", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-19T23:00:00Z")
    log.file("2026-11-21/x.jsonl", [row(id=at, at=at) for at in days])
    (told,) = SOURCE.doubts(log.settings())  # a row may be filed a day later, and none earlier
    assert told.startswith(
        "2 of the first 4 rows of 2026-11-21/x.jsonl would be refused (the first: row 3): it is of 2026-11-22"
    )
    assert "folders_before (0) and folders_after (1) reach" in told
    taken = [at for day in (19, 20, 21, 22) for at in _started(log, day)]
    assert sorted(taken) == ["2026-11-20T23:00:00Z", "2026-11-21T00:00:00Z"]
    assert SOURCE.doubts(log.settings(folders_before=1, folders_after=2)) == []
    assert SOURCE.doubts(log.settings(layout="*/*")) == []


def _started(log: LogFolder, day: int) -> list[str]:
    from datetime import date

    return [str(taken) for taken in log.night(date(2026, 11, day)).rows["request_id"].to_pylist()]


def test_a_value_that_would_be_withheld_is_told_by_its_form_and_the_row_is_taken(row: Row, log: LogFolder) -> None:
    rows = [row(id="1"), row(id="2", price="0,5 EUR"), row(id="3", price=["secret"]), row(id="4", used={"in": "1,200"})]
    log.file("2026-11-21/x.jsonl", rows)
    without, refused = SOURCE.doubts(log.settings())
    where = "of the first 4 rows of 2026-11-21/x.jsonl would be"
    assert without == (
        f"2 {where} taken without cost (the first: row 2): cost held another kind of value than it should: a decimal "
        "number was expected, such as 0.000215, with a point and without a sign of the currency; found a text of the "
        "form '9,9 aaa'; in the log cost is 'price'"
    )
    assert refused.startswith(f"1 {where} refused (the first: row 4): input_tokens held another kind of value")
    assert "found '1,200'; in the log input_tokens is 'used.in'" in refused
    night = log.night()
    assert night.rows["request_id"].to_pylist() == ["1", "2", "3"]
    assert [(reject.reason, reject.column_name) for reject in night.rejects] == [
        ("unreadable_value", "cost"), ("unreadable_value", "cost"), ("unreadable_value", "input_tokens"),
    ]  # fmt: skip
    assert all("EUR" not in reject.detail and "1,200" not in reject.detail for reject in night.rejects)


def test_an_end_that_is_no_instant_or_before_the_start_is_doubted(row: Row, log: LogFolder) -> None:
    given = {"fields": {**log.given["fields"], "ended_at": "end"}}
    ends = ["2026-11-21T02:00:01Z", "2026-11-21T01:00:00Z", SECONDS * 1000, None]
    log.file("2026-11-21/x.jsonl", [row(id=str(number), end=end) for number, end in enumerate(ends)])
    (told,) = SOURCE.doubts(log.settings(**given))
    assert told == (
        "2 of the first 4 rows of 2026-11-21/x.jsonl have no end (the first: row 2): 'end' is a text of the form "
        "'9999-99-99a99:99:99a', before the attempt started; is it another field's?"
    ).replace("a text of the form '9999-99-99a99:99:99a'", "'2026-11-21T01:00:00Z'")
    log.file("2026-11-21/x.jsonl", [row(end=SECONDS * 1000)])
    (told,) = SOURCE.doubts(log.settings(**given))
    assert told.startswith(
        "the first row of 2026-11-21/x.jsonl has no end: 'end' is 1795226400000, which time_unit: iso"
    )
    assert told.endswith("did you mean time_unit: ms (2026-11-21)?")


def test_records_of_a_document_are_counted_and_placed(row: Row, log: LogFolder) -> None:
    content = json.dumps({"rows": [row(), row(id="r2", result="odd")]})
    log.raw("2026-11-21/x.json", content.encode())
    (told,) = SOURCE.doubts(log.settings(records="rows"))
    assert told.startswith(
        "1 of the first 2 rows of 2026-11-21/x.json would be refused (the first: record 2 of row 1): "
    )


def test_lines_and_files_that_cannot_be_read_are_counted_among_the_refused(row: Row, log: LogFolder) -> None:
    log.raw("2026-11-20/x.txt", b"a note\n")
    log.raw(
        "2026-11-21/x.jsonl",
        json.dumps(row()).encode() + b"\n{broken\n[1]\n" + json.dumps(row(id="2")).encode() + b"\n",
    )
    where = "1 of the first 5 rows of 2 files (2026-11-20/x.txt to 2026-11-21/x.jsonl) would be refused (the first: "
    file, broken, array = sorted(SOURCE.doubts(log.settings()))
    assert broken.startswith(f"{where}row 2 of 2026-11-21/x.jsonl): the line is no JSON")
    assert array == f"{where}row 3 of 2026-11-21/x.jsonl): it is JSON, but no object"
    assert file.startswith(f"{where}2026-11-20/x.txt): the file is neither JSON nor Parquet, nor a CSV")


def test_one_look_tells_all_that_is_wrong_with_a_row(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(at=SECONDS, result=word, used={"in": 4}) for word in ("odd", "timeout", "odd")])
    _, halves, instants, words = fault(log, time_unit="ms").splitlines()[:4]
    of = "    3 of the first 3 rows of 2026-11-21/x.jsonl would be refused (the first: row 1): "
    assert instants.startswith(f"{of}'at' is 1795226400")
    assert words.startswith(f"{of}status is 'odd' (2 x), 'timeout' (1 x); say what each means with words: ")
    assert "{status: {odd: ..., timeout: failure}}, success or failure in place of the dots" in words
    assert halves.startswith(f"{of}input 4, output None, total None: one half is not known")


def test_a_word_of_truth_without_words_is_told_with_what_to_write(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(id=str(n), stream=w) for n, w in enumerate(("yes", "no", "perhaps so", "yes"))])
    given = {"fields": {**log.given["fields"], "is_stream": "stream"}}
    (told,) = SOURCE.doubts(log.settings(**given))
    assert told == (
        "4 of the first 4 rows of 2026-11-21/x.jsonl would be taken without is_stream (the first: row 1): is_stream is "
        "'yes' (2 x), 'no' (1 x); say what each means with words: {is_stream: {\"yes\": true, \"no\": false}}, if that is "
        "what they mean; in the log is_stream is 'stream'"
    )
    words = {**log.given["words"], "is_stream": {True: True, False: False}}
    (odd,) = SOURCE.doubts(log.settings(**given, words=words))
    assert "would be refused (the first: row 3): is_stream is 'perhaps so'" in odd


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id;at;result\n1;x;ok\n", "its columns are divided by ';': set delimiter: \";\""),
        ('"id"\t"at"\t"result"\n', r'set delimiter: "\t"'),
        ("Id,At,state\n1,x,ok\n", "it has no column at (is it At?), id (is it Id?), result"),
        ("a prompt,another\n", "it has no column at, id, result"),
    ],
)
def test_a_table_of_other_columns_is_told_with_what_may_be_meant(content: str, said: str, log: LogFolder) -> None:
    log.raw("2026-11-21/x.csv", content.encode())
    told = fault(log)
    assert told.endswith(said)
    assert "prompt" not in told


@pytest.mark.parametrize(
    ("document", "given", "said"),
    [
        ({"rows": ["r"], "next": None}, {}, "set records: rows"),
        ({"page": {"rows": ["r"]}}, {}, "set records: page.rows"),
        ({"rows": ["r"]}, {"records": "data"}, "`records` finds no list there"),
        ({"rows": [1]}, {}, "correct `fields`"),
    ],
)
def test_where_attempts_lie_in_a_list_that_records_does_not_name_it_is_told(
    document: Any, given: Any, said: str, row: Row, log: LogFolder
) -> None:
    text = json.dumps(document).replace('"r"', json.dumps(row()))
    log.raw("2026-11-21/x.json", text.encode())
    told = fault(log, **given)
    assert told.startswith("the first row of 2026-11-21/x.json says nothing under at, id, result; they have ")
    assert said in told


def test_a_damaged_file_is_told_and_the_others_are_looked_at(row: Row, log: LogFolder) -> None:
    log.file("2026-11-20/x.jsonl.gz", [row(at="2026-11-20T02:00:00Z")])
    log.file("2026-11-21/x.jsonl.gz", [row()])
    whole = (log.folder / "2026-11-21/x.jsonl.gz").read_bytes()
    (log.folder / "2026-11-21/x.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (told,) = SOURCE.doubts(log.settings())
    assert "2026-11-21/x.jsonl.gz: the gzip file ends too early" in told
    assert "unless it is being written just now" in told


@pytest.mark.parametrize(("name", "cut"), [("x.jsonl", 20), ("x.csv", 20)])
def test_a_file_that_is_cut_off_is_told_with_what_a_night_makes_of_it(
    name: str, cut: int, row: Row, log: LogFolder
) -> None:
    lines = [b'{"id":"r%d","at":"2026-11-21T02:00:00Z","state":"200"}' % number for number in range(3)]
    rows = [b"r%d,2026-11-21T02:00:00Z,200" % number for number in range(3)]
    whole = b"\n".join(lines) if name.endswith("jsonl") else b"\n".join([b"id,at,state", *rows])
    log.raw(f"2026-11-21/{name}", whole[:-cut])
    given: dict[str, Any] = {"fields": {"request_id": "id", "started_at": "at", "status": "state"}, "convention": None}
    given |= {name: {} for name in ("words", "tags_from", "extras")} | {"constants": {"is_cache_hit": True}}
    (told,) = SOURCE.doubts(log.settings(**given))
    assert f"2026-11-21/{name}: line " in told
    assert "ends in the middle of a row; copy the file again and run the day again, unless it is being written" in told
    assert told.endswith("a night takes nothing of the days for which it reads it, and what was there before stays")
