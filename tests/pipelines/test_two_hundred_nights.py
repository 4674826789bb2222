"""Two hundred nights of restated, repeated, reordered, cut and missing bills end in the ledger of one clean load."""

import random
import shutil
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from contracts import contract
from pipelines.calendar import days_between, month_start, next_month
from pipelines.house import Options, open_house
from pipelines.night.build import build
from pipelines.night.ledger import breaks, build_postings
from pipelines.night.references import write_model_identity, write_references
from pipelines.night.stage import stage
from tests.pipelines.small_company import line

FIRST, NIGHTS, SEED = date(2026, 3, 20), 200, 20261121
LAST = FIRST + timedelta(days=NIGHTS - 1)
ACCOUNTS = ("first", "second", "third")
TEAMS = ("search", "support")
CONFIG = """\
company: Restless
lake: lake
sources:
  - {name: first, kind: focus, account: "1", location: bills/first}
  - {name: second, kind: focus, account: "2", location: bills/second}
  - {name: third, kind: focus, account: "3", location: bills/third}
teams:
  - {id: search, name: Search}
  - {id: support, name: Support}
owners:
  - {id: search-tag, tag: {key: team, value: search}, team: search}
  - {id: support-tag, tag: {key: team, value: support}, team: support}
"""
LEDGER = ("charge_groups", "postings", "chargeback")


@dataclass
class World:
    """What really happened: the lines of every account, and the files in which it is told, well or badly."""

    folder: Path
    random: random.Random
    lines: dict[tuple[str, date], list[dict[str, str]]] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)

    def live(self, day: date) -> None:
        """A day passes: every account is charged a few times."""
        for account in ACCOUNTS:
            month = self.lines.setdefault((account, month_start(day)), [])
            month += [self._line(account, day, number) for number in range(self.random.randint(1, 3))]

    def _line(self, account: str, day: date, number: int) -> dict[str, str]:
        cost = str(Decimal(self.random.randint(-(10**9), 10**12)).scaleb(-self.random.choice((2, 6, 12))))
        team = self.random.choice((*TEAMS, "nobody"))
        return line(
            BilledCost=cost,
            EffectiveCost=cost,
            BillingAccountId=account,
            BillingPeriodStart=f"{month_start(day)}T00:00:00Z",
            BillingPeriodEnd=f"{next_month(day)}T00:00:00Z",
            ChargePeriodStart=f"{day}T00:00:00Z",
            ChargePeriodEnd=f"{day + timedelta(days=1)}T00:00:00Z",
            ProviderName=account,
            ServiceName=f"Service {number}",
            ResourceId=f"{account}-{day}-{number}",
            Tags=f'{{"team": "{team}"}}',
        )

    def restate(self, day: date) -> None:
        """The provider changes its mind about a line of a month that it may still restate."""
        months = [month_start(day)] + ([month_start(month_start(day) - timedelta(days=1))] if day.day <= 15 else [])
        key = (self.random.choice(ACCOUNTS), self.random.choice(months))
        if found := self.lines.get(key):
            chosen = self.random.choice(found)
            chosen["BilledCost"] = chosen["EffectiveCost"] = str(
                Decimal(chosen["BilledCost"]) - Decimal("0.000000000001")
            )
            chosen["Tags"] = f'{{"team": "{self.random.choice(TEAMS)}"}}'

    def tell(self, *, well: bool) -> None:
        """Writes every file anew; unless all is told well, something may be wrong with each."""
        shutil.rmtree(self.folder / "bills", ignore_errors=True)
        for (account, month), lines in self.lines.items():
            folder = self.folder / "bills" / account / f"{month:%Y-%m}"
            folder.mkdir(parents=True)
            told = list(lines)
            fault = (
                "none"
                if well
                else self.random.choice(
                    ("none",) * 6 + ("shuffled", "shuffled", "twice", "cut", "halved", "wrong", "missing")
                )
            )
            self.faults[fault] = self.faults.get(fault, 0) + 1
            if fault == "shuffled":
                self.random.shuffle(told)
            if fault == "halved":
                told = told[: len(told) // 2]
            if fault == "wrong":
                told = [{**row, "BilledCost": "1", "EffectiveCost": "1"} for row in told]
            text = "\n".join([",".join(told[0]), *(_csv(row) for row in told)]) + "\n" if told else ""
            if fault == "missing" or not told:
                continue
            (folder / "bill.csv").write_text(text[: -len(text) // 40] if fault == "cut" else text)
            if fault == "twice":
                (folder / "bill-again.csv").write_text(text)


def _csv(row: dict[str, str]) -> str:
    return ",".join('"' + value.replace('"', '""') + '"' for value in row.values())


def night(folder: Path, first: date, last: date) -> None:
    """The part of a night that makes the ledger; the ledger balances after every one."""
    now = datetime.combine(last + timedelta(days=1), time(5, 30))
    options = Options(confirmed=frozenset(ACCOUNTS) if first != last else frozenset())
    with open_house(folder / "farthing.yml", f"run-{now:%Y%m%d}", clock=lambda: now, options=options) as house:
        stage(house, "focus", first, last)
        if first == FIRST:  # neither prices nor names change here
            write_references(house)
            write_model_identity(house, first, last)
        build(house, contract("charge_groups"), first, last)
        build_postings(house, first, last)
        if first != last:
            build(house, contract("chargeback"), first, last)
        assert breaks(house, first, last).is_empty()


def ledger(folder: Path) -> dict[str, list[Any]]:
    """Every row of the ledger, in an order of its own; and the charges without where in which file they stood."""
    found: dict[str, list[Any]] = {}
    with open_house(folder / "farthing.yml", "read", writing=False) as house:
        for table in LEDGER:
            found[table] = sorted(map(repr, house.lake.read(table).to_pylist()))
        charges = house.lake.read("charges").drop_columns(["x_page", "x_row"]).to_pylist()
        found["charges"] = sorted(map(repr, charges))
    return found


def test_two_hundred_nights_of_trouble_end_in_the_ledger_of_one_clean_load(tmp_path: Path) -> None:
    restless, clean = tmp_path / "restless", tmp_path / "clean"
    for folder in (restless, clean):
        folder.mkdir()
        (folder / "farthing.yml").write_text(CONFIG)
    world = World(restless, random.Random(SEED))
    gaps = 0
    for day in days_between(FIRST, LAST):
        world.live(day)
        for _ in range(world.random.randint(0, 3)):
            world.restate(day)
        world.tell(well=False)
        if world.random.random() < 0.15:
            gaps += 1  # nobody ran the night
            continue
        night(restless, day, day)
    world.tell(well=True)
    night(restless, FIRST, LAST)
    shutil.copytree(restless / "bills", clean / "bills")
    night(clean, FIRST, LAST)

    assert gaps > 10
    assert {"none", "shuffled", "twice", "cut", "halved", "wrong", "missing"} == set(world.faults)
    found, expected = ledger(restless), ledger(clean)
    assert found == expected
    billed = sum(Decimal(row["BilledCost"]) for lines in world.lines.values() for row in lines)
    with open_house(clean / "farthing.yml", "read", writing=False) as house:
        assert sum(house.lake.read("chargeback")["billed_cost"].to_pylist()) == billed
    with open_house(restless / "farthing.yml", "read", writing=False) as house:
        told = house.lake.read("deliveries").to_pylist()
    statuses = {row["status"] for row in told}
    assert statuses >= {"committed", "unchanged", "incomplete", "failed", "suspicious_shrink"}
    assert any(row["previous_total_cost"] not in (None, row["total_cost"]) for row in told)
