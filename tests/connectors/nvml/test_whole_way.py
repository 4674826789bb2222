"""From the driver to rows: what the sampler wrote, the connector reads; and what a folder of spools looks like."""

from datetime import date, datetime
from pathlib import Path

import pytest

from connectors.base import IncompleteDeliveryError, SourceError, Window
from connectors.nvml import SOURCE
from tests.connectors.conformance import land
from tests.connectors.nvml.written import DAY, WINDOW, packed, page, sample, settings
from tests.sampler.node import CONTAINER, IN_POD, Node, gpu


def contents(location: Path, window: Window = WINDOW, **over: object) -> list[bytes]:
    found = []
    for one in SOURCE.fetch(settings(location=str(location), **over), window):
        with one.body.open() as stream:
            found.append(stream.read())
    return found


def test_what_the_sampler_wrote_is_read_without_a_word(node: Node) -> None:
    node.says(
        gpu(0, running="7:1000", shares="7:1700:40:10"),
        gpu(1, mig_mode=1, **{"mig3.gi": 2, "mig3.name": "X MIG 2g.20gb", "mig3.running": "", "gi2.gpm2": 5}),
    )
    node.runs(7, IN_POD)
    node.logs(f"vllm-0_serving_vllm-{CONTAINER}.log")
    steps = node.steps()
    steps.at("2026-10-01T09:59:45", "2026-10-01T10:00:00", "2026-10-02T00:00:00")
    steps.kill()
    (parsed,) = SOURCE.parse(settings(), WINDOW, land(contents(node.spool)))
    assert (parsed.rejects, parsed.notices, parsed.duplicate_count) == ((), (), 0)
    found = sorted(
        parsed.rows.to_pylist(), key=lambda row: (row["sampled_at"], row["gpu_uuid"], row["gpu_instance_id"])
    )
    seen = ("sampled_at", "instance_id", "gpu_uuid", "gpu_instance_id", "namespace", "pod", "holder_sm_ratio")
    early, late = datetime(2026, 10, 1, 9, 59, 45), datetime(2026, 10, 1, 10)
    one, two = "GPU-8f2f3a52-0001", "GPU-8f2f3a52-0002"
    assert [tuple(row[name] for name in seen) for row in found] == [
        (early, "i-0abc", one, "", "serving", "vllm-0", 0.4),
        (early, "i-0abc", two, "", "", "", None),
        (early, "i-0abc", two, "2", "", "", None),
        (late, "i-0abc", one, "", "serving", "vllm-0", None),
        (late, "i-0abc", two, "", "", "", None),
        (late, "i-0abc", two, "2", "", "", None),
    ]
    assert [row["sm_active_ratio"] for row in found[3:]] == [0.5616, 0.5616, 0.05]


def test_a_days_files_are_found_and_others_are_left(tmp_path: Path) -> None:
    day = tmp_path / "2026-10-01"
    day.mkdir()
    (tmp_path / "2026-10-02").mkdir()
    (tmp_path / ".node-1.lock").touch()
    (day / "node-1-20261001T10Z.jsonl.gz").write_bytes(packed(sample("10:00")))
    (day / "node-1-20261001T11Z.jsonl").write_bytes(page(sample("11:00")))
    (day / "node-1-20261001T12Z.jsonl").touch()  # begun, and nothing written yet
    (day / "node-1-20261001T09Z.jsonl.gz.part").write_bytes(b"half")
    (tmp_path / "2026-10-02" / "node-1-20261002T00Z.jsonl").write_bytes(page(sample("12:00")))
    assert contents(tmp_path) == [packed(sample("10:00")), page(sample("11:00"))]
    assert SOURCE.probe(settings(location=str(tmp_path))) == (
        f"{tmp_path} holds 4 files of spools, dated 2026-10-01 to 2026-10-02"
    )


def test_files_may_lie_flat_where_the_layout_says_so(tmp_path: Path) -> None:
    (tmp_path / "node-1-20261001T10Z.jsonl").write_bytes(page(sample("10:00")))
    (tmp_path / "node-1-20261002T10Z.jsonl").write_bytes(page(sample("11:00")))
    assert contents(tmp_path, layout="*-{yyyymmdd}T*") == [page(sample("10:00"))]


def test_a_packed_file_without_a_byte_is_no_delivery(tmp_path: Path) -> None:
    (tmp_path / "2026-10-01").mkdir()
    (tmp_path / "2026-10-01" / "node-1-20261001T10Z.jsonl.gz").touch()
    with pytest.raises(IncompleteDeliveryError, match="is empty: copy it from its node again"):
        contents(tmp_path)


def test_a_place_without_spools_is_told(tmp_path: Path) -> None:
    (tmp_path / "2026-10-01.csv").touch()
    with pytest.raises(SourceError, match="no file of a spool, such as"):
        SOURCE.probe(settings(location=str(tmp_path)))


def test_a_line_longer_than_any_or_a_damaged_file_is_no_delivery() -> None:
    for content in (b"x" * (2 << 20), packed(sample())[:-9] + b"12345678\n", packed("{}")[:-4] + b"\0\0\0\0"):
        with pytest.raises(IncompleteDeliveryError, match="Copy the file from its node again, whole"):
            list(SOURCE.parse(settings(), WINDOW, land([content])))


def test_a_night_reads_its_day_and_the_one_before() -> None:
    assert [window.slice_date for window in SOURCE.windows(settings(), DAY)] == [date(2026, 9, 30), DAY]
    assert len(SOURCE.windows(settings(trailing_days=3), DAY)) == 4


@pytest.mark.parametrize("layout", ["*", "{day}/*"])
def test_a_layout_names_the_day(layout: str) -> None:
    with pytest.raises(ValueError, match="must hold"):
        settings(layout=layout)
