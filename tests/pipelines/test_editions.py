"""Where a statement's head says that its team stands: on the days of its month, not today."""

from datetime import date

import pytest

from pipelines.config.teams import Placement, Team
from pipelines.night.editions import team_of

SEARCH = Team(id="search", name="Search", business_unit="Web", cost_centre="4100")
MOVED = Placement.model_validate(
    {"team": "search", "business_unit": "Commerce", "cost_centre": "4150", "from": "2026-10-16"}
)
OTHER = Placement.model_validate({"team": "support", "business_unit": "Care"})


@pytest.mark.parametrize(
    ("month", "unit", "centre"),
    [
        (date(2026, 9, 1), "Web", "4100"),
        (date(2026, 10, 1), "Web, then Commerce", "4100, then 4150"),
        (date(2026, 11, 1), "Commerce", "4150"),
    ],
)
def test_a_team_is_named_with_where_it_stood_that_month(month: date, unit: str, centre: str) -> None:
    team = team_of(SEARCH, [OTHER, MOVED], month)
    assert (team.business_unit, team.cost_centre) == (unit, centre)


def test_a_team_that_stands_nowhere_has_no_such_line() -> None:
    assert team_of(Team(id="legal", name="Legal"), [MOVED], date(2026, 10, 1)).business_unit is None
