"""What a page of an explanation counts adds up: the rows of a level are those listed and those that are not."""

import re
from decimal import Decimal

import polars as pl

from contracts import contract
from models.frames import frame_of
from pipelines.cli.explained import in_groups
from pipelines.cli.explained_prices import bought, summed
from pipelines.cli.explained_rows import as_page
from pipelines.explain.figures import figure_of, known_sum
from pipelines.explain.marts import explainable
from pipelines.explain.question import Question
from pipelines.explain.walk import Explanation, Level
from tests.sql.golden import filled

MONEY = pl.Decimal(38, 12)


def test_groups_that_are_not_listed_say_how_many_rows_they_are() -> None:
    """28 services of 120 rows: the first has 12, those after it 4 each; 12 are listed, 16 are left out."""
    services = [f"service {n:02}" for n in range(28) for _ in range(12 if n == 0 else 4)]
    cost = [Decimal(100 - int(name[-2:])) for name in services]
    rows = pl.DataFrame({"billing_currency": "USD", "provider_name": "Cloud", "service_name": services})
    rows = rows.with_columns(model_id=pl.lit(""), effective_cost=pl.Series(cost, dtype=MONEY))
    told = list(in_groups(Level("lines", "Lines", rows), "effective_cost", everything=False))
    listed = [int(found) for line in told[:12] for found in re.findall(r"\((\d+) rows\)", line)]
    assert listed == [12, *[4] * 11]
    (rest,) = (line for line in told if " more " in line)
    assert rest.endswith("  16 more (64 rows) (--all, or --format csv)")
    assert sum(listed) + 64 == rows.height == 120


def page(rows: pl.DataFrame, *, are_inputs: bool) -> list[str]:
    mart = explainable()["unit_costs"]
    level = Level("prices", "prices", rows, ("to_listed",), "teams", are_inputs=are_inputs)
    found = Explanation(mart, rows.head(0), (level, level))
    return [line.strip() for line in as_page(Question(mart), 1, found, everything=False).splitlines()]


def test_inputs_of_several_lines_are_counted_as_they_are_listed_each_once() -> None:
    """24 inputs of each of 5 lines: 24 rows, of which 8 are listed and 16 more are there; they stand there 120 times."""
    teams = [f"t{number:02}" for _ in range(5) for number in range(24)]
    rows = pl.DataFrame({"team_id": teams, "of_line": [1 + at // 24 for at in range(120)], "to_listed": [1] * 120})
    told = page(rows, are_inputs=True)
    assert "prices: 24 rows, which stand in the lines above 120 times" in told
    assert len([line for line in told if line.startswith("listed 1; t")]) == 8
    assert "16 more (--all, or --format csv)" in told
    assert "= listed 24" in told
    # rows that are parts of one figure each are as many as there are
    parts = page(rows.head(24), are_inputs=False)
    assert "prices: 24 rows" in parts
    assert "prices: 24 rows" in page(rows.head(24), are_inputs=True)


def test_a_sum_of_what_nobody_knows_is_unknown_and_no_zero() -> None:
    """By currency: of dollars nothing is known, of euros one of two rows. A level without rows sums to nothing."""
    told = {"billing_currency": ["USD", "USD", "EUR", "EUR"], "to_margin_cost": [None, None, None, Decimal("1.50")]}
    rows = pl.DataFrame(told, schema_overrides={"to_margin_cost": MONEY})
    level = Level("prices", "prices", rows, ("to_margin_cost",), "usage_daily")
    found = Explanation(explainable()["unit_costs"], rows.head(0), (level, level))
    lines = [line.strip() for line in as_page(Question(found.mart), 1, found, everything=False).splitlines()]
    assert "= margin_cost unknown USD" in lines
    assert "= margin_cost 1.50 EUR" in lines
    of_nothing = rows.head(0).select(known_sum("to_margin_cost"))
    assert of_nothing.item() == 0
    figure = rows.filter(billing_currency="USD").select(known_sum("to_margin_cost"))
    assert figure.item() is None


def test_a_group_of_requests_tells_what_it_bought_and_a_price_only_where_it_is_one() -> None:
    rows = pl.DataFrame(
        {
            "model_id": ["one", "one", "two", "two", "none"],
            "is_cache_hit": [False, True, False, False, False],
            "input_uncached_tokens": [1000, 5000, 10, 20, 0],
            "output_text_tokens": [300, 7, None, 4, 9],
            "input_uncached_usd_per_token": [Decimal("0.0000025")] * 3 + [Decimal("0.000005"), None],
            "output_text_usd_per_token": [Decimal("0.00001")] * 4 + [None],
        }
    )
    groups = rows.group_by("model_id", maintain_order=True).agg(summed(rows))
    assert [bought(row) for row in groups.iter_rows(named=True)] == [
        "1,000 input_uncached at 2.50 USD/1M, 300 output_text at 10.00 USD/1M",
        "30 input_uncached at several prices, 4 output_text at 10.00 USD/1M",
        "9 output_text at an unknown price",
    ]
    assert bought({"note": "4 requests of smaller cost, together", "output_text_tokens": 9}) == ""
    assert bought({"namespace": "search", "gpu_uuid": "g"}) == ""


def test_rows_that_sum_up_others_are_told_by_their_level_and_never_added() -> None:
    """30 requests of the company are those of its two teams: not 60."""
    own = contract("request_costs")
    levels = [("company", 30, "0.3"), ("team", 10, "0.1"), ("team", 20, "0.2")]
    rows = [{"level": level, "request_count": count, "priced_cost_usd": cost} for level, count, cost in levels]
    cells = frame_of(filled("request_costs", rows)).with_columns(period_kind=pl.lit("month"))
    found = Explanation(explainable()["request_costs"], figure_of(own, cells, ""), ())
    page = as_page(Question(found.mart), 1, found, everything=False).splitlines()
    assert [line for line in page if "request_count" in line and " = " not in line] == [
        "level company: request_count 30",
        "level team: request_count 30",
    ]


def test_a_column_that_is_named_like_a_unit_is_a_figure_of_its_own() -> None:
    own = contract("reconciliation_by_cause")
    row = {"cause": "unexplained", "part": "volume", "usd": "1.5", "line_count": 1}
    cells = frame_of(filled("reconciliation_by_cause", [row | {"tokens": "7"}, row | {"tokens": "5"}]))
    figure = figure_of(own, cells, "")
    assert figure.select("tokens", "usd").rows() == [(12, 3)]
    found = Explanation(explainable()["reconciliation_by_cause"], figure, ())
    page = as_page(Question(found.mart), 1, found, everything=False).splitlines()
    assert "tokens 12.00 tokens" in page
    assert "usd 3.00 USD" in page
