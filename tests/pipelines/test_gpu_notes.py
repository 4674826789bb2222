"""What a night tells of GPUs beside its tables: what cannot be split or joined, schedulers that contradict another."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from contracts import contract
from pipelines.house import House, open_house
from pipelines.night.build import build
from pipelines.night.gpu_costs import build_node_costs
from pipelines.night.references import write_references
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

MONTH, DAY = date(2026, 10, 1), date(2026, 10, 5)
NOON = "2026-10-05 12:00:00"
HOSTS = """\
hosts:
  - {resource_id: i-1, hostname: node-1, cluster: prod, gpus: 8, gpu_model: H100, vcpus: 64, memory_gib: 488}
  - {resource_id: i-2, hostname: node-2, cluster: prod, gpus: 8}
"""


def write(house: House, table: str, day: date, *rows: dict[str, Any]) -> None:
    house.lake.replace_slice(table, day, "farthing", filled(table, list(rows)), f"{table:0<32}")


def test_nodes_of_known_size_are_split_and_the_others_are_named(tmp_path: Path) -> None:
    write_company(tmp_path)
    file = tmp_path / "farthing.yml"
    file.write_text(file.read_text(encoding="utf-8") + HOSTS, encoding="utf-8")
    nodes = [{"cluster": "prod", "hostname": f"node-{n}", "resource_id": f"i-{n}"} for n in (1, 2)]
    bill = {"provider_name": "AWS", "billing_currency": "USD", "effective_cost": "10"}
    with open_house(file, "run-1") as house:
        write_references(house)
        hours = [{**node, "usage_date": DAY, "hour_start": NOON, "gpu_count": 8} for node in nodes]
        write(house, "gpu_billed_hours", DAY, *hours)
        costs = [{**node, **bill, "billing_period": MONTH, "usage_date": DAY, "hour_start": NOON} for node in nodes]
        write(house, "gpu_costs_hourly", MONTH, *costs)
        lines = [
            {"resource_id": node["resource_id"], "charge_period_start": NOON, "x_slice_date": MONTH} for node in nodes
        ]
        write(house, "charges", MONTH, *({**line, **bill} for line in lines))
        for table in ("gpu_node_lines", "gpu_node_sizes"):
            build(house, contract(table), DAY, DAY)
        built = build_node_costs(house, DAY, DAY)
        known, unknown = sorted(house.lake.read("gpu_node_costs").to_pylist(), key=lambda row: row["hostname"])
    assert built.effective_cost == {"USD": Decimal(20)}
    assert built.note == "cores and memory of node-2 are not known (hosts: vcpus, memory_gib): their cost is not split"
    assert (known["split_method_id"], f"{known['gpu_cost']:.4f}") == ("aws_split_cost", "4.0359")
    assert (unknown["split_method_id"], unknown["gpu_cost"], unknown["effective_cost"]) == (None, None, Decimal(10))


def test_two_sources_that_name_different_numbers_of_gpus_are_told(tmp_path: Path) -> None:
    write_company(tmp_path)
    given = {"allocation_date": DAY, "x_slice_date": DAY, "cluster": "prod", "hostname": "node-1", "namespace": "mail"}
    given |= {"started_at": NOON, "ended_at": "2026-10-05 13:00:00", "resource_name": "nvidia_com_gpu"}
    alike = [{**given, "pod": "p-1", "x_source": name, "allocated_gpus": "1"} for name in ("prom-a", "prom-b")]
    apart = [
        {**given, "pod": "p-2", "x_source": name, "allocated_gpus": gpus} for name, gpus in (("a", "1"), ("b", "2"))
    ]
    with open_house(tmp_path / "farthing.yml", "run-1") as house:
        write(house, "gpu_allocations", DAY, *alike, *apart)
        built = build(house, contract("gpu_holdings"), DAY, DAY)
        found = {row["pod"]: row["allocated_ppm"] for row in house.lake.read("gpu_holdings").to_pylist()}
    assert found == {"p-1": 1_000_000, "p-2": 2_000_000}
    assert built.note == "sources differ in how many GPUs mail/p-2 on node-1 had: the higher number counts"


def test_engines_that_several_sources_observe_are_told_and_count_once(tmp_path: Path) -> None:
    write_company(tmp_path)
    given = {"usage_date": DAY, "x_slice_date": DAY, "cluster": "prod", "namespace": "serving", "model_name": "llama"}
    given |= {"interval_start": NOON, "interval_end": "2026-10-05 13:00:00", "prompt_tokens": 1000}
    seen = {("llm-0", "prom-a"): 3600, ("llm-0", "scrapes"): 3000, ("llm-1", "prom-a"): 3600}
    rows = [{**given, "pod": pod, "x_source": name, "covered_seconds": n} for (pod, name), n in seen.items()]
    with open_house(tmp_path / "farthing.yml", "run-1") as house:
        write(house, "serving_counters", DAY, *rows)
        built = build(house, contract("serving_hourly"), DAY, DAY)
        found = {row["pod"]: row["prompt_tokens"] for row in house.lake.read("serving_hourly").to_pylist()}
    assert found == {"llm-0": 1000, "llm-1": 1000}
    assert built.note == (
        "several sources observe the engines of serving/llm-0: each hour counts once, as the best covered tells"
    )


def test_gpus_billed_of_machines_that_nobody_knows_are_told_with_their_money(tmp_path: Path) -> None:
    write_company(tmp_path)
    line = {"charge_period_start": NOON, "x_slice_date": MONTH, "billing_currency": "USD"}
    with open_house(tmp_path / "farthing.yml", "run-1") as house:
        write(
            house,
            "charges",
            MONTH,
            {**line, "provider_name": "CoreWeave", "service_name": "gd-8xh100ib-i128", "effective_cost": "1049.24"},
            {**line, "provider_name": "CoreWeave", "service_name": "gd-8xl40-i128", "effective_cost": "10"},
            {**line, "provider_name": "AWS", "x_instance_type": "p5.48xlarge", "effective_cost": "98.32"},
            {**line, "provider_name": "CoreWeave", "service_name": "object-storage", "effective_cost": "7"},
        )
        built = build(house, contract("gpu_unjoined"), DAY, DAY)
    assert built.effective_cost == {"USD": Decimal("1157.56")}
    assert built.note == (
        "billed for GPUs of machines that nobody knows (hosts): AWS USD 98.32, CoreWeave USD 1,059.24"
    )


def test_power_that_the_energy_counter_contradicts_is_told(tmp_path: Path) -> None:
    write_company(tmp_path)
    start = datetime.fromisoformat(NOON)
    watts = {"GPU-1": 125, "GPU-2": 105, "GPU-3": 100}  # of what the counter counts, which is 100; GPU-3's stands still
    rows = [
        {
            "sampled_at": str(start + timedelta(minutes=minute)),
            "sample_date": DAY,
            "x_slice_date": DAY,
            "cluster": "prod",
            "hostname": "node-1",
            "gpu_uuid": gpu,
            "power_watts": float(told),
            "energy_millijoules": 0 if gpu == "GPU-3" else minute * 60 * 100_000,
        }
        for gpu, told in watts.items()
        for minute in range(61)
    ]
    with open_house(tmp_path / "farthing.yml", "run-1") as house:
        write_references(house)
        write(house, "gpu_samples", DAY, *rows)
        built = build(house, contract("gpu_energy"), DAY, DAY)
    assert built.note == (
        "power and the energy counter differ by more than a tenth: GPU-1 on node-1 (+25%), "
        "GPU-3 on node-1 (the counter stands still) (gpu_energy)"
    )


def splits_note(tmp_path: Path, bill: dict[str, str | None], seen: dict[str, int]) -> str:
    """What a night says of pods of node i-1: what the bill asks for an hour of each, and for how long each was seen."""
    line = {"x_slice_date": MONTH, "charge_period_start": NOON, "x_split_parent_resource_id": "i-1"}
    line |= {"consumed_unit": "Accelerator-Hours", "consumed_quantity": "1", "billing_currency": "USD"}
    lines = [
        {**line, "resource_id": f"arn:aws:eks:us-east-1:4:pod/ml/search/{pod}/{pod}-uid", "x_split_cost": cost}
        for pod, cost in bill.items()
    ]
    hour = {"billing_period": MONTH, "usage_date": DAY, "resource_id": "i-1", "namespace": "search"}
    hours = [{**hour, "pod": pod, "gpu_seconds": n, "billing_currency": "USD"} for pod, n in seen.items()]
    write_company(tmp_path)
    with open_house(tmp_path / "farthing.yml", "run-1") as house:
        write(house, "charges", MONTH, *lines)
        write(house, "gpu_costs_hourly", MONTH, *hours)
        return build(house, contract("gpu_pod_splits"), DAY, DAY).note


def test_pods_that_the_bill_alone_gives_gpus_are_told_with_the_bill_s_money(tmp_path: Path) -> None:
    bill = {"lost-0": "1200.5", "lost-1": None, "rank-0": "7", "rank-1": "7"}
    assert splits_note(tmp_path, bill, {"rank-0": 3600, "rank-1": 900}) == (
        "the bill splits GPU nodes among pods that nobody saw there: search/lost-0 USD 1,200.50, "
        "search/lost-1 USD unknown; "
        "the bill gives pods another time of GPUs than was seen: search/rank-1 (gpu_pod_splits)"
    )


def test_pods_of_the_bill_that_nobody_saw_are_told_alone(tmp_path: Path) -> None:
    assert splits_note(tmp_path, {"lost-0": "2", "rank-0": "7"}, {"rank-0": 3600}) == (
        "the bill splits GPU nodes among pods that nobody saw there: search/lost-0 USD 2.00 (gpu_pod_splits)"
    )


def test_pods_with_another_time_than_the_bill_s_are_told_alone(tmp_path: Path) -> None:
    assert splits_note(tmp_path, {"rank-0": "7"}, {"rank-0": 900}) == (
        "the bill gives pods another time of GPUs than was seen: search/rank-0 (gpu_pod_splits)"
    )


def test_pods_of_a_machine_of_which_nothing_is_known_here_are_no_finding(tmp_path: Path) -> None:
    assert splits_note(tmp_path, {"rank-0": "7"}, {}) == ""
