"""Files of weights: all of a file is used, or it is refused with every line that is wrong, and what was known stays."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.house import open_house
from pipelines.night.metric_files import MetricFileError, Weight, metric_weights
from pipelines.night.metrics import metric_problems
from pipelines.night.references import write_references
from tests.pipelines.small_company import CONFIG, write_company

TEAMS = ("search", "support")


def told(folder: Path, text: str) -> list[str]:
    (folder / "seats.csv").write_text(text, encoding="utf-8")
    with pytest.raises(MetricFileError) as error:
        metric_weights(folder / "seats.csv", TEAMS)
    return [complaint.removeprefix(str(folder / "seats.csv")) for complaint in error.value.complaints]


def test_months_and_days_are_read_exactly(tmp_path: Path) -> None:
    file = tmp_path / "seats.csv"
    file.write_text("\ufeffteam, month ,weight,note\nsearch,2026-12,0.1,x\nsupport,2026-12,12\n", encoding="utf-8")
    december = date(2026, 12, 1), date(2027, 1, 1)
    assert metric_weights(file, TEAMS) == [
        Weight("search", *december, Decimal("0.1"), f"{file}:2"),
        Weight("support", *december, Decimal(12), f"{file}:3"),
    ]
    day = tmp_path / "days.parquet"
    pq.write_table(pa.table({"team": ["search"], "date": [date(2026, 10, 31)], "weight": [Decimal("2.50")]}), day)
    assert metric_weights(day, TEAMS) == [
        Weight("search", date(2026, 10, 31), date(2026, 11, 1), Decimal("2.50"), f"{day}: row 1")
    ]


def test_everything_that_is_wrong_is_said_with_its_line(tmp_path: Path) -> None:
    rows = "serch,2026-10,1\nsearch,2026-13,1\nsearch,2026-10,1.5.1\nsearch,2026-10,-1\nsupport,2026-10,1\n"
    found = told(tmp_path, "team,month,weight\n" + rows + "support,2026-10,2\nsearch,2026-11,0.0000000001\n")
    assert [line.split(":")[1] for line in found] == ["2", "3", "4", "5", "7", "8"]
    assert "there is no team 'serch'. Did you mean 'search'?" in found[0]
    assert "month '2026-13' is none" in found[1]
    assert "weight '1.5.1' is no number" in found[2]
    assert "expected 0 to 1000000000000" in found[3]
    assert "support has a weight for these days already" in found[4]
    assert found[4].endswith("seats.csv:6")
    assert "at most 9 decimal places" in found[5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("team,weight\nsearch,1\n", ":1: its columns are team, weight; expected 'team', 'weight' and one of"),
        ("team,month,date,weight\n", ":1: its columns are"),
        ("", ":1: its columns are none"),
        ("team,date,weight\nsearch,2026-02-30,1\n", ":2: date '2026-02-30' is none"),
        ("team,month,weight\nsearch,2026-10\n", ":2: weight '' is no number"),
        ("team,month,weight\nsearch,2026-10,NaN\n", ":2: weight NaN"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert any(line.startswith(said) for line in told(tmp_path, text))


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "y.parquet").write_bytes(b"PAR1")
    for name in ("x.csv", "y.parquet", "absent.csv"):
        with pytest.raises(MetricFileError, match=r"cannot be read"):
            metric_weights(tmp_path / name, TEAMS)


def test_a_broken_file_leaves_what_was_known_and_is_told(tmp_path: Path) -> None:
    file = write_company(tmp_path)
    file.write_text(CONFIG + "metrics:\n  - {id: seats, location: seats.csv}\n", encoding="utf-8")
    weights = tmp_path / "seats.csv"
    weights.write_text("team,month,weight\nsearch,2026-10,3\n", encoding="utf-8")
    with open_house(file, "test") as house:
        write_references(house)
        before = house.lake.read("pool_metrics").to_pylist()
        assert [(row["metric_id"], row["team_id"], row["weight"]) for row in before] == [("seats", "search", 3)]
        assert list(metric_problems(house)) == []
        weights.write_text("team,month,weight\nsearch,2026-10,three\n", encoding="utf-8")
        write_references(house)
        assert house.lake.read("pool_metrics").to_pylist() == before
        (problem,) = metric_problems(house)
        assert problem.startswith(f"{weights}:2: weight 'three' is no number")
