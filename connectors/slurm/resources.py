"""The GPUs in a job's resources: `billing=24,cpu=4,gres/gpu:a100=2,gres/gpu=2,mem=2G,node=1`.

Slurm lists GPUs of a type, and beside them all GPUs without one. They are the same GPUs: those of a type are taken,
and of the untyped ones only what no type accounts for.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from connectors.fields import RowError, shown

_GRES = re.compile(r"gres[/:](gpu|mps|shard)(?::([^=:]+))?[=:](\d{1,9})", re.ASCII)
_MIG = re.compile(r"\d+g\.\d+gb(?:\+[\w.]+)?")
_PLACES = Decimal("0.000001")


class Gpus(NamedTuple):
    """GPUs of one kind. `resource_name` in Slurm's words; a shared GPU's shares are a part of it."""

    resource_name: str
    gpus: Decimal
    gpu_model_name: str | None
    mig_profile: str | None
    is_shared: bool


def gpus_of(tres: str, shares_per_gpu: Mapping[str, int]) -> list[Gpus]:
    """The GPUs, each once. Raises RowError for shares of which nobody says how many make a GPU."""
    typed, untyped = dict[tuple[str, str], int](), dict[str, int]()
    for entry in tres.split(","):
        match = _GRES.fullmatch(entry.strip())
        if match is None:
            if re.match(r"gres[/:](gpu|mps|shard)\b", entry.strip()):
                raise RowError("unreadable_resources", f"{shown(entry)} is no resource such as gres/gpu:a100=2")
            continue
        kind, model, count = match[1], match[2], int(match[3])
        if model is None:
            untyped[kind] = count
        else:
            typed[kind, model] = typed.get((kind, model), 0) + count
    for kind, count in untyped.items():
        rest = count - sum(given for (name, _), given in typed.items() if name == kind)
        typed[kind, ""] = max(rest, 0)
    return [_gpus(kind, model, count, shares_per_gpu) for (kind, model), count in sorted(typed.items()) if count]


def _gpus(kind: str, model: str, count: int, shares_per_gpu: Mapping[str, int]) -> Gpus:
    name = f"gres/{kind}:{model}" if model else f"gres/{kind}"
    profile = _MIG.search(model)
    if kind == "gpu":
        return Gpus(name, Decimal(count), model or None, profile[0] if profile else None, is_shared=False)
    if kind not in shares_per_gpu:
        detail = f"{count} of {name} are shares of a GPU. Say how many make one: shares_per_gpu: {{{kind}: N}}."
        raise RowError("unknown_share", detail, "AllocTRES")
    return Gpus(name, (Decimal(count) / shares_per_gpu[kind]).quantize(_PLACES), model or None, None, is_shared=True)


def on_nodes(held: list[Gpus], nodes: list[str], per_node: list[Gpus]) -> list[tuple[str, Gpus]]:
    """Each node with its GPUs of each kind; without a node where nobody can say which one had how many.

    Args:
        held: What the job held in all.
        nodes: The nodes that it ran on.
        per_node: What it asked for on each node, where the accounting tells.

    Slurm's accounting does not say how many GPUs a node of several gave. It is an even share where the job asked for
    so many on each, or held one kind whose number the nodes divide.
    """
    if len(nodes) <= 1:
        return [(nodes[0] if nodes else "", gpus) for gpus in held]
    asked = {gpus.resource_name: gpus.gpus for gpus in per_node}
    spread = list[tuple[str, Gpus]]()
    for gpus in held:
        share = gpus.gpus / len(nodes)
        is_asked = asked.get(gpus.resource_name) == share
        is_even = is_asked or (len(held) == 1 and (gpus.is_shared or share == share.to_integral_value()))
        if is_even and share == share.quantize(_PLACES):
            spread += ((node, gpus._replace(gpus=share.quantize(_PLACES))) for node in nodes)
        else:
            spread.append(("", gpus))
    return spread
