"""Whether a model's weights, and what is kept of the requests it answers, fit into the memory of so many GPUs.

- weights = parameters x bits / 8, and a fifth more for what engines hold beside them
- kept per token (KV cache) = 2 x layers x key-value heads x size of a head x 2 bytes: it stays at 16 bits, whatever the
  weights are quantised to
- room = nine tenths of the GPUs' memory: engines leave the rest to the driver and to fragmentation

Engines split a model over 1, 2, 4 or 8 GPUs of a machine. Sources: weights and cache as any transformer with grouped
queries has them (Ainslie et al. 2023, arXiv 2305.13245); the fifth and the tenth are rules of thumb of serving engines
(vLLM's `gpu_memory_utilization` is 0.9 by default), and whoever is near the edge should measure. Mixtures of experts
need the memory of all their parameters, also of those that a token does not pass.

Here belongs: the arithmetic, in whole bytes and fractions. Here does not belong: shapes of models, memory of GPUs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

BITS: Mapping[str, int] = MappingProxyType({"fp16": 16, "fp8": 8, "int4": 4})
"""Bits of a parameter by quantisation: bf16 is as large as fp16, int8 as fp8."""

GPU_COUNTS = (1, 2, 4, 8)
_BESIDE_WEIGHTS = Fraction(6, 5)
_USABLE = Fraction(9, 10)
_CACHE_BYTES = 2


@dataclass(frozen=True)
class Shape:
    """What a model's size follows from.

    Attributes:
        parameters: all of them.
        layers: of the transformer.
        kv_heads: heads that keep keys and values, in each layer.
        head_size: numbers of each of them.
    """

    parameters: int
    layers: int
    kv_heads: int
    head_size: int

    def __post_init__(self) -> None:
        if min(self.parameters, self.layers, self.kv_heads, self.head_size) < 1:
            raise ValueError(f"{self}: every size is one at least")

    @property
    def bytes_per_token(self) -> int:
        """What is kept of a token, in bytes."""
        return 2 * self.layers * self.kv_heads * self.head_size * _CACHE_BYTES

    def weight_bytes(self, quantisation: str) -> Fraction:
        """What the weights take, and what engines hold beside them. Raises KeyError for an unknown quantisation."""
        return Fraction(self.parameters * BITS[quantisation], 8) * _BESIDE_WEIGHTS


@dataclass(frozen=True)
class Fit:
    """How a model fits: GPUs of a replica, None where eight are too few; tokens that then have room at once."""

    quantisation: str
    gpus: int | None
    room_tokens: int


def room_tokens(shape: Shape, quantisation: str, gpu_bytes: int, gpus: int) -> int:
    """Tokens that can be kept at once beside the weights on that many GPUs; negative where the weights do not fit."""
    left = gpus * gpu_bytes * _USABLE - shape.weight_bytes(quantisation)
    return left // shape.bytes_per_token


def fit(shape: Shape, quantisation: str, gpu_bytes: int, tokens: int) -> Fit:
    """The fewest GPUs that hold the model and so many tokens at once.

    Args:
        shape: the model's.
        quantisation: one of `BITS`.
        gpu_bytes: memory of a GPU.
        tokens: tokens of all requests that are answered at the same time, prompts and answers.

    Raises:
        ValueError: no memory, no token, or an unknown quantisation.
    """
    if quantisation not in BITS:
        raise ValueError(f"quantisation '{quantisation}' is unknown: expected one of {', '.join(BITS)}")
    if gpu_bytes < 1 or tokens < 1:
        raise ValueError(f"{gpu_bytes} bytes of a GPU, {tokens} tokens: expected one at least")
    for gpus in GPU_COUNTS:
        if (room := room_tokens(shape, quantisation, gpu_bytes, gpus)) >= tokens:
            return Fit(quantisation, gpus, room)
    return Fit(quantisation, None, max(room_tokens(shape, quantisation, gpu_bytes, GPU_COUNTS[-1]), 0))
