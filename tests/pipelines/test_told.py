"""What people are told of deliveries that went well: files and lines that came twice, and days that nobody lacks."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.house import Options, open_house
from pipelines.lake import Delivery
from pipelines.night.snapshot import period_view, source_freshness
from pipelines.night.stage import notices, stage
from tests.pipelines.conftest import night, published
from tests.pipelines.small_company import DAY, line, write_bill, write_company

CONFIG = """\
company: Small
lake: lake
sources:
  - {name: bill, kind: focus, account: main, location: bills}
teams:
  - {id: search, name: Search}
"""
TRAIN, SERVE = line(ResourceId="train", BilledCost="7.25"), line(ResourceId="serve", BilledCost="-0.25")
IDLE = line(ResourceId="idle", BilledCost="0", EffectiveCost="0")


@pytest.fixture
def bills(tmp_path: Path) -> Path:
    (tmp_path / "farthing.yml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "bills"


def delivered(bills: Path) -> tuple[Delivery, str]:
    """One night's delivery, and what is told of it."""
    with open_house(bills.parent / "farthing.yml", "run-1") as house:
        (delivery,) = stage(house, "focus", date(2026, 10, 20), date(2026, 10, 20))[-1:]
    return delivery, "\n".join(notices([delivery]))


def test_a_file_that_lies_there_twice_is_counted_once_and_told(bills: Path) -> None:
    write_bill(bills, [TRAIN, SERVE])
    write_bill(bills, [TRAIN, SERVE], name="bill (1).csv")
    delivery, told = delivered(bills)
    assert (delivery.row_count, delivery.total_cost) == (2, Decimal(7))
    assert "bill 2026-10-01: " in told
    assert "'2026-10/bill.csv' repeats '2026-10/bill (1).csv' byte for byte and is not counted" in told


def test_lines_that_stand_in_two_files_are_counted_and_told_with_their_cost(bills: Path) -> None:
    write_bill(bills, [TRAIN, TRAIN, TRAIN, IDLE])
    write_bill(bills, [SERVE, TRAIN, TRAIN, IDLE], name="bill (1).csv")
    delivery, told = delivered(bills)
    assert delivery.total_cost == Decimal(36)  # five times 7.25, less 0.25
    assert "2 lines stand word for word in another file too" in told
    assert "(2026-10/bill (1).csv, 2026-10/bill.csv), billed 14.50: counted in each" in told


def test_equal_lines_of_one_file_are_nobodys_business(bills: Path) -> None:
    write_bill(bills, [TRAIN, TRAIN])
    write_bill(bills, [SERVE, IDLE], name="other.csv")
    assert delivered(bills)[1] == ""


def test_a_manifest_s_files_may_repeat_each_other(bills: Path) -> None:
    write_bill(bills, [TRAIN])
    write_bill(bills, [SERVE, TRAIN], name="part-2.csv")
    (bills / "2026-10" / "manifest.json").write_text('{"files": ["bill.csv", "part-2.csv"]}', encoding="utf-8")
    delivery, told = delivered(bills)
    assert (delivery.row_count, told) == (3, "")


def test_lines_that_stand_in_two_files_are_no_problem_and_told_while_they_do(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    write_bill(tmp_path / "bills", [line(), line(BilledCost="-0.25")], name="bill (1).csv")
    first = night(config, DAY)
    assert first.problems == ""
    assert [told for told in first.told.notices if "word for word" in told]
    with published(tmp_path / "lake") as database:
        (kept,) = database.execute("select message from freshness where x_source = 'bill'").fetchone() or ("",)
    assert "1 line stands word for word in another file too" in kept
    again = night(config, DAY, at=DAY + timedelta(days=2))
    assert len([told for told in again.told.notices if "word for word" in told]) == 1


def test_days_before_a_source_was_first_asked_are_not_missing(tmp_path: Path) -> None:
    config = write_company(tmp_path)  # its log is asked for its night's day alone
    night(config, date(2026, 10, 28))
    night(config, DAY)
    with open_house(config, "read", writing=False) as house:
        lines = source_freshness(period_view(house.lake, date(2026, 10, 1), "USD"), DAY)
    lacking = {line.name: line.missing_days for line in lines}
    assert lacking["gateway"] == tuple(date(2026, 10, day) for day in (29, 30))
    since = {line.name: line.asked_from for line in lines}
    assert since == {"bill (main)": None, "gateway": date(2026, 10, 28), "other-bill (other)": None}
    overview = (tmp_path / "reports" / "2026-10" / "index.html").read_text(encoding="utf-8")
    assert "First asked for 28 Oct: of 1\N{EN DASH}27 Oct nothing is known." in overview


def test_a_restated_month_is_told_and_printed_and_so_is_who_was_not_asked(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    night(config, DAY, options=Options(only_sources=frozenset({"bill", "other-bill"})))
    overview = tmp_path / "reports" / "2026-10" / "index.html"
    assert "Not asked for this month: gateway." in overview.read_text(encoding="utf-8")
    write_bill(tmp_path / "bills", [line(BilledCost="10.25", EffectiveCost="10.001")])
    again = night(config, DAY, at=date(2026, 11, 4))
    told = "restated by -USD 0.25 (USD 10.25 billed where 10.50 were, 10.001 effective where 10.50 were)"
    assert f"bill 2026-10-01: {told}" in again.told.notices
    for page in overview, next(overview.parent.glob("*search*.txt"), overview):
        text = page.read_text(encoding="utf-8")
        assert "bill (main), October 2026" in text
        assert "\N{MINUS SIGN}$0.50" in text
        assert "Restated on 4 Nov" in text
        assert "Not asked" not in text


def test_attempts_that_a_log_repeats_are_counted_once_and_told(tmp_path: Path) -> None:
    config = "{name: gateway, kind: litellm, location: log, hash_key: 'file:key', trailing_days: 0}"
    (tmp_path / "key").write_text("a key of the tests' own", encoding="utf-8")
    text = CONFIG.replace("{name: bill, kind: focus, account: main, location: bills}", config)
    (tmp_path / "farthing.yml").write_text(text, encoding="utf-8")
    attempt = {"id": "r1", "metadata": {}, "status": "success", "startTime": "2026-10-20T05:00:00Z", "prompt_tokens": 1}
    (tmp_path / "log" / "2026-10-20").mkdir(parents=True)
    lines = f"{json.dumps(attempt | {'completion_tokens': 1})}\n" * 3
    (tmp_path / "log" / "2026-10-20" / "log.jsonl").write_text(lines, encoding="utf-8")
    with open_house(tmp_path / "farthing.yml", "run-1") as house:
        deliveries = stage(house, "litellm", date(2026, 10, 20), date(2026, 10, 20))
    assert [(d.row_count, d.duplicate_count) for d in deliveries] == [(1, 2)]
    assert notices(deliveries) == (
        "gateway 2026-10-20: attempts that came again were counted once, such as r1",
        "gateway 2026-10-20: 2 rows repeated another one and counted once (duplicate_count in freshness)",
    )
