"""The slices of several dates are replaced in one commit: all of them, or none."""

from datetime import date

import pytest

from contracts import ContractBrokenError
from pipelines.lake import Lake, LakeError, Slice
from tests.lake.fakes import Place, everywhere
from tests.lake.test_crash import Killed, dying_at
from tests.lake.test_tables import FIRST, PRINT, SECOND, charges

THIRD = date(2026, 10, 3)
OTHER = "f" * 32


@everywhere
def test_many_slices_are_one_version(lake: Lake) -> None:
    lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST, "1", "2"), PRINT)
    lake.replace_slice("charges", FIRST, "gcp", charges("gcp", FIRST, "3"), PRINT)
    before = lake.versions()["charges"]
    lake.replace_slices(
        "charges",
        "aws",
        [(FIRST, charges("aws", FIRST, "9"), OTHER), (SECOND, charges("aws", SECOND), OTHER)],
    )
    assert lake.versions()["charges"] == before + 1
    assert lake.slices("charges") == [
        Slice(FIRST, "aws", OTHER, 1),
        Slice(FIRST, "gcp", PRINT, 1),
        Slice(SECOND, "aws", OTHER, 0),
    ]
    assert lake.read("charges").sort_by("x_source")["billed_cost"].to_pylist() == [9, 3]
    assert sorted(lake.read_at("charges", before)["billed_cost"].to_pylist()) == [1, 2, 3]


def test_every_slice_of_a_commit_was_replaced_in_its_version(local_lake: Lake) -> None:
    local_lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST, "1"), PRINT)
    before = local_lake.versions()["charges"]
    both = [(day, charges("aws", day, "2"), OTHER) for day in (FIRST, SECOND)]
    local_lake.replace_slices("charges", "aws", both)
    assert local_lake.versions_of("charges", FIRST) == [before + 1, before]
    assert local_lake.versions_of("charges", SECOND) == [before + 1]
    assert local_lake.versions_of("charges", THIRD) == []


def test_no_slices_are_no_commit(local_lake: Lake) -> None:
    local_lake.replace_slices("charges", "aws", [])
    assert local_lake.versions() == {}


def test_one_slice_that_breaks_the_contract_keeps_all_as_they_were(local_lake: Lake) -> None:
    local_lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST, "1"), PRINT)
    broken = charges("aws", SECOND, "2").drop_columns(["billed_cost"])
    with pytest.raises(ContractBrokenError, match="billed_cost"):
        local_lake.replace_slices(
            "charges", "aws", [(FIRST, charges("aws", FIRST, "9"), OTHER), (SECOND, broken, OTHER)]
        )
    with pytest.raises(LakeError, match="fingerprint"):
        local_lake.replace_slices(
            "charges", "aws", [(FIRST, charges("aws", FIRST, "9"), OTHER), (SECOND, charges("aws", SECOND), "")]
        )
    assert local_lake.slices("charges") == [Slice(FIRST, "aws", PRINT, 1)]


def test_slices_killed_at_any_step_are_all_old_or_all_new(local_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [(day, charges("aws", day, "1"), PRINT) for day in (FIRST, SECOND)]
    new = [(day, charges("aws", day, "2"), OTHER) for day in (FIRST, SECOND)]
    lake = local_place.open()
    lake.replace_slices("charges", "aws", old)
    with dying_at(-1, monkeypatch) as steps:
        lake.replace_slices("charges", "aws", new)
    assert len(steps) >= 6  # two adoptions and one commit at the least, before and after
    for step in range(len(steps)):
        lake.replace_slices("charges", "aws", old)
        with dying_at(step, monkeypatch), pytest.raises(Killed):
            local_place.open().replace_slices("charges", "aws", new)
        expected = 2 if steps[step] == "after commit" else 1
        assert local_place.open().read("charges")["billed_cost"].to_pylist() == [expected] * 2, steps[step]


def test_one_slice_is_read_without_its_neighbours(lake: Lake) -> None:
    assert lake.read_slice("charges", FIRST, "aws").num_rows == 0
    lake.replace_slice("charges", FIRST, "aws", charges("aws", FIRST, "1"), PRINT)
    lake.replace_slice("charges", FIRST, "gcp", charges("gcp", FIRST, "2"), PRINT)
    lake.replace_slice("charges", SECOND, "aws", charges("aws", SECOND, "4"), PRINT)
    assert lake.read_slice("charges", FIRST, "gcp")["billed_cost"].to_pylist() == [2]
    assert lake.read_slice("charges", SECOND, "gcp").num_rows == 0
