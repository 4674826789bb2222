"""A bill that becomes final with the same lines is told as final: what is built from its state is built anew."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from connectors.base import SourceSettings
from contracts import contract
from pipelines.house import open_house
from pipelines.night.versions import rule_versions
from tests.lake.fakes import FakeSource, day_window
from tests.pipelines.small_company import write_company

OCTOBER = date(2026, 10, 1)
SETTINGS = SourceSettings(name="bill", kind="focus", account="main")


def test_a_month_whose_lines_stay_as_they_are_is_built_anew_once_it_is_final(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    bought = FakeSource([("b", [{"cost": "9000"}])], final_once_settled=True, trailing_days=2)
    found = list[str]()
    for day in (3, 3, 4):  # the night of the 3rd is the last one that pulls it
        with open_house(config, "run", clock=lambda day=day: datetime(2026, 10, day, 5, 30)) as house:
            house.lake.ingest(bought, SETTINGS, day_window(OCTOBER), "run")
            versions = rule_versions(house, contract("period_states"), OCTOBER, OCTOBER)["deliveries"]
            assert isinstance(versions, Mapping)
            found.append(versions[OCTOBER])
    assert found[0] == found[1] != found[2]
