"""What the page about GPUs says of DCGM's metrics is what the connector reads."""

import re
from pathlib import Path

from connectors.dcgm.metrics import COLUMNS, METRICS
from contracts import sql_root
from pipelines.documents.gpu_metrics import gpu_metrics_table

PAGE = (Path(__file__).resolve().parents[2] / "docs/gpus.md").read_text(encoding="utf-8")


def test_every_metric_that_is_read_stands_beside_its_column() -> None:
    rows = {
        cells[1].strip("` "): cells[2] for line in gpu_metrics_table().splitlines()[2:] if (cells := line.split("|"))
    }
    assert set(rows) == set(COLUMNS)
    for name, metric in METRICS.items():
        assert f"`{name}`" in rows[COLUMNS[metric.slot]]


def test_everything_that_can_decide_is_explained() -> None:
    written: set[str] = set()
    for table in ("gpu_runs", "gpu_stretches", "gpu_silences", "gpu_unobserved", "gpu_observed"):
        text = (sql_root() / "core" / f"{table}.sql").read_text(encoding="utf-8")
        for case in re.findall(r"case(?:(?!\bcase\b).)*?end as metric_used", text, re.DOTALL):
            written |= set(re.findall(r"(?:then|else) '(\w+)'", case))
    assert {"gpu_util_ratio", "mig_profile", "xid_code", "is_cordoned"} <= written
    measured = {name for name in written if name.endswith("_active_ratio")}
    for name in written - measured:
        assert f"`{name}`" in PAGE
    for name in measured:  # what was measured together is named together: each part is a column of the table
        parts = name.removesuffix("_active_ratio").replace("gr_engine", "gr-engine").split("_")
        for part in parts:
            assert f"`{part.replace('-', '_')}_active_ratio`" in PAGE
