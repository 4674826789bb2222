"""What Dagster's page of a table shows of its columns, from the contract."""

import dagster as dg

from contracts import Contract

COLUMN_SCHEMA = "dagster/column_schema"


def column_metadata(table: Contract) -> dict[str, dg.TableSchema]:
    """Metadata of the asset's definition: every column with type, unit and meaning."""
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            description=f"{column.description} [{column.unit}]" if column.unit else column.description,
            constraints=dg.TableColumnConstraints(nullable=column.nullable),
        )
        for column in table.columns
    ]
    return {COLUMN_SCHEMA: dg.TableSchema(columns=columns)}
