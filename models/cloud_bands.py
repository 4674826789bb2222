"""For which requests a cloud's price holds: a cloud says "long context", and the general list from how many tokens on.

An ordinary price of a model that costs more in long contexts is the price of its lowest band alone: what the cloud says
of long contexts, or else what the list says, holds above it.

Here belongs: placing a cloud's prices in the list's bands. Here does not belong: time within a cloud's own list.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import polars as pl

from models.cloud_timeline import Priced, Stretch
from models.price_lines import ANY_INPUT_TO, PriceLine, price_lines

DEFAULT_TIER = "default"
REACHES = ("regional.", "datazone.")
"""What stands before a model's name where its calls stay in a part of the world: its bands are the model's."""

Bands = Mapping[tuple[str, str, str], Sequence[PriceLine]]
"""The general list's lines by provider, model and tier."""


@dataclass(frozen=True)
class Placed:
    """A stretch of a price in a band of total input tokens; no band says that no list tells where it belongs."""

    stretch: Stretch
    band: tuple[int, int] | None


def with_bands(models: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those models, and those whose bands are theirs, by provider and model."""
    return {(provider_id, name) for provider_id, model_id in models for name in _names(model_id)}


def bands_of(book: pl.DataFrame, models: Iterable[tuple[str, str]]) -> Bands:
    """The lines of the general list, in the shape of `prices`, that tell where contexts of those models become long."""
    wanted = with_bands(models)
    wanted_frame = pl.DataFrame(sorted(wanted), schema=["provider_id", "model_id"], orient="row").cast(pl.String)
    found: dict[tuple[str, str, str], list[PriceLine]] = defaultdict(list)
    for line in price_lines(book.join(wanted_frame, on=["provider_id", "model_id"], how="semi")):
        found[line.provider_id, line.model_id, line.service_tier].append(line)
    return found


def placed(of: Priced, stretch: Stretch, bands: Bands, *, is_long_stated: bool) -> Iterator[Placed]:
    """The pieces of a stretch between changes of the list's bands, each in its band; neighbours differ in it.

    Args:
        of: what the price is of.
        stretch: when it holds.
        bands: from `bands_of`.
        is_long_stated: whether the cloud also states a price for long contexts of the same.
    """
    listed = _listed(of, bands)
    cuts = {at for lines in listed for line in lines for at in (line.valid_from, line.valid_to)}
    inside = {at for at in cuts if stretch.valid_from < at < stretch.valid_to}
    before: Placed | None = None
    for start, end in pairwise(sorted({stretch.valid_from, stretch.valid_to} | inside)):
        now = Placed(replace(stretch, valid_from=start, valid_to=end), _band(of, listed, start, is_long_stated))
        if before and before.band == now.band:
            now = replace(now, stretch=replace(now.stretch, valid_from=before.stretch.valid_from))
        elif before:
            yield before
        before = now
    if before:
        yield before


def _names(model_id: str) -> tuple[str, ...]:
    bare = next((model_id.removeprefix(reach) for reach in REACHES if model_id.startswith(reach)), None)
    return (model_id, bare) if bare else (model_id,)


def _listed(of: Priced, bands: Bands) -> list[Sequence[PriceLine]]:
    """What the list says of the tier, and of the default tier."""
    keys = [(of.provider_id, name) for name in _names(of.model_id)]
    known = next((key for key in keys if (*key, DEFAULT_TIER) in bands), keys[0])
    return [bands.get((*known, tier), ()) for tier in (of.service_tier, DEFAULT_TIER)]


def _band(
    of: Priced, listed: Sequence[Sequence[PriceLine]], at: datetime, is_long_stated: bool
) -> tuple[int, int] | None:
    own, default = ([line for line in lines if line.valid_from <= at < line.valid_to] for lines in listed)
    lines = own if _starts(own) or (own and not is_long_stated) else default
    starts = _starts(lines)
    if of.is_long_context:
        return (starts[0], ANY_INPUT_TO) if len(starts) == 1 else None
    of_class = {line.usd_per_mtok for line in lines if line.token_class == of.token_class}
    is_same_everywhere = len(of_class) == 1 and not is_long_stated
    return (0, starts[0] if starts and not is_same_everywhere else ANY_INPUT_TO)


def _starts(lines: Iterable[PriceLine]) -> list[int]:
    """Where bands above the lowest begin."""
    return sorted({line.input_tokens_from for line in lines} - {0})
