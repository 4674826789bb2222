"""The night's work, without Dagster: stage, refer, build, post, publish. The assets call these and report.

Here belongs: which slices are stale, what is registered with the engine, what is replaced in the lake.
Here does not belong: formulas (models, sql), Dagster (assets), terminal output (cli).
"""
