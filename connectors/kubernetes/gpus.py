"""What a resource's name and a node's labels say about GPUs: model, MIG profile, whether they are shared.

Labels are those of NVIDIA's GPU feature discovery: https://github.com/NVIDIA/k8s-device-plugin (nvidia.com/gpu.*).

Here belongs: NVIDIA's forms. Here does not belong: how kube-state-metrics writes labels (label_names).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from connectors.kubernetes.label_names import chosen

PRODUCT, COUNT = "nvidia.com/gpu.product", "nvidia.com/gpu.count"
REPLICAS, STRATEGY = "nvidia.com/gpu.replicas", "nvidia.com/gpu.sharing-strategy"
LABELS = (PRODUCT, COUNT, REPLICAS, STRATEGY)
_PRODUCT = re.compile(r"(.+?)(?:-MIG-(\d+g\.\d+gb(?:\.me)?))?(-SHARED)?")
_MIG = re.compile(r"nvidia_com_mig_(\d+g)_(\d+gb)(_me)?(_shared)?")
_SLICES = 7  # of the GPUs that have most
_FEWER_SLICES = {"A30": 4, "RTX-PRO-6000": 4, "RTX-PRO-5000": 2}
_MEMORY = re.compile(r"-(\d+)GB")
_MEMORY_GB = {"GH200": 96, "GB200": 186, "H200": 141, "B200": 180, "A30": 24}
"""Of GPUs whose names tell none, or another one's; a name within another one comes after it."""
_SHARED_BY = ("time-slicing", "mps")


@dataclass(frozen=True)
class Kind:
    """What kind of GPU it is; None is unknown."""

    model_name: str | None
    mig_profile: str | None
    is_shared: bool


UNKNOWN = Kind(None, None, is_shared=False)


def of_resource(name: str) -> Kind:
    """What a resource's name says, as kube-state-metrics writes it: `nvidia_com_mig_1g_10gb` is of profile 1g.10gb."""
    if found := _MIG.fullmatch(name):
        return Kind(None, f"{found[1]}.{found[2]}{'+me' if found[3] else ''}", is_shared=found[4] is not None)
    return Kind(None, None, is_shared=name.endswith("_shared"))


def of_product(product: str) -> Kind:
    """What the product label says: `NVIDIA-A100-SXM4-80GB-MIG-1g.10gb-SHARED` holds three things."""
    found = _PRODUCT.fullmatch(product)
    if found is None:
        return UNKNOWN
    return Kind(found[1], found[2] and found[2].replace(".me", "+me"), is_shared=found[3] is not None)


def of_node(labels: Mapping[str, str]) -> Kind:
    """What the node's labels say, in kube-state-metrics' names."""
    said = chosen(labels, LABELS)
    product = of_product(said.get(PRODUCT, ""))
    return replace(product, is_shared=product.is_shared or replicas(said) is not None)


def replicas(said: Mapping[str, str]) -> int | None:
    """As how many shares a GPU is offered, by labels in Kubernetes' names; None where it is not shared."""
    count = whole(said.get(REPLICAS))
    return count if count is not None and (count > 1 or said.get(STRATEGY) in _SHARED_BY) else None


def counted_gpus(count: int | None, capacity: Mapping[str, Decimal], product: str) -> int | None:
    """The physical GPUs of a node by its label of a count, else the fewest that can be what it offers.

    Where all GPUs are cut alike (`mig.strategy: single`) the label counts instances, as the product's says: as many to
    a GPU as its slices and its memory hold.
    """
    kind = of_product(product)
    if count is None:
        return least_gpus(capacity, product)
    if kind.mig_profile is None or kind.model_name is None:
        return count
    slices, memory = (int(number) for number in re.findall(r"\d+", kind.mig_profile)[:2])
    of_gpu = _slices_of(kind.model_name) // slices
    whole_memory = _memory_of(kind.model_name)
    if whole_memory is not None:
        of_gpu = min(of_gpu, whole_memory // memory)
    return math.ceil(count / max(of_gpu, 1))


def _slices_of(model_name: str) -> int:
    return next((few for name, few in _FEWER_SLICES.items() if name in model_name), _SLICES)


def _memory_of(model_name: str) -> int | None:
    """GB of memory, as profiles count them; None where nobody knows."""
    listed = next((memory for name, memory in _MEMORY_GB.items() if name in model_name), None)
    told = _MEMORY.search(model_name)
    return listed if listed is not None or told is None else int(told[1])


def least_gpus(capacity: Mapping[str, Decimal], product: str) -> int | None:
    """The fewest GPUs that can be what a node offers, where these are MIG instances: by the slices that its type has.

    `product` is the node's label: of some nodes it alone says that what is offered as GPUs are instances. None where
    nothing is one.
    """
    kind = of_product(product)
    of_all = kind.mig_profile
    slices, gpus = Decimal(0), Decimal(0)
    for resource, count in capacity.items():
        profile = of_resource(resource).mig_profile or of_all
        if profile is None:
            gpus += count
        else:
            slices += count * int(profile.partition("g")[0])
    return int(gpus) + math.ceil(slices / _slices_of(kind.model_name or "")) if slices else None


def whole(text: str | None) -> int | None:
    """The number that a label writes, or None."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,6}", text) else None
