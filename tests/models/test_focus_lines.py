"""What the standard has in other rows than the bill: commitments, costs that no bill states, tax, virtual currency."""

from tests.models.focus_bill import told, whole

PLAN = {"commitment_discount_id": "plan", "commitment_discount_category": "Spend", "commitment_discount_type": "SP"}
COVERED = {
    **PLAN, "x_charge_type": "SavingsPlanCoveredUsage", "billed_cost": "4.6", "effective_cost": "3.1",
    "list_cost": "4.6", "commitment_discount_status": "Used", "group": "covered",
}  # fmt: skip
NEGATION = {**PLAN, "x_charge_type": "SavingsPlanNegation", "billed_cost": "-4.6", "effective_cost": "0"}


def test_what_a_savings_plan_covers_was_billed_nothing_and_nothing_is_taken_back() -> None:
    rows = whole(COVERED, NEGATION)
    columns = ("BilledCost", "EffectiveCost", "ListCost", "CommitmentDiscountStatus", "PricingCategory")
    assert told(rows, *columns) == [("0", "3.1", "4.6", "Used", "Committed")]


def test_what_takes_back_another_amount_stays_a_row_of_its_own() -> None:
    rows = whole(COVERED, {**NEGATION, "billed_cost": "-4.5"})
    assert told(rows, "BilledCost", "EffectiveCost") == [("4.6", "3.1"), ("-4.5", "0")]


def test_what_takes_back_another_hour_s_stays_a_row_of_its_own() -> None:
    rows = whole(COVERED, {**NEGATION, "charge_period_start": "2026-10-05 01:00:00"})
    assert told(rows, "BilledCost") == [("4.6",), ("-4.6",)]


def test_a_purchase_that_states_its_unused_part_is_two_rows() -> None:
    fee = {
        **PLAN, "charge_category": "Purchase", "charge_frequency": "Recurring", "billed_cost": "1.75",
        "effective_cost": "0.4", "commitment_discount_status": "Unused", "commitment_discount_name": "one year",
        "commitment_discount_quantity": "3.5", "commitment_discount_unit": "USD",
    }  # fmt: skip
    rows = whole(fee).sort("ChargeCategory")
    columns = ("ChargeCategory", "ChargeFrequency", "BilledCost", "EffectiveCost", "CommitmentDiscountStatus")
    assert told(rows, *columns) == [
        ("Purchase", "Recurring", "1.75", "0", None),
        ("Usage", "Usage-Based", "0", "0.4", "Unused"),
    ]
    assert rows["x_OriginChargeId"].to_list() == ["bill/page/1", "bill/page/1/unused"]
    quantities = told(rows, "CommitmentDiscountQuantity", "ResourceId", "ResourceName", "ResourceType", "ListCost")
    assert quantities == [("3.5", "plan", "one year", "SP", "1.75"), ("0.4", "plan", "one year", "SP", "0")]


def test_a_cost_that_the_bill_does_not_state_is_its_price_times_its_quantity_else_what_was_billed() -> None:
    rows = whole(
        {"billed_cost": "8", "list_cost": "10"},
        {"billed_cost": "8", "list_unit_price": "0.003", "pricing_quantity": "3000", "pricing_unit": "Tokens"},
        {"billed_cost": "8"},
    )
    assert told(rows, "ListCost", "x_ListCostBasis") == [("10", "bill"), ("9", "unit_price"), ("8", "billed_cost")]


def test_tax_has_no_price_and_no_unit_without_a_quantity() -> None:
    tax = {"charge_category": "Tax", "billed_cost": "2", "sku_id": "S", "pricing_quantity": "1", "pricing_unit": "Hrs"}
    columns = ("SkuId", "SkuPriceId", "PricingQuantity", "PricingUnit", "PricingCategory", "ConsumedQuantity")
    assert told(whole({**tax, "pricing_category": "Standard"}), *columns) == [(None,) * 6]


def test_a_line_says_how_often_it_arises_or_its_period_does() -> None:
    month = {"charge_period_start": "2026-10-01 00:00:00", "charge_period_end": "2026-11-01 00:00:00"}
    rows = whole(
        {"charge_category": "Credit", "billed_cost": "-1", "charge_frequency": "Recurring"},
        {"charge_category": "Credit", "billed_cost": "-1"},
        {"charge_category": "Tax", "billed_cost": "1", **month},
        {"charge_category": "Purchase", "billed_cost": "1", **month},
        {"billed_cost": "1", **month},
    )
    assert rows["ChargeFrequency"].to_list() == ["Recurring", "Usage-Based", "One-Time", None, "Usage-Based"]


def test_credits_bought_ahead_cost_what_is_used_of_them() -> None:
    """G11: 200,000 dollars for 100,000 credits, of which 245, 10 and 360 are used."""
    bought = {"charge_category": "Purchase", "charge_frequency": "One-Time", "billed_cost": "200000"}
    rows = whole(
        {**bought, "effective_cost": "0", "list_cost": "200000"},
        *(
            {
                "billed_cost": "0", "effective_cost": cost,
                "x_extra": f'{{"PricingCurrency":"Credits","PricingCurrencyEffectiveCost":"{credits_used}"}}',
            }
            for credits_used, cost in ((245, "490"), (10, "20"), (360, "720"))
        ),
    )  # fmt: skip
    columns = ("BilledCost", "EffectiveCost", "PricingCurrency", "PricingCurrencyEffectiveCost")
    assert told(rows, *columns) == [
        ("200000", "0", None, None),
        ("0", "490", "Credits", "245"),
        ("0", "20", "Credits", "10"),
        ("0", "720", "Credits", "360"),
    ]
    assert told(rows.sum(), "EffectiveCost", "PricingCurrencyEffectiveCost") == [("1230", "615")]


def test_what_a_bill_does_not_say_stays_unknown() -> None:
    rows = whole(
        {"billed_cost": "1", "sku_meter": "tokens", "region_id": "eu", "resource_id": "r", "sub_account_id": "s"}
    )
    columns = (
        "BillingAccountName",
        "SkuId",
        "SkuPriceId",
        "SkuMeter",
        "ListUnitPrice",
        "PricingCategory",
        "PricingQuantity",
    )
    assert told(rows, *columns) == [(None,) * 7]
    assert told(rows, "RegionName", "ResourceType", "SubAccountName", "HostProviderName", "InvoiceId") == [(None,) * 5]
    assert told(rows, "x_Meter", "PublisherName", "ServiceCategory", "ServiceSubcategory") == [
        ("tokens", "Cloud", "Other", "Other (Other)")
    ]


def test_units_and_services_are_in_the_standard_s_words() -> None:
    rows = whole(
        {"billed_cost": "1", "pricing_quantity": "1", "pricing_unit": "1M tokens", "service_name": "Amazon Bedrock"},
        {
            "billed_cost": "1",
            "consumed_quantity": "1",
            "consumed_unit": "Hrs",
            "service_category": "AI + Machine Learning",
        },
        {"billed_cost": "1", "service_name": "Compute Engine", "service_category": "Networking"},
    )
    assert told(rows, "PricingUnit", "ConsumedUnit", "ServiceCategory", "ServiceSubcategory") == [
        ("1000000 Tokens", None, "AI and Machine Learning", "Generative AI"),
        (None, "Hours", "AI and Machine Learning", "Other (AI and Machine Learning)"),
        (None, None, "Networking", "Other (Networking)"),
    ]


def test_what_has_no_id_has_no_name_and_no_kind() -> None:
    rows = whole({"billed_cost": "1", "resource_type": "disk", "resource_name": "d", "sub_account_name": "s"})
    assert told(rows, "ResourceId", "ResourceType", "ResourceName", "SubAccountName") == [(None,) * 4]
