"""One figure has the same digits wherever it stands: each is rounded by itself, and none is a sum of rounded ones."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from reports.board import BoardRows, render_board
from reports.money import format_money
from tests.reports.board.browser import Page
from tests.reports.board.reading import table_rows

FIGURES = (
    # what is nobody's, what a team has, how the first reads: a column made to add up would give it the other's cent
    ("2159.744", "10.001", "$2,159.74"),
    ("112.125929207642", "5.009", "$112.13"),
    ("-112.125929207642", "5.009", "\N{MINUS SIGN}$112.13"),
)


def two_lines(quarter: BoardRows, residual: Decimal, team: Decimal) -> BoardRows:
    """A month of two lines: what nobody used of a commitment, and a team's calls of an API."""
    month = quarter.months[-1]
    rows = month.chargeback.filter(pl.col("billing_currency") == "USD")
    lines = []
    for is_team, kind, amount in ((True, "api", team), (False, "unused_commitment", residual)):
        cost = pl.lit(amount, pl.Decimal(38, 12))
        costs = ("effective_cost", "billed_cost", "reporting_effective_cost", "reporting_billed_cost")
        line = rows.filter(pl.col("team_id").is_not_null() == is_team, pl.col("corrected_period").is_null()).head(1)
        lines.append(line.with_columns(*(cost.alias(name) for name in costs), cost_kind=pl.lit(kind)))
    shared = replace(
        month.shared,
        bill_total=residual + team,
        allocated_total=team,
        residuals=(("residual:idle", residual),),
        adjusted_total=Decimal(0),
    )
    return BoardRows((replace(month, chargeback=pl.concat(lines), shared=shared),), quarter.tables)


@pytest.mark.parametrize(("residual", "team", "reads"), FIGURES)
def test_a_figure_reads_the_same_in_the_head_and_in_every_table(
    residual: str, team: str, reads: str, page: Page, quarter: BoardRows, tmp_path: Path
) -> None:
    rows = two_lines(quarter, Decimal(residual), Decimal(team))
    file = tmp_path / "board.html"
    file.write_bytes(render_board(rows))
    page.open(file, "month=2026-10&by=kind")
    head = dict(zip(page.texts("#sum .kinds dt"), page.texts("#sum .kinds dd"), strict=True))
    by_kind = {name: cells[1] for name, cells in table_rows(page, "by-kind").items()}
    assert head == by_kind
    assert reads in head.values()
    page.act("document.querySelector('[data-focus=\"by=account\"]').click()")
    assert reads in {cells[1] for cells in table_rows(page, "by-account").values()}
    assert reads in {cells[-1] for cells in table_rows(page, "lines").values()}
    assert page.text("#sum .total") == format_money(Decimal(residual) + Decimal(team), "USD")
    assert page.text("#sum .total") in page.texts("#table-by-account tfoot td")


def test_a_proof_whose_cents_would_miss_their_sum_has_every_digit(
    page: Page, quarter: BoardRows, tmp_path: Path
) -> None:
    """2,159.744 and 10.001 are 2,169.745: 2,159.74 and 10.00 would be 2,169.75."""
    for residual, team, expected in (
        ("2159.744", "10.001", "$10.001 charged to teams + $2,159.744 that no team is charged with = $2,169.745"),
        ("2159.744", "10", "$10.00 charged to teams + $2,159.74 that no team is charged with = $2,169.74"),
        ("2159.744", "10.006", "$10.01 charged to teams + $2,159.74 that no team is charged with = $2,169.75"),
    ):
        file = tmp_path / f"{team}.html"
        file.write_bytes(render_board(two_lines(quarter, Decimal(residual), Decimal(team))))
        page.open(file, "month=2026-10")
        assert expected in page.text("#proof"), team
