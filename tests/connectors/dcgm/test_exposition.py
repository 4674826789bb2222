"""Scrapes as files: what lines may look like, which files belong to a day, and when they were taken."""

import gzip
from datetime import datetime
from pathlib import Path

import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.dcgm import SOURCE
from tests.connectors.conformance import land
from tests.connectors.dcgm.written import DAY, HELD, WINDOW, labels, line, page, parse, rows, settings

UTIL = "DCGM_FI_DEV_GPU_UTIL"
STAMP = "# scraped at 2026-10-01T10:15:00Z"


def write(root: Path, path: str, content: bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


def fetched(root: Path, **over: object) -> dict[str, bytes]:
    found = {}
    for one in SOURCE.fetch(settings(scrapes=str(root), **over), WINDOW):
        with one.body.open() as stream:
            found[one.name] = stream.read()
    return found


def test_escaped_label_values_are_read_as_they_were_meant() -> None:
    named = labels(0, namespace=r"a\"b}c,d=\\e\n", pod="p", container="{c}")
    (row,) = rows(page(line(UTIL, named, 1, "10:00")))
    assert (row["namespace"], row["container"]) == ('a"b}c,d=\\e\n', "{c}")


def test_spaces_and_a_closing_comma_between_labels_are_allowed() -> None:
    (row,) = rows(page('DCGM_FI_DEV_GPU_UTIL { gpu = "1" , UUID="GPU-x", }   7.5e1\t1790848800000 '))
    assert (row["gpu_uuid"], row["gpu_util_ratio"], row["sampled_at"]) == ("GPU-x", 0.75, datetime(2026, 10, 1, 10))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("DCGM_FI_DEV_GPU_UTIL{...} 95", "unreadable_labels"),
        ('DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1} 5', "unreadable_labels"),
        ('DCGM_FI_DEV_GPU_UTIL{gpu="0"} 5', "no_gpu_uuid"),
        ("DCGM_FI_DEV_GPU_UTIL 5", "no_gpu_uuid"),
        ('DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1"} five', "unreadable_value"),
        ('DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1"}', "unreadable_value"),
        ('DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1"} 1_0', "unreadable_value"),
        ('DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1"} 5 10:00', "unreadable_value"),
        ('DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1"} 5 1790848800000 # {}', "unreadable_labels"),
        ('DCGM_FI_DEV_SM_CLOCK{UUID="GPU-1"', "unreadable_line"),
        ("<html><body>Sign in</body></html>", "unreadable_line"),
    ],
)
def test_an_unreadable_line_is_refused_with_its_reason_and_the_others_are_kept(broken: str, reason: str) -> None:
    parsed = parse(page(STAMP, line(UTIL, labels(0), 50), broken, line(UTIL, labels(1), 60)))
    assert parsed.rows["gpu_util_ratio"].to_pylist() == [0.5, 0.6]
    (reject,) = parsed.rejects
    assert (reject.reason, reject.row, reject.payload) == (reason, 3, broken)


def test_a_label_that_is_no_utf8_is_refused() -> None:
    parsed = parse(page(STAMP, line(UTIL, labels(0), 50)).replace(b"node-1", b"node-\xff"))
    assert [reject.reason for reject in parsed.rejects] == ["unreadable_labels"]


def test_a_file_of_something_else_is_refused_without_a_million_rejects() -> None:
    parsed = parse(page(*(f"2026-10-01,{n},web server log" for n in range(3000))))
    assert parsed.rows.num_rows == 0
    assert len(parsed.rejects) == 1001
    assert "2000 further lines" in parsed.rejects[-1].detail


def test_a_line_without_instant_takes_that_of_the_page_and_its_own_comes_first() -> None:
    found = rows(page(STAMP, line(UTIL, labels(0), 1), line(UTIL, labels(1), 2, "11:00")))
    assert [row["sampled_at"] for row in found] == [datetime(2026, 10, 1, 10, 15), datetime(2026, 10, 1, 11)]


def test_a_page_without_any_instant_is_refused_once_with_the_remedy() -> None:
    parsed = parse(page(line(UTIL, labels(0), 1), line(UTIL, labels(1), 2)))
    assert parsed.rows.num_rows == 0
    (reject,) = parsed.rejects
    assert reject.reason == "no_instant"
    assert "node-20261001T101500Z.prom" in reject.detail


def test_an_empty_file_is_a_failed_scrape_and_a_page_of_comments_is_not() -> None:
    assert [reject.reason for reject in parse(b"").rejects] == ["empty_page"]
    assert parse(b"# EOF\n").rejects == ()


@pytest.mark.parametrize("cut", [3, 40])
def test_a_gzip_file_that_ends_early_is_an_incomplete_delivery(cut: int) -> None:
    packed = gzip.compress(page(line(UTIL, labels(0), 1, "10:00")) * 50)
    assert len(rows(packed)) == 1
    with pytest.raises(IncompleteDeliveryError, match=r"cut off or damaged.*Deliver it again"):
        parse(packed[:-cut])


def test_a_damaged_gzip_file_is_an_incomplete_delivery() -> None:
    packed = bytearray(gzip.compress(page(*(line(UTIL, labels(n), n, "10:00") for n in range(50)))))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(IncompleteDeliveryError):
        parse(bytes(packed))


def test_a_line_without_end_is_given_up_before_it_fills_the_memory() -> None:
    with pytest.raises(IncompleteDeliveryError, match="no scrape"):
        parse(gzip.compress(b"x" * 5_000_000))


@pytest.mark.parametrize(
    "path",
    [
        "2026-10-01/node-1.prom",
        "prod/2026-10-01/deep/a.prom.gz",
        "20261001T101500Z.prom",
        "n-20261001.txt",
        "x/n_2026-10-01.gz",
    ],
)
def test_a_file_belongs_to_the_day_whose_date_its_path_holds(tmp_path: Path, path: str) -> None:
    write(tmp_path, path, b"# EOF\n")
    for other in ("2026-10-02/node-1.prom", "n-120261001.txt", "n-202610012.txt", "2026-10-010/x", "2026/10/01/x"):
        write(tmp_path, other, b"# EOF\n")
    assert list(fetched(tmp_path)) == [path]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("{date}/*.prom*", ["2026-10-01/a.prom", "2026-10-01/b/c.prom.gz"]),
        ("{date}/a.*", ["2026-10-01/a.prom"]),
        ("*/{yyyymmdd}-*.txt", ["n/20261001-1.txt"]),
    ],
)
def test_a_layout_says_where_the_days_files_are(tmp_path: Path, layout: str, expected: list[str]) -> None:
    for path in (
        "2026-10-01/a.prom",
        "2026-10-01/b/c.prom.gz",
        "2026-10-01/README",
        "n/20261001-1.txt",
        "2026-10-02/a.prom",
    ):
        write(tmp_path, path, b"# EOF\n")
    assert list(fetched(tmp_path, layout=layout)) == expected


@pytest.mark.parametrize("name", ["n-20261001T101500Z.prom", "n_2026-10-01T10:15:00Z.prom", "2026-10-01T10-15-00Z.gz"])
def test_the_instant_in_a_files_name_is_written_into_the_page(tmp_path: Path, name: str) -> None:
    content = page(line(UTIL, labels(0, **HELD), 42))
    write(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content)
    landed = land(list(fetched(tmp_path).values()))
    (parsed,) = SOURCE.parse(settings(), WINDOW, landed)
    assert parsed.rows["sampled_at"].to_pylist() == [datetime(2026, 10, 1, 10, 15)]


def test_two_scrapes_that_say_the_same_to_the_letter_stay_two_samples(tmp_path: Path) -> None:
    for minute in ("00", "05"):
        write(tmp_path, f"n-20261001T10{minute}00Z.prom", page(line(UTIL, labels(0), 0)))
    landed = land(list(fetched(tmp_path).values()))
    (parsed,) = SOURCE.parse(settings(), WINDOW, landed)
    assert sorted(t.minute for t in parsed.rows["sampled_at"].to_pylist()) == [0, 5]


def test_a_file_whose_name_holds_no_instant_is_landed_as_it_was_received(tmp_path: Path) -> None:
    content = gzip.compress(page(line(UTIL, labels(0), 0, "10:00")))
    write(tmp_path, "2026-10-01/node-1.prom.gz", content)
    assert fetched(tmp_path) == {"2026-10-01/node-1.prom.gz": content}


def test_the_probe_names_the_newest_metrics_and_refuses_a_folder_without_dates(tmp_path: Path) -> None:
    write(tmp_path, "node-1.prom", b"")
    with pytest.raises(SourceError, match="1 files, none with a date in its path"):
        SOURCE.probe(settings(scrapes=str(tmp_path)))
    write(tmp_path, "2026-10-01/node-1.prom", page(STAMP, line(UTIL, labels(0), 1), "node_load1 3"))
    write(tmp_path, "n-20261003.prom", b"")
    assert SOURCE.probe(settings(scrapes=str(tmp_path))).endswith(
        f"holds 3 files, dated 2026-10-01 to 2026-10-03, with 1 metrics of dcgm-exporter: {UTIL}"
    )


def test_files_of_another_exporter_are_told_by_the_probe_and_fail_the_night(tmp_path: Path) -> None:
    other = page(STAMP, 'node_load1{instance="a"} 3', "go_goroutines 12")
    write(tmp_path, "2026-10-01/node-1.prom", other)
    with pytest.raises(SourceError, match=r"2026-10-01/node-1\.prom, the newest of 1 files, holds no metric of dcgm"):
        SOURCE.probe(settings(scrapes=str(tmp_path)))
    with pytest.raises(SourceError, match="no metric of dcgm-exporter, but go_goroutines, node_load1"):
        parse(other)
    assert parse(other, page(STAMP, line(UTIL, labels(0), 50))).rows.num_rows == 1


def test_a_layout_that_fits_no_file_is_told_by_the_probe_and_fails_the_night(tmp_path: Path) -> None:
    write(tmp_path, "2026-10-01/node-1.prom", page(STAMP, line(UTIL, labels(0), 1)))
    for ask in (SOURCE.probe, lambda chosen: list(SOURCE.fetch(chosen, WINDOW))):
        with pytest.raises(
            SourceError, match=r"no file fits 'layout', which is \{date\}\.prom; there is 2026-10-01/node"
        ):
            ask(settings(scrapes=str(tmp_path), layout="{date}.prom"))


def test_a_long_delivery_comes_in_chunks_and_keeps_every_sample_once() -> None:
    pages = [
        page(
            *(
                line(UTIL, labels(gpu, node), 1) + f" {1790812800000 + second * 1000}"
                for second in range(9000)
                for gpu in (0, 1)
            )
        )
        for node in range(1, 8)
    ]
    chunks = list(SOURCE.parse(settings(), WINDOW, land(pages)))
    assert [chunk.rows.num_rows for chunk in chunks] == [54_000, 54_000, 18_000]
    assert chunks[0].rows["sample_date"][0].as_py() == DAY


def test_scrapes_that_are_nowhere_are_told_by_what_is_configured_and_by_no_other_setting(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    with pytest.raises(SourceError) as told:
        SOURCE.probe(settings(scrapes=missing))
    assert f"(configured: '{missing}')" in str(told.value)
    assert "location" not in str(told.value)
