"""The statement's view-model, against answers added up by hand."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from contracts import contract
from reports.given import Period, Restatement, SharedFacts, SourceFreshness, StatementError, Team, TeamRows
from reports.render import render_text
from reports.statement import Statement, build_statement
from reports.tables import Table
from reports.wording import CAUSE_LABELS
from tests.reports.conftest import JULY, JUNE, charge, charges, gpu_row, gpus


def table(statement: Statement, name: str) -> Table:
    return next(t for t in (*statement.team_tables, *statement.company_tables) if t.name == name)


def printed(text: str) -> Decimal:
    """A printed amount as a number."""
    return Decimal(text.replace("−", "-").replace("$", "").replace(",", "").replace("+", ""))


def test_the_total_and_its_change_are_those_of_the_rows(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    month = build_statement(team, period, rows, shared).month
    assert month.total == Decimal("1000.00")
    assert month.kinds == (("Model APIs", "$600.00", ""), ("GPUs", "$400.00", ""), ("Other", "$0.00", ""))
    assert month.change_text == "Up $200.00 (+25.0\u202f%) on June 2026, which cost $800.00."


def test_every_table_adds_up_as_printed(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> None:
    statement = build_statement(team, period, rows, shared)
    footed = [t for t in (*statement.team_tables, *statement.company_tables) if t.total]
    assert {t.name for t in footed} == {
        "change",
        "services",
        "features",
        "gpu",
        "rules",
        "bill",
        "log-usd",
        "causes-usd",
    }
    for t in footed:
        assert t.total is not None
        assert sum(printed(row.cells[-1]) for row in t.rows) == printed(t.total.cells[-1]), t.name


def test_the_movers_explain_the_change(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> None:
    moved = table(build_statement(team, period, rows, shared), "change")
    assert [(row.label, row.cells) for row in moved.rows] == [
        ("claude-sonnet-5", ("+$200.00",)),
        ("gpt-5", ("−$100.00",)),
        ("EC2", ("+$100.00",)),
    ]


def test_lines_name_model_feature_and_rule(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> None:
    statement = build_statement(team, period, rows, shared)
    assert [(r.label, r.note, r.cells) for r in table(statement, "services").rows] == [
        ("gpt-5", "OpenAI API", ("40.0\u202f%", "$400.00")),
        ("EC2", "AWS", ("40.0\u202f%", "$400.00")),
        ("claude-sonnet-5", "Anthropic, Claude API", ("20.0\u202f%", "$200.00")),
    ]
    assert [(r.label, r.cells[-1]) for r in table(statement, "features").rows] == [
        ("answers", "$500.00"),
        ("No feature named", "$400.00"),
        ("summaries", "$100.00"),
    ]
    assert [r.cells[-1] for r in table(statement, "rules").rows] == ["$500.00", "$100.00", "$400.00"]


def test_gpu_hours_and_cost_stand_by_state_and_what_has_no_hours_stands_apart(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    gpu = table(build_statement(team, period, rows, shared), "gpu")
    assert [(r.label, r.cells) for r in gpu.rows] == [
        ("Effective", ("100.0 h", "$240.00")),
        ("Under-used", ("16.7 h", "$40.00")),
        ("Allocated, idle", ("41.6 h", "$100.00")),
        ("Not broken down", ("–", "$20.00")),
    ]
    assert gpu.total is not None
    assert gpu.total.cells == ("158.3 h", "$400.00")  # 570,000 s are 158.33 h
    assert (
        gpu.lead == "$100.00 (25.0\u202f% of GPU cost) was held idle. "
        "Work left $12.50 of GPU time unfilled: an opportunity, not waste."
    )


def test_the_company_s_bill_is_allocated_plus_residuals(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    statement = build_statement(team, period, rows, shared)
    bill = table(statement, "bill")
    assert bill.total is not None
    assert bill.total.cells[-1] == "$5,000.02"
    assert [printed(r.cells[-1]) for r in bill.rows] == [Decimal("4500.01"), Decimal("400.00"), Decimal("100.01")]
    with pytest.raises(StatementError, match=r"add up to 5000\.020"):
        build_statement(team, period, rows, replace(shared, bill_total=Decimal("5000.03")))


def test_bill_against_log_foots_across_and_down(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    log = table(build_statement(team, period, rows, shared), "log-usd")
    assert log.total is not None
    for row in (*log.rows, log.total):
        billed, logged, difference = (printed(cell) for cell in row.cells)
        assert billed - logged == difference
    assert log.remark.startswith("12,345 logged tokens have no known price")


def test_what_nothing_explains_is_published_beside_each_bill_and_told_where_it_is_too_much(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    openai, anthropic = shared.reconciliation
    too_much = replace(shared, reconciliation=(openai, replace(anthropic, unexplained_ratio=0.01)))
    log = table(build_statement(team, period, rows, too_much), "log-usd")
    percent = "\N{NARROW NO-BREAK SPACE}%"
    assert [row.note.partition("; ")[2] for row in log.rows] == [
        f"0.3{percent} of the bill is unexplained",
        f"1.0{percent} of the bill is unexplained",
    ]
    assert log.remark.endswith(f"More of the bill of anthropic is unexplained than the 1.0{percent} that may be.")
    within = table(build_statement(team, period, rows, shared), "log-usd")
    assert "may be" not in within.remark


def test_usage_that_no_bill_has_is_told_in_tokens_and_not_in_money(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    openai, anthropic = shared.reconciliation
    told = replace(shared, reconciliation=(openai, replace(anthropic, left_out_tokens=1_234_567)))
    log = table(build_statement(team, period, rows, told), "log-usd")
    assert log.remark.endswith(
        "1,234,567 tokens of anthropic are in a tier that its report of costs leaves out: what they cost is unknown, "
        "and in none of these figures."
    )
    assert log.rows == table(build_statement(team, period, rows, shared), "log-usd").rows


def test_what_a_source_cannot_tell_is_named_and_the_source_is_not_called_complete(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    lacks = SourceFreshness("router", "committed", not_covered="2026-07-31: served no longer")
    found = build_statement(team, period, rows, replace(shared, freshness=(*shared.freshness, lacks)))
    coverage = table(found, "coverage")
    assert coverage.lead.startswith("1 of 3 sources are incomplete")
    assert coverage.lead.endswith("What 1 of them cannot tell is in no figure: it is named below.")
    (row,) = (row for row in coverage.rows if row.label == "router")
    assert (row.cells, row.note) == (("All that it tells",), "Not in it: 2026-07-31: served no longer.")


def test_files_that_came_more_than_once_are_named_and_the_source_is_not_called_complete(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    again = SourceFreshness("bill", "unchanged", repeated="'b.csv' repeats 'a.csv' line for line")
    found = build_statement(team, period, rows, replace(shared, freshness=(again,)))
    coverage = table(found, "coverage")
    assert coverage.lead == (
        "Every source has delivered every day. Files or lines that came more than once, named below: bill."
    )
    (row,) = coverage.rows
    assert (row.cells, row.note) == (
        ("Repeated files",),
        "Came more than once: 'b.csv' repeats 'a.csv' line for line.",
    )


def test_what_corrects_locked_months_is_told_beside_the_bill(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    bill = table(build_statement(team, period, rows, shared), "bill")
    assert (bill.total and bill.total.label, bill.remark) == ("Bill", "")
    adjusted = replace(shared, adjusted_total=Decimal("-4.124"))
    bill = table(build_statement(team, period, rows, adjusted), "bill")
    assert bill.total is not None
    assert (bill.total.label, bill.total.cells[-1]) == ("Bill and adjustments", "$5,000.02")
    assert bill.remark == "−$4.12 of it corrects months that are locked, and is on no bill of July 2026."


def test_causes_of_all_providers_are_named_the_largest_first(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    openai, anthropic = shared.reconciliation
    other = replace(
        anthropic,
        estimated_cost=Decimal("789.50"),
        difference=Decimal("10.50"),
        causes={"bypass": Decimal("11.50"), "of_tomorrow": Decimal("-1.00")},
    )
    causes = table(build_statement(team, period, rows, replace(shared, reconciliation=(openai, other))), "causes-usd")
    assert [(row.label, row.note, row.cells) for row in causes.rows] == [
        ("Past the gateway", "Keys or accounts of which the log knows nothing", ("+$36.50",)),
        ("Cached tokens in another class", "Log and bill count them differently", ("+$30.00",)),
        ("Discount", "Billed below the known price", ("−$4.95",)),
        ("of tomorrow", "", ("−$1.00",)),
    ]


def test_a_difference_whose_causes_are_not_known_has_no_table_of_causes(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    lines = tuple(replace(line, causes=None) for line in shared.reconciliation)
    statement = build_statement(team, period, rows, replace(shared, reconciliation=lines))
    assert "causes-usd" not in {t.name for t in statement.company_tables}
    assert table(statement, "log-usd").rows[0].cells[-1] == "+$50.05"


def test_every_cause_of_the_reconciliation_has_words() -> None:
    (cause,) = [column for column in contract("reconciliation_causes").columns if column.name == "cause"]
    assert set(cause.values or ()) == set(CAUSE_LABELS)


def test_causes_that_do_not_explain_the_difference_are_refused(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    broken = replace(shared.reconciliation[0], causes={"cache_class": Decimal("30.00"), "bypass": Decimal("25.00")})
    with pytest.raises(StatementError, match=r"causes add up to 55\.00"):
        build_statement(team, period, rows, replace(shared, reconciliation=(broken,)))


def test_missing_days_are_named_and_marked_not_zero(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    statement = build_statement(team, period, rows, shared)
    coverage = table(statement, "coverage")
    assert coverage.rows[0].label == "gateway"
    assert coverage.rows[0].note == "Missing: 30–31 Jul."  # what the source said is for operators: paths, settings
    assert [d.day.day for d in statement.month.days if d.is_missing] == [30, 31]
    assert statement.month.chart_note == "Grey days: at least one source has not delivered them."


@pytest.mark.parametrize("stranger", ["ml", "Search", "search ", None])
@pytest.mark.parametrize("where", ["chargeback", "gpu", "previous"])
def test_a_row_of_another_team_is_refused(
    stranger: str | None, where: str, team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    alien = {
        "chargeback": charges(charge("1", team_id=stranger)),
        "gpu": gpus(gpu_row("1", 60, "effective", team_id=stranger)),
        "previous": charges(charge("1", month=JUNE, team_id=stranger)),
    }[where]
    mixed = replace(rows, **{where: getattr(rows, where).vstack(alien)})
    with pytest.raises(StatementError, match=r"1 of \d+ .* not to team 'search'"):
        build_statement(team, period, mixed, shared)


def test_rows_of_another_month_or_currency_are_refused(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    with pytest.raises(StatementError, match="2026-06-01"):
        build_statement(team, period, replace(rows, chargeback=charges(charge("1", month=JUNE))), shared)
    with pytest.raises(StatementError, match="reported in EUR, but statements are in USD"):
        build_statement(team, period, replace(rows, chargeback=charges(charge("1", reporting_currency="EUR"))), shared)


def test_a_month_in_progress_is_compared_with_the_same_days_of_the_month_before(
    team: Team, rows: TeamRows, shared: SharedFacts
) -> None:
    running = Period(date(2026, 7, 1), "open", datetime(2026, 7, 15, 3))
    month = build_statement(team, running, rows, shared).month
    assert month.banner.text == "14 of 31 days are counted."
    assert month.change_text == "Up $500.00 (+100.0\u202f%) on the first 14 days of June 2026, which cost $500.00."


def test_without_a_month_before_nothing_is_compared(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    statement = build_statement(team, period, replace(rows, previous=None), shared)
    assert "not known" in statement.month.change_text
    assert "change" not in {t.name for t in statement.team_tables}


def test_a_month_of_credits_keeps_its_sign_and_has_no_shares(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    credit = TeamRows(charges(charge("-12.345"), charge("2", feature="x")), gpus(), charges(charge("-1", month=JUNE)))
    statement = build_statement(team, period, credit, shared)
    assert statement.month.total_text == "−$10.35"
    assert statement.month.change_text == "Down $9.35 on June 2026, which cost −$1.00."
    assert table(statement, "features").headings == ("Feature", "Cost")


def test_charges_dated_outside_of_the_month_are_counted_and_said(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    late = charge("5", charge_date=date(2026, 8, 1))  # type: ignore[arg-type]
    statement = build_statement(team, period, replace(rows, chargeback=charges(charge("1"), late)), shared)
    assert statement.month.total == Decimal("6.00")
    assert "$5.00 of the total is dated outside of July 2026" in statement.month.chart_note


def test_a_team_without_rows_gets_a_statement_of_nothing(team: Team, period: Period, shared: SharedFacts) -> None:
    statement = build_statement(team, period, TeamRows(charges(), gpus(), charges()), shared)
    assert statement.month.total_text == "$0.00"
    assert statement.month.chart_text == "Chart of daily cost in July 2026: no day has cost."
    assert statement.month.gpu == ()


def test_idle_time_that_is_kept_on_purpose_is_a_line_of_its_own(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    kept = replace(
        rows,
        gpu=gpus(
            gpu_row("60", 36_000, "allocated_idle"), gpu_row("40", 36_000, "allocated_idle", layer="warm_standby")
        ),
    )
    gpu = table(build_statement(team, period, kept, shared), "gpu")
    assert [(r.label, r.cells[1]) for r in gpu.rows][:2] == [
        ("Allocated, idle", "$60.00"),
        ("Idle on purpose (warm standby)", "$40.00"),
    ]
    assert gpu.lead is not None
    assert gpu.lead.startswith("$60.00")


def test_a_bill_restated_after_its_month_is_told_with_its_difference_and_its_day(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    assert not [t for t in build_statement(team, period, rows, shared).company_tables if t.name == "restated"]
    once = Restatement(
        "nimbus", JULY, datetime(2026, 8, 4, 5, 30), 1, Decimal("-11844.48"), Decimal("-11844.48"), "USD"
    )
    often = replace(once, source="hydra", times=3, billed=Decimal(5), effective=Decimal(0), currency="EUR")
    told = replace(shared, restatements=(once, often))
    restated = table(build_statement(team, period, rows, told), "restated")
    assert restated.headings == ("Bill", "Billed", "Effective")
    assert [(row.label, row.cells, row.note) for row in restated.rows] == [
        (
            "hydra, July 2026",
            ("+EUR\N{NO-BREAK SPACE}5.00", "EUR\N{NO-BREAK SPACE}0.00"),
            "Restated 3 times, last on 4 Aug",
        ),
        ("nimbus, July 2026", ("\N{MINUS SIGN}$11,844.48", "\N{MINUS SIGN}$11,844.48"), "Restated on 4 Aug"),
    ]
    assert "nimbus, July 2026" in render_text(build_statement(team, period, rows, told))


def test_a_source_that_nobody_asked_is_named_and_is_not_called_complete(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    sources = (SourceFreshness("aws-bill", "committed"), SourceFreshness("gateway", "not_asked"))
    coverage = table(build_statement(team, period, rows, replace(shared, freshness=sources)), "coverage")
    assert coverage.lead.endswith("Not asked for this month: gateway.")
    assert "Every source" not in coverage.lead
    assert [(row.label, row.cells) for row in coverage.rows] == [
        ("gateway", ("Not asked",)),
        ("aws-bill", ("Complete",)),
    ]


def test_from_when_on_a_source_was_asked_is_said_and_what_is_not_known_for_that(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    sources = (
        SourceFreshness("aws-bill", "committed"),
        SourceFreshness("gateway", "committed", asked_from=date(2026, 7, 16)),
        SourceFreshness("gpus", "not_asked", asked_from=date(2026, 9, 2)),
    )
    coverage = table(build_statement(team, period, rows, replace(shared, freshness=sources)), "coverage")
    assert coverage.lead == (
        "Every source has delivered every day that it was asked for. Not asked for this month: gpus. "
        "Asked for a part of this month only: gateway."
    )
    assert [(row.label, row.cells, row.note) for row in coverage.rows] == [
        ("gateway", ("From 16 Jul on",), "First asked for 16 Jul: of 1\N{EN DASH}15 Jul nothing is known."),
        ("gpus", ("Not asked",), "First asked for 2 Sep 2026: of this month nothing is known."),
        ("aws-bill", ("Complete",), ""),
    ]


def test_a_source_that_lacks_days_is_not_called_complete(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    sources = (SourceFreshness("gateway", "committed", (date(2026, 7, 30),), asked_from=date(2026, 7, 2)),)
    coverage = table(build_statement(team, period, rows, replace(shared, freshness=sources)), "coverage")
    assert coverage.lead.startswith("1 of 1 sources are incomplete")
    (row,) = coverage.rows
    assert (row.cells, row.note) == (
        ("Days missing",),
        "Missing: 30 Jul. First asked for 2 Jul: of 1 Jul nothing is known.",
    )


def test_a_month_of_which_a_source_has_not_arrived_is_compared_with_nothing_yet(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    sources = (
        SourceFreshness("azure-bill", "failed", is_awaited=True),
        SourceFreshness("aws-bill", "failed", is_awaited=True),
        SourceFreshness("gateway", "committed"),
    )
    statement = build_statement(team, period, rows, replace(shared, freshness=sources))
    assert statement.month.change_text == (
        "How it compares with the month before is not known yet: nothing has arrived from aws-bill, azure-bill."
    )
    assert "change" not in {t.name for t in statement.team_tables}
    assert "%" not in statement.month.change_text


def test_an_adjustment_names_the_month_that_it_corrects(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    late = {"rule_kind": "adjustment"}
    lines = charges(
        charge("100"),
        charge("0.13", corrected_period=JUNE, **late),
        charge("-2", corrected_period=date(2026, 5, 1), **late),
    )
    rules = table(build_statement(team, period, replace(rows, chargeback=lines), shared), "rules")
    assert [(row.label, row.cells[-1]) for row in rules.rows] == [
        ("Owned outright (key, project, namespace or tag)", "$100.00"),
        ("Adjustment of May 2026, which is locked", "−$2.00"),
        ("Adjustment of June 2026, which is locked", "$0.13"),
    ]
