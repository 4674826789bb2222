"""Models: the economics. Pricing, allocation, idle states and, later, commitments, break-even, forecasts, savings.

Here belongs: pure functions of frames and numbers, each with its formula, its units and where it comes from.
Here does not belong: I/O, Dagster, DuckDB, configuration, the clock. (Not ORM models, not language models.)
"""
