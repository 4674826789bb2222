"""One job of `sacct --json` as the row that `sacct -P` would write. The shape changed with the releases.

Slurm 22.05: plain numbers, null for none, one state. Later: `{"set": true, "infinite": false, "number": 7}`, and a
list of states. Steps are nested in their job and left there. https://slurm.schedmd.com/rest_api.html
"""

from collections.abc import Mapping
from typing import Any


def job_row(job: Any) -> Mapping[str, str] | None:
    """The job's columns, by the names of the text output; None for what is no job."""
    if not isinstance(job, dict) or (raw := _number(job.get("job_id"))) is None:
        return None
    time, tres = _object(job.get("time")), _object(job.get("tres"))
    comment = job.get("comment")
    row: dict[str, object] = {
        "JobID": _job_id(job, raw),
        "JobIDRaw": raw,
        "JobName": job.get("name"),
        "Account": job.get("account"),
        "Partition": job.get("partition"),
        "Cluster": job.get("cluster"),
        "QOS": job.get("qos"),
        "Reservation": _object(job.get("reservation")).get("name"),
        "Constraints": job.get("constraints"),
        "WCKey": _object(job.get("wckey")).get("wckey"),
        "Licenses": job.get("licenses"),
        "Comment": comment.get("job") if isinstance(comment, dict) else comment,
        "AdminComment": _object(comment).get("administrator"),
        "SystemComment": _object(comment).get("system"),
        "Extra": job.get("extra"),
        "State": _state(_object(job.get("state")).get("current")),
        "Start": _number(time.get("start")),
        "End": _number(time.get("end")),
        "ElapsedRaw": _number(time.get("elapsed")),
        "Suspended": _number(time.get("suspended")),
        "Restarts": _number(job.get("restart_cnt")),
        "AllocNodes": _number(job.get("allocation_nodes")),
        "NodeList": job.get("nodes"),
        "ReqTRES": _tres(tres.get("requested")),
        "AllocTRES": _tres(tres.get("allocated")),
        "TresPerNode": job.get("tres_per_node"),
    }
    return {name: str(found) for name, found in row.items() if isinstance(found, str | int) and found != ""}


def _job_id(job: Mapping[str, Any], raw: int) -> str:
    """As sacct writes it: an array's id and the task's number, or the id."""
    array = _object(job.get("array"))
    of, task = _number(array.get("job_id")), _number(array.get("task_id"))
    return f"{of}_{task}" if of and task is not None else str(raw)


def _state(current: Any) -> object:
    return current[0] if isinstance(current, list) and current else current


def _tres(found: Any) -> str:
    """A list of resources as the text output writes it: `cpu=4,gres/gpu:a100=2`."""
    parts = list[str]()
    for entry in found if isinstance(found, list) else ():
        count = _number(_object(entry).get("count"))
        if count is not None:
            name = entry.get("name")
            parts.append(f"{entry.get('type')}{f'/{name}' if name else ''}={count}")
    return ",".join(parts)


def _number(found: Any) -> int | None:
    """A number in either shape; None for none. Infinite is none: no job has a last second of that kind."""
    if isinstance(found, dict):
        found = found.get("number") if found.get("set") and not found.get("infinite") else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _object(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
