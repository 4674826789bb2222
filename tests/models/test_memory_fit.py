"""Whether models fit into GPUs: worked out by hand, and held against trying every number of GPUs."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.memory_fit import BITS, GPU_COUNTS, Shape, fit, room_tokens

SEVENTY = Shape(70_000_000_000, 80, 8, 128)
H100 = 81_559 * 2**20  # bytes: what the driver says that it has


def test_what_is_kept_of_a_token_and_what_weights_take() -> None:
    # keys and values of 80 layers, 8 heads and 128 numbers, 2 bytes each
    assert SEVENTY.bytes_per_token == 2 * 80 * 8 * 128 * 2 == 327_680
    assert SEVENTY.weight_bytes("fp16") == 168_000_000_000
    assert SEVENTY.weight_bytes("fp8") == 84_000_000_000
    assert SEVENTY.weight_bytes("int4") == 42_000_000_000


def test_half_the_bits_are_half_the_gpus() -> None:
    # nine tenths of an H100 are 76.97 GB: 168 GB need four where GPUs come in powers of two, 84 two, 42 one
    assert [fit(SEVENTY, name, H100, 10_000).gpus for name in ("fp16", "fp8", "int4")] == [4, 2, 1]
    assert (room_tokens(SEVENTY, "int4", H100, 1)) == (H100 * 9 // 10 - 42_000_000_000) // 327_680 == 106_716


def test_long_prompts_of_many_need_more_gpus_than_the_weights() -> None:
    room = room_tokens(SEVENTY, "int4", H100, 1)
    assert fit(SEVENTY, "int4", H100, room).gpus == 1
    assert fit(SEVENTY, "int4", H100, room + 1).gpus == 2


def test_what_does_not_fit_on_eight_says_so_and_how_much_room_there_is() -> None:
    large = Shape(405_000_000_000, 126, 8, 128)
    assert fit(large, "fp16", H100, 1).gpus is None
    assert fit(large, "fp16", H100, 1).room_tokens == 0
    assert fit(large, "fp8", H100, 1_000).gpus == 8


@given(st.integers(10**9, 10**12), st.integers(1, 128), st.sampled_from(sorted(BITS)), st.integers(1, 10**7))
def test_the_fewest_gpus_are_those_that_trying_finds(parameters: int, layers: int, name: str, tokens: int) -> None:
    shape = Shape(parameters, layers, 8, 128)
    needed = Fraction(parameters * BITS[name] * 6, 8 * 5) + tokens * 2 * layers * 8 * 128 * 2
    fitting = [gpus for gpus in GPU_COUNTS if Fraction(gpus * H100 * 9, 10) >= needed]
    assert fit(shape, name, H100, tokens).gpus == (fitting[0] if fitting else None)


def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of fp16, fp8, int4"):
        fit(SEVENTY, "fp2", H100, 1)
    with pytest.raises(ValueError, match="expected one at least"):
        fit(SEVENTY, "fp8", 0, 1)
    with pytest.raises(ValueError, match="every size"):
        Shape(0, 1, 1, 1)
