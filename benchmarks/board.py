"""How fast a year of marts for many teams becomes the board, how large it is, and how fast a browser has it drawn.

`python -m benchmarks.board` needs Chromium and writes `board.md` beside this file. Every amount has random digits to
the twelfth decimal, which is the worst that can be compressed; a real year is smaller.
"""

import argparse
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.board_rows import company
from reports.board import render_board
from tests.reports.board.browser import Page, browser

HERE = Path(__file__).parent
SIZES = ((20, 12), (200, 12))
OPENINGS = 5
_DRAWN = "performance.getEntriesByName('drawn')[0]?.startTime"
_WHOLE = "location.protocol === 'file:' && document.readyState === 'complete'"


def _openings(page: Page, file: Path) -> list[tuple[float, float]]:
    """Seconds from the start of the navigation to the page drawn, by the browser's clock, and of its own processor.

    The processor's are those until the whole file is read, which may be after the page is drawn.
    """
    found: list[tuple[float, float]] = []
    page.call("Performance.enable", timeDomain="threadTicks")
    for _ in range(OPENINGS):
        page.call("Page.navigate", url="about:blank")
        before = _busy(page)
        page.call("Page.navigate", url=file.as_uri())
        page.until(_WHOLE)
        drawn = page.until(_DRAWN) / 1000
        found.append((drawn, _busy(page) - before))
    return found


def _busy(page: Page) -> float:
    """Processor seconds of the page's main thread so far: what others on the machine do does not count."""
    told = page.call("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in told if metric["name"] == "TaskDuration")


def _measured(page: Page, folder: Path, teams: int, months: int) -> str:
    rows = company(teams, months)
    lines = sum(month.chargeback.height for month in rows.months)
    start = time.process_time()
    content = render_board(rows)
    rendered = time.process_time() - start
    file = folder / f"{teams}.html"
    file.write_bytes(content)
    openings = _openings(page, file)
    opened, busy = (statistics.median(one[which] for one in openings) for which in (0, 1))
    start = time.perf_counter()
    page.act("document.querySelector('.pick').click()")
    filtered = time.perf_counter() - start
    size = len(content) / 1e6
    return (
        f"| {teams} | {months} | {lines:,} | {rendered:.1f} | {size:.1f} | {opened:.2f} | {busy:.2f} | {filtered:.2f} |"
    )


def main() -> None:
    """Measures and writes the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("no chromium; install the Debian package chromium")
    with tempfile.TemporaryDirectory() as scratch, browser(program, Path(scratch) / "profile") as page:
        page.size(1440)
        table = [_measured(page, Path(scratch), *size) for size in SIZES]
    head = "| teams | months | lines | render, processor s | file, MB | opened, s | its processor s | filtered, s |"
    text = "\n".join(
        (
            "# The board of a year",
            "",
            f"Python {platform.python_version()}, two cores that others worked on too. Opened: from the navigation to",
            f"the page drawn, median of {OPENINGS}, and how long its own thread worked in all: what it takes alone.",
            "Filtered: from a click on a team to the page drawn anew.",
            "",
            head,
            "|---:|---:|---:|---:|---:|---:|---:|---:|",
            *table,
            "",
        )
    )
    (HERE / "board.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
