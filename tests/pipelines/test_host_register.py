"""A slip in the register of machines is told by the night and by `check`: never does charging vanish in silence."""

from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.cli import commands
from pipelines.house import House, open_house
from pipelines.night.host_matches import build_host_matches
from pipelines.night.references import write_references
from tests.pipelines.small_company import CONFIG, write_company
from tests.sql.golden import filled

MONTH, DAY, LAST = date(2026, 10, 1), date(2026, 10, 5), date(2026, 10, 31)
RIGHT = "{resource_id: i-0abc1, hostname: node-1, cluster: prod, gpus: 8}"


def write_hosts(folder: Path, *entries: str) -> Path:
    """A company with those machines, of which the first ends up on the line after 'hosts:'."""
    folder.mkdir(exist_ok=True)
    file = write_company(folder)
    lines = "".join(f"  - {entry}\n" for entry in entries)
    file.write_text(f"{CONFIG}hosts:\n{lines}", encoding="utf-8")
    return file


def fill(house: House, bill_month: date | None = MONTH) -> None:
    """Two machines on the bill, and both nodes in the cluster."""

    def write(table: str, day: date, *rows: dict[str, Any]) -> None:
        house.lake.replace_slice(table, day, "farthing", filled(table, list(rows)), f"{table}{day:%m}".ljust(32, "0"))

    names = ("i-0abc1", "i-0abc2")
    if bill_month:
        write("charges", bill_month, *({"x_slice_date": bill_month, "resource_id": name} for name in names))
        unjoined = [{"billing_period": bill_month, "resource_id": name} for name in names[1:]]
        write("gpu_unjoined", bill_month, *unjoined)
    nodes = [{"usage_date": DAY, "cluster": "prod", "hostname": f"node-{n}"} for n in (1, 2)]
    write("gpu_identity", DAY, *nodes)


def told(file: Path, bill_month: date | None = MONTH) -> tuple[str, ...]:
    """What a night says of the register."""
    with open_house(file, "run-1") as house:
        write_references(house)
        fill(house, bill_month)
        return build_host_matches(house, LAST, LAST).problems


def test_an_entry_that_bill_and_cluster_name_is_nothing_to_tell(tmp_path: Path) -> None:
    assert told(write_hosts(tmp_path, RIGHT)) == ()


def test_a_resource_that_is_on_no_bill_is_told_with_the_one_that_is(tmp_path: Path) -> None:
    slip = "{resource_id: i-0bac2, hostname: node-2, cluster: prod, gpus: 8}"
    assert told(write_hosts(tmp_path, RIGHT, slip)) == (
        (
            "hosts[1].resource_id: 'i-0bac2' (node-2 in prod) is on no bill line of 2026-10 or the month before: nobody is "
            "charged for its GPUs. Did you mean 'i-0abc2'? Write it as the bill's resource_id does, or say with 'to' from "
            "when on the machine is yours no more."
        ),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "hostname: node-2, cluster: prdo",
            (
                "hosts[1].cluster: 'node-2' reports from cluster 'prod', and never from 'prdo', in 2026-10 or the month "
                "before: what its GPUs did is unknown. Write 'prod', or the source's 'account' as it is here."
            ),
        ),
        (
            "hostname: node-9, cluster: prdo",
            (
                "hosts[1].cluster: nothing reports from cluster 'prdo' (node-9) in 2026-10 or the month before: what its "
                "GPUs did is unknown. Did you mean 'prod'?"
            ),
        ),
        (
            "hostname: nod-2, cluster: prod",
            (
                "hosts[1].hostname: no sample, node or job of cluster 'prod' names 'nod-2' in 2026-10 or the month before: "
                "what its GPUs did is unknown. Did you mean 'node-2'?"
            ),
        ),
    ],
)
def test_a_node_that_never_reports_is_told_with_the_one_that_does(tmp_path: Path, name: str, expected: str) -> None:
    assert told(write_hosts(tmp_path, RIGHT, f"{{resource_id: i-0abc2, {name}, gpus: 8}}")) == (expected,)


def test_a_month_without_a_bill_tells_nothing_and_the_month_before_is_enough(tmp_path: Path) -> None:
    slip = "{resource_id: i-9, hostname: node-2, cluster: prod, gpus: 8}"
    assert told(write_hosts(tmp_path / "none", slip), bill_month=None) == ()
    assert told(write_hosts(tmp_path / "before", RIGHT), bill_month=date(2026, 9, 1)) == ()


def test_check_says_which_line_of_the_file_nothing_names(tmp_path: Path) -> None:
    slip = "{resource_id: i-0bac2, hostname: node-2, cluster: prod, gpus: 8}"
    file = write_hosts(tmp_path, RIGHT, slip)
    with open_house(file, "run-1") as house:
        fill(house)
    out = StringIO()
    assert commands.check(Console(file=out, width=1000), file, offline=False) == commands.WITH_PROBLEMS
    assert (
        f"✗ {file}:{len(CONFIG.splitlines()) + 3}:6: hosts[1].resource_id: 'i-0bac2' (node-2 in prod)" in out.getvalue()
    )
    file.write_text(file.read_text(encoding="utf-8").replace("i-0bac2", "i-0abc2"), encoding="utf-8")
    out = StringIO()
    commands.check(Console(file=out, width=1000), file, offline=False)
    assert "hosts[" not in out.getvalue()
