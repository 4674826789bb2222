import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

OPENAI = "exports/openai/2026-10/costs"
ANTHROPIC = "exports/anthropic/2026-10/cost_report"
ANTHROPIC_TOTAL = "exports/anthropic/2026-10/cost_report_total"
CLASSES = {"input": "input_uncached", "cached input": "cache_read", "output": "output_text"}
NIMBUS = "exports/gpucloud/2026-10/nimbus-2026-10.csv"


def pages(folder: Path) -> list[dict]:
    """The saved answers in order, numbers with all their digits."""
    return [json.loads(page.read_text(), parse_float=Decimal) for page in sorted(folder.glob("page-*.json"))]


def openai_rows(directory: Path) -> list[dict[str, str]]:
    return [
        {
            "ChargePeriodStart": str(bucket["start_time"]),
            "BilledCost": str(result["amount"]["value"]),
            "SubAccountId": result["project_id"],
            "x_ModelId": result["line_item"].partition(", ")[0],
            "x_TokenClass": CLASSES[result["line_item"].partition(", ")[2]],
            "ConsumedQuantity": str(result["quantity"]),
        }
        for page in pages(directory / OPENAI)
        for bucket in page["data"]
        for result in bucket["results"]
    ]


def anthropic_rows(directory: Path, report: str = ANTHROPIC) -> list[dict[str, str]]:
    """The report's results; cents as they are written."""
    return [
        {"SubAccountId": result["workspace_id"], "cents": result["amount"]}
        for page in pages(directory / report)
        for bucket in page["data"]
        for result in bucket["results"]
    ]


def nimbus_rows(directory: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((directory / NIMBUS).read_text(), newline="")))


def total(rows: list[dict[str, str]], column: str = "BilledCost") -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def test_each_source_adds_up_to_the_truth_and_to_its_own_total(october):
    bills = october.truth["bills"]
    openai, nimbus = openai_rows(october.directory), nimbus_rows(october.directory)
    assert (total(openai), len(openai)) == (Decimal(bills["OpenAI"]["billed_cost"]), bills["OpenAI"]["lines"])
    manifest = json.loads((october.directory / NIMBUS).with_name("_manifest.json").read_text())
    assert total(nimbus) == Decimal(bills["Nimbus Compute"]["billed_cost"]) == Decimal(manifest["total_billed_cost"])
    assert len(nimbus) == bills["Nimbus Compute"]["lines"] == manifest["rows"]
    assert manifest["files"] == [Path(NIMBUS).name]
    grouped, ungrouped = anthropic_rows(october.directory), anthropic_rows(october.directory, ANTHROPIC_TOTAL)
    cents = Decimal(bills["Anthropic"]["billed_cost"]) * 100
    assert total(grouped, "cents") == total(ungrouped, "cents") == cents
    assert (len(grouped), len(ungrouped)) == (bills["Anthropic"]["lines"], 31)


def test_the_cloud_s_columns_are_those_of_focus_1_0(october):
    nimbus = nimbus_rows(october.directory)[0]
    assert len(nimbus) == 43
    assert "InvoiceId" not in nimbus


def test_pages_name_the_next_one_and_the_last_one_names_none(october):
    first, second = pages(october.directory / OPENAI)
    assert (first["has_more"], second["has_more"], second["next_page"]) == (True, False, None)
    assert len(first["data"]) + len(second["data"]) == 31


def test_the_usage_of_a_day_is_what_its_costs_are_for(october):
    """1.25, 0.125 and 10 USD per million tokens of gpt-5; the inclusive input holds what was cached."""
    used = next(
        result
        for result in pages(october.directory / "exports/openai/2026-10-06/completions")[0]["data"][0]["results"]
        if (result["project_id"], result["model"]) == ("proj_gateway", "gpt-5")
    )
    day = str(int(datetime(2026, 10, 6, tzinfo=UTC).timestamp()))
    costs = {
        row["x_TokenClass"]: Decimal(row["BilledCost"])
        for row in openai_rows(october.directory)
        if (row["ChargePeriodStart"], row["SubAccountId"], row["x_ModelId"]) == (day, "proj_gateway", "gpt-5")
    }
    assert costs["input_uncached"] == used["input_uncached_tokens"] * Decimal("0.00000125")
    assert costs["cache_read"] == used["input_cached_tokens"] * Decimal("0.000000125")
    assert costs["output_text"] == used["output_tokens"] * Decimal("0.00001")
    assert used["input_tokens"] == used["input_uncached_tokens"] + used["input_cached_tokens"]


def test_costs_are_exact_decimals_of_at_most_twelve_places_and_follow_from_price_and_quantity(october):
    for row in openai_rows(october.directory):
        assert -int(Decimal(row["BilledCost"]).as_tuple().exponent) <= 12
    for row in nimbus_rows(october.directory):
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


def day_of(key: tuple[str, ...]) -> str:
    return str(datetime.fromtimestamp(int(key[0]), UTC).date())


def test_the_restatement_changes_three_days_and_adds_one_line(october, restated):
    def keyed(directory: Path) -> dict[tuple[str, ...], str]:
        keys = ("ChargePeriodStart", "SubAccountId", "x_ModelId", "x_TokenClass")
        return {tuple(row[key] for key in keys): row["BilledCost"] for row in openai_rows(directory)}

    before, after = keyed(october.directory), keyed(restated[0])
    added = after.keys() - before.keys()
    assert {(key[1:], day_of(key)) for key in added} == {(("proj_sandbox", "gpt-5-nano", "cache_read"), "2026-10-30")}
    assert before.keys() - after.keys() == set()
    changed = {key for key in before if before[key] != after[key]}
    assert {day_of(key) for key in changed} == {"2026-10-20", "2026-10-21", "2026-10-22"}
    assert all(Decimal(after[key]) < Decimal(before[key]) for key in changed)


def test_the_truth_follows_the_restatement(october, restated):
    truth = restated[1]
    assert truth["is_restated"]
    assert not october.truth["is_restated"]
    assert truth["bills"]["OpenAI"] != october.truth["bills"]["OpenAI"]
    assert set(truth["restated"]) == {"OpenAI", "AWS"}
    assert october.truth["restated"] == {}
    change = Decimal(truth["bills"]["OpenAI"]["billed_cost"]) - Decimal(october.truth["bills"]["OpenAI"]["billed_cost"])
    assert Decimal(truth["restated"]["OpenAI"]["billed_cost"]) == change < 0
    assert truth["bills"]["Anthropic"] == october.truth["bills"]["Anthropic"]
    assert truth["effective_cost"]["team:data-platform"] != october.truth["effective_cost"]["team:data-platform"]
    assert truth["usage"] == october.truth["usage"]
    assert total(openai_rows(restated[0])) == Decimal(truth["bills"]["OpenAI"]["billed_cost"])


def test_about_three_per_cent_of_provider_usage_bypasses_the_gateway(october):
    openai, anthropic = openai_rows(october.directory), anthropic_rows(october.directory)
    direct = total([row for row in openai if row["SubAccountId"] != "proj_gateway"])
    direct += total([row for row in anthropic if row["SubAccountId"] != "wrkspc_gateway"], "cents") / 100
    everything = total(openai) + total(anthropic, "cents") / 100
    assert Decimal("0.01") < direct / everything < Decimal("0.04")
