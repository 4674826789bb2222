"""A night over real bills, a real request trace and real GPU scrapes; every total is worked out without the pipeline."""

import csv
import gzip
import hashlib
import json
import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from tests.pipelines.conftest import Night, night, published
from tests.pipelines.focus_validator import WRONG, failed_rules

DAY = date(2024, 9, 18)  # inside the bill's month
INPUT_USD, OUTPUT_USD = Decimal("2.50"), Decimal("10.00")  # gpt-4o per million tokens; list price of that month
TEAMS = ("alpha", "beta", "gamma")
CONFIG = """\
company: Real Input
lake: lake
sources:
  - {name: bill, kind: focus, account: sunbird, location: bills}
  - {name: gateway, kind: litellm, location: log, hash_key: file:key}
  - {name: gpus, kind: dcgm, account: conformance, scrapes: scrapes}
teams:
  - {id: alpha, name: Alpha}
  - {id: beta, name: Beta}
  - {id: gamma, name: "=cmd|' /C calc'!A0"}
owners:
  - {id: alpha-key, gateway_key: alpha, team: alpha}
  - {id: beta-key, gateway_key: beta, team: beta}
  - {id: gamma-account, sub_account: "51738928782", team: gamma}
"""


def trace_rows(shared_data: Path) -> list[tuple[datetime, int, int]]:
    """The trace, moved to the bill's month by whole days; times of day and sizes are as recorded."""
    with (shared_data / "llm_request_trace" / "azure_llm_inference_conv_first_5000.csv").open() as file:
        found = []
        for row in csv.DictReader(file):
            moment = datetime.fromisoformat(row["TIMESTAMP"][:26])
            moved = datetime.combine(DAY, moment.time()) + (moment.date() - date(2023, 11, 16))
            found.append((moved, int(row["ContextTokens"]), int(row["GeneratedTokens"])))
        return found


def payload(number: int, moment: datetime, context: int, generated: int, alias: str) -> dict[str, object]:
    epoch = (moment - datetime(1970, 1, 1)) / timedelta(seconds=1)
    return {
        "id": f"chatcmpl-{number:06d}",
        "trace_id": f"trace-{number:06d}",
        "call_type": "acompletion",
        "stream": False,
        "status": "success",
        "custom_llm_provider": "openai",
        "model": "gpt-4o",
        "model_group": "gpt-4o",
        "startTime": epoch,
        "endTime": epoch + 1.5,
        "completionStartTime": epoch + 0.5,
        "prompt_tokens": context,
        "completion_tokens": generated,
        "total_tokens": context + generated,
        "response_cost": 0.0,
        "cache_hit": None,
        "messages": [{"role": "user", "content": "the prompt of a customer"}],
        "response": {"choices": [{"message": {"content": "the answer"}}]},
        "metadata": {
            "user_api_key_hash": hashlib.sha256(alias.encode()).hexdigest(),
            "user_api_key_alias": alias,
            "user_api_key_team_id": None,
            "usage_object": {
                "prompt_tokens": context,
                "completion_tokens": generated,
                "total_tokens": context + generated,
            },
        },
        "request_tags": [],
    }


@pytest.fixture(scope="module")
def house(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Night]:
    folder = tmp_path_factory.mktemp("real")
    (folder / "farthing.yml").write_text(CONFIG, encoding="utf-8")
    (folder / "key").write_text("k" * 40, encoding="utf-8")
    (folder / "bills" / "2024-09").mkdir(parents=True)
    shutil.copy(shared_data / "focus_1_0_sample" / "focus_sample_first_300.csv", folder / "bills" / "2024-09")
    lines: dict[date, list[str]] = {}
    for number, (moment, context, generated) in enumerate(trace_rows(shared_data)):
        row = payload(number, moment, context, generated, TEAMS[number % 3])
        lines.setdefault(moment.date(), []).append(json.dumps(row))
    for day, rows in lines.items():
        target = folder / "log" / day.isoformat()
        target.mkdir(parents=True)
        (target / "trace.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode(), mtime=0))
    (folder / "scrapes" / DAY.isoformat()).mkdir(parents=True)
    for hour, scrape in enumerate(sorted((shared_data / "dcgm_scrapes").glob("*.prom"))):
        shutil.copy(scrape, folder / "scrapes" / DAY.isoformat() / f"{DAY:%Y%m%d}T{hour + 8:02d}0000Z-{scrape.name}")
    return folder, night(folder / "farthing.yml", date(2024, 9, 1), date(2024, 9, 30))


def bill_rows(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "focus_1_0_sample" / "focus_sample_first_300.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_the_night_is_published(house: tuple[Path, Night]) -> None:
    _, run = house
    assert run.result.published, run.problems
    assert run.result.failures == ()


def test_every_billed_cent_is_charged_to_somebody(house: tuple[Path, Night], shared_data: Path) -> None:
    folder, _ = house
    rows = bill_rows(shared_data)
    billed = sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0))
    effective = sum((Decimal(row["EffectiveCost"]) for row in rows), Decimal(0))
    with published(folder / "lake") as database:
        found = database.execute("select sum(billed_cost), sum(effective_cost) from chargeback").fetchone()
    assert found == (billed, effective)


def test_an_owned_account_is_charged_with_exactly_its_lines(house: tuple[Path, Night], shared_data: Path) -> None:
    folder, _ = house
    own = sum(
        (Decimal(r["BilledCost"]) for r in bill_rows(shared_data) if r["SubAccountId"] == "51738928782"), Decimal(0)
    )
    assert own > 0
    with published(folder / "lake") as database:
        found = database.execute("select sum(billed_cost) from chargeback where team_id = 'gamma'").fetchone()
    assert found == (own,)


def test_every_request_of_the_trace_is_priced(house: tuple[Path, Night], shared_data: Path) -> None:
    folder, _ = house
    trace = trace_rows(shared_data)
    cost = sum(
        (Decimal(context) * INPUT_USD + Decimal(generated) * OUTPUT_USD for _, context, generated in trace), Decimal(0)
    ) / Decimal(1_000_000)
    with published(folder / "lake") as database:
        found = database.execute(
            "select sum(request_count), sum(input_uncached_tokens), sum(output_text_tokens), sum(priced_cost_usd) "
            "from usage_by_team_daily"
        ).fetchone()
        alpha = database.execute(
            "select sum(request_count) from usage_by_team_daily where team_id = 'alpha'"
        ).fetchone()
        unowned = database.execute(
            "select sum(request_count) from usage_by_team_daily where team_id is null"
        ).fetchone()
    assert found == (len(trace), sum(c for _, c, _ in trace), sum(g for _, _, g in trace), cost)
    thirds = [len(trace[start::3]) for start in range(3)]
    assert alpha == (thirds[0],)
    assert unowned == (thirds[2],)


def test_traffic_whose_bill_has_not_come_is_told_as_such(house: tuple[Path, Night]) -> None:
    folder, _ = house
    with published(folder / "lake") as database:
        row = database.execute(
            "select billed_cost, estimated_cost + not_billed_cost + counted_otherwise_cost, unexplained_difference "
            "from reconciliation_summary where provider_id = 'openai'"
        ).fetchone()
        causes = database.execute(
            "select distinct cause from reconciliation_causes where provider_id = 'openai'"
        ).fetchall()
    assert row == (Decimal(0), Decimal(0), Decimal(0))
    assert causes == [("no_bill",)]


def test_a_recorded_trace_has_sizes_that_occur_twice_within_a_second_and_nothing_twice(
    house: tuple[Path, Night], shared_data: Path
) -> None:
    folder, _ = house
    rows = sorted((n % 3, row[1:], row[0]) for n, row in enumerate(trace_rows(shared_data)))
    alike = sum(
        (key, size) == (other_key, other_size) and moment - earlier <= timedelta(seconds=1)
        for (other_key, other_size, earlier), (key, size, moment) in pairwise(rows)
    )
    with published(folder / "lake") as database:
        found = database.execute("select count(*) from request_defects where defect = 'duplicate'").fetchone()
    assert alike > 0
    assert found == (0,)


def test_no_prompt_is_anywhere_in_the_lake(house: tuple[Path, Night]) -> None:
    folder, _ = house
    landed = [path for path in (folder / "lake").rglob("*") if path.is_file()]
    assert landed
    assert [path for path in landed if b"prompt of a customer" in path.read_bytes()] == []


def test_real_scrapes_are_staged_gpu_by_gpu(house: tuple[Path, Night], shared_data: Path) -> None:
    folder, _ = house
    gpus = set()
    for scrape in (shared_data / "dcgm_scrapes").glob("*.prom"):
        for line in scrape.read_text(encoding="utf-8").splitlines():
            if line.startswith("DCGM_") and 'UUID="' in line:
                gpus.add(line.split('UUID="')[1].split('"')[0])
    with published(folder / "lake") as database:
        database.execute("select 1")
    from pipelines.lake import Lake

    staged = Lake.open(str(folder / "lake"), {}, datetime.now).read("gpu_samples")
    assert set(staged["gpu_uuid"].to_pylist()) == gpus


def test_a_team_named_like_a_formula_has_a_statement_that_is_inert(house: tuple[Path, Night]) -> None:
    folder, _ = house
    page = next((folder / "reports" / "2024-09").glob("*gamma*.html")).read_text(encoding="utf-8")
    assert "=cmd|&#39; /C calc&#39;!A0" in page


def test_a_published_bill_is_exported_with_nothing_wrong_but_what_it_says_itself(house: tuple[Path, Night]) -> None:
    folder, _ = house
    file = folder / "focus.parquet"
    arguments = ["--month", "2024-09", "--output", str(file), "-c", str(folder / "farthing.yml")]
    said = CliRunner().invoke(app, ["export", "focus", *arguments]).output
    assert "Amazon Elastic Compute Cloud stands under Compute and Storage" in said
    one_category = {"ServiceName-C-005-C", "ServiceName-C-008-C"}
    assert failed_rules(file) - WRONG.keys() == one_category
