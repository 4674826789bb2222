"""How many GPUs of which model a virtual machine size of Azure has.

Sizes with a part of a GPU have none of their own: their count is unknown here, their model is not.

Here belongs: sizes. Here does not belong: prices.
"""

import re
from collections.abc import Mapping

_SIZES: tuple[tuple[str, str, Mapping[int, int]], ...] = (
    (r"nd(\d+)is?r?(?:_ndr)?_gb300_v6", "GB300", {128: 4}),
    (r"nd(\d+)is?r?(?:_ndr)?_gb200_v6", "GB200", {128: 4}),
    (r"nd(\d+)is?r?f?_mi300x_v5", "MI300X", {96: 8}),
    (r"nd(\d+)is?r?f?_h200_v5", "H200", {96: 8}),
    (r"nd(\d+)is?r?f?_h100_v5", "H100", {96: 8}),
    (r"nd(\d+)amsr(?:_a100)?_v4", "A100", {96: 8}),
    (r"nd(\d+)asr(?:_a100)?_v4", "A100", {96: 8}),
    (r"nd(\d+)rs_v2", "V100", {40: 8}),
    (r"nd(\d+)r?s", "P40", {6: 1, 12: 2, 24: 4}),
    (r"ncc(\d+)ads_h100_v5", "H100", {40: 1}),
    (r"nc(\d+)adi?s_h100_v5", "H100", {40: 1, 80: 2}),
    (r"nc(\d+)ads_a100_v4", "A100", {24: 1, 48: 2, 96: 4}),
    (r"nc(\d+)as_t4_v3", "T4", {4: 1, 8: 1, 16: 1, 64: 4}),
    (r"nc(\d+)r?s_v3", "V100", {6: 1, 12: 2, 24: 4}),
    (r"nc(\d+)r?s_v2", "P100", {6: 1, 12: 2, 24: 4}),
    (r"nv(\d+)a[dm]+s_a10_v5", "A10", {36: 1, 72: 2}),
    (r"nv(\d+)as_v4", "MI25", {32: 1}),
    (r"nv(\d+)s_v3", "M60", {12: 1, 24: 2, 48: 4}),
)


def gpus_of(size: str) -> tuple[int | None, str | None]:
    """(GPUs, their model) of a size such as `Standard_ND96isr_H100_v5`; None for what is not known of it."""
    name = size.lower().removeprefix("standard_")
    for pattern, model, counts in _SIZES:
        if (found := re.fullmatch(pattern, name)) is not None:
            return counts.get(int(found[1])), model
    return None, None
