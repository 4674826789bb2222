"""Every FOCUS version, and every vendor's way of writing it, gives the same charges."""

import csv
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.base import IncompleteDeliveryError
from connectors.focus.columns import STANDARD_EXTRAS, key_of
from contracts import contract
from tests.connectors.focus.bills import LINE, csv_bill, gz_bill, line, only, parquet_bill, read

SPECIFICATION = Path(__file__).resolve().parents[3] / "../shared/contracts/focus_columns.csv"
VERSIONS = list(STANDARD_EXTRAS)
# Columns that the contract takes and that 1.0 does not have, by the version that brought them.
BROUGHT_LATER = {
    "CapacityReservationId": "1.1",
    "CapacityReservationStatus": "1.1",
    "CommitmentDiscountQuantity": "1.1",
    "CommitmentDiscountUnit": "1.1",
    "SkuMeter": "1.1",
    "InvoiceId": "1.2",
}


def columns_of(version: str) -> list[str]:
    """The contract's FOCUS columns and the extras that the version has, provider named as the version names it."""
    ours = [c.name.title().replace("_", "") for c in contract("charges").columns if not c.name.startswith("x_")]
    known = [name for name in ours if BROUGHT_LATER.get(name, "1.0") <= version and name != "ProviderName"]
    known += [name for added, names in STANDARD_EXTRAS.items() if added <= version for name in names]
    known += ["ServiceProviderName"] if version >= "1.3" else []
    return known + (["ProviderName"] if version <= "1.3" else [])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bill_with_every_column_of_its_version_is_read_without_a_notice(version: str) -> None:
    columns = columns_of(version)
    filled = {name: LINE.get(name, "") for name in columns}
    if version == "1.4":
        filled["ServiceProviderName"] = "AWS"
    bill = read(csv_bill(filled))
    row = only(bill)
    assert bill.notices == []
    assert (row["provider_name"], row["billed_cost"]) == ("AWS", Decimal("55.04"))
    assert row["billing_period_start"] == dt.datetime(2026, 9, 1)
    assert row["invoice_id"] is None


@pytest.mark.parametrize("version", VERSIONS)
def test_the_columns_known_here_are_those_of_the_specification(version: str) -> None:
    if not SPECIFICATION.exists():
        pytest.skip("the table of the specification's columns is not beside the repository")
    with SPECIFICATION.open(newline="") as file:
        specified = {
            r["column"] for r in csv.DictReader(file) if (r["version"], r["dataset"]) == (version, "CostAndUsage")
        }
    if version == "1.4":
        specified |= {"PublisherName"}  # gone in 1.4: a file that still has it brings nothing unknown
    assert set(columns_of(version)) == specified


def test_the_new_provider_column_counts_before_the_old_one_row_by_row() -> None:
    bill = read(
        csv_bill(
            line(ServiceProviderName="Claude"), line(ServiceProviderName=""), columns=[*LINE, "ServiceProviderName"]
        )
    )
    assert [row["provider_name"] for row in bill.rows] == ["Claude", "AWS"]


def test_a_bill_without_a_provider_takes_the_one_of_the_settings_or_is_incomplete() -> None:
    bill = csv_bill(line(ProviderName="-"))
    assert only(read(bill, provider="Oracle"))["provider_name"] == "Oracle"
    with pytest.raises(IncompleteDeliveryError, match=r"ProviderName are missing.*setting `provider`"):
        read(bill)


@pytest.mark.parametrize("spelling", [str.lower, str.upper, key_of, lambda name: f" {name} "])
def test_column_names_are_read_in_any_case(spelling) -> None:
    bill = csv_bill({spelling(name): value for name, value in LINE.items()})
    assert only(read(bill))["effective_cost"] == Decimal("31.464")


def test_snake_case_is_read_and_so_is_a_byte_order_mark() -> None:
    snake = {
        c.name: LINE[pascal] for c in contract("charges").columns if (pascal := c.name.title().replace("_", "")) in LINE
    }
    row = only(read(b"\xef\xbb\xbf" + csv_bill(snake)))
    assert (row["billing_account_id"], row["x_extra"]) == ("111122223333", None)


def test_reordered_columns_and_windows_line_ends_change_nothing() -> None:
    straight, backwards = csv_bill(line()), csv_bill(dict(reversed(line().items()))).replace(b"\n", b"\r\n")
    rows = [only(read(content)) for content in (straight, backwards)]
    assert rows[0] | {"x_page": ""} == rows[1] | {"x_page": ""}


def test_extension_columns_name_the_model_and_the_token_class() -> None:
    row = only(read(csv_bill(line(x_ModelId="gpt-4.1", X_Token_Class="cache_read"))))
    assert (row["x_model_id"], row["x_token_class"], row["x_extra"]) == ("gpt-4.1", "cache_read", None)


def test_rules_find_the_model_in_the_bills_own_words_and_the_first_match_wins() -> None:
    rules = [
        {"column": "skumeter", "pattern": "^(?P<model>.+) cached Inp ", "token_class": "cache_read"},
        {"column": "SkuMeter", "pattern": "^(?P<model>.+?) (?P<token_class>Inp|Outp) "},
        {"column": "NoSuchColumn", "pattern": "(?P<model>.*)"},
    ]
    meters = ["gpt 4.1 cached Inp glbl Tokens", "gpt 4.1 Outp glbl Tokens", "Standard_NC24", ""]
    bill = read(csv_bill(*(line(SkuMeter=meter) for meter in meters)), models=rules)
    found = [(row["x_model_id"], row["x_token_class"]) for row in bill.rows]
    assert found == [("gpt 4.1", "cache_read"), ("gpt 4.1", "Outp"), (None, None), (None, None)]


def test_a_rule_does_not_overrule_the_bills_own_column() -> None:
    rules = [{"column": "ChargeDescription", "pattern": "^(?P<model>p5)"}]
    assert only(read(csv_bill(line(x_ModelId="claude")), models=rules))["x_model_id"] == "claude"


def test_other_columns_are_kept_as_text_without_the_empty_ones_sorted_by_name() -> None:
    bill = read(
        csv_bill(line(x_Zone='a "b" \\ ü', RegionName="Ohio", x_Empty="", PublisherName="NULL", x_Rate="0.920"))
    )
    assert only(bill)["x_extra"] == '{"RegionName":"Ohio","x_Rate":"0.920","x_Zone":"a \\"b\\" \\\\ ü"}'
    (notice,) = bill.notices
    assert "x_Empty, x_Rate, x_Zone" in notice


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ('{"b":"2","a":"1"}', {"a": "1", "b": "2"}),
        ('"k": "v","k2": "v2"', {"k": "v", "k2": "v2"}),
        ('[{"Key":"team","Value":"ml"},{"Key":"env","Value":null}]', {"env": "", "team": "ml"}),
        ('{"spot":true,"n":3,"nested":{"b":1}}', {"n": "3", "nested": '{"b":1}', "spot": "true"}),
        ('{"formula":"=cmd|\'/c calc\'!A1"}', {"formula": "=cmd|'/c calc'!A1"}),
        ("{}", {}),
        ("NULL", None),
        ("", None),
    ],
)
def test_tags_become_an_object_of_strings_with_sorted_keys(written: str, read_as: dict[str, str] | None) -> None:
    tags = only(read(csv_bill(line(Tags=written))))["tags"]
    assert (None if tags is None else json.loads(str(tags))) == read_as
    assert tags is None or list(json.loads(str(tags))) == sorted(json.loads(str(tags)))


@pytest.mark.parametrize("content", [csv_bill(line()), gz_bill(line())])
def test_the_content_tells_the_format_whatever_the_file_is_called(content: bytes) -> None:
    assert only(read(content))["billed_cost"] == Decimal("55.04")


def native_table(**over: pa.Array) -> pa.Table:
    """One line as Parquet exports write it: typed columns, tags as a map."""
    instants = pa.timestamp("ns", tz="UTC")
    arrays: dict[str, pa.Array] = {name: pa.array([value]) for name, value in LINE.items()}
    for name in ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"):
        arrays[name] = pa.array([dt.datetime.fromisoformat(LINE[name])], instants)
    arrays["Tags"] = pa.array([[("team", "search"), ("env", "prod")]], pa.map_(pa.string(), pa.string()))
    arrays["BilledCost"] = pa.array([Decimal("55.040000000")], pa.decimal128(38, 9))
    return pa.table({**arrays, **over})


def test_parquet_with_decimals_instants_and_maps_gives_the_same_row_as_csv() -> None:
    native, text = only(read(parquet_bill(native_table()))), only(read(csv_bill(line())))
    assert native | {"x_page": ""} == text | {"x_page": ""}


@pytest.mark.parametrize(
    "tags",
    [
        pa.array([{"team": "search", "env": "prod", "gone": None}]),
        pa.array([[{"Key": "team", "Value": "search"}, {"Key": "env", "Value": "prod"}]]),
        pa.array(['{"team":"search","env":"prod"}']).dictionary_encode(),
    ],
)
def test_parquet_tags_as_structure_list_or_dictionary_are_the_same_tags(tags: pa.Array) -> None:
    assert only(read(parquet_bill(native_table(Tags=tags))))["tags"] == '{"env":"prod","team":"search"}'


def test_wide_decimals_and_whole_numbers_keep_every_digit() -> None:
    wide = pa.array([Decimal("12345678901234567890123456.000000000001")], pa.decimal256(50, 20))
    row = only(read(parquet_bill(native_table(BilledCost=wide, EffectiveCost=pa.array([7])))))
    assert row["billed_cost"] == Decimal("12345678901234567890123456.000000000001")
    assert row["effective_cost"] == Decimal(7)


def test_binary_floating_point_is_read_as_its_shortest_decimal_and_rounding_is_told() -> None:
    floats = pa.array([0.1 + 0.2], pa.float64())
    bill = read(parquet_bill(native_table(BilledCost=floats, EffectiveCost=pa.array([1e-7]))))
    row = only(bill)
    assert (row["billed_cost"], row["effective_cost"]) == (Decimal("0.3"), Decimal("0.0000001"))
    assert bill.notices == ["1 numbers with more than 12 decimal places were rounded half away from zero"]


def test_a_parquet_file_without_rows_is_an_empty_bill() -> None:
    bill = read(parquet_bill(native_table().slice(0, 0)))
    assert (bill.rows, bill.rejects) == ([], [])
