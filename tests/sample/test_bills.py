import csv
import gzip
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sample.story import tell
from sample.write import write_bills

OPENAI = "exports/openai/2026-10/openai-costs-2026-10.csv.gz"
ANTHROPIC = "exports/anthropic/2026-10/anthropic-costs-2026-10.parquet"
NIMBUS = "exports/gpucloud/2026-10/nimbus-2026-10.csv"


def openai_rows(directory: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress((directory / OPENAI).read_bytes()).decode(), newline="")))


def nimbus_rows(directory: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((directory / NIMBUS).read_text(), newline="")))


def total(rows: list[dict[str, str]], column: str = "BilledCost") -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


@pytest.fixture(scope="session")
def restated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    directory = tmp_path_factory.mktemp("restated")
    story = tell(1847, date(2026, 11, 5))
    write_bills(directory / "exports", story)
    return directory, json.loads(json.dumps(story.truth()))


def test_each_file_adds_up_to_the_truth_and_to_its_manifest(october):
    parquet = pq.read_table(october.directory / ANTHROPIC)
    files = {
        "OpenAI": (OPENAI, total(openai_rows(october.directory)), len(openai_rows(october.directory))),
        "Anthropic": (ANTHROPIC, sum(parquet["BilledCost"].to_pylist()), parquet.num_rows),
        "Nimbus Compute": (NIMBUS, total(nimbus_rows(october.directory)), len(nimbus_rows(october.directory))),
    }
    for provider, (file, cost, rows) in files.items():
        manifest = json.loads((october.directory / file).with_name("_manifest.json").read_text())
        assert (
            cost == Decimal(october.truth["bills"][provider]["billed_cost"]) == Decimal(manifest["total_billed_cost"])
        )
        assert rows == october.truth["bills"][provider]["lines"] == manifest["rows"]
        assert manifest["files"] == [Path(file).name]


def test_the_column_sets_are_those_of_the_three_versions(october):
    openai, nimbus = openai_rows(october.directory)[0], nimbus_rows(october.directory)[0]
    anthropic = pq.read_schema(october.directory / ANTHROPIC).names
    assert len(nimbus) == 43  # FOCUS 1.0
    assert len(openai) == 57 + 2  # FOCUS 1.2, model and token class
    assert len(anthropic) == 65 + 2  # FOCUS 1.3 Cost and Usage, model and token class
    assert "InvoiceId" not in nimbus
    assert "ServiceProviderName" not in openai
    assert {"ServiceProviderName", "HostProviderName", "x_ModelId", "x_TokenClass"} <= set(anthropic)


def test_costs_are_exact_decimals_of_at_most_twelve_places_and_follow_from_price_and_quantity(october):
    for row in openai_rows(october.directory) + nimbus_rows(october.directory):
        assert -int(Decimal(row["BilledCost"]).as_tuple().exponent) <= 12
        assert "E" not in row["BilledCost"]
        if row["ChargeCategory"] == "Usage":
            assert Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row["ListCost"])
            assert Decimal(row["ContractedUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row["BilledCost"])


def test_an_openai_line_costs_its_tokens_at_the_list_price(october):
    """Read from the file; gpt-5 is 1.25, 0.125 and 10 USD per million tokens."""
    prices = {"input_uncached": Decimal("1.25"), "cache_read": Decimal("0.125"), "output_text": Decimal(10)}
    lines = [row for row in openai_rows(october.directory) if row["x_ModelId"] == "gpt-5"]
    assert len(lines) > 100
    for row in lines:
        assert Decimal(row["BilledCost"]) == prices[row["x_TokenClass"]] * Decimal(row["ConsumedQuantity"]) / 1_000_000


def test_the_cloud_bills_nodes_volumes_support_tax_and_a_credit(october):
    rows = nimbus_rows(october.directory)
    by_category: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_category.setdefault(row["ChargeCategory"], []).append(row)
    # 16 GPUs x 744 hours x 1.99; volumes 14.40 + 6.25 + 2.10 a day; tax 2.5 % of usage and support.
    usage = 16 * 744 * Decimal("1.99") + 31 * Decimal("22.75")
    assert total(by_category["Usage"]) == usage == Decimal("24394.21")
    assert total(by_category["Purchase"]) == Decimal(450)
    assert total(by_category["Tax"]) == Decimal("621.11")
    assert total(by_category["Credit"]) == Decimal(-750)
    nodes = {name: [r for r in rows if r["ResourceId"] == name] for name in ("nimbus-gpu-0a17", "nimbus-gpu-0b42")}
    assert [len(lines) for lines in nodes.values()] == [31, 744]


def test_the_openai_bill_has_no_invoice_until_it_is_restated(october, restated):
    assert {row["InvoiceId"] for row in openai_rows(october.directory)} == {""}
    assert {row["InvoiceId"] for row in openai_rows(restated[0])} == {"OAI-2026-10-00417"}
    assert set(pq.read_table(october.directory / ANTHROPIC)["InvoiceId"].to_pylist()) == {"ANT-2026-10-0093"}


def test_the_restatement_changes_three_days_and_adds_one_line(october, restated):
    def keyed(directory: Path) -> dict[tuple[str, ...], str]:
        keys = ("ChargePeriodStart", "SubAccountId", "x_ModelId", "x_TokenClass")
        return {tuple(row[key] for key in keys): row["BilledCost"] for row in openai_rows(directory)}

    before, after = keyed(october.directory), keyed(restated[0])
    added = after.keys() - before.keys()
    assert added == {("2026-10-30T00:00:00Z", "proj_sandbox", "gpt-5-nano", "cache_read")}
    assert before.keys() - after.keys() == set()
    changed = {key for key in before if before[key] != after[key]}
    assert {key[0][:10] for key in changed} == {"2026-10-20", "2026-10-21", "2026-10-22"}
    assert all(Decimal(after[key]) < Decimal(before[key]) for key in changed)


def test_the_truth_follows_the_restatement(october, restated):
    truth = restated[1]
    assert truth["is_restated"]
    assert not october.truth["is_restated"]
    assert truth["bills"]["OpenAI"] != october.truth["bills"]["OpenAI"]
    assert truth["bills"]["Anthropic"] == october.truth["bills"]["Anthropic"]
    assert truth["effective_cost"]["team:data-platform"] != october.truth["effective_cost"]["team:data-platform"]
    assert truth["usage"] == october.truth["usage"]
    assert total(openai_rows(restated[0])) == Decimal(truth["bills"]["OpenAI"]["billed_cost"])


def test_about_three_per_cent_of_provider_usage_bypasses_the_gateway(october):
    rows = openai_rows(october.directory)
    parquet = pq.read_table(october.directory / ANTHROPIC, columns=["SubAccountId", "BilledCost"]).to_pylist()
    direct = total([row for row in rows if row["SubAccountId"] != "proj_gateway"])
    direct += sum(row["BilledCost"] for row in parquet if row["SubAccountId"] != "wrkspc_gateway")
    everything = total(rows) + sum(row["BilledCost"] for row in parquet)
    assert Decimal("0.01") < direct / everything < Decimal("0.04")
