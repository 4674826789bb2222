"""The five things wrong at once, in a month in which a price falls at noon: the bill's day has both prices."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from contracts import contract
from models.frames import frame_of, schema_of
from models.reconciliation import reconcile
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.models.four_sides import by_cause, sums_to_the_difference
from tests.pipelines.test_injected_defects import (
    BEFORE,
    CLASSES,
    DISCOUNT,
    NEXT,
    OFFSET,
    PERIOD,
    USD_PER_MTOK,
    WITHIN,
    Request,
    build,
    cells,
    identity_rows,
    log_rows,
    price_rows,
    requests,
    usage_api,
    usage_rows,
)

CHANGE = datetime(2026, 10, 15, 12, 20)
FALLEN = dict(zip(CLASSES, ("2.4", "0.24", "12"), strict=True))
Price = Callable[[Request, str], Decimal]


def at_book(request: Request, token_class: str) -> Decimal:
    has_fallen = request.model == "large" and request.started_at >= CHANGE
    usd = FALLEN[token_class] if has_fallen else USD_PER_MTOK[request.model][CLASSES.index(token_class)]
    return Decimal(usd) / 10**6


def as_billed(request: Request, token_class: str) -> Decimal:
    if request.model in BEFORE:
        return Decimal(BEFORE[request.model][CLASSES.index(token_class)]) / 10**6
    return at_book(request, token_class)


def worth(happened: Iterable[Request], price: Price, offset: timedelta = timedelta(0)) -> Decimal:
    """What the requests of the month cost that begins `offset` after UTC's."""
    return sum(
        (
            count * price(request, name)
            for request in happened
            if PERIOD <= (request.started_at - offset).date() < NEXT
            for name, count in zip(CLASSES, request.tokens, strict=True)
        ),
        Decimal(0),
    )


def fallen_prices() -> pa.Table:
    """The list, with the one price cut at the instant at which it falls."""
    rows = []
    for row in price_rows().to_pylist():
        if row["model_id"] != "large":
            rows.append(row)
            continue
        fallen = row | {"valid_from": CHANGE, "usd_per_mtok": Decimal(FALLEN[row["token_class"]])}
        rows += [row | {"valid_to": CHANGE}, fallen]
    return pa.Table.from_pylist(rows, schema=contract("prices").arrow_schema())


def bill(happened: Iterable[Request], digits: int) -> pl.DataFrame:
    costs: dict[tuple[object, str, str], Decimal] = {}
    for request in happened:
        for name, count in zip(CLASSES, request.tokens, strict=True):
            key = ((request.started_at - OFFSET).date(), request.model, name)
            costs[key] = costs.get(key, Decimal(0)) + count * as_billed(request, name)
    rows = []
    for (day, model, name), count in cells(happened, OFFSET).items():
        row = dict.fromkeys(schema_of("charge_groups"))
        row |= {"charge_group_id": f"{day}{model}{name}", "billing_period": PERIOD, "charge_date": day, "line_count": 1}
        row |= {"provider_name": "OpenAI", "service_name": "API"}
        row |= {"provider_id": "openai", "model_id": model, "token_class": name, "sub_account_id": "gateway"}
        row |= {"billing_currency": "USD", "consumed_quantity": Decimal(count), "consumed_unit": "Tokens"}
        rows.append(row | {"billed_cost": round(costs[day, model, name] * DISCOUNT, digits)})
    return pl.DataFrame(rows, schema=schema_of("charge_groups"), orient="row")


@pytest.mark.parametrize("digits", [12, 6])
def test_each_amount_is_recovered_to_a_thousandth_though_a_price_changes_within_a_day(
    digits: int, tmp_path: Path
) -> None:
    happened = tuple(requests())
    logged = tuple(request for request in happened if not request.is_lost)
    chance = random.Random(2)
    copies = (replace(r, started_at=r.started_at + timedelta(milliseconds=300)) for r in logged)
    repeated = tuple(copy for copy in copies if chance.random() < 0.02)
    engine = DuckDBEngine("1GiB", str(tmp_path))
    engine.register("gateway_requests", log_rows([*logged, *repeated]))
    engine.register("model_identity", identity_rows())
    engine.register("prices", fallen_prices())
    engine.register("self_hosted_costs", contract("self_hosted_costs").arrow_schema().empty_table())
    engine.register("provider_usage", usage_rows(happened))
    given = {"gateway_requests", "model_identity", "prices", "self_hosted_costs", "provider_usage"}
    build(engine, "usage_hourly", given)
    found = reconcile(
        PERIOD,
        bill(happened, digits),
        frame_of(engine.read("usage_hourly")),
        usage_api(happened),
        frame_of(engine.read("price_book")),
        {("OpenAI", model): ("openai", model) for model in USD_PER_MTOK},
        {},
    )
    engine.close()
    assert sums_to_the_difference(found)
    injected = {
        "missing_log": worth((r for r in happened if r.is_lost), at_book, OFFSET),
        "duplicate": -worth(repeated, at_book),
        "day_boundary": worth(logged, at_book, OFFSET) - worth(logged, at_book),
        "price_staleness": worth(happened, as_billed, OFFSET) - worth(happened, at_book, OFFSET),
        "discount": worth(happened, as_billed, OFFSET) * (DISCOUNT - 1),
    }
    causes = by_cause(found.causes)
    assert {cause for cause in causes if cause != "rounding"} == set(injected)
    for cause, usd in injected.items():
        assert abs(causes[cause] - usd) <= WITHIN * abs(usd), (cause, causes[cause], usd)
