"""Why months moved, what could be saved or committed to, what a request costs: on the board as the marts have it."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from reports.board import BoardRows, render_board
from reports.money import exact_sum
from reports.why import FACTORS
from tests.reports.board.browser import Page
from tests.reports.board.reading import click, exact, file_rows, fresh, pick_month, table_rows

OCTOBER = pl.date(2026, 10, 1)
MINUS = "\N{MINUS SIGN}"


def of_october(quarter: BoardRows, table: str, **equal: Any) -> pl.DataFrame:
    return quarter.tables[table].filter(billing_period=OCTOBER, **equal)


def by(rows: pl.DataFrame, column: str, amount: str) -> Mapping[str, Decimal]:
    """Exact sums of one column by another, without those of nothing."""
    sums = {str(key): exact_sum(own[amount].drop_nulls()) for (key,), own in rows.group_by(column)}
    return {key: value for key, value in sums.items() if value}


def signed(amount: Decimal) -> str:
    return ("+" if amount > 0 else "") + exact(amount)


def test_the_factors_lead_from_the_month_before_to_the_month(page: Page, board: Path, quarter: BoardRows) -> None:
    page.open(board, "month=2026-10&exact=1")
    rows = of_october(quarter, "variance_bridge", billing_currency="USD")
    accounts = rows.unique("account")
    shown = table_rows(page, "factors")
    assert list(shown) == ["Sep 2026", *list(shown)[1:-1], "Oct 2026"]
    assert shown["Sep 2026"][-1] == exact(exact_sum(accounts["previous_account_cost"]))
    assert shown["Oct 2026"][-1] == exact(exact_sum(accounts["account_cost"]))
    told = {FACTORS[factor][0]: signed(amount) for factor, amount in by(rows, "factor", "change_cost").items()}
    assert {name: cells[-1] for name, cells in shown.items() if name in told} == told
    assert set(shown) == {"Sep 2026", "Oct 2026", *told}
    page.act("document.querySelector('[data-focus=\"why-currency=EUR\"]').click()")
    euros = of_october(quarter, "variance_bridge", billing_currency="EUR")
    assert table_rows(page, "factors")["Oct 2026"][-1] == exact(euros["account_cost"][0]).replace("$", "EUR\xa0")


def printed(text: str) -> Decimal:
    return Decimal(text.replace(MINUS, "-").replace("$", "").replace(",", "").replace("+", ""))


def test_what_moved_adds_up_whatever_is_left_out(page: Page, tmp_path: Path, quarter: BoardRows) -> None:
    bridge = quarter.tables["variance_bridge"]
    (still, *_) = sorted(of_october(quarter, "variance_bridge", billing_currency="USD")["account"].unique())
    moved = bridge.filter(~((pl.col("account") == still) & (pl.col("factor") == "volume")))
    page.open(written(quarter, tmp_path, variance_bridge=moved), "month=2026-10&exact=1")
    accounts = moved.filter(billing_period=OCTOBER, billing_currency="USD").unique("account")
    before, now = (exact_sum(accounts[name]) for name in ("previous_account_cost", "account_cost"))
    factors = [printed(cells[-1]) for cells in table_rows(page, "factors").values()]
    assert (factors[0], factors[-1], sum(factors[:-1])) == (before, now, now)
    page.act(click("factor-volume"))
    found = table_rows(page, "moved-account")
    foot = [printed(text) for text in page.texts("#table-moved-account tfoot td") if text]
    assert [sum(printed(cells[at]) for cells in found.values()) for at in (1, 2, 3)] == foot
    assert foot[1:] == [before, now]
    assert "Others" in found


def test_a_factor_leads_to_the_models_and_teams_that_moved_by_it(page: Page, board: Path, quarter: BoardRows) -> None:
    page.open(board, "month=2026-10&exact=1")
    rows = of_october(quarter, "variance_bridge", billing_currency="USD")
    page.act(click("factor-volume"))
    content = page.downloaded(fresh(board), "document.querySelector('[data-focus=csv-moved-account]').click()")
    volume = rows.filter(factor="volume")
    told = {row["Team"]: Decimal(row["Change"]) for row in file_rows(content) if row["Team"] != "Others"}
    assert told == by(volume, "account", "change_cost")
    page.act("document.querySelector('[data-focus=\"why-by=model\"]').click()")
    assert {name: cells[-1] for name, cells in table_rows(page, "moved-model").items()} == {
        model: signed(amount) for model, amount in by(volume, "model_id", "change_cost").items()
    }
    page.act(click("chip-factor"))
    page.act("document.querySelector('[data-focus=\"why-by=account\"]').click()")
    page.act(click("why-account-team:team-3"))
    assert page.texts("#filters .chip") == ["Team: Team 3 \u00d7"]
    own = rows.filter(account="team:team-3")
    assert table_rows(page, "factors")["Oct 2026"][-1] == exact(own["account_cost"][0])


def test_factors_that_do_not_come_to_the_change_say_by_how_much(page: Page, quarter: BoardRows, tmp_path: Path) -> None:
    rows = quarter.tables["variance_bridge"]
    short = rows.filter(~((pl.col("factor") == "other") & (pl.col("account") == "team:team-1")))
    lost = of_october(quarter, "variance_bridge", factor="other", account="team:team-1")["change_cost"][0]
    page.open(written(quarter, tmp_path, variance_bridge=short), "month=2026-10&exact=1")
    assert table_rows(page, "factors")["Not broken down"][-1] == signed(lost)


def written(quarter: BoardRows, folder: Path, **tables: pl.DataFrame) -> Path:
    """A board of the same months with some tables replaced."""
    file = folder / "board.html"
    file.write_bytes(render_board(BoardRows(quarter.months, {**quarter.tables, **tables})))
    return file


def test_means_of_savings_add_up_and_every_line_has_its_query(page: Page, board: Path, quarter: BoardRows) -> None:
    page.open(board, "month=2026-10&exact=1")
    rows = of_october(quarter, "savings")
    content = page.downloaded(fresh(board), "document.querySelector('[data-focus=csv-saved-lever]').click()")
    means = by(rows, "lever", "saving")
    assert {row["Lever"]: Decimal(row["In the mean"]) for row in file_rows(content)} == means
    assert page.texts("#table-saved-lever tfoot td")[-1] == exact(exact_sum(means.values()))
    page.act(click("saved-lever-batch"))
    lines = file_rows(page.downloaded(fresh(board), "document.querySelector('[data-focus=csv-saving-lines]').click()"))
    batch = rows.filter(lever="batch")
    assert sorted(Decimal(line["At least"]) for line in lines) == sorted(batch["saving_p10"])
    assert sorted(line["Rests on"] for line in lines) == sorted(batch["evidence"])
    assert page.text("#table-saving-lines .evidence code").startswith('farthing query "select * from request_shapes')
    page.act("document.querySelector('[data-focus=\"saved-by=account\"]').click()")
    page.act(click("saved-account-team:team-2"))
    assert page.texts("#filters .chip") == ["Team: Team 2 \u00d7"]
    mine = batch.filter(account="team:team-2")
    assert page.texts("#table-saved-account tfoot td")[-1] == exact(mine["saving"][0])


def test_what_cannot_be_proven_is_in_no_saving_and_says_why(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10&is-account=team%3Ateam-2")
    assert page.text("#savings details:not(.evidence) summary") == "1 cost of which nothing can be proven"
    assert table_rows(page, "unproven")["One model alone answers a feature"] == [
        "one model alone answers the feature, and no other was held against it",
        "$75.50",
    ]
    assert "One model alone" not in page.text("#table-saving-lines")


def test_whether_savings_came_is_told_with_the_interval_or_the_reason(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10")
    rows = table_rows(page, "verified")
    assert rows["Prompt caching switched on"] == ["$1,200.00", "$1,100.50", "Confirmed"]
    assert "$900.00 to $1,300.00" in page.text("#table-verified")
    assert rows["A smaller model at night"] == ["$90.00", "\N{EN DASH}", "Undecided"]
    assert "too few days after" in page.text("#table-verified")


def test_advice_names_each_way_of_committing_and_why_there_is_none(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10")
    assert "1 machine type on demand would have cost less" in page.text("#commitments")
    ways = page.run(
        "Array.from(document.querySelectorAll('#table-advice tbody tr'), r => Array.from(r.children, c => c.innerText))"
    )
    first, second = ([cell.replace("\n", "; ") for cell in row] for row in ways)
    assert first == [
        "p5.48xlarge; AWS \N{MIDDLE DOT} AWS \N{MIDDLE DOT} us-east-1",
        "savings plan, 3 years, no upfront; $31.50 an hour instead of $55.04",
        *("6.3; at most 8", "5; first 2", "$6,500.50", "$0.00", "$812.25"),
    ]
    assert second[1].startswith("reserved, 1 year")
    assert table_rows(page, "not-advised")["g6.xlarge"] == ["its use falls", "1"]


def test_a_request_and_a_user_cost_what_the_mart_says(page: Page, board: Path, quarter: BoardRows) -> None:
    page.open(board, "month=2026-10&exact=1")
    page.act("document.querySelector('[data-focus=\"requests=team\"]').click()")
    rows = of_october(quarter, "request_costs", level="team")
    content = page.downloaded(fresh(board), "document.querySelector('[data-focus=csv-requests]').click()")
    told = {line["Team"]: (Decimal(line["A request"]), Decimal(line["A user"])) for line in file_rows(content)}
    keys = ("team_id", "cost_per_request_usd", "cost_per_user_usd")
    assert told == {team: (request, user) for team, request, user in rows.select(keys).iter_rows()}
    page.act(click("requests-team-4--"))
    page.act("document.querySelector('[data-focus=\"requests=all\"]').click()")
    assert len(table_rows(page, "requests")) == 3
    assert page.texts("#filters .chip") == ["Team: Team 4 \u00d7"]


@pytest.mark.parametrize(("cost", "shown"), [("0.000123456", "$0.000123"), ("2.5", "$2.50"), (None, "\N{EN DASH}")])
def test_a_part_of_a_cent_is_not_shown_as_nothing(
    cost: str | None, shown: str, page: Page, quarter: BoardRows, tmp_path: Path
) -> None:
    value = pl.lit(cost and Decimal(cost), pl.Decimal(38, 9))
    rows = quarter.tables["request_costs"].with_columns(cost_per_request_usd=value)
    page.open(written(quarter, tmp_path, request_costs=rows), "month=2026-10")
    assert table_rows(page, "requests")["Example Ltd"][3] == shown


def test_a_known_error_says_whom_it_changes_or_why_it_changes_nobody(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10")
    rows = table_rows(page, "errata")
    changes = f"Team 0 {MINUS}$30.25Team 1 {MINUS}$9.75Known errors on bills, until they are credited +$40.00"
    assert rows["Seats are billed twice"] == ["OpenAI", "$80.00", "$40.00", changes]
    assert rows["A search that nobody made"] == ["OpenAI", "\N{EN DASH}", "$0.00", "\N{EN DASH}"]
    assert "Not corrected: no line of the bill is what it names" in page.text("#table-errata")
    pick_month(page, "2026-09")
    assert "No known error on a bill touches September 2026." in page.texts("#changes .lead")


def test_hostile_words_of_evidence_and_errors_are_words(page: Page, quarter: BoardRows, tmp_path: Path) -> None:
    taken = '</code><img src=x onerror="window.taken=1"><script>window.taken=1</script>'
    columns = {
        "savings": ("evidence", "assumption"),
        "bill_errata": ("reason", "evidence", "reviewed_by", "provider_name"),
        "verified_savings": ("what", "evidence"),
        "commitment_advice": ("instance_type", "region_id"),
        "request_costs": ("feature",),
    }
    hostile = {
        table: quarter.tables[table].with_columns(pl.lit(taken).alias(name) for name in names)
        for table, names in columns.items()
    }
    page.open(written(quarter, tmp_path, **hostile), "month=2026-10")
    page.act("document.querySelector('[data-focus=\"requests=feature\"]').click()")
    for place in ("saving-lines", "errata", "verified", "advice", "requests"):
        assert taken in page.text(f"#table-{place}")
    assert page.run("window.taken") is None
    assert page.run("document.querySelectorAll('img, code script, iframe').length") == 0


def test_a_page_opened_at_its_oldest_month_has_all_of_it(page: Page, board: Path, quarter: BoardRows) -> None:
    """That month stands behind the script."""
    page.open(board, "month=2026-08&exact=1")
    assert page.text("#sum .total") == exact(quarter.months[0].shared.bill_total)
    rows = quarter.tables["variance_bridge"].filter(billing_period=pl.date(2026, 8, 1), billing_currency="USD")
    assert table_rows(page, "factors")["Aug 2026"][-1] == exact(exact_sum(rows.unique("account")["account_cost"]))
    assert page.texts("#table-saved-lever tbody tr")


def test_every_section_is_named_in_the_bar_and_reached_by_it(page: Page, board: Path) -> None:
    page.open(board)
    assert page.run("(n => n.scrollWidth <= n.clientWidth)(document.querySelector('nav'))")
    for section in ("why", "savings"):
        page.run(f"document.querySelector('nav a[href=\"#{section}\"]').click()")
        assert page.run("document.activeElement.id") == f"{section}-title"
    page.run("document.querySelector('#savings .evidence summary').focus()")
    page.press("Enter")
    assert page.run("document.querySelector('#savings .evidence').open") is True
