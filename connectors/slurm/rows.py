"""A day's jobs as rows of `gpu_allocations`: landed pages, stretches, GPUs, nodes.

Here belongs: the row, what is refused, what is told. Here does not belong: how each column is read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
import pyarrow as pa

from connectors.base import CHUNK_ROWS, IncompleteDeliveryError, LandedPage, Parsed, Reject, SourceError, Window
from connectors.exact import json_text
from connectors.fields import RowError
from connectors.slurm.columns import COLUMNS
from connectors.slurm.nodes import node_names
from connectors.slurm.resources import Gpus, gpus_of, on_nodes
from connectors.slurm.settings import SlurmSettings
from connectors.slurm.stretches import Stretch, merged, read_stretch
from contracts import contract

_KEPT = ("JobID", "State", "Restarts")
_TOLD = {
    "step_rows": "rows of job steps were left out: their job's own row counts what they held. Use sacct -X",
    "other_clusters": "jobs of other clusters were left out, as 'slurm_cluster' says",
    "warnings": "warnings stand in sacct's output",
    "unsure": "jobs began or ended in an hour that clocks show twice, and nothing tells which; the first was taken",
    "unfitting": "jobs took another time, by ElapsedRaw, than lies between Start and End: the latter is counted. Were "
    "they suspended? Add Suspended to sacct's --format",
    "cut": "runs of jobs overlapped and were counted once: files cut with --truncate lie beside whole ones",
    "running": "jobs still ran when sacct was asked: what they held since then comes with a later file",
    "even": "jobs on several nodes were split evenly: Slurm does not tell how many GPUs each node gave",
    "unplaced": "jobs on several nodes have no node in their rows: their GPUs do not divide evenly, and nothing tells "
    "how many each node gave",
    "no_node": "jobs that held GPUs name no node: add NodeList to sacct's --format",
    "array_ids": "jobs of arrays are named by JobID: add JobIDRaw to sacct's --format, GPU samples name them by it",
    "suspended": "jobs were suspended for a while: they kept their GPUs, that time is counted",
}


@dataclass
class Gathering:
    """One window's jobs while they are read."""

    settings: SlurmSettings
    window: Window
    stretches: list[Stretch] = field(default_factory=list[Stretch])
    rejects: list[Reject] = field(default_factory=list[Reject])
    told: Counter[str] = field(default_factory=Counter[str])
    new_columns: set[str] = field(default_factory=set[str])
    clusters: set[str] = field(default_factory=set[str])
    ran_count: int = 0

    def read(self, page: LandedPage) -> None:
        """Takes a page. Raises IncompleteDeliveryError for one that is cut off."""
        dated = self.window.slice_date
        for number, record in _records(page):
            told = record.get("sacct")
            if isinstance(told, dict):
                dated = date.fromisoformat(told["file_date"])
                self.new_columns |= set(told.get("new_columns", ()))
                self.told.update({name: told.get(name, 0) for name in ("step_rows", "other_clusters", "warnings")})
                continue
            try:
                self._take(record, dated, page.page_id, number)
            except RowError as error:
                self._refuse(page.page_id, number, error, record)

    def parsed(self) -> Iterator[Parsed]:
        """The rows, in chunks. Raises SourceError where jobs of several clusters lie together."""
        if len(self.clusters) > 1 and self.settings.slurm_cluster is None:
            raise SourceError(
                f"the files list jobs of several clusters ({', '.join(sorted(self.clusters))}), whose ids may be the "
                "same. Name one in 'slurm_cluster', and make a source of each."
            )
        found = merged(self.stretches)
        self.told["cut"] += found.cut_count
        rows = list[dict[str, Any]]()
        for stretch in found.stretches:
            try:
                rows += self._rows(stretch)
            except RowError as error:
                self._refuse(stretch.page_id, stretch.row, error, stretch.record)
        schema = contract("gpu_allocations").arrow_schema()
        for first in range(0, max(len(rows), 1), CHUNK_ROWS):
            is_first = first == 0
            yield Parsed(
                rows=pa.Table.from_pylist(rows[first : first + CHUNK_ROWS], schema=schema),
                rejects=tuple(self.rejects) if is_first else (),
                duplicate_count=found.duplicate_count if is_first else 0,
                notices=tuple(self._notices(len(rows))) if is_first else (),
            )

    def _take(self, record: dict[str, Any], dated: date, page_id: str, number: int) -> None:
        if reason := record.get("unreadable"):
            raise RowError("unreadable_line", str(reason))
        stretch = read_stretch(record, self.settings, dated, page_id, number)
        if stretch is None or stretch.end <= self.window.start or stretch.start >= self.window.end:
            return
        self.ran_count += 1
        if cluster := record.get("Cluster"):
            self.clusters.add(cluster)
        self.stretches.append(stretch)

    def _rows(self, stretch: Stretch) -> list[dict[str, Any]]:
        """A row for each node and kind of GPU; none for a job without GPUs."""
        record, shares = stretch.record, self.settings.shares_per_gpu
        held = gpus_of(record.get("AllocTRES", ""), shares)
        if not held:
            if gpus_of(record.get("ReqTRES", ""), shares):
                detail = "the job asked for GPUs and ran, and AllocTRES names none: nobody knows what it held"
                raise RowError("no_gpus_told", detail, "AllocTRES")
            return []
        nodes = node_names(record.get("NodeList", ""))
        stated = record.get("AllocNodes", "")
        if nodes and stated.isdecimal() and int(stated) != len(nodes):
            detail = f"NodeList names {len(nodes)} nodes and AllocNodes says {stated}: the list may be cut off"
            raise RowError("nodes_contradict", detail, "NodeList")
        spread = on_nodes(held, nodes, gpus_of(_per_node(record), shares))
        self._tell(stretch, nodes, spread)
        return [self._row(stretch, node, gpus, nodes) for node, gpus in spread]

    def _row(self, stretch: Stretch, node: str, gpus: Gpus, nodes: list[str]) -> dict[str, Any]:
        record = stretch.record
        labels = {name: record[name] for name in self.settings.label_columns if record.get(name)}
        beside = {name: found for name, found in record.items() if name in _KEPT or name not in {*COLUMNS, "line"}}
        if len(nodes) > 1:
            beside["NodeList"] = record["NodeList"]
        return {
            "allocation_date": self.window.slice_date,
            "started_at": max(stretch.start, self.window.start),
            "ended_at": min(stretch.end, self.window.end),
            "cluster": self.settings.account,
            "hostname": node,
            "holder_kind": "job",
            "allocation_id": stretch.job_id,
            "namespace": record.get("Account") or self.settings.job_namespace,
            "pod": stretch.job_id,
            "container": "",
            "workload_kind": "Job",
            "workload_name": record.get("JobName"),
            "model_name": self._model(record.get("JobName"), labels),
            "resource_name": gpus.resource_name,
            "allocated_gpus": gpus.gpus,
            "is_shared": gpus.is_shared,
            "gpu_uuid": "",
            "gpu_index": -1,
            "gpu_instance_id": "",
            "mig_profile": gpus.mig_profile,
            "gpu_model_name": gpus.gpu_model_name,
            "labels": json_text(labels) if labels else None,
            "x_extra": json_text(beside) if beside else None,
            "x_source": self.settings.name,
            "x_slice_date": self.window.slice_date,
            "x_page": stretch.page_id,
            "x_row": stretch.row,
        }

    def _model(self, job_name: str | None, labels: dict[str, str]) -> str | None:
        pattern = self.settings.model_pattern
        if pattern is None:
            return None
        places = (job_name or "", *labels.values())
        return next((match[1] for place in places if (match := re.search(pattern, place)) and match[1]), None)

    def _tell(self, stretch: Stretch, nodes: list[str], spread: list[tuple[str, Gpus]]) -> None:
        record = stretch.record
        self.told["unsure"] += not stretch.is_sure
        self.told["unfitting"] += not stretch.fits
        self.told["running"] += not stretch.is_ended and stretch.end < self.window.end
        self.told["no_node"] += not nodes
        self.told["even"] += len(nodes) > 1 and any(node for node, _ in spread)
        self.told["unplaced"] += len(nodes) > 1 and not all(node for node, _ in spread)
        self.told["array_ids"] += "_" in stretch.job_id or "+" in stretch.job_id
        self.told["suspended"] += record.get("Suspended", "0").strip("0:-") != ""
        self.new_columns |= record.keys() - COLUMNS.keys() - {"line"}

    def _notices(self, row_count: int) -> Iterator[str]:
        for name, words in _TOLD.items():
            if self.told[name]:
                yield f"{self.told[name]:,} {words}"
        if self.new_columns:
            yield f"columns that are new: {', '.join(sorted(self.new_columns))}"
        if self.ran_count and not row_count and not self.rejects:
            yield (
                f"none of {self.ran_count:,} jobs that ran held a GPU, as AllocTRES tells: is gres/gpu among the "
                "cluster's AccountingStorageTRES?"
            )

    def _refuse(self, page_id: str, number: int, error: RowError, record: object) -> None:
        self.rejects.append(Reject(page_id, number, error.reason, error.detail, json_text(record), error.column))


def _per_node(record: Any) -> str:
    """`gres:gpu:4` and `gres/gpu:a100=4` alike."""
    return re.sub(r":(\d+)(?=,|$)", r"=\1", str(record.get("TresPerNode", "")))


def _records(page: LandedPage) -> Iterable[tuple[int, dict[str, Any]]]:
    with page.body.open() as stream:
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                raise IncompleteDeliveryError(f"{page.name} ends in the middle of row {number}; fetch the day again")
            yield number, orjson.loads(line)
