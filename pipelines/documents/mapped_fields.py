"""The table of what a mapping of an own log may name, from the code that reads by it."""

from connectors.mapped_log.meanings import field_meanings
from pipelines.documents.table import table


def mapped_fields_table() -> str:
    """One row a field: what it says, its unit, whether it is needed, and a value."""
    rows = [
        [f"`{field.name}`", field.meaning, field.unit, field.needed, f"`{field.example}`"] for field in field_meanings()
    ]
    return table(["field", "meaning", "unit or form", "needed", "example of a value"], rows)
