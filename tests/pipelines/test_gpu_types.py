"""One name for each type of GPU, whoever names it."""

import pytest

from pipelines.gpu_types import gpu_types, name_key


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"),  # the driver
        ("NVIDIA-H100-80GB-HBM3", "NVIDIA H100 80GB HBM3"),  # GPU feature discovery
        ("nvidia-h100-80gb", "NVIDIA H100 80GB HBM3"),  # Google Cloud
        ("NVIDIA-A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB"),
        ("nvidia-tesla-t4", "Tesla T4"),
        ("l40s", "NVIDIA L40S"),
    ],
)
def test_drivers_clusters_and_clouds_mean_one_type(name: str, expected: str) -> None:
    assert gpu_types()[name_key(name)] == expected


@pytest.mark.parametrize("name", ["H100", "NVIDIA H100", "A100", "V100", "MI300X"])
def test_a_name_that_fits_several_types_or_none_is_left_alone(name: str) -> None:
    assert name_key(name) not in gpu_types()
