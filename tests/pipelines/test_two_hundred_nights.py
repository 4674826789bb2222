"""Two hundred nights of restated, repeated, reordered, cut and missing bills end in the ledger of one clean load."""

import random
import shutil
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.base import Window
from connectors.registry import SOURCES, source
from contracts import contract
from pipelines.calendar import days_between, month_start, next_month
from pipelines.house import House, open_house
from pipelines.lake import Delivery
from pipelines.night.build import build
from pipelines.night.ledger import breaks, build_postings
from pipelines.night.references import write_model_identity, write_references
from pipelines.night.stage import stage
from tests.pipelines.native_bills import WRITERS, costs_of
from tests.pipelines.small_company import line

FIRST, NIGHTS, SEED = date(2026, 3, 20), 200, 20261121
LAST = FIRST + timedelta(days=NIGHTS - 1)
# the company takes on one provider after the other: bills in their own words cost the most time
BEGINS = {
    "first": FIRST,
    "google": FIRST + timedelta(days=165),
    "mapped": FIRST + timedelta(days=172),
    "openai": FIRST + timedelta(days=175),
    "anthropic": FIRST + timedelta(days=177),
    "azure": FIRST + timedelta(days=178),
    "aws-executions": FIRST + timedelta(days=178),
    "aws-overwritten": FIRST + timedelta(days=182),
    "openrouter": FIRST + timedelta(days=182),
}
KINDS = {
    "focus": "first",
    "gcp_bill": "google",
    "mapped_bill": "mapped",
    "openai_costs": "openai",
    "anthropic_costs": "anthropic",
    "azure_bill": "azure",
    "aws_bill": "aws-executions",
    "openrouter_costs": "openrouter",
}
DETECTABLE = ("none",) * 6 + ("shuffled", "shuffled", "twice", "cut", "missing")
UNTRUE = ("halved", "wrong", "stale")
FAULTS = (*DETECTABLE, *UNTRUE)
TEAMS = ("search", "support")
CONFIG = """\
company: Restless
lake: lake
sources:
  - {name: first, kind: focus, account: "1", location: bills/first}
  - {name: google, kind: gcp_bill, account: "2", location: bills/google}
  - {name: azure, kind: azure_bill, account: "3", location: bills/azure, actual: actual, amortized: amortized,
     restated_through_day: 15}
  - {name: aws-executions, kind: aws_bill, account: "4", location: bills/aws-executions}
  - {name: aws-overwritten, kind: aws_bill, account: "5", location: bills/aws-overwritten}
  - name: mapped
    kind: mapped_bill
    account: "6"
    location: bills/mapped
    cost_unit: "0.01"
    period: day
    columns: {billed_cost: Hundredths, charge_period_start: Day, resource_id: Thing, sub_account_id: Team}
    constants: {provider_name: Own, service_name: Own}
  - {name: openai, kind: openai_costs, account: "7", location: bills/openai}
  - {name: anthropic, kind: anthropic_costs, account: "8", location: bills/anthropic}
  - {name: openrouter, kind: openrouter_costs, account: "9", location: bills/openrouter}
teams:
  - {id: search, name: Search}
  - {id: support, name: Support}
owners:
  - {id: search-tag, tag: {key: team, value: search}, team: search}
  - {id: support-tag, tag: {key: team, value: support}, team: support}
"""
SUSPICIOUS = ("suspicious_shrink", "suspicious_growth")
LEDGER = ("charge_groups", "postings", "period_states", "chargeback")


@dataclass
class World:
    """What really happened: the lines of every account, and the files in which it is told, well or badly."""

    folder: Path
    random: random.Random
    lines: dict[tuple[str, date], list[dict[str, str]]] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    told_wrong: set[tuple[str, date]] = field(default_factory=set)

    def live(self, day: date) -> None:
        """A day passes: every account is charged a few times."""
        for account in (name for name, begun in BEGINS.items() if day >= begun):
            month = self.lines.setdefault((account, month_start(day)), [])
            month += [self._line(account, day, number) for number in range(self.random.randint(1, 3))]

    def _line(self, account: str, day: date, number: int) -> dict[str, str]:
        # a double holds halves exactly, and text twelve places
        places = (0,) if account == "google" else (2, 6, 12)
        cost = str(Decimal(self.random.randint(-(10**9), 10**12)).scaleb(-self.random.choice(places)))
        billed, effective = costs_of(account, cost, number)
        team = self.random.choice((*TEAMS, "nobody"))
        return line(
            BilledCost=billed,
            EffectiveCost=effective,
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
        key = (self.random.choice(list(BEGINS)), self.random.choice(months))
        if found := self.lines.get(key):
            chosen = self.random.choice(found)
            step = Decimal("0.5") if key[0] == "google" else Decimal("0.000000000001")
            for name in ("BilledCost", "EffectiveCost"):
                if Decimal(chosen[name]):
                    chosen[name] = str(Decimal(chosen[name]) - step)
            chosen["Tags"] = f'{{"team": "{self.random.choice(TEAMS)}"}}'

    def tell(self, today: date, *, well: bool = False) -> None:
        """Writes every file anew; unless all is told well, something may be wrong with each.

        What nobody can tell from a bill, half of it, other costs on it or the state before, a source may say of the
        month that it is in, and takes back in time.
        """
        shutil.rmtree(self.folder / "bills", ignore_errors=True)
        self.told_wrong.clear()
        for (account, month), lines in self.lines.items():
            (self.folder / "bills" / account).mkdir(parents=True, exist_ok=True)
            fault = "none" if well else self.random.choice(FAULTS if month == month_start(today) else DETECTABLE)
            self.faults[fault] = self.faults.get(fault, 0) + 1
            told = self._told(lines, fault)
            if fault in UNTRUE:
                self.told_wrong.add((account, month))
            if fault == "missing" or not told:
                continue
            before = [{**row, "BilledCost": "1", "EffectiveCost": "1"} for row in lines[: max(1, len(lines) - 1)]]
            tellings = [before, told, *([told] if fault == "twice" else [])]
            files = WRITERS[account](month, tellings, is_finished=fault != "stale")
            for number, (name, content) in enumerate(files.items()):
                path = self.folder / "bills" / account / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_cut(content) if fault == "cut" and number == 0 else content)

    def _told(self, lines: list[dict[str, str]], fault: str) -> list[dict[str, str]]:
        if fault == "halved":
            return lines[: len(lines) // 2]
        if fault == "wrong":
            return [{**row, "BilledCost": "1", "EffectiveCost": "1"} for row in lines]
        return self.random.sample(lines, len(lines)) if fault == "shuffled" else lines


def _cut(content: bytes) -> bytes:
    """Without its last part; never at the end of a line, where nothing would show."""
    left = content[: -(len(content) // 40 + 1)]
    return left[:-2] if left.endswith(b"\n") else left


def night(
    folder: Path, first: date, last: date, told_wrong: Set[tuple[str, date]] = frozenset(), *, dies: bool = False
) -> None:
    """The part of a night that makes the ledger, which balances after every one that does not die before.

    What is refused as far too much or too little, and is true, somebody looks up and confirms.
    """
    now = datetime.combine(last + timedelta(days=1), time(5, 30))
    with open_house(folder / "farthing.yml", f"run-{now:%Y%m%d}", clock=lambda: now) as house:
        if first == FIRST:  # neither prices nor names change here
            write_references(house)
            write_model_identity(house, first, last)
        for kind, account in KINDS.items():
            if last >= BEGINS[account]:
                for refused in stage(house, kind, max(first, BEGINS[account]), last):
                    if refused.status in SUSPICIOUS and (refused.x_source, refused.slice_date) not in told_wrong:
                        _confirm(house, kind, refused)
        if dies:
            return
        build(house, contract("charge_groups"), first, last)
        build_postings(house, first, last)
        for table in ("invoice_tie_out", "period_states", "chargeback"):
            build(house, contract(table), first, last)
        assert breaks(house, first, last).is_empty()


def _confirm(house: House, kind: str, refused: Delivery) -> None:
    settings = next(one for one in house.config.sources if one.name == refused.x_source)
    window = Window(refused.window_start, refused.window_end)
    confirmed = house.lake.ingest(source(kind), settings, window, house.run_id, confirmed=True)
    assert confirmed.status == "committed", confirmed.message


def ledger(folder: Path) -> dict[str, list[Any]]:
    """Every row of the ledger, in an order of its own; and the charges without where in which file they stood."""
    found: dict[str, list[Any]] = {}
    with open_house(folder / "farthing.yml", "read", writing=False) as house:
        for table in LEDGER:
            found[table] = sorted(map(repr, house.lake.read(table).to_pylist()))
        charges = house.lake.read("charges").drop_columns(["x_page", "x_row"]).to_pylist()
        found["charges"] = sorted(map(repr, charges))
    return found


def test_every_kind_of_bill_is_among_them() -> None:
    assert {kind for kind in SOURCES if source(kind).fact == "charges"} == set(KINDS)


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
        world.tell(day)
        if day > FIRST and world.random.random() < 0.15:
            gaps += 1  # nobody ran the night
            continue
        night(restless, day, day, world.told_wrong, dies=day > FIRST and world.random.random() < 0.75)
    world.tell(LAST, well=True)
    for day in (LAST + timedelta(days=1), LAST + timedelta(days=2)):
        night(restless, day, day)
    shutil.copytree(restless / "bills", clean / "bills")
    night(clean, FIRST, LAST + timedelta(days=2))

    assert gaps > 10
    assert {"none", "shuffled", "twice", "cut", "halved", "wrong", "stale", "missing"} == set(world.faults)
    found, expected = ledger(restless), ledger(clean)
    assert found == expected
    billed = sum(Decimal(row["BilledCost"]) for lines in world.lines.values() for row in lines)
    with open_house(clean / "farthing.yml", "read", writing=False) as house:
        assert sum(house.lake.read("chargeback")["billed_cost"].to_pylist()) == billed
    with open_house(restless / "farthing.yml", "read", writing=False) as house:
        told = house.lake.read("deliveries").to_pylist()
    statuses = {row["status"] for row in told}
    assert statuses >= {"committed", "unchanged", "incomplete", "failed", *SUSPICIOUS}
    for name in BEGINS:
        of_source = [row for row in told if row["x_source"] == name]
        assert {"committed", "unchanged"} <= {row["status"] for row in of_source}, name
        assert any(row["previous_total_cost"] not in (None, row["total_cost"]) for row in of_source), name
