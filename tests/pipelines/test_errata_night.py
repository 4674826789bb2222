"""A known error on a bill: off the team's statement, waiting apart, told where it is not applied, never silently."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.config import ConfigError, load
from pipelines.house import open_house
from pipelines.night.close import close
from pipelines.night.errata import errata_told
from tests.pipelines.small_company import DAY, line, write_bill
from tests.pipelines.test_close import NOVEMBER, OCTOBER, asked, at_noon, company, locked, night
from tests.pipelines.test_explain import write_month

D = Decimal
ERRATUM = """\
errata:
  - id: service-twice
    provider: Cloud
    month: 2026-10
    currency: USD
    match: {service: Service, invoice: INV-1}
    billed: 10.50
    should_be: 6.38
    reason: The service was charged twice on the last day
    evidence: Support case 4711
    reviewed_by: ada@example.com
    expires: 2026-11-20
"""
RESTING = "select account, rule_kind, effective_cost from chargeback where billing_period = '{}' order by all"


def with_erratum(folder: Path, erratum: str = ERRATUM) -> Path:
    config = company(folder)
    config.write_text(config.read_text() + erratum)
    return config


def told(config: Path, at: date) -> list[str]:
    with open_house(config, "told", clock=lambda: at_noon(at), writing=False) as house:
        return errata_told(house)


def statement(folder: Path, team: str, month: str = "2026-10") -> str:
    (file,) = (folder / "reports" / month).glob(f"*{team}*.txt")
    return file.read_text(encoding="utf-8")


def test_before_the_first_bill_of_its_month_nothing_is_said_of_an_erratum(tmp_path: Path) -> None:
    assert told(with_erratum(tmp_path), date(2026, 11, 1)) == []


def test_the_error_is_off_the_statement_and_the_bill_ties_out_as_it_was(tmp_path: Path) -> None:
    config = with_erratum(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    # search pays 10.50 - 4.12 = 6.38; 4.12 waits; the other bill has nothing to do with it
    assert asked(tmp_path, RESTING.format(OCTOBER)) == [
        ("residual:errata", "correction", D("4.12")),
        ("residual:unallocated", "residual", D(2)),
        ("team:search", "correction", D("-4.12")),
        ("team:search", "direct", D("10.5")),
    ]
    tied = "select billed_cost, tie_out from invoice_tie_out where invoice_id = 'INV-1'"
    assert asked(tmp_path, tied) == [(D("10.5"), "tied_out")]
    journal = "select step, from_account, to_account, effective_cost, rule_id from postings where rule_kind = 'correction' order by 3"
    assert asked(tmp_path, journal) == [
        (5, "pool:errata", "residual:errata", D("4.12"), "service-twice"),
        (5, "pool:errata", "team:search", D("-4.12"), "service-twice"),
    ]
    assert told(config, date(2026, 11, 3)) == []
    mine = statement(tmp_path, "search")
    assert "TOTAL $6.38" in mine
    assert "The service was charged twice on the last day" in mine
    assert "Support case 4711" in mine
    assert "\N{MINUS SIGN}$4.12" in mine
    assert "charged twice" not in statement(tmp_path, "support")
    assert "Known errors on bills, until they are credited" in mine  # the company's bill, on every statement


def test_a_night_again_changes_nothing(tmp_path: Path) -> None:
    config = with_erratum(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    before = {name: asked(tmp_path, f"select * from {name} order by all") for name in ("postings", "bill_errata")}
    night(config, DAY, date(2026, 11, 3))
    assert {name: asked(tmp_path, f"select * from {name} order by all") for name in before} == before


def test_on_its_last_day_it_holds_and_the_day_after_it_is_told_and_no_longer_applied(tmp_path: Path) -> None:
    config = with_erratum(tmp_path)
    standing = "select standing, account, effective_change from bill_errata order by all"
    night(config, DAY, date(2026, 11, 19), at=date(2026, 11, 20))
    assert asked(tmp_path, standing) == [
        ("applied", "residual:errata", D("4.12")),
        ("applied", "team:search", D("-4.12")),
    ]
    night(config, date(2026, 11, 20), at=date(2026, 11, 21))
    assert asked(tmp_path, standing) == [("expired", None, None)]
    assert ("team:search", "direct", D("10.5")) in asked(tmp_path, RESTING.format(OCTOBER))
    assert not [row for row in asked(tmp_path, RESTING.format(OCTOBER)) if row[1] == "correction"]
    (said,) = told(config, date(2026, 11, 21))
    line_number = config.read_text().splitlines().index("  - id: service-twice") + 1
    assert said == (
        f"farthing.yml:{line_number}: erratum 'service-twice' is not applied: it expired on 2026-11-20. "
        "Have it reviewed and give it another day, or take it out."
    )


def test_a_restated_bill_is_not_corrected_a_second_time(tmp_path: Path) -> None:
    config = with_erratum(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    write_bill(tmp_path / "bills", [line(InvoiceId="INV-1", BilledCost="6.38", EffectiveCost="6.38")])
    night(config, date(2026, 11, 3), at=date(2026, 11, 4))
    assert [row for row in asked(tmp_path, RESTING.format(OCTOBER)) if row[0] != "residual:unallocated"] == [
        ("team:search", "direct", D("6.38"))
    ]
    (said,) = told(config, date(2026, 11, 4))
    assert "its 1 lines come to USD 6.38, reviewed was 10.50: the bill has changed" in said
    assert asked(tmp_path, "select standing, found_cost, reviewed_cost, correct_cost from bill_errata") == [
        ("bill_changed", D("6.38"), D("10.5"), D("6.38"))
    ]


def test_what_no_line_is_is_told_with_what_was_looked_for(tmp_path: Path) -> None:
    config = with_erratum(tmp_path, ERRATUM.replace("service: Service", "service: Servise"))
    night(config, DAY, date(2026, 11, 2))
    (said,) = told(config, date(2026, 11, 3))
    assert (
        "no line of Cloud's bill of 2026-10 in USD has invoice 'INV-1', service 'Servise'. Correct its match." in said
    )
    overview = (tmp_path / "reports" / "2026-10" / "index.html").read_text(encoding="utf-8")
    assert "Not corrected: no line of the bill is what it names" in overview


def test_a_second_erratum_on_the_same_lines_moves_nothing_and_names_the_first(tmp_path: Path) -> None:
    # both say that of search's 10.50 only 6.38 are right: 4.12 are taken off once, not 8.24
    again = ERRATUM.removeprefix("errata:\n").replace("service-twice", "again").replace(", invoice: INV-1", "")
    config = with_erratum(tmp_path, ERRATUM + again)
    night(config, DAY, date(2026, 11, 2))
    assert ("team:search", "correction", D("-4.12")) in asked(tmp_path, RESTING.format(OCTOBER))
    standing = "select erratum_id, standing, account, billed_change from bill_errata order by all"
    assert asked(tmp_path, standing) == [
        ("again", "overlaps", None, None),
        ("service-twice", "applied", "residual:errata", D("4.12")),
        ("service-twice", "applied", "team:search", D("-4.12")),
    ]
    (said,) = told(config, date(2026, 11, 3))
    assert "erratum 'again' is not applied: erratum 'service-twice' corrects some of its lines already" in said
    overview = (tmp_path / "reports" / "2026-10" / "index.html").read_text(encoding="utf-8")
    assert "Not corrected: another entry corrects some of its lines already" in overview
    # the first has expired: its lines are free for the second
    config.write_text(config.read_text().replace("expires: 2026-11-20", "expires: 2026-11-02", 1))
    night(config, date(2026, 11, 3), date(2026, 11, 4))
    assert [row[:2] for row in asked(tmp_path, standing)] == [
        ("again", "applied"),
        ("again", "applied"),
        ("service-twice", "expired"),
    ]


def test_a_month_further_back_than_a_night_rebuilds_is_told_with_the_run_that_posts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a night of 13 November looks back to the 3rd: October stays as it was posted
    monkeypatch.setattr("pipelines.night.stale.HORIZON_DAYS", 10)
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    config.write_text(config.read_text() + ERRATUM)
    night(config, date(2026, 11, 13))
    standing = "select standing, posted_in, account, billed_change from bill_errata order by all"
    assert asked(tmp_path, standing) == [("applied", None, None, None)]
    (said,) = told(config, date(2026, 11, 14))
    assert said.endswith(
        "erratum 'service-twice' is not applied: USD 0.00 of it is posted where -4.12 is due, and 2026-10 is further "
        "back than a night rebuilds. Put it right: farthing run 2026-10-31"
    )
    night(config, date(2026, 10, 31), at=date(2026, 11, 14))
    corrected = [
        ("applied", OCTOBER, "residual:errata", D("4.12")),
        ("applied", OCTOBER, "team:search", D("-4.12")),
    ]
    assert asked(tmp_path, standing) == corrected
    assert told(config, date(2026, 11, 14)) == []
    # its last day is over: it is expired, and still posted
    night(config, date(2026, 11, 20), at=date(2026, 11, 21))
    assert asked(tmp_path, standing) == [("expired", *row[1:]) for row in corrected]
    (said,) = told(config, date(2026, 11, 21))
    assert "it expired on 2026-11-20" in said
    assert "USD -4.12 of it is posted where 0.00 is due" in said
    # taken out of the file it is still posted: told, night after night, until a run of the month takes it back
    config.write_text(config.read_text().replace(ERRATUM, ""))
    for day in (21, 22):
        night(config, date(2026, 11, day))
        assert asked(tmp_path, standing) == [("removed", *row[1:]) for row in corrected]
        (said,) = told(config, date(2026, 11, day + 1))
        assert said == (
            "farthing.yml: erratum 'service-twice' is in the file no more, and USD -4.12 of it is still posted: 2026-10 "
            "is further back than a night rebuilds. Take it back: farthing run 2026-10-31; or put it into the file again."
        )
    night(config, date(2026, 10, 31), at=date(2026, 11, 23))
    assert asked(tmp_path, standing) == []
    assert told(config, date(2026, 11, 23)) == []


def test_an_erratum_taken_out_of_a_month_that_the_next_night_rebuilds_is_no_problem(tmp_path: Path) -> None:
    config = with_erratum(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    config.write_text(config.read_text().replace(ERRATUM, ""))
    assert told(config, date(2026, 11, 3)) == []
    night(config, date(2026, 11, 3))
    assert asked(tmp_path, "select erratum_id, standing from bill_errata") == []
    assert asked(tmp_path, "select step from postings where rule_kind = 'correction'") == []


def test_each_erratum_of_a_locked_month_is_posted_in_the_month_that_took_it(tmp_path: Path) -> None:
    # October is locked; November adjusts it by the first erratum and is locked; the second is found in December
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    locked(config, date(2026, 11, 3))
    first = ERRATUM.replace("2026-11-20", "2027-01-31")
    config.write_text(config.read_text() + first)
    write_month(tmp_path, "2026-11", "3")
    write_month(tmp_path, "2026-12", "4")
    night(config, date(2026, 11, 30), date(2026, 12, 2))
    with open_house(config, "close", clock=lambda: at_noon(date(2026, 12, 3))) as house:
        close(house, NOVEMBER, by="ada", reason="nothing of its own")
    second = """\
  - id: other-twice
    provider: Other
    month: 2026-10
    currency: USD
    match: {invoice: INV-2}
    billed: 2
    should_be: 1
    reason: The other was charged twice
    evidence: Support case 4712
    reviewed_by: ada@example.com
    expires: 2027-01-31
"""
    config.write_text(config.read_text() + second)
    night(config, DAY, date(2026, 12, 4))
    december = date(2026, 12, 1)
    posted = "select erratum_id, posted_in, account, effective_change from bill_errata order by all"
    taken = [
        ("other-twice", december, "residual:errata", D(1)),
        ("other-twice", december, "residual:unallocated", D(-1)),
        ("service-twice", NOVEMBER, "residual:errata", D("4.12")),
        ("service-twice", NOVEMBER, "team:search", D("-4.12")),
    ]
    assert asked(tmp_path, posted) == taken
    adjusted = "select billing_period, account, sum(effective_cost) from period_adjustments group by all order by all"
    assert asked(tmp_path, adjusted) == [
        (NOVEMBER, "residual:errata", D("4.12")),
        (NOVEMBER, "team:search", D("-4.12")),
        (december, "residual:errata", D(1)),
        (december, "residual:unallocated", D(-1)),
    ]
    # the first holds no longer: November keeps what it took, December gives it back
    config.write_text(config.read_text().replace("2027-01-31", "2026-12-04", 1))
    night(config, DAY, date(2026, 12, 5))
    assert asked(tmp_path, posted) == [
        *taken,
        ("service-twice", december, "residual:errata", D("-4.12")),
        ("service-twice", december, "team:search", D("4.12")),
    ]


def test_in_a_locked_month_it_is_an_adjustment_with_its_cause_and_goes_back_when_it_is_taken_out(
    tmp_path: Path,
) -> None:
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    locked(config, date(2026, 11, 3))
    without = config.read_text()
    config.write_text(without + ERRATUM)
    night(config, date(2026, 11, 3), date(2026, 11, 4))
    corrected = "select account, cause, effective_cost, because from period_adjustments order by all"
    because = "a known error on the bill of Cloud was corrected"
    assert asked(tmp_path, corrected) == [
        ("residual:errata", "correction", D("4.12"), because),
        ("team:search", "correction", D("-4.12"), because),
    ]
    assert asked(tmp_path, "select distinct posted_in, standing from bill_errata") == [(NOVEMBER, "applied")]
    assert "charged twice" in statement(tmp_path, "search", "2026-11")
    assert "charged twice" not in statement(tmp_path, "search")
    # the credit has come: taken out, nothing of it is left
    config.write_text(without)
    night(config, date(2026, 11, 5), date(2026, 11, 6))
    assert asked(tmp_path, corrected) == []
    assert asked(tmp_path, "select * from bill_errata") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("should_be: 6.38", "should_be: 10.50"), "there is nothing to correct"),
        (("should_be: 6.38", "should_be: -4.12"), "turns what is 'billed' (10.50) into its opposite"),
        (("billed: 10.50", "billed: 0"), "must not be zero"),
        (("match: {service: Service, invoice: INV-1}", "match: {}"), "must name at least one of account"),
        (("invoice: INV-1", "invoise: INV-1"), "Did you mean 'invoice'?"),
        (("    expires: 2026-11-20\n", ""), "'expires' is required"),
        (("    reviewed_by: ada@example.com\n", ""), "'reviewed_by' is required"),
    ],
)
def test_an_erratum_that_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    config = with_erratum(tmp_path, ERRATUM.replace(*change))
    with pytest.raises(ConfigError, match=r"farthing\.yml:\d+:\d+: errata\[0\]") as error:
        load(config)
    assert said in str(error.value)


def test_two_errata_of_one_id_are_refused(tmp_path: Path) -> None:
    config = with_erratum(tmp_path, ERRATUM + ERRATUM.removeprefix("errata:\n"))
    with pytest.raises(ConfigError, match="'service-twice' is taken on line"):
        load(config)
