"""What a bill says beside tokens and prices: currencies, categories, lines without model, class or tokens."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.models.four_sides import DAY, NOON, FourSides, by_cause

AI = "AI and Machine Learning"


def nameless(**columns: Any) -> dict[str, Any]:
    """Columns of a line that names no model."""
    return {"model_id": None, "provider_id": None, "consumed_unit": None, "service_category": AI} | columns


def test_a_bill_in_another_currency_is_compared_at_the_month_s_rate(sides: FourSides) -> None:
    """800,000 for 2 euros at 1.2 dollars are 2.4: the price of 3 a million to the last digit."""
    sides.usd_rates = {"EUR": Decimal("1.2")}
    sides.billed(DAY, "input_uncached", 800_000, "2", billing_currency="EUR")
    sides.logged(NOON, input_uncached=800_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {}
    assert found.lines["billed_cost"].to_list() == [Decimal("2.4")]


def test_what_a_bill_rounds_to_is_a_cent_of_its_own(sides: FourSides) -> None:
    """Nine tenths of 3 a million in cents of a euro: 2.49, 3.41 and 5.26 for 2.4921.., 3.4142.. and 5.2585.. euros."""
    sides.usd_rates = {"EUR": Decimal("1.0834")}
    for number, (tokens, euros) in enumerate(((1_000_000, "2.49"), (1_370_000, "3.41"), (2_110_000, "5.26"))):
        at = NOON + timedelta(days=number)
        sides.billed(at.date(), "input_uncached", tokens, euros, billing_currency="EUR")
        sides.logged(at, input_uncached=tokens)
    # 11.16 euros are 12.090744 dollars, and nine tenths of 13.44 are 12.096
    assert by_cause(sides.reconciled().causes) == {"discount": Decimal("-1.344"), "rounding": Decimal("-0.005256")}


def test_a_bill_in_a_currency_without_a_rate_is_no_bill_that_has_not_come(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 800_000, "2", billing_currency="EUR")
    sides.counted(DAY, input_uncached=800_000)
    sides.logged(NOON, input_uncached=800_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"no_rate": Decimal("-2.4")}
    assert found.causes["evidence"].to_list() == ["billed in EUR; no rate to USD is stated"]
    assert (found.lines["billed_cost"].to_list(), found.lines["billed_tokens"].to_list()) == ([None], [800_000])


def test_tokens_of_a_model_that_nothing_identifies_are_compared_under_unknown(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, "output_text", 5_000, "0.7", model_id=None, provider_id=None, provider_name="OpenAI")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.usage.append(sides.usage[0] | {"model": None, "input_uncached_tokens": None, "output_text_tokens": 5_000})
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"unpriced": Decimal("0.7")}
    unknown = found.lines.filter(model_id="unknown").row(0, named=True)
    assert (unknown["provider_id"], unknown["billed_tokens"], unknown["counted_tokens"]) == ("openai", 5_000, 5_000)


def test_the_lines_sum_to_the_charges(sides: FourSides) -> None:
    """3 + 2 euros at 1.1 + 0.7 + 0.25 - 0.5 - 0.1: also what no model, no account or no class has."""
    sides.usd_rates = {"EUR": Decimal("1.1")}
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, "input_uncached", 700_000, "2", billing_currency="EUR", account="elsewhere")
    sides.billed(DAY, "output_text", 5_000, "0.7", model_id=None, provider_id=None, provider_name="Somebody")
    sides.billed(DAY, None, None, "0.25", charge_category="Tax")
    sides.billed(DAY, "input_uncached", None, "-0.5", charge_category="Credit")
    sides.billed(DAY, None, None, "-0.1", charge_category="Adjustment", account="elsewhere")
    sides.logged(NOON, input_uncached=1_000_000)
    assert sides.reconciled().lines["billed_cost"].sum() == Decimal("5.55")


def test_credits_adjustments_and_taxes_are_causes_of_their_own(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, None, None, "-0.50", charge_category="Credit")
    sides.billed(DAY, "input_uncached", None, "-0.20", charge_category="Adjustment")
    sides.billed(DAY, None, None, "0.57", charge_category="Tax")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    found = by_cause(sides.reconciled().causes)
    assert found == {"credit": Decimal("-0.5"), "adjustment": Decimal("-0.2"), "tax": Decimal("0.57")}


def test_a_credit_of_an_account_that_bypasses_the_gateway_is_a_credit(sides: FourSides) -> None:
    for account, tokens in (("gateway", 1_000_000), ("direct", 200_000)):
        sides.billed(DAY, "input_uncached", tokens, Decimal(tokens) * 3 / 10**6, account=account)
        sides.counted(DAY, account=account, key=f"key-of-{account}", input_uncached=tokens)
    sides.billed(DAY, None, None, "-0.50", charge_category="Credit", account="direct")
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"bypass": Decimal("0.6"), "credit": Decimal("-0.5")}


def test_a_line_for_a_day_of_another_month_was_compared_in_that_month(sides: FourSides) -> None:
    sides.billed(date(2026, 9, 29), "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(datetime(2026, 9, 29, 12), input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes)["other_period"] == Decimal(3)


def test_a_bill_that_does_not_count_tokens_is_for_those_of_the_usage_api(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", None, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=900_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"missing_log": Decimal("0.3")}
    assert found.lines["billed_tokens"].to_list() == [None]


def test_without_tokens_on_either_side_the_difference_is_unexplained(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", None, "3")
    sides.logged(NOON, input_uncached=900_000)
    assert by_cause(sides.reconciled().causes) == {"unexplained": Decimal("0.3")}


def test_a_bill_without_classes_is_compared_as_a_whole(sides: FourSides) -> None:
    # 100,000 in and 20,000 out are 0.30 + 0.30: five dollars a million on average
    sides.billed(DAY, None, 120_000, "0.6")
    sides.counted(DAY, input_uncached=100_000, output_text=20_000)
    sides.logged(NOON, input_uncached=100_000, output_text=20_000)
    sides.billed(DAY + timedelta(days=1), None, 120_000, "0.6")
    sides.counted(DAY + timedelta(days=1), input_uncached=100_000, output_text=20_000)
    sides.logged(NOON + timedelta(days=1), input_uncached=50_000, output_text=10_000)
    found = sides.reconciled()
    assert set(found.lines["token_class"]) == {"all"}
    assert by_cause(found.causes) == {"missing_log": Decimal("0.3")}


def test_a_bill_that_names_neither_model_nor_class_is_compared_by_account_and_day(sides: FourSides) -> None:
    """A day's 1,200,000 tokens of two models are 0.9 + 3 + 0.2 dollars in the log, which lacks none on the first day."""
    sides.price("other", input_uncached="1")
    for number in range(2):
        day, noon = DAY + timedelta(days=number), NOON + timedelta(days=number)
        sides.billed(day, None, None, "4.1", **nameless())
        sides.counted(day, input_uncached=300_000, output_text=200_000)
        sides.counted(day, "other", input_uncached=200_000)
        kept = 1 if number == 0 else 2
        sides.logged(noon, input_uncached=300_000 // kept, output_text=200_000 // kept)
        sides.logged(noon, "other", input_uncached=200_000 // kept)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"missing_log": Decimal("2.05")}
    assert set(found.lines["model_id"]) == set(found.lines["token_class"]) == {"all"}
    assert found.lines["logged_tokens"].to_list() == [700_000, 350_000]


def test_searches_beside_a_bill_by_model_are_another_service(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3", service_category=AI)
    sides.billed(DAY, None, 40, "0.4", **nameless(consumed_unit="Calls", service_name="web search"))
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"other_service": Decimal("0.4")}
    assert found.lines["billed_cost"].sum() == Decimal("3.4")


def test_a_cloud_s_machines_are_no_models(sides: FourSides) -> None:
    """Of a service that bills models, lines of tokens and without a unit belong to them; hours and storage do not."""
    cloud: dict[str, Any] = {"service_name": "Bedrock", "service_category": None}
    sides.billed(DAY, "input_uncached", 1_000_000, "3", service_name="Bedrock")
    sides.billed(DAY, None, None, "-0.5", **nameless(**cloud, charge_category="Credit"))
    sides.billed(DAY, None, 7, "70", **nameless(**cloud | {"consumed_unit": "Hours"}))
    sides.billed(DAY, None, None, "900", **nameless(**cloud | {"service_name": "EC2"}))
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"credit": Decimal("-0.5")}
    assert found.lines["billed_cost"].sum() == Decimal("2.5")


def test_a_provider_that_no_log_and_no_usage_api_speaks_of_is_not_compared(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, None, None, "9", **nameless(provider_name="Labels and Sons"))
    sides.logged(NOON, input_uncached=1_000_000)
    assert sides.reconciled().lines["billed_cost"].sum() == 3


def test_tokens_that_are_paid_by_the_hour_are_neither_missing_nor_unbilled(sides: FourSides) -> None:
    """The gateway does not know which deployment is provisioned: the usage API does, and the bill has hours."""
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, None, 24, "48", service_tier="provisioned", consumed_unit="Hours")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.counted(DAY, key="ptu", tier="provisioned", input_uncached=500_000)
    sides.logged(NOON, input_uncached=1_500_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"provisioned": Decimal(48) - Decimal("1.5")}
    volume = found.causes.filter(part="volume").row(0, named=True)
    assert (volume["tokens"], volume["usd"]) == (Decimal(-500_000), Decimal("-1.5"))


def test_a_model_that_is_only_provisioned_is_not_missing_from_the_log(sides: FourSides) -> None:
    sides.price("ptu-model", input_uncached="1")
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, None, 24, "48", model="ptu-model", service_tier="provisioned", consumed_unit="Hours")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.counted(DAY, "ptu-model", tier="provisioned", input_uncached=500_000)
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"provisioned": Decimal(48)}
    # hours of throughput are not tokens, and nobody says how many they served
    assert dict(found.lines.select("model_id", "billed_tokens").iter_rows()) == {"m": 1_000_000, "ptu-model": None}


def test_a_line_that_is_a_credit_alone_says_nothing_of_tokens(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, "output_text", 20_000, "-0.3", charge_category="Credit")
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"credit": Decimal("-0.3")}
    assert dict(found.lines.select("token_class", "billed_tokens").iter_rows()) == {
        "input_uncached": 1_000_000,
        "output_text": None,
    }


def test_provisioned_input_that_is_counted_as_one_is_taken_from_all_its_classes(sides: FourSides) -> None:
    """The usage API has 700,000 tokens of input and 100,000 of output; the log divides the input."""
    sides.price("ptu-model", input_uncached="1", cache_read="0.1", output_text="2")
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.counted(DAY, "ptu-model", tier="provisioned", input_total=700_000, output_text=100_000, output_total=100_000)
    sides.logged(NOON, input_uncached=1_000_000)
    sides.logged(NOON, "ptu-model", input_uncached=600_000, cache_read=100_000, output_text=150_000)
    # 0.6 + 0.01 + 0.2, and 50,000 of output that nobody counts
    expected = {"provisioned": Decimal("-0.81"), "not_billed": Decimal("-0.1")}
    assert by_cause(sides.reconciled().causes) == expected


def test_what_a_report_of_costs_leaves_out_is_named_so(sides: FourSides) -> None:
    """300,000 logged tokens are of the Priority Tier, and 100,000 nobody counts."""
    sides.price(input_uncached="3")
    sides.billed(DAY, "input_uncached", 1_000_000, "3", service_tier="default")
    sides.counted(DAY, tier="default", input_uncached=1_000_000)
    sides.counted(DAY, tier="priority", left_out="priority_tier", input_uncached=300_000)
    sides.logged(NOON, input_uncached=1_400_000)
    expected = {"left_out": Decimal("-0.9"), "unexplained": Decimal("-0.3")}
    assert by_cause(sides.reconciled().causes) == expected


def test_what_is_left_out_and_not_logged_is_no_difference(sides: FourSides) -> None:
    sides.price(input_uncached="3")
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.counted(DAY, tier="priority", left_out="priority_tier", input_uncached=300_000)
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {}


def test_what_one_report_leaves_out_and_a_bill_has_is_not_left_out(sides: FourSides) -> None:
    """Another interface of the provider bills the Priority Tier: what the log lacks of it is missing."""
    sides.price(input_uncached="3")
    sides.price(tier="priority", input_uncached="6")
    sides.billed(DAY, "input_uncached", 1_000_000, "6", service_tier="priority")
    sides.counted(DAY, tier="priority", left_out="priority_tier", input_uncached=1_000_000)
    sides.logged(NOON, tier="priority", input_uncached=600_000)
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal("2.4")}


def test_tokens_that_the_bill_takes_back_are_a_refund_whatever_day_has_them(sides: FourSides) -> None:
    """Half a million of the 5th is taken back on the 6th, on which nothing was used: 1.50 of 3 dollars."""
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    sides.billed(DAY + timedelta(days=1), "input_uncached", -500_000, "-1.5", charge_class="Correction")
    found = sides.reconciled()
    assert by_cause(found.causes) == {"refund": Decimal("-1.5")}
    refund = found.causes.row(0, named=True)
    assert (refund["usage_date"], refund["tokens"], refund["part"]) == (date(2026, 10, 6), -500_000, "volume")


def test_a_refund_on_a_day_with_use_is_told_beside_what_is_missing_elsewhere(sides: FourSides) -> None:
    """300,000 of input are taken back; of output the log lacks 20,000, at 15 dollars."""
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, "input_uncached", -300_000, "-0.9")
    sides.billed(DAY, "output_text", 100_000, "1.5")
    sides.counted(DAY, input_uncached=1_000_000, output_text=100_000)
    sides.logged(NOON, input_uncached=1_000_000, output_text=80_000)
    assert by_cause(sides.reconciled().causes) == {"refund": Decimal("-0.9"), "missing_log": Decimal("0.3")}


def test_a_line_that_is_taken_back_and_billed_anew_is_no_refund(sides: FourSides) -> None:
    """A million and a half is reversed and billed as the million that log and usage API have."""
    for tokens, usd in ((1_500_000, "4.5"), (-1_500_000, "-4.5"), (1_000_000, "3")):
        sides.billed(DAY, "input_uncached", tokens, usd, charge_class=None if tokens == 1_500_000 else "Correction")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {}


def test_what_is_not_billed_beyond_a_refund_is_not_billed(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 900_000, "2.7")
    sides.billed(DAY, "input_uncached", -100_000, "-0.3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"refund": Decimal("-0.3"), "not_billed": Decimal("-0.3")}


def test_an_account_without_a_log_has_its_refunds_too(sides: FourSides) -> None:
    for account, tokens in (("gateway", 1_000_000), ("direct", 200_000)):
        sides.billed(DAY, "input_uncached", tokens, Decimal(tokens) * 3 / 10**6, account=account)
        sides.counted(DAY, account=account, key=f"key-of-{account}", input_uncached=tokens)
    sides.billed(DAY + timedelta(days=1), "input_uncached", -50_000, "-0.15", account="direct")
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"bypass": Decimal("0.6"), "refund": Decimal("-0.15")}


def test_what_has_a_rate_is_billed_beside_a_line_of_a_currency_that_has_none(sides: FourSides) -> None:
    """3 dollars of a million tokens and pounds of half a million that nobody can convert, where 4.50 is estimated."""
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, "input_uncached", 500_000, "1.2", billing_currency="GBP")
    sides.counted(DAY, input_uncached=1_500_000)
    sides.logged(NOON, input_uncached=1_500_000)
    found = sides.reconciled()
    (line,) = found.lines.to_dicts()
    assert (line["billed_cost"], line["difference"]) == (3, Decimal("-1.5"))
    assert by_cause(found.causes) == {"no_rate": Decimal("-1.5")}


def test_a_credit_without_a_rate_is_told_though_nothing_differs_by_what_is_known(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, "input_uncached", None, "-1", billing_currency="GBP", charge_category="Credit")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert found.lines["billed_cost"].to_list() == [3]
    (cause,) = found.causes.to_dicts()
    assert (cause["cause"], cause["usd"]) == ("no_rate", 0)
    assert "GBP" in cause["evidence"]
