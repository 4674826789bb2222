"""Which sources may yet bill a month is known from the configuration and from whom each was ever seen to bill."""

from datetime import datetime, time, timedelta
from pathlib import Path

from pipelines.house import open_house
from pipelines.night.references import write_bill_sources
from pipelines.night.stage import stage
from tests.pipelines.small_company import CONFIG, DAY, write_company


def known(folder: Path, *, days: int) -> list[tuple[str, str]]:
    """What is known after the night that many days after the first."""
    day = DAY + timedelta(days=days)
    now = datetime.combine(day + timedelta(days=1), time(5, 30))
    with open_house(folder / "farthing.yml", f"run-{now:%Y%m%d}", clock=lambda: now) as house:
        stage(house, "focus", day, day)
        write_bill_sources(house, day, day)
        rows = house.lake.read("bill_sources").to_pylist()
    return sorted((row["x_source"], row["provider_name"]) for row in rows)


def test_a_source_of_bills_is_known_by_whom_it_billed_and_gone_once_it_is_renamed(tmp_path: Path) -> None:
    write_company(tmp_path)
    (tmp_path / "other" / "2026-10" / "bill.csv").write_text("cut", encoding="utf-8")
    assert known(tmp_path, days=0) == [("bill", "Cloud"), ("other-bill", "")]  # the log is no bill
    renamed = CONFIG.replace("name: other-bill", "name: second-bill")
    (tmp_path / "farthing.yml").write_text(renamed, encoding="utf-8")
    (tmp_path / "again").mkdir()
    write_company(tmp_path / "again")
    (tmp_path / "again" / "other" / "2026-10" / "bill.csv").replace(tmp_path / "other" / "2026-10" / "bill.csv")
    assert known(tmp_path, days=1) == [("bill", "Cloud"), ("second-bill", "Other")]
    assert known(tmp_path, days=200) == [("bill", "Cloud"), ("second-bill", "Other")]  # long after its last bill
