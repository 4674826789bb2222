"""Output of a real Slurm 22.05 with six GPUs (four a100, two h100), against sums made by hand.

Five jobs ran: 2 a100 for 20 s, 1 h100 for 12 s, 1 a100 for 3 s, and two tasks of an array with 1 a100 for 5 s each:
40 + 12 + 3 + 5 + 5 = 65 GPU seconds. A sixth was cancelled while it waited.
"""

from datetime import date, datetime

import pytest

from tests.connectors.slurm.jobs import REAL, Folder, gpu_seconds

DAY = date(2026, 11, 21)
NOHEADER = ("JobIDRaw", "Start", "End", "AllocTRES", "ElapsedRaw", "NodeList")

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="Slurm's captured output (../shared/contracts) is not here")


def place(folder: Folder, name: str) -> None:
    folder.file("sacct-2026-11-21.txt", (REAL / name).read_bytes())


def test_gpu_seconds_of_the_real_listing_are_those_computed_by_hand(folder: Folder) -> None:
    place(folder, "sacct_P.txt")
    rows = folder.rows(DAY)
    assert gpu_seconds(rows) == 65
    assert gpu_seconds([row for row in rows if row["resource_name"] == "gres/gpu:a100"]) == 53
    assert gpu_seconds([row for row in rows if row["resource_name"] == "gres/gpu:h100"]) == 12
    by_account = {account: [r for r in rows if r["namespace"] == account] for account in ("research", "serving")}
    assert {account: gpu_seconds(found) for account, found in by_account.items()} == {"research": 53, "serving": 12}


def test_steps_of_the_real_listing_are_left_out_and_told(folder: Folder) -> None:
    place(folder, "sacct_P.txt")
    night = folder.night(DAY)
    assert night.notices == (
        "6 rows of job steps were left out: their job's own row counts what they held. Use sacct -X",
    )
    assert night.rejects == ()


def test_array_tasks_are_told_apart_by_their_raw_ids(folder: Folder) -> None:
    place(folder, "sacct_P.txt")
    tasks = [row for row in folder.rows(DAY) if row["workload_name"] == "arr"]
    assert [(row["allocation_id"], row["pod"], row["started_at"], row["ended_at"]) for row in tasks] == [
        ("6", "6", datetime(2026, 11, 21, 2, 33, 56), datetime(2026, 11, 21, 2, 34, 1)),
        ("4", "4", datetime(2026, 11, 21, 2, 33, 59), datetime(2026, 11, 21, 2, 34, 4)),
    ]


def test_text_without_a_header_and_json_give_the_same_gpu_seconds(folder: Folder) -> None:
    place(folder, "sacct_P.txt")
    listed = folder.rows(DAY)
    place(folder, "sacct_X_parsable_noheader.txt")
    bare = folder.rows(DAY, columns=NOHEADER)
    place(folder, "sacct.json")
    as_json = folder.rows(DAY)
    columns = ("allocation_id", "hostname", "started_at", "ended_at", "resource_name", "allocated_gpus")
    first, *others = ([tuple(row[c] for c in columns) for row in found] for found in (listed, bare, as_json))
    assert len(first) == 5
    assert others == [first, first]
    assert [row["namespace"] for row in as_json] == [row["namespace"] for row in listed]
    assert {row["namespace"] for row in bare} == {"hpc-jobs"}


@pytest.mark.parametrize("name", ["sacct_P.txt", "sacct.json"])
def test_nothing_of_people_is_landed(folder: Folder, name: str) -> None:
    place(folder, name)
    landed = folder.landed_bytes(DAY)
    assert b"train-7b" in landed
    for planted in (b"root", b"/tmp/gw", b"CANCELLED by"):
        assert planted not in landed
