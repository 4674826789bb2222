"""The metrics of the configuration as the table `pool_metrics`. A file that cannot be used changes nothing of it."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from contracts import contract
from pipelines.config.metrics import Metric
from pipelines.house import House
from pipelines.night.metric_files import MetricFileError, metric_weights

METRICS = "pool_metrics"


def metric_table(house: House) -> pa.Table:
    """What every metric's file says; of a file that cannot be used, what the table says of its metric already."""
    known = house.lake.read(METRICS).to_pylist()
    rows: list[dict[str, object]] = []
    for metric in house.config.metrics:
        try:
            rows += _rows(house, metric)
        except MetricFileError:
            rows += [row for row in known if row["metric_id"] == metric.id]
    return pa.Table.from_pylist(rows, schema=contract(METRICS).arrow_schema())


def metric_problems(house: House) -> Iterator[str]:
    """What is wrong with the metrics' files, with file and line."""
    for metric in house.config.metrics:
        try:
            _rows(house, metric)
        except MetricFileError as error:
            yield from error.complaints


def _rows(house: House, metric: Metric) -> list[dict[str, object]]:
    teams = [team.id for team in house.config.teams]
    return [{"metric_id": metric.id, **row._asdict()} for row in metric_weights(Path(metric.location), teams)]
