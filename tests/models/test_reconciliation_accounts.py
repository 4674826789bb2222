"""Which account's usage a log speaks of, and what bypasses the gateway, with amounts worked out by hand."""

from datetime import datetime, timedelta
from decimal import Decimal

from tests.models.four_sides import DAY, NOON, PERIOD, FourSides, by_cause


def test_an_account_of_which_the_log_knows_nothing_bypasses_the_gateway(sides: FourSides) -> None:
    for account, tokens in (("gateway", 1_000_000), ("direct", 200_000)):
        sides.billed(DAY, "input_uncached", tokens, Decimal(tokens) * 3 / 10**6, account=account)
        sides.counted(DAY, account=account, key=f"key-of-{account}", input_uncached=tokens)
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"bypass": Decimal("0.6")}
    assert found.causes["account_id"].to_list() == ["direct"]


def test_a_key_within_the_gateway_s_account_can_bypass_it_too(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_200_000, "3.6")
    sides.counted(DAY, key="gateway", input_uncached=1_000_000)
    sides.counted(DAY, key="laptop", input_uncached=200_000)
    sides.logged(NOON, input_uncached=950_000)
    assert by_cause(sides.reconciled().causes) == {"bypass": Decimal("0.6"), "missing_log": Decimal("0.15")}


def test_a_log_that_begins_within_the_month_makes_no_key_a_bypass(sides: FourSides) -> None:
    """Two million a day at 3 dollars, by two keys, and a log from the 20th: 31 days are 186, 12 of them 72."""
    for number in range(31):
        day = PERIOD + timedelta(days=number)
        sides.billed(day, "input_uncached", 2_000_000, "6")
        for key in ("one", "two"):
            sides.counted(day, key=key, input_uncached=1_000_000)
        if day.day >= 20:
            sides.logged(datetime.combine(day, NOON.time()), input_uncached=2_000_000)
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal(114)}


def test_a_log_of_which_nobody_has_half_still_is_of_an_account(sides: FourSides) -> None:
    for account, tokens in (("first", 1_000_000), ("second", 800_000)):
        sides.billed(DAY, "input_uncached", tokens, Decimal(tokens) * 3 / 10**6, account=account)
        sides.counted(DAY, account=account, key=f"key-of-{account}", input_uncached=tokens)
    sides.logged(NOON, input_uncached=300_000)
    # of the first one 700,000 are missing; the second one is not in the log
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal("2.1"), "bypass": Decimal("2.4")}


def test_what_bypasses_the_gateway_does_so_without_a_price_or_tokens_too(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.logged(NOON, input_uncached=1_000_000)
    sides.billed(DAY, "input_uncached", 500, "2", model="nobody-lists-it", account="direct")
    sides.billed(DAY, "input_uncached", None, "1", account="direct")
    assert by_cause(sides.reconciled().causes) == {"bypass": Decimal(3)}
