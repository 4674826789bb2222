"""The board in a browser: what it shows is what the marts hold, by pointer and by keyboard, and it asks nobody."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from reports.board import BoardMonth, BoardRows, render_board
from reports.money import exact_sum, format_money
from tests.reports.board.browser import Page
from tests.reports.board.reading import click, cost, exact, file_rows, fresh, month_name, pick_month, table_rows

BY = {
    "account": "account",
    "unit": "business_unit",
    "provider": "provider_name",
    "service": "service_name",
    "model": "model_id",
    "feature": "feature",
    "product": "product",
    "ledger": "ledger_account",
    "kind": "cost_kind",
    "rule": "rule_kind",
}
HOSTILE = (
    "</script><script>window.taken=1</script>",
    '"><img src=x onerror=window.taken=1>',
    "=cmd|'/c calc'!A1",
    "{{ 7*7 }}",
    "\u202eevil\x00",
    "+1+1",
)


def test_every_month_shows_the_mart_s_total_and_proves_it(page: Page, board: Path, quarter: BoardRows) -> None:
    page.open(board)
    for month in quarter.months:
        pick_month(page, month_name(month))
        assert page.text("#sum .total") == format_money(month.shared.bill_total, "USD")
        assert page.texts(".banner-wrong") == []
        proof = page.text("#proof")
        assert f"{month.shared.bill_total:,.12f} USD" in proof
        assert f"{month.chargeback.height:,} lines" in proof
        assert "Snapshot 7" in proof
        assert page.text("#head .banner strong") == f"{'Provisional' if month is quarter.months[-1] else 'Final'}."
        assert page.run("document.querySelectorAll('#spend .hatch').length > 0") is (month is quarter.months[-1])


@pytest.mark.parametrize("name", BY)
def test_sums_by_each_dimension_are_those_of_the_mart(name: str, page: Page, board: Path, quarter: BoardRows) -> None:
    page.open(board, f"month=2026-09&by={name}&exact=1")
    rows = quarter.months[1].chargeback.with_columns(pl.col(BY[name]).fill_null(""))
    known = rows.filter(pl.col("reporting_effective_cost").is_not_null())
    content = page.downloaded(fresh(board), f"document.querySelector('[data-focus=csv-by-{name}]').click()")
    written = {row[next(iter(row))].removeprefix("'"): row["Cost"] for row in file_rows(content)}
    assert {k: Decimal(v) for k, v in written.items() if v} == {
        key[0]: cost(own) for key, own in known.group_by(BY[name])
    }
    assert {k for k, v in written.items() if not v} == {*rows[BY[name]]} - {*known[BY[name]]}
    foot = page.texts(f"#table-by-{name} tfoot td")
    assert foot[1] == exact(cost(rows))


def test_a_click_on_a_bar_leads_to_its_lines_and_their_file(page: Page, board: Path, quarter: BoardRows) -> None:
    page.open(board, "month=2026-10&by=provider")
    page.act(click("days:2026-10-14:AWS"))
    assert page.texts("#filters .chip") == ["Provider: AWS \u00d7", "14 Oct 2026 \u00d7"]
    rows = quarter.months[-1].chargeback.filter(
        (pl.col("provider_name") == "AWS") & (pl.col("charge_date") == pl.date(2026, 10, 14))
    )
    assert rows.height > 3
    told = page.text("#lines-sum")
    assert told.startswith(f"{rows.height} lines of the")
    assert format_money(cost(rows), "USD") in told
    written = file_rows(page.downloaded(fresh(board), "document.querySelector('[data-focus=csv-lines]').click()"))
    assert sorted(Decimal(row["Cost"]) for row in written) == sorted(rows["reporting_effective_cost"])
    assert {row["Day"] for row in written} == {"2026-10-14"}
    assert sorted(Decimal(row["billed cost"]) for row in written) == sorted(rows["reporting_billed_cost"])
    page.act("document.querySelector('[data-focus=clear]').click()")
    assert page.text("#lines-sum").startswith(f"{quarter.months[-1].chargeback.height:,} lines")


def test_filters_add_to_one_another_and_every_part_of_the_page_follows(
    page: Page, board: Path, quarter: BoardRows
) -> None:
    page.open(board, "month=2026-10&by=account&exact=1")
    page.act(click("pick-account-team:team-3"))
    page.act("document.querySelector('[data-focus=\"by=model\"]').click()")
    own = quarter.months[-1].chargeback.filter(pl.col("team_id") == "team-3")
    assert page.texts("#table-by-model tfoot td")[1] == exact(cost(own))
    page.act(click("pick-model-gpt-5"))
    both = own.filter(pl.col("model_id") == "gpt-5")
    assert 0 < both.height < own.height
    assert exact(cost(both)) in page.text("#lines-sum")
    page.until("document.querySelector('#strip .label').textContent === 'By month, filtered'")
    march = page.run("Array.from(document.querySelectorAll('#strip .hit'), x => x.getAttribute('aria-label'))")
    expected = [
        cost(m.chargeback.filter((pl.col("team_id") == "team-3") & (pl.col("model_id") == "gpt-5")))
        for m in quarter.months
    ]
    assert [label.rpartition(": ")[2].partition(". Not")[0] for label in march] == [exact(x) for x in expected]
    page.act(click("chip-account"))
    page.act(click("chip-model"))
    assert page.texts("#filters .chip") == []


def test_a_view_can_be_sent_as_an_address(page: Page, board: Path) -> None:
    view = "month=2026-09&by=feature&is-account=team%3Ateam-1&day=2026-09-05"
    page.open(board, view)
    assert page.run("location.hash") == f"#{view}"
    assert page.texts("#filters .chip") == ["Team: Team 1 \u00d7", "5 Sep 2026 \u00d7"]
    page.open(board, "month=1999-01&by=nothing&is-account=nobody&day=soon")
    assert page.run("location.hash") == "#month=2026-10&by=account"


def test_what_is_picked_within_a_section_is_in_the_address(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10")
    page.act("document.querySelector('[data-focus=\"outcomes=team\"]').click()")
    page.act("document.querySelector('[data-focus=\"gpu-by=account\"]').click()")
    kept = page.run("location.hash")
    assert kept == "#month=2026-10&by=account&at-outcomes=team&at-gpuBy=account"
    page.open(board, kept.removeprefix("#"))
    assert page.run("location.hash") == kept.replace(
        "&at-outcomes=team&at-gpuBy=account", "&at-gpuBy=account&at-outcomes=team"
    )
    assert page.run("document.querySelector('[name=outcomes]:checked').value") == "team"


def test_an_address_that_somebody_wrote_by_hand_harms_nothing(page: Page, board: Path) -> None:
    """Names of the language, markup, and what no row has: the page is drawn, and what it does not hold is left out."""
    hostile = "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    picked = f"at-outcomes=__proto__&at-requests={hostile}&at-gpuBy=constructor&at-lever={hostile}&at-factor=toString"
    page.open(
        board, f"month=2026-10&{picked}&at-provider={hostile}&gpu-cluster={hostile}&gpu-currency=__proto__&at-nobody=1"
    )
    assert page.run("document.querySelectorAll('img[src=x]').length") == 0
    assert page.run("document.querySelector('[name=outcomes]:checked').value") == "kind"
    assert "__proto__" not in page.run("location.hash")
    assert "gpu-" not in page.run("location.hash")


def test_the_keyboard_does_what_the_pointer_does(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10&by=provider")
    page.run("document.querySelector('#spend [type=radio]:checked').focus()")
    page.press("ArrowRight", changes=True)
    assert page.run("location.hash") == "#month=2026-10&by=service"
    assert page.focused() == "by=service"  # who had the keyboard keeps it
    page.press("Tab")
    assert page.focused() == "days:2026-10-31:"
    page.press("Home")
    assert page.focused() == "days:2026-10-01:"
    page.press("ArrowRight")
    page.press("ArrowUp")
    focused = page.focused() or ""
    assert focused.startswith("days:2026-10-02:")
    service = focused.removeprefix("days:2026-10-02:")
    assert service
    assert page.run("document.getElementById('tip').hidden") is False
    page.press("Enter", changes=True)
    assert page.texts("#filters .chip") == [f"Service: {service} \u00d7", "2 Oct 2026 \u00d7"]
    page.press("Escape", changes=True)
    assert page.texts("#filters .chip") == [f"Service: {service} \u00d7"]
    page.press("ArrowDown")
    assert page.focused() == "days:2026-10-02:"


def test_everything_that_acts_can_be_reached_and_named(page: Page, board: Path) -> None:
    page.open(board)
    nameless = page.run(
        "Array.from(document.querySelectorAll('button, select, input, [role=button], a'))"
        ".filter(x => !(x.getAttribute('aria-label') || x.textContent || x.closest('label')?.textContent)).length"
    )
    assert nameless == 0
    stops = page.run("document.querySelectorAll('#spend .chart [tabindex=\"0\"]').length")
    assert stops == 1
    headless = page.run("Array.from(document.querySelectorAll('table')).filter(t => !t.caption).length")
    assert headless == 0
    ids = page.run("Array.from(document.querySelectorAll('[id]'), x => x.id)")
    assert len(ids) == len(set(ids))


def test_ledgers_causes_and_invoices_are_the_marts(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10&exact=1")
    assert table_rows(page, "ledgers")["openai"] == [
        *("$1,100.0001", "5M", "4.9M", "$1,000.00", "+$100.0001", "$0.00"),
    ]
    assert [row[1] for row in table_rows(page, "bridge").values()] == [
        *("$2,000.00", "+$240.50", "\N{MINUS SIGN}$40.4998", "$2,200.0002"),
    ]
    page.act("document.querySelector('[data-focus=\"provider=openai\"]').click()")
    assert table_rows(page, "bridge")["Bill"][1] == "$1,100.0001"
    results = {row[-1] for row in table_rows(page, "bills").values()}
    assert results == {"Posted whole, ties out"}


def test_a_bill_that_was_not_posted_whole_is_named_with_the_difference(
    page: Page, quarter: BoardRows, tmp_path: Path
) -> None:
    more = quarter.tables["invoice_tie_out"].with_columns(
        billed_cost=pl.col("billed_cost") + pl.lit(Decimal("0.000000000001"), pl.Decimal(38, 12))
    )
    file = tmp_path / "board.html"
    file.write_bytes(render_board(BoardRows(quarter.months, {**quarter.tables, "invoice_tie_out": more})))
    page.open(file)
    results = {row[-1] for row in table_rows(page, "bills").values()}
    assert results == {"Posted differs by -0.000000000001"}


def test_gpu_states_add_up_to_the_mart_by_cluster_and_by_hour(page: Page, board: Path, quarter: BoardRows) -> None:
    page.open(board, "month=2026-10&exact=1")
    gpu = quarter.months[-1].gpu
    rows = table_rows(page, "gpu-cluster")
    for cluster, own in gpu.group_by("cluster"):
        idle = own.filter(pl.col("gpu_state") == "allocated_idle")
        assert rows[str(cluster[0])][1] == exact(exact_sum(own["effective_cost"]))
        assert rows[str(cluster[0])][2] == exact(exact_sum(idle["effective_cost"]))
    page.act(click("gpu-cluster-cluster-2"))
    hours = quarter.months[-1].gpu_hours.filter(
        (pl.col("cluster") == "cluster-2") & (pl.col("hour") == 7) & (pl.col("gpu_state") != "effective")
    )
    assert table_rows(page, "gpu-hours")["7:00"][0] == exact(exact_sum(hours["effective_cost"]))


def test_commitments_and_their_coverage_are_the_marts(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10")
    lead = page.text("#commitments .lead")
    assert lead.startswith("$806.00 of $4,006.00 (20.1\u202f%) that was committed went unused.")
    rows = table_rows(page, "commitments")
    assert rows["Plan 3"][1:] == ["$1,003.00", "$203.00", "80.0\u202f%", "23 Nov 2026"]
    assert "22 days after the month" in page.text("#table-commitments tbody")
    assert table_rows(page, "covered")["AWS"][1:] == [
        *("75.0\u202f%", "90.0\u202f%", "\N{MINUS SIGN}5.0\u202f%", "$240.50"),
    ]


def test_budgets_forecasts_and_outcomes_are_the_marts(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10")
    rows = table_rows(page, "budgets")
    assert rows["company"][1:] == ["$700.00", "$1,100.00", "$400.00", "$1,000.00", "22.0\u202f%"]
    assert rows["team-1"][1:] == ["$60.50", "$50.00", "\N{MINUS SIGN}$10.50", "$58.00", "\N{EN DASH}"]
    told = page.text("#table-budgets")
    assert told.count("on days that may still change") == 1
    assert "$50.00 on days that may still change" in told  # 700 are spent, 650 of them settled
    assert told.count("less than is spent: days that may still change are estimated") == 1  # 58 of 60.50
    assert "Settled up to 21 Oct; days since then are estimated" in page.text("#outlook")
    assert "1 budget is overspent." in page.texts("#outlook .lead")
    forecast = table_rows(page, "forecasts")["The whole company"]
    assert forecast[1:] == ["$700.00", "$1,000.00", "$900.00 and $1,150.00", "81.0\u202f%"]
    # one of outcomes is theirs, not the company's
    assert "outcome ticket" in page.text("#table-budgets")
    assert table_rows(page, "forecasts")["outcome ticket"][1:3] == ["$20.00", "$30.00"]
    assert table_rows(page, "outcomes")["ticket"] == ["$500.00", "250", "80.0\u202f%", "$2.50"]
    page.act("document.querySelector('[data-focus=\"outcomes=team\"]').click()")
    assert table_rows(page, "outcomes")["Team 1"][-1] == "\N{EN DASH}"
    assert "no outcome came" in page.text("#table-outcomes")
    pick_month(page, "2026-09")
    assert page.texts("#outlook .lead") == [
        *("No budget holds in September 2026.", "September 2026 is over, or nothing is forecast of it."),
    ]


def test_a_story_leads_to_its_lines(page: Page, board: Path) -> None:
    page.open(board)
    assert len(page.texts(".story")) == 1
    assert "A job runs in circles" in page.text(".story")
    page.act(click("story-202610-0000"))
    assert page.texts("#filters .chip") == ["Team: Team 0 \u00d7"]


@pytest.mark.parametrize(
    "lacking",
    [
        "anomalies",
        "commitments",
        "ledgers",
        "period_adjustments",
        "period_states",
        "budget_status",
        "forecasts",
        "unit_costs",
        "commitment_coverage",
        "commitment_advice",
        "provisioned_advice",
        "break_even",
        "variance_bridge",
        "savings",
        "request_costs",
        "bill_errata",
    ],
)
def test_what_the_snapshot_lacks_is_said_in_a_sentence(
    lacking: str, page: Page, quarter: BoardRows, tmp_path: Path
) -> None:
    tables = {name: frame for name, frame in quarter.tables.items() if name != lacking}
    file = tmp_path / "board.html"
    file.write_bytes(render_board(BoardRows(quarter.months, tables)))
    page.open(file)
    assert any(text.startswith("This snapshot") for text in page.texts("main .lead"))


def test_a_hostile_name_is_words_on_the_page_and_inert_in_a_file(
    page: Page, quarter: BoardRows, tmp_path: Path
) -> None:
    file = tmp_path / "board.html"
    file.write_bytes(render_board(hostile(quarter)))
    page.open(file, "month=2026-10&by=account")
    assert page.run("window.taken") is None
    assert page.run("document.querySelectorAll('img, iframe, object, embed').length") == 0
    assert page.run("document.querySelectorAll('script').length") == 2 + 3 * 8  # a core, a script, three months
    names = page.texts("#table-by-account .pick")
    assert {"=cmd|'/c calc'!A1", "</script><script>window.taken=1</script>", "evil"} <= set(names)
    page.act("document.querySelector('[data-focus=\"by=model\"]').click()")
    lines = file_rows(page.downloaded(fresh(file), "document.querySelector('[data-focus=csv-by-model]').click()"))
    cells = {row["Model"] for row in lines}
    assert {"'=cmd|'/c calc'!A1", "'+1+1"} <= cells
    assert not {cell for cell in cells if cell[:1] in set("=+-@")}


def hostile(rows: BoardRows) -> BoardRows:
    """Every name of a team, a model and a company is one that somebody would try."""

    def renamed(month: BoardMonth) -> BoardMonth:
        number = pl.int_range(pl.len()) % len(HOSTILE)
        names = pl.Series(list(HOSTILE))
        teams = pl.col("team_id").str.strip_prefix("team-").cast(pl.Int64) % len(HOSTILE)
        chargeback = month.chargeback.with_columns(
            team_name=pl.lit(names).implode().list.get(teams), model_id=pl.lit(names).implode().list.get(number)
        )
        return replace(month, chargeback=chargeback, shared=replace(month.shared, company=HOSTILE[0]))

    return BoardRows(tuple(map(renamed, rows.months)), rows.tables)


def test_a_page_whose_lines_are_not_the_total_says_so_first(
    page: Page, quarter: BoardRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import reports.board.facts as facts

    told = facts.month_facts

    def wrong(month: BoardMonth) -> Mapping[str, object]:
        return {**told(month), "total": f"{month.shared.bill_total + Decimal('0.000000000001'):f}"}

    monkeypatch.setattr(facts, "month_facts", wrong)
    file = tmp_path / "board.html"
    file.write_bytes(render_board(quarter))
    page.open(file)
    assert page.text(".banner-wrong").startswith("It does not add up.")


def test_amounts_beyond_sixty_four_bits_are_added_exactly(page: Page, quarter: BoardRows, tmp_path: Path) -> None:
    """A yen bill has lines of more than nine million, which no 64 bits hold to the twelfth decimal."""
    first = quarter.months[-1]
    huge = pl.lit(Decimal("12345678901234567890.000000000001"), pl.Decimal(38, 12))
    rows = first.chargeback.with_columns(
        reporting_effective_cost=pl.col("reporting_effective_cost") + huge,
        reporting_billed_cost=pl.col("reporting_billed_cost") + huge,
    )
    is_team = pl.col("team_id").is_not_null()
    total, allocated = cost(rows), cost(rows.filter(is_team))
    idle = cost(rows.filter(~is_team))
    shared = replace(first.shared, bill_total=total, allocated_total=allocated, residuals=(("residual:idle", idle),))
    file = tmp_path / "board.html"
    file.write_bytes(render_board(BoardRows((replace(first, chargeback=rows, shared=shared),))))
    page.open(file, "exact=1")
    assert page.text("#sum .total") == exact(total)
    assert page.texts(".banner-wrong") == []


@pytest.mark.parametrize("width", [360, 390, 768, 1440])
def test_no_page_scrolls_sideways(width: int, page: Page, quarter: BoardRows, tmp_path: Path) -> None:
    long = [
        replace(m, chargeback=m.chargeback.with_columns(team_name=pl.lit("Verlagsgesellschaftsangelegenheiten" * 3)))
        for m in quarter.months
    ]
    file = tmp_path / "board.html"
    file.write_bytes(render_board(BoardRows(tuple(long), quarter.tables)))
    page.size(width)
    page.open(file, "exact=1")
    assert page.run("document.documentElement.scrollWidth") <= width
