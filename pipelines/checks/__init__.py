"""Checks: what a contract promises, held against the rows by Great Expectations.

Here belongs: turning a contract into expectations, running them over DuckDB views, saying what broke.
Here does not belong: rules about one table (they stand in its contract), Dagster (it shows these outcomes).
"""

from pipelines.checks.outcome import Outcome
from pipelines.checks.validate import validate

__all__ = ["Outcome", "validate"]
