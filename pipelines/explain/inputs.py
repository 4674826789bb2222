"""What the journal of a month was made from, as it was when the snapshot was made."""

import polars as pl

from contracts import contract
from pipelines.explain.evidence import Evidence
from pipelines.night.stale import input_range


def input_of(evidence: Evidence, table: str, period: object) -> pl.DataFrame:
    """What the journal of a billing period reads of a table. Raises LakeError when the lake no longer has it."""
    output = contract("postings")
    if contract(table).slice == "none":
        return evidence.stored(table)
    return evidence.stored(table, *input_range(output, contract(table), period))  # type: ignore[arg-type]
