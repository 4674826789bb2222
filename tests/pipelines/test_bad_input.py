"""What goes wrong outside: each fault gets a clear message, the rest of the night goes on, nothing is lost or zero."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.house import Options
from tests.pipelines.conftest import Night, night, published
from tests.pipelines.small_company import DAY, line, write_bill, write_company, write_log


@pytest.fixture
def company(tmp_path: Path) -> Path:
    write_company(tmp_path)
    return tmp_path


def one(company: Path, sql: str) -> tuple[object, ...]:
    with published(company / "lake") as database:
        rows = database.execute(sql).fetchall()
    assert len(rows) == 1, rows
    return rows[0]


def run(company: Path) -> Night:
    return night(company / "farthing.yml", DAY)


def manifest(folder: Path, **content: object) -> None:
    (folder / "2026-10" / "bill.manifest.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_sound_night_has_no_problems(company: Path) -> None:
    ended = run(company)
    assert ended.result.published
    assert ended.problems == ""
    assert one(company, "select sum(effective_cost) from chargeback") == (Decimal("12.5"),)


def test_a_tag_that_starts_with_an_equals_sign_is_only_a_tag(company: Path) -> None:
    run(company)
    found = one(company, "select sum(effective_cost) from chargeback where team_id = 'search'")
    assert found == (Decimal("10.5"),)


def test_a_team_named_like_a_path_stays_in_its_folder(company: Path) -> None:
    run(company)
    reports = company / "reports" / "2026-10"
    assert all(path.parent == reports for path in company.rglob("statement-*"))
    assert len(list(reports.glob("statement-*search*.html"))) == 1
    assert not (company / "etc").exists()


FAULTS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "an unreadable file": (
        lambda folder: (folder / "2026-10" / "bill.csv").write_bytes(b"\x00\xff\xfe garbage \x00" * 50),
        ["bill.csv"],
    ),
    "a file without its columns": (
        lambda folder: (folder / "2026-10" / "bill.csv").write_text("a,b\n1,2\n"),
        ["bill.csv", "BilledCost"],
    ),
    "a month that is half delivered": (
        lambda folder: manifest(folder, files=["bill.csv", "part-2.csv"], rows=2),
        ["part-2.csv"],
    ),
    "a bill that does not sum to its stated total": (
        lambda folder: manifest(folder, files=["bill.csv"], rows=1, total_billed_cost="99.99"),
        ["99.99", "10.5"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_bill_is_told_and_the_rest_of_the_night_goes_on(company: Path, fault: str) -> None:
    breaks, words = FAULTS[fault]
    breaks(company / "bills")
    ended = run(company)
    assert ended.result.published
    for word in ["bill", *words]:
        assert word in ended.problems
    # the other bill is charged, and this one is absent: it is not zero
    assert one(company, "select sum(effective_cost), count(distinct provider_name) from chargeback") == (Decimal(2), 1)
    status, message = one(company, "select status, message from freshness where x_source = 'bill'")
    assert status in ("failed", "incomplete")
    assert message


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_restatement_leaves_the_bill_before_in_place(company: Path, fault: str) -> None:
    run(company)
    FAULTS[fault][0](company / "bills")
    if fault == "a month that is half delivered":
        write_bill(company / "bills", [line(BilledCost="3", EffectiveCost="3")])
    ended = run(company)
    assert ended.result.published
    assert ended.problems
    assert one(company, "select sum(effective_cost) from chargeback") == (Decimal("12.5"),)


def test_a_broken_bill_that_is_mended_is_taken_up(company: Path) -> None:
    FAULTS["an unreadable file"][0](company / "bills")
    run(company)
    write_bill(company / "bills", [line()])
    assert run(company).problems == ""
    assert one(company, "select sum(effective_cost) from chargeback") == (Decimal("12.5"),)


def test_a_line_in_another_currency_is_refused_with_its_money(company: Path) -> None:
    write_bill(company / "bills", [line(), line(BillingCurrency="EUR", BilledCost="7", EffectiveCost="7")])
    ended = run(company)
    assert ended.result.published
    assert "1 row refused" in ended.problems
    assert "found 'EUR', expected USD" in ended.problems
    reason, payload, cost, currency = one(company, "select reason, payload, cost, currency from rejects")
    assert "currency" in str(reason)
    assert "EUR" in str(payload)
    assert (cost, currency) == (Decimal(7), "EUR")  # seven euros are in no sum of dollars
    assert one(company, "select reject_count, rejected_cost from freshness where x_source = 'bill'") == (1, None)
    statement = next((company / "reports" / "2026-10").glob("*support*.txt")).read_text(encoding="utf-8")
    assert "Rows refused" in statement
    assert "1 row could not be read." in statement
    assert one(company, "select sum(effective_cost) from chargeback") == (Decimal("12.5"),)


def test_an_unknown_model_is_unpriced_and_never_zero(company: Path) -> None:
    write_log(company, model="nobody-knows-this-model")
    ended = run(company)
    assert ended.result.published
    found = one(company, "select model_id, priced_cost_usd, unpriced_count, unpriced_tokens from usage_by_team_daily")
    assert found == ("nobody-knows-this-model", None, 1, 1100)
    assert "no price for openai/nobody-knows-this-model (1,100 tokens)" in ended.told.summaries["usage_daily"]


def test_a_source_that_falls_silent_is_told_and_keeps_what_it_had(company: Path) -> None:
    run(company)
    (company / "bills" / "2026-10" / "bill.csv").unlink()
    ended = run(company)
    assert "bill" in ended.problems
    assert "no file for 2026-10" in ended.problems
    assert one(company, "select sum(effective_cost) from chargeback") == (Decimal("12.5"),)


def test_a_bill_that_comes_back_with_half_its_lines_is_not_believed_until_confirmed(company: Path) -> None:
    write_bill(company / "bills", [line(ResourceId=f"r-{n}", BilledCost="1", EffectiveCost="1") for n in range(20)])
    run(company)
    write_bill(company / "bills", [line(ResourceId=f"r-{n}", BilledCost="1", EffectiveCost="1") for n in range(10)])
    ended = run(company)
    assert "10 rows came where 20 were before" in ended.problems
    assert one(company, "select sum(effective_cost) from chargeback") == (Decimal(22),)
    night(company / "farthing.yml", DAY, options=Options(confirmed=frozenset({"bill"})))
    assert one(company, "select sum(effective_cost) from chargeback") == (Decimal(12),)


def test_nights_that_nobody_ran_are_named_with_the_range_to_run(company: Path) -> None:
    night(company / "farthing.yml", date(2026, 10, 27))
    ended = night(company / "farthing.yml", DAY)
    assert "gateway: 3 earlier days never arrived; to fetch them: farthing run 2026-10-28..2026-10-30" in ended.problems
