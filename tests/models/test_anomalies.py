"""From bills and logs to stories: what is injected into a company without noise is told once, by its name."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from models.anomalies import anomalies

START = date(2026, 1, 5)  # a Monday
DAYS = 90
ONSET = START + timedelta(days=70)
PICO = 10**12
Row = dict[str, Any]
Change = Callable[[Row], Row | list[Row]]


def company(change: Change = lambda row: row, *, days: int = DAYS) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two teams, two models, three keys, every day alike; the bill is what the log says that it costs."""
    usage: list[Row] = []
    for number in range(days):
        for account, model, key, requests in (
            ("team:search", "small", "k1", 1000),
            ("team:search", "large", "k2", 100),
            ("team:ads", "small", "k3", 2000),
        ):
            row: Row = {
                "day": START + timedelta(days=number),
                "x_source": "gateway",
                "account": account,
                "provider_id": "openai",
                "model_id": model,
                "key_id": key,
                "feature": "chat",
                "environment": "production",
                "request_count": requests,
                "tokens": requests * 1000,
                "cache_read_tokens": requests * 500,
                "output_tokens": requests * 200,
                "price": 10 if model == "large" else 1,  # in 10**-4 of a dollar for a thousand tokens
            }
            changed = change(row) if row["day"] >= ONSET else row
            usage += changed if isinstance(changed, list) else [changed]
    logged = [_priced(row) for row in usage]
    billed = [
        {
            **{name: row[name] for name in ("day", "account", "model_id", "feature", "cost_units")},
            "provider_name": "OpenAI",
            "service_name": "api",
            "cost_kind": "api",
        }
        for row in logged
    ]
    return pl.DataFrame(billed), pl.DataFrame(logged)


def _priced(row: Row) -> Row:
    told = {name: value for name, value in row.items() if name != "price"}
    cost_units = row["tokens"] * row["price"] * PICO // 10**4
    return told | {"priced_request_count": row["request_count"], "failure_count": 0, "cost_units": cost_units}


def found(change: Change, *, days: int = DAYS) -> pl.DataFrame:
    costs, usage = company(change, days=days)
    return anomalies(costs, usage, currency="USD")


def the_alert(table: pl.DataFrame) -> Row:
    (alert,) = table.filter(pl.col("is_alert")).to_dicts()
    return alert


def only(key: str, **times: float) -> Change:
    """Figures of one key, multiplied."""
    return lambda row: row | {name: int(row[name] * by) for name, by in times.items()} if row["key_id"] == key else row


LOOP = only("k3", request_count=5, tokens=5, cache_read_tokens=5, output_tokens=5)


def cache_lost(row: Row) -> Row:
    return row | {"cache_read_tokens": 0, "price": row["price"] * 2}


def price_doubled(row: Row) -> Row:
    return row | {"price": row["price"] * 2}


def new_model(row: Row) -> list[Row]:
    return [row, row | {"model_id": "huge", "price": 30}] if row["key_id"] == "k3" else [row]


def leaked(row: Row) -> list[Row]:
    stranger = row | {"feature": "", "environment": "", "request_count": 9000, "tokens": 9_000_000}
    return [row, stranger] if row["key_id"] == "k1" else [row]


def longer(row: Row) -> Row:
    return row | {name: int(row[name] * 2) for name in ("tokens", "cache_read_tokens", "output_tokens")}


def more(row: Row) -> Row:
    return longer(row) | {"request_count": row["request_count"] * 2}


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (LOOP, "runaway_loop"),
        (cache_lost, "cache_collapse"),
        (price_doubled, "price_change"),
        (new_model, "new_model"),
        (leaked, "key_leak"),
        (longer, "longer_requests"),
        (more, "more_requests"),
    ],
)
def test_a_story_is_told_once_and_by_its_name(change: Change, cause: str) -> None:
    table = found(change)
    alert = the_alert(table)
    assert (alert["cause"], alert["level"], alert["metric"], alert["onset_date"]) == (
        cause,
        "organisation",
        "cost",
        ONSET,
    )
    assert alert["runbook"]
    rises = table.filter(pl.col("direction") == "rise")
    assert rises.height > 1
    assert rises["story_id"].unique().to_list() == [alert["anomaly_id"]]


def test_its_money_is_what_it_cost_beyond_what_was_usual() -> None:
    alert = the_alert(found(LOOP, days=78))
    # ads: 2,000 requests of 1,000 tokens at a ten-thousandth of a dollar a token: 200 a day, and 1,000 in the loop
    days = (alert["settled_date"] - ONSET).days + 1
    assert (alert["observed_mean"], alert["expected_mean"]) == (Decimal(1200), Decimal(400))
    assert alert["excess_cost"] == days * 800
    assert (alert["state"], alert["resolved_date"]) == ("ongoing", None)


def test_volume_mix_and_price_are_the_change_of_what_was_logged() -> None:
    alert = the_alert(found(LOOP, days=78))
    days = (alert["settled_date"] - ONSET).days + 1
    assert alert["volume_cost"] + alert["mix_cost"] + alert["price_cost"] == days * 800
    assert alert["price_cost"] == 0
    # 3.1 M tokens to 11.1 M at 400 / 3.1 M each
    assert alert["volume_cost"] == round(Decimal(8) * 400 / Decimal("3.1") * days, 6)


def test_the_team_is_named_in_which_it_lies() -> None:
    contributors = json.loads(the_alert(found(LOOP))["contributors"])
    assert contributors[0]["dimension"] == "account"
    assert contributors[0]["element"] == "team:ads"
    assert Decimal(contributors[0]["explained_ratio"]) == 1


def test_what_another_team_makes_up_for_is_told_of_the_team_itself() -> None:
    def moved(row: Row) -> Row:
        return row | {"tokens": {"k1": 2_000_000, "k2": 100_000, "k3": 1_000_000}[row["key_id"]]}

    table = found(moved)
    alert = the_alert(table)
    assert (alert["level"], alert["account"], alert["team_id"]) == ("team", "team:search", "search")
    assert table.filter((pl.col("level") == "organisation") & (pl.col("metric") == "cost")).is_empty()
    drops = table.filter((pl.col("direction") == "drop") & (pl.col("account") == "team:ads"))
    assert drops.height
    assert not drops["is_alert"].any()


@pytest.mark.parametrize(("last_day", "state"), [(72, None), (73, "new"), (74, "ongoing")])
def test_a_day_of_a_bill_is_judged_when_it_is_settled(last_day: int, state: str | None) -> None:
    costs, _ = company(LOOP, days=last_day)
    table = anomalies(costs, company(days=DAYS)[1].clear(), currency="USD")
    states = table.filter(pl.col("is_alert"))["state"].to_list()
    assert states == ([] if state is None else [state])


def test_what_stays_is_a_new_level_in_the_end() -> None:
    alert = the_alert(found(LOOP))
    assert (alert["state"], alert["is_new_level"]) == ("resolved", True)


def test_two_nights_call_the_same_event_by_the_same_id() -> None:
    earlier, later = the_alert(found(LOOP, days=76)), the_alert(found(LOOP))
    assert earlier["anomaly_id"] == later["anomaly_id"]


def test_where_every_day_is_alike_nothing_is_told() -> None:
    assert found(lambda row: row).is_empty()


def test_of_nothing_nothing_is_told() -> None:
    costs, usage = company()
    assert anomalies(costs.clear(), usage.clear(), currency="USD").is_empty()


def unpriced(usage: pl.DataFrame) -> pl.DataFrame:
    """The same, but nobody knows what the large model costs."""
    is_large = pl.col("model_id") == "large"
    return usage.with_columns(
        pl.when(is_large).then(0).otherwise(pl.col(name)).alias(name) for name in ("priced_request_count", "cost_units")
    )


def test_what_tokens_without_a_price_came_to_is_not_known() -> None:
    costs, usage = company(only("k2", request_count=9, tokens=9, cache_read_tokens=9, output_tokens=9))
    table = anomalies(costs.clear(), unpriced(usage), currency="USD")
    unknown = table.filter((pl.col("model_id") == "large") & (pl.col("metric") == "tokens"))
    (told,) = unknown.to_dicts()
    assert (told["excess_cost"], told["is_alert"], told["cause"]) == (None, False, None)
    assert told["evidence"] == "Cost unknown: on a day of it no attempt has a price."
    assert told["observed_mean"] == 900_000
    # what the team's other model costs is known: so is the mean price of its tokens
    assert not table.filter(pl.col("level") == "team")["excess_cost"].has_nulls()
