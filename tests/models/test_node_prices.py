"""A node's price taken apart: AWS's and OpenCost's own examples, and money that adds up whatever the bill says."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.frames import frame_of
from models.node_prices import PRICES, node_costs, split_by_base_costs
from tests.sql.golden import filled

D = Decimal
DAY = date(2026, 10, 5)
PICO = 10**12
NODE = {"cluster": "prod", "hostname": "node-1"}
RESOURCE = {"resource_id": "i-1", "billing_period": date(2026, 10, 1), "usage_date": DAY, "billing_currency": "USD"}


def frame(table, *rows):
    return frame_of(filled(table, [{name: _plain(value) for name, value in row.items()} for row in rows]))


def _plain(value):
    return f"{value:f}" if isinstance(value, D) else value


def cost(amount, provider="AWS"):
    return frame("gpu_costs_hourly", {**NODE, **RESOURCE, "provider_name": provider, "effective_cost": D(amount)})


def lines(provider="AWS", **parts):
    sums = {f"{name}_cost": D(parts.get(name, 0)) for name in ("machine", "gpu", "cpu", "memory", "other")}
    return frame("gpu_node_lines", {**RESOURCE, "provider_name": provider, **sums})


def size(gpus, vcpus=None, gib=None):
    told = {"vcpu_count": None if vcpus is None else D(vcpus), "memory_gib": None if gib is None else D(gib)}
    return frame("gpu_node_sizes", {"usage_date": DAY, **NODE, "gpu_count": gpus, **told})


def parts(costs):
    names = ("split_method_id", "gpu_cost", "cpu_cost", "memory_cost", "other_cost")
    return costs.select(names).row(0)


def test_base_prices_are_scaled_to_the_node_as_opencost_says():
    # OpenCost's specification, appendix A: $35, base prices 30, 30 and 10
    assert split_by_base_costs(35 * PICO, [D(30), D(30), D(10)]) == [15 * PICO, 15 * PICO, 5 * PICO]


def test_a_node_of_aws_is_split_by_nine_to_one_and_nine_to_one_again():
    # AWS's example: a p3.16xlarge of $10: 8 x 9 + 64 x 0.9 + 488 x 0.1 = 178.4 parts of 0.0560538
    method, gpu, cpu, memory, other = parts(
        node_costs(gpu_costs=cost("10"), lines=lines(machine="10"), sizes=size(8, 64, 488))
    )
    assert method == "aws_split_cost"
    assert [f"{gpu / 8:.6f}", f"{cpu / 64:.7f}", f"{memory / 488:.8f}"] == ["0.504484", "0.0504484", "0.00560538"]
    assert (gpu + cpu + memory, other) == (D(10), 0)


def test_a_node_without_gpus_is_split_by_the_same_weights():
    # m5.xlarge of $1: 4 cores, 16 GB
    price = PRICES["aws_split_cost"]
    cpu, memory = split_by_base_costs(PICO, [4 * price.vcpu, 16 * price.memory_gib])
    assert (round(cpu / 4 / PICO, 6), round(memory / 16 / PICO, 7)) == (0.173077, 0.0192308)
    assert cpu + memory == PICO


def test_elsewhere_a_node_is_split_by_opencosts_default_prices():
    # 8 x 0.95 = 7.6; 100 x 0.031611 = 3.1611; 1000 x 0.004237 = 4.237: together 14.9981
    costs = node_costs(
        gpu_costs=cost("14.9981", "Nimbus"), lines=lines("Nimbus", machine="14.9981"), sizes=size(8, 100, 1000)
    )
    assert parts(costs) == ("opencost_base_prices", D("7.6"), D("3.1611"), D("4.237"), 0)


def test_lines_that_bill_parts_are_the_split_and_need_no_size():
    costs = node_costs(
        gpu_costs=cost("13.5", "Google Cloud"),
        lines=lines("Google Cloud", gpu="9", cpu="3", memory="1", other="0.5"),
        sizes=size(8),
    )
    assert parts(costs) == ("billed_lines", 9, 3, 1, D("0.5"))


def test_lines_of_several_days_give_their_proportions():
    costs = node_costs(
        gpu_costs=cost("2.25", "Google Cloud"), lines=lines("Google Cloud", gpu="6", cpu="3"), sizes=size(8)
    )
    assert parts(costs) == ("billed_lines", D("1.5"), D("0.75"), 0, 0)


def test_what_a_machine_transferred_is_no_part_of_it():
    costs = node_costs(gpu_costs=cost("11"), lines=lines(machine="10", other="1"), sizes=size(1, 1, 1))
    assert parts(costs) == ("aws_split_cost", D(9), D("0.9"), D("0.1"), D(1))


@pytest.mark.parametrize("told", [size(8), size(8, 64), size(8, None, 488), frame("gpu_node_sizes")])
def test_a_node_of_unknown_size_is_not_split(told):
    costs = node_costs(gpu_costs=cost("10"), lines=lines(machine="9", other="1"), sizes=told)
    assert parts(costs) == (None, None, None, None, D(1))
    assert costs["effective_cost"].to_list() == [D(10)]


def test_a_refund_is_split_like_its_charge():
    costs = node_costs(gpu_costs=cost("-10"), lines=lines(machine="-10"), sizes=size(1, 1, 0.5))
    _, gpu, cpu, memory, _ = parts(costs)
    assert gpu < cpu < memory < 0
    assert gpu + cpu + memory == D(-10)


@given(
    amount=st.decimals(-(10**9), 10**9, places=12),
    told=st.lists(st.decimals(-100, 1000, places=4), min_size=5, max_size=5),
    gpus=st.integers(1, 16),
    vcpus=st.integers(1, 512),
    gib=st.decimals("0.5", 4096, places=6),
)
def test_parts_sum_to_the_node_whatever_the_lines_say(amount, told, gpus, vcpus, gib):
    named = dict(zip(("machine", "gpu", "cpu", "memory", "other"), told, strict=True))
    costs = node_costs(gpu_costs=cost(amount), lines=lines(**named), sizes=size(gpus, vcpus, gib))
    assert sum(parts(costs)[1:]) == costs["effective_cost"][0] == amount
