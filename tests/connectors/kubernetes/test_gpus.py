"""How many GPUs a node has, by the labels of NVIDIA's GPU feature discovery."""

from decimal import Decimal

import pytest

from connectors.kubernetes.gpus import counted_gpus


@pytest.mark.parametrize(
    ("product", "count", "gpus"),
    [
        ("NVIDIA-A100-SXM4-80GB", 8, 8),
        # all GPUs cut alike: the label counts instances, seven of a slice to a GPU, two of three slices
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", 7, 1),
        ("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", 56, 8),
        ("NVIDIA-A100-SXM4-80GB-MIG-3g.40gb", 2, 1),
        ("NVIDIA-A100-SXM4-80GB-MIG-2g.20gb-SHARED", 6, 2),
        ("NVIDIA-H100-80GB-HBM3-MIG-7g.80gb", 8, 8),
        # four of a quarter of the memory each
        ("NVIDIA-H100-80GB-HBM3-MIG-1g.20gb", 12, 3),
        ("NVIDIA-A30-MIG-1g.6gb", 8, 2),
        # one is not cut as far as the others
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", 13, 2),
    ],
)
def test_a_label_of_a_count_is_of_instances_where_all_gpus_are_cut_alike(product: str, count: int, gpus: int) -> None:
    offered = {"nvidia_com_gpu": Decimal(count)}
    assert counted_gpus(count, offered, product) == gpus


def test_without_the_label_it_is_the_fewest_that_can_be_what_is_offered() -> None:
    assert counted_gpus(None, {"nvidia_com_mig_1g_10gb": Decimal(7), "nvidia_com_gpu": Decimal(2)}, "") == 3
    assert counted_gpus(None, {"nvidia_com_gpu": Decimal(2)}, "NVIDIA-H100-80GB-HBM3") is None


@pytest.mark.parametrize(
    ("offered", "product", "gpus"),
    [
        # four slices to a GPU; four instances of 35 GB to one of 141 GB; 96 GB beside a processor's 480
        ({"nvidia_com_mig_1g_6gb": Decimal(16)}, "NVIDIA-A30", 4),
        ({"nvidia_com_gpu": Decimal(32)}, "NVIDIA-A30-MIG-1g.6gb", 8),
    ],
)
def test_a_type_s_own_slices_count(offered: dict[str, Decimal], product: str, gpus: int) -> None:
    assert counted_gpus(None, offered, product) == gpus


@pytest.mark.parametrize(
    ("count", "product", "gpus"),
    [(32, "NVIDIA-H200-MIG-1g.35gb", 8), (4, "NVIDIA-GH200-480GB-MIG-1g.24gb", 1), (7, "NVIDIA-B200-MIG-1g.23gb", 1)],
)
def test_memory_that_a_name_does_not_tell_is_known(count: int, product: str, gpus: int) -> None:
    assert counted_gpus(count, {"nvidia_com_gpu": Decimal(count)}, product) == gpus
