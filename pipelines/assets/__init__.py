"""Dagster's nouns: assets, checks, partitions, jobs, schedules. Each asset is a few lines over `pipelines.night`.

Here belongs: keys, dependencies, metadata, groups. Here does not belong: what an asset does.
"""
