"""Batch jobs that held GPUs, as Slurm's accounting lists them: output of `sacct`, kept as files.

Here belongs: reading that output, in all the shapes that Slurm gives it. Here does not belong: what the jobs cost, and
whether they used what they held.
"""

from connectors.slurm.settings import SlurmSettings
from connectors.slurm.source import SlurmSource

SOURCE = SlurmSource()

__all__ = ["SOURCE", "SlurmSettings", "SlurmSource"]
