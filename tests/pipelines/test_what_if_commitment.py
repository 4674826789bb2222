"""`farthing what-if commitment`: last month's hours under another level, term, price or demand."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.cli.what_if_commitment import Asked, what_if_commitment
from pipelines.house import open_house
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

MONTH, START = date(2026, 9, 1), datetime(2026, 9, 1)
SHIFTS = (70, 100)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two machines always and a third by half of each day, at 4 an hour; a term at 2, and one at 3 for a year."""
    file = write_company(tmp_path_factory.mktemp("company"))
    place = {"provider_name": "AWS", "region_id": "us-east-1", "instance_type": "p5.48xlarge", "sku_id": "SKU1"}
    account = {"billing_period": MONTH, "billing_account_id": "1", "billing_currency": "USD"}
    use = [
        {
            **place,
            **account,
            "charge_period_start": START + timedelta(hours=hour),
            "charge_period_end": START + timedelta(hours=hour + 1),
            "machine_hours": str(3 if hour % 24 < 12 else 2),
            "effective_cost": str(4 * (3 if hour % 24 < 12 else 2)),
        }
        for hour in range(30 * 24)
    ]
    listed = {**place, "payment_option": "", "usage_date": date(2026, 9, 30), "product": "Linux", "currency": "USD"}
    prices = [
        {**listed, "purchase_option": "on_demand", "unit_price": "5", "price_per_hour": "5"},
        {**listed, "purchase_option": "reserved", "term_months": 36, "unit_price": "2", "price_per_hour": "2"},
        {**listed, "purchase_option": "reserved", "term_months": 12, "unit_price": "3", "price_per_hour": "3"},
    ]
    held = {**account, "provider_name": "AWS", "commitment_discount_id": "ri-1", "instance_type": "p5.48xlarge"}
    ends = [{**held, "term_end": "2027-03-01 00:00:00", "quantity": "4", "quantity_unit": "instances"}]
    with open_house(file, "run", clock=lambda: datetime(2026, 10, 2, 5)) as house:
        house.lake.replace_slice("machine_use", MONTH, "farthing", filled("machine_use", use), "use")
        day = date(2026, 9, 30)
        house.lake.replace_slice("machine_prices", day, "farthing", filled("machine_prices", prices), "prices")
        house.lake.replace_slice("commitments", MONTH, "farthing", filled("commitments", ends), "held")
    return file


def told(company: Path, asked: Asked, capsys: pytest.CaptureFixture[str]) -> str:
    assert what_if_commitment(Console(width=160), company, asked) == 0
    return capsys.readouterr().out


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]


def test_each_offer_of_the_list_is_held_against_less_demand(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(company, Asked("p5.48xlarge", None, None, None, SHIFTS, 30), capsys)
    assert text.index("reserved, 12 months, at 3.0000 an hour: 2 machines") < text.index(
        "reserved, 36 months, at 2.0000"
    )
    # a mean hour: 2.5 machines at 4 on demand; two at 3 and half a machine at 4
    assert rows(text)[1] == ["100 %", "7,300.00", "5,840.00", "1,460.00", "20.0%", "100.0%", "80.0%", "2", "0.00"]
    # 70 %: 2.1 by day, 1.4 by night: 1.75 at 4 are 7; two at 3 and 0.05 at 4 are 6.20; one at 3 and 0.75 at 4 are 6
    assert rows(text)[0] == ["70 %", "5,110.00", "4,526.00", "584.00", "11.4%", "85.0%", "97.1%", "1", "146.00"]
    assert "In steps: 1, 1, 2, 2 machines" in text
    assert "2027-03-01  ri-1, 4 instances" in text


def test_a_level_and_a_price_of_one_s_own(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(company, Asked("p5.48xlarge", 3, None, 2.5, (100,), 10), capsys)
    # three at 2.50 are 7.50 an hour instead of 10; two and a half used. The third at 2.50 carries half of 4
    assert rows(text) == [["100 %", "7,300.00", "5,475.00", "1,825.00", "25.0%", "83.3%", "100.0%", "2", "365.00"]]
    assert "10 days to 2026-09-30" in text
    only = told(company, Asked("p5.48xlarge", None, 36, None, (100,), 30), capsys)
    assert "36 months" in only
    assert "12 months" not in only


def test_what_no_bill_has_is_said(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert what_if_commitment(Console(width=160), company, Asked("m7i.large", None, None, None, SHIFTS, 30)) == 2
    assert "has 'm7i.large' on demand" in capsys.readouterr().out
