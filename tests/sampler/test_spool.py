"""The spool survives: ends without warning, full disks, clocks that are set, and people who move files away."""

import errno
import gzip
import os
import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from pipelines.sampler.files import cut_torn_line
from pipelines.sampler.spool import Spool, SpoolError
from tests.sampler.node import Node, gpu

DAY = "2026-10-01"
EXTRA_MS = 15_000


def instants(node: Node) -> list[str]:
    """The instants of samples by their minute and second, in the order of the files."""
    found = []
    for line in node.samples_kept():
        seconds = line["at_ms"] // 1000 % 86_400
        found.append(f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}")
    return found


def test_an_hour_is_a_file_and_a_closed_hour_is_packed(node: Node) -> None:
    node.steps().at(f"{DAY}T10:59:45", f"{DAY}T11:00:00", f"{DAY}T23:59:59.999", "2026-10-02T00:00:00")
    assert node.files() == [
        "node-1-20261001T10Z.jsonl.gz",
        "node-1-20261001T11Z.jsonl.gz",
        "node-1-20261001T23Z.jsonl.gz",
        "node-1-20261002T00Z.jsonl",
    ]
    assert sorted(path.parent.name for path in node.spool.glob("*/*")) == [DAY, DAY, DAY, "2026-10-02"]
    assert instants(node) == ["10:59:45", "11:00:00", "23:59:59", "00:00:00"]


def test_the_last_instant_of_a_day_stays_in_its_day(node: Node) -> None:
    node.steps().at(f"{DAY}T23:59:59.999999")
    (line,) = node.samples_kept()
    assert line["at_ms"] == 1790899199999
    assert node.files() == ["node-1-20261001T23Z.jsonl"]


def test_a_torn_last_line_is_cut_off_told_and_nothing_is_double_or_missing(node: Node) -> None:
    before = node.steps()
    before.at(f"{DAY}T10:00:00", f"{DAY}T10:00:15")
    before.kill()
    path = node.spool / DAY / "node-1-20261001T10Z.jsonl"
    with path.open("ab") as file:
        file.write(b'{"v":1,"at_ms":17908488')
    after = node.steps()
    after.at(f"{DAY}T10:00:30")
    assert "23 bytes were cut off" in after.end()
    assert instants(node) == ["10:00:00", "10:00:15", "10:00:30"]
    (note,) = node.notes()
    assert (note["note"], note["bytes"], note["file"]) == ("torn_line", 23, path.name)


def test_a_file_that_is_one_torn_line_longer_than_a_block_is_emptied(node: Node) -> None:
    path = node.spool / DAY / "node-1-20261001T10Z.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 200_000)
    node.steps().at(f"{DAY}T10:00:30")
    assert instants(node) == ["10:00:30"]
    assert node.notes()[0]["bytes"] == 200_000


def test_an_end_between_packing_and_removing_leaves_each_sample_once(node: Node) -> None:
    before = node.steps()
    before.at(f"{DAY}T10:00:00")
    before.kill()
    path = node.spool / DAY / "node-1-20261001T10Z.jsonl"
    path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.with_suffix(".jsonl.gz.part").write_bytes(b"half")
    node.steps().at(f"{DAY}T10:00:15")
    assert sorted(instants(node)) == ["10:00:00", "10:00:15"]
    assert node.files() == ["node-1-20261001T10Z.2.jsonl", "node-1-20261001T10Z.jsonl.gz"]
    assert node.notes() == []


def test_hours_that_an_end_left_open_are_packed_at_the_next_start(node: Node) -> None:
    before = node.steps()
    before.at(f"{DAY}T10:00:00")
    before.kill()
    node.steps().at(f"{DAY}T14:00:00")
    assert node.files() == ["node-1-20261001T10Z.jsonl.gz", "node-1-20261001T14Z.jsonl"]


def test_a_clock_that_is_set_back_is_told_and_writes_a_part_of_its_own(node: Node) -> None:
    steps = node.steps()
    steps.at(f"{DAY}T10:59:45", f"{DAY}T11:00:00", f"set {DAY}T10:30:00", f"{DAY}T10:30:15", f"set {DAY}T11:00:15")
    assert node.files() == [
        "node-1-20261001T10Z.2.jsonl.gz",
        "node-1-20261001T10Z.jsonl.gz",
        "node-1-20261001T11Z.2.jsonl",
        "node-1-20261001T11Z.jsonl.gz",
    ]
    assert sorted(instants(node)) == ["10:30:00", "10:30:15", "10:59:45", "11:00:00", "11:00:15"]
    assert [(note["note"], note["seconds"]) for note in node.notes()] == [("clock_set", -1815.0), ("clock_set", 1785.0)]
    assert "the clock was set by -1815.0 s" in steps.end()


def test_before_the_clock_is_set_nothing_is_sampled(node: Node) -> None:
    steps = node.steps()
    steps.at("1970-01-01T00:00:20", "1970-01-01T00:00:35", f"set {DAY}T10:00:00")
    assert instants(node) == ["10:00:00"]
    assert steps.end().count("the clock says 1970-01-01: samples wait until it is set") == 1


def test_the_oldest_file_goes_when_there_is_no_room_and_that_is_told_in_both_places(node: Node) -> None:
    node.says(*(gpu(index) for index in range(8)))
    steps = node.steps(most_bytes=9_000)
    for hour in range(24):
        steps.at(f"{DAY}T{hour:02d}:00:00")
    kept = node.files()
    assert kept[-1] == "node-1-20261001T23Z.jsonl"
    assert sum(path.stat().st_size for path in node.spool.glob("*/*")) <= 9_000
    dropped = [note for note in node.notes() if note["note"] == "dropped_files"]
    gone = 24 - len(kept)  # told even where the file that told it went as well
    assert sum(note["files"] for note in dropped) == gone > 10
    assert kept[:-1] == [f"node-1-20261001T{hour:02d}Z.jsonl.gz" for hour in range(gone, 23)]
    assert min(note["first"] for note in dropped) == "node-1-20261001T00Z.jsonl.gz"
    assert max(note["last"] for note in dropped) == f"node-1-20261001T{gone - 1:02d}Z.jsonl.gz"
    assert steps.end().count("was dropped: the spool may hold 9,000 bytes") == gone


def test_an_hour_alone_beyond_the_bound_is_closed_before_anything_goes(node: Node) -> None:
    node.says(*(gpu(index) for index in range(8)))
    steps = node.steps(most_bytes=9_000)
    steps.at(*(f"{DAY}T10:{minute:02d}:00" for minute in range(12)))
    assert sum(path.stat().st_size for path in node.spool.glob("*/*")) <= 9_000
    minutes = [at for at in instants(node) if at[-2:] == "00"]
    assert minutes[-8:] == ["10:11:00"] * 8


def test_the_files_of_other_nodes_in_the_folder_are_not_touched(node: Node) -> None:
    other = node.spool / DAY / "node-11-20261001T09Z.jsonl"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"torn")
    node.steps(most_bytes=1).at(f"{DAY}T10:00:00", f"{DAY}T11:00:00")
    assert other.read_bytes() == b"torn"


def test_a_file_that_was_moved_away_is_begun_anew(node: Node) -> None:
    steps = node.steps()
    steps.at(f"{DAY}T10:00:00")
    path = node.spool / DAY / "node-1-20261001T10Z.jsonl"
    taken = node.folder / "taken.jsonl"
    path.rename(taken)
    steps.at(f"{DAY}T10:00:15")
    assert instants(node) == ["10:00:15"]
    assert taken.read_text().count("\n") == 1
    assert "was moved or removed" in steps.end()


def opened(folder: Path, said: list[str], most_bytes: int = 1 << 30) -> Spool:
    spool = Spool(folder, "node-1", most_bytes, said.append)
    spool.open()
    spool.append(datetime(2026, 10, 1, 10), [{"gpu_index": 0}])
    return spool


def test_days_whose_files_were_fetched_leave_no_empty_folder(node: Node) -> None:
    steps = node.steps()
    steps.at(f"{DAY}T10:00:00", f"{DAY}T11:00:00")
    for path in (node.spool / DAY).iterdir():
        path.unlink()
    steps.at("2026-10-02T10:00:00")
    assert [path.name for path in node.spool.glob("2*")] == ["2026-10-02"]


def test_a_closed_file_that_the_disk_damaged_can_still_go(node: Node) -> None:
    broken = node.spool / DAY / "node-1-20261001T09Z.jsonl.gz"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(gzip.compress(os.urandom(30_000))[:-40] + bytes(40))
    node.steps(most_bytes=9_000).at(f"{DAY}T10:00:00", f"{DAY}T10:00:15")
    assert node.files() == ["node-1-20261001T10Z.jsonl"]
    assert [(note["files"], note["last"]) for note in node.notes()] == [(1, broken.name)]


def test_a_round_that_the_disk_does_not_take_leaves_no_part_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path, [])
    path = tmp_path / DAY / "node-1-20261001T10Z.jsonl"
    whole = path.read_bytes()
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, content: full_disk(write, file, content))
        with pytest.raises(OSError, match="No space left"):
            spool.append(datetime(2026, 10, 1, 10, 0, 15), [{"gpu_index": 1}])
        assert path.read_bytes() == whole
    spool.append(datetime(2026, 10, 1, 10, 0, 30), [{"gpu_index": 2}])
    assert path.read_bytes().count(b"\n") == 2
    spool.close()


def full_disk(write: object, file: int, content: bytes) -> int:
    if len(content) > 10:
        return write(file, content[:10])  # type: ignore[operator]
    raise OSError(errno.ENOSPC, "No space left on device")


def test_lost_rounds_are_counted_in_the_next_that_is_kept(node: Node) -> None:
    steps = node.steps()
    steps.at(f"{DAY}T10:00:00")
    path = node.spool / DAY / "node-1-20261001T10Z.jsonl"
    path.rename(path.with_name("away"))
    (node.spool / DAY).rename(node.spool / "kept")
    (node.spool / DAY).write_text("a file where the day's folder should be")
    steps.at(f"{DAY}T10:00:15", f"{DAY}T10:00:30")
    (node.spool / DAY).unlink()
    steps.at(f"{DAY}T10:00:45")
    said = steps.end()
    text = path.read_text()
    assert '"note":"lost_rounds","rounds":2' in text
    assert said.count("cannot be written") == 1
    assert "can be written again; 2 rounds were lost" in said


def test_a_second_sampler_for_the_same_node_is_refused(tmp_path: Path) -> None:
    first = opened(tmp_path, [])
    with pytest.raises(SpoolError, match="another sampler writes there for node-1; stop it"):
        Spool(tmp_path, "node-1", 1 << 30, [].append).open()
    Spool(tmp_path, "node-2", 1 << 30, [].append).open()
    first.close()
    Spool(tmp_path, "node-1", 1 << 30, [].append).open()


def test_a_spool_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match=r"cannot be written: .*Give a folder of its own"):
        Spool(tmp_path / "file", "node-1", 1 << 30, [].append).open()


def test_a_nodes_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "../../etc/x y", 1 << 30, [].append)
    spool.open()
    spool.append(datetime(2026, 10, 1, 10), [{}])
    (path,) = (tmp_path / "spool").glob("*/*")
    assert path.name == ".._.._etc_x_y-20261001T10Z.jsonl"
    assert '"host":"../../etc/x y"' in path.read_text()
    spool.close()


@given(st.binary(max_size=300), st.booleans())
@with_settings(max_examples=60, deadline=None)
def test_what_follows_the_last_lines_end_goes_and_nothing_else(content: bytes, is_long: bool) -> None:
    whole = content * 400 if is_long else content
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(whole)
        cut = cut_torn_line(path)
        assert path.read_bytes() == whole[: whole.rfind(b"\n") + 1]
        assert cut == len(whole) - len(path.read_bytes())
