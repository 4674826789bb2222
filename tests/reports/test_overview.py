"""The index page: every team, every residual, links that stay in the folder."""

from dataclasses import replace
from decimal import Decimal

import html5lib
import pytest

from reports.given import IdleRule, Period, SharedFacts, SourceFreshness, StatementError, Team, TeamRows
from reports.overview import Overview, build_overview
from reports.render import render_overview
from tests.reports.conftest import JUNE, charge, charges, gpu_row, gpus

TEAMS = (Team("search", "Search"), Team("../../etc", "<b>Etc</b>", "Ops"), Team("quiet", "Quiet"))
GPU = {"cost_kind": "gpu", "service_name": "EC2", "provider_name": "AWS", "model_id": "", "rule_kind": "residual"}


@pytest.fixture
def company() -> TeamRows:
    """100.004 for one team, 50.004 for another, 10.002 idle: a bill of 160.010."""
    return TeamRows(
        charges(
            charge("100.004"),
            charge("50.004", 2, team_id="../../etc"),
            charge("10.002", 3, team_id=None, **GPU),
        ),
        gpus(gpu_row("10.002", 3600, "unallocated", team_id=None)),
        charges(charge("90", month=JUNE)),
    )


@pytest.fixture
def balanced(shared: SharedFacts) -> SharedFacts:
    return replace(
        shared,
        bill_total=Decimal("160.010"),
        allocated_total=Decimal("150.008"),
        residuals=(("residual:idle", Decimal("10.002")),),
    )


@pytest.fixture
def overview(period: Period, company: TeamRows, balanced: SharedFacts) -> Overview:
    return build_overview(TEAMS, period, company, balanced)


def test_teams_and_residuals_add_up_to_the_bill(overview: Overview) -> None:
    teams, bill = overview.owed
    assert [(r.label, r.cells) for r in teams.rows] == [
        ("Search", ("+$10.01", "$100.01")),
        ("<b>Etc</b>", ("+$50.00", "$50.00")),
        ("Quiet", ("$0.00", "$0.00")),
    ]
    assert teams.total is not None
    assert teams.total.cells[-1] == "$150.01"
    assert [(r.label, r.cells[-1]) for r in bill.rows] == [
        ("Allocated to teams", "$150.01"),
        ("Idle GPUs that no team held", "$10.00"),
    ]
    assert overview.month.total_text == "$160.01"


def test_links_stay_in_the_folder_and_names_stay_text(overview: Overview) -> None:
    page = render_overview(overview)
    document = html5lib.parse(page, namespaceHTMLElements=False)
    links = [link.get("href") for link in document.iter("a")]
    assert len(links) == 3
    assert links[0] == "statement-2026-07-search.html"
    assert all("/" not in link and link.startswith("statement-2026-07-") for link in links)
    assert "&lt;b&gt;Etc&lt;/b&gt;" in page


def test_rows_that_do_not_make_up_the_bill_are_refused(
    period: Period, company: TeamRows, balanced: SharedFacts
) -> None:
    with pytest.raises(StatementError, match="rows add up to 150"):
        build_overview(TEAMS, period, replace(company, chargeback=company.chargeback.head(2)), balanced)
    with pytest.raises(StatementError, match="not among the teams"):
        build_overview(TEAMS[1:], period, company, balanced)
    moved = replace(balanced, allocated_total=Decimal("140.008"), residuals=(("residual:idle", Decimal("20.002")),))
    with pytest.raises(StatementError, match="was allocated"):
        build_overview(TEAMS, period, company, moved)


def test_while_a_source_is_awaited_no_team_s_change_is_shown(
    period: Period, company: TeamRows, balanced: SharedFacts
) -> None:
    awaited = replace(balanced, freshness=(SourceFreshness("aws-bill", "failed", is_awaited=True),))
    teams = build_overview(TEAMS, period, company, awaited).owed[0]
    assert [row.cells for row in teams.rows] == [("–", "$100.01"), ("–", "$50.00"), ("–", "$0.00")]


def test_rules_that_match_nothing_are_told_to_whoever_keeps_the_configuration(
    period: Period, company: TeamRows, balanced: SharedFacts
) -> None:
    rule = IdleRule("search-tag", "farthing.yml", 12, "no bill line has a tag 'tem' since 2026-07-01", "'team'?")
    table = build_overview(TEAMS, period, company, balanced, [rule]).checks[-1]
    assert [(row.label, row.cells, row.note) for row in table.rows] == [
        ("search-tag", ("line 12",), "no bill line has a tag 'tem' since 2026-07-01. 'team'?"),
    ]
    assert build_overview(TEAMS, period, company, balanced).checks[-1].name != table.name
