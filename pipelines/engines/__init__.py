"""The SQL engines: the same tables by name and the same SQL, embedded or on a cluster that others keep.

Here belongs: putting rows before an engine, running `sql/<layer>/<table>.sql`, and what an engine needs to agree with
the other to the last decimal. Here does not belong: what a table means (that is its SQL), the lake, configuration.
"""

from pipelines.engines.engine import Engine, Source

__all__ = ["Engine", "Source"]
