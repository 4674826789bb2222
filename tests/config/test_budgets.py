"""Budgets that make no sense are refused with their line; parts that allow more than the whole are told."""

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from models.scopes import Scope
from pipelines.cli import commands
from pipelines.config.doubts import doubts
from pipelines.config.load import ConfigError, load
from pipelines.config.positions import read

START = """\
company: Small
lake: lake
teams: [{id: search, name: Search, business_unit: Product}, {id: chat, name: Chat, business_unit: Product}]
sources: [{name: bill, kind: focus, account: main, location: bills}]
outcomes: [{name: solved, features: [bot], successes: [solved]}]
budgets:
"""
FIRST_LINE = 7


def written(folder: Path, *entries: str) -> Path:
    file = folder / "farthing.yml"
    file.write_text(START + "".join(f"  - {{{entry}}}\n" for entry in entries))
    return file


def refused(folder: Path, *entries: str) -> list[str]:
    file = written(folder, *entries)
    with pytest.raises(ConfigError) as error:
        load(file)
    return [problem.text(file).removeprefix(f"{file}:") for problem in error.value.problems]


def above(folder: Path, *entries: str) -> list[str]:
    file = written(folder, *entries)
    config, _ = load(file)
    return [problem.text(file).removeprefix(f"{file}:") for problem in doubts(read(file), config)]


def test_what_a_budget_is_of_and_how_much(tmp_path: Path) -> None:
    config, _ = load(
        written(
            tmp_path,
            "id: all, amount: 50_000",
            "id: chat-bot, team: chat, feature: bot, amount: 1200.50, from: 2026-10-01, to: 2027-01-01",
            "id: gpt, team: chat, model: gpt-5, tokens: 500_000_000, recipients: [ada@example.com]",
        )
    )
    whole, bot, gpt = config.budgets
    assert (whole.scope, whole.size) == (Scope(), Decimal(50_000))
    assert (bot.scope, bot.size) == (Scope(account="team:chat", feature="bot"), Decimal("1200.50"))
    assert (gpt.scope, gpt.size) == (Scope("tokens", "team:chat", model_id="gpt-5"), Decimal(500_000_000))
    assert (bot.valid_from, bot.valid_to) == (date(2026, 10, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("id: a, team: serch, amount: 1", "budgets[0].team: there is no team 'serch'. Did you mean 'search'?"),
        ("id: a", "must give exactly one of 'amount' (money a month) and 'tokens' (tokens a month)"),
        ("id: a, amount: 1, tokens: 1", "must give exactly one of"),
        ("id: a, amount: 0", "budgets[0].amount: "),
        ("id: a, amount: 1, from: 2026-10-15", "'from' (2026-10-15) must be the first of a month"),
        ("id: a, amount: 1, from: 2026-10-01, to: 2026-10-01", "'to' (2026-10-01) must be after 'from'"),
        ("id: a, provider: OpenAI, tokens: 1", "name a 'model' instead"),
        ("id: a, outcome: ticket, tokens: 1", "a budget of an 'outcome' is in money, at the price book"),
        ("id: a, outcome: ticket, provider: OpenAI, amount: 1", "it has no 'tokens' or 'provider'"),
        ("id: a, outcome: ticket, model: gpt-5, amount: 1", "a budget of an 'outcome' has no 'model': "),
        ("id: a, business_unit: Produkt, amount: 1", "there is no business unit 'Produkt'. Did you mean 'Product'?"),
        ("id: a, business_unit: Product, team: chat, amount: 1", "name the 'team' or the 'business_unit'"),
        ("id: a, outcome: tikket, amount: 1", "there is no kind of outcome 'tikket'"),
        ("id: a, amount: 1, recipients: [nobody]", "is no plain mail address"),
        ("id: a, amount: 1, quarterly: true", "budgets[0].quarterly: "),
    ],
)
def test_nonsense_is_refused_with_its_line(tmp_path: Path, entry: str, said: str) -> None:
    (problem,) = refused(tmp_path, entry)
    assert problem.startswith(f"{FIRST_LINE}:")
    assert said in problem


def test_two_budgets_of_the_same_in_the_same_months_are_refused(tmp_path: Path) -> None:
    problems = refused(
        tmp_path,
        "id: a, team: chat, amount: 1, to: 2026-11-01",
        "id: b, team: chat, amount: 2, from: 2026-10-01",
    )
    assert problems == [
        (
            f"{FIRST_LINE + 1}:5: budgets[1]: 'a' on line {FIRST_LINE} limits the same in the same months. "
            "Give each its 'from' and 'to', or keep one of them."
        )
    ]
    assert "has the same id" in refused(tmp_path, "id: a, team: chat, amount: 1", "id: a, amount: 2")[0]


def test_one_after_the_other_and_money_beside_tokens_are_fine(tmp_path: Path) -> None:
    config, _ = load(
        written(
            tmp_path,
            "id: a, team: chat, amount: 1, to: 2026-10-01",
            "id: a, team: chat, amount: 2, from: 2026-10-01",
            "id: b, team: chat, tokens: 5",
        )
    )
    assert len(config.budgets) == 3


def test_teams_that_may_spend_more_than_their_business_unit_are_told_of_the_months_on_which_they_stand_in_it(
    tmp_path: Path,
) -> None:
    told = above(
        tmp_path,
        "id: product, business_unit: Product, amount: 100",
        "id: search, team: search, amount: 60",
        "id: chat, team: chat, amount: 30, to: 2026-10-01",
        "id: chat, team: chat, amount: 50, from: 2026-10-01",
    )
    (problem,) = told
    assert "allows 100 a month, and its parts by team allow 110 from 2026-10 on" in problem
    file = tmp_path / "farthing.yml"
    moved = "hierarchy: [{team: chat, business_unit: Labs, from: 2026-10-01}]\n"
    file.write_text(moved + file.read_text())
    config, _ = load(file)
    assert list(doubts(read(file), config)) == []


def test_parts_that_allow_more_than_the_whole_are_told(tmp_path: Path) -> None:
    told = above(
        tmp_path,
        "id: all, amount: 100",
        "id: search, team: search, amount: 60",
        "id: chat, team: chat, amount: 30, to: 2026-10-01",
        "id: chat, team: chat, amount: 50, from: 2026-10-01",
        "id: openai, provider: OpenAI, amount: 99",
        "id: tokens, tokens: 1",
        "id: bot, team: chat, feature: bot, amount: 31",
        "id: solved, outcome: solved, amount: 10",  # of another measure: no part of the company's, with parts of its own
        "id: solved-chat, team: chat, outcome: solved, amount: 11",
    )
    assert told == [
        (
            f"{FIRST_LINE}:5: budgets[0]: allows 100 a month, and its parts by team allow 110 from 2026-10 on. "
            "Raise it, or lower one of them."
        ),
        (
            f"{FIRST_LINE + 2}:5: budgets[2]: allows 30 a month, and its parts by feature allow 31. "
            "Raise it, or lower one of them."
        ),
        (
            f"{FIRST_LINE + 7}:5: budgets[7]: allows 10 a month, and its parts by team allow 11. "
            "Raise it, or lower one of them."
        ),
    ]


def test_parts_within_the_whole_are_not(tmp_path: Path) -> None:
    assert above(tmp_path, "id: all, amount: 100", "id: search, team: search, amount: 100") == []


def test_check_tells_of_parts_above_the_whole(tmp_path: Path) -> None:
    file = written(tmp_path, "id: all, amount: 100", "id: search, team: search, amount: 101")
    said = StringIO()
    assert commands.check(Console(file=said, width=300), file, offline=True) == commands.WITH_PROBLEMS
    assert "its parts by team allow 101" in said.getvalue()
