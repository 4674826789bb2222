"""Five things wrong at once, put into a known month: what the reconciliation finds of each is what was put in.

The log lost a row in twenty and has one in fifty twice; the bill stands at a discount of 7 %, at the price before last
for one model, and its days begin eight hours after UTC's. Everything starts from rows: requests in the log, lines on
the bill, days in the usage API, prices in the list.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from contracts import contract
from models.frames import frame_of, schema_of
from models.reconciliation import Reconciled, reconcile
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.models.four_sides import by_cause, sums_to_the_difference
from tests.sql.golden import filled

PERIOD, NEXT = date(2026, 10, 1), date(2026, 11, 1)
OFFSET = timedelta(hours=8)
PRICE_CHANGE = datetime(2026, 9, 1)
DISCOUNT = Decimal("0.93")
CLASSES = ("input_uncached", "cache_read", "output_text")
USD_PER_MTOK = {"small": ("1", "0.1", "5"), "large": ("3", "0.3", "15"), "repriced": ("2", "0.2", "8")}
BEFORE = {"repriced": ("2.5", "0.25", "10")}
OFFICE = (1, 1, 1, 1, 1, 2, 4, 9, 14, 16, 15, 13, 11, 14, 15, 14, 12, 9, 6, 4, 3, 2, 2, 1)
WITHIN = Decimal("0.001")

Cells = Counter[tuple[date, str, str]]


@dataclass(frozen=True)
class Request:
    """One request as it happened."""

    number: int
    started_at: datetime
    model: str
    tokens: tuple[int, ...]
    is_lost: bool = False


@dataclass(frozen=True)
class Month:
    """What happened, what of it the log has, and what the reconciliation says."""

    happened: tuple[Request, ...]
    logged: tuple[Request, ...]
    repeated: tuple[Request, ...]
    found: Reconciled
    defects: pa.Table


def requests() -> Iterator[Request]:
    chance = random.Random(34801)
    number = 0
    for day in range(-1, 32):
        start = datetime(2026, 10, 1) + timedelta(days=day)
        for _ in range(90 if start.weekday() >= 5 else 260):
            hour = chance.choices(range(24), OFFICE)[0]
            at = start + timedelta(hours=hour, milliseconds=chance.randrange(3_600_000))
            context = int(4_000 * chance.lognormvariate(0, 0.8)) + 16
            read = int(context * 0.6) if chance.random() < 0.5 else 0
            tokens = (context - read, read, int(400 * chance.lognormvariate(0, 0.6)) + 1)
            number += 1
            model = chance.choice(tuple(USD_PER_MTOK))
            yield Request(number, at, model, tokens, is_lost=chance.random() < 0.05)


def price(model: str, token_class: str, prices: dict[str, tuple[str, ...]]) -> Decimal:
    return Decimal(prices.get(model, USD_PER_MTOK[model])[CLASSES.index(token_class)]) / 10**6


def cells(happened: Iterable[Request], offset: timedelta = timedelta(0)) -> Cells:
    """Tokens by day, model and class, of the month's days that begin `offset` after UTC's."""
    found: Cells = Counter()
    for request in happened:
        day = (request.started_at - offset).date()
        if PERIOD <= day < NEXT:
            for token_class, count in zip(CLASSES, request.tokens, strict=True):
                found[day, request.model, token_class] += count
    return found


def at_book(tokens: Cells) -> Decimal:
    return sum((count * price(model, name, {}) for (_, model, name), count in tokens.items()), Decimal(0))


def log_rows(logged: Iterable[Request]) -> pa.Table:
    fixed = {
        "gateway": "litellm", "provider": "openai", "key_id": "k", "usage_provenance": "provider", "status": "success",
        "input_semantics": "inclusive", "is_cache_hit": False, "source_cost_basis": "list", "x_source": "log",
    }  # fmt: skip
    rows = []
    for position, request in enumerate(logged):
        new, read, out = request.tokens
        row: dict[str, Any] = dict.fromkeys(name for name in contract("gateway_requests").arrow_schema().names)
        row |= {name: 0 for name in row if name.endswith("_tokens")} | fixed
        row |= {"request_id": f"r{request.number}-{position}", "dedup_key": f"r{request.number}-{position}"}
        row |= {"started_at": request.started_at, "usage_date": request.started_at.date(), "x_row": position}
        row |= {"x_slice_date": request.started_at.date(), "x_page": "p", "billed_model": request.model}
        row |= {"input_uncached_tokens": new, "cache_read_tokens": read, "input_total_tokens": new + read}
        rows.append(row | {"output_text_tokens": out, "output_total_tokens": out})
    return pa.Table.from_pylist(rows, schema=contract("gateway_requests").arrow_schema())


def price_rows() -> pa.Table:
    rows = []
    for model, listed in USD_PER_MTOK.items():
        spans = [(PRICE_CHANGE, datetime(9999, 12, 31), listed)]
        spans += [(datetime(2025, 1, 1), PRICE_CHANGE, BEFORE[model])] if model in BEFORE else []
        for start, end, prices in spans:
            rows += [
                {
                    "provider_id": "openai", "model_id": model, "service_tier": "default", "region_id": "",
                    "token_class": name, "input_tokens_from": 0, "input_tokens_to": 10**12, "valid_from": start,
                    "valid_to": end, "known_from": datetime(2025, 1, 1), "usd_per_mtok": Decimal(usd),
                    "price_source": "test", "price_basis": "own",
                }
                for name, usd in zip(CLASSES, prices, strict=True)
            ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=contract("prices").arrow_schema())


def identity_rows() -> pa.Table:
    rows = [
        {"source_provider": source, "source_model": model, "provider_id": "openai", "model_id": model,
         "is_self_hosted": False, "identity_source": "configuration"}
        for source in ("openai", "OpenAI")
        for model in USD_PER_MTOK
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=contract("model_identity").arrow_schema())


def bill(happened: Iterable[Request], digits: int) -> pl.DataFrame:
    rows = []
    for (day, model, name), count in cells(happened, OFFSET).items():
        row: dict[str, Any] = dict.fromkeys(schema_of("charge_groups"))
        row |= {"charge_group_id": f"{day}{model}{name}", "billing_period": PERIOD, "charge_date": day, "line_count": 1}
        row |= {"provider_name": "OpenAI", "service_name": "API"}
        row |= {"provider_id": "openai", "model_id": model, "token_class": name, "sub_account_id": "gateway"}
        row |= {"billing_currency": "USD", "consumed_quantity": Decimal(count), "consumed_unit": "Tokens"}
        rows.append(row | {"billed_cost": round(count * price(model, name, BEFORE) * DISCOUNT, digits)})
    return pl.DataFrame(rows, schema=schema_of("charge_groups"), orient="row")


def usage_api(happened: Iterable[Request]) -> pl.DataFrame:
    days: dict[tuple[date, str], dict[str, int]] = defaultdict(dict)
    for (day, model, name), count in cells(happened).items():
        days[day, model][f"{name}_tokens"] = count
    rows = [
        dict.fromkeys(schema_of("provider_usage"))
        | {"usage_date": day, "provider_name": "OpenAI", "model": model, "sub_account_id": "gateway"}
        | tokens
        for (day, model), tokens in days.items()
    ]
    return pl.DataFrame(rows, schema=schema_of("provider_usage"), orient="row")


def usage_rows(happened: Iterable[Request]) -> pa.Table:
    """The same as rows of the lake."""
    counted = usage_api(happened).to_dicts()
    return filled("provider_usage", [{name: n for name, n in row.items() if n is not None} for row in counted])


def build(engine: DuckDBEngine, table: str, built: set[str]) -> None:
    """Builds a table and first all that it reads and that is not there yet."""
    for name in contract(table).depends_on:
        if name not in built:
            build(engine, name, built)
    engine.build(contract(table))
    built.add(table)


@contextmanager
def engine_of(logged: Iterable[Request], spill: Path, counted: Iterable[Request] = ()) -> Generator[DuckDBEngine]:
    """The hours and defects of a log, built from its rows, and from what the provider counted."""
    engine = DuckDBEngine("1GiB", str(spill))
    engine.register("gateway_requests", log_rows(logged))
    engine.register("model_identity", identity_rows())
    engine.register("prices", price_rows())
    engine.register("self_hosted_costs", contract("self_hosted_costs").arrow_schema().empty_table())
    engine.register("provider_usage", usage_rows(counted))
    given = {"gateway_requests", "model_identity", "prices", "self_hosted_costs", "provider_usage"}
    build(engine, "usage_hourly", given)
    yield engine
    engine.close()


def reconciled(engine: DuckDBEngine, happened: Iterable[Request], digits: int) -> Reconciled:
    return reconcile(
        PERIOD,
        bill(happened, digits),
        frame_of(engine.read("usage_hourly")),
        usage_api(happened),
        frame_of(engine.read("price_book")),
        {("OpenAI", model): ("openai", model) for model in USD_PER_MTOK},
        {},
    )


@pytest.fixture(scope="module", params=["exact", "in cents"])
def month(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Month:
    happened = tuple(requests())
    logged = tuple(request for request in happened if not request.is_lost)
    chance = random.Random(2)
    copies = (replace(r, started_at=r.started_at + timedelta(milliseconds=300)) for r in logged)
    repeated = tuple(copy for copy in copies if chance.random() < 0.02)
    with engine_of([*logged, *repeated], tmp_path_factory.mktemp("spill"), counted=happened) as engine:
        found = reconciled(engine, happened, digits=12 if request.param == "exact" else 2)
        defects = engine.read("request_defects")
    return Month(happened, logged, repeated, found, defects)


def injected(month: Month) -> dict[str, Decimal]:
    """What each thing wrong is worth: computed from the requests alone."""
    billed = cells(month.happened, OFFSET)
    moved = cells(month.logged, OFFSET)
    moved.subtract(cells(month.logged))
    old = {key: price(key[1], key[2], BEFORE) for key in billed}
    return {
        "missing_log": at_book(cells((r for r in month.happened if r.is_lost), OFFSET)),
        "duplicate": -at_book(cells(month.repeated)),
        "day_boundary": at_book(moved),
        "price_staleness": sum((n * (old[key] - price(key[1], key[2], {})) for key, n in billed.items()), Decimal(0)),
        "discount": sum((n * old[key] * (DISCOUNT - 1) for key, n in billed.items()), Decimal(0)),
    }


def test_the_injection_is_what_it_is_called(month: Month) -> None:
    """Otherwise the test would say nothing."""
    assert 0.04 < sum(r.is_lost for r in month.happened) / len(month.happened) < 0.06
    assert 0.015 < len(month.repeated) / len(month.logged) < 0.025
    assert all(abs(usd) > Decimal("0.01") for usd in injected(month).values())


def test_each_amount_is_recovered_to_a_thousandth(month: Month) -> None:
    found = by_cause(month.found.causes)
    for cause, usd in injected(month).items():
        assert abs(found[cause] - usd) <= WITHIN * abs(usd), (cause, found[cause], usd)


def test_the_days_that_moved_are_recovered_day_by_day(month: Month) -> None:
    """Over a month they nearly cancel, so that the sum alone would prove little."""
    moved = cells(month.logged, OFFSET)
    moved.subtract(cells(month.logged))
    wanted: dict[date, Decimal] = defaultdict(Decimal)
    for (day, model, name), count in moved.items():
        wanted[day] += count * price(model, name, {})
    found: dict[date, Decimal] = defaultdict(Decimal)
    for row in month.found.causes.filter(pl.col("cause") == "day_boundary").iter_rows(named=True):
        found[row["usage_date"]] += row["usd"]
    assert found == wanted


def test_nothing_else_is_found_and_nothing_is_unexplained(month: Month) -> None:
    found = by_cause(month.found.causes)
    rounding = found.pop("rounding", Decimal(0))
    assert set(found) == set(injected(month))
    assert abs(rounding) <= Decimal("0.005") * month.found.lines["billed_cost"].count()
    assert set(month.found.lines["day_offset_minutes"]) == {480}


def test_everything_sums_to_the_difference(month: Month) -> None:
    assert sums_to_the_difference(month.found)
    lines = month.found.lines
    difference = sum(lines["billed_cost"].to_list(), Decimal(0)) - sum(lines["estimated_cost"].to_list(), Decimal(0))
    assert sum(by_cause(month.found.causes).values(), Decimal(0)) == difference


def test_every_row_that_was_put_in_twice_is_a_defect_and_no_other(month: Month) -> None:
    assert Counter(month.defects["defect"].to_pylist()) == {"duplicate": len(month.repeated)}


def test_equal_sizes_at_a_steady_rate_are_neither_logged_again_nor_missing(tmp_path: Path) -> None:
    """A thousand texts of 512 tokens embedded at 20 a second, and as many of 300 classified with one token at 5."""
    noon = datetime(2026, 10, 7, 12)
    steady = [
        Request(first + number, noon + timedelta(milliseconds=apart * number), model, tokens)
        for first, model, tokens, apart in ((0, "small", (512, 0, 0), 50), (1_000, "large", (300, 0, 1), 200))
        for number in range(1_000)
    ]
    with engine_of(steady, tmp_path, counted=steady) as engine:
        defects = engine.read("request_defects")
        lines = reconciled(engine, steady, digits=12).lines
    assert defects.num_rows == 0
    assert set(lines["duplicate_tokens"]) == {0}
    # 512,000 at 1 dollar a million; 300,000 at 3 and 1,000 at 15
    assert lines["estimated_cost"].sum() == Decimal("1.427")
    assert set(lines["volume_difference"]) == {0}


def test_parallel_calls_of_one_size_that_the_provider_counted_are_two_calls(tmp_path: Path) -> None:
    """A judge asked twice at once, a hundred times: answers of one token, and long ones that are equal."""
    noon = datetime(2026, 10, 7, 12)
    asked = [
        Request(first + 2 * number + again, noon + timedelta(minutes=number, milliseconds=3 * again), model, tokens)
        for first, model, answer in ((0, "small", 1), (1_000, "large", 300))
        for number in range(100)
        for again in range(2)
        for tokens in [(3_000 + number, 0, answer)]
    ]
    with engine_of(asked, tmp_path, counted=asked) as engine:
        defects = engine.read("request_defects")
        lines = reconciled(engine, asked, digits=12).lines
    assert Counter(defects["defect"].to_pylist()) == {"possible_duplicate": 200}
    assert set(defects["effect_usd"].to_pylist()) == {None}
    assert set(lines["duplicate_tokens"]) == {0}
    assert set(lines["volume_difference"]) == {0}


def test_short_answers_are_logged_again_only_where_the_provider_counted_them_once(tmp_path: Path) -> None:
    noon = datetime(2026, 10, 7, 12)
    asked = [
        Request(number, noon + timedelta(minutes=number), "small", (3_000 + number, 0, 1)) for number in range(100)
    ]
    again = [replace(request, started_at=request.started_at + timedelta(milliseconds=300)) for request in asked[:9]]
    with engine_of([*asked, *again], tmp_path, counted=asked) as engine:
        defects = engine.read("request_defects")
        found = by_cause(reconciled(engine, asked, digits=12).causes)
    assert Counter(defects["defect"].to_pylist()) == {"duplicate": 9}
    assert found["duplicate"] == -at_book(cells(again))
