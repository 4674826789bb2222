"""The command line. Here belongs: arguments, terminal output, exit codes. Here does not belong: work."""

from pipelines.cli.main import main

__all__ = ["main"]
