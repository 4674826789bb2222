"""What a bill was split by: logged tokens, logged cost and GPU time, worked out by hand, each to its part of the money."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from contracts import contract
from models.frames import schema_of
from pipelines.assets.tables import COMPUTED
from pipelines.house import House, open_house
from pipelines.night.build import build
from pipelines.night.publish import publish
from pipelines.night.references import REFERENCE_DATE, REFERENCE_SOURCE
from tests.models.conftest import Rows
from tests.pipelines.small_company import DAY
from tests.pipelines.test_close import OCTOBER, at_noon, company, night
from tests.pipelines.test_explain import costs, levels, told

D = Decimal
START = datetime(2026, 10, 31)
HOUR = timedelta(hours=1)
LEDGER = (
    "charge_groups",
    "postings",
    "restated_postings",
    "adjustments",
    "chargeback",
    "costs_by_category",
    "gpu_waste",
)


def charge(row: int, cost: str, **given: Any) -> dict[str, Any]:
    ordinary = {
        "billing_account_id": "acc-1",
        "billing_currency": "USD",
        "billing_period_start": datetime(2026, 10, 1),
        "billing_period_end": datetime(2026, 11, 1),
        "charge_period_start": START,
        "charge_period_end": START + timedelta(days=1),
        "charge_category": "Usage",
        "billed_cost": D(cost),
        "effective_cost": D(cost),
        "provider_name": "OpenAI",
        "service_name": "API",
        "x_source": "bill",
        "x_slice_date": OCTOBER,
        "x_page": "00112233445566ff",
        "x_row": row,
    }
    return dict.fromkeys(schema_of("charges")) | ordinary | given


def use(team: str, key: str, output: int, reasoning: int, cost: str, **given: Any) -> dict[str, Any]:
    tokens = {"output_text_tokens": output, "output_reasoning_tokens": reasoning}
    about = {"usage_date": DAY, "model_id": "gpt-4o", "team_id": team, "key_alias": key, "key_id": key}
    return {**about, **tokens, "owner_rule_id": f"{team}-key", "priced_cost_usd": D(cost), "request_count": 3} | given


def put(house: House, table: str, day: date, rows: pl.DataFrame, source: str = "farthing") -> None:
    house.lake.replace_slice(table, day, source, rows.to_arrow(), f"by hand {table} {rows.hash_rows().sum()}")


def post(house: House) -> None:
    for name in LEDGER:
        compute = COMPUTED.get(name)
        compute(house, DAY, DAY) if compute else build(house, contract(name), DAY, DAY)
    publish(house)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 of output tokens and 3 of no class at OpenAI; an hour of a GPU at 8."""
    file = company(tmp_path_factory.mktemp("weights"))
    owner = "  - {id: search-ns, namespace: search, team: search}\nteams:"
    text = file.read_text().replace("owners:\n", f"owners:\n{owner.removesuffix('teams:')}")
    file.write_text(text)
    night(file, DAY, date(2026, 11, 2))
    rows = Rows()
    with open_house(file, "by-hand", clock=lambda: at_noon(date(2026, 11, 3))) as house:
        identity = {
            "source_provider": "OpenAI",
            "source_model": "gpt-4o",
            "provider_id": "openai",
            "model_id": "gpt-4o",
        }
        known = dict.fromkeys(schema_of("model_identity")) | identity
        known |= {"is_self_hosted": False, "identity_source": "configuration"}
        put(house, "model_identity", REFERENCE_DATE, rows.frame("model_identity", [known]), REFERENCE_SOURCE)
        bill = [
            charge(1, "12", x_model_id="gpt-4o", x_token_class="output_text"),
            charge(2, "3", x_model_id="gpt-4o"),
            charge(3, "8", resource_id="i-1", provider_name="Cloud", charge_period_end=START + HOUR),
        ]
        put(house, "charges", OCTOBER, rows.frame("charges", bill), "bill")
        usage = rows.usage(
            use("search", "a", 100, 0, "0.5"),
            use("search", "b", 60, 25, "0.25", duplicate_output_text_tokens=10),
            use("support", "c", 125, 0, "0.25"),
        )
        put(house, "usage_by_team_daily", DAY, usage)
        held = {"hour_start": START, "namespace": "search", "pod": "p1", "holder_source": "exporter_label"}
        states = rows.states(
            {**held, "state_seconds": 2700, "observed_seconds": 2700},
            {"hour_start": START, "state": "unallocated", "state_seconds": 900, "observed_seconds": 900},
        )
        put(house, "gpu_states_hourly", DAY, states)
        post(house)
    return file


def by_use(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    found = [(row["basis"], *(row.get(name) for name in names), D(row["effective_cost"])) for row in rows]
    return sorted(found, key=str)


def test_a_line_of_a_token_class_is_split_by_its_tokens_and_one_without_by_logged_cost(config: Path) -> None:
    found = levels(config, "2026-10", "search", "gpt-4o")
    # 12 by 100 and 75 (60 less 10 logged again, and 25 of reasoning) of 300; 3 by 0.5 and 0.25 of 1
    assert by_use(found["weights"], "key_alias", "weight", "whole_weight", "owner_rule_id") == [
        ("USD logged", "a", "0.500000000000", "1.000000000000", "search-key", D("1.5")),
        ("USD logged", "b", "0.250000000000", "1.000000000000", "search-key", D("0.75")),
        ("output_text tokens", "a", "100.000000000000", "300.000000000000", "search-key", D(4)),
        ("output_text tokens", "b", "75.000000000000", "300.000000000000", "search-key", D(3)),
    ]
    assert {name: costs(rows) for name, rows in found.items()} == dict.fromkeys(found, D("9.25"))
    assert costs(levels(config, "2026-10", "support")["weights"]) == D("5.75")


def test_a_gpu_s_line_is_split_by_the_time_that_it_was_held(config: Path) -> None:
    found = levels(config, "gpu_waste", where=("team=search",))
    assert by_use(found["weights"], "namespace", "pod", "weight", "whole_weight") == [
        ("GPU seconds", "search", "p1", "2700.000000000000", "3600.000000000000", D(6))
    ]
    found = levels(config, "2026-10", "idle")
    assert by_use(found["weights"], "namespace", "weight") == [("GPU seconds", "", "900.000000000000", D(2))]


def test_a_page_says_whose_key_used_what(config: Path) -> None:
    _, text = told(config, "2026-10", "search", "gpt-4o")
    assert "4.00  100.00 output_text tokens: priced_tokens:token_class, gpt-4o, a" in text
    assert "of 12.00: OpenAI, API, gpt-4o, output_text" in text
    # the bill was put there by hand: of its file nothing is known
    assert told(config, "2026-10", "search", "gpt-4o")[0] == 0


def test_use_that_is_not_what_was_posted_by_is_said_of_months_that_nights_rebuild(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(config, "other-use", clock=lambda: at_noon(date(2026, 11, 3))) as house:
        before = house.lake.read("usage_by_team_daily", DAY, DAY + timedelta(days=1))
        (piece,) = house.lake.slices("usage_by_team_daily")
        put(
            house,
            "usage_by_team_daily",
            DAY,
            Rows().usage(use("search", "a", 1, 0, "1"), use("support", "c", 1, 0, "1")),
        )
        publish(house)
        code, text = told(config, "2026-10", "search", "gpt-4o")
        # the newest slice is that of 1 November: a night that looks a day back comes to October, one that looks at
        # nothing before it does not
        codes: list[int] = []
        for days in (1, 0):
            monkeypatch.setattr("pipelines.night.stale.HORIZON_DAYS", days)
            codes.append(told(config, "2026-10", "search", "gpt-4o")[0])
        monkeypatch.undo()
        house.lake.replace_slice("usage_by_team_daily", DAY, piece.slice_source, before, piece.fingerprint)
        publish(house)
    assert (code, codes) == (1, [1, 0])
    assert "gave team:search 7.000000000000 of the 12.000000000000 of charge" in text
    assert told(config, "2026-10", "search", "gpt-4o")[0] == 0
