"""`farthing what-if provisioned`: a model's minutes from the log, and what units of them would cost."""

import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from models.tokens import TOKEN_CLASSES
from pipelines import model_minutes
from pipelines.cli.what_if_provisioned import Asked, what_if_provisioned
from pipelines.house import open_house
from pipelines.model_minutes import read_minutes
from pipelines.night.provisioned import build_provisioned_minutes
from pipelines.provisioned_units import unit_terms
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

MONTH, DAY = date(2026, 10, 1), date(2026, 10, 31)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of 50 minutes of 60,000 tokens in, one of ten times that, nine of none; a batch that needs no capacity."""
    file = write_company(tmp_path_factory.mktemp("company"))
    call = {
        **dict.fromkeys((f"{name}_tokens" for name in TOKEN_CLASSES), 0),
        "usage_date": DAY,
        "provider": "azure",
        "billed_model": "gpt-4.1",
        "status": "success",
        "output_total_tokens": 0,
    }
    rows = [
        {
            **call,
            "x_row": minute,
            "started_at": datetime(2026, 10, 31, 10, minute, 30),
            "input_uncached_tokens": 600_000 if minute == 7 else 60_000,
            "input_total_tokens": 600_000 if minute == 7 else 60_000,
            "service_tier": "default",
        }
        for minute in range(60)
        if not 8 <= minute <= 16
    ]
    rows.append({**rows[0], "x_row": 99, "service_tier": "batch"})
    lost = dict.fromkeys(name for name in rows[0] if name.endswith("_tokens"))
    rows.append({**rows[0], **lost, "x_row": 98})  # a stream without usage
    cached = {
        "input_uncached_tokens": 0,
        "input_total_tokens": 500,
        "cache_read_tokens": 500,
        "billed_model": "gpt-5-mini",
    }
    rows.append({**rows[0], "x_row": 100, **cached})
    names = [
        {"source_provider": "azure", "source_model": name, "provider_id": "azure", "model_id": name}
        for name in ("gpt-4.1", "gpt-5-mini")
    ]
    price = {"provider_id": "azure", "model_id": "gpt-4.1", "service_tier": "default", "region_id": ""}
    dated = {"valid_from": "2026-01-01 00:00:00", "valid_to": "9999-12-31 00:00:00", "input_tokens_to": 10**9}
    with open_house(file, "run", clock=lambda: datetime(2026, 11, 2, 5)) as house:
        once = date(1970, 1, 1)
        house.lake.replace_slice("gateway_requests", DAY, "gateway", filled("gateway_requests", rows), "log")
        house.lake.replace_slice("model_identity", once, "farthing", filled("model_identity", names), "names")
        prices = [
            {**price, **dated, "input_uncached_usd_per_token": "0.000002"},
            {**price, **dated, "model_id": "gpt-5-mini", "cache_read_usd_per_token": "0.000001"},
        ]
        book = filled("price_book", prices)
        house.lake.replace_slice("price_book", once, "farthing", book, "book")
        used = [
            {"usage_date": DAY, "source_provider": "azure", "source_model": name} for name in ("gpt-4.1", "gpt-5-mini")
        ]
        house.lake.replace_slice("models_in_use", DAY, "farthing", filled("models_in_use", used), "used")
        build_provisioned_minutes(house, DAY, DAY)
    return file


def test_minutes_are_those_that_a_night_kept_and_cost_what_the_price_book_says(
    company: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(*_: object) -> None:
        raise AssertionError("the log was counted again")

    monkeypatch.setattr(model_minutes, "read_view", unread)
    with open_house(company, "run", writing=False) as house:
        minutes = read_minutes(house, "gpt-4.1", MONTH)
    assert sorted(minutes.found.counts.tolist()) == [[60_000, 0, 0]] * 50 + [[600_000, 0, 0]]
    assert minutes.hours.tolist() == [[3_600_000, 0, 0]]
    assert (minutes.found.cost, minutes.days, minutes.served_by) == (Decimal("7.2"), 1, ("azure",))
    assert (minutes.found.unmetered_attempts, minutes.unkept_days) == (1, ())


def test_the_number_that_costs_least_is_told_with_what_spills(
    company: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twenty units carry 60,000 a minute, 3.06 of the 3.6 million tokens at 2 a million: 6.12 dollars.

    At 0.01 an hour they cost 4.80 a day, and 540,000 tokens of one minute spill: 1.08. Five more would carry 15,000.
    In an hour they could carry all of its 3.6 million: by hours nothing would seem to spill.
    """
    asked = Asked("gpt-4.1", MONTH, "global", 0.01, 0.02, 100)
    assert what_if_provisioned(Console(width=140), company, asked) == 0
    told = capsys.readouterr().out
    assert "by the hour at $0.0100 an hour: 20 would have cost least" in told
    assert "Counted together: what azure served." in told
    assert "Attempts not counted, for the log tells nothing of their tokens: 1." in told
    (best,) = [line for line in told.splitlines() if "20 *" in line]
    assert [cell.strip() for cell in best.split("│")[1:-1]] == ["20 *", "$4.80", "15.0%", "$1.08", "$5.88", "-$1.32"]
    assert "By hours instead of minutes 0.0% would seem to spill" in told
    # twice as dear they cost 9.60: more than all tokens
    by_hour, reserved = told.split("reserved at $0.0200 an hour: 0 would have cost least")
    assert "With none, all is paid as you go: there is nothing to spill over." in reserved
    assert "would seem to spill" not in reserved
    (none,) = [line for line in by_hour.splitlines() if "pay as you go" in line]
    assert [cell.strip() for cell in none.split("│")[1:-1]] == [
        "0",
        "$0.00",
        "pay as you go",
        "$7.20",
        "$7.20",
        "$0.00",
    ]


def test_more_traffic_needs_more_units(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert what_if_provisioned(Console(width=140), company, Asked("gpt-4.1", MONTH, "global", 0.01, None, 200)) == 0
    assert "40 would have cost least" in capsys.readouterr().out


def test_what_is_not_known_is_said(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide = Console(width=200)
    assert what_if_provisioned(wide, company, Asked("gpt-2", MONTH, "global", 1.0, None, 100)) == 2
    assert "What a unit serves of 'gpt-2' is not known" in capsys.readouterr().out
    assert what_if_provisioned(wide, company, Asked("gpt-5", MONTH, "global", 1.0, None, 100)) == 2
    assert "no priced tokens of 'gpt-5'" in capsys.readouterr().out
    august = Asked("gpt-4.1", date(2026, 8, 1), "global", 1.0, None, 100)
    assert what_if_provisioned(wide, company, august) == 2
    assert "The log has no day of 2026-08" in capsys.readouterr().out
    cached = Asked("gpt-5-mini", MONTH, "global", 1.0, None, 100)
    assert what_if_provisioned(wide, company, cached) == 2
    assert "were read from the provider's cache" in capsys.readouterr().out
    assert what_if_provisioned(wide, company, Asked("gpt-5", MONTH, "moon", 1.0, None, 100)) == 2
    assert "--scope is one of global, regional" in capsys.readouterr().out


def test_units_are_sold_in_other_numbers_by_region() -> None:
    everywhere, regional = unit_terms("global")["gpt-4.1"], unit_terms("regional")["gpt-4.1"]
    assert (everywhere.fewest, everywhere.step, regional.fewest, regional.step) == (15, 5, 50, 50)
    assert everywhere.tokens_per_minute * 30 == 90_000


def test_a_day_of_no_request_is_a_day_of_units_and_one_that_no_night_kept_is_not_known(
    company: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(company.parent, tmp_path, dirs_exist_ok=True)
    file = tmp_path / company.name
    silent, unkept = DAY - timedelta(days=1), DAY - timedelta(days=2)
    with open_house(file, "run", clock=lambda: datetime(2026, 11, 2, 5)) as house:
        none = filled("gateway_requests", [])
        house.lake.replace_slice("gateway_requests", silent, "gateway", none, "none")
        build_provisioned_minutes(house, silent, DAY)
        house.lake.replace_slice("gateway_requests", unkept, "gateway", none, "none")
        minutes = read_minutes(house, "gpt-4.1", MONTH)
    assert (minutes.days, len(minutes.found.counts), minutes.unkept_days) == (2, 51, (unkept,))
    assert what_if_provisioned(Console(width=200), file, Asked("gpt-4.1", MONTH, "global", 0.01, None, 100)) == 0
    told = capsys.readouterr().out
    assert "1 day of the log is not counted, for no night has kept the minutes: farthing run 2026-10-29" in told


def test_what_another_provider_served_of_the_model_is_counted_from_the_log(company: Path, tmp_path: Path) -> None:
    """The same minute at two providers is one minute of the model: 60,000 kept of Azure, 5,000 in OpenAI's log."""
    shutil.copytree(company.parent, tmp_path, dirs_exist_ok=True)
    with open_house(tmp_path / company.name, "run", clock=lambda: datetime(2026, 11, 2, 5)) as house:
        call = dict.fromkeys((f"{name}_tokens" for name in TOKEN_CLASSES), 0) | {
            "usage_date": DAY,
            "provider": "openai",
            "billed_model": "gpt-4.1",
            "status": "success",
            "service_tier": "default",
            "started_at": datetime(2026, 10, 31, 10, 0, 5),
            "output_total_tokens": 0,
            "input_uncached_tokens": 5_000,
            "input_total_tokens": 5_000,
        }
        house.lake.replace_slice("gateway_requests", DAY, "other", filled("gateway_requests", [call]), "other")
        name = {"source_provider": "openai", "source_model": "gpt-4.1"}
        used = filled("models_in_use", [{"usage_date": DAY, **name}])
        house.lake.replace_slice("models_in_use", DAY, "other", used, "other")
        meant = filled("model_identity", [{**name, "provider_id": "openai", "model_id": "gpt-4.1"}])
        house.lake.replace_slice("model_identity", date(1970, 1, 1), "other", meant, "other")
        minutes = read_minutes(house, "gpt-4.1", MONTH)
    assert sorted(minutes.found.counts.tolist()) == [[60_000, 0, 0]] * 49 + [[65_000, 0, 0], [600_000, 0, 0]]
    assert minutes.served_by == ("azure", "openai")
