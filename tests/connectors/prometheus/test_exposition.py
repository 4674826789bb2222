"""What a line of a scrape says, in the text format and in OpenMetrics, whoever the exporter is."""

import gzip
from collections.abc import Mapping

import pytest

from connectors.prometheus import Reader, Reading, Refusals
from connectors.prometheus.exposition import read_scrape
from tests.connectors.conformance import land

TEN = 1_790_848_800_000  # 2026-10-01T10:00:00Z in milliseconds


def read(
    *lines: str, wanted: str = "wanted", packed: bool = False
) -> tuple[list[Reading[Mapping[str, str]]], Refusals]:
    content = ("\n".join(lines) + "\n").encode()
    (page,) = land([gzip.compress(content) if packed else content])
    refusals = Refusals(page.page_id)
    reader = Reader[Mapping[str, str]](wants=lambda name: name.startswith(wanted), learn=lambda labels: labels)
    return list(read_scrape(page, reader, refusals)), refusals


def only(line: str) -> Reading[Mapping[str, str]]:
    (reading,), refusals = read(line)
    assert refusals.rejects == []
    return reading


@pytest.mark.parametrize("instant", ["1790848800000", "1790848800", "1790848800.0", "1.7908488e+09", "1790848800.000"])
def test_instants_are_milliseconds_in_the_text_format_and_seconds_in_openmetrics(instant: str) -> None:
    assert only(f'wanted{{a="b"}} 5 {instant}').millisecond == TEN


def test_fractions_of_a_second_are_kept_as_milliseconds() -> None:
    assert only('wanted{a="b"} 5 1790848800.546').millisecond == TEN + 546
    assert only('wanted{a="b"} 5 1.790848800546e+09').millisecond == TEN + 546


@pytest.mark.parametrize(
    "line",
    [
        'wanted_total{a="b"} 17 1790848800 # {trace_id="KOO5S4vxi0o"} 0.67',
        'wanted_total{a="b"} 17 1790848800 # {trace_id="KOO5S4vxi0o"} 9.8 1790848799.5',
        'wanted_total{a="b"} 17 1790848800 # {} 1e-05 1.7908488e+09',
        'wanted_total{a="b"} 17 1790848800 # {trace_id="a } # {b",span="\\""} 0.67',
    ],
)
def test_an_example_behind_a_value_is_read_over(line: str) -> None:
    reading = only(line)
    assert (reading.metric, reading.value, reading.millisecond, reading.subject) == (
        "wanted_total",
        17.0,
        TEN,
        {"a": "b"},
    )
    assert reading.payload == line


def test_what_looks_like_an_example_within_a_label_is_its_value() -> None:
    assert only('wanted{a="x # {y} 5",b="c"} 5 1790848800').subject == {"a": "x # {y} 5", "b": "c"}


@pytest.mark.parametrize(
    "line", ["wanted{} 5 1790848800", "wanted 5 1790848800", "wanted\t5 1790848800000", "wanted  5 1790848800 # {} 7"]
)
def test_a_metric_without_labels_has_none(line: str) -> None:
    reading = only(line)
    assert (reading.metric, reading.subject, reading.value, reading.millisecond) == ("wanted", {}, 5.0, TEN)


def test_a_name_with_a_blank_behind_it_is_the_same_name() -> None:
    found, _ = read('wanted{a="b"} 1 1790848800', 'wanted {a="b"} 2 1790848800')
    assert [(reading.metric, reading.value) for reading in found] == [("wanted", 1.0), ("wanted", 2.0)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('wanted{a="b"} 5 1790848800 # {a="b"}', "unreadable_labels"),
        ('wanted{a="b"} 5 ten', "unreadable_value"),
        ('wanted{a="b"} 5 NaN', "unreadable_value"),
        ('wanted{a="b"} 5 1e999', "unreadable_value"),
        ('wanted{a="b"} 5 1790848800 7', "unreadable_value"),
        ('other{a="b"} 5 1790848800 7', "unreadable_line"),
        ("other{a=b", "unreadable_line"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_in_words(line: str, reason: str) -> None:
    found, refusals = read(line, 'wanted{a="b"} 5 1790848800')
    assert [reading.row for reading in found] == [2]
    assert [(reject.reason, reject.row, reject.payload) for reject in refusals.rejects] == [(reason, 1, line)]


@pytest.mark.parametrize(
    "line",
    [
        "other 5",
        "other 5 1790848800.5",
        "other 5 1.7908488e+09",
        'other_bucket{le="+Inf"} 5 1790848800 # {trace_id="x"} 0.67 1790848799',
        '{"other.metric",a="b"} 5',
        "other NaN 1790848800000",
    ],
)
def test_lines_of_other_metrics_are_read_over(line: str) -> None:
    found, refusals = read(line)
    assert (found, refusals.rejects) == ([], [])


@pytest.mark.parametrize("packed", [False, True])
def test_a_page_of_openmetrics_is_read_to_its_end(packed: bool) -> None:
    found, refusals = read(
        "# TYPE wanted counter",
        "# UNIT wanted joules",
        "# HELP wanted Energy.",
        'wanted_total{a="b"} 17 1790848800',
        'wanted_created{a="b"} 1790800000 1790848800',
        "# EOF",
        packed=packed,
    )
    assert [(reading.metric, reading.value, reading.text) for reading in found] == [
        ("wanted_total", 17.0, "17"),
        ("wanted_created", 1790800000.0, "1790800000"),
    ]
    assert refusals.rejects == []


def test_labels_that_repeat_to_the_letter_are_learned_once() -> None:
    learned = []
    (page,) = land([b'wanted{a="b"} 1 1790848800\nwanted_too{a="b"} 2 1790848800\nwanted{a="c"} 3 1790848800\n'])
    reader = Reader[int](wants=lambda _: True, learn=lambda labels: learned.append(labels) or len(learned))
    assert [reading.subject for reading in read_scrape(page, reader, Refusals(page.page_id))] == [1, 1, 2]
    assert learned == [{"a": "b"}, {"a": "c"}]
