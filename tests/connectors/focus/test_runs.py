"""Azure's exports of FOCUS, read as files by either kind: of several runs of a month the newest counts."""

import json
from pathlib import Path

import pytest

from connectors.base import SourceError
from connectors.focus import SOURCE as FOCUS
from connectors.focus.mapped import SOURCE as MAPPED
from tests.connectors.focus.bills import csv_bill, line, only, read, september, settings
from tests.connectors.focus.mapped import mapped, read_mapped

RUNS = ["focus/20260901-20260930/run-b", "focus/20260901-20260930/run-a"]
OWN_NAMES = {
    "columns": {
        "billed_cost": "BilledCost",
        "effective_cost": "EffectiveCost",
        "charge_period_start": "ChargePeriodStart",
        "charge_period_end": "ChargePeriodEnd",
        "service_name": "ServiceName",
        "resource_id": "ResourceId",
        "tags": "Tags",
    },
    "constants": {"provider_name": "Microsoft"},
    "period": None,
}


def export(folder: Path, *, submitted: bool = True) -> list[str]:
    """Two runs, the first of which the path puts last. Returns what is to be fetched."""
    for day, run in enumerate(RUNS, 4):
        (folder / run).mkdir(parents=True)
        (folder / run / "part_1_0001.csv").write_bytes(csv_bill(line(BilledCost=f"{day}.5")))
        manifest = {"blobs": [{"blobName": f"cost/{run}/part_1_0001.csv"}], "dataRowCount": 1}
        began = {"runInfo": {"submittedTime": f"2026-09-0{day}T07:02:11.0000000Z"}} if submitted else {}
        (folder / run / "manifest.json").write_text(json.dumps({**manifest, **began}))
    counts = RUNS[1] if submitted else RUNS[0]
    return [f"{counts}/manifest.json", f"{counts}/part_1_0001.csv"]


@pytest.mark.parametrize("submitted", [True, False])
def test_the_run_that_was_submitted_last_counts_and_without_a_word_the_last_path(
    tmp_path: Path, *, submitted: bool
) -> None:
    expected, month = export(tmp_path, submitted=submitted), september()
    with pytest.raises(SourceError, match="manifests: last"):
        list(FOCUS.fetch(settings(location=str(tmp_path)), month))
    for source, given in ((FOCUS, settings), (MAPPED, mapped)):
        found = source.fetch(given(location=str(tmp_path), manifests="last"), month)
        assert [one.name for one in found] == expected


def test_a_mapping_of_its_columns_reads_an_export_as_the_standard_does(tmp_path: Path) -> None:
    export(tmp_path)
    content = (tmp_path / RUNS[1] / "part_1_0001.csv").read_bytes()
    by_standard, by_mapping = only(read(content)), only(read_mapped(content, **OWN_NAMES))
    same = (*OWN_NAMES["columns"], "billing_currency", "charge_category")  # type: ignore[misc]
    assert {name: by_mapping[name] for name in same} == {name: by_standard[name] for name in same}
