"""What a house says of costs that no one request caused: capacity that lies unused, and what many share.

Here belongs: the policy as the ledger takes it. Here does not belong: shared pools (`models.pools`), carrying it out.
"""

from dataclasses import dataclass, field

import polars as pl

from models.errata import Erratum
from models.frames import schema_of
from models.unused import UnusedRule


@dataclass(frozen=True)
class Policy:
    """The policy for unused capacity and for prompt caches.

    `unused` says who carries what nobody used and nobody owns, in order; what no rule takes stays central.
    `deployments` is a frame in the shape of `provisioned_deployments`, which knows how far throughput was used; without
    it nobody does, and no part of it counts as unused. With `is_cache_pooled` the lines of a bill for writes into
    prompt caches are carried by those who read them, else by those who wrote. With `is_unlogged_apart` tokens that were
    billed and that no log knows are nobody's, and not spread over those who were logged. `metrics` is a frame in the
    shape of `pool_metrics`: what pools by metric are split by. `errata` are the known errors on bills that hold today;
    none that does not agree with the bill moves anything.
    """

    unused: tuple[UnusedRule, ...] = ()
    deployments: pl.DataFrame | None = None
    is_cache_pooled: bool = False
    errata: tuple[Erratum, ...] = ()
    is_unlogged_apart: bool = False
    metrics: pl.DataFrame = field(default_factory=lambda: schema_of("pool_metrics").to_frame())


AS_INCURRED = Policy()
"""Unused commitments stay central, throughput and caches are carried as they were used."""
