"""Clusters that never meet: named on one side of the file only, so that GPUs, who holds them and their bill stay apart.

No error of the file: a cluster may have samples and no bill. `farthing check` tells it, loading does not refuse it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from connectors.registry import source
from pipelines.config.positions import Document, Location
from pipelines.config.problems import Problem, nearest
from pipelines.config.schema import GPU_KINDS, Config, Owner

HOSTS = "machines and their bill (hosts)"
_SIDES = {
    "gpu_samples": "samples of GPUs",
    "gpu_allocations": "who held GPUs",
    "node_sightings": "nodes",
    "serving_counters": "serving engines",
}
_Named = Mapping[str, Mapping[str, Location]]  # by cluster and side, where the file says so first


def clusters_apart(document: Document, config: Config) -> Iterator[Problem]:
    """Each cluster that only one side names while others name other clusters, and each rule for one that none names."""
    named = _named(config)
    for cluster, sides in named.items():
        others = {other: found for other, found in named.items() if other != cluster and found.keys() - sides.keys()}
        if len(sides) > 1 or not others:
            continue
        ((side, place),) = sides.items()
        told = "; ".join(f"'{other}' has {', '.join(found)}" for other, found in sorted(others.items()))
        message = f"cluster '{cluster}' has {side} and nothing else, so they meet nobody: {told}"
        remedy = f"{nearest(cluster, others)} One cluster is one name: 'cluster' of hosts, 'account' of its sources."
        yield document.problem(place, message, remedy)
    for section in ("owners", "gpu_work", "warm_standby"):
        for index, rule in enumerate(getattr(config, section)):
            if rule.cluster and named and rule.cluster not in named:
                message = f"no source and no host is of cluster '{rule.cluster}': the rule fits nobody"
                yield document.problem((section, index, "cluster"), message, nearest(rule.cluster, named))
    yield from _never_reached(document, config)


def _never_reached(document: Document, config: Config) -> Iterator[Problem]:
    """Owner rules of holders of GPUs that an earlier one leaves nothing, though they name somebody else."""
    for index, rule in enumerate(config.owners):
        if rule.match_kind not in GPU_KINDS:
            continue
        for place, earlier in enumerate(config.owners[:index]):
            within = earlier.valid_from <= rule.valid_from and rule.valid_to <= earlier.valid_to
            if not within or _asked_for(earlier) != _asked_for(rule):
                continue
            if (earlier.team, earlier.pool) != (rule.team, rule.pool):
                line = document.position(("owners", place))[0]
                message = (
                    f"'{rule.id}' never matches: '{earlier.id}' on line {line} takes the same of the same clusters"
                )
                remedy = "Name the 'cluster' of one of them, give each its days, or remove one."
                yield document.problem(("owners", index), message, remedy)
            break


def _asked_for(rule: Owner) -> tuple[str, tuple[str, str], str | None]:
    return rule.match_kind, rule.match, rule.cluster


def _named(config: Config) -> _Named:
    """Clouds' metrics are of the cluster that their machine's host or node is in, and of none here."""
    named: dict[str, dict[str, Location]] = defaultdict(dict)
    by_machine = False
    for index, settings in enumerate(config.sources):
        side = _SIDES.get(source(settings.kind).fact)
        if settings.kind.endswith("_gpu_metrics"):
            by_machine = True
        elif side is not None:
            named[settings.account].setdefault(side, ("sources", index, "account"))
    for index, host in enumerate(config.hosts):
        if not by_machine or host.cluster in named:
            named[host.cluster].setdefault(HOSTS, ("hosts", index, "cluster"))
    return named
