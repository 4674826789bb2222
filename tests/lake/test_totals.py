"""What a delivery's money is in: the bill's currency, a log's dollars, or nothing that one word says."""

from decimal import Decimal

import pytest

from connectors.base import Parsed
from pipelines.lake.totals import Totals
from tests.sql.golden import filled


@pytest.mark.parametrize(
    ("fact", "rows", "total", "currency"),
    [
        ("charges", [{"billing_currency": "EUR", "billed_cost": cost} for cost in ("2", "3.5")], "5.5", "EUR"),
        ("charges", [{"billing_currency": name, "billed_cost": "1"} for name in ("EUR", "USD")], "2", None),
        ("charges", [], "0", None),
        ("gateway_requests", [{"source_reported_cost_usd": "0.25"}], "0.25", "USD"),
        ("gpu_samples", [{}], None, None),
    ],
)
def test_money_is_in_one_currency_or_its_currency_is_not_said(
    fact: str, rows: list[dict[str, str]], total: str | None, currency: str | None
) -> None:
    totals = Totals(fact)
    totals.add(Parsed(filled(fact, rows)))
    assert (totals.total_cost, totals.currency) == (None if total is None else Decimal(total), currency)
