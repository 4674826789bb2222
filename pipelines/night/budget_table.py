"""The configuration's budgets as a table."""

import pyarrow as pa

from contracts import contract
from models.scopes import DIMENSIONS, TOKENS
from pipelines.config.schema import Config


def budget_table(config: Config) -> pa.Table:
    """The budgets, as `budgets`."""
    rows = [
        {
            "budget_id": budget.id,
            "metric": budget.metric,
            **{name: getattr(budget.scope, name) for name in DIMENSIONS},
            "team_id": budget.team,
            "unit": TOKENS if budget.metric == TOKENS else config.currency,
            "budget_amount": budget.size,
            "valid_from": budget.valid_from,
            "valid_to": budget.valid_to,
        }
        for budget in config.budgets
    ]
    return pa.Table.from_pylist(rows, schema=contract("budgets").arrow_schema())
