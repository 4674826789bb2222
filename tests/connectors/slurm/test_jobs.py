"""Jobs as sacct lists them, and the GPUs, nodes and times that they stand for. Every sum is small enough for the hand."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.slurm import SOURCE
from tests.connectors.slurm.jobs import (
    TWO_A100,
    Folder,
    gpu_seconds,
    job,
    json_listing,
    listing,
    settings,
)

TEN, ELEVEN = datetime(2026, 10, 1, 10), datetime(2026, 10, 1, 11)


def reasons(folder: Folder, **over: Any) -> list[str]:
    return [reject.reason for reject in folder.night(**over).rejects]


# ---- GPUs ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tres", "expected"),
    [
        ("cpu=4,gres/gpu:a100=2,gres/gpu=2,mem=2G", [("gres/gpu:a100", 2)]),
        ("gres/gpu=2,gres/gpu:a100=2", [("gres/gpu:a100", 2)]),
        ("cpu=4,gres/gpu=3", [("gres/gpu", 3)]),
        ("gres/gpu:a100=2,gres/gpu:h100=1,gres/gpu=3", [("gres/gpu:a100", 2), ("gres/gpu:h100", 1)]),
        ("gres/gpu:a100=2,gres/gpu=3", [("gres/gpu", 1), ("gres/gpu:a100", 2)]),  # one type is not accounted for
        ("cpu=4,gres/nic=2,mem=2G", []),
        ("gres/gpu=0,cpu=1", []),
    ],
)
def test_typed_and_untyped_gpus_are_counted_once(folder: Folder, tres: str, expected: list[tuple[str, int]]) -> None:
    folder.file("2026-10-01.txt", listing(job(tres=tres)))
    found = [(row["resource_name"], row["allocated_gpus"]) for row in folder.rows()]
    assert sorted(found) == expected


def test_a_mig_type_keeps_its_profile(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(tres="gres/gpu:a100_3g.40gb=2,gres/gpu=2")))
    (row,) = folder.rows()
    assert (row["mig_profile"], row["gpu_model_name"], row["allocated_gpus"]) == ("3g.40gb", "a100_3g.40gb", 2)


def test_shares_of_a_gpu_need_the_settings_word(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(tres="cpu=1,gres/shard=2")))
    (reject,) = folder.night().rejects
    assert (reject.reason, reject.column_name) == ("unknown_share", "AllocTRES")
    (row,) = folder.rows(shares_per_gpu={"shard": 8})
    assert (row["allocated_gpus"], row["is_shared"], row["resource_name"]) == (Decimal("0.25"), True, "gres/shard")


def test_a_job_that_asked_for_gpus_and_ran_without_any_is_refused(folder: Folder) -> None:
    header = "JobIDRaw|State|Start|End|ReqTRES|AllocTRES|NodeList"
    line = "7|COMPLETED|2026-10-01T10:00:00|2026-10-01T11:00:00|cpu=1,gres/gpu=2|cpu=1|gpu01"
    folder.file("2026-10-01.txt", listing(line, header=header))
    assert reasons(folder) == ["no_gpus_told"]


def test_a_cluster_that_accounts_no_gpus_is_told(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job("1", tres="cpu=4,mem=2G"), job("2", tres="cpu=4,mem=2G")))
    night = folder.night()
    assert night.rows.num_rows == 0
    assert night.notices == (
        "none of 2 jobs that ran held a GPU, as AllocTRES tells: is gres/gpu among the cluster's AccountingStorageTRES?",
    )


# ---- nodes -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ("gpu01", ["gpu01"]),
        ("gpu[01-03,07]", ["gpu01", "gpu02", "gpu03", "gpu07"]),
        ("gpu[9-11]", ["gpu10", "gpu11", "gpu9"]),
        ("gpu[099-101]", ["gpu099", "gpu100", "gpu101"]),
        ("a1,b[2-3],c", ["a1", "b2", "b3", "c"]),
        ("rack[1-2]n[1,3]", ["rack1n1", "rack1n3", "rack2n1", "rack2n3"]),
        ("n[1-2]-ib", ["n1-ib", "n2-ib"]),
    ],
)
def test_lists_of_nodes_are_expanded(folder: Folder, nodes: str, expected: list[str]) -> None:
    tres = f"gres/gpu:a100={4 * len(expected)},gres/gpu={4 * len(expected)}"
    folder.file("2026-10-01.txt", listing(job(tres=tres, nodes=nodes)))
    rows = folder.rows()
    assert [row["hostname"] for row in rows] == expected
    assert {row["allocated_gpus"] for row in rows} == {4}


def test_gpus_that_nodes_do_not_divide_stay_a_total_without_node(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(tres="gres/gpu:a100=5,gres/gpu=5", nodes="gpu[01-02]")))
    night = folder.night()
    (row,) = night.rows.to_pylist()
    assert (row["hostname"], row["allocated_gpus"]) == ("", 5)
    assert '"NodeList":"gpu[01-02]"' in row["x_extra"]
    assert night.notices[0].startswith("1 jobs on several nodes have no node in their rows")


def test_two_kinds_on_two_nodes_are_not_taken_for_one_of_each_on_both(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(tres="gres/gpu:a100=2,gres/gpu:h100=2,gres/gpu=4", nodes="gpu[01-02]")))
    assert {(row["hostname"], row["allocated_gpus"]) for row in folder.rows()} == {("", 2)}


def test_what_was_asked_for_on_each_node_tells_the_share(folder: Folder) -> None:
    header = "JobIDRaw|State|Start|End|AllocTRES|NodeList|TresPerNode"
    held = "gres/gpu:a100=2,gres/gpu:h100=2,gres/gpu=4"
    line = f"7|COMPLETED|2026-10-01T10:00:00|2026-10-01T11:00:00|{held}|gpu[01-02]|gres/gpu:a100:1,gres/gpu:h100:1"
    folder.file("2026-10-01.txt", listing(line, header=header))
    assert [(row["hostname"], row["resource_name"], row["allocated_gpus"]) for row in folder.rows()] == [
        ("gpu01", "gres/gpu:a100", 1),
        ("gpu01", "gres/gpu:h100", 1),
        ("gpu02", "gres/gpu:a100", 1),
        ("gpu02", "gres/gpu:h100", 1),
    ]


def test_an_even_share_is_told(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(tres="gres/gpu=4", nodes="gpu[01-02]")))
    assert folder.night().notices[0].startswith("1 jobs on several nodes were split evenly")


@pytest.mark.parametrize("nodes", ["gpu[01-", "gpu01]", "gpu[a-b]", "gpu[1-99999999]"])
def test_a_list_of_nodes_that_is_none_is_refused(folder: Folder, nodes: str) -> None:
    folder.file("2026-10-01.txt", listing(job(nodes=nodes)))
    assert reasons(folder) in (["unreadable_nodes"], ["too_many_nodes"])


def test_a_list_that_lacks_nodes_is_refused(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(nodes="gpu[01-02]").removesuffix("|") + "|3"))
    assert reasons(folder) == ["nodes_contradict"]


# ---- times -----------------------------------------------------------------------------------------------------------
def test_local_times_become_utc(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job()))
    (row,) = folder.rows(timezone="Europe/Berlin")
    assert (row["started_at"], row["ended_at"]) == (datetime(2026, 10, 1, 8), datetime(2026, 10, 1, 9))


def test_epoch_seconds_need_no_zone(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(start="1790848800", end="1790852400")))
    (row,) = folder.rows(timezone="Asia/Tokyo")
    assert (row["started_at"], row["ended_at"]) == (TEN, ELEVEN)


@pytest.mark.parametrize(("took", "notices"), [(3600, 0), (7200, 1)])
def test_where_clocks_are_set_back_the_time_between_tells_which_hour_is_meant(
    folder: Folder, took: int, notices: int
) -> None:
    """02:30 summer time to 02:30 winter time is an hour."""
    line = job(start="2026-10-25T02:30:00", end="2026-10-25T02:30:00", took=took)
    folder.file("2026-10-25.txt", listing(line))
    night = folder.night(date(2026, 10, 25), timezone="Europe/Berlin")
    (row,) = night.rows.to_pylist()
    assert (row["started_at"], row["ended_at"]) == (datetime(2026, 10, 25, 0, 30), datetime(2026, 10, 25, 1, 30))
    assert len(night.notices) == notices


def test_the_same_time_twice_and_nothing_between_is_no_hour(folder: Folder) -> None:
    line = job(start="2026-10-25T02:30:00", end="2026-10-25T02:30:00", took=0)
    folder.file("2026-10-25.txt", listing(line))
    assert folder.rows(date(2026, 10, 25), timezone="Europe/Berlin") == []


def test_elapsed_seconds_that_are_not_those_between_the_times_are_told(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(took=3000)))
    night = folder.night()
    assert gpu_seconds(night.rows.to_pylist()) == 2 * 3600
    assert night.notices[0].startswith("1 jobs took another time, by ElapsedRaw, than lies between Start and End")


def test_an_hour_that_could_be_either_is_told(folder: Folder) -> None:
    line = job(start="2026-10-25T02:30:00", end="2026-10-25T04:00:00", took="")
    folder.file("2026-10-25.txt", listing(line))
    night = folder.night(date(2026, 10, 25), timezone="Europe/Berlin")
    (row,) = night.rows.to_pylist()
    assert row["started_at"] == datetime(2026, 10, 25, 0, 30)
    assert night.notices[0].startswith("1 jobs began or ended in an hour that clocks show twice")


def test_a_time_that_clocks_never_showed_is_refused(folder: Folder) -> None:
    folder.file("2026-03-29.txt", listing(job(start="2026-03-29T02:30:00", end="2026-03-29T04:00:00")))
    (reject,) = folder.night(date(2026, 3, 29), timezone="Europe/Berlin").rejects
    assert reject.reason == "time_that_never_was"
    assert "timezone" in reject.detail


@pytest.mark.parametrize("start", ["10:00:00", "1 Oct 10:00", "2026-13-01T10:00:00", "1999-10-01T10:00:00"])
def test_what_is_no_time_is_refused(folder: Folder, start: str) -> None:
    folder.file("2026-10-01.txt", listing(job(start=start)))
    assert reasons(folder) == ["unreadable_time"]


def test_an_end_before_the_start_is_refused(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(end="2026-10-01T09:00:00")))
    assert reasons(folder) == ["ends_before_start"]


# ---- which jobs held something ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line",
    [
        job(start="None", end="2026-10-01T11:00:00", took=0, tres="", nodes="None assigned", state="CANCELLED by 1001"),
        job(start="Unknown", end="Unknown", took=0, state="PENDING"),
        job(start="2026-10-01T10:00:00", end="2026-10-01T10:00:00", took=0, state="FAILED"),
    ],
)
def test_a_job_that_never_ran_is_no_row_and_no_reject(folder: Folder, line: str) -> None:
    folder.file("2026-10-01.txt", listing(line))
    night = folder.night()
    assert (night.rows.num_rows, night.rejects) == (0, ())


def test_a_job_that_was_cancelled_while_it_ran_held_its_gpus_till_then(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(state="CANCELLED by 1001")))
    assert gpu_seconds(folder.rows()) == 2 * 3600
    assert b"1001" not in folder.landed_bytes()


def test_a_running_job_is_held_until_sacct_was_asked(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(end="Unknown", took=1800, state="RUNNING")))
    night = folder.night()
    assert night.rows["ended_at"].to_pylist() == [datetime(2026, 10, 1, 10, 30)]
    assert night.notices[0].startswith("1 jobs still ran when sacct was asked")


def test_a_running_job_without_elapsed_time_is_held_until_its_files_day_ends(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(end="Unknown", took="", state="RUNNING")))
    (row,) = folder.rows(timezone="Europe/Berlin")
    assert (row["started_at"], row["ended_at"]) == (datetime(2026, 10, 1, 8), datetime(2026, 10, 1, 22))


def test_a_later_file_tells_how_a_running_job_ended(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(end="Unknown", took=1800, state="RUNNING")))
    folder.file("2026-10-02.txt", listing(job(end="2026-10-02T06:00:00", took=72000)))
    night = folder.night()
    assert night.rows["ended_at"].to_pylist() == [datetime(2026, 10, 2)]
    assert (night.duplicate_count, night.notices) == (1, ())
    (row,) = folder.rows(date(2026, 10, 2))
    assert (row["started_at"], row["ended_at"]) == (datetime(2026, 10, 2), datetime(2026, 10, 2, 6))


def test_a_job_that_ended_at_an_unknown_time_is_refused(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(end="Unknown", state="NODE_FAIL")))
    assert reasons(folder) == ["no_end"]


def test_suspended_time_is_held_and_told(folder: Folder) -> None:
    header = "JobIDRaw|State|Start|End|ElapsedRaw|Suspended|AllocTRES|NodeList"
    line = f"7|COMPLETED|2026-10-01T10:00:00|2026-10-01T11:00:00|3000|00:10:00|{TWO_A100}|gpu01"
    folder.file("2026-10-01.txt", listing(line, header=header))
    night = folder.night()
    assert gpu_seconds(night.rows.to_pylist()) == 2 * 3600
    assert night.notices[0].startswith("1 jobs were suspended for a while")


# ---- one job, many lines ---------------------------------------------------------------------------------------------
def test_a_job_over_midnight_is_cut_there_and_counted_once_in_every_day(folder: Folder) -> None:
    long = job(start="2026-09-30T22:00:00", end="2026-10-02T03:00:00", took=29 * 3600)
    for day in ("2026-09-30", "2026-10-01", "2026-10-02"):
        folder.file(f"{day}.txt", listing(long))
    days = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2)]
    assert [gpu_seconds(folder.rows(day)) / 7200 for day in days] == [2, 24, 3]
    assert [folder.night(day).duplicate_count for day in days] == [1, 2, 1]


def test_pieces_cut_by_sacct_itself_and_whole_jobs_count_once_together(folder: Folder) -> None:
    whole = job(start="2026-09-30T22:00:00", end="2026-10-01T06:00:00", took=8 * 3600)
    piece = job(start="2026-10-01T00:00:00", end="2026-10-01T06:00:00", took=6 * 3600)
    folder.file("2026-09-30.txt", listing(whole))
    folder.file("2026-10-01.txt", listing(piece))
    assert gpu_seconds(folder.rows()) == 2 * 6 * 3600


def test_runs_of_a_requeued_job_are_told_apart_by_their_start(folder: Folder) -> None:
    folder.file(
        "2026-10-01.txt",
        listing(
            job(end="2026-10-01T10:20:00", took=1200, state="REQUEUED"),
            job(start="2026-10-01T10:40:00", end="2026-10-01T11:00:00", took=1200),
        ),
    )
    rows = folder.rows()
    assert [(row["allocation_id"], row["started_at"].minute) for row in rows] == [("7", 0), ("7", 40)]
    assert gpu_seconds(rows) == 2 * 2400


def test_steps_never_count(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job(), job("7.batch"), job("7.0"), job("7.extern")))
    night = folder.night()
    assert gpu_seconds(night.rows.to_pylist()) == 2 * 3600
    assert night.notices[0].startswith("3 rows of job steps were left out")


def test_files_of_one_day_put_end_to_end_are_read_with_their_headers(folder: Folder) -> None:
    folder.file("2026-10-01.txt.gz", listing(job("1")) + listing(job("2")))
    assert [row["allocation_id"] for row in folder.rows()] == ["1", "2"]


def test_jobs_of_several_clusters_need_the_name_of_one(folder: Folder) -> None:
    header = "JobIDRaw|Cluster|State|Start|End|AllocTRES|NodeList"
    rest = f"COMPLETED|2026-10-01T10:00:00|2026-10-01T11:00:00|{TWO_A100}|gpu01"
    folder.file("2026-10-01.txt", listing(f"7|east|{rest}", f"7|west|{rest}", header=header))
    with pytest.raises(SourceError, match="several clusters \\(east, west\\)"):
        folder.night()
    night = folder.night(slurm_cluster="west")
    assert (night.rows.num_rows, night.notices[0]) == (
        1,
        "1 jobs of other clusters were left out, as 'slurm_cluster' says",
    )


# ---- people, labels, models ------------------------------------------------------------------------------------------
def test_comments_are_landed_only_where_the_settings_ask_for_them(folder: Folder) -> None:
    header = "JobIDRaw|User|Partition|Comment|State|Start|End|AllocTRES|NodeList|WorkDir|SubmitLine"
    line = (
        f"7|lovelace|gpu|model=llama by lovelace@example.com|COMPLETED|2026-10-01T10:00:00|2026-10-01T11:00:00|{TWO_A100}|gpu01"
        "|/home/lovelace|sbatch --key=secret"
    )
    folder.file("2026-10-01.txt", listing(line, header=header))
    for planted in (b"lovelace", b"llama", b"secret", b"/home"):
        assert planted not in folder.landed_bytes()
    assert folder.rows()[0]["labels"] == '{"Partition":"gpu"}'
    asked = {"label_columns": ["partition", "comment"], "model_pattern": "model=(\\S+)"}
    assert b"lovelace@" not in folder.landed_bytes(**asked)
    (row,) = folder.rows(**asked)
    assert row["labels"] == '{"Comment":"model=llama by (e-mail)","Partition":"gpu"}'
    assert row["model_name"] == "llama"


def test_the_model_is_found_in_the_jobs_name(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job("1", name="serve-llama-8b"), job("2", name="train")))
    assert [row["model_name"] for row in folder.rows(model_pattern="^serve-(.+)$")] == ["llama-8b", None]


def test_a_name_that_holds_the_delimiter_is_refused_without_its_text(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job("1", name="a|b"), job("2")))
    night = folder.night()
    assert [reject.reason for reject in night.rejects] == ["unreadable_line"]
    assert "--delimiter" in night.rejects[0].detail
    assert b"lovelace" not in folder.landed_bytes()
    assert night.rows.num_rows == 1


def test_a_column_that_no_sacct_has_is_told_and_not_landed(folder: Folder) -> None:
    header = "JobIDRaw|State|Start|End|AllocTRES|NodeList|BadgeNumber"
    line = f"7|COMPLETED|2026-10-01T10:00:00|2026-10-01T11:00:00|{TWO_A100}|gpu01|4711"
    folder.file("2026-10-01.txt", listing(line, header=header))
    assert folder.night().notices == ("columns that are new: BadgeNumber",)
    assert b"4711" not in folder.landed_bytes()


# ---- files -----------------------------------------------------------------------------------------------------------
def test_a_day_without_a_file_is_unknown_and_not_zero(folder: Folder) -> None:
    folder.file("2026-09-29.txt", listing(job()))
    with pytest.raises(SourceError, match="no file of 2026-10-01"):
        folder.pages()
    assert folder.pages(date(2026, 9, 28)) == []


def test_a_file_that_is_cut_off_fails(folder: Folder) -> None:
    folder.file("2026-10-01.txt", listing(job())[:-9])
    with pytest.raises(IncompleteDeliveryError, match="cut off"):
        folder.pages()
    folder.file("2026-10-01.txt", json_listing()[:-3])
    with pytest.raises(IncompleteDeliveryError, match="no JSON"):
        folder.pages()


@pytest.mark.parametrize("content", [b"", b"sacct: error: Problem talking to the database\n", b"1|2|3\n"])
def test_what_is_no_output_of_sacct_fails_with_the_remedy(folder: Folder, content: bytes) -> None:
    folder.file("2026-10-01.txt", content)
    with pytest.raises(SourceError, match="sacct"):
        folder.pages()


def test_json_with_errors_fails(folder: Folder) -> None:
    folder.file("2026-10-01.json", json_listing(errors=[{"error": "x"}]))
    with pytest.raises(IncompleteDeliveryError, match="errors"):
        folder.pages()


def test_later_json_wraps_numbers_and_lists_states(folder: Folder) -> None:
    def number(value: int | None) -> dict[str, Any]:
        return {"set": value is not None, "infinite": False, "number": value or 0}

    found = {
        "job_id": 7, "name": "train", "account": "research", "cluster": "c", "nodes": "gpu[01-02]",
        "allocation_nodes": number(2), "user": "lovelace", "array": {"job_id": 6, "task_id": number(3)},
        "state": {"current": ["COMPLETED"], "reason": "None"},
        "time": {"start": number(1790848800), "end": number(1790852400), "elapsed": 3600, "suspended": number(0)},
        "tres": {"allocated": [{"type": "gres", "name": "gpu", "id": 1001, "count": 8}], "requested": []},
        "steps": [{"tres": {"allocated": [{"type": "gres", "name": "gpu", "count": 8}]}}],
    }  # fmt: skip
    waiting = {**found, "job_id": 8, "state": {"current": ["PENDING"]}, "time": {"start": number(None)}}
    folder.file("2026-10-01.json", json_listing(found, waiting, warnings=[{"description": "x"}]))
    night = folder.night()
    rows = night.rows.to_pylist()
    assert [(row["hostname"], row["allocated_gpus"], row["allocation_id"]) for row in rows] == [
        ("gpu01", 4, "7"),
        ("gpu02", 4, "7"),
    ]
    assert '"JobID":"6_3"' in rows[0]["x_extra"]
    assert "1 warnings stand in sacct's output" in night.notices
    assert b"lovelace" not in folder.landed_bytes()


# ---- settings --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"timezone": "Mars/Olympus"}, "Europe/Berlin"),
        ({"columns": ["JobIDRaw", "Start", "End"]}, "AllocTRES"),
        ({"columns": ["Start", "End", "AllocTRES"]}, "JobIDRaw"),
        ({"model_pattern": "serve-"}, "one group"),
        ({"label_columns": ["User"]}, "no such label"),
        ({"layout": "*.txt"}, "{date}"),
        ({"shares_per_gpu": {"shard": 0}}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_in_words(over: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("{", "\\{")):
        settings(**over)


def test_the_probe_says_what_the_newest_file_holds(folder: Folder) -> None:
    folder.file("sacct-2026-09-30.txt", listing(job()))
    folder.file("sacct-2026-10-01.txt", listing(job("1"), job("2")))
    assert SOURCE.probe(folder.settings()) == (
        f"{folder.folder} holds 2 files, dated 2026-09-30 to 2026-10-01; sacct-2026-10-01.txt lists 2 jobs and steps"
    )
