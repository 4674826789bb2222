"""One night, or a range of days, in this process: the same job that Dagster runs."""

import os
import re
import uuid
from dataclasses import dataclass
from datetime import date

import dagster as dg

from pipelines.house import House

_OWN_CLASS = re.compile(r"^(?:connectors|contracts|models|pipelines|reports)(?:\.\w+)*\.\w+Error: ")


@dataclass(frozen=True)
class NightResult:
    """How a run ended. `failures` are steps that raised; nothing was published unless `published`."""

    published: bool
    failures: tuple[str, ...]


def new_run_id() -> str:
    """A name for a run."""
    return uuid.uuid4().hex


def run_night(house: House, first: date, last: date) -> NightResult:
    """Runs the nightly job for the days first..last as one run.

    With DAGSTER_HOME set the run is kept in that instance's history; else it leaves no trace but its results.
    """
    from pipelines.assets.partitions import range_tags
    from pipelines.definitions import NIGHTLY, build_defs

    job = build_defs(house=house).resolve_job_def(NIGHTLY)
    instance = dg.DagsterInstance.get() if os.environ.get("DAGSTER_HOME") else dg.DagsterInstance.ephemeral()
    with instance:
        result = job.execute_in_process(
            instance=instance,
            tags=range_tags(first, last),
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    failures = tuple(
        f"{event.step_key}: {_reason(event)}" for event in result.all_events if event.event_type_value == "STEP_FAILURE"
    )
    done = {event.step_key for event in result.all_events if event.event_type_value == "STEP_SUCCESS"}
    return NightResult("published" in done, failures)


def _reason(event: dg.DagsterEvent) -> str:
    """The innermost error's message, which is the one written for people: without our own class before it."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return _OWN_CLASS.sub("", error.message.strip()) if error is not None else "failed"
