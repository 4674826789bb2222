"""The data dictionary: every table and column, from the contracts."""

from contracts import Contract, Layer, all_contracts
from pipelines.documents.table import table

TITLES = {
    Layer.MART: ("Marts", "What people query. Their names and columns are stable."),
    Layer.CORE: ("Core", "What the marts are made from, for those who ask how."),
    Layer.REFERENCE: ("Reference", "What holds true for a while: prices, owners, identities."),
    Layer.STAGED: ("Staged facts", "What sources deliver, in one form whatever the source."),
    Layer.LAKE: ("The lake's own", "What arrived, what was refused, what a snapshot was made from."),
}


def data_dictionary() -> str:
    """The page as Markdown."""
    parts = [
        "# Data dictionary",
        "Timestamps are UTC without a zone. Generated from `sql/<layer>/<table>.yml`: `python -m pipelines.documents`.",
    ]
    for layer, (title, note) in TITLES.items():
        parts += [f"# {title}", note]
        parts += [_table_section(t) for t in all_contracts().values() if t.layer is layer]
    return "\n\n".join(parts) + "\n"


_KEPT = {
    "table": "In the lake only.",
    "view": "A view: worked out whenever it is read, and kept nowhere.",
    "temporary": "Held while a night builds what reads it, and kept nowhere.",
}
"""Where the rows of a table are that is not published."""


def first_sentence(text: str) -> str:
    """The text up to its first full stop."""
    return text.split(". ", maxsplit=1)[0].rstrip(".") + "."


def _table_section(contract: Contract) -> str:
    facts = [f"One row is {contract.grain}.", f"Owner: {contract.owner}.", f"Key: {', '.join(contract.key)}."]
    if contract.depends_on:
        facts.append(f"Made from: {', '.join(contract.depends_on)}.")
    facts.append("Published." if contract.published else _KEPT[contract.materialized])
    rows = [
        [f"`{c.name}`", c.type, c.unit or "", "yes" if c.nullable else "", _meaning(c.description, c.values)]
        for c in contract.columns
    ]
    parts = [f"## {contract.table}", contract.description, " ".join(facts)]
    parts.append(table(["column", "type", "unit", "may be NULL", "meaning"], rows))
    if contract.checks:
        checks = [[f"`{c.name}`", c.severity.value, c.description] for c in contract.checks]
        parts.append(table(["check", "severity", "what must hold"], checks))
    return "\n\n".join(parts)


def _meaning(description: str, values: tuple[str, ...] | None) -> str:
    return f"{description} One of: {', '.join(values)}." if values else description
