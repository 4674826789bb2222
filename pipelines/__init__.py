"""Pipelines: the only room that knows Dagster, the lake, the engines, the configuration and the command line.

Here belongs: wiring. Assets, checks, partitions, schedules, resources; storage and publication; commands.
Here does not belong: business logic. If it computes a cost, it lives in `models` or in `sql`.
"""
