"""Connectors: one folder per source, which says how to reach it and how to read what it delivers.

Here belongs: settings, fetching pages, turning a page into rows of one staged fact or into rejects.
Here does not belong: Dagster, DuckDB, the clock, the environment, storage of any kind; nor renaming, summing or
converting beyond what the staged contract asks for.
"""
