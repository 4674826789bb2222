"""The README's table of sources, from the registry and each connector's charter."""

import importlib

from connectors.registry import SOURCES, source
from pipelines.documents.table import table


def sources_table() -> str:
    """One row a connector: its kind, the fact that it feeds, what it reads, and its own page."""
    return table(["kind", "feeds", "reads"], [_row(kind) for kind in SOURCES])


def _row(kind: str) -> list[str]:
    module = SOURCES[kind]
    folder = "/".join(module.split(".")[:2])  # a provider with two kinds has one folder, and one page
    charter = (importlib.import_module(module).__doc__ or "").strip().split("\n")[0]
    return [f"[`{kind}`]({folder}/README.md)", f"`{source(kind).fact}`", charter]
