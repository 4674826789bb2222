"""The GPU sampler: reads the driver's own counters on a node and keeps them in files until somebody fetches them.

It runs for months on machines that work for others. So it imports the driver's bindings and the standard library and
nothing else of this house but the clock, writes one file for an hour, and takes whatever the driver cannot answer as
not known, with the driver's error code beside it.

Here belongs: asking the driver, who holds a GPU, the files. Here does not belong: what samples say about idleness or
cost (`sql`), and reading the files (`connectors.nvml`).
"""
