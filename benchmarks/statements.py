"""How long a company's statements take in all their forms, how much memory, and whether they come out the same again.

`python -m benchmarks.statements` writes `statements.md` beside this file. Each team has about eight lines a day of two
months, customers to whom each line is split, and the costs of its requests. Page, text, PDF, workbook and Parquet of
each are made in one process, as a night does; those of every tenth team are made again, from rows in another order.
"""

import argparse
import platform
import resource
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.board_rows import company
from benchmarks.statement_rows import team_rows
from reports.board import BoardMonth
from reports.filenames import statement_filename
from reports.files import Format, file_names, statement_files
from reports.given import Team, TeamRows
from reports.render import render_html, render_text
from reports.statement import build_statement

HERE = Path(__file__).parent
FORMATS: tuple[Format, ...] = ("pdf", "xlsx", "parquet")
_AGAIN = 10
_PARTS: tuple[str, ...] = ("view-model, page and text", *FORMATS)


def _made(team: str, rows: TeamRows, month: BoardMonth, spent: dict[str, float]) -> dict[str, bytes]:
    """Every file of a team's statement by name; adds the processor seconds of each part."""
    page = statement_filename(team, month.period)
    start = time.process_time()
    files = file_names(page, FORMATS, has_customers=rows.customers is not None)
    statement = build_statement(Team(team, team), month.period, rows, month.shared, files)
    made = {page: render_html(statement).encode(), "text": render_text(statement).encode()}
    spent[_PARTS[0]] += time.process_time() - start
    for kind in FORMATS:
        start = time.process_time()
        made |= statement_files(statement, rows, page, [kind])
        spent[kind] += time.process_time() - start
    return made


def main() -> None:
    """Measures and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--customers", type=int, default=50, help="of each team (default: 50)")
    parser.add_argument("--output", type=Path, default=HERE / "statements.md", help="the page (default: statements.md)")
    asked = parser.parse_args()
    teams: int = asked.teams
    customers: int = asked.customers
    output: Path = asked.output
    made_up = company(teams, 2)
    now = made_up.months[-1]
    names = sorted(now.chargeback["team_id"].drop_nulls().unique())
    spent = dict.fromkeys(_PARTS, 0.0)
    again = dict.fromkeys(_PARTS, 0.0)
    size, differing, named = 0, 0, 0
    for number, team in enumerate(names):
        rows = team_rows(made_up, team, customers)
        whom = rows.customers
        named += 0 if whom is None else whom.height
        made = _made(team, rows, now, spent)
        size += sum(map(len, made.values()))
        if number % _AGAIN == 0:
            turned = replace(
                rows,
                chargeback=rows.chargeback.reverse(),
                gpu=rows.gpu.reverse(),
                requests=rows.requests[::-1],
                customers=None if whom is None else whom.reverse(),
            )
            differing += _made(team, turned, now, again) != made
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    table = [f"| {part} | {seconds:.1f} | {seconds / len(names):.3f} |" for part, seconds in spent.items()]
    whole = sum(spent.values())
    text = "\n".join(
        (
            "# Statements of a company",
            "",
            f"Python {platform.python_version()}, one process, {len(names)} teams, {now.chargeback.height:,} lines of",
            f"the month and as many of the one before, {customers} customers of each team in {named:,} rows, and the",
            "costs of its requests; processor seconds, on a machine that others worked on too.",
            "",
            "| part | all teams, s | one, s |",
            "|---|---:|---:|",
            *table,
            f"| together | {whole:.1f} | {whole / len(names):.3f} |",
            "",
            f"{size / 1e6:.0f} MB of files; peak memory of the process {gib:.2f} GiB. Made again from rows in another",
            f"order, {differing} of {len(range(0, len(names), _AGAIN))} statements differed in any byte of any file.",
            "",
        )
    )
    output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
