"""Bills in other currencies than dollars against a log, which is priced in dollars: whole nights."""

from decimal import Decimal
from pathlib import Path

from tests.pipelines.conftest import night, published
from tests.pipelines.small_company import DAY, line, write_bill, write_log

CONFIG = """\
company: Small
currency: {own}
lake: lake
sources:
{bills}
  - {{name: gateway, kind: litellm, location: log, hash_key: file:key, trailing_days: 0}}
exchange_rates:
{rates}
teams:
  - {{id: support, name: Support}}
owners:
  - {{id: support-key, gateway_key: support, team: support}}
"""
BILL = """\
  - name: {name}
    kind: focus
    account: {name}
    location: {name}
    currency: {currency}
    models: [{{column: ServiceSubcategory, pattern: "^(?P<model>.+?) Inp$", token_class: input_uncached}}]
"""


def company(folder: Path, own: str, rates: list[str], bills: dict[str, str]) -> Path:
    """A company with a bill of 1,000 input tokens of gpt-4o in each currency, as in the log; they cost $0.0025."""
    told = "".join(BILL.format(name=currency.lower(), currency=currency) for currency in bills)
    given = "\n".join(f"  - {rate}" for rate in rates)
    file = folder / "farthing.yml"
    file.write_text(CONFIG.format(own=own, bills=told.rstrip("\n"), rates=given), encoding="utf-8")
    (folder / "key").write_text("k" * 40, encoding="utf-8")
    for currency, cost in bills.items():
        names = dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName"), "OpenAI")
        costs = dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), cost)
        service = {"ServiceCategory": "AI and Machine Learning", "ServiceName": "API", "Tags": ""}
        service |= {"ServiceSubcategory": "gpt-4o Inp", "ConsumedUnit": "Tokens", "ConsumedQuantity": "1000"}
        of_bill = {**names, **costs, **service, "SubAccountId": "proj", "BillingCurrency": currency}
        write_bill(folder / currency.lower(), [line(**of_bill)])
    write_log(folder)
    return file


def test_a_company_in_euros_is_reconciled_by_what_a_dollar_is_in_euros(tmp_path: Path) -> None:
    """At 0.80 euros a dollar, 0.002 euros are 0.0025 dollars: what the log's tokens cost."""
    rate = "{from: USD, to: EUR, month: 2026-10, rate: 0.8, source: ECB}"
    told = night(company(tmp_path, "EUR", [rate], {"EUR": "0.002"}), DAY)
    assert told.result.published
    with published(tmp_path / "lake") as database:
        lines = database.execute("select billed_cost, estimated_cost, difference from reconciliation_lines").fetchall()
        input_lines = [row for row in lines if row[0] is not None]
    assert input_lines == [(Decimal("0.0025"), Decimal("0.0025"), Decimal(0))]


def test_a_month_without_a_rate_is_published_and_what_has_none_is_told(tmp_path: Path) -> None:
    """A rate of September, and none of October yet: dollars and pounds of one day, account, model and class."""
    rate = "{from: GBP, to: USD, month: 2026-09, rate: 1.25, source: ECB}"
    told = night(company(tmp_path, "USD", [rate], {"USD": "0.0025", "GBP": "0.001"}), DAY)
    assert told.result.published
    with published(tmp_path / "lake") as database:
        lines = database.execute(
            "select billed_cost, billed_tokens from reconciliation_lines where billed_tokens is not null"
        ).fetchall()
        causes = database.execute("select evidence from reconciliation_causes where cause = 'no_rate'").fetchall()
    assert lines == [(Decimal("0.0025"), 2000)]
    assert causes == [("billed in GBP; no rate to USD is stated",)]
