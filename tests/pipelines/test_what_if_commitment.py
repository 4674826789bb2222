"""`farthing what-if commitment`: last month's hours under another level, term, price or demand."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from pipelines.cli.what_if_commands import app
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
    free = [{**row, "instance_type": "free", "effective_cost": "0"} for row in use]
    by_day = [
        {
            **place,
            **account,
            "instance_type": "daily",
            "charge_period_start": START + timedelta(days=day),
            "charge_period_end": START + timedelta(days=day + 1),
            "machine_hours": "80",
            "effective_cost": "320",
        }
        for day in range(30)
    ]
    listed = {**place, "payment_option": "", "usage_date": date(2026, 9, 30), "product": "Linux", "currency": "USD"}
    prices = [
        {**listed, "purchase_option": "on_demand", "unit_price": "5", "price_per_hour": "5"},
        {**listed, "purchase_option": "reserved", "term_months": 36, "unit_price": "2", "price_per_hour": "2"},
        {**listed, "purchase_option": "reserved", "term_months": 12, "unit_price": "3", "price_per_hour": "3"},
    ]
    held = {**account, "provider_name": "AWS", "commitment_discount_id": "ri-1", "instance_type": "p5.48xlarge"}
    running = {**held, "term_end": "2027-03-01 00:00:00", "quantity": "4", "quantity_unit": "instances"}
    ends = [
        running,
        {**running, "commitment_discount_id": "of-another", "billing_account_id": "2"},
        {**running, "commitment_discount_id": "of-azure", "provider_name": "Microsoft", "instance_type": None},
        {**running, "commitment_discount_id": "elsewhere", "region_id": "eu-west-1"},
        {**running, "commitment_discount_id": "over", "term_end": "2026-09-15 00:00:00"},
        {**running, "commitment_discount_id": "any", "billing_account_id": "", "instance_type": None},
    ]
    with open_house(file, "run", clock=lambda: datetime(2026, 10, 2, 5)) as house:
        house.lake.replace_slice("machine_use", MONTH, "farthing", filled("machine_use", [*use, *free, *by_day]), "use")
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
    assert "AWS account 1 holds already" in text
    held = [line.split()[1] for line in text.splitlines() if line.startswith("  2")]
    assert held == ["any,", "ri-1,"]  # not what another account, provider or region holds, nor what has ended


def test_what_steps_change_is_told_for_each_term(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two machines, bought one now and one two months later, at 3 for a year; use falls to 70 % after a month."""
    text = told(company, Asked("p5.48xlarge", None, 12, None, SHIFTS, 30), capsys)
    assert "In monthly steps, each for 12 months; amounts are all 15 months together:" in text
    falls, stays = rows(text)[2:]
    # as it is, an hour of 2.5 costs 10; with one committed 9, with two 8. At 70 % (2.1 and 1.4): 7, 6 and 6.20
    assert falls[:2] == ["70 %", "1 + 0 + 0 + 0"]
    # steps: 9 once, 6 in eleven months, 7 in three; at once: 8 once, 6.20 in eleven, 7 in three; best: 8, then 6
    assert falls[2:] == ["70,080.00", "70,956.00", "67,160.00", "2,920.00", "3,796.00"]
    assert stays[:2] == ["100 %", "1 + 0 + 1 + 0"]
    # steps: 9 twice, 8 in ten months, 9 in two, 10 in one; at once: 8 in twelve, 10 in three; best: 8 always
    assert stays[2:] == ["91,980.00", "91,980.00", "87,600.00", "4,380.00", "4,380.00"]


def test_what_nothing_can_be_said_of_says_why(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind, why in (("daily", "tells days and not hours"), ("free", "costs nothing")):
        assert what_if_commitment(Console(width=200), company, Asked(kind, 3, 12, 2.0, SHIFTS, 30)) == 2
        text = capsys.readouterr().out
        assert why in text
        assert rows(text) == []


def test_a_commitment_for_nothing_saves_everything(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(company, Asked("p5.48xlarge", None, None, 0.0, (100, 0), 30), capsys)
    assert rows(text)[0][:5] == ["100 %", "7,300.00", "0.00", "7,300.00", "100.0%"]
    assert rows(text)[1][:5] == ["0 %", "0.00", "0.00", "0.00", "unknown"]
    none = told(company, Asked("p5.48xlarge", None, 24, None, (100,), 30), capsys)
    assert "No list sells a commitment for it for 24 months" in none


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("commitment p5 --committed-price nan", "--committed-price"),
        ("commitment p5 --committed-price inf", "--committed-price"),
        ("commitment p5 --committed-price -1", "--committed-price"),
        ("commitment p5 --machines -1", "--machines"),
        ("commitment p5 --days 0", "--days"),
        ("commitment p5 --demand-percent -5", "--demand-percent"),
        ("commitment p5 --demand-percent 99999999999999999999", "--demand-percent"),
        ("provisioned gpt-5 --month 2026-10 --unit-hour-cost nan", "--unit-hour-cost"),
        ("provisioned gpt-5 --month 2026-10 --unit-hour-cost -inf", "--unit-hour-cost"),
        ("provisioned gpt-5 --month 2026-10 --unit-hour-cost 1 --demand-percent 0", "--demand-percent"),
        ("provisioned gpt-5 --month 2026-13 --unit-hour-cost 1", "2026-13"),
        ("self-host gpt-5 --gpu-hour-cost nan --prefill-rate 1 --decode-rate 1", "--gpu-hour-cost"),
        ("self-host gpt-5 --gpu-hour-cost 1 --prefill-rate inf --decode-rate 1", "--prefill-rate"),
        ("self-host gpt-5 --gpu-hour-cost -1 --prefill-rate 1 --decode-rate 1", "--gpu-hour-cost"),
        ("self-host gpt-5 --gpu-hour-cost 1 --prefill-rate 1 --decode-rate 1 --most-waiting 1", "--most-waiting"),
        ("spot p5 --work-hours nan --interrupted-every 8", "--work-hours"),
        ("spot p5 --work-hours 10 --interrupted-every inf", "--interrupted-every"),
        ("spot p5 --work-hours 10 --interrupted-every 0", "expected hours above zero"),
        ("spot p5 --work-hours 10 --interrupted-every 8 --machines 0", "--machines"),
        ("savings 2026-10 --share batch=nan", "batch=nan"),
        ("savings 2026-10 --share batch=-0.5", "between 0 and 1"),
        ("savings 2026-10 --share batch=1e3", "between 0 and 1"),
        ("forecast --requests-percent -1", "--requests-percent"),
        ("forecast --month soon", "soon"),
        ("fit llama-3.3-70b --tokens 0", "--tokens"),
    ],
)
def test_what_is_no_number_or_out_of_bounds_is_refused_by_name(asked: str, wrong: str) -> None:
    said = CliRunner().invoke(app, asked.split(), env={"COLUMNS": "200", "TERM": "dumb"})
    assert said.exit_code == 2
    assert wrong in " ".join(said.output.split())
    assert "Traceback" not in said.output


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
