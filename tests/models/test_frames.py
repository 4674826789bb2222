"""Frames keep their contract or are refused by column."""

from decimal import Decimal

import polars as pl
import pytest

from models.frames import conform, require, schema_of


@pytest.fixture
def bill(rows):
    return rows.charges({"cost": "1"})


def test_columns_come_back_in_the_contracts_order_and_others_stay_behind(bill):
    reordered = bill.select(sorted(bill.columns)).with_columns(extra=pl.lit(1))
    assert require(reordered, "charge_groups").equals(bill)


def test_a_narrower_integer_and_a_column_of_nulls_are_as_good(bill):
    loose = bill.with_columns(pl.col("line_count").cast(pl.Int32), invoice_id=pl.lit(None))
    assert require(loose, "charge_groups").schema == schema_of("charge_groups")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"billed_cost": pl.lit(1.0)}, r"column billed_cost is Float64, expected Decimal"),
        ({"billed_cost": pl.lit(Decimal(1)).cast(pl.Decimal(38, 6))}, "column billed_cost is Decimal"),
        ({"provider_name": pl.lit(None, pl.String)}, "column provider_name holds NULL"),
    ],
)
def test_another_type_or_a_null_is_refused(bill, change, message):
    with pytest.raises(ValueError, match=message):
        require(bill.with_columns(**change), "charge_groups")


def test_a_missing_column_is_refused_by_name(bill):
    with pytest.raises(ValueError, match="charge_groups: column tags is missing"):
        require(bill.drop("tags"), "charge_groups")


def test_conforming_casts_but_still_refuses_null(bill):
    text = bill.with_columns(pl.col("billed_cost").cast(pl.String))
    assert conform(text, "charge_groups").equals(bill)
    with pytest.raises(ValueError, match="holds NULL"):
        conform(bill.with_columns(charge_date=pl.lit(None)), "charge_groups")
