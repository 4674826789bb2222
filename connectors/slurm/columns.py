"""The columns of `sacct` that may be landed, and what of each. Nothing else of its output is written down.

sacct's fields: https://slurm.schedmd.com/sacct.html (`--format`). Users, groups, working directories, command lines
and the ids of those who cancelled a job stay where they are.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from connectors.fields import printable

WITHHELD = "(withheld: not what this column holds)"
_LONGEST_LIST = 65_536
_PLAIN = re.compile(r"[\w.,:;=\[\]/+*() %-]*", re.ASCII)
_E_MAIL = re.compile(r"[^\s@:<>\"',;|]+@[^\s@:<>\"',;|]+")


def _text(found: str) -> str:
    return printable(_E_MAIL.sub("(e-mail)", found))


def _plain(found: str) -> str:
    """Lists of nodes and resources may be long, and have few signs."""
    return found if len(found) <= _LONGEST_LIST and _PLAIN.fullmatch(found) else WITHHELD


def _state(found: str) -> str:
    """`CANCELLED by 1001` names a person by number."""
    return _plain(found.split(" by ", 1)[0].strip())


COLUMNS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        **dict.fromkeys(("JobName", "Account", "Partition", "Cluster", "QOS", "Reservation", "WCKey"), _text),
        **dict.fromkeys(("Constraints", "Licenses", "Comment", "AdminComment", "SystemComment", "Extra"), _text),
        **dict.fromkeys(("JobID", "JobIDRaw", "Start", "End", "ElapsedRaw", "Elapsed", "Suspended"), _plain),
        **dict.fromkeys(("ReqTRES", "AllocTRES", "TresPerNode", "AllocNodes", "NodeList", "Restarts"), _plain),
        "State": _state,
    }
)
"""What may be landed, with the rule that each value passes."""

NEEDED = frozenset({"Start", "End", "AllocTRES"})
"""Without these nothing can be said of a job."""

LABEL_COLUMNS = frozenset(
    {"Partition", "QOS", "Reservation", "WCKey", "Constraints", "Licenses", "Comment", "AdminComment", "Extra"}
    | {"SystemComment", "Cluster"}
)
_FREE_TEXT = frozenset({"Comment", "AdminComment", "SystemComment", "Extra"})

_KNOWN = """
    account admincomment alloccpus allocgres allocnodes alloctres associd avecpu avecpufreq avediskread avediskwrite
    avepages averss avevmsize blockid cluster comment constraints consumedenergy consumedenergyraw container cputime
    cputimeraw dbindex derivedexitcode elapsed elapsedraw eligible end exitcode extra failednode flags gid group jobid
    jobidraw jobname layout licenses maxdiskread maxdiskreadnode maxdiskreadtask maxdiskwrite maxdiskwritenode
    maxdiskwritetask maxpages maxpagesnode maxpagestask maxrss maxrssnode maxrsstask maxvmsize maxvmsizenode
    maxvmsizetask mcslabel mincpu mincpunode mincputask ncpus nnodes nodelist ntasks partition planned plannedcpu
    plannedcpuraw priority qos qosraw qosreq reason reqcpufreq reqcpufreqgov reqcpufreqmax reqcpufreqmin reqcpus reqgres
    reqmem reqnodes reqtres reservation reservationid reserved resvcpu resvcpuraw restarts segmentsize sluid start state
    stderr stdin stdout submit submitline suspended systemcomment systemcpu timelimit timelimitraw totalcpu
    trespernode tresusageinave tresusageinmax tresusageinmaxnode tresusageinmaxtask tresusageinmin tresusageinminnode
    tresusageinmintask tresusageintot tresusageoutave tresusageoutmax tresusageoutmaxnode tresusageoutmaxtask
    tresusageoutmin tresusageoutminnode tresusageoutmintask tresusageouttot uid user usercpu wckey wckeyid workdir
"""
KNOWN_ELSEWHERE = frozenset(_KNOWN.split())
"""Columns, in small letters, that sacct is known to have: one that is not here is told, by its name alone."""

_BY_KEY = {name.lower(): name for name in COLUMNS} | {"nnodes": "AllocNodes", "tres_per_node": "TresPerNode"}


def canonical(name: str) -> str:
    """The name as this house spells it; another column's as it came."""
    return _BY_KEY.get(name.strip().lower(), name.strip())


def landable(row: Mapping[str, str], label_columns: frozenset[str]) -> dict[str, str]:
    """What may be landed of a job's row, by canonical names; free text only where the settings ask for it."""
    return {
        name: shown
        for name, found in row.items()
        if name in COLUMNS and (name not in _FREE_TEXT or name in label_columns) and (shown := COLUMNS[name](found))
    }
