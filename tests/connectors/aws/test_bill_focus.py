"""A FOCUS export of AWS says how machines were bought, and which models were used, in every version of the standard."""

from tests.connectors.aws.bill_reports import PLAN, RESERVATION, read
from tests.connectors.focus.bills import csv_bill, line

BOX, TOKENS = "BoxUsage:p5.48xlarge", "USE1-Claude4.6Sonnet-output-tokens"
OPTIONS: list[tuple[dict[str, str], str | None]] = [
    ({"PricingCategory": "Standard", "x_UsageType": BOX}, "on_demand"),
    ({"PricingCategory": "Standard", "x_UsageType": "USW2-EBS:VolumeUsage.gp3"}, None),
    ({"PricingCategory": "Dynamic", "x_UsageType": "USW2-SpotUsage:g6.12xlarge"}, "spot"),
    ({"PricingCategory": "Standard", "x_UsageType": "USE2-CapacityBlock:p5.48xlarge"}, "capacity_block"),
    ({"PricingCategory": "Standard", "x_UsageType": "USE1-ProvisionedThroughput-Claude"}, "provisioned"),
    ({"PricingCategory": "Committed", "x_UsageType": BOX, "CommitmentDiscountId": PLAN}, "savings_plan"),
    ({"PricingCategory": "Committed", "x_UsageType": BOX, "CommitmentDiscountId": RESERVATION}, "reserved"),
    ({"CommitmentDiscountId": "1", "CommitmentDiscountType": "Compute Savings Plans"}, "savings_plan"),
    ({"CommitmentDiscountId": "1", "CommitmentDiscountType": "Reserved Instance"}, "reserved"),
    ({"CommitmentDiscountId": "1", "CommitmentDiscountCategory": "Spend"}, "savings_plan"),
    ({"CommitmentDiscountId": "1", "CommitmentDiscountCategory": "Usage"}, "reserved"),
    ({"ChargeCategory": "Purchase", "CommitmentDiscountId": PLAN}, "savings_plan"),
    ({"ChargeCategory": "Tax", "CommitmentDiscountId": PLAN}, None),
    ({"CommitmentDiscountId": "1"}, None),
]
_EMPTY = {name: "" for over, _ in OPTIONS for name in over if name != "ChargeCategory"}


def test_how_a_machine_was_bought_is_read_from_the_standards_columns() -> None:
    found = read(csv_bill(*(line(**{**_EMPTY, **over}) for over, _ in OPTIONS)))
    assert found.rejects == []
    assert [row["x_purchase_option"] for row in found.rows] == [option for _, option in OPTIONS]


def test_the_models_of_a_bill_without_the_standards_meter_are_read_from_awss_own_usage_type() -> None:
    used = {"x_UsageType": TOKENS, "ConsumedQuantity": "2.5", "ConsumedUnit": "1K tokens"}
    found = read(csv_bill(line(**used), line(**{**used, "x_UsageType": BOX, "ConsumedUnit": "Hrs"})))
    assert [row["x_model_id"] for row in found.rows] == ["anthropic.claude-sonnet-4-6-v1:0", None]
    assert [row["x_token_class"] for row in found.rows] == ["output_text", None]
    assert [(row["consumed_quantity"], row["consumed_unit"]) for row in found.rows] == [(2500, "Tokens"), (2.5, "Hrs")]
