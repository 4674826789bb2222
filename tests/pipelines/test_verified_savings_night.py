"""What a night says of a registered change: which attempts are its own, at which prices, on which days."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import ConfigError, load
from pipelines.config.changes import changes_that_meet
from pipelines.config.positions import read
from pipelines.house import House, open_house
from pipelines.night.verified_savings import build_verified_savings
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

ON = date(2026, 8, 25)
SETTLED = ON + timedelta(days=20)
CLOCK = datetime.combine(SETTLED + timedelta(days=2), datetime.min.time())
CHANGES = """\
changes:
  - {{id: cache, what: Caching on, switched_on: {on}, touches: {{team: search, feature: chat}}, claimed_usd: 304.00,
     reviewed_by: ada{more}}}
"""


def usage(day: date, requests: int, cost: str, output_tokens: int = 0, **changed: object) -> dict[str, Any]:
    named = {"usage_date": day, "team_id": "search", "feature": "chat", "x_source": "log", "provider_id": "p"}
    count = {"request_count": requests, "output_text_tokens": output_tokens, "priced_cost_usd": cost}
    return {**named, "model_id": "m", "service_tier": "default", "price_region_id": "", **count, **changed}


def price(day: date, each: str) -> dict[str, Any]:
    named = {"usage_date": day, "usage_hour": f"{day} 00:00:00", "provider_id": "p", "model_id": "m"}
    told = {"service_tier": "default", "price_region_id": "", "output_text_tokens": 10}
    return {**named, **told, "output_text_usd_per_token": each}


def rows_of_day(day: date) -> list[dict[str, Any]]:
    """Ten chats at 2 of 5 tokens, then ten that cost 1 less and, at a price that rose from 0.1 to 0.2, 0.5 more.

    Noise of a cent, which is none of any week's; and what the change does not touch, or nobody paid.
    """
    cost = Decimal(20) if day < ON else Decimal(15)
    cost += Decimal(day.toordinal() * 7 % 5 - 2) / 100
    return [
        usage(day, 11, str(cost + 9), 60, duplicate_count=1, duplicate_cost_usd="9", duplicate_output_text_tokens=10),
        usage(day, 10, "50", feature="mail"),
        usage(day, 10, "50", team_id=None),
        usage(day, 10, "50", is_self_hosted=True),
    ]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    config = write_company(tmp_path_factory.mktemp("house"))
    config.write_text(config.read_text() + CHANGES.format(on=ON, more=""), encoding="utf-8")
    with open_house(config, "run", clock=lambda: CLOCK) as opened:
        # the day of the clock is told of, too, and is not over; another lies ahead
        days = [ON + timedelta(days=number) for number in range(-28, 23)]
        for day in [*days, date(2027, 1, 1)]:
            rows = rows_of_day(day) if day <= SETTLED else [usage(day, 10, "9999")]
            if SETTLED < day < CLOCK.date():
                continue
            opened.lake.replace_slice("usage_by_team_daily", day, "farthing", filled("usage_by_team_daily", rows), "f")
        for day in days[:49]:
            priced = [price(day, "0.1" if day < ON else "0.2")]
            opened.lake.replace_slice("usage_hourly", day, "farthing", filled("usage_hourly", priced), "f")
        yield opened


def test_a_change_is_judged_by_its_own_attempts_on_settled_days(house: House) -> None:
    built = build_verified_savings(house, SETTLED, SETTLED)
    (row,) = house.lake.read("verified_savings").to_pylist()
    assert (built.note, built.problems) == ("1 confirmed", ())
    assert (row["verdict"], row["reason"], row["settled_date"]) == ("confirmed", None, SETTLED)
    assert (row["before_day_count"], row["after_day_count"], row["request_count"]) == (28, 20, 200)
    # fifty tokens a day at 0.1 more; without that the chats cost 10 for 20
    assert row["price_change_usd"] == 20 * 5
    assert (row["volume_change_usd"], row["mix_change_usd"], row["drift_change_usd"]) == (0, 0, 0)
    assert abs(row["effect_change_usd"] + 20 * 10) < 1
    assert row["after_cost_usd"] - row["before_cost_usd"] == row["effect_change_usd"] + row["price_change_usd"]
    assert row["realised_saving_usd"] == pytest.approx(Decimal(10 * 365) / 12, abs=Decimal(1))


DIFFERENCE = "method: difference_in_differences"
COMPANY = """\
company: Small
lake: lake
teams: [{id: search, name: Search}]
sources: [{name: bill, kind: focus, account: main, location: bills}]
"""


def written(folder: Path, *entries: str) -> Path:
    file = folder / "farthing.yml"
    lines = [f"  - {{claimed_usd: 1, reviewed_by: ada, what: w, {entry}}}\n" for entry in entries]
    file.write_text(COMPANY + "changes:\n" + "".join(lines), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (["id: a, switched_on: 2026-10-01, touches: {team: serach}"], "there is no team 'serach'"),
        (["id: a, switched_on: 2026-10-01, touches: {}"], "must name at least one of team, provider"),
        (["id: a, switched_on: 2026-10-01, touches: {team: search}, control: {feature: x}"], "'control' goes with"),
        (
            ["id: a, switched_on: 2026-10-01, touches: {team: search}, control: {feature: x}, " + DIFFERENCE],
            "a request could be of 'touches' and of 'control' at once",
        ),
        (
            ["id: a, switched_on: 2026-10-01, moves_models: true, touches: {team: search, model: m}"],
            "'touches' names a model or provider",
        ),
        (["id: a, switched_on: 2026-10-01, touches: {feature: x}"] * 2, "'a' is taken on line 6"),
    ],
)
def test_a_change_that_nothing_could_judge_is_refused_with_its_line(
    tmp_path: Path, entries: list[str], told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, *entries))
    assert any(told in str(problem.message) for problem in error.value.problems)


def test_changes_that_disturb_one_another_are_told(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "id: a, switched_on: 2026-10-01, touches: {team: search, feature: x}",
        "id: b, switched_on: 2026-10-15, touches: {feature: x}",
        "id: c, switched_on: 2026-10-15, touches: {team: search, feature: y}",
    )
    config, _ = load(file)
    found = list(changes_that_meet(read(file), config.changes))
    assert [(problem.line, problem.message.split(" was ")[0]) for problem in found] == [
        (6, "'b' on line 7"),
        (7, "'a' on line 6"),
    ]
    assert "touches more narrowly" in found[0].remedy
