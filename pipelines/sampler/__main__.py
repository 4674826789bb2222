"""The sampler as a program of its own: `python -m pipelines.sampler`, which is what `farthing sample-gpus` becomes.

The house's command line brings ten times the sampler along; a node that samples needs nvidia-ml-py and nothing else.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.clock import utc_now
from pipelines.sampler.loop import Order, sample


def main(words: Sequence[str] | None = None) -> int:
    """Reads the command line and samples. Returns the exit code."""
    order, once = read_order(words)
    return sample(order, utc_now, once=once)


def read_order(words: Sequence[str] | None = None) -> tuple[Order, bool]:
    """What the command line orders, and whether once only. Raises SystemExit for a call that is wrong."""
    parser = argparse.ArgumentParser(
        prog="farthing sample-gpus",
        description="On a GPU node: sample its GPUs every few seconds and keep the samples in files, which the source "
        "of kind nvml reads. Ends on SIGTERM. Exit codes: 0 it was told to end; 1 no sample could be taken, or the "
        "driver was exchanged and the sampler must be started again; 2 the spool cannot be used.",
    )
    add = parser.add_argument
    add("--spool", type=Path, required=True, help="folder that keeps the samples until somebody fetches them")
    add("--every", type=_seconds, default=15, metavar="SECONDS", help="from one sample to the next, 1 to 300 (15)")
    add("--once", action="store_true", help="take one sample and end")
    add(
        "--hostname",
        type=_name,
        default=os.uname().nodename,
        help="the node, as its cluster names it (its own name)",
    )
    add("--instance-id", help="the machine, as its cloud's bill names it")
    add("--most-mib", type=_size, default=512, metavar="MIB", help="that the spool may hold; then its oldest file goes")
    add("--processes", type=Path, default=Path("/proc"), help="where the machine lists its programs (/proc)")
    add("--pod-logs", type=Path, default=Path("/var/log/containers"), help="where the kubelet links containers' logs")
    given = parser.parse_args(words)
    order = Order(
        spool=given.spool,
        every_seconds=given.every,
        hostname=given.hostname,
        instance_id=given.instance_id,
        most_bytes=given.most_mib << 20,
        processes=given.processes,
        pod_logs=given.pod_logs,
    )
    return order, given.once


def _name(text: str) -> str:
    if text.strip() and text.isprintable():
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no name of a node")


def _seconds(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 300:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 300")


def _size(text: str) -> int:
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of MiB from 1 up")


if __name__ == "__main__":
    sys.exit(main())
