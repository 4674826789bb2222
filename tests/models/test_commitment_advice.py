"""What is advised of small fleets, worked out by hand."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from models.commitment_advice import commitment_advice
from models.frames import schema_of

START = datetime(2026, 7, 1)
MONTH = datetime(2026, 9, 1)
USE = {
    "billing_period": MONTH.date(),
    "provider_name": "AWS",
    "billing_account_id": "1",
    "billing_currency": "USD",
    "region_id": "us-east-1",
    "instance_type": "p5.48xlarge",
    "sku_id": "SKU1",
    "list_unit_price": Decimal(5),
}
PRICE = {
    "usage_date": datetime(2026, 9, 30).date(),
    "provider_name": "AWS",
    "region_id": "us-east-1",
    "availability_zone": "",
    "availability_zone_id": "",
    "instance_type": "p5.48xlarge",
    "product": "Linux",
    "sku_price_id": "",
    "currency": "USD",
}


def hours(counts: list[int], **changed: object) -> list[dict[str, Any]]:
    """A line for each hour in which machines ran, at 4 an hour: list price 5, a fifth off."""
    return [
        {
            **USE,
            "charge_period_start": START + timedelta(hours=hour),
            "charge_period_end": START + timedelta(hours=hour + 1),
            "machine_hours": Decimal(count),
            "effective_cost": Decimal(4 * count),
            **changed,
        }
        for hour, count in enumerate(counts)
        if count
    ]


def offer(option: str, unit: str, *, sku: str = "SKU1", months: int = 0, **changed: object) -> dict[str, Any]:
    """A price of the list; the upfront part is already in price_per_hour."""
    price = {"unit_price": Decimal(unit), "price_per_hour": Decimal(unit), "upfront_price": None, "payment_option": ""}
    return {**PRICE, **price, "purchase_option": option, "term_months": months, "sku_id": sku, **changed}


def frame(rows: list[dict[str, Any]], table: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema_of(table))


def advice(
    use: list[dict[str, Any]], prices: list[dict[str, Any]], *, committed_until: datetime | None = None
) -> list[dict[str, Any]]:
    blank = {name: Decimal(0) for name in schema_of("commitment_hours") if name.endswith("_cost")}
    told = {"billing_period": MONTH.date(), "x_source": "bill", "commitment_discount_id": "r", "is_stated": True}
    account = {name: USE[name] for name in ("provider_name", "billing_account_id", "billing_currency")}
    committed = (
        [{**blank, **told, **account, "hour_start": committed_until - timedelta(hours=1)}] if committed_until else []
    )
    hours_of_commitments = frame(committed, "commitment_hours")
    return commitment_advice(
        frame(use, "machine_use"), hours_of_commitments, frame(prices, "machine_prices"), MONTH
    ).to_dicts()


LIST = [
    offer("on_demand", "5"),
    offer(
        "reserved",
        "1",
        months=12,
        payment_option="partial_upfront",
        upfront_price=Decimal(8760),
        price_per_hour=Decimal(2),
    ),
]


def test_two_machines_that_always_run_and_one_that_runs_by_day_are_two_committed() -> None:
    counts = [2 if hour % 24 < 16 else 3 for hour in range(90 * 24)]  # the third runs 8 of 24 hours
    (found,) = advice(hours(counts), LIST)
    assert (found["on_demand_price"], found["committed_price"]) == (Decimal(4), Decimal(2))
    # the third machine: a third of the time at 4 is 1.33 an hour, less than 2 for every hour
    assert (found["best_machines"], found["advised_machines"], found["first_step_machines"]) == (2, 2, 1)
    assert found["monthly_saving"] == Decimal(2 * (4 - 2) * 730)
    assert found["upfront_cost"] == Decimal(2 * 8760)
    # 4 an hour on demand against 1 recurring: two machines save 6 an hour, 4,380 a month, that pay 17,520
    assert found["payback_months"] == 4.0
    assert found["utilisation_ratio"] == 1.0
    assert found["coverage_ratio"] == 6 / 7  # 2 of 2 1/3 machines
    assert abs(found["effective_savings_rate"] - 4 / (4 * 7 / 3)) < 1e-12
    # 30 % less use, 1.4 and 2.1 machines: the second is used 0.4 of 16 hours and wholly in 8, 0.6 at 4 = 2.4 > 2
    assert found["regret_at_70_percent"] == 0
    # 15 % more: 2.3 and 3.45 machines; the third: 0.3 of 16 and 1 of 8 hours, 0.5333 at 4 = 2.1333 against 2
    assert abs(found["regret_at_115_percent"] - Decimal("97.333333333333")) < Decimal("0.000000000001")
    # one machine now and one in two months, for a year each, against two now; from the second month on an hour of use
    # costs 98/15 on demand, 68/15 with one machine and 62/15 with two. Steps: 22/3 once, 68/15 in three months, 62/15 in
    # ten, 98/15 once; at once: 16/3 once, 62/15 in eleven, 98/15 in three. That is 68.80 against 70.40
    assert abs(found["steps_save_at_70_percent"] - Decimal("1.6") * 730) < Decimal("0.000000000001")
    # likewise at 85 %: 119/15, 89/15 and 71/15 an hour, 80.40 against 81.20
    assert abs(found["steps_save_at_85_percent"] - Decimal("0.8") * 730) < Decimal("0.000000000001")
    assert found["reason"] is None
    assert (found["first_day"], found["last_day"]) == (START.date(), datetime(2026, 9, 28).date())


def test_the_lowest_of_the_last_months_counts() -> None:
    (found,) = advice(hours([2] * (40 * 24) + [3] * (50 * 24)), LIST)  # the third runs 5 of 9 days: 2.22 an hour
    assert (found["best_machines"], found["advised_machines"]) == (3, 3)
    risen = [1] * (61 * 24) + [4] * (29 * 24)
    (found,) = advice(hours(risen), LIST)
    # of 90 days the last 29 are less than half, of 60 and of 30 almost all or half: one is what all agree on
    assert (found["best_machines"], found["advised_machines"]) == (1, 1)


def test_nothing_is_advised_on_a_short_history_or_falling_use_or_without_a_saving() -> None:
    (short,) = advice(hours([0] * (60 * 24) + [2] * (29 * 24)), LIST)
    assert (short["reason"], short["best_machines"], short["advised_machines"]) == ("short_history", 2, None)
    (falling,) = advice(hours([90 - hour // 24 for hour in range(90 * 24)]), LIST)
    assert falling["reason"] == "falling_use"
    (rare,) = advice(hours([1 if hour % 24 < 11 else 0 for hour in range(90 * 24)] + [0]), LIST)
    assert (rare["reason"], rare["best_machines"], rare["monthly_saving"]) == ("no_saving", 0, None)


def test_a_product_that_no_list_sells_is_told_and_another_s_price_is_not_taken() -> None:
    windows = offer("reserved", "1", months=12, product="Windows", sku="SKU2")
    for prices in ([], [offer("on_demand", "5"), windows], [offer("on_demand", "6", sku="SKU3"), *LIST[1:]]):
        (found,) = advice(hours([2] * (70 * 24)), prices)
        assert (found["reason"], found["purchase_option"], found["committed_price"]) == ("no_price", "", None)


def test_lines_of_days_do_not_tell_how_many_ran_at_once() -> None:
    """Ten machines for eight hours look like three all day, which would be paid for twenty-four."""
    days = [
        {
            **USE,
            "charge_period_start": START + timedelta(days=day),
            "charge_period_end": START + timedelta(days=day + 1),
            "machine_hours": Decimal(80),
            "effective_cost": Decimal(320),
        }
        for day in range(70)
    ]
    (found,) = advice(days, LIST)
    assert (found["reason"], found["advised_machines"]) == ("coarse_bill", None)
    assert abs(found["mean_machines"] - 80 / 24) < 1e-6


def test_what_was_committed_since_is_not_advised_again() -> None:
    """Two machines for 63 days, then reserved: the bill goes on, and has no hour on demand any more."""
    used = hours([2] * (63 * 24))
    (before,) = advice(used, LIST)
    assert before["advised_machines"] == 2
    (after,) = advice(used, LIST, committed_until=datetime(2026, 9, 29))
    assert (after["advised_machines"], after["last_day"]) == (None, datetime(2026, 9, 28).date())
    # and an account whose bill ends before the month says nothing of it
    assert advice(hours([2] * (60 * 24)), LIST) == []


def test_a_reservation_is_found_by_its_unit_where_the_list_words_products_by_way_of_buying() -> None:
    aws = [
        offer("on_demand", "5", product="$5 per On Demand Linux p5.48xlarge Instance Hour"),
        offer("on_demand", "6", product="$6 per On Demand Windows p5.48xlarge Instance Hour", sku="SKU2"),
        offer("reserved", "2", months=12, product="Linux/UNIX (Amazon VPC), p5.48xlarge reserved instance applied"),
        offer("reserved", "1", months=12, product="Windows, p5.48xlarge reserved instance applied", sku="SKU2"),
    ]
    (found,) = advice(hours([2] * (70 * 24)), aws)
    assert (found["committed_price"], found["advised_machines"]) == (Decimal(2), 2)


def test_hours_without_use_are_hours_without_need() -> None:
    idle = [1 if hour % 24 < 13 else 0 for hour in range(70 * 24)]
    (found,) = advice(hours([*idle[:-24], *([1] * 24)]), LIST)
    assert found["advised_machines"] == 1  # 13 of 24 hours at 4 are 2.17 an hour
    assert abs(found["utilisation_ratio"] - (69 * 13 + 24) / (70 * 24)) < 1e-12


PLAN = {
    "sku_id": "USE1-BoxUsage:p5.48xlarge",
    "product": "3 year All Upfront Compute Savings Plan",
    "upfront_price": None,
}
DEMAND = "$5 per On Demand Linux p5.48xlarge Instance Hour"


def plans(product: str, payment: str = "no_upfront") -> list[dict[str, Any]]:
    rate = offer("savings_plan", "2", months=36, payment_option=payment)
    return advice(hours([2] * (90 * 24)), [offer("on_demand", "5", product=product), {**rate, **PLAN}])


def test_a_rate_of_aws_s_savings_plans_is_for_linux_on_shared_machines() -> None:
    (found,) = plans(DEMAND)
    assert (found["purchase_option"], found["term_months"], found["advised_machines"]) == ("savings_plan", 36, 2)
    assert found["monthly_saving"] == Decimal(2 * (4 - 2) * 730)
    assert (found["upfront_cost"], found["payback_months"]) == (0, None)
    for other in ("per On Demand RHEL p5", "per On Demand Linux with SQL Std p5", "per Dedicated Linux p5", "Windows"):
        assert [row["reason"] for row in plans(other)] == ["no_price"]


def test_a_savings_plan_that_is_paid_upfront_is_its_rate_over_the_term() -> None:
    (found,) = plans(DEMAND, "all_upfront")
    assert found["upfront_cost"] == Decimal(2 * 2 * 36 * 730)
    # 4 an hour avoided by each machine pays 2 an hour for 36 months after 18
    assert found["payback_months"] == 18.0
    (half,) = plans(DEMAND, "partial_upfront")
    assert half["upfront_cost"] == Decimal(2 * 36 * 730)
    assert half["payback_months"] == 12.0  # 4 less 1 recurring, against 1 an hour for 36 months
    assert half["monthly_saving"] == found["monthly_saving"]


def google(instance: str, product: str, unit: str, option: str, sku: str, **changed: object) -> dict[str, Any]:
    """A price of Google's list: of a GPU by itself unless a machine is named."""
    named = {"provider_name": "Google Cloud", "region_id": "us-central1", "instance_type": instance}
    months = 12 if option == "committed_use" else 0
    gpu = {"gpu_count": 1, "gpu_model_name": "NVIDIA H100 80GB"}
    return {**offer(option, unit, sku=sku, months=months, product=product), **named, **gpu, **changed}


def test_a_gpu_that_google_sells_by_itself_is_committed_to_by_itself() -> None:
    """Sixteen GPUs of two machines at 4 an hour, in lines of the GPU's own unit; a year costs 2 of the list's 5."""
    on_machine = {"provider_name": "Google Cloud", "region_id": "us-central1", "instance_type": "a3-highgpu-8g"}
    gpus = hours([16] * (90 * 24), **on_machine, sku_id="GPU")
    demand = google("", "Nvidia H100 80GB GPU running in Iowa", "5", "on_demand", "GPU")
    year = google("", "Commitment v1: Nvidia H100 80GB GPU running in Iowa for 1 Year", "2", "committed_use", "CUD")
    others = [
        {**year, "region_id": "europe-west4", "unit_price": Decimal(1), "price_per_hour": Decimal(1)},
        {**year, "gpu_model_name": "NVIDIA L4", "unit_price": Decimal(1), "price_per_hour": Decimal(1)},
        {**year, "currency": "EUR", "unit_price": Decimal(1), "price_per_hour": Decimal(1)},
    ]
    (found,) = advice(gpus, [demand, year, *others])
    assert (found["purchase_option"], found["term_months"], found["committed_price"]) == ("committed_use", 12, 2)
    assert (found["advised_machines"], found["monthly_saving"]) == (16, Decimal(16 * (4 - 2) * 730))
    # cores of the same machine have no price of a machine or of a GPU
    (cores,) = advice(hours([416] * (90 * 24), **on_machine, sku_id="CORE"), [demand, year])
    assert (cores["reason"], cores["advised_machines"]) == ("no_price", None)
    # and what is sold by the calendar or on spot is covered by no commitment
    for words in ("Nvidia H100 80GB GPU attached to DWS Defined Duration VMs", "Spot Preemptible Nvidia H100 80GB GPU"):
        (apart,) = advice(gpus, [{**demand, "product": words}, year])
        assert apart["reason"] == "no_price"


def test_a_commitment_of_no_told_term_is_advised_without_steps() -> None:
    (found,) = advice(hours([2] * (90 * 24)), [offer("on_demand", "5"), offer("reserved", "2")])
    assert (found["advised_machines"], found["steps_save_at_70_percent"]) == (2, None)
