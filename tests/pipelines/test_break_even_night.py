"""The table of break-evens from what the lake holds and the file declares."""

import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import ConfigError
from pipelines.house import House, open_house
from pipelines.night.break_even import build_break_even
from pipelines.night.build import Built
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

CLOCK = datetime(2026, 11, 2, 5)
LAST = date(2026, 11, 1)
PLAN = """
self_hosting:
  - id: tickets
    model: gpt-5
    weights: llama-3.3-70b
    gpu: H100 SXM
    machines: [{instance_type: p5.48xlarge}]
    prefill_rate: 20000
    decode_rate: 1000
    people_monthly_cost: 1000
"""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company whose lake has what plans are made from."""
    folder = tmp_path_factory.mktemp("company")
    with open_house(write_company(folder), "run", clock=lambda: CLOCK) as house:
        stored(house)
    return folder


def company(ready: Path, folder: Path, plans: str) -> Path:
    """A copy of it that declares plans."""
    shutil.copytree(ready, folder, dirs_exist_ok=True)
    file = folder / "farthing.yml"
    file.write_text(file.read_text("utf-8") + plans, "utf-8")
    return file


def stored(house: House) -> None:
    """A week of a million tokens out an hour, at 10 a million; llama at 1 a million; a machine at 40 an hour."""
    for ago in range(7):
        day = LAST - timedelta(days=ago)
        rows = [
            {
                "usage_date": day,
                "usage_hour": datetime.combine(day, datetime.min.time()) + timedelta(hours=hour),
                "provider_id": "openai",
                "model_id": model,
                "output_text_tokens": 1_000_000,
                "output_text_usd_per_token": price,
            }
            for hour in range(24)
            for model, price in (("gpt-5", "0.00001"), ("untold", None))
        ]
        house.lake.replace_slice("usage_hourly", day, "farthing", filled("usage_hourly", rows), f"{day}")
    api = {"provider_id": "groq", "model_id": "llama-3.3-70b-versatile", "service_tier": "default", "region_id": ""}
    dated = {"valid_from": "2026-01-01 00:00:00", "valid_to": "9999-12-31 00:00:00"}
    book = filled("price_book", [{**api, **dated, "output_text_usd_per_token": "0.000001"}])
    house.lake.replace_slice("price_book", date(1970, 1, 1), "farthing", book, "book")
    machine = {"usage_date": LAST, "provider_name": "AWS", "instance_type": "p5.48xlarge", "currency": "USD"}
    bought = {"purchase_option": "on_demand", "gpu_count": 8, "price_per_hour": "40"}
    regions = [{**machine, **bought, "region_id": region} for region in ("us-east-1", "eu-central-1")]
    house.lake.replace_slice("machine_prices", LAST, "farthing", filled("machine_prices", regions), "machines")


def night(house: House) -> tuple[Built, list[dict[str, Any]]]:
    built = build_break_even(house, LAST, LAST)
    return built, house.lake.read("break_even").to_pylist()


def test_a_declared_plan_is_held_against_both_apis_in_every_region(ready: Path, tmp_path: Path) -> None:
    with open_house(company(ready, tmp_path, PLAN), "run", clock=lambda: CLOCK) as house:
        built, rows = night(house)
        assert {(row["against"], row["region_id"]) for row in rows} == {
            (against, region)
            for against in ("todays_api", "same_weights_api")
            for region in ("us-east-1", "eu-central-1")
        }
        for row in rows:
            # 70 billion parameters at 8 bits, a fifth more, and 100,000 tokens: two H100; four replicas on a machine
            assert (row["replica_gpus"], row["throughput_basis"]) == (2, "measured")
            # a million an hour in half an hour each time is 0.56 replicas' work, for which one machine is plenty
            assert row["own_monthly_cost"] == Decimal(40 * 730) * Decimal("1.05") + 1_000
            assert row["verdict"] == "api"
        costs = {row["against"]: row["api_monthly_cost"] for row in rows}
        assert costs == {"todays_api": Decimal(7_300), "same_weights_api": Decimal(730)}
        assert {row["api_provider_id"] for row in rows} == {"", "groq"}
        assert built.note == "0 of 1 plans would pay"
        assert night(house)[0].slices == ()  # nothing is new


def test_data_that_may_not_leave_a_region_leaves_one_machine_and_no_api(ready: Path, tmp_path: Path) -> None:
    limits = "    regions: [eu-central-1]\n"
    with open_house(company(ready, tmp_path, PLAN + limits), "run", clock=lambda: CLOCK) as house:
        assert [(row["against"], row["region_id"]) for row in night(house)[1]] == [("todays_api", "eu-central-1")]


@pytest.mark.parametrize(
    ("changed", "to", "reason"),
    [
        ("model: gpt-5", "model: gpt-6", "no_traffic"),
        ("p5.48xlarge", "p6", "no_gpu_price"),
        ("    prefill_rate: 20000\n    decode_rate: 1000\n", "", "no_throughput"),
        ("    gpu: H100 SXM\n", "    gpu: H100 SXM\n    gpus: 1\n", "does_not_fit"),
    ],
)
def test_what_is_missing_is_said(ready: Path, tmp_path: Path, changed: str, to: str, reason: str) -> None:
    with open_house(company(ready, tmp_path, PLAN.replace(changed, to)), "run", clock=lambda: CLOCK) as house:
        (row,) = night(house)[1]
        assert (row["reason"], row["verdict"], row["against"]) == (reason, None, "")


def test_tokens_without_a_price_are_no_cheap_api(ready: Path, tmp_path: Path) -> None:
    file = company(ready, tmp_path, PLAN.replace("gpt-5", "untold"))
    with open_house(file, "run", clock=lambda: CLOCK) as house:
        rows = night(house)[1]
        assert {(row["against"], row["verdict"], row["reason"]) for row in rows} == {
            ("todays_api", None, "unpriced_tokens"),
            ("same_weights_api", "api", None),
        }
        assert {row["unpriced_tokens"] for row in rows} == {7 * 24 * 1_000_000}


def test_a_published_peak_stands_in_and_says_so(ready: Path, tmp_path: Path) -> None:
    changed = PLAN.replace("    prefill_rate: 20000\n    decode_rate: 1000\n", "").replace("llama-3.3", "llama-2")
    with open_house(company(ready, tmp_path, changed), "run", clock=lambda: CLOCK) as house:
        rows = night(house)[1]
        assert {row["throughput_basis"] for row in rows} == {"reference"}
        assert all("MLPerf Inference v4.1" in row["throughput_source"] for row in rows)
        assert all("(fp8, offline, 2024-08-28, derived)" in row["throughput_source"] for row in rows)


def test_without_a_plan_there_is_nothing_and_a_plan_that_is_gone_leaves_nothing(ready: Path, tmp_path: Path) -> None:
    file = company(ready, tmp_path, PLAN)
    with open_house(file, "run", clock=lambda: CLOCK) as house:
        assert night(house)[1]
    file.write_text(file.read_text("utf-8").replace(PLAN, ""), "utf-8")
    with open_house(file, "run", clock=lambda: CLOCK) as house:
        assert night(house)[1] == []


def test_a_plan_that_nobody_can_compute_is_refused_with_what_to_write(ready: Path, tmp_path: Path) -> None:
    wrong = PLAN.replace("llama-3.3-70b", "llama-9")
    with pytest.raises(ConfigError, match="none of the list"), open_house(company(ready, tmp_path, wrong), "run"):
        pass
    half = PLAN.replace("    decode_rate: 1000\n", "")
    with pytest.raises(ConfigError, match="go together"), open_house(company(ready, tmp_path, half), "run"):
        pass


def test_what_interruptions_of_spot_cost_is_declared_or_unknown(ready: Path, tmp_path: Path) -> None:
    cheap = PLAN.replace("p5.48xlarge", "p5e, gpus: 8")
    spot = {"usage_date": LAST, "provider_name": "AWS", "instance_type": "p5e", "currency": "USD", "gpu_count": 8}
    price = {"purchase_option": "spot", "price_per_hour": "1", "region_id": "us-east-1", "availability_zone": "a"}
    file = company(ready, tmp_path, cheap)
    with open_house(file, "run", clock=lambda: CLOCK) as house:
        day = LAST - timedelta(days=1)
        house.lake.replace_slice("machine_prices", day, "farthing", filled("machine_prices", [spot | price]), "spot")
        rows = {row["against"]: row for row in night(house)[1]}
        assert (rows["todays_api"]["verdict"], rows["todays_api"]["reason"]) == (None, "unknown_interruptions")
        assert rows["todays_api"]["own_monthly_cost"] == Decimal(730) * Decimal("1.05") + 1_000
    file.write_text(file.read_text("utf-8") + "    spot: {every_hours: 2, restart_minutes: 30}\n", "utf-8")
    with open_house(file, "run", clock=lambda: CLOCK) as house:
        rows = {row["against"]: row for row in night(house)[1]}
        assert (rows["todays_api"]["verdict"], rows["todays_api"]["reason"]) == ("self_host", None)
        assert rows["todays_api"]["spot_hours_ratio"] == pytest.approx(1.2840254)  # exp(30 / 120)
        assert float(rows["todays_api"]["own_monthly_cost"]) == pytest.approx(730 * 1.2840254 * 1.05 + 1_000)


def test_an_offer_that_no_list_has_is_the_plan_s_own(ready: Path, tmp_path: Path) -> None:
    own = PLAN.replace("p5.48xlarge", "hgx, gpus: 8, hour_cost: 9.50, provider: Nimbus Cloud, region: eu-central-1")
    with open_house(company(ready, tmp_path / "own", own), "run", clock=lambda: CLOCK) as house:
        rows = night(house)[1]
        assert {(row["provider_name"], row["region_id"], row["purchase_option"]) for row in rows} == {
            ("Nimbus Cloud", "eu-central-1", "on_demand")
        }
        assert {row["own_monthly_cost"] for row in rows} == {Decimal("9.5") * 730 * Decimal("1.05") + 1_000}
    elsewhere = own + "    regions: [us-east-1]\n"
    with open_house(company(ready, tmp_path / "elsewhere", elsewhere), "run", clock=lambda: CLOCK) as house:
        assert [row["reason"] for row in night(house)[1]] == ["no_gpu_price"]
    twice = own.replace(
        "}]", "}, {instance_type: hgx, gpus: 8, hour_cost: 9, provider: Nimbus Cloud, region: eu-central-1}]"
    )
    said = "two prices for hgx of Nimbus Cloud in eu-central-1"
    with pytest.raises(ConfigError, match=said), open_house(company(ready, tmp_path / "t", twice), "run"):
        pass
    untold = own.replace("gpus: 8, ", "")
    with pytest.raises(ConfigError, match="needs 'gpus'"), open_house(company(ready, tmp_path / "u", untold), "run"):
        pass


def test_an_offer_of_a_machine_that_is_listed_takes_the_place_of_its_price_on_demand(
    ready: Path, tmp_path: Path
) -> None:
    listed = "{instance_type: p5.48xlarge}"
    own = "{instance_type: p5.48xlarge, gpus: 8, hour_cost: 9.50, provider: AWS, region: us-east-1}"
    file = company(ready, tmp_path, PLAN.replace(listed, f"{listed}, {own}"))
    with open_house(file, "run", clock=lambda: CLOCK) as house:
        rows = [row for row in night(house)[1] if row["against"] == "todays_api"]
    assert sorted((row["provider_name"], row["region_id"], row["machine_hour_cost"]) for row in rows) == [
        ("AWS", "eu-central-1", Decimal(40)),
        ("AWS", "us-east-1", Decimal("9.5")),
    ]
