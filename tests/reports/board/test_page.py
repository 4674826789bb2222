"""The board as bytes: the same for the same rows, closed to the outside, and refused where its rows do not hold."""

import base64
import hashlib
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import html5lib
import pytest

from reports.board import BoardRows, render_board
from reports.given import StatementError


def test_the_same_rows_in_any_order_give_the_same_bytes(quarter: BoardRows, board: Path) -> None:
    turned = [
        replace(m, chargeback=m.chargeback.reverse(), gpu=m.gpu.reverse(), gpu_hours=m.gpu_hours.reverse())
        for m in quarter.months
    ]
    tables = {name: frame.reverse() for name, frame in sorted(quarter.tables.items(), reverse=True)}
    assert render_board(BoardRows(tuple(turned), tables)) == board.read_bytes()


def test_the_page_is_valid_and_may_run_nothing_but_its_own_script(board: Path) -> None:
    page = board.read_text("utf-8")
    short = re.sub(r'(<script type="text/plain"[^>]*>)[^<]*', r"\1", page)  # the parser is slow on long texts
    html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree")).parse(short)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    rules = dict(rule.split(" ", 1) for rule in policy[1].replace("&#39;", "'").split("; "))
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest(styles[0])}'",
        "script-src": f"'sha256-{digest(scripts[0])}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert (len(scripts), len(styles)) == (1, 1)
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "innerHTML" not in scripts[0]
    assert "http" not in scripts[0].replace("http://www.w3.org/2000/svg", "")


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_script_waits_for_no_older_month_than_it_draws(board: Path) -> None:
    page = board.read_text("utf-8")
    names = re.findall(r'<script(?: type="text/plain" id="([a-z_0-9-]+)")?>', page)
    before, after = names[: names.index("")], names[names.index("") + 1 :]
    assert {name[-7:] for name in before} == {"core", "2026-09", "2026-10"}
    assert {name[-7:] for name in after} == {"2026-08"}


def test_without_scripts_it_still_says_whose_it_is_and_what_the_month_comes_to(board: Path, quarter: BoardRows) -> None:
    page = board.read_text("utf-8").partition('<script type="text/plain"')[0]
    total = quarter.months[-1].shared.bill_total.quantize(Decimal("0.01"))
    for told in ("Example Ltd", "October 2026", "Snapshot 7", f"${total:,}"):
        assert told in page


def test_lines_that_are_not_the_month_are_refused(quarter: BoardRows) -> None:
    last = quarter.months[-1]
    short = replace(last, chargeback=last.chargeback.slice(1))
    with pytest.raises(StatementError, match=r"the lines of October 2026 add up to .* but the month is"):
        render_board(BoardRows((*quarter.months[:-1], short), quarter.tables))


def test_months_of_two_snapshots_are_refused(quarter: BoardRows) -> None:
    first = quarter.months[0]
    older = replace(first, shared=replace(first.shared, snapshot_id="6"))
    with pytest.raises(StatementError, match="USD of snapshot 6; USD of snapshot 7"):
        render_board(BoardRows((older, *quarter.months[1:]), quarter.tables))


@pytest.mark.parametrize("order", [(0, 0), (1, 0), ()])
def test_each_month_is_handed_in_once_and_in_order(quarter: BoardRows, order: tuple[int, ...]) -> None:
    with pytest.raises(StatementError, match="month"):
        render_board(BoardRows(tuple(quarter.months[at] for at in order)))


def test_scripts_stay_short_and_say_what_they_are_for() -> None:
    files = sorted((Path(__file__).parents[3] / "reports" / "templates" / "board").glob("*.js"))
    assert len(files) > 10
    assert {f.name: n for f in files if (n := len(f.read_text().splitlines())) > 250} == {}
    assert [f.name for f in files if not f.read_text().startswith("/*")] == []


def test_no_name_of_the_script_stands_twice(board: Path) -> None:
    """Its parts are one script: of two functions of a name the later one is taken, without a word."""
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", board.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 100
    assert sorted(names) == sorted(set(names))
