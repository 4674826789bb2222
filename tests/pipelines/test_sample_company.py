"""Two months of the sample company through whole nights, October against an answer that the pipeline did not compute."""

import json
import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import sample
from contracts.focus import focus_mapping
from models.tokens import TOKEN_CLASSES
from pipelines.cli.main import app
from pipelines.explain.evidence import evidence
from pipelines.explain.marts import MARTS
from pipelines.explain.question import Question, cells
from pipelines.explain.rules import Rules
from pipelines.explain.walk import DEPTHS, explain
from pipelines.house import open_house
from pipelines.lake import Lake
from tests.pages import Shown, shown
from tests.pipelines.conftest import night, published
from tests.pipelines.focus_validator import WRONG, failed_rules, lint_of_the_newest, rules
from tests.pipelines.mailbox import Mailbox

BEFORE, FIRST, LAST = date(2026, 9, 1), date(2026, 10, 1), date(2026, 10, 31)
TOKEN_COLUMNS = [
    f"{name}_tokens"
    for name in ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output_text", "output_reasoning")
]
OCTOBER = {"billing_period": str(FIRST)}
ARRIVED, RESTATED = date(2026, 11, 2), date(2026, 11, 5)


def rows_of(lake: Path) -> dict[str, list[dict[str, Any]]]:
    """What is published of October: the tables that are compared."""
    names = (
        "chargeback",
        "gpu_waste",
        "gpu_node_costs",
        "postings",
        "usage_by_team_daily",
        "reconciliation_summary",
        "reconciliation_by_cause",
        "log_defects",
        "gpu_states_hourly",
        "serving_hourly",
        "commitments",
        "commitment_hours",
        "provider_usage_daily",
    )
    folder = lake / "published" / "parquet"
    rows = {name: of_october(pq.read_table(folder / name).to_pylist()) for name in names}
    return {**rows, "unit_costs": of_october(pq.read_table(folder / "unit_costs.parquet").to_pylist())}


def of_october(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The month that the truth is of; September is there to be compared with."""
    column = next((name for name in ("billing_period", "period_start", "usage_date") if rows and name in rows[0]), "")
    return [row for row in rows if row[column] >= FIRST]


class Company:
    """The company after each of its nights: what the truth was then, and what was published."""

    def __init__(self, folder: Path, mailbox: Mailbox) -> None:
        self.folder = folder
        self.mailbox = mailbox
        self.written = sample.write(folder, as_of=ARRIVED, since=BEFORE, mail_port=mailbox.port)
        self.first_truth = self._truth()
        self.first = night(self.written.config, BEFORE, LAST, at=ARRIVED)
        self.first_rows = self.snapshot()
        self.first_mail = list(mailbox.messages)
        self.again = night(self.written.config, LAST, at=ARRIVED)
        self.again_rows = self.snapshot()
        self.again_mail = list(mailbox.messages)
        sample.write(folder, as_of=RESTATED, since=BEFORE, mail_port=mailbox.port)
        self.restated_truth = self._truth()
        self.restated = night(self.written.config, LAST, at=RESTATED)
        self.restated_rows = self.snapshot()

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    def _truth(self) -> dict[str, Any]:
        return json.loads(self.written.truth.read_text(encoding="utf-8"))

    def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        return rows_of(self.lake)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Mailbox() as mailbox:
        yield Company(tmp_path_factory.mktemp("sample"), mailbox)


def costs(rows: list[dict[str, Any]]) -> dict[str, dict[str, Decimal]]:
    """Effective cost by account and kind, with the total, as the truth has it."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        found[row["account"]][row["cost_kind"]] += row["effective_cost"]
        found[row["account"]]["total"] += row["effective_cost"]
    return {account: dict(kinds) for account, kinds in found.items()}


def true_costs(truth: dict[str, Any]) -> dict[str, dict[str, Decimal]]:
    return {
        account: {kind: Decimal(cost) for kind, cost in kinds.items()}
        for account, kinds in truth["effective_cost"].items()
    }


def test_the_nights_are_published_without_a_failure(company: Company) -> None:
    for run in (company.first, company.again, company.restated):
        assert run.result.published, run.problems
        assert run.result.failures == ()


def test_nothing_between_bill_and_log_is_left_unexplained(company: Company) -> None:
    for rows in (company.first_rows, company.restated_rows):
        assert rows["reconciliation_summary"]
        assert {row["unexplained_ratio"] for row in rows["reconciliation_summary"]} == {0.0}


def test_what_bypasses_the_gateway_and_what_is_in_the_log_s_own_cost_is_what_was_put_there(company: Company) -> None:
    for rows, truth in ((company.first_rows, company.first_truth), (company.restated_rows, company.restated_truth)):
        wanted = truth["log_defects"]
        bypass: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows["reconciliation_by_cause"]:
            if row["cause"] == "bypass":
                bypass[row["provider_id"]] += row["usd"]
        assert [str(bypass[name]) for name in ("anthropic", "openai")] == [
            wanted["bypass_usd"][name] for name in ("Anthropic", "OpenAI")
        ]
        found: dict[str, list[Any]] = defaultdict(lambda: [0, Decimal(0)])
        for row in rows["log_defects"]:
            if row["defect"] != "bypass":
                found[row["defect"]][0] += row["request_count"]
                found[row["defect"]][1] += row["effect_usd"] or 0
        margin = wanted["margin_in_cost"]
        assert {name: tuple(values) for name, values in found.items()} == {
            "retry_as_request": (wanted["retry_as_request"]["requests"], 0),
            "zero_cost": (wanted["zero_cost"]["requests"], 0),
            "margin_in_cost": (margin["requests"], Decimal(margin["effect_usd"])),
        }


def test_every_account_holds_the_true_cost_to_the_last_digit(company: Company) -> None:
    assert costs(company.first_rows["chargeback"]) == true_costs(company.first_truth)


def test_a_restated_bill_gives_the_restated_truth(company: Company) -> None:
    assert costs(company.restated_rows["chargeback"]) == true_costs(company.restated_truth)
    assert company.restated_truth["effective_cost"] != company.first_truth["effective_cost"]


def test_what_was_restated_is_told_by_source_and_to_the_last_digit(company: Company) -> None:
    with published(company.lake) as database:
        told = database.execute(
            "select x_source, slice_date, difference from restatements where difference <> 0"
        ).fetchall()
    restated = company.restated_truth["restated"]
    assert sorted(told) == [
        ("aws-bill", FIRST, Decimal(restated["AWS"]["billed_cost"])),
        ("openai-costs", FIRST, Decimal(restated["OpenAI"]["billed_cost"])),
    ]


def test_used_and_unused_are_the_purchase_in_every_hour_of_every_commitment(company: Company) -> None:
    hours = company.first_rows["commitment_hours"]
    assert len(hours) == 3 * 744
    for row in hours:
        assert row["used_cost"] + row["unused_cost"] == row["purchased_cost"]
        assert (row["unexplained_cost"], row["is_stated"]) == (0, True)
    found = {
        (row["commitment_discount_id"], row["hour_start"]): [
            row[f"{name}_cost"] for name in ("purchased", "used", "unused")
        ]
        for row in hours
    }
    assert found == true_hours(company.first_truth)


def test_a_commitment_s_hours_add_up_to_what_the_bills_lines_state_of_it(company: Company) -> None:
    """Against the bills' own lines, row by row: what the hours say of themselves they cannot contradict."""
    with open_house(company.written.config, "run-reader") as house:
        charges, hours = (house.lake.read(table).to_pylist() for table in ("charges", "commitment_hours"))
    stated: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in charges:
        key = f"{row['x_slice_date']} {row['x_source']} {row['commitment_discount_id']}"
        if row["commitment_discount_id"] is not None:
            stated[key]["purchased"] += row["x_commitment_cost"] or 0
            stated[key][str(row["commitment_discount_status"]).lower()] += row["effective_cost"]
    held: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in hours:
        for name in ("purchased", "used", "unused"):
            key = f"{row['billing_period']} {row['x_source']} {row['commitment_discount_id']}"
            held[key][name] += row[f"{name}_cost"]
    assert len(held) == 5, "of September the reservation is missing, which Azure sold in October"
    assert {key: {name: found[name] for name in held[key]} for key, found in stated.items()} == held


def true_hours(truth: dict[str, Any]) -> dict[tuple[str, datetime], list[Decimal]]:
    """Purchased, used and unused by commitment and hour, from the truth's runs of equal hours."""
    return {
        (name, datetime.fromisoformat(run["from"]) + number * timedelta(hours=1)): [
            Decimal(run[f"{part}_cost"]) for part in ("purchased", "used", "unused")
        ]
        for name, commitment in truth["commitments"].items()
        for run in commitment["hours"]
        for number in range(run["count"])
    }


def test_every_commitment_has_its_true_costs_before_and_after_the_restatement(company: Company) -> None:
    names = ("provider_name", "billed_purchase_cost", "purchased_cost", "used_cost", "unused_cost")
    for rows, truth in ((company.first_rows, company.first_truth), (company.restated_rows, company.restated_truth)):
        held = [row for row in rows["commitments"] if row["payment_option"] != "hourly"]
        found = {row["commitment_discount_id"]: [str(row[name]) for name in names] for row in held}
        assert found == {name: [held[part] for part in names] for name, held in truth["commitments"].items()}


def test_every_commitment_and_deployment_has_the_terms_that_its_cloud_tells(company: Company) -> None:
    truth = company.first_truth["commitment_terms"]
    found = {row["commitment_discount_id"]: row for row in company.first_rows["commitments"]}
    assert len(found) == 1 + len(truth), "AWS was not asked: its savings plan is known from the bill alone"
    for name, terms in truth.items():
        assert {key: _told(found[name][key]) for key in terms} == terms


def _told(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else None if value is None else str(value)


def test_a_cloud_s_month_is_final_once_all_of_it_is_invoiced(company: Company) -> None:
    def states(rows: list[dict[str, Any]]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            found[row["provider_name"]].add(row["period_state"])
        return found

    assert set.union(*states(company.first_rows["chargeback"]).values()) == {"provisional"}
    later = states(company.restated_rows["chargeback"])
    assert later.pop("AWS") == {"final"}
    assert set.union(*later.values()) == {"provisional"}


def test_what_the_providers_counted_are_the_true_tokens(company: Company) -> None:
    for rows, truth in ((company.first_rows, company.first_truth), (company.restated_rows, company.restated_truth)):
        found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in rows["provider_usage_daily"]:
            for name in TOKEN_COLUMNS:
                if row[name]:
                    found[row["provider_name"]][name.removesuffix("_tokens")] += row[name]
        assert {name: dict(tokens) for name, tokens in found.items()} == truth["provider_tokens"]


def test_what_is_charged_sums_to_each_bill(company: Company) -> None:
    for rows, truth in ((company.first_rows, company.first_truth), (company.restated_rows, company.restated_truth)):
        charged: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for row in rows["chargeback"]:
            charged[row["provider_name"]][0] += row["billed_cost"]
            charged[row["provider_name"]][1] += row["effective_cost"]
        bills = {name: [Decimal(b["billed_cost"]), Decimal(b["effective_cost"])] for name, b in truth["bills"].items()}
        assert dict(charged) == bills


def test_every_step_of_the_journal_balances(company: Company) -> None:
    balance: dict[str, Decimal] = defaultdict(Decimal)
    for row in company.first_rows["postings"]:
        balance[row["from_account"]] -= row["effective_cost"]
        balance[row["to_account"]] += row["effective_cost"]
    between = {name: left for name, left in balance.items() if name.startswith("pool:")}
    assert between
    assert set(between.values()) == {Decimal(0)}
    assert sum(balance.values(), Decimal(0)) == 0


def test_tokens_and_requests_are_the_true_ones(company: Company) -> None:
    classes = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output_text", "output_reasoning")
    names = ["request_count", "failure_count", "cache_hit_count", *(f"{name}_tokens" for name in classes)]
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))
    for row in company.first_rows["usage_by_team_daily"]:
        account = f"team:{row['team_id']}" if row["team_id"] else "residual:unowned_usage"
        for name in names:
            found[account][name] += row[name]
    truth = {account: {name: usage[name] for name in names} for account, usage in company.first_truth["usage"].items()}
    assert dict(found) == truth


def test_gpu_time_is_in_its_true_states(company: Company) -> None:
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in company.first_rows["gpu_states_hourly"]:
        found[row["cluster"]][row["state"]] += row["state_seconds"]
    assert {cluster: dict(states) for cluster, states in found.items()} == company.first_truth["gpu_state_seconds"]


def test_own_models_tokens_are_those_that_their_engines_counted(company: Company) -> None:
    names = ("prompt_tokens", "cached_tokens", "generated_tokens", "finished_requests")
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: dict.fromkeys(names, 0)))
    for row in company.first_rows["serving_hourly"]:
        for name in names:
            found[str(row["usage_date"])][row["model_id"]][name] += row[name]
    assert found == company.first_truth["engine_tokens"]


def test_engines_count_what_the_gateways_logged_but_for_the_calls_past_them(company: Company) -> None:
    with open_house(company.written.config, "run-reader") as house:
        logged = {str(row["usage_date"]): row for row in house.lake.read("self_hosted_usage").to_pylist()}
    for day, models in company.first_truth["engine_tokens"].items():
        past = company.first_truth["unlogged_engine_tokens"].get(day, {})
        for model_id, counted in models.items():
            row = logged.get(day) or dict.fromkeys(("input_uncached_tokens", "cache_read_tokens", "output_tokens"), 0)
            unlogged = past.get(model_id) or dict.fromkeys(counted, 0)
            prompt_tokens = row["input_uncached_tokens"] + row["cache_read_tokens"]
            assert counted["prompt_tokens"] - unlogged["prompt_tokens"] == prompt_tokens, day
            assert counted["cached_tokens"] - unlogged["cached_tokens"] == row["cache_read_tokens"], day
            assert counted["generated_tokens"] - unlogged["generated_tokens"] == row["output_tokens"], day


def test_pods_held_their_gpus_for_the_true_seconds(company: Company) -> None:
    with open_house(company.written.config, "run-reader") as house:
        rows = [row for row in house.lake.read("gpu_allocations").to_pylist() if row["started_at"].date() >= FIRST]
    held: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        held[row["pod"]] += row["allocated_gpus"] * ((row["ended_at"] - row["started_at"]) // timedelta(seconds=1))
    assert held == company.first_truth["gpu_seconds_held"]


def test_a_released_pod_and_its_successor_are_seen_resting_and_starting(company: Company) -> None:
    """The hours' tables know of five minutes: no more may lie between them and the truth."""
    truth = company.first_truth["pod_replacement"]
    busy: dict[str, list[datetime]] = defaultdict(list)
    for row in company.first_rows["serving_hourly"]:
        busy[row["pod"]] += [row[name] for name in ("first_busy_at", "last_busy_at") if row[name] is not None]
    ended, begun = (datetime.fromisoformat(truth[name]) for name in ("last_request_ended_at", "first_request_at"))
    assert timedelta(0) <= max(busy[truth["released"]]) - ended < timedelta(minutes=5)
    assert timedelta(0) <= begun - min(busy[truth["started"]]) < timedelta(minutes=5)
    assert sum(row["reset_count"] for row in company.first_rows["serving_hourly"]) == 1


def test_every_gpu_node_is_taken_apart_and_its_parts_sum_to_its_cost(company: Company) -> None:
    nodes = company.first_rows["gpu_node_costs"]
    whole, parts = (
        sum((row[name] for row in nodes for name in names), Decimal(0))
        for names in (("effective_cost",), ("gpu_cost", "cpu_cost", "memory_cost", "other_cost"))
    )
    assert whole == parts == sum((row["effective_cost"] for row in company.first_rows["gpu_waste"]), Decimal(0)) > 0
    assert {row["split_method_id"] for row in nodes} == {"opencost_base_prices"}


def test_every_layer_of_gpu_waste_adds_up_to_the_gpu_cost(company: Company) -> None:
    waste = sum((row["effective_cost"] for row in company.first_rows["gpu_waste"]), Decimal(0))
    charged = sum(
        (row["effective_cost"] for row in company.first_rows["chargeback"] if row["cost_kind"] == "gpu"), Decimal(0)
    )
    assert waste == charged


def test_the_repeated_row_counts_once_and_the_bad_row_is_kept(company: Company) -> None:
    deliveries = company.first_truth["deliveries"]
    with published(company.lake) as database:
        rejects = database.execute("select reason, payload from rejects").fetchall()
    assert len(rejects) == deliveries["rejected_rows"]
    assert all(payload for _, payload in rejects)


def test_the_same_night_again_changes_nothing(company: Company) -> None:
    assert company.again_rows == company.first_rows
    rebuilt = {
        step: summary
        for step, summary in company.again.told.summaries.items()
        if step in ("usage_daily", "gpu_states_hourly", "charge_groups", "postings", "chargeback", "gpu_waste")
    }
    assert set(rebuilt.values()) == {"up to date"}


def test_a_restated_bill_rebuilds_what_stands_on_it_and_nothing_else(company: Company) -> None:
    summaries = company.restated.told.summaries
    assert summaries["usage_daily"] == "up to date"
    assert summaries["gpu_states_hourly"] == "up to date"
    assert summaries["chargeback"].startswith("1 slices")


def test_a_clean_lake_gives_the_same_tables_as_the_restated_one(company: Company, tmp_path: Path) -> None:
    sample.write(tmp_path, as_of=RESTATED, since=BEFORE)
    clean = night(tmp_path / "farthing.yml", BEFORE, LAST, at=RESTATED)
    assert clean.result.published
    fresh = rows_of(tmp_path / "lake")
    for name, rows in company.restated_rows.items():
        assert sorted(map(repr, fresh[name])) == sorted(map(repr, rows)), name


def test_every_team_gets_its_statement_once(company: Company) -> None:
    statements = [message for message in company.first_mail if message["Subject"].startswith("AI costs of")]
    recipients = sorted(str(message["To"]) for message in statements)
    assert len(recipients) == 7
    assert len(set(recipients)) == 7
    assert company.again_mail == company.first_mail


def test_budgets_that_are_nearly_or_wholly_spent_are_told_to_whom_they_belong(company: Company) -> None:
    told = {str(m["To"]).partition("@")[0]: m["Subject"] for m in company.first_mail if "Budget" in m["Subject"]}
    assert sorted(told) == ["finance", "product-lead", "research-lead", "search-lead", "support-lead"]
    assert "109.1" in told["research-lead"]  # $9,817.92 of $9,000


def test_a_statement_shows_its_team_its_total_and_nobody_else(company: Company) -> None:
    legal = next(m for m in company.first_mail if "legal" in str(m["To"]))
    text = legal.get_body(("plain",)).get_content()
    total = true_costs(company.first_truth)["team:legal"]["total"]
    assert f"${round(total, 2):,}" in text
    assert "Provisional" in text
    for other in ("Mobile", "Growth", "Customer Support"):
        assert other not in text


def test_published_meta_says_what_the_snapshot_was_made_from(company: Company) -> None:
    with published(company.lake) as database:
        sections = {row[0] for row in database.execute("select distinct section from published.meta").fetchall()}
        state = database.execute("select value from published.meta where name = '2026-10 Nimbus Compute'").fetchone()
    assert {"configuration", "table_version", "watermark", "day_state", "period_state"} <= sections
    assert state == ("provisional",)


def charges_of_october(lake: Lake) -> pa.Table:
    charges = lake.read("charges")
    return charges.filter(pc.equal(charges["x_slice_date"], FIRST))


def focus_file(company: Company, version: str, name: str) -> Path:
    """October as the command exports it; some of the company's providers do not say all that the standard wants."""
    file = company.folder / name
    arguments = ["--month", "2026-10", "--version", version, "--output", str(file), "-c", str(company.written.config)]
    found = CliRunner().invoke(app, ["export", "focus", *arguments])
    assert found.exit_code == 3, found.output
    (company.folder / "told.txt").write_text(found.output, encoding="utf-8")
    return file


def test_the_focus_export_is_the_bills_and_the_chargeback_to_the_last_unit(company: Company) -> None:
    file = focus_file(company, "1.2", "focus.parquet")
    with published(company.lake) as database:
        database.execute(f"create temp view rows as from '{file}'")
        with open_house(company.written.config, "read", writing=False) as house:
            database.register("charges", charges_of_october(house.lake))
        sums = "sum(BilledCost), sum(EffectiveCost) from rows group by all order by all"
        billed = "sum(billed_cost), sum(effective_cost) from charges group by all order by all"
        assert (
            database.sql(f"select BillingAccountId, InvoiceId, BillingCurrency, {sums}").fetchall()
            == database.sql(f"select billing_account_id, invoice_id, billing_currency, {billed}").fetchall()
        )
        carried = "sum(effective_cost) from chargeback where billing_period = '2026-10-01' group by all order by all"
        exported = database.sql("select x_AccountId, sum(EffectiveCost) from rows group by all order by all").fetchall()
        assert exported == database.sql(f"select account, {carried}").fetchall()
        # what a commitment's purchase is worth in the month, used and unused, is its effective cost
        [(unused,)] = database.sql("select count(*) from rows where CommitmentDiscountStatus = 'Unused'").fetchall()
        assert unused > 0


def test_what_prices_saved_is_of_every_account_what_the_ledger_gives_it(company: Company) -> None:
    with published(company.lake) as database:
        sums = "sum(effective_cost) from {table} group by all order by all"
        by_account = [
            database.sql(f"select account, billing_currency, {sums.format(table=table)}").fetchall()
            for table in ("chargeback", "rate_variance")
        ]
        assert by_account[0] == by_account[1]
        seen = "count(*) filter (commitment_variance < 0), count(*) filter (unlisted_cost > 0) from rate_variance"
        [(saved, unlisted)] = database.sql(f"select {seen}").fetchall()
        assert saved > 0
        assert unlisted > 0


def test_the_official_validator_finds_nothing_but_what_it_gets_wrong(company: Company) -> None:
    file = focus_file(company, "1.2", "focus.parquet")
    assert failed_rules(file) == WRONG.keys()
    with open_house(company.written.config, "read", writing=False) as house, duckdb.connect() as database:
        database.register("charges", charges_of_october(house.lake))
        database.execute(f"create view rows as from '{file}'")
        broken = {name: database.sql(wrong.breaks).fetchall() for name, wrong in WRONG.items()}
    assert {name: rows for name, rows in broken.items() if rows} == {}


def test_what_the_validator_misses_where_it_asks_for_everything_is_what_the_command_tells(company: Company) -> None:
    file = focus_file(company, "1.2", "focus.parquet")
    told = set(
        re.findall(r"^! (\w+) is not known", (company.folder / "told.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    there = set(pq.read_schema(file).names)
    missed = failed_rules(file, "ALL") - WRONG.keys()
    columns = {rules()[name]["Requirement"].get("ColumnName") or name.split("-")[0] for name in missed}
    left_out = {name for name, column in focus_mapping().columns.items() if column.is_optional} - there
    assert columns <= told | left_out
    assert {"ResourceType", "RegionName", "BillingAccountName"} <= columns & told


def test_the_lint_of_the_newest_version_finds_nothing(company: Company) -> None:
    assert lint_of_the_newest(focus_file(company, "1.4", "focus.csv")) == ""


def test_what_came_of_tickets_and_documents_is_what_happened(company: Company) -> None:
    for rows, truth in ((company.first_rows, company.first_truth), (company.restated_rows, company.restated_truth)):
        month = [row for row in rows["unit_costs"] if row["period_kind"] == "month"]
        for kind in ("ticket-resolved", "document-parsed"):
            for route, wanted in truth["outcomes"][kind].items():
                named = (kind, "route", route)
                (found,) = [r for r in month if (r["outcome_kind"], r["level"], r["route"]) == named]
                counts = ("trace_count", "outcome_count", "success_count", "reversed_count")
                assert [int(found[name]) for name in counts] == [
                    wanted[name] for name in ("traces", "outcomes", "successes", "reversed")
                ]
                if "cost_usd" in wanted:
                    assert found["priced_cost_usd"] == Decimal(wanted["cost_usd"])
                assert (found["cost_per_success_usd"] is None) is (route == "unknown")
        (tickets,) = [r for r in month if (r["outcome_kind"], r["level"]) == ("ticket-resolved", "kind")]
        assert tickets["unmatched_count"] == truth["outcomes"]["unmatched_tickets"]


def test_outcomes_on_own_gpus_cost_what_the_log_s_requests_there_do(company: Company) -> None:
    logged = sum(
        row["priced_cost_usd"] or 0
        for row in company.first_rows["usage_by_team_daily"]
        if row["is_self_hosted"] and row["feature"] == "ticket-triage"
    )
    named = ("ticket-resolved", "route", "self_hosted", "month")
    (found,) = [
        row
        for row in company.first_rows["unit_costs"]
        if (row["outcome_kind"], row["level"], row["route"], row["period_kind"]) == named
    ]
    assert found["priced_cost_usd"] == logged > 0


def test_every_figure_of_the_ledger_is_explained_to_its_last_digit(company: Company) -> None:
    with evidence(Lake.open(str(company.lake), {}, lambda: datetime(2026, 11, 5))) as found:
        rules = Rules(company.written.config)
        for table in ("gpu_waste", "costs_by_category", "invoice_tie_out"):
            asked = Question(MARTS[table], OCTOBER)
            assert explain(found, MARTS[table], cells(found, asked), rules, "weights").breaks == ()
        charged = cells(found, Question(MARTS["chargeback"], OCTOBER))
        parts: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for (account,), rows in charged.group_by("account", maintain_order=True):
            explanation = explain(found, MARTS["chargeback"], rows, rules)
            assert explanation.breaks == (), account
            assert [level.name for level in explanation.levels] == list(DEPTHS[:-1])
            for line in explanation.levels[DEPTHS.index("bill")].rows.iter_rows(named=True):
                parts[line["x_source"], line["x_page"], line["x_row"]] += line["effective_cost"]
        # most lines are shared: what all accounts have of a line is the line
        bill = found.stored("charges", FIRST, date(2026, 11, 1))
        whole = {tuple(row[:3]): row[3] for row in bill.select("x_source", "x_page", "x_row", "effective_cost").rows()}
        assert {line: part for line, part in parts.items() if part != whole[line]} == {}
        assert sum(parts.values()) == sum(whole.values()) > 0


def test_a_team_s_log_lines_and_their_prices_are_behind_its_share_of_a_bill(company: Company) -> None:
    with evidence(Lake.open(str(company.lake), {}, lambda: datetime(2026, 11, 5))) as found:
        asked = Question(
            MARTS["chargeback"], {"team_id": "search", "model_id": "gpt-5-mini", "charge_date": "2026-10-07"}
        )
        rows = cells(found, asked)
        explanation = explain(found, asked.mart, rows, Rules(company.written.config), "requests")
    assert explanation.breaks == ()
    (requests,) = [level.rows for level in explanation.levels if level.name == "requests"]
    logged = requests.unique(["x_source", "x_page", "x_row"])
    own = [row for row in company.restated_rows["usage_by_team_daily"] if row["team_id"] == "search"]
    day = [row for row in own if (row["usage_date"], row["model_id"]) == (date(2026, 10, 7), "gpt-5-mini")]
    assert logged.height == sum(row["request_count"] for row in day) > 100
    bought = logged.filter(~logged["is_cache_hit"])  # what the gateway's own cache answers costs nothing
    assert 0 < bought.height < logged.height
    # an attempt that failed is the model's, too, and has no tokens to price
    failed = bought["status"] == "failure"
    assert bought.filter(failed)["request_cost_usd"].null_count() == failed.sum() > 0
    bought = bought.filter(~failed)
    priced = [
        [(row[f"{name}_tokens"] or 0) * (row[f"{name}_usd_per_token"] or 0) for name in TOKEN_CLASSES]
        for row in bought.iter_rows(named=True)
    ]
    assert [sum(costs, Decimal(0)) for costs in priced] == bought["request_cost_usd"].to_list()


TUTORIAL = [command for command in shown("docs/tutorial.md") if command.answer]


@pytest.mark.parametrize("command", TUTORIAL, ids=lambda command: " ".join(command.arguments)[:60])
def test_the_tutorial_s_answers_are_what_its_commands_say(company: Company, command: Shown) -> None:
    config = str(company.written.config)
    arguments = [argument.replace("farthing-demo/farthing.yml", config) for argument in command.arguments]
    output = CliRunner(env={"COLUMNS": "80"}).invoke(app, arguments).output  # whatever terminal the tests run in
    assert command.is_answered_by(output), output
