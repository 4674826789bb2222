"""A quarter of a small company, as a board and as a page that is open in a browser."""

from collections.abc import Generator
from pathlib import Path

import pytest

from benchmarks.board_rows import company
from reports.board import BoardRows, render_board
from tests.reports.board.browser import Page, browser


@pytest.fixture(scope="session")
def quarter() -> BoardRows:
    """Seven teams and a residual, three months, in dollars, euros (two dollars each) and francs without a rate."""
    return company(teams=7, months=3, lines_a_day=4)


@pytest.fixture(scope="session")
def board(quarter: BoardRows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("board") / "board.html"
    file.write_bytes(render_board(quarter))
    return file


@pytest.fixture(scope="session")
def shared_browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Page]:
    with browser(chromium, tmp_path_factory.mktemp("browser") / "profile") as page:
        yield page


@pytest.fixture
def page(shared_browser: Page) -> Generator[Page]:
    """The browser, at a desk's width. Whatever a test does, the page must not complain, nor load anything."""
    shared_browser.complaints.clear()
    shared_browser.asked.clear()
    shared_browser.size(1280)
    yield shared_browser
    assert shared_browser.complaints == []
    strangers = [url for url in shared_browser.asked if not url.startswith(("file:", "blob:file", "about:"))]
    assert strangers == []
