"""The four sides of a reconciliation as a test states them: a bill, a usage API, an hourly log and a price book."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from models.frames import schema_of
from models.reconciliation import Reconciled, reconcile
from models.tokens import TOKEN_CLASSES

PERIOD = date(2026, 10, 1)
FOREVER = datetime(9999, 12, 31)
DAY, NOON = date(2026, 10, 5), datetime(2026, 10, 5, 12)
PROVIDER, MODEL, ACCOUNT = "openai", "m", "gateway"
Row = dict[str, Any]


@dataclass
class FourSides:
    """Rows of the tables that a reconciliation reads, filled in call by call."""

    prices: list[Row] = field(default_factory=list)
    bill: list[Row] = field(default_factory=list)
    usage: list[Row] = field(default_factory=list)
    log: list[Row] = field(default_factory=list)
    usd_rates: dict[str, Decimal] = field(default_factory=dict)

    def price(
        self,
        model: str = MODEL,
        *,
        since: datetime = datetime(2026, 1, 1),
        until: datetime = FOREVER,
        tier: str = "default",
        input_from: int = 0,
        region: str = "",
        **usd_per_mtok: str,
    ) -> None:
        """Prices in USD per million tokens by class, of calls with an input from so many tokens."""
        row = dict.fromkeys(schema_of("price_book"))
        row |= {"provider_id": PROVIDER, "model_id": model, "service_tier": tier, "region_id": region}
        row |= {"input_tokens_from": input_from, "input_tokens_to": 10**9, "valid_from": since, "valid_to": until}
        row |= {f"{name}_usd_per_token": Decimal(usd) / 10**6 for name, usd in usd_per_mtok.items()}
        self.prices.append(row | {"is_ambiguous": False})

    def billed(
        self,
        day: date,
        token_class: str | None,
        tokens: int | None,
        cost: str | Decimal,
        model: str = MODEL,
        account: str = ACCOUNT,
        lines: int = 1,
        **columns: str | None,
    ) -> None:
        """One charge group of the bill; columns are others of `charge_groups`."""
        row = dict.fromkeys(schema_of("charge_groups"))
        row |= {"charge_group_id": str(len(self.bill)), "billing_period": PERIOD, "charge_date": day}
        row |= {"provider_id": PROVIDER, "model_id": model, "sub_account_id": account, "billing_currency": "USD"}
        row |= {"token_class": token_class, "consumed_unit": "Tokens", "provider_name": "OpenAI", "service_name": "API"}
        row["consumed_quantity"] = None if tokens is None else Decimal(tokens)
        self.bill.append(row | {"billed_cost": Decimal(cost), "line_count": lines} | columns)

    def counted(
        self,
        day: date,
        model: str = MODEL,
        account: str = ACCOUNT,
        key: str = "k",
        requests: int = 0,
        tier: str | None = None,
        left_out: str | None = None,
        **tokens: int,
    ) -> None:
        """One day of a key in the usage API; `left_out` says why no report of costs has it."""
        row = dict.fromkeys(schema_of("provider_usage"))
        row |= {"usage_date": day, "provider_name": "OpenAI", "model": model, "sub_account_id": account}
        row |= {"api_key_id": key, "request_count": requests, "service_tier": tier, "left_out_of_bill": left_out}
        self.usage.append(row | {f"{name}_tokens": count for name, count in tokens.items()})

    def logged(
        self,
        hour: datetime,
        model: str = MODEL,
        tier: str = "default",
        input_from: int = 0,
        region: str = "",
        **columns: int,
    ) -> None:
        """One hour of the log; columns are token classes, `duplicate_...` of them, or counts of attempts."""
        row = dict.fromkeys(schema_of("usage_hourly"))
        row |= {name: 0 for name in row if name.endswith(("_tokens", "_count"))}
        row |= {"usage_date": hour.date(), "usage_hour": hour, "provider_id": PROVIDER, "model_id": model}
        row |= {"service_tier": tier, "price_region_id": region, "input_tokens_from": input_from}
        for name, value in columns.items():
            row[name if name.endswith("_count") else f"{name}_tokens"] = value
        row |= self._prices(hour, model, tier, input_from, region)
        self.log.append(row)

    def _prices(self, hour: datetime, *place: str | int) -> Row:
        for price in self.prices:
            names = ("model_id", "service_tier", "input_tokens_from", "region_id")
            is_same = tuple(price[name] for name in names) == place
            if is_same and price["valid_from"] <= hour < price["valid_to"]:
                return {f"{name}_usd_per_token": price[f"{name}_usd_per_token"] for name in TOKEN_CLASSES}
        return {}

    def reconciled(self) -> Reconciled:
        """Both tables. Every line's causes sum to its difference, whatever else a test asserts."""
        models = {row["model_id"] for row in self.bill} | {row["model"] for row in self.usage}
        found = reconcile(
            PERIOD,
            _frame("charge_groups", self.bill),
            _frame("usage_hourly", self.log),
            _frame("provider_usage", self.usage),
            _frame("price_book", self.prices),
            {("OpenAI", model): (PROVIDER, model) for model in models},
            self.usd_rates,
        )
        assert sums_to_the_difference(found)
        return found


def sums_to_the_difference(found: Reconciled) -> bool:
    """Whether the causes of each line and part sum to it to the last decimal, and rounding is within what it can be.

    And whether each cause of a line and part is one row: that is the key of the table.
    """
    keys = ["usage_date", "provider_id", "account_id", "model_id", "token_class"]
    sums: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for row in found.causes.iter_rows(named=True):
        sums[*(row[key] for key in keys), row["part"]] += row["usd"]
    lines = list(found.lines.iter_rows(named=True))
    wanted = {
        (*(row[key] for key in keys), part): row[f"{part}_difference"] for row in lines for part in ("volume", "rate")
    }
    exact = all(row["volume_difference"] + row["rate_difference"] == row["difference"] for row in lines)
    rounded = found.causes.filter(cause="rounding")
    bounded = all(abs(row["usd"]) <= row["rounding_limit"] for row in rounded.iter_rows(named=True))
    once = not found.causes.select(*keys, "part", "cause").is_duplicated().any()
    return (
        once
        and bounded
        and exact
        and sums.keys() <= wanted.keys()
        and all(sums[key] == usd for key, usd in wanted.items())
    )


def by_cause(rows: Iterable[Row] | pl.DataFrame) -> dict[str, Decimal]:
    """USD by cause; causes without an amount are absent."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows.iter_rows(named=True) if isinstance(rows, pl.DataFrame) else rows:
        found[row["cause"]] += row["usd"]
    return {cause: usd for cause, usd in found.items() if usd}


def in_millionths(found: Reconciled) -> dict[str, Decimal]:
    """USD by cause to six decimals: which of two prices a token had is known as far as the bill writes digits.

    What that leaves out is rounding and nothing else, and each amount is as near as a bill of nine decimals says.
    """
    exact = by_cause(found.causes)
    rounded = {cause: usd for cause, one in exact.items() if (usd := round(one, 6))}
    assert exact.keys() - rounded.keys() <= {"rounding"}, exact
    assert all(abs(usd - exact[cause]) <= Decimal("0.000000005") for cause, usd in rounded.items())
    return rounded


def _frame(table: str, rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema_of(table), orient="row")
