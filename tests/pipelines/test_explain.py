"""A figure explained: down to the bill's lines and files, each level to the last decimal, and said when it is not."""

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from rich.console import Console

from contracts import contract
from models.focus import FOCUS_RULES
from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.cli.explain import ExplainRequest, explain_figure
from pipelines.clock import utc_now
from pipelines.explain import tree
from pipelines.explain.evidence import Evidence, evidence
from pipelines.explain.question import QuestionError, cells, question
from pipelines.explain.rules import Rules
from pipelines.explain.tree import Asked
from pipelines.explain.walk import DEPTHS
from pipelines.house import open_house
from pipelines.lake import Lake
from pipelines.night.build import build
from pipelines.night.close import close
from pipelines.night.publish import publish
from tests.pipelines.explaining import breaks_of
from tests.pipelines.small_company import DAY, line, write_bill
from tests.pipelines.test_close import NOVEMBER, OCTOBER, at_noon, company, locked, night

D = Decimal
SPLIT = """\
pools:
  - {id: platform, split: fixed, shares: {search: 1, "pool:tools": 2}}
  - {id: tools, split: fixed, shares: {search: 1, support: 2}}
"""


def told(config: Path, what: str, *rest: str, **given: Any) -> tuple[int, str]:
    console = Console(file=StringIO(), width=200)
    code = explain_figure(console, config, ExplainRequest(what, rest, **given))
    assert isinstance(console.file, StringIO)
    return code, console.file.getvalue()


def levels(config: Path, what: str, *rest: str, **given: Any) -> dict[str, list[dict[str, Any]]]:
    code, text = told(config, what, *rest, form="json", **given)
    assert code == 0, text
    return {level["name"]: level["rows"] for level in json.loads(text)["levels"]}


def costs(rows: list[dict[str, Any]]) -> Decimal:
    return sum((D(row["effective_cost"]) for row in rows), D(0))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one bill line of 10, and one of 2 in the same group, a pool gives a third to search and feeds another pool."""
    folder = tmp_path_factory.mktemp("shared")
    config = company(folder)
    text = config.read_text().replace('value: "=SUM(A1)"}, team: search}', 'value: "=SUM(A1)"}, pool: platform}')
    config.write_text(text + SPLIT)
    rows = [line(InvoiceId="INV-1", BilledCost=cost, EffectiveCost=cost) for cost in ("10", "2")]
    write_bill(folder / "bills", rows)
    night(config, DAY, date(2026, 11, 2))
    with open_house(config, "more", clock=lambda: at_noon(date(2026, 11, 3))) as house:
        build(house, contract("costs_by_category"), OCTOBER, OCTOBER)
        publish(house)
    return config


def write_month(folder: Path, month: str, cost: str) -> None:
    """A bill of one line of another month, in both places."""
    start = date.fromisoformat(f"{month}-01")
    end = next_month(start)
    period = {"BillingPeriodStart": f"{start}T00:00:00Z", "BillingPeriodEnd": f"{end}T00:00:00Z"}
    charged = {"ChargePeriodStart": f"{end - timedelta(days=1)}T00:00:00Z", "ChargePeriodEnd": f"{end}T00:00:00Z"}
    costs = {"BilledCost": cost, "EffectiveCost": cost}
    for name in ("bills", "other"):
        file = write_bill(folder / name / "aside", [line(**period, **charged, **costs, InvoiceId=month)])
        target = folder / name / month / "bill.csv"
        target.parent.mkdir()
        file.rename(target)
        file.parent.rmdir()
        file.parent.parent.rmdir()


def test_a_share_of_a_share_is_traced_to_the_lines_and_the_file(shared: Path) -> None:
    found = levels(shared, "2026-10", "search")
    # 12 is split 1:2 to search and tools; of tools' 8, search has a third: 4 + 2.666666666667
    assert costs(found["lines"]) == D("6.666666666667")
    assert [(row["step"], row["rule_id"], row["route"], row["effective_cost"]) for row in found["postings"]] == [
        (3, "pool:platform", "bill:Cloud > pool:charges > pool:platform", "4.000000000000"),
        (4, "pool:tools", "bill:Cloud > pool:charges > pool:platform > pool:tools", "2.666666666667"),
    ]
    (charge,) = found["charges"]
    assert (charge["booked_effective_cost"], charge["elsewhere_effective_cost"]) == (
        "12.000000000000",
        "5.333333333333",
    )
    # the same share of both lines: 10 * 6.666666666667 / 12 and 2 * 6.666666666667 / 12, the rest to the larger remainder
    assert [(row["x_row"], row["line_effective_cost"], row["effective_cost"]) for row in found["bill"]] == [
        (1, "10.000000000000", "5.555555555556"),
        (2, "2.000000000000", "1.111111111111"),
    ]
    (delivery,) = found["deliveries"]
    assert delivery["line_count"] == 2
    landed = shared.parent / "lake" / delivery["landing_file"]
    assert landed.name == delivery["sha256"]
    assert landed.read_bytes() == (shared.parent / "bills" / "2026-10" / "bill.csv").read_bytes()
    assert {name: costs(rows) for name, rows in found.items()} == dict.fromkeys(found, D("6.666666666667"))


def test_a_question_about_one_month_reads_that_month_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    months = [date(2026, 9, 1), OCTOBER, OCTOBER]
    charged = [{"billing_period": month, "account": f"team:{i}", "team_id": str(i)} for i, month in enumerate(months)]
    names = [(field.name, field.type) for field in contract("chargeback").arrow_schema()]
    table = pa.Table.from_pylist(charged, schema=pa.schema(names))
    read: list[int] = []
    rows = Evidence.rows

    def counted(self: Evidence, *args: Any, **given: Any) -> pl.DataFrame:
        read.append(rows(self, *args, **given).height)
        return rows(self, *args, **given)

    monkeypatch.setattr(Evidence, "rows", counted)
    with duckdb.connect() as database:
        database.register("given", table)
        database.execute("create table chargeback as select * from given")
        lake = Lake.open(str(tmp_path), {}, clock=lambda: at_noon(DAY))
        seen = Evidence(lake, 1, database, {}, frozenset())
        assert cells(seen, question("2026-10", (), ()))["team_id"].to_list() == ["1", "2"]
        assert cells(seen, question("chargeback", (), ("team=2,month=2026-10",)))["team_id"].to_list() == ["2"]
        assert read == [2, 2]
        with pytest.raises(QuestionError, match="there is no billing_period '2026-08' in 2026-09 to 2026-10"):
            cells(seen, question("2026-08", (), ()))
        assert read == [2, 2, 0, 2]  # of the whole table only its two months
        assert cells(seen, question("chargeback", (), ("team=0",)))["billing_period"].to_list() == [date(2026, 9, 1)]


def test_both_teams_parts_are_the_lines_to_the_last_unit(shared: Path) -> None:
    parts = [levels(shared, "2026-10", team)["bill"] for team in ("search", "support")]
    for own, other in zip(*parts, strict=True):
        assert D(own["effective_cost"]) + D(other["effective_cost"]) == D(own["line_effective_cost"])


def test_a_page_names_the_rule_its_line_in_the_file_and_says_that_it_comes_out(shared: Path) -> None:
    code, text = told(shared, "2026-10", "support")
    assert code == 0
    place = shared.read_text().splitlines().index("  - {id: tools, split: fixed, shares: {search: 1, support: 2}}") + 1
    assert (
        f"step 4 pool:tools (farthing.yml:{place}): shared pool, split by fixed; "
        "bill:Cloud > pool:charges > pool:platform > pool:tools > team:support"
    ) in text
    assert "  5.333333333333  of 12.00: Cloud, Service" in text
    assert "reported as $5.33, exactly 5.333333333333" in text
    assert text.endswith("Every level comes to the figure, to the last decimal.\n")


def test_a_residual_and_the_whole_month_are_explained_too(shared: Path) -> None:
    assert costs(levels(shared, "2026-10", "unallocated")["bill"]) == D(2)
    assert costs(levels(shared, "2026-10", "residual:unallocated")["deliveries"]) == D(2)
    assert costs(levels(shared, "2026-10")["bill"]) == D(14)


def test_a_cell_of_a_table_is_asked_for_by_its_columns(shared: Path) -> None:
    found = levels(shared, "invoice_tie_out", where=("provider=Cloud,invoice=INV-1",))
    assert costs(found["postings"]) == costs(found["bill"]) == D(12)
    found = levels(shared, "costs_by_category", where=("team=search", "category=Usage"), depth="postings")
    assert list(found) == ["lines", "postings"]
    assert costs(found["postings"]) == D("6.666666666667")
    assert told(shared, "gpu_waste", where=("team=search",))[0] == 2  # the house has no GPUs


def test_a_file_has_all_rows_of_all_levels_and_each_level_sums_alike(shared: Path, tmp_path: Path) -> None:
    file = tmp_path / "search.csv"
    assert told(shared, "2026-10", "search", output=file) == (0, f"{file} written\n")
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    by_level = {row["level"]: D(0) for row in rows}
    for row in rows:
        by_level[row["level"]] += D(row["effective_cost"])
    assert by_level == dict.fromkeys(DEPTHS[:-1], D("6.666666666667"))
    missing = tmp_path / "nowhere" / "search.json"
    code, text = told(shared, "2026-10", "search", output=missing)
    assert (code, "cannot be written" in text) == (1, True)
    code, text = told(shared, "2026-10", "search", output=tmp_path / "search.xlsx")
    assert (code, text) == (2, "--format is one of text, json, csv; found 'xlsx'\n")


def test_an_export_s_rows_are_parts_of_the_bill_s_lines(shared: Path, tmp_path: Path) -> None:
    found = levels(shared, "focus_cost_and_usage", where=("x_TeamId=search",))
    # of 12 a third by one pool, and a third of two thirds by the other: of both lines, each by both rules
    assert sum(D(row["EffectiveCost"]) for row in found["lines"]) == D("6.666666666667")
    assert len(found["lines"]) == 4
    assert {row["billed_cost"] for row in found["charges"]} == {"10.000000000000", "2.000000000000"}
    (delivery,) = found["charges/deliveries"]
    assert delivery["row_count"] == 2
    file = tmp_path / "rows.csv"
    assert told(shared, "focus_cost_and_usage", where=("x_TeamId=search",), output=file)[0] == 0
    rows = [row for row in csv.DictReader(io.StringIO(file.read_text())) if row["level"] == "charges"]
    # each line of the bill once, with the numbers of both rows that are parts of it
    assert sorted(row["to_line_effective_cost"] for row in rows) == ["10.000000000000", "2.000000000000"]
    assert sorted(number for row in rows for number in row["of_line"].split(", ")) == ["1", "2", "3", "4"]


def test_a_page_of_other_figures_names_the_model_and_its_rules(shared: Path) -> None:
    code, text = told(shared, "focus_cost_and_usage", where=("x_TeamId=search",))
    assert f"computed by models.focus, rules {FOCUS_RULES}: the part of the bill's line" in text
    assert text.endswith("Every figure comes out of the rows below it, to the last decimal.\n")
    code, text = told(shared, "focus_cost_and_usage", figure="EfectiveCost")
    assert (code, "Did you mean 'EffectiveCost'?" in text) == (2, True)


def test_every_table_of_a_snapshot_comes_out(shared: Path) -> None:
    assert list(breaks_of(shared.parent / "lake", depth="requests")) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("2026-10", "serch"), "there is no team or account 'serch' in 2026-10. Did you mean 'search'?"),
        (("2026-10", "search", "servise"), "there is no line 'servise' in 2026-10. Did you mean 'Service'?"),
        (("2026-12", "search"), "there is no billing_period '2026-12'"),
        (("chargebck",), "Did you mean 'chargeback'?"),
        (("chargeback", "search"), "--where team=search"),
        (("2026-10", "search", "Service", "more"), "found 'more' after them"),
    ],
)
def test_a_slip_is_answered_with_the_nearest_name(shared: Path, asked: tuple[str, ...], said: str) -> None:
    code, text = told(shared, *asked)
    assert code == 2
    assert said in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"where": ("taem=search",)}, "chargeback has no column 'taem'. Did you mean 'team'?"),
        ({"where": ("search",)}, "needs a name and a value"),
        ({"where": ("team=serch",)}, "there is no team_id 'serch' in 2026-10. Did you mean 'search'?"),
        ({"where": ("day=31.10.2026",)}, "is a day such as 2026-10-31"),
        (
            {"depth": "bottom"},
            "--depth is one of lines, parts, postings, charges, weights, bill, deliveries, requests; found 'bottom'",
        ),
        ({"figure": "team_name"}, "chargeback has no figure 'team_name'. Expected one of: billed_cost, effective_cost"),
        ({"figure": "efective_cost"}, "chargeback has no figure 'efective_cost'. Did you mean 'effective_cost'?"),
        ({"form": "xml"}, "--format is one of text, json, csv; found 'xml'"),
    ],
)
def test_a_slip_in_an_option_too(shared: Path, given: dict[str, Any], said: str) -> None:
    code, text = told(shared, "chargeback", **given)
    assert code == 2
    assert said in text


def test_of_rows_to_which_two_ways_lead_only_the_fresh_ones_are_gone_down_from(shared: Path) -> None:
    with evidence(Lake.open(str(shared.parent / "lake"), {}, utc_now)) as found:
        asked, table = Asked(found, Rules(shared), "requests"), contract("log_defects")
        days = [dict.fromkeys(table.key, day) for day in (1, 2, 3)]
        ways = pl.DataFrame(days[:2]), pl.DataFrame(days[1:])
        assert [asked.fresh(table, rows).to_dicts() for rows in ways] == [days[:2], days[2:]]


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_where_the_walk_ends_as_rows_are_too_many_that_is_said(
    shared: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "rows of charges are more than 0: ask for fewer (--where)"
    assert said not in told(shared, "focus_cost_and_usage", form=form)[1]
    monkeypatch.setattr(tree, "MOST_ROWS", 0)
    code, text = told(shared, "focus_cost_and_usage", form=form)
    assert (code, said in text) == (0, True), text


def test_every_amount_can_be_asked_for_by_its_name(shared: Path) -> None:
    for name in ("effective_cost", "billed_cost", "reporting_effective_cost"):
        assert told(shared, "chargeback", figure=name)[0] == 0


def test_a_snapshot_that_is_older_than_a_column_says_to_publish_again(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Evidence.rows

    def older(self: Evidence, *args: Any, **given: Any) -> pl.DataFrame:
        (place,) = self.database.execute("select current_database()").fetchall()[0]
        without = f'select * exclude (billing_period) from "{place}".main.chargeback'
        self.database.execute(f"create or replace temp view chargeback as {without}")
        return read(self, *args, **given)

    monkeypatch.setattr(Evidence, "rows", older)
    code, text = told(shared, "2026-10", "search")
    assert (code, "billing_period" in text, "Publish again with this version: farthing run" in text) == (1, True, True)


def test_before_anything_is_published_that_is_what_is_said(tmp_path: Path) -> None:
    code, text = told(company(tmp_path), "2026-10", "search")
    assert (code, "run a night first: farthing run" in text) == (1, True)


def test_a_locked_month_is_explained_by_the_bill_of_then_and_its_adjustment_by_both(tmp_path: Path) -> None:
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    locked(config, date(2026, 11, 3))
    rows = [line(InvoiceId="INV-1", BilledCost="5.38", EffectiveCost="5.38")]
    rows.append(line(InvoiceId="INV-1", BilledCost="1", EffectiveCost="1", Tags=""))
    write_bill(tmp_path / "bills", rows)
    night(config, date(2026, 11, 3), date(2026, 11, 4))

    (then,) = levels(config, "2026-10", "search")["bill"]
    assert (then["line_effective_cost"], then["x_row"]) == ("10.500000000000", 1)
    found = levels(config, "2026-11", "search")
    assert costs(found["lines"]) == D("-5.12")
    # what it was, taken off, and what it is now
    assert [(row["origin"], row["effective_cost"]) for row in found["postings"]] == [
        ("locked", "-10.500000000000"),
        ("restated", "5.380000000000"),
    ]
    assert sorted((row["origin"], row["line_effective_cost"]) for row in found["bill"]) == [
        ("locked", "-10.500000000000"),
        ("restated", "5.380000000000"),
    ]
    files = {D(row["effective_cost"]): row["sha256"] for row in found["deliveries"]}
    assert set(files) == {D("-10.5"), D("5.38")}
    assert len(set(files.values())) == 2
    assert costs(levels(config, "period_adjustments", where=("corrects=2026-10",))["bill"]) == D("-4.12")

    # November is locked with it, and October's bill comes back: the rest is posted in December, less what was posted
    write_month(tmp_path, "2026-11", "3")
    write_month(tmp_path, "2026-12", "4")
    night(config, date(2026, 11, 30), date(2026, 12, 2))
    with open_house(config, "close", clock=lambda: at_noon(date(2026, 12, 3))) as house:
        close(house, NOVEMBER, by="ada", reason="nothing of its own")
    write_bill(tmp_path / "bills", [line(InvoiceId="INV-1", BilledCost="8", EffectiveCost="8")])
    night(config, DAY, date(2026, 12, 4))
    found = levels(config, "chargeback", where=("month=2026-12,team=search", "corrects=2026-10"))
    assert [(row["origin"], row["rule_id"], row["effective_cost"]) for row in found["postings"]] == [
        ("adjusted_before", "adjusted:2026-11", "5.120000000000"),
        ("locked", "formula-tag", "-10.500000000000"),
        ("restated", "formula-tag", "8.000000000000"),
    ]
    assert {name: costs(rows) for name, rows in found.items()} == dict.fromkeys(found, D("2.62"))


def test_a_month_that_was_locked_under_other_ids_of_its_groups_is_explained_by_what_they_are_of(tmp_path: Path) -> None:
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    locked(config, date(2026, 11, 3))
    with open_house(config, "before", clock=lambda: at_noon(date(2026, 11, 3))) as house:
        renamed = pl.concat_str(pl.lit("v0-"), "charge_group_id").alias("charge_group_id")
        now = house.lake.read("charge_groups")
        for table in ("postings", "charge_groups"):
            rows = frame_of(house.lake.read(table)).with_columns(renamed)
            house.lake.replace_slice(table, OCTOBER, "farthing", rows.to_arrow(), f"before {table}")
        house.lake.replace_slice("charge_groups", OCTOBER, "farthing", now, "now")  # a night has built them again
        publish(house)
    found = levels(config, "2026-10", "search")
    assert [row["charge_group_id"][:3] for row in found["bill"]] == ["v0-"]
    assert costs(found["bill"]) == costs(found["deliveries"]) == D("10.5")


def test_a_journal_that_does_not_come_to_the_figure_is_said_and_is_no_success(tmp_path: Path) -> None:
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    with open_house(config, "broken", clock=lambda: at_noon(date(2026, 11, 3))) as house:
        journal = frame_of(house.lake.read("postings"))
        wrong = pl.when(pl.col("to_account") == "team:search").then(D("10.49")).otherwise("effective_cost")
        broken = journal.with_columns(wrong.cast(pl.Decimal(38, 12)).alias("effective_cost"))
        house.lake.replace_slice("postings", OCTOBER, "farthing", broken.to_arrow(), "broken")
        publish(house)
    code, text = told(config, "2026-10", "search")
    assert code == 1
    assert "line 1 of chargeback: effective_cost is 10.500000000000, its moves come to 10.490000000000" in text
    assert "0.010000000000 is not accounted for" in text
    assert "10.500000000000 was booked, 10.490000000000 came to rest" in text
    assert "Every level comes" not in text


def test_a_bill_that_the_lake_no_longer_has_is_said_with_what_is_missing(shared: Path) -> None:
    (piece,) = ((shared.parent / "lake" / "tables" / "charges").rglob("*.parquet"),)
    moved = [(file, file.with_suffix(".gone")) for file in piece]
    for file, aside in moved:
        file.rename(aside)
    try:
        code, text = told(shared, "2026-10", "search")
    finally:
        for file, aside in moved:
            aside.rename(file)
    assert code == 1
    assert "charges: files of version" in text
