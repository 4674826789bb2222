import csv
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from genai_prices import Usage, calc_price

from sample.aws_lines import CLAUDE, CLAUDE_USD_PER_MTOK
from sample.azure_lines import METERS
from sample.gcp_files import SCHEMA
from sample.gcp_lines import GEMINI, GEMINI_USD_PER_MTOK
from sample.lines import as_double
from sample.story import tell
from sample.write import write_bills
from tests.sample.clouds import (
    aws_billed,
    aws_effective,
    aws_file,
    aws_manifest,
    aws_rows,
    azure_cost,
    azure_rows,
    azure_run,
    gcp_cost,
    gcp_rows,
    money,
    of_type,
)

CONTRACTS = Path(__file__).resolve().parents[2] / ".." / "shared" / "contracts"
MID_OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)


def contract(name: str) -> list[dict[str, str]]:
    if not CONTRACTS.is_dir():
        pytest.skip(f"the providers' columns are not at {CONTRACTS.resolve()}")
    return list(csv.DictReader((CONTRACTS / name).read_text().splitlines()))


def test_aws_s_lines_add_up_to_what_is_billed_and_by_its_own_amortisation_to_what_it_is_worth(october, restated):
    for directory, truth in ((october.directory, october.truth), restated):
        rows = aws_rows(directory)
        bill = truth["bills"]["AWS"]
        assert sum(map(aws_billed, rows)) == Decimal(bill["billed_cost"])
        assert sum(map(aws_effective, rows)) == Decimal(bill["effective_cost"])
        assert len(rows) == bill["lines"]


def test_an_hour_of_the_half_prepaid_plan_is_worth_twice_its_invoice(october):
    bill = october.truth["bills"]["AWS"]
    assert Decimal(bill["effective_cost"]) - Decimal(bill["billed_cost"]) == 744 * Decimal("1.75")


def test_aws_s_columns_have_their_documented_types_and_the_manifest_names_them_and_the_file(october):
    documented = {row["column"]: row["type"] for row in contract("aws_cur2_columns.csv")}
    manifest = aws_manifest(october.directory)
    assert {column["name"]: column["type"] for column in manifest["columns"]}.items() <= documented.items()
    texts = pa.map_(pa.string(), pa.string())
    types = {"string": pa.string(), "double": pa.float64(), "map<string,string>": texts}
    schema = pq.read_schema(aws_file(october.directory))
    assert [column["name"] for column in manifest["columns"]] == schema.names
    for field in schema:
        if documented[field.name] == "timestamp":
            assert pa.types.is_timestamp(field.type)
        else:
            assert field.type == types[documented[field.name]], field.name
    assert [Path(file).name for file in manifest["dataFiles"]] == [aws_file(october.directory).name]


def test_aws_s_invoice_is_on_no_line_before_it_is_issued_and_then_on_all(october, restated):
    assert {row["bill_invoice_id"] for row in aws_rows(october.directory)} == {None}
    issued = {row["bill_invoice_id"] for row in aws_rows(restated[0])}
    assert len(issued) == 1
    assert issued != {None}
    assert aws_manifest(october.directory)["executionId"] != aws_manifest(restated[0])["executionId"]


def test_what_a_savings_plan_covers_is_taken_off_again_and_used_of_the_hour_s_commitment(october):
    rows = aws_rows(october.directory)
    covered, negated = of_type(rows, "SavingsPlanCoveredUsage"), of_type(rows, "SavingsPlanNegation")
    assert len(covered) == len(negated) == 31 * 16
    assert sum(map(aws_billed, covered)) == -sum(map(aws_billed, negated)) == 31 * 16 * Decimal("4.6016")
    used = {row["line_item_usage_start_date"]: aws_effective(row) for row in covered}
    fees = of_type(rows, "SavingsPlanRecurringFee")
    assert len(fees) == 744
    for fee in fees:
        assert money(fee["savings_plan_used_commitment"]) == used.get(fee["line_item_usage_start_date"], 0)
        assert (aws_billed(fee), aws_effective(fee)) in (
            (Decimal("1.75"), Decimal("3.5")),
            (Decimal("1.75"), Decimal("0.19")),
        )


def test_pods_split_the_whole_hour_of_their_machine_and_cost_nothing_themselves(october):
    rows = [row for row in aws_rows(october.directory) if row["split_line_item_parent_resource_id"]]
    hours: dict[datetime, Decimal] = defaultdict(Decimal)
    for row in rows:
        assert aws_billed(row) == 0
        hours[row["line_item_usage_start_date"]] += money(row["split_line_item_split_cost"])
        hours[row["line_item_usage_start_date"]] += money(row["split_line_item_unused_cost"])
    assert len(rows) == 6 * 6 * 16
    assert set(hours.values()) == {Decimal("3.31")}


def test_with_its_invoice_aws_refunds_adds_two_hours_and_taxes_anew(october, restated):
    before, after = aws_rows(october.directory), aws_rows(restated[0])
    (refund,) = of_type(after, "Refund")
    output = next(
        row
        for row in before
        if "output-tokens" in (row["line_item_usage_type"] or "")
        and row["line_item_usage_start_date"] == refund["line_item_usage_start_date"]
    )
    assert abs(aws_billed(refund) + aws_billed(output) / 4) < Decimal("0.000001")
    assert len(after) - len(before) == 3
    late = Counter(row["line_item_usage_type"] for row in after) - Counter(
        row["line_item_usage_type"] for row in before
    )
    assert late["SpotUsage:g6e.12xlarge"] == 2
    for rows in (before, after):
        (tax,), (credit,) = of_type(rows, "Tax"), of_type(rows, "Credit")
        taxed = sum(map(aws_billed, rows)) - aws_billed(tax) - aws_billed(credit)
        assert aws_billed(tax) == (taxed * Decimal("0.02")).quantize(Decimal("0.01"))
    difference = sum(map(aws_billed, after)) - sum(map(aws_billed, before))
    assert restated[1]["restated"]["AWS"] == dict.fromkeys(("billed_cost", "effective_cost"), f"{difference:.12f}")


def test_google_s_lines_and_their_credits_add_up(october):
    rows = gcp_rows(october.directory)
    bill = october.truth["bills"]["Google Cloud"]
    assert sum(map(gcp_cost, rows)) == Decimal(bill["billed_cost"]) == Decimal(bill["effective_cost"])
    assert len(rows) == bill["lines"]
    assert {row["invoice"]["month"] for row in rows} == {"202610"}
    kinds = Counter(credit["type"] for row in rows for credit in row["credits"])
    assert kinds == {"COMMITTED_USAGE_DISCOUNT": 22 * 14, "PROMOTION": 3}
    assert all(credit["amount"] < 0 for row in rows for credit in row["credits"])


def test_google_s_columns_are_those_of_the_detailed_export(october):
    arrow = {"STRING": pa.string(), "FLOAT64": pa.float64(), "NUMERIC": pa.decimal128(38, 9)}
    types = {**arrow, "TIMESTAMP": pa.timestamp("us", tz="UTC")}
    documented = {row["field_path"]: row["bq_type"] for row in contract("gcp_billing_columns.csv")}
    assert pq.read_schema(october.directory / "exports/gcp/month=202610/000000000000.parquet").equals(SCHEMA)
    for name, kind in flat_fields(SCHEMA):
        if documented[name].startswith("ARRAY<STRUCT<"):
            members = re.findall(r"(\w+) (STRING|FLOAT64|BOOL)", documented[name])
            assert [(field.name, field.type) for field in kind.value_type] == [
                (member, types.get(member_type, pa.bool_())) for member, member_type in members
            ]
        else:
            assert kind == types[documented[name]], name


def flat_fields(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    found: list[tuple[str, pa.DataType]] = []
    for field in schema:
        members = [(f"{field.name}.{member.name}", member.type) for member in field.type] if is_struct(field) else []
        found += members or [(field.name, field.type)]
    return found


def is_struct(field: pa.Field) -> bool:
    return pa.types.is_struct(field.type)


def test_one_september_day_is_on_google_s_october_invoice_and_october_lasts_a_pacific_month(october):
    starts = [row["usage_start_time"].replace(tzinfo=None) for row in gcp_rows(october.directory)]
    assert [start for start in starts if start < datetime(2026, 10, 1)] == [datetime(2026, 9, 29, 7)]
    assert min(starts[1:]) == datetime(2026, 10, 1, 7)
    assert max(starts) == datetime(2026, 11, 1, 6)


def test_a_machine_s_hour_is_three_lines_and_its_gpu_is_free_under_the_commitment(october):
    hours: dict[tuple[str, datetime], list[Decimal]] = defaultdict(list)
    rows = gcp_rows(october.directory)
    for row in rows:
        if row["resource"]["name"]:
            hours[row["resource"]["name"], row["usage_start_time"]].append(gcp_cost(row))
    assert len(hours) == 22 * 14
    for costs in hours.values():
        assert sorted(costs) == [0, 48 * Decimal("0.002927"), 12 * Decimal("0.024988")]
    fees = [row for row in rows if row["sku"]["description"].startswith("Commitment v1")]
    assert {gcp_cost(fee) for fee in fees} == {2 * Decimal("0.3528")}
    assert len(fees) == 744


def test_google_exports_no_day_that_is_not_over_in_california(tmp_path):
    write_bills(tmp_path / "exports", tell(1847, date(2026, 10, 3)))
    rows = gcp_rows(tmp_path)
    assert max(row["usage_end_time"] for row in rows) == datetime(2026, 10, 2, 7, tzinfo=UTC)
    assert all(row["export_time"] < datetime(2026, 10, 3, tzinfo=UTC) for row in rows)


def test_azure_s_actual_view_is_what_is_billed_and_its_amortized_view_what_it_is_worth(october):
    bill = october.truth["bills"]["Microsoft"]
    actual, amortized = azure_rows(october.directory, "actual"), azure_rows(october.directory, "amortized")
    assert azure_cost(actual) == Decimal(bill["billed_cost"])
    assert azure_cost(amortized) == Decimal(bill["effective_cost"])
    # The purchase is in the one alone, the unused days are in the other alone.
    assert (len(actual), len(amortized)) == (bill["lines"] - 31, bill["lines"] - 1)


def test_azure_s_columns_are_documented_and_its_manifests_count_what_is_there(october):
    documented = [row for row in contract("azure_export_columns.csv") if row["export_type"] == "ActualCost"]
    for view, kind in (("actual", "ActualCost"), ("amortized", "AmortizedCost")):
        manifest, content = azure_run(october.directory, view)
        rows = azure_rows(october.directory, view)
        assert list(rows[0]) == [row["column"] for row in documented]
        assert (manifest["exportConfig"]["type"], manifest["blobCount"]) == (kind, 1)
        for stated in (manifest, manifest["blobs"][0]):
            assert (stated["byteCount"], stated["dataRowCount"]) == (len(content), len(rows))


def test_the_reservation_is_bought_once_and_used_to_four_fifths(october):
    actual = [row for row in azure_rows(october.directory, "actual") if row["ReservationId"]]
    bought = [row for row in actual if row["ChargeType"] == "Purchase"]
    assert [(row["Date"], Decimal(row["Cost"])) for row in bought] == [("10/01/2026", Decimal(3906))]
    assert {Decimal(row["Cost"]) for row in actual if row["ChargeType"] == "Usage"} == {Decimal(0)}
    amortized = [row for row in azure_rows(october.directory, "amortized") if row["ReservationId"]]
    used = [row for row in amortized if row["ChargeType"] == "Usage"]
    unused = [row for row in amortized if row["ChargeType"] == "UnusedReservation"]
    assert azure_cost(used) == Decimal(3906) * 4 / 5
    assert azure_cost(unused) == Decimal(3906) / 5
    assert (len(used), len(unused)) == (31, 31)


def test_azure_writes_tags_without_braces_and_each_machine_of_a_scale_set_by_itself(october):
    rows = azure_rows(october.directory, "actual")
    assert {row["Tags"] for row in rows} == {
        "",
        '"team": "mobile"',
        '"app": "in-app-assistant", "team": "mobile"',
        '"env": "production", "team": "data-platform"',
    }
    machines = Counter(
        re.findall(r'"VMName": "([^"]+)"', row["AdditionalInfo"])[0] for row in rows if row["AdditionalInfo"]
    )
    assert machines == {"vmss-ocr_0": 22, "vmss-ocr_1": 22, "vmss-trial_0": 22}


@pytest.mark.parametrize("token_class", ["input_uncached", "cache_read", "cache_write_5m", "output_text"])
def test_the_clouds_token_prices_are_those_of_an_independent_list(token_class):
    names = {
        "input_uncached": ("input_tokens",),
        "cache_read": ("input_tokens", "cache_read_tokens"),
        "cache_write_5m": ("input_tokens", "cache_write_tokens"),
        "output_text": ("output_tokens",),
    }
    usage = Usage(**dict.fromkeys(names[token_class], 1_000_000))
    priced = [("aws", CLAUDE, CLAUDE_USD_PER_MTOK), ("google", GEMINI, GEMINI_USD_PER_MTOK)]
    found = {(provider, model): prices.get(token_class) for provider, model, prices in priced}
    for meter in METERS:
        if meter.token_class == token_class:
            found["azure", meter.model] = str(meter.price * 1_000_000 / meter.tokens)
    for (provider, model), price in found.items():
        if price is not None:
            listed = calc_price(usage, model_ref=model, provider_id=provider, genai_request_timestamp=MID_OCTOBER)
            assert listed.total_price == Decimal(price)


def test_used_and_unused_make_up_the_purchase_in_every_hour_of_every_commitment(october):
    """744 hours each: 3.50 USD of the plan, two GPUs at 0.3528 USD, fifteen units at 0.35 USD."""
    hourly = {"AWS": Decimal("3.5"), "Google Cloud": 2 * Decimal("0.3528"), "Microsoft": 15 * Decimal("0.35")}
    found = {}
    for commitment in october.truth["commitments"].values():
        seller = commitment["provider_name"]
        totals = Counter[str]()
        at = datetime.fromisoformat(commitment["hours"][0]["from"])
        for run in commitment["hours"]:
            assert datetime.fromisoformat(run["from"]) == at
            at += timedelta(hours=run["count"])
            used, unused = Decimal(run["used_cost"]), Decimal(run["unused_cost"])
            assert used + unused == Decimal(run["purchased_cost"]) == hourly[seller]
            totals.update({"purchased_cost": hourly[seller] * run["count"], "hours": run["count"]})
            totals.update({"used_cost": used * run["count"], "unused_cost": unused * run["count"]})
        assert totals.pop("hours") == 744
        assert {name: f"{amount:.12f}" for name, amount in totals.items()} == {
            name: commitment[name] for name in totals
        }
        found[seller] = (Decimal(commitment["used_cost"]), Decimal(commitment["billed_purchase_cost"]))
    assert found == {
        "AWS": (31 * 16 * Decimal("3.31"), 744 * Decimal("1.75")),
        "Google Cloud": (22 * 14 * Decimal("0.3528"), 744 * 2 * Decimal("0.3528")),
        "Microsoft": (Decimal("3124.8"), Decimal(3906)),
    }


def test_what_the_clouds_say_of_commitments_is_saved_for_every_day_and_agrees_with_their_bills(october):
    """Twelve of fifteen units are deployed, all at 0.35 USD an hour: 3,906 USD for 744 hours, 3,124.80 of them used."""
    for folder, endpoints in (("azure-terms", 6), ("gcp-terms", 1)):
        saved = list((october.directory / "exports" / folder).iterdir())
        assert len(saved) == 31
        assert all(len(list(day.glob("*/page-1.json"))) == endpoints for day in saved)
    terms, held = october.truth["commitment_terms"], october.truth["commitments"]
    seen = {name: (told["quantity"], told["upfront_cost"], told["deployment_cost"]) for name, told in terms.items()}
    (deployment,) = set(terms) - set(held)
    by_seller = {held[name]["provider_name"]: seen[name] for name in set(terms) & set(held)}
    assert seen[deployment] == ("12.000000000000", None, "3124.800000000000")
    assert by_seller == {
        "Microsoft": ("15.000000000000", "3906.000000000000", None),
        "Google Cloud": ("2.000000000000", None, None),
    }


def test_an_amount_that_no_double_holds_is_refused():
    assert as_double(Decimal("4.6016")) == 4.6016
    with pytest.raises(ValueError, match=r"no double holds 1234567890\.123456789012 exactly"):
        as_double(Decimal("1234567890.123456789012"))
