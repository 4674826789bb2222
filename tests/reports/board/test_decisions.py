"""Units of provisioned throughput, and own GPUs or an API: on the board as the marts have them."""

from pathlib import Path

import polars as pl
import pytest

from reports.board import BoardRows, render_board
from tests.reports.board.browser import Page
from tests.reports.board.reading import file_rows, fresh, pick_month, table_rows

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


def cells(page: Page, table: str) -> list[list[str]]:
    """Every row as it stands: several may have one name."""
    script = "Array.from(document.querySelectorAll('#table-{} tbody tr'), r => Array.from(r.cells, c => c.textContent))"
    return page.run(script.replace("{}", table))


def written(rows: BoardRows, folder: Path, **changed: pl.DataFrame) -> Path:
    file = folder / "board.html"
    file.write_bytes(render_board(BoardRows(rows.months, {**rows.tables, **changed})))
    return file


def test_a_plan_stands_once_against_each_api_with_its_cheapest_machines(page: Page, board: Path) -> None:
    page.open(board)
    lead = "1 plan of 2 would very likely cost less on own GPUs than on today's API."
    assert page.text("#own .lead").startswith(lead)
    nothing, today, same = cells(page, "own")
    assert nothing[:6] == ["gpt-5plan search", "llama-3.3-70b in fp8", *[DASH] * 4]
    assert nothing[6] == f"{DASH}no list has a price of the machines where data may go"
    machines = "llama-3.3-70b in fp8committed \u00b7 36 months \u00b7 p5.48xlarge \u00b7 eu-central-1"
    assert today == [
        *("gpt-5-miniplan tickets", machines, "Today's API", "$15,000.00", "$7,000.00"),
        *("$6,100.00half of draws $7,100.00", "Own GPUscheaper with a chance of 99.0\u202f%"),
    ]
    assert same[2] == "Cheapest API of the same weightsgroq \u00b7 llama-3.3-70b-versatile"
    assert same[3:] == [
        *("$6,500.00", "$7,000.00", f"{MINUS}$900.25half of draws $99.75"),
        "Opencheaper with a chance of 41.0\u202f%",
    ]
    today, same = cells(page, "own-pays")
    assert today[2:6] == ["42.0\u202f%", "21.0\u202f%", "1.3bn tokens0.43 times today's", "11.5 months"]
    assert same[2:6] == ["42.0\u202f%", "130.0\u202f%", "neverup to 4,096 times", DASH]
    assert "farthing what-if self-host 'gpt-5-mini' --gpus 2 --gpu-hour-cost 2.5000" in today[6]
    assert "the company's own." in page.text("#table-own")
    assert page.texts("#own summary")[-1] == "All 5 ways to buy the machines"
    assert len(cells(page, "own-ways")) == 5


def test_plans_are_the_same_whatever_month_is_shown(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10")
    newest = cells(page, "own")
    pick_month(page, "2026-08")
    assert cells(page, "own") == newest


def test_the_file_of_plans_has_all_digits_and_the_reason(page: Page, board: Path) -> None:
    page.open(board)
    content = page.downloaded(fresh(board), "document.querySelector('[data-focus=csv-own]').click()")
    told = [(row["Own GPUs a month"], row["Saves at least"], row["Cheaper"]) for row in file_rows(content)]
    assert told == [("", "", "no_gpu_price"), ("7000", "6100", "self_host"), ("7000", "-900.25", "open")]


@pytest.mark.parametrize("rows", ["none", "published"])
def test_without_plans_the_page_says_how_to_declare_one_and_peaks_are_named(
    rows: str, page: Page, quarter: BoardRows, tmp_path: Path
) -> None:
    known = quarter.tables["break_even"]
    if rows == "none":
        page.open(written(quarter, tmp_path, break_even=known.clear()))
        assert "is declared (self_hosting in the configuration)" in page.text("#own .lead")
    else:
        page.open(written(quarter, tmp_path, break_even=known.with_columns(throughput_basis=pl.lit("reference"))))
        assert "published peaks, not the company's own: measure before you buy" in page.text("#table-own")


def test_units_are_told_with_what_spills_and_why_others_are_not(page: Page, board: Path) -> None:
    page.open(board, "month=2026-10")
    reserved, hourly = cells(page, "throughput")
    assert reserved == [
        *("gpt-4.1swedencentral", "Global, reserved for 1 month$0.360 a unit and hour", "15", "25"),
        *("4.3\u202f%now 25.0\u202f%", "$4,100.25in this month's days $8,200.50", "B"),
    ]
    assert (hourly[1], hourly[3]) == ("Global, by the hour$0.950 a unit and hour", "20")
    assert table_rows(page, "no-throughput")["o3"][1:] == ["the units that are deployed are not known", DASH]


def test_hostile_names_of_plans_and_models_are_words(page: Page, quarter: BoardRows, tmp_path: Path) -> None:
    taken = "'; touch taken; '<img src=x onerror=\"window.taken=1\">"
    plans, units = (
        quarter.tables[name].with_columns(model_id=pl.lit(taken)) for name in ("break_even", "provisioned_advice")
    )
    page.open(written(quarter, tmp_path, break_even=plans, provisioned_advice=units))
    assert taken in page.text("#table-own")
    assert taken in page.text("#table-throughput")
    quoted = taken.replace("'", "'\\''")
    assert f"farthing what-if self-host '{quoted}' --gpus" in page.text("#table-own-pays code")
    assert page.run("window.taken") is None
    assert page.run("document.querySelectorAll('img').length") == 0
