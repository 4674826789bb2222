"""JSON is read as it was written: numbers digit for digit, records wherever they lie, nothing cut off taken for whole."""

import gzip
import json
import random
from collections.abc import Sequence
from decimal import Decimal

import polars as pl
import pytest

from connectors.base import Bytes, IncompleteDeliveryError
from connectors.focus import read_json
from connectors.focus.read import format_of
from tests.connectors.focus.bills import LINE, csv_bill, line, only, read
from tests.connectors.focus.mapped import read_mapped, used, with_columns, written

ARRAY = json.dumps([used(), used(Machine="node-8")]).encode()
LINES = "".join(f"{json.dumps(used(Machine=name))}\n" for name in ("node-7", "node-8")).encode()
DOCUMENT = json.dumps({"data": [used(), used(Machine="node-8")]}).encode()


def rows_of(content: bytes, records: Sequence[str] = (), fields: Sequence[str] = ()) -> list[dict[str, str | None]]:
    batches = read_json.read_json("f", Bytes(content), records, fields, compressed=False)
    return pl.concat([batch.frame for batch in batches]).to_dicts()


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (ARRAY, ()),
        (b"\xef\xbb\xbf" + ARRAY, ()),
        (json.dumps(json.loads(ARRAY), indent=2).encode(), ()),
        (gzip.compress(ARRAY, mtime=0), ()),
        (LINES, ()),
        (LINES.rstrip(b"\n"), ()),
        (gzip.compress(LINES, mtime=0), ()),
        (DOCUMENT, ("data",)),
        (json.dumps({"w": [{"data": [used()]}, {"data": [used(Machine="node-8")]}]}).encode(), ("w.data",)),
        (json.dumps({"u": {"a": [used()], "b": [used(Machine="node-8")], "n": 1}}).encode(), ("u.*",)),
    ],
)
def test_every_way_to_write_the_records_gives_the_charges_of_the_csv(content: bytes, records: tuple[str, ...]) -> None:
    expected = read_mapped(written(used(), used(Machine="node-8"))).rows
    found = read_mapped(content, records=records)
    assert found.rejects == []
    assert [row | {"x_page": ""} for row in found.rows] == [row | {"x_page": ""} for row in expected]


def test_numbers_keep_every_digit_and_other_values_their_words() -> None:
    content = b'[{"a": 0.10000000000000000000001, "b": 1e3, "c": true, "d": null, "e": NaN, "f": {"z": 1.50, "a": []}}]'
    assert rows_of(content) == [
        {"a": "0.10000000000000000000001", "b": "1e3", "c": "true", "d": None, "e": "NaN", "f": '{"a":[],"z":"1.50"}'}
    ]


def test_fields_of_objects_of_the_document_and_of_the_list_are_columns_where_they_are_wanted() -> None:
    content = b'{"period": {"from": "2026-09-01"}, "u": {"vm": [{"q": {"v": 1}}], "disk": [{"q": null}]}}'
    found = rows_of(content, ["u.*"], ["q.v", "$.period.from", "$path", "$.no.such", "q"])
    assert found == [
        {"q": '{"v":"1"}', "q.v": "1", "$.period.from": "2026-09-01", "$path": "u.vm"},
        {"q": None, "q.v": None, "$.period.from": "2026-09-01", "$path": "u.disk"},
    ]


def test_a_field_around_a_record_is_that_of_the_innermost_object_that_has_it() -> None:
    windows = [{"start": "2026-09-03", "items": [{"a": "1"}, {"a": "2"}]}, {"items": [{"a": "3"}]}]
    content = json.dumps({"start": "2026-09-01", "org": "acme", "windows": windows}).encode()
    found = rows_of(content, ["windows.items"], ["$.start", "$.org"])
    assert [(row["a"], row["$.start"], row["$.org"]) for row in found] == [
        ("1", "2026-09-03", "acme"),
        ("2", "2026-09-03", "acme"),
        ("3", "2026-09-01", "acme"),
    ]


def test_a_field_that_no_record_has_is_empty_and_told_but_one_that_a_charge_needs_is_missed() -> None:
    bill = read_mapped(ARRAY, **with_columns(sub_account_id="attributes.project"))
    assert [row["sub_account_id"] for row in bill.rows] == [None, None]
    assert "columns of the settings that no record of a file has, and that are empty there: attributes.project" in (
        bill.notices
    )
    with pytest.raises(IncompleteDeliveryError, match=r"no column 'cost.amount'.*`columns` takes billed_cost from it"):
        read_mapped(ARRAY, **with_columns(billed_cost="cost.amount"))


@pytest.mark.parametrize(
    ("content", "records", "words"),
    [
        (ARRAY[:-20], (), "cannot be read as JSON"),
        (LINES[:-20], (), "ends in the middle of a record"),
        (DOCUMENT[:-3], ("data",), "manifest cannot be read|cannot be read as JSON"),
        (DOCUMENT, ("rows", "w.*"), r"holds none of the lists rows, w\.\*; it holds data"),
        (b'[{"Amount": 1, "Amount": 2}]', (), "names 'Amount' more than once"),
        (b'[{"Amount": "\xff"}]', (), "no text in UTF-8"),
        (gzip.compress(ARRAY, mtime=0)[:-9], (), "cannot be unpacked|damaged"),
        (b"[" * 100_000, (), "cannot be read as JSON"),
    ],
)
def test_what_is_no_whole_document_is_an_incomplete_delivery(
    content: bytes, records: tuple[str, ...], words: str
) -> None:
    with pytest.raises(IncompleteDeliveryError, match=words):
        read_mapped(content, records=records)


def test_a_document_that_is_too_large_to_be_read_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_json, "_MOST_BYTES", len(ARRAY) - 1)
    with pytest.raises(IncompleteDeliveryError, match="bytes of JSON; save smaller parts, or CSV"):
        read_mapped(ARRAY)


@pytest.mark.parametrize(
    "content", [ARRAY, LINES, gzip.compress(LINES, mtime=0), DOCUMENT], ids=["array", "lines", "gz", "doc"]
)
def test_damaged_json_ends_in_rows_rejects_or_an_incomplete_delivery_and_in_nothing_else(content: bytes) -> None:
    chance = random.Random(1847)
    odd = [b"", b'"', b"{", b"}", b"]", b"\n", b"null", b"1e5", b"\\ud800", b"\xff", b"\x00"]
    for _ in range(80):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 2, 5])):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.choice([0, 1, 1, 20])] = chance.choice(odd)
        try:
            bill = read_mapped(bytes(damaged), records=["data"])
        except IncompleteDeliveryError:
            continue
        assert all(row["billed_cost"] is not None for row in bill.rows)
        assert all(reject.payload and reject.reason for reject in bill.rejects)


def test_a_line_or_an_element_that_is_no_record_is_refused_and_the_others_keep_their_numbers() -> None:
    bill = read_mapped(LINES.replace(b"\n", b"\n{oops\n", 1))
    assert ([row["x_row"] for row in bill.rows], [r.row for r in bill.rejects]) == ([1, 3], [2])
    bill = read_mapped(json.dumps([7, used(), None]).encode())
    assert ([row["x_row"] for row in bill.rows], [r.row for r in bill.rejects]) == ([2], [1, 3])
    assert {reject.reason for reject in bill.rejects} == {"malformed_record"}
    assert [reject.payload for reject in bill.rejects] == ['"7"', "null"]


def test_half_a_character_is_refused_with_what_can_be_shown_of_it() -> None:
    bill = read_mapped(b"[" + json.dumps(used()).encode() + b"," + json.dumps(used(Product="\ud800")).encode() + b"]")
    (reject,) = bill.rejects
    assert (reject.row, reject.reason, reject.column_name, reject.cost) == (2, "not_utf8", "Product", Decimal("57.36"))


@pytest.mark.parametrize("content", [b"[]", b'{"data": []}', b'{"data": null}'])
def test_no_records_are_an_empty_bill(content: bytes) -> None:
    bill = read_mapped(content, records=["data"])
    assert (bill.rows, bill.rejects) == ([], [])


def test_batches_of_a_long_document_have_the_columns_of_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_json, "BATCH_ROWS", 2)
    records = [used(), used(), used(), {**used(), "Late": "1"}]
    batches = list(read_json.read_json("f", Bytes(json.dumps(records).encode()), (), (), compressed=False))
    assert [batch.rows.to_list() for batch in batches] == [[1, 2], [3, 4]]
    assert all("Late" in batch.frame.columns for batch in batches)


def test_focus_rows_as_json_are_read_by_the_names_of_the_standard() -> None:
    record = {**LINE, "Tags": {"team": "search", "env": "prod"}, "BilledCost": 55.04}
    row, same = only(read(json.dumps([record]).encode())), only(read(csv_bill(line())))
    assert row | {"x_page": ""} == same | {"x_page": ""}


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (b'{"files": ["a.csv"]}', "x", "manifest"),
        (b'{"dataFiles": []}', "x", "manifest"),
        (b'{\n  "blobs": [],\n  "dataRowCount": 0\n}', "x", "manifest"),
        (b'{"exportArn": "a"}', "acme-Manifest.json", "manifest"),
        (b'{"rows": [{"a": 1}]}', "x", "json"),
        (b'{"a": 1}\n{"a": 2}\n', "x", "json"),
        (b' [{"a": 1}]', "x", "json"),
        (gzip.compress(b'{"a": 1}\n', mtime=0), "x", "json"),
        (b"a,b\n", "x.json", "csv"),
    ],
)
def test_a_manifest_is_told_from_records(content: bytes, name: str, found: str) -> None:
    assert format_of(name, Bytes(content)) == found
